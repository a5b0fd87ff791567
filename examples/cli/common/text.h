/* SPDX-License-Identifier: MIT
 * text.h - growing byte buffers, and text made safe to show or to put into JSON.
 */
#ifndef CLI_TEXT_H
#define CLI_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Bytes that grow as needed; all zero is an empty one. */
typedef struct cli_buffer {
    char *data;
    size_t length;
    size_t capacity;
} cli_buffer;

/** realloc for `count` things of `size` bytes that never fails: without memory the program ends. */
void *cli_resize(void *memory, size_t count, size_t size);

/** A copy of `length` bytes with a final NUL. */
char *cli_copy(const char *text, size_t length);

/** Makes room for `more` bytes behind the present ones and answers where they begin. */
char *cli_buffer_room(cli_buffer *buffer, size_t more);
void cli_buffer_add(cli_buffer *buffer, const char *text, size_t length);
void cli_buffer_text(cli_buffer *buffer, const char *text);
void cli_buffer_char(cli_buffer *buffer, char c);
void cli_buffer_uint(cli_buffer *buffer, uint64_t number);
void cli_buffer_free(cli_buffer *buffer);

/** A blank or the end of a line. */
static inline bool cli_is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/** Length of the valid UTF-8 sequence at `text`, 0 if there is none. `length` > 0. */
size_t cli_utf8_length(const char *text, size_t length);
bool cli_utf8_valid(const char *text, size_t length);

/** How many of the first `most` bytes can be shown without cutting a code point. */
size_t cli_utf8_cut(const char *text, size_t length, size_t most);

/** Appends a JSON string, quotes included; bytes that are no UTF-8 become U+FFFD. */
void cli_add_json_string(cli_buffer *buffer, const char *text, size_t length);

/** Appends text for a terminal: control characters and bytes that are no UTF-8 become \xNN. */
void cli_add_printable(cli_buffer *buffer, const char *text, size_t length);

/** The same for the name of a column: cut where it is long, "" where it is empty. */
void cli_add_name(cli_buffer *buffer, const char *name);

/** Appends a word as a shell takes it for one. */
void cli_add_word(cli_buffer *buffer, const char *word);

/** Terminal columns of UTF-8 text, one for each code point. */
size_t cli_text_width(const char *text, size_t length);

#endif
