/* SPDX-License-Identifier: MIT
 * found.c - what a run has told, noted for the summary.
 */
#include "judge/found.h"

#include "judge/keys.h"
#include "write/sentence.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A quotient or product of two exact numbers is rounded as the text with the same value is when it is read. */
double cli_found_edge(size_t index)
{
    static const double powers[] = {1e4, 1e3, 1e2, 10, 1, 10, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7};
    size_t decade = index / CLI_STEPS;
    double digits = (double)(10 + index % CLI_STEPS);
    return decade < 4 ? digits / powers[decade] : digits * powers[decade];
}

/* How many edges a score reaches. */
static size_t edges_reached(double score)
{
    size_t low = 0, high = CLI_EDGES;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (score >= cli_found_edge(middle))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void count_key(cli_found *f, const cli_record *record)
{
    size_t number = cli_key_index_get(&f->keys, record->key, record->key_length, CLI_NOTED);
    if (number == SIZE_MAX)
        return;
    if (number >= f->capacity) {
        size_t before = f->capacity;
        f->capacity = before == 0 ? 16 : 2 * before;
        f->counts = cli_resize(f->counts, f->capacity, sizeof *f->counts);
        memset(f->counts + before, 0, (f->capacity - before) * sizeof *f->counts);
    }
    f->counts[number]++;
}

static void note_strongest(cli_strongest *s, const anomaly_config *config, const cli_record *record)
{
    double score = record->verdict.score;
    if (s->any && !(score > s->score))
        return;
    s->any = true;
    s->score = score;
    s->time = record->time;
    s->sentence.length = 0;
    cli_add_sentence(&s->sentence, config, record);
}

void cli_found_hold(cli_found *f, const anomaly_config *config, const cli_record *record)
{
    const uint32_t reasons = ANOMALY_HELD | ANOMALY_UNCONFIRMED | ANOMALY_SMALL_CHANGE;
    if ((record->verdict.flags & reasons) == ANOMALY_HELD)
        note_strongest(&f->held, config, record);
}

void cli_found_note(cli_found *f, const anomaly_config *config, const cli_record *record)
{
    double score = record->verdict.score;
    size_t reached = edges_reached(score);
    if (reached > 0)
        f->reached[reached - 1]++;
    else
        f->reached_none++;
    f->told++;
    note_strongest(&f->strongest, config, record);
    count_key(f, record);
}

bool cli_found_threshold(const cli_found *f, double least, uint64_t most, double *edge, uint64_t *count)
{
    uint64_t above = 0;
    size_t i = CLI_EDGES;
    while (i > 0 && above + f->reached[i - 1] <= most && cli_found_edge(i - 1) > least)
        above += f->reached[--i];
    if (above == 0)
        return false;
    *edge = cli_found_edge(i);
    *count = above;
    return true;
}

void cli_found_free(cli_found *f)
{
    cli_key_index_free(&f->keys);
    free(f->counts);
    cli_buffer_free(&f->strongest.sentence);
    cli_buffer_free(&f->held.sentence);
    *f = (cli_found){0};
}
