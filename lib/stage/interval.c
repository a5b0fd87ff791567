/* SPDX-License-Identifier: MIT */
#include "stage/interval.h"

#include "base/logarithm.h"
#include "window/window.h"

#include <math.h>
#include <string.h>

#define EVENTS   64u /* a power of two */
#define QUARTERS 8u  /* a power of two */
#define NEVER    INT64_MIN
#define CERTAIN  2.0 /* so many times the median is waited for at least */

struct an_arrivals {
    int64_t times[EVENTS]; /* event i in slot i % EVENTS */
    uint64_t head;         /* events ever; of one time in a row: one */
    int64_t newest_ns;     /* of these times */
    int64_t quarter;       /* the newest, counted from time 0 */
    int64_t longest[QUARTERS][2];
};

/* ---- memory ---- */

size_t an_interval_bytes(void)
{
    return sizeof(an_arrivals);
}

int an_interval_create(an_interval *interval, const an_interval_options *options, const anomaly_allocator *allocator)
{
    an_arrivals *arrivals = an_alloc(allocator, 1, sizeof *arrivals);
    if (!arrivals)
        return ANOMALY_E_NOMEM;
    interval->options = *options;
    interval->arrivals = arrivals;
    an_interval_reset(interval);
    return ANOMALY_OK;
}

void an_interval_free(an_interval *interval, const anomaly_allocator *allocator)
{
    an_free(allocator, interval->arrivals, 1, sizeof *interval->arrivals);
    interval->arrivals = NULL;
}

void an_interval_reset(an_interval *interval)
{
    memset(interval->arrivals, 0, sizeof *interval->arrivals);
    interval->arrivals->newest_ns = NEVER;
    interval->arrivals->quarter = NEVER;
}

/* ---- what is kept ---- */

static int64_t bounded_ns(uint64_t ns)
{
    return ns < INT64_MAX ? (int64_t)ns : INT64_MAX;
}

static uint64_t events_kept(const an_arrivals *arrivals)
{
    return arrivals->head < EVENTS ? arrivals->head : EVENTS;
}

static int64_t *quarter_of(an_arrivals *arrivals, int64_t number)
{
    return arrivals->longest[(uint64_t)number % QUARTERS];
}

/* Goes to a quarter, those on the way being empty. Before all that are kept lies only what follows on a time that
 * was far ahead and is forgotten: then all begins anew. */
static void move_quarters(an_arrivals *arrivals, int64_t number)
{
    int back = number < arrivals->quarter;
    uint64_t steps = back ? an_elapsed_ns(arrivals->quarter, number) : an_elapsed_ns(number, arrivals->quarter);
    if (steps >= QUARTERS)
        memset(arrivals->longest, 0, sizeof arrivals->longest);
    else
        for (uint64_t i = 0; !back && i < steps; i++)
            memset(quarter_of(arrivals, number - (int64_t)i), 0, sizeof arrivals->longest[0]);
    if (!back || steps >= QUARTERS)
        arrivals->quarter = number;
}

static void keep_longest(int64_t longest[2], int64_t gap)
{
    if (gap > longest[0]) {
        longest[1] = longest[0];
        longest[0] = gap;
    } else if (gap > longest[1]) {
        longest[1] = gap;
    }
}

static void note_gap(an_interval *interval, int64_t t_ns)
{
    an_arrivals *arrivals = interval->arrivals;
    int64_t length = interval->options.period_ns / 4 + 1, number = t_ns / length - (t_ns % length < 0);
    move_quarters(arrivals, number);
    keep_longest(quarter_of(arrivals, number), bounded_ns(an_elapsed_ns(t_ns, arrivals->newest_ns)));
}

static int64_t newest_of(const an_arrivals *arrivals)
{
    int64_t newest = NEVER;
    for (uint64_t i = 0; i < events_kept(arrivals); i++)
        newest = arrivals->times[i] > newest ? arrivals->times[i] : newest;
    return newest;
}

void an_interval_learn(an_interval *interval, int64_t t_ns)
{
    an_arrivals *arrivals = interval->arrivals;
    int64_t *slot = &arrivals->times[arrivals->head % EVENTS], newest = arrivals->newest_ns, left = *slot;
    if (t_ns == newest)
        return;
    if (interval->options.period_ns && arrivals->head && t_ns > newest)
        note_gap(interval, t_ns);
    *slot = t_ns;
    arrivals->head++;
    if (t_ns > newest)
        arrivals->newest_ns = t_ns;
    else if (arrivals->head > EVENTS && left == newest)
        arrivals->newest_ns = newest_of(arrivals);
}

/* ---- what is made of it ---- */

/* The gaps until a time, which are at most EVENTS - 1. */
typedef struct gaps {
    int64_t first_ns, last_ns; /* the events at the ends */
    uint32_t count;
    double gap[EVENTS]; /* the shortest first */
} gaps;

static void insert_time(int64_t *times, uint32_t count, int64_t t_ns)
{
    uint32_t at = count;
    for (; at > 0 && times[at - 1] > t_ns; at--)
        times[at] = times[at - 1];
    times[at] = t_ns;
}

static void insert_gap(gaps *g, double gap)
{
    uint32_t at = g->count++;
    for (; at > 0 && g->gap[at - 1] > gap; at--)
        g->gap[at] = g->gap[at - 1];
    g->gap[at] = gap;
}

/* Events come nearly in order, so that little is moved. */
static gaps gaps_until(const an_arrivals *arrivals, int64_t now_ns)
{
    int64_t times[EVENTS];
    uint32_t count = 0;
    gaps g = {NEVER, NEVER, 0, {0}};
    for (uint64_t i = arrivals->head - events_kept(arrivals); i < arrivals->head; i++)
        if (arrivals->times[i % EVENTS] <= now_ns)
            insert_time(times, count++, arrivals->times[i % EVENTS]);
    for (uint32_t i = 1; i < count; i++)
        if (times[i] > times[i - 1])
            insert_gap(&g, (double)an_elapsed_ns(times[i], times[i - 1]));
    if (count) {
        g.first_ns = times[0];
        g.last_ns = times[count - 1];
    }
    return g;
}

static double median_gap(const gaps *g)
{
    return g->gap[(g->count - 1) / 2];
}

static double longest_but_one(const gaps *g)
{
    return g->gap[g->count - 2];
}

/* The limit with that chance; see interval.h. */
static double limit_by_chance(const gaps *g, double chance)
{
    uint32_t longer = g->count / 2, first = g->count - longer;
    double median = median_gap(g), share = (longer + 1.0) / (g->count + 1.0), total = longest_but_one(g) - median;
    for (uint32_t i = first; i + 1 < g->count; i++)
        total += g->gap[i] - median;
    return chance < share ? median + total * an_expm1(an_log(share / chance) / (longer - 1.0)) : median;
}

static double longer_of(double a, double b)
{
    return a > b ? a : b;
}

static double longest_in_quarters(const an_arrivals *arrivals)
{
    int64_t longest[2] = {0, 0};
    for (uint32_t i = 0; i < QUARTERS; i++) {
        keep_longest(longest, arrivals->longest[i][0]);
        keep_longest(longest, arrivals->longest[i][1]);
    }
    return (double)longest[1];
}

static double limit_of(const an_interval *interval, const gaps *g)
{
    const an_interval_options *options = &interval->options;
    if (!options->period_ns)
        return options->factor * longest_but_one(g);
    double mean = (double)an_elapsed_ns(g->last_ns, g->first_ns) / g->count;
    double limit = limit_by_chance(g, mean / (double)options->period_ns);
    limit = longer_of(limit, CERTAIN * median_gap(g));
    limit = longer_of(limit, longest_but_one(g));
    return longer_of(limit, longest_in_quarters(interval->arrivals));
}

/* Times beyond the end of int64_t are at the end. */
static int64_t later(int64_t t_ns, double wait)
{
    uint64_t room = an_elapsed_ns(INT64_MAX, t_ns);
    return wait < (double)room && wait < 0x1p63 ? (int64_t)((uint64_t)t_ns + (uint64_t)wait) : INT64_MAX;
}

int an_interval_at(const an_interval *interval, int64_t now_ns, anomaly_silence *silence)
{
    gaps g = gaps_until(interval->arrivals, now_ns);
    if (g.count < AN_INTERVAL_LEAST)
        return ANOMALY_E_EMPTY;
    int64_t due_ns = later(g.last_ns, limit_of(interval, &g));
    silence->last_ns = g.last_ns;
    silence->usual_ns = bounded_ns((uint64_t)median_gap(&g));
    silence->due_ns = due_ns;
    silence->overdue_ns = now_ns > due_ns ? bounded_ns(an_elapsed_ns(now_ns, due_ns)) : 0;
    return ANOMALY_OK;
}

int an_interval_is_overdue(const an_interval *interval, int64_t now_ns)
{
    const an_arrivals *arrivals = interval->arrivals;
    anomaly_silence silence;
    if (arrivals->newest_ns <= now_ns && (double)an_elapsed_ns(now_ns, arrivals->newest_ns) < longest_in_quarters(arrivals))
        return 0;
    return an_interval_at(interval, now_ns, &silence) == ANOMALY_OK && silence.overdue_ns > 0;
}

/* ---- snapshots ---- */

void an_interval_save(const an_interval *interval, an_writer *writer)
{
    const an_arrivals *arrivals = interval->arrivals;
    an_write_u8(writer, (uint8_t)events_kept(arrivals));
    for (uint64_t i = arrivals->head - events_kept(arrivals); i < arrivals->head; i++)
        an_write_i64(writer, arrivals->times[i % EVENTS]);
    if (!interval->options.period_ns)
        return;
    an_write_i64(writer, arrivals->quarter);
    for (uint32_t i = 0; i < QUARTERS; i++) {
        an_write_varint(writer, (uint64_t)arrivals->longest[i][0]);
        an_write_varint(writer, (uint64_t)arrivals->longest[i][1]);
    }
}

static void restore_quarters(an_arrivals *arrivals, an_reader *reader)
{
    arrivals->quarter = an_read_i64(reader);
    for (uint32_t i = 0; i < QUARTERS; i++) {
        arrivals->longest[i][0] = (int64_t)an_read_varint_to(reader, INT64_MAX);
        arrivals->longest[i][1] = (int64_t)an_read_varint_to(reader, (uint64_t)arrivals->longest[i][0]);
    }
}

void an_interval_restore(an_interval *interval, an_reader *reader)
{
    an_arrivals *arrivals = interval->arrivals;
    uint8_t count = an_read_u8(reader);
    reader->bad |= count > EVENTS;
    for (uint8_t i = 0; !reader->bad && i < count; i++) {
        arrivals->times[i] = an_read_i64(reader);
        reader->bad |= arrivals->times[i] == ANOMALY_NO_TIME;
    }
    arrivals->head = reader->bad ? 0 : count;
    arrivals->newest_ns = newest_of(arrivals);
    if (interval->options.period_ns)
        restore_quarters(arrivals, reader);
}
