/* SPDX-License-Identifier: MIT
 * encoding_signs.c - which encoding the first bytes of a file show.
 */
#include "read/encoding_signs.h"

#include "common/text.h"

#include <string.h>

/* Tells UTF-16 without a byte order mark: four units, of which each has one byte that is NUL, the same one. */
static const char *by_nul_bytes(const char *data, size_t length)
{
    bool big = true, little = true;
    for (size_t i = 0; i + 1 < length && i < 8; i += 2) {
        big &= data[i] == '\0' && data[i + 1] != '\0';
        little &= data[i] != '\0' && data[i + 1] == '\0';
    }
    if (length < 4 || big == little)
        return NULL;
    return big ? "UTF-16BE" : "UTF-16LE";
}

/* Tells whether a byte is one of text in Windows-1252: neither a control character, nor one of the five that are not
 * assigned, nor FF, which is hardly ever the letter that it could be. */
static bool is_1252(char byte)
{
    unsigned char c = (unsigned char)byte;
    if (c < 0x20)
        return memchr("\t\n\v\f\r", c, 5) != NULL;
    return memchr("\x7F\x81\x8D\x8F\x90\x9D\xFF", c, 7) == NULL;
}

/* Tells Windows-1252, and so Latin-1: there are letters beyond ASCII, and none is UTF-8. */
static bool by_letters(const char *data, size_t length)
{
    bool any = false;
    for (size_t i = 0; i < length; i++) {
        bool letter = (data[i] & 0x80) != 0;
        if (!is_1252(data[i]) || (letter && cli_utf8_length(data + i, length - i) > 0))
            return false;
        any |= letter && length - i > 4; /* else it may be UTF-8 that is cut */
    }
    return any;
}

const char *cli_encoding_shown(const char *data, size_t length, bool letters)
{
    static const struct {
        const char *mark;
        size_t length;
        const char *encoding;
    } marks[] = {{"\xFF\xFE\0", 4, "UTF-32LE"},
                 {"\0\0\xFE\xFF", 4, "UTF-32BE"},
                 {"\xFF\xFE", 2, "UTF-16LE"},
                 {"\xFE\xFF", 2, "UTF-16BE"}};
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (length >= marks[i].length && memcmp(data, marks[i].mark, marks[i].length) == 0)
            return marks[i].encoding;
    const char *encoding = by_nul_bytes(data, length);
    if (encoding == NULL && letters && by_letters(data, length))
        encoding = "Windows-1252";
    return encoding;
}
