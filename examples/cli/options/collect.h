/* SPDX-License-Identifier: MIT
 * collect.h - how an option of the command line is described and taken. subjects.h has the options themselves.
 */
#ifndef CLI_COLLECT_H
#define CLI_COLLECT_H

#include "options/options.h"

#include <stdbool.h>
#include <stddef.h>

/** What is collected from the command line. */
typedef struct cli_collector {
    cli_options *options;
    bool ok;
    int status; /* to end with, since an option asked for a text in the place of a run; -1: none did */
    bool output_given, kind_given;
} cli_collector;

/** A word and what it stands for. */
typedef struct cli_choice {
    const char *word; /* NULL behind the last */
    int value;
} cli_choice;

typedef struct cli_option cli_option;

/** Takes the value of an option, which stays until the end of the run. */
typedef void cli_taker(cli_collector *c, const cli_option *self, char *text);

/** One option: its names, and how its value is taken. */
struct cli_option {
    const char *name; /* NULL behind the last */
    int letter;       /* 0: none */
    bool alone;       /* it has no value, the taker gets NULL */
    cli_taker *take;
    size_t member;             /* of cli_options, by offsetof: where the cli_take_... below put it */
    const char *why;           /* what a value must be that is refused */
    const cli_choice *choices; /* of cli_take_choice */
};

/** The options of one subject. */
typedef struct cli_subject {
    const cli_option *options;
    void (*settle)(cli_collector *c); /* what follows from several of them; NULL: nothing does */
    void (*check)(cli_collector *c);  /* what goes together, once all subjects have settled; NULL: everything */
} cli_subject;

/** Says that `what` cannot be `text`, and why. */
void cli_complain(cli_collector *c, const char *what, const char *text, const char *why);

/** Complains if something is so that must not be. */
void cli_refuse(cli_collector *c, bool is_so, const char *what, const char *text, const char *why);

/** Complains that the value of an option is not what it must be. */
void cli_complain_of_value(cli_collector *c, const cli_option *self, const char *text);

/** Finds what a word stands for; complains and answers 0 if it is none of the choices. */
int cli_choose(cli_collector *c, const cli_option *self, const cli_choice *choices, const char *text);

/* Takers: text as it is, true, a list of names, a whole number, a span of time, the same or 0, one of some words for
 * an enum. */
cli_taker cli_take_text, cli_take_switch, cli_take_names, cli_take_count, cli_take_span, cli_take_span_or_0, cli_take_choice;

#endif
