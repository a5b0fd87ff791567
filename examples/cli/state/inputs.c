/* SPDX-License-Identifier: MIT
 * inputs.c - the files that the state knows, and up to where they were read.
 */
#include "state/inputs.h"

#include "common/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static cli_input *by_inode(cli_state *s, uint64_t device, uint64_t inode)
{
    for (size_t i = s->input_count; i-- > 0;)
        if (s->inputs[i].mark.inode == inode && s->inputs[i].mark.device == device)
            return &s->inputs[i];
    return NULL;
}

static cli_input *by_path(cli_state *s, const char *path)
{
    for (size_t i = s->input_count; i-- > 0;)
        if (strcmp(s->inputs[i].path, path) == 0)
            return &s->inputs[i];
    return NULL;
}

const cli_input *cli_inputs_find(cli_state *s, const cli_source *source, cli_terminal *terminal, char **old)
{
    char lost[120];
    *old = NULL;
    const cli_input *known = by_inode(s, source->device, source->inode);
    if (known != NULL && cli_mark_fits(source, &known->mark))
        return known;
    if (known != NULL) {
        cli_say(terminal, source->name, 0, "it was cut or written anew since the last run: read from its start", NULL);
        return NULL;
    }
    known = by_path(s, source->name);
    if (known == NULL)
        return NULL;
    *old = cli_mark_find(source->name, &known->mark);
    snprintf(lost, sizeof lost, "it is another file now; the one before is gone, and with it what followed its line %llu",
             (unsigned long long)(known->at.line - 1));
    if (*old == NULL)
        cli_say(terminal, source->name, 0, lost, NULL);
    return NULL;
}

static void forget(cli_state *s, size_t i)
{
    cli_input_free(&s->inputs[i]);
    memmove(&s->inputs[i], &s->inputs[i + 1], (--s->input_count - i) * sizeof *s->inputs);
}

/* Entries under a path at which there is another file now: they go with their files, and end with them. */
static void make_way(cli_state *s, const char *path)
{
    for (size_t i = s->input_count; i-- > 0;) {
        cli_input *input = &s->inputs[i];
        if (strcmp(input->path, path) != 0 || cli_mark_is_at(path, &input->mark))
            continue;
        char *moved = cli_mark_find(path, &input->mark);
        if (moved == NULL) {
            forget(s, i);
            continue;
        }
        free(input->path);
        input->path = cli_copy(moved, strlen(moved));
        make_way(s, moved);
        i = s->input_count; /* there may be fewer now */
        free(moved);
    }
}

static size_t folder_length(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? (size_t)(slash - path) + 1 : 0;
}

static bool are_neighbours(const char *a, const char *b)
{
    size_t length = folder_length(a);
    return length == folder_length(b) && memcmp(a, b, length) == 0;
}

static bool is_gone(const cli_input *input)
{
    struct stat status;
    if (strcmp(input->path, "-") == 0 || stat(input->path, &status) == 0 || errno != ENOENT)
        return false;
    char *moved = cli_mark_find(input->path, &input->mark);
    free(moved);
    return moved == NULL;
}

/* A new file begins in the folder: what is neither there any more nor replaced is forgotten. A log that is rotated
 * under names of days would leave an entry behind each time. */
static void forget_gone(cli_state *s, const char *path)
{
    for (size_t i = s->input_count; i-- > 0;)
        if (are_neighbours(s->inputs[i].path, path) && is_gone(&s->inputs[i]))
            forget(s, i);
}

cli_input *cli_inputs_begin(cli_state *s, const cli_source *source, const char *path)
{
    cli_input *input = by_inode(s, source->device, source->inode);
    if (input == NULL) {
        make_way(s, path);
        forget_gone(s, path);
        s->inputs = cli_resize(s->inputs, s->input_count + 1, sizeof *s->inputs);
        input = &s->inputs[s->input_count++];
        *input = (cli_input){0};
    }
    if (!source->replay)
        cli_input_free(input);
    free(input->path);
    input->path = cli_copy(path, strlen(path));
    return input;
}
