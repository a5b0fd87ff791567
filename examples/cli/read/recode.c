/* SPDX-License-Identifier: MIT
 * recode.c - text of other encodings to UTF-8, piece by piece: UTF-16 and Windows-1252 by tables of its own, since
 * small containers lack those of iconv(3), all others by iconv.
 */
#include "read/recode.h"

#include "common/encoding.h"
#include "common/text.h"
#include "read/utf16.h"

#include <errno.h>
#include <iconv.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { INPUT_SIZE = 1 << 16 };

#define NO_TEXT '\xFF' /* what is no UTF-8 */

#define NO_ICONV ((iconv_t)-1)

/* Makes UTF-8 of the bytes at from, as far as there is room; answers its length, *length becomes what was taken. */
typedef size_t decode(cli_recode *r, const char *from, size_t *length, char *to, size_t room);

struct cli_recode {
    decode *decode;
    cli_utf16 utf16;
    iconv_t iconv;
    size_t unit; /* bytes that one character has at least */
    cli_read_bytes *read;
    void *context;
    bool ended;
    size_t pos, end;
    char input[INPUT_SIZE];
};

/* ---- the encodings ---- */

static size_t decode_utf16(cli_recode *r, const char *from, size_t *length, char *to, size_t room)
{
    size_t most = (room - 6) / 3 * 2; /* CLI_UTF16_ROOM(most) <= room */
    if (r->ended)
        return cli_utf16_end(&r->utf16, to);
    *length = *length < most ? *length : most;
    return cli_utf16_decode(&r->utf16, from, *length, to);
}

static char *put_1252(unsigned char byte, char *to)
{
    static const unsigned short upper[32] = {0x20AC, 0,      0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021,
                                             0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0,      0x017D, 0,
                                             0,      0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014,
                                             0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0,      0x017E, 0x0178};
    unsigned code = byte >= 0x80 && byte < 0xA0 ? upper[byte - 0x80] : byte;
    if (code == 0 && byte != 0) {
        *to++ = NO_TEXT;
    } else if (code < 0x80) {
        *to++ = (char)code;
    } else {
        *to++ = (char)(code < 0x800 ? 0xC0 | code >> 6 : 0xE0 | code >> 12);
        if (code >= 0x800)
            *to++ = (char)(0x80 | (code >> 6 & 0x3F));
        *to++ = (char)(0x80 | (code & 0x3F));
    }
    return to;
}

static size_t decode_1252(cli_recode *r, const char *from, size_t *length, char *to, size_t room)
{
    (void)r;
    char *end = to;
    *length = *length < room / 3 ? *length : room / 3;
    for (size_t i = 0; i < *length; i++)
        end = put_1252((unsigned char)from[i], end);
    return (size_t)(end - to);
}

static size_t decode_by_iconv(cli_recode *r, const char *from, size_t *length, char *to, size_t room)
{
    char *in = (char *)(uintptr_t)from, *out = to; /* iconv only reads from there */
    size_t left = *length;
    while (left > 0 && iconv(r->iconv, &in, &left, &out, &room) == (size_t)-1 && errno != E2BIG && room > 0) {
        if (errno == EINVAL && !r->ended)
            break;
        size_t skipped = left < r->unit ? left : r->unit;
        in += skipped;
        left -= skipped;
        *out++ = NO_TEXT;
        room--;
    }
    if (r->ended && left == 0)
        iconv(r->iconv, NULL, NULL, &out, &room);
    *length = (size_t)(in - from);
    return (size_t)(out - to);
}

/* ---- by name ---- */

static decode *own_decode(enum cli_encoding encoding)
{
    switch (encoding) {
    case CLI_UTF16_LITTLE:
    case CLI_UTF16_BIG: return decode_utf16;
    case CLI_WINDOWS_1252: return decode_1252;
    default: return NULL;
    }
}

/* Counts the bytes that a line end has in an encoding. */
static size_t unit_of(const char *name)
{
    char two[2] = {'\n', '\n'}, *in = two, room[32], *out = room;
    size_t left = 1, free_bytes = sizeof room;
    iconv_t reverse = iconv_open(name, "UTF-8");
    if (reverse == NO_ICONV)
        return 1;
    iconv(reverse, &in, &left, &out, &free_bytes); /* with a byte order mark, perhaps */
    size_t before = free_bytes;
    left = 1;
    iconv(reverse, &in, &left, &out, &free_bytes);
    iconv_close(reverse);
    return before > free_bytes ? before - free_bytes : 1;
}

/* ---- the reading ---- */

cli_recode *cli_recode_open(const char *encoding, const char *data, size_t length, cli_read_bytes *read, void *context)
{
    enum cli_encoding own = cli_encoding_find(encoding);
    iconv_t other = own == CLI_ENCODING_OTHER ? iconv_open("UTF-8", encoding) : NO_ICONV;
    if (own == CLI_ENCODING_OTHER && other == NO_ICONV)
        return NULL;
    cli_recode *r = cli_resize(NULL, 1, sizeof *r);
    r->decode = own == CLI_ENCODING_OTHER ? decode_by_iconv : own_decode(own);
    r->utf16 = (cli_utf16){.big = own == CLI_UTF16_BIG};
    r->iconv = other;
    r->unit = own == CLI_ENCODING_OTHER ? unit_of(encoding) : 1;
    r->read = read;
    r->context = context;
    r->ended = false;
    r->pos = 0;
    r->end = length;
    memcpy(r->input, data, length);
    return r;
}

void cli_recode_close(cli_recode *r)
{
    if (r != NULL && r->iconv != NO_ICONV)
        iconv_close(r->iconv);
    free(r);
}

bool cli_recode_drained(const cli_recode *r)
{
    return r->pos == r->end;
}

/* Reads more behind what is left: part of a character. */
static ssize_t refill(cli_recode *r)
{
    memmove(r->input, r->input + r->pos, r->end - r->pos);
    r->end -= r->pos;
    r->pos = 0;
    ssize_t n = r->read(r->context, r->input + r->end, INPUT_SIZE - r->end);
    r->ended = n <= 0;
    r->end += n > 0 ? (size_t)n : 0;
    return n;
}

ssize_t cli_recode_read(cli_recode *r, char *data, size_t size)
{
    for (;;) {
        size_t taken = r->end - r->pos;
        size_t length = taken > 0 || r->ended ? r->decode(r, r->input + r->pos, &taken, data, size) : 0;
        r->pos += taken;
        if (length > 0 || (r->ended && taken == 0))
            return (ssize_t)length;
        if (!r->ended && refill(r) < 0)
            return -1;
    }
}
