/* SPDX-License-Identifier: MIT */
#include "base/bytes.h"

#include <math.h>
#include <string.h>

/* The first byte is no text, the line ends show what a text mode did, the last stops a listing: PNG's idea. */
static const unsigned char magic[8] = {0x89, 'A', 'N', 'O', 'M', 0x0d, 0x0a, 0x1a};

static void store_number(unsigned char *at, uint64_t value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        at[i] = (unsigned char)(value >> 8 * i);
}

static uint64_t load_number(const unsigned char *at, int bytes)
{
    uint64_t value = 0;
    for (int i = 0; i < bytes; i++)
        value |= (uint64_t)at[i] << 8 * i;
    return value;
}

/* ---- writing ---- */

void an_writer_begin(an_writer *writer, anomaly_sink sink, void *ctx)
{
    writer->sink = sink;
    writer->ctx = ctx;
    writer->status = ANOMALY_OK;
    writer->total = 0;
    writer->used = 0;
    an_hash_begin(&writer->hash, 0);
}

static void hand_over(an_writer *writer, const void *bytes, size_t size)
{
    if (size == 0 || writer->status)
        return;
    an_hash_add(&writer->hash, bytes, size);
    if (writer->sink(writer->ctx, bytes, size) != 0)
        writer->status = ANOMALY_E_STOPPED;
}

static void flush(an_writer *writer)
{
    hand_over(writer, writer->buffer, writer->used);
    writer->used = 0;
}

int an_writer_end(an_writer *writer)
{
    flush(writer);
    return writer->status;
}

/* Room for a few bytes in the buffer. NULL: nothing is to be stored. */
static unsigned char *place_for(an_writer *writer, size_t size)
{
    writer->total += size;
    if (!writer->sink)
        return NULL;
    if (writer->used + size > sizeof writer->buffer)
        flush(writer);
    writer->used += size;
    return writer->buffer + writer->used - size;
}

void an_write_bytes(an_writer *writer, const void *bytes, size_t size)
{
    if (size <= sizeof writer->buffer) {
        unsigned char *at = place_for(writer, size);
        if (at && size > 0)
            memcpy(at, bytes, size);
        return;
    }
    writer->total += size;
    if (writer->sink) {
        flush(writer);
        hand_over(writer, bytes, size);
    }
}

void an_write_u8(an_writer *writer, uint8_t value)
{
    unsigned char *at = place_for(writer, 1);
    if (at)
        *at = value;
}

void an_write_u64(an_writer *writer, uint64_t value)
{
    unsigned char *at = place_for(writer, 8);
    if (at)
        store_number(at, value, 8);
}

void an_write_i64(an_writer *writer, int64_t value)
{
    an_write_u64(writer, (uint64_t)value);
}

void an_write_float(an_writer *writer, float value)
{
    unsigned char *at = place_for(writer, 4);
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    if (at)
        store_number(at, bits, 4);
}

void an_write_double(an_writer *writer, double value)
{
    uint64_t bits = UINT64_C(0x7ff8000000000000);
    if (!isnan(value))
        memcpy(&bits, &value, sizeof bits);
    an_write_u64(writer, bits);
}

void an_write_varint(an_writer *writer, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        an_write_u8(writer, (uint8_t)(value | 0x80));
    an_write_u8(writer, (uint8_t)value);
}

void an_write_signed(an_writer *writer, int64_t value)
{
    an_write_varint(writer, (uint64_t)value << 1 ^ (value < 0 ? UINT64_MAX : 0));
}

void an_write_endless(an_writer *writer, uint64_t count)
{
    an_write_varint(writer, count & (AN_COUNTED - 1));
}

/* ---- reading ---- */

const unsigned char *an_read_bytes(an_reader *reader, size_t size)
{
    const unsigned char *at = reader->at;
    if (reader->bad || size > an_reader_left(reader)) {
        reader->bad = 1;
        return NULL;
    }
    reader->at += size;
    return at;
}

uint8_t an_read_u8(an_reader *reader)
{
    const unsigned char *at = an_read_bytes(reader, 1);
    return at ? *at : 0;
}

uint64_t an_read_u64(an_reader *reader)
{
    const unsigned char *at = an_read_bytes(reader, 8);
    return at ? load_number(at, 8) : 0;
}

int64_t an_read_i64(an_reader *reader)
{
    return (int64_t)an_read_u64(reader);
}

float an_read_float(an_reader *reader)
{
    const unsigned char *at = an_read_bytes(reader, 4);
    uint32_t bits = at ? (uint32_t)load_number(at, 4) : 0;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

double an_read_double(an_reader *reader)
{
    uint64_t bits = an_read_u64(reader);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

uint64_t an_read_varint(an_reader *reader)
{
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
        uint64_t byte = an_read_u8(reader), part = byte & 0x7f;
        if ((shift == 63 && byte > 1) || (shift > 0 && byte == 0)) /* too large; longer than it has to be */
            break;
        value |= part << shift;
        if (byte < 0x80)
            return reader->bad ? 0 : value;
    }
    reader->bad = 1;
    return 0;
}

uint64_t an_read_varint_to(an_reader *reader, uint64_t most)
{
    uint64_t value = an_read_varint(reader);
    if (value <= most)
        return value;
    reader->bad = 1;
    return 0;
}

int64_t an_read_signed(an_reader *reader)
{
    uint64_t value = an_read_varint(reader);
    return (int64_t)(value >> 1 ^ (value & 1 ? UINT64_MAX : 0));
}

uint64_t an_read_endless(an_reader *reader)
{
    return an_read_varint_to(reader, AN_COUNTED - 1);
}

/* ---- sections ---- */

void an_section_begin(an_writer *writer, enum an_section type, uint64_t body, uint64_t seed)
{
    unsigned char numbers[8];
    flush(writer);
    an_hash_begin(&writer->hash, seed);
    an_write_bytes(writer, magic, sizeof magic);
    store_number(numbers, AN_FORMAT_VERSION, 4);
    store_number(numbers + 4, (uint64_t)type, 4);
    an_write_bytes(writer, numbers, sizeof numbers);
    an_write_u64(writer, body + AN_SECTION_FRAME);
}

uint64_t an_section_end(an_writer *writer)
{
    flush(writer);
    uint64_t checksum = an_hash_end(&writer->hash);
    an_write_u64(writer, checksum);
    flush(writer);
    return checksum;
}

int an_section_length(const unsigned char *header, enum an_section *type, uint64_t *length)
{
    if (memcmp(header, magic, sizeof magic) != 0)
        return ANOMALY_E_CORRUPT;
    if (load_number(header + 8, 4) > AN_FORMAT_VERSION)
        return ANOMALY_E_VERSION;
    uint64_t kind = load_number(header + 12, 4);
    *length = load_number(header + 16, 8);
    if (load_number(header + 8, 4) == 0 || kind < AN_SECTION_DETECTOR || kind > AN_SECTION_TOGETHER ||
        *length < AN_SECTION_FRAME)
        return ANOMALY_E_CORRUPT;
    *type = (enum an_section)kind;
    return ANOMALY_OK;
}

int an_section_open(const void *bytes, size_t size, enum an_section type, uint64_t seed, an_reader *body, uint64_t *checksum)
{
    const unsigned char *at = bytes;
    enum an_section found;
    uint64_t length;
    if (size < AN_SECTION_FRAME)
        return ANOMALY_E_CORRUPT;
    int status = an_section_length(at, &found, &length);
    if (status)
        return status;
    *checksum = load_number(at + size - 8, 8);
    if (found != type || length != size || an_hash_of(at, size - 8, seed) != *checksum)
        return ANOMALY_E_CORRUPT;
    body->at = at + AN_SECTION_HEADER;
    body->end = at + size - 8;
    body->bad = 0;
    return ANOMALY_OK;
}
