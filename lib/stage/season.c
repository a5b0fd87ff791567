/* SPDX-License-Identifier: MIT */
#include "stage/season.h"

#include "base/stack.h"

#include <float.h>
#include <math.h>
#include <string.h>

#define LONG_PERIOD  (INT64_C(2) * 86400000000000)
#define NORMAL_RATIO 1.2533141373155001 /* sqrt(pi / 2): standard deviation over mean absolute deviation */
#define PRIOR_VALUES 8.0                /* the spread of all slots counts like so many values of a slot */
#define LEAST_OF_ALL 0.05               /* no slot's spread is less than this share of that of all */
#define NEAR_PERIODS 2                  /* so far ahead one event moves time, */
#define TO_GO_AHEAD  2                  /* further so many in a row, */
#define TO_GO_BACK   16                 /* and back so many */

#define FIRST_REMEMBERED (INT64_MIN / 2) /* far from the ends of int64_t, */
#define LAST_REMEMBERED  (INT64_MAX / 2) /* so that the ends of a slot are within */

/* ---- memory ---- */

static uint32_t slots_of(int64_t period_ns)
{
    return period_ns > LONG_PERIOD ? AN_SEASON_MANY : AN_SEASON_SLOTS;
}

static uint32_t cycles_of(const an_season_options *options)
{
    return options->period_ns[1] ? 2 : 1;
}

size_t an_season_bytes(const an_season_options *options)
{
    size_t bytes = 0;
    for (uint32_t c = 0; c < cycles_of(options); c++) {
        size_t slots = an_product(slots_of(options->period_ns[c]), sizeof(an_season_slot) + sizeof(double));
        bytes = an_sum(bytes, an_product(options->features,
                                         an_sum(slots, sizeof(an_season_visit) + 2 * sizeof(double) + sizeof(an_usual))));
    }
    return bytes;
}

uint64_t an_season_least_saved(const an_season_options *options)
{
    uint64_t slots = 0;
    for (uint32_t c = 0; c < cycles_of(options); c++)
        slots += slots_of(options->period_ns[c]);
    return slots * options->features;
}

/* The doubles of spread, all and known, which lie in one piece. */
static uint64_t spreads_of(const an_cycle *cycle, uint32_t features)
{
    return (uint64_t)features * (cycle->slots + 2);
}

static void free_cycle(an_cycle *cycle, uint32_t features, const anomaly_allocator *allocator)
{
    an_free(allocator, cycle->slot, (uint64_t)features * cycle->slots, sizeof *cycle->slot);
    an_free(allocator, cycle->visit, features, sizeof *cycle->visit);
    an_free(allocator, cycle->spread, spreads_of(cycle, features), sizeof *cycle->spread);
    an_free(allocator, cycle->usual, features, sizeof *cycle->usual);
}

static int create_cycle(an_cycle *cycle, int64_t period_ns, uint32_t features, const anomaly_allocator *allocator)
{
    *cycle = (an_cycle){.period_ns = period_ns, .slots = slots_of(period_ns)};
    cycle->slot = an_alloc(allocator, (uint64_t)features * cycle->slots, sizeof *cycle->slot);
    cycle->visit = an_alloc(allocator, features, sizeof *cycle->visit);
    cycle->spread = an_alloc(allocator, spreads_of(cycle, features), sizeof *cycle->spread);
    cycle->usual = an_alloc(allocator, features, sizeof *cycle->usual);
    if (cycle->slot && cycle->visit && cycle->spread && cycle->usual) {
        cycle->all = cycle->spread + (size_t)features * cycle->slots;
        cycle->known = cycle->all + features;
        return ANOMALY_OK;
    }
    free_cycle(cycle, features, allocator);
    return ANOMALY_E_NOMEM;
}

int an_season_create(an_season *season, const an_season_options *options, const anomaly_allocator *allocator)
{
    an_season created = {.options = *options};
    for (; created.cycles < cycles_of(options); created.cycles++)
        if (create_cycle(&created.cycle[created.cycles], options->period_ns[created.cycles], options->features, allocator)) {
            an_season_free(&created, allocator);
            return ANOMALY_E_NOMEM;
        }
    *season = created;
    an_season_reset(season);
    return ANOMALY_OK;
}

void an_season_free(an_season *season, const anomaly_allocator *allocator)
{
    for (uint32_t c = 0; c < season->cycles; c++)
        free_cycle(&season->cycle[c], season->options.features, allocator);
    season->cycles = 0;
}

void an_season_reset(an_season *season)
{
    for (uint32_t c = 0; c < season->cycles; c++) {
        an_cycle *cycle = &season->cycle[c];
        uint32_t features = season->options.features;
        cycle->started = 0;
        cycle->astray = 0;
        cycle->now = 0;
        cycle->from_ns = cycle->until_ns = 0;
        memset(cycle->slot, 0, (size_t)features * cycle->slots * sizeof *cycle->slot);
        memset(cycle->visit, 0, features * sizeof *cycle->visit);
        memset(cycle->spread, 0, (size_t)spreads_of(cycle, features) * sizeof *cycle->spread);
    }
}

/* ---- time ---- */

static int64_t floor_divide(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* Times beyond the ends of int64_t are at the ends. */
static int64_t local_time(const an_season *season, int64_t t_ns)
{
    int64_t offset = season->options.offset_ns;
    if (offset > 0)
        return t_ns > INT64_MAX - offset ? INT64_MAX : t_ns + offset;
    return t_ns < INT64_MIN - offset ? INT64_MIN : t_ns + offset;
}

/* How far into its period a time is. Times the slots it is less than 2^63: AN_SEASON_MOST. */
static int64_t within_period(const an_season *season, const an_cycle *cycle, int64_t t_ns)
{
    int64_t within = local_time(season, t_ns) % cycle->period_ns;
    return within < 0 ? within + cycle->period_ns : within;
}

/* The slot that a time falls into, counted on through all periods. */
static int64_t slot_number(const an_season *season, const an_cycle *cycle, int64_t t_ns)
{
    if (an_cycle_is_here(cycle, t_ns))
        return cycle->here;
    int64_t period = floor_divide(local_time(season, t_ns), cycle->period_ns);
    return period * cycle->slots + within_period(season, cycle, t_ns) * cycle->slots / cycle->period_ns;
}

static uint32_t within_cycle(const an_cycle *cycle, int64_t number)
{
    return (uint32_t)(number - floor_divide(number, cycle->slots) * cycle->slots);
}

/* Which of all slots of all features it is. */
static size_t slot_place_of(const an_cycle *cycle, uint32_t feature, int64_t number)
{
    int is_here = number == cycle->here && cycle->from_ns < cycle->until_ns;
    uint32_t within = is_here ? cycle->here_within : within_cycle(cycle, number);
    return (size_t)feature * cycle->slots + within;
}

/* Where slot b of the period begins: times t with t * slots / period >= b. */
static int64_t beginning_of(const an_cycle *cycle, int64_t b)
{
    return (b * cycle->period_ns + cycle->slots - 1) / cycle->slots;
}

/* ---- what is usual ---- */

static uint32_t visits_kept(const an_season_slot *slot)
{
    return slot->visits < AN_SEASON_VISITS ? (uint32_t)slot->visits : AN_SEASON_VISITS;
}

static double distance(double a, double b)
{
    double half = fabs(a * 0.5 - b * 0.5);
    return half < DBL_MAX / 2 ? 2 * half : DBL_MAX;
}

static double median(double *x, uint32_t n)
{
    for (uint32_t i = 1; i < n; i++)
        for (uint32_t j = i; j > 0 && x[j - 1] > x[j]; j--) {
            double swapped = x[j];
            x[j] = x[j - 1];
            x[j - 1] = swapped;
        }
    return n % 2 ? x[n / 2] : x[n / 2 - 1] * 0.5 + x[n / 2] * 0.5;
}

/* sqrt(a^2 + b^2) of numbers of any size. */
static double joined(double a, double b)
{
    double large = a > b ? a : b, share = large > 0 ? (a > b ? b : a) / large : 0.0;
    double root = sqrt(1 + share * share);
    return large < DBL_MAX / 2 ? large * root : DBL_MAX;
}

/* Sums up the visits kept: a value lies off the centre by its deviation in the visit and by that of the mean. Returns
 * the spread. */
static double sum_up(an_season_slot *slot)
{
    double of_visit[AN_SEASON_VISITS];
    uint32_t n = visits_kept(slot);
    for (uint32_t i = 0; i < n; i++)
        of_visit[i] = slot->visit[i].mean;
    slot->centre = median(of_visit, n);
    for (uint32_t i = 0; i < n; i++)
        of_visit[i] = joined(slot->visit[i].deviation, distance(slot->visit[i].mean, slot->centre));
    slot->values = 0;
    for (uint32_t i = 0; i < n; i++)
        slot->values += slot->visit[i].values;
    double spread = median(of_visit, n);
    return spread < DBL_MAX / 2 ? NORMAL_RATIO * spread : DBL_MAX;
}

/* Sums up a slot that has had a visit. */
static void sum_up_at(an_cycle *cycle, size_t place)
{
    an_season_slot *slot = &cycle->slot[place];
    double spread = sum_up(slot);
    cycle->spread[place] = slot->visits >= AN_SEASON_KNOWN ? spread : 0.0;
}

/* Over all known slots of a feature; shares, since a sum may be more than the largest double. */
static double spread_of_all(const an_cycle *cycle, uint32_t feature)
{
    const double *of_slot = cycle->spread + (size_t)feature * cycle->slots;
    double known = cycle->known[feature], spread = 0;
    for (uint32_t i = 0; known > 0 && i < cycle->slots; i++)
        spread += of_slot[i] / known;
    return spread;
}

/* The spread of a slot of so many values. */
static double drawn_spread(double spread, double values, double all)
{
    double drawn = (spread * values + all * PRIOR_VALUES) / (values + PRIOR_VALUES), least = all * LEAST_OF_ALL;
    return drawn > least ? drawn : least;
}

static an_usual usual_in(const an_cycle *cycle, uint32_t feature, int64_t number)
{
    size_t place = slot_place_of(cycle, feature, number);
    const an_season_slot *slot = &cycle->slot[place];
    if (slot->visits < AN_SEASON_KNOWN)
        return (an_usual){0, 0.0, 1.0};
    double spread = drawn_spread(cycle->spread[place], slot->values, cycle->all[feature]);
    return (an_usual){1, slot->centre, spread > 0 && spread <= DBL_MAX ? spread : 1.0};
}

static void find_usual_here(an_cycle *cycle, uint32_t features)
{
    for (uint32_t f = 0; f < features; f++)
        cycle->usual[f] = usual_in(cycle, f, cycle->here);
}

/* Remembers the slot of a time, its ends and what is usual there, since the next times are mostly of it too: divisions
 * are dear. */
static void remember_slot(const an_season *season, an_cycle *cycle, int64_t t_ns)
{
    if (t_ns < FIRST_REMEMBERED || t_ns > LAST_REMEMBERED || an_cycle_is_here(cycle, t_ns))
        return;
    cycle->here = slot_number(season, cycle, t_ns);
    cycle->here_within = within_cycle(cycle, cycle->here);
    cycle->from_ns = t_ns - (within_period(season, cycle, t_ns) - beginning_of(cycle, cycle->here_within));
    cycle->until_ns =
        cycle->from_ns + beginning_of(cycle, (int64_t)cycle->here_within + 1) - beginning_of(cycle, cycle->here_within);
    find_usual_here(cycle, season->options.features);
}

/* The first cycle has to be known; the second adds to it once it is. */
an_usual an_season_find(const an_season *season, uint32_t feature, int64_t t_ns)
{
    const an_cycle *cycle = season->cycle;
    an_usual usual = usual_in(&cycle[0], feature, slot_number(season, &cycle[0], t_ns));
    if (season->cycles == 1 || !usual.known)
        return usual;
    an_usual longer = usual_in(&cycle[1], feature, slot_number(season, &cycle[1], t_ns));
    double centre = usual.centre + longer.centre;
    return longer.known && isfinite(centre) ? (an_usual){1, centre, longer.spread} : usual;
}

static inline void bring_three_back(const an_usual *usual, double *a, double *b, double *c)
{
    double centre = usual->centre, spread = usual->spread;
    *a = centre + spread * *a;
    *b = centre + spread * *b;
    *c = centre + spread * *c;
}

static AN_OWN_STACK void bring_far_back(const an_season *season, uint32_t feature, int64_t t_ns, double *a, double *b,
                                        double *c)
{
    an_usual usual = an_season_find(season, feature, t_ns);
    bring_three_back(&usual, a, b, c);
}

void an_season_three_back(const an_season *season, uint32_t feature, int64_t t_ns, double *a, double *b, double *c)
{
    const an_usual *here = an_season_here(season, feature, t_ns);
    if (here)
        bring_three_back(here, a, b, c);
    else
        bring_far_back(season, feature, t_ns, a, b, c);
}

/* ---- learning ---- */

/* Flagged values count where they are the most. */
static an_slot_values visit_of(const an_season_visit *visit)
{
    const an_slot_values *a = &visit->usual, *b = &visit->flagged;
    if (b->values <= a->values)
        return *a;
    double n = (double)a->values + (double)b->values, share = (double)b->values / n;
    an_slot_values both = {a->values + b->values, a->mean * (1 - share) + b->mean * share,
                           a->deviation * (1 - share) + b->deviation * share};
    return both;
}

/* Visits are counted on without end. A snapshot has no room for that: before, the count falls by whole rounds. */
static uint64_t next_count(uint64_t visits)
{
    return visits + 1 < AN_COUNTED ? visits + 1 : AN_SEASON_VISITS + (visits + 1) % AN_SEASON_VISITS;
}

static void end_visit(an_cycle *cycle, uint32_t feature)
{
    an_slot_values visit = visit_of(&cycle->visit[feature]);
    size_t place = slot_place_of(cycle, feature, cycle->now);
    an_season_slot *slot = &cycle->slot[place];
    cycle->visit[feature] = (an_season_visit){{0, 0, 0}, {0, 0, 0}};
    if (visit.values == 0)
        return;
    slot->visit[slot->visits % AN_SEASON_VISITS] = visit;
    slot->visits = next_count(slot->visits);
    cycle->known[feature] += slot->visits == AN_SEASON_KNOWN;
    sum_up_at(cycle, place);
    cycle->all[feature] = spread_of_all(cycle, feature);
}

static void go_to(an_cycle *cycle, uint32_t features, int64_t number)
{
    for (uint32_t f = 0; cycle->started && f < features; f++)
        end_visit(cycle, f);
    find_usual_here(cycle, features);
    cycle->started = 1;
    cycle->astray = 0;
    cycle->now = number;
}

void an_season_move(an_season *season, int64_t t_ns)
{
    for (uint32_t c = 0; c < season->cycles; c++) {
        an_cycle *cycle = &season->cycle[c];
        remember_slot(season, cycle, t_ns);
        int64_t number = slot_number(season, cycle, t_ns), near = cycle->now + NEAR_PERIODS * (int64_t)cycle->slots;
        if (!cycle->started || (number > cycle->now && number <= near))
            go_to(cycle, season->options.features, number);
    }
}

/* Is the event the last of enough in a row that lie on the same side of what is now? */
static int is_believed(an_cycle *cycle, int64_t number)
{
    int way = number > cycle->now ? 1 : -1;
    cycle->astray = way * cycle->astray > 0 ? cycle->astray + way : way;
    return cycle->astray == TO_GO_AHEAD || cycle->astray == -TO_GO_BACK;
}

void an_season_believe(an_season *season, int64_t t_ns)
{
    for (uint32_t c = 0; c < season->cycles; c++) {
        an_cycle *cycle = &season->cycle[c];
        int64_t number = slot_number(season, cycle, t_ns);
        if (number == cycle->now)
            cycle->astray = 0;
        else if (is_believed(cycle, number))
            go_to(cycle, season->options.features, number);
    }
}

/* A value's deviation is the recursive residual, from the mean of the visit's values before it (Brown, Durbin, Evans
 * 1975): times sqrt((n - 1) / n) it is spread like the values themselves. The first has none. */
static void add_to(an_slot_values *sum, double value)
{
    double before = sum->values, n = before + 1;
    if (before > 0)
        sum->deviation += (distance(value, sum->mean) * sqrt(before / n) - sum->deviation) / before;
    sum->mean += 2 * ((value * 0.5 - sum->mean * 0.5) / n);
    sum->values++;
}

static void learn_in_cycles(an_season *season, uint32_t feature, double value, int64_t t_ns, int flagged)
{
    for (uint32_t c = 0; c < season->cycles; c++) {
        an_cycle *cycle = &season->cycle[c];
        an_season_visit *visit = &cycle->visit[feature];
        an_slot_values *values = flagged ? &visit->flagged : &visit->usual;
        int64_t number = slot_number(season, cycle, t_ns);
        if (number == cycle->now && values->values < UINT32_MAX)
            add_to(values, value);
        if (c + 1 == season->cycles)
            return;
        an_usual usual = usual_in(cycle, feature, number);
        value -= usual.centre;
        if (!usual.known || !isfinite(value))
            return;
    }
}

void an_season_learn_now(an_season *season, uint32_t feature, double value, int flagged)
{
    an_season_visit *visit = &season->cycle[0].visit[feature];
    an_slot_values *values = flagged ? &visit->flagged : &visit->usual;
    if (values->values < UINT32_MAX)
        add_to(values, value);
}

void an_season_learn(an_season *season, uint32_t feature, double value, int64_t t_ns, int flagged)
{
    if (an_season_is_now(season, t_ns))
        an_season_learn_now(season, feature, value, flagged);
    else
        learn_in_cycles(season, feature, value, t_ns, flagged);
}

/* ---- snapshots ---- */

static void save_slot_values(const an_slot_values *values, an_writer *writer)
{
    an_write_varint(writer, values->values);
    if (!values->values)
        return;
    an_write_double(writer, values->mean);
    an_write_double(writer, values->deviation);
}

static an_slot_values restore_slot_values(an_reader *reader)
{
    an_slot_values values = {(uint32_t)an_read_varint_to(reader, UINT32_MAX), 0, 0};
    if (!values.values)
        return values;
    values.mean = an_read_double(reader);
    values.deviation = an_read_double(reader);
    reader->bad |= !isfinite(values.mean) || !(values.deviation >= 0 && values.deviation <= DBL_MAX);
    return values;
}

static void save_slot(const an_season_slot *slot, an_writer *writer)
{
    an_write_endless(writer, slot->visits);
    for (uint32_t i = 0; i < visits_kept(slot); i++)
        save_slot_values(&slot->visit[i], writer);
}

static void restore_slot(an_cycle *cycle, uint32_t feature, size_t place, an_reader *reader)
{
    an_season_slot *slot = &cycle->slot[place];
    slot->visits = an_read_endless(reader);
    for (uint32_t i = 0; !reader->bad && i < visits_kept(slot); i++) {
        slot->visit[i] = restore_slot_values(reader);
        reader->bad |= slot->visit[i].values == 0;
    }
    if (reader->bad || !slot->visits)
        return;
    cycle->known[feature] += slot->visits >= AN_SEASON_KNOWN;
    sum_up_at(cycle, place);
}

/* One byte: 0 not started, 1 in step, 2 one event ahead, from 3 on 1, 2, 3 ... behind. */
static uint8_t pace_of(const an_cycle *cycle)
{
    return (uint8_t)(!cycle->started ? 0 : cycle->astray >= 0 ? 1 + cycle->astray : 2 - cycle->astray);
}

static void restore_pace(an_cycle *cycle, an_reader *reader)
{
    int pace = an_read_u8(reader);
    reader->bad |= pace > TO_GO_BACK + 1;
    cycle->started = pace > 0;
    cycle->astray = pace > 2 ? 2 - pace : pace == 2;
}

void an_season_save(const an_season *season, an_writer *writer)
{
    for (uint32_t c = 0; c < season->cycles; c++) {
        const an_cycle *cycle = &season->cycle[c];
        an_write_u8(writer, pace_of(cycle));
        an_write_i64(writer, cycle->now);
        for (uint32_t f = 0; f < season->options.features; f++) {
            for (uint32_t i = 0; i < cycle->slots; i++)
                save_slot(&cycle->slot[(size_t)f * cycle->slots + i], writer);
            save_slot_values(&cycle->visit[f].usual, writer);
            save_slot_values(&cycle->visit[f].flagged, writer);
        }
    }
}

static void restore_feature(an_cycle *cycle, uint32_t feature, an_reader *reader)
{
    for (uint32_t i = 0; !reader->bad && i < cycle->slots; i++)
        restore_slot(cycle, feature, (size_t)feature * cycle->slots + i, reader);
    cycle->visit[feature].usual = restore_slot_values(reader);
    cycle->visit[feature].flagged = restore_slot_values(reader);
    cycle->all[feature] = spread_of_all(cycle, feature);
}

void an_season_restore(an_season *season, an_reader *reader)
{
    for (uint32_t c = 0; !reader->bad && c < season->cycles; c++) {
        an_cycle *cycle = &season->cycle[c];
        restore_pace(cycle, reader);
        cycle->now = an_read_i64(reader);
        reader->bad |=
            cycle->now < slot_number(season, cycle, INT64_MIN) || cycle->now > slot_number(season, cycle, INT64_MAX);
        for (uint32_t f = 0; !reader->bad && f < season->options.features; f++)
            restore_feature(cycle, f, reader);
    }
}
