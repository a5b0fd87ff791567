/* SPDX-License-Identifier: MIT
 * utf16.c - UTF-16 to UTF-8. iconv(3) needs tables that small containers do not have.
 */
#include "read/utf16.h"

/* Writes a code point as UTF-8. A lone surrogate becomes three bytes, which UTF-8 forbids. */
static char *put_code(char *to, uint32_t code)
{
    if (code < 0x80) {
        *to++ = (char)code;
        return to;
    }
    if (code < 0x800) {
        *to++ = (char)(0xC0 | code >> 6);
    } else {
        if (code < 0x10000) {
            *to++ = (char)(0xE0 | code >> 12);
        } else {
            *to++ = (char)(0xF0 | code >> 18);
            *to++ = (char)(0x80 | (code >> 12 & 0x3F));
        }
        *to++ = (char)(0x80 | (code >> 6 & 0x3F));
    }
    *to++ = (char)(0x80 | (code & 0x3F));
    return to;
}

static char *put_unit(cli_utf16 *state, uint32_t unit, char *to)
{
    uint32_t lead = state->lead;
    state->lead = 0;
    if (lead != 0 && (unit & 0xFC00) == 0xDC00)
        return put_code(to, 0x10000 + ((lead & 0x3FF) << 10 | (unit & 0x3FF)));
    if (lead != 0)
        to = put_code(to, lead);
    if ((unit & 0xFC00) != 0xD800)
        return put_code(to, unit);
    state->lead = unit;
    return to;
}

size_t cli_utf16_decode(cli_utf16 *state, const char *from, size_t length, char *to)
{
    char *end = to;
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)from[i];
        if (state->half_given) {
            uint32_t high = state->big ? state->half : byte, low = state->big ? byte : state->half;
            end = put_unit(state, high << 8 | low, end);
        }
        state->half = byte;
        state->half_given = !state->half_given;
    }
    return (size_t)(end - to);
}

size_t cli_utf16_end(cli_utf16 *state, char *to)
{
    char *end = state->lead != 0 ? put_code(to, state->lead) : to;
    if (state->half_given)
        *end++ = (char)0xFF;
    state->lead = 0;
    state->half_given = false;
    return (size_t)(end - to);
}
