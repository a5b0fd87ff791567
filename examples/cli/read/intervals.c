/* SPDX-License-Identifier: MIT
 * intervals.c - requests counted by intervals of time, and within these by groups.
 */
#include "read/intervals.h"

#include "anomaly.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LEAST = 16 };

static void forget_groups(cli_interval *v)
{
    for (size_t i = 0; i < v->count; i++)
        free(v->sums[i].group);
    v->count = 0;
    if (v->table_size > 0)
        memset(v->table, 0, v->table_size * sizeof *v->table);
}

void cli_interval_open(cli_interval *v, int64_t begin_ns, int64_t covered_ns, uint64_t line)
{
    forget_groups(v);
    v->open = true;
    v->begin_ns = begin_ns;
    v->covered_ns = covered_ns;
    v->line = line;
}

void cli_interval_free(cli_interval *v)
{
    forget_groups(v);
    free(v->sums);
    free(v->table);
    *v = (cli_interval){.open = false};
}

/* Finds the place in the table of a group, or the free one where it would be. */
static size_t *find_place(const cli_interval *v, const char *group, size_t length)
{
    size_t i = (size_t)anomaly_key_hash(group, length) & (v->table_size - 1);
    for (; v->table[i] != 0; i = (i + 1) & (v->table_size - 1)) {
        const cli_sums *s = &v->sums[v->table[i] - 1];
        if (s->group_length == length && memcmp(s->group, group, length) == 0)
            break;
    }
    return &v->table[i];
}

static void grow(cli_interval *v)
{
    v->table_size = v->table_size > 0 ? 2 * v->table_size : LEAST;
    v->table = cli_resize(v->table, v->table_size, sizeof *v->table);
    v->sums = cli_resize(v->sums, v->table_size / 2, sizeof *v->sums);
    memset(v->table, 0, v->table_size * sizeof *v->table);
    for (size_t i = 0; i < v->count; i++)
        *find_place(v, v->sums[i].group, v->sums[i].group_length) = i + 1;
}

/* Finds the sums of a group, NULL if that would be one of more than `most` groups. */
static cli_sums *find_sums(cli_interval *v, const char *group, size_t length, size_t most)
{
    if (2 * v->count >= v->table_size)
        grow(v);
    size_t *place = find_place(v, group, length);
    if (*place == 0 && v->count >= most)
        return NULL;
    if (*place == 0) {
        v->sums[v->count] = (cli_sums){.group = cli_copy(group, length), .group_length = length};
        *place = ++v->count;
    }
    return &v->sums[*place - 1];
}

bool cli_interval_count(cli_interval *v, const cli_request *r)
{
    static const char others[] = "(others)";
    cli_sums *s = find_sums(v, r->group.text, r->group.length, CLI_GROUPS);
    bool room = s != NULL;
    if (!room)
        s = find_sums(v, others, sizeof others - 1, SIZE_MAX);
    s->requests++;
    s->client_errors += r->status >= 400 && r->status < 500 ? 1 : 0;
    s->server_errors += r->status >= 500 && r->status < 600 ? 1 : 0;
    s->sized += isnan(r->bytes) ? 0 : 1;
    s->bytes += isnan(r->bytes) ? 0 : r->bytes;
    s->timed += isnan(r->seconds) ? 0 : 1;
    s->seconds += isnan(r->seconds) ? 0 : r->seconds;
    return room;
}
