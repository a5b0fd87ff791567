/* SPDX-License-Identifier: MIT
 * collect.c - how an option of the command line is described and taken.
 */
#include "options/collect.h"

#include "common/nearest.h"
#include "common/text.h"
#include "options/amounts.h"

#include <stdio.h>
#include <string.h>

void cli_complain(cli_collector *c, const char *what, const char *text, const char *why)
{
    cli_buffer shown = {0};
    cli_add_printable(&shown, text, strlen(text));
    cli_buffer_char(&shown, '\0');
    fprintf(stderr, "anomaly: %s \"%s\": %s\n", what, shown.data, why);
    cli_buffer_free(&shown);
    c->ok = false;
}

static void complain_of_option(cli_collector *c, const cli_option *option, const char *text, const char *why)
{
    cli_buffer name = {0};
    cli_buffer_text(&name, "--");
    cli_buffer_text(&name, option->name);
    cli_buffer_char(&name, '\0');
    cli_complain(c, name.data, text, why);
    cli_buffer_free(&name);
}

void cli_refuse(cli_collector *c, bool is_so, const char *what, const char *text, const char *why)
{
    if (is_so)
        cli_complain(c, what, text, why);
}

void cli_complain_of_value(cli_collector *c, const cli_option *self, const char *text)
{
    complain_of_option(c, self, text, self->why);
}

int cli_choose(cli_collector *c, const cli_option *self, const cli_choice *choices, const char *text)
{
    cli_buffer words = {0};
    cli_nearest nearest = {.word = text};
    for (const cli_choice *choice = choices; choice->word != NULL; choice++) {
        if (strcmp(choice->word, text) == 0) {
            cli_buffer_free(&words);
            return choice->value;
        }
        cli_nearest_offer(&nearest, choice->word);
        cli_buffer_text(&words, choice == choices ? "must be one of " : ", ");
        cli_buffer_text(&words, choice->word);
    }
    cli_nearest_add(&words, &nearest);
    cli_buffer_char(&words, '\0');
    complain_of_option(c, self, text, words.data);
    cli_buffer_free(&words);
    return 0;
}

/* ---- takers ---- */

static void *member(const cli_collector *c, const cli_option *self)
{
    return (char *)c->options + self->member;
}

void cli_take_text(cli_collector *c, const cli_option *self, char *text)
{
    *(const char **)member(c, self) = text;
}

void cli_take_switch(cli_collector *c, const cli_option *self, char *text)
{
    (void)text;
    *(bool *)member(c, self) = true;
}

void cli_take_names(cli_collector *c, const cli_option *self, char *text)
{
    if (!cli_list_split(member(c, self), text))
        complain_of_option(c, self, text, "a name that begins with a double quote ends with one, before a comma or the end");
}

void cli_take_count(cli_collector *c, const cli_option *self, char *text)
{
    if (!cli_parse_count(text, member(c, self)))
        cli_complain_of_value(c, self, text);
}

void cli_take_span(cli_collector *c, const cli_option *self, char *text)
{
    if (!cli_parse_span(text, member(c, self)))
        cli_complain_of_value(c, self, text);
}

void cli_take_span_or_0(cli_collector *c, const cli_option *self, char *text)
{
    if (strcmp(text, "0") == 0)
        *(int64_t *)member(c, self) = 0;
    else
        cli_take_span(c, self, text);
}

/* Every enum of cli_options is as an int in memory. */
void cli_take_choice(cli_collector *c, const cli_option *self, char *text)
{
    *(int *)member(c, self) = cli_choose(c, self, self->choices, text);
}
