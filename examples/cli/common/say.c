/* SPDX-License-Identifier: MIT
 * say.c - messages on standard error, each a line.
 */
#include "common/say.h"

#include "common/text.h"

#include <stdio.h>
#include <string.h>

void cli_terminal_clear(cli_terminal *terminal)
{
    if (terminal->progress)
        fputs("\r\033[K", stderr);
    terminal->progress = false;
}

const char *cli_shown_name(const char *file)
{
    return strcmp(file, "-") == 0 ? "standard input" : file;
}

void cli_say(cli_terminal *terminal, const char *file, uint64_t line, const char *text, const char *detail)
{
    cli_buffer b = {0};
    const char *name = cli_shown_name(file);
    cli_terminal_clear(terminal);
    cli_add_printable(&b, name, strlen(name));
    if (line > 0) {
        cli_buffer_char(&b, ':');
        cli_buffer_uint(&b, line);
    }
    cli_buffer_text(&b, ": ");
    cli_add_printable(&b, text, strlen(text));
    if (detail != NULL) {
        cli_buffer_text(&b, ": ");
        cli_add_printable(&b, detail, strlen(detail));
    }
    cli_buffer_char(&b, '\n');
    fwrite(b.data, 1, b.length, stderr);
    cli_buffer_free(&b);
}
