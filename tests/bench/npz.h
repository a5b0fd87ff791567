/* SPDX-License-Identifier: MIT
 * npz.h - arrays of numbers from NumPy's .npz files: a zip of .npy members, stored or deflated. Needs zlib. */
#ifndef NPZ_H
#define NPZ_H

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

typedef struct npz_array {
    double *values; /* row by row */
    size_t rows, columns;
} npz_array;

typedef struct npz_bytes {
    unsigned char *data;
    size_t size;
} npz_bytes;

static inline uint64_t npz_little(const unsigned char *p, int bytes)
{
    uint64_t value = 0;
    for (int i = bytes - 1; i >= 0; i--)
        value = value << 8 | p[i];
    return value;
}

static inline npz_bytes npz_file(const char *path)
{
    npz_bytes b = {NULL, 0};
    FILE *file = fopen(path, "rb");
    size_t room = 0, got = 1;
    while (file != NULL && got > 0) {
        if (b.size == room) {
            unsigned char *more = realloc(b.data, room = 2 * room + 65536);
            if (more == NULL)
                break;
            b.data = more;
        }
        got = fread(b.data + b.size, 1, room - b.size, file);
        b.size += got;
    }
    if (file != NULL)
        fclose(file);
    return b;
}

static inline npz_bytes npz_inflate(const unsigned char *data, size_t packed, size_t size)
{
    npz_bytes b = {malloc(size + 1), size};
    z_stream z = {
        .next_in = (Bytef *)(uintptr_t)data, .avail_in = (uInt)packed, .next_out = b.data, .avail_out = (uInt)size};
    if (b.data == NULL || inflateInit2(&z, -MAX_WBITS) != Z_OK)
        return b;
    if (inflate(&z, Z_FINISH) != Z_STREAM_END)
        b.size = 0;
    inflateEnd(&z);
    return b;
}

/* The member's bytes, by way of the central directory. */
static inline npz_bytes npz_member(const npz_bytes *zip, const char *name)
{
    size_t end = zip->size >= 22 ? zip->size - 22 : 0, at;
    npz_bytes none = {NULL, 0};
    while (end > 0 && npz_little(zip->data + end, 4) != 0x06054b50)
        end--;
    if (end == 0)
        return none;
    at = (size_t)npz_little(zip->data + end + 16, 4);
    while (at + 46 <= end && npz_little(zip->data + at, 4) == 0x02014b50) {
        const unsigned char *e = zip->data + at;
        size_t packed = (size_t)npz_little(e + 20, 4), size = (size_t)npz_little(e + 24, 4),
               length = (size_t)npz_little(e + 28, 2);
        size_t local = (size_t)npz_little(e + 42, 4), begin;
        at += 46 + length + (size_t)npz_little(e + 30, 2) + (size_t)npz_little(e + 32, 2);
        if (at > end || length != strlen(name) || memcmp(e + 46, name, length) != 0 || local + 30 > zip->size)
            continue;
        begin = local + 30 + (size_t)npz_little(zip->data + local + 26, 2) + (size_t)npz_little(zip->data + local + 28, 2);
        if (begin > zip->size || packed > zip->size - begin)
            return none;
        if (npz_little(e + 10, 2) == 8)
            return npz_inflate(zip->data + begin, packed, size);
        none.data = malloc(size + 1);
        none.size = packed == size ? size : 0;
        if (none.data != NULL)
            memcpy(none.data, zip->data + begin, none.size);
        return none;
    }
    return none;
}

/* One number of type `kind` (f, i, u or b) and size. */
static inline double npz_number(const unsigned char *p, char kind, int size)
{
    uint64_t u = npz_little(p, size);
    uint32_t half = (uint32_t)u;
    float f;
    double d;
    memcpy(&f, &half, sizeof f);
    memcpy(&d, &u, sizeof d);
    if (kind == 'f')
        return size == 4 ? (double)f : size == 8 ? d : (double)NAN;
    if (kind == 'i' && size < 8 && (u >> (8 * size - 1) & 1) != 0)
        u -= UINT64_C(1) << (8 * size);
    return kind == 'i' ? (double)(int64_t)u : (double)u;
}

/* 0 if it is not there or not of a kind that is read here. */
static inline int npz_read(const npz_bytes *zip, const char *name, npz_array *a)
{
    npz_bytes b = npz_member(zip, name);
    char header[512] = "", kind = 0, order = 0;
    int size = 0, wide = b.size > 12 && b.data[6] > 1 ? 4 : 2;
    size_t length = b.size > 12 ? (size_t)npz_little(b.data + 8, wide) : 0, begin = 8 + (size_t)wide + length, count;
    const char *type, *shape;
    *a = (npz_array){NULL, 0, 1};
    if (length > 0 && length < sizeof header && begin <= b.size && memcmp(b.data, "\x93NUMPY", 6) == 0)
        memcpy(header, b.data + 8 + wide, length);
    type = strstr(header, "'descr': '");
    shape = strstr(header, "'shape': (");
    if (type != NULL && shape != NULL && sscanf(type + 10, "%c%c%d", &order, &kind, &size) == 3)
        sscanf(shape + 10, "%zu, %zu", &a->rows, &a->columns);
    count = a->rows * a->columns;
    if (strchr("<|=", order) != NULL && strchr("fiub", kind) != NULL && size > 0 && size <= 8 && count > 0 &&
        a->columns < 65536 && a->rows < (size_t)1 << 40 && (b.size - begin) / (size_t)size >= count)
        a->values = malloc(count * sizeof *a->values);
    for (size_t i = 0; a->values != NULL && i < count; i++) {
        size_t row = i % a->rows * a->columns + i / a->rows; /* where Fortran's order has the i-th */
        a->values[strstr(header, "'fortran_order': True") != NULL ? row : i] =
            npz_number(b.data + begin + i * (size_t)size, kind, size);
    }
    free(b.data);
    return a->values != NULL;
}

#endif
