/* SPDX-License-Identifier: MIT
 * text.c - growing byte buffers, and text made safe to show or to put into JSON.
 */
#include "common/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *out_of_memory(void)
{
    fputs("anomaly: out of memory\n", stderr);
    exit(1);
}

void *cli_resize(void *memory, size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / size)
        return out_of_memory();
    size_t bytes = count * size;
    void *result = realloc(memory, bytes != 0 ? bytes : 1);
    return result != NULL ? result : out_of_memory();
}

char *cli_copy(const char *text, size_t length)
{
    char *copy = cli_resize(NULL, length + 1, 1);
    memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

char *cli_buffer_room(cli_buffer *buffer, size_t more)
{
    if (buffer->capacity - buffer->length < more) {
        if (more > SIZE_MAX / 2 - buffer->length)
            return out_of_memory();
        size_t wanted = buffer->length + more;
        size_t capacity = buffer->capacity < 256 ? 256 : buffer->capacity;
        while (capacity < wanted)
            capacity *= 2;
        buffer->data = cli_resize(buffer->data, capacity, 1);
        buffer->capacity = capacity;
    }
    return buffer->data + buffer->length;
}

void cli_buffer_add(cli_buffer *buffer, const char *text, size_t length)
{
    if (length == 0)
        return;
    memcpy(cli_buffer_room(buffer, length), text, length);
    buffer->length += length;
}

void cli_buffer_text(cli_buffer *buffer, const char *text)
{
    cli_buffer_add(buffer, text, strlen(text));
}

void cli_buffer_char(cli_buffer *buffer, char c)
{
    *cli_buffer_room(buffer, 1) = c;
    buffer->length++;
}

void cli_buffer_uint(cli_buffer *buffer, uint64_t number)
{
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    cli_buffer_add(buffer, digits + at, sizeof digits - at);
}

void cli_buffer_free(cli_buffer *buffer)
{
    free(buffer->data);
    *buffer = (cli_buffer){0};
}

/* Continuation bytes and the least code point for each length, so that overlong forms are refused. */
static size_t decode(const unsigned char *s, size_t length, size_t want, uint32_t code)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (length < want)
        return 0;
    for (size_t i = 1; i < want; i++) {
        if ((s[i] & 0xC0) != 0x80)
            return 0;
        code = code << 6 | (s[i] & 0x3FU);
    }
    bool surrogate = code >= 0xD800 && code <= 0xDFFF;
    return code < least[want] || code > 0x10FFFF || surrogate ? 0 : want;
}

size_t cli_utf8_length(const char *text, size_t length)
{
    const unsigned char *s = (const unsigned char *)text;
    if (s[0] < 0x80)
        return 1;
    if (s[0] >= 0xC2 && s[0] <= 0xDF)
        return decode(s, length, 2, s[0] & 0x1FU);
    if ((s[0] & 0xF0) == 0xE0)
        return decode(s, length, 3, s[0] & 0x0FU);
    if (s[0] >= 0xF0 && s[0] <= 0xF4)
        return decode(s, length, 4, s[0] & 0x07U);
    return 0;
}

bool cli_utf8_valid(const char *text, size_t length)
{
    for (size_t i = 0, n; i < length; i += n)
        if ((n = cli_utf8_length(text + i, length - i)) == 0)
            return false;
    return true;
}

size_t cli_utf8_cut(const char *text, size_t length, size_t most)
{
    size_t cut = length <= most ? length : most;
    while (cut < length && cut > 0 && ((unsigned char)text[cut] & 0xC0) == 0x80)
        cut--;
    return cut;
}

static void add_json_escape(cli_buffer *buffer, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";
    char text[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
    static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
    const char *known = c != '\0' ? strchr(from, c) : NULL;
    if (known == NULL) {
        cli_buffer_add(buffer, text, sizeof text);
        return;
    }
    cli_buffer_char(buffer, '\\');
    cli_buffer_char(buffer, to[known - from]);
}

void cli_add_json_string(cli_buffer *buffer, const char *text, size_t length)
{
    cli_buffer_char(buffer, '"');
    for (size_t i = 0, n; i < length; i += n) {
        unsigned char c = (unsigned char)text[i];
        n = cli_utf8_length(text + i, length - i);
        if (n == 0) {
            cli_buffer_text(buffer, "\xEF\xBF\xBD");
            n = 1;
        } else if (c < 0x20 || c == '"' || c == '\\') {
            add_json_escape(buffer, c);
        } else {
            cli_buffer_add(buffer, text + i, n);
        }
    }
    cli_buffer_char(buffer, '"');
}

/* C0, DEL and the two-byte C1 controls can drive a terminal; so can the marks that turn the writing direction. */
static bool is_control(const char *text, size_t n)
{
    const unsigned char *s = (const unsigned char *)text;
    if (n == 1)
        return s[0] < 0x20 || s[0] == 0x7F;
    if (n == 2)
        return s[0] == 0xC2 && s[1] < 0xA0;
    bool direction =
        n == 3 && s[0] == 0xE2 && s[1] == 0x80 && ((s[2] >= 0xA8 && s[2] <= 0xAE) || s[2] == 0x8E || s[2] == 0x8F);
    bool isolate = n == 3 && s[0] == 0xE2 && s[1] == 0x81 && s[2] >= 0xA6 && s[2] <= 0xA9;
    return direction || isolate;
}

void cli_add_printable(cli_buffer *buffer, const char *text, size_t length)
{
    static const char hex[] = "0123456789abcdef";
    for (size_t i = 0, n; i < length; i += n) {
        n = cli_utf8_length(text + i, length - i);
        if (n != 0 && !is_control(text + i, n)) {
            cli_buffer_add(buffer, text + i, n);
            continue;
        }
        n = n == 0 ? 1 : n;
        for (size_t k = 0; k < n; k++) {
            unsigned char c = (unsigned char)text[i + k];
            char escape[4] = {'\\', 'x', hex[c >> 4], hex[c & 15]};
            cli_buffer_add(buffer, escape, sizeof escape);
        }
    }
}

void cli_add_name(cli_buffer *buffer, const char *name)
{
    enum { MOST = 40 };
    size_t length = strlen(name), cut = cli_utf8_cut(name, length, MOST);
    cli_add_printable(buffer, name, cut);
    cli_buffer_text(buffer, length == 0 ? "\"\"" : cut < length ? "..." : "");
}

void cli_add_word(cli_buffer *buffer, const char *word)
{
    bool plain = strpbrk(word, " \t\r\n\"'`$&|;<>()*?[#~!{\\") == NULL;
    cli_buffer_text(buffer, plain ? "" : "'");
    for (; *word != '\0'; word++)
        if (*word == '\'')
            cli_buffer_text(buffer, "'\\''");
        else
            cli_buffer_char(buffer, *word);
    cli_buffer_text(buffer, plain ? "" : "'");
}

size_t cli_text_width(const char *text, size_t length)
{
    size_t width = 0;
    for (size_t i = 0; i < length; i++)
        width += ((unsigned char)text[i] & 0xC0) != 0x80;
    return width;
}
