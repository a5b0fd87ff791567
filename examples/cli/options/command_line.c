/* SPDX-License-Identifier: MIT
 * command_line.c - the options of all subjects, read by getopt.
 */
#include "options/command_line.h"

#include "common/nearest.h"
#include "common/text.h"
#include "options/help.h"
#include "options/subjects.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what is asked for in the place of a run ---- */

static void print_version(void)
{
    int v = anomaly_version();
    printf("anomaly %d.%d.%d\n", v / 10000, v / 100 % 100, v % 100);
}

static void take_question(cli_collector *c, const cli_option *self, char *text)
{
    (void)text;
    if (*self->name == 'h')
        cli_print_help();
    else if (*self->name == 'v')
        print_version();
    else
        cli_print_options();
    c->status = CLI_EXIT_OK;
    if (fflush(stdout) == 0 && !ferror(stdout))
        return;
    fprintf(stderr, "anomaly: standard output: %s\n", strerror(errno));
    c->status = CLI_EXIT_INPUT;
}

static const cli_option questions[] = {
    {.name = "options", .alone = true, .take = take_question},
    {.name = "version", .alone = true, .take = take_question},
    {.name = "help", .letter = 'h', .alone = true, .take = take_question},
    {.name = NULL},
};
static const cli_subject of_questions = {questions, NULL, NULL};

/* In the order in which they settle and are checked. */
static const cli_subject *const subjects[] = {&cli_of_detection, &cli_of_input, &cli_of_keeping,
                                              &cli_of_output,    &cli_of_known, &of_questions};

enum { SUBJECTS = sizeof subjects / sizeof *subjects };

/* ---- getopt ---- */

enum { FIRST_LONG = 256 }; /* getopt answers this and the option's place for a long name, a letter for a letter */

/* The options of all subjects, and the same for getopt. */
typedef struct known {
    const cli_option **options;
    struct option *names;
    cli_buffer letters;
    size_t count;
} known;

static void add(known *all, const cli_option *option)
{
    size_t at = all->count++;
    all->options = cli_resize(all->options, all->count, sizeof *all->options);
    all->names = cli_resize(all->names, all->count + 1, sizeof *all->names);
    all->options[at] = option;
    all->names[at] = (struct option){
        .name = option->name, .has_arg = option->alone ? no_argument : required_argument, .val = FIRST_LONG + (int)at};
    all->names[all->count] = (struct option){.name = NULL};
    if (option->letter == 0)
        return;
    cli_buffer_char(&all->letters, (char)option->letter);
    if (!option->alone)
        cli_buffer_char(&all->letters, ':');
}

static void add_all(known *all)
{
    cli_buffer_char(&all->letters, ':'); /* so that getopt tells what has no value from what is unknown */
    for (size_t i = 0; i < SUBJECTS; i++)
        for (const cli_option *option = subjects[i]->options; option->name != NULL; option++)
            add(all, option);
    cli_buffer_char(&all->letters, '\0');
}

static void free_all(known *all)
{
    free(all->options);
    free(all->names);
    cli_buffer_free(&all->letters);
}

/* Finds the option that getopt speaks of, NULL: none. */
static const cli_option *find(const known *all, int value)
{
    for (size_t i = 0; i < all->count; i++)
        if (value == FIRST_LONG + (int)i || (value != 0 && value == all->options[i]->letter))
            return all->options[i];
    return NULL;
}

/* ---- unknown options: getopt's own messages suggest no nearest name ---- */

static void complain_of_option(cli_collector *c, const char *dashes, const char *name, const char *why)
{
    cli_buffer shown = {0};
    cli_buffer_text(&shown, dashes);
    cli_buffer_text(&shown, name);
    cli_buffer_char(&shown, '\0');
    cli_complain(c, "option", shown.data, why);
    cli_buffer_free(&shown);
}

/* Complains of a long option that is unknown, or short for several. */
static void complain_of_name(cli_collector *c, const known *all, const char *name)
{
    cli_buffer why = {0};
    cli_nearest nearest = {.word = name, .before = "--"};
    for (const struct option *o = all->names; o->name != NULL; o++) {
        cli_nearest_offer(&nearest, o->name);
        if (strncmp(o->name, name, strlen(name)) != 0)
            continue;
        cli_buffer_text(&why, why.length == 0 ? "is short for --" : " and --");
        cli_buffer_text(&why, o->name);
    }
    if (why.length == 0) {
        cli_buffer_text(&why, "is unknown");
        cli_nearest_add(&why, &nearest);
    }
    cli_buffer_char(&why, '\0');
    complain_of_option(c, "--", name, why.data);
    cli_buffer_free(&why);
}

/* Complains of the option that getopt refused; optopt is 0 for an unknown long name, else as getopt answers for it. */
static void complain_of_wrong(cli_collector *c, const known *all, const char *why, const char *argument)
{
    const char letter[] = {(char)optopt, '\0'};
    const cli_option *option = find(all, optopt);
    if (optopt == 0) {
        char *name = cli_copy(argument + 2, strcspn(argument + 2, "="));
        complain_of_name(c, all, name);
        free(name);
    } else if (option != NULL) {
        complain_of_option(c, "--", option->name, why);
    } else {
        complain_of_option(c, "-", letter, "is unknown");
    }
}

static void read_options(cli_collector *c, int argc, char **argv)
{
    known all = {0};
    int value;
    add_all(&all);
    opterr = 0;
    optind = 0; /* glibc: begin anew, so that this can be called more than once */
    while (c->status < 0 && (value = getopt_long(argc, argv, all.letters.data, all.names, NULL)) != -1) {
        const cli_option *option = find(&all, value);
        if (value == '?' || value == ':')
            complain_of_wrong(c, &all, value == ':' ? "needs a value" : "takes no value", argv[optind - 1]);
        else
            option->take(c, option, optarg);
    }
    free_all(&all);
}

/* ---- all ---- */

/* "anomaly ./suggest" reads a file of that name. */
static enum cli_command read_command(int *argc, char ***argv)
{
    const char *word = *argc > 1 ? (*argv)[1] : "";
    enum cli_command command = strcmp(word, "suggest") == 0    ? CLI_SUGGEST
                               : strcmp(word, "backtest") == 0 ? CLI_BACKTEST
                                                               : CLI_JUDGE;
    *argc -= command != CLI_JUDGE;
    *argv += command != CLI_JUDGE;
    return command;
}

static void check(cli_collector *c)
{
    for (size_t i = 0; i < SUBJECTS; i++)
        if (subjects[i]->settle != NULL)
            subjects[i]->settle(c);
    for (size_t i = 0; i < SUBJECTS; i++)
        if (subjects[i]->check != NULL)
            subjects[i]->check(c);
}

int cli_options_read(cli_options *options, int argc, char **argv)
{
    *options = (cli_options){.kind = ANOMALY_ZSCORE, .save_every = -1, .command = read_command(&argc, &argv)};
    options->arguments = argv + 1;
    options->argument_count = argc > 0 ? (size_t)argc - 1 : 0;
    cli_collector c = {.options = options, .ok = true, .status = -1};
    read_options(&c, argc, argv);
    if (c.status >= 0)
        return c.status;
    options->files = argv + optind;
    options->file_count = (size_t)(argc - optind);
    check(&c);
    if (c.ok)
        return -1;
    fputs("Try 'anomaly --help'.\n", stderr);
    return CLI_EXIT_USAGE;
}
