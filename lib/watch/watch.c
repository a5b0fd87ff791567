/* SPDX-License-Identifier: MIT */
/* The kind `watch`, for one metric of which nothing is known: ranks of its residual, level and spread among those of
 * the window, and the distance of its shape.
 *
 *     score = P + L + D + log10(1 + d)
 *
 *     P   -log10 of the share of the window's events whose |residual| is as large      (watch/views.h)
 *     L   the same of the levels of 10, 40 and 60 values, to the side that is rarer; D of their spreads
 *     d   the distance of the newest 64 values' shape from the shapes before           (watch/shape.h)
 *
 * A residual is the value less what is expected at this time of the day                (watch/slots.h).
 *
 * State: beside each event of the window its views, as they were when it came; their ranks; the slots of the day;
 * the shapes. */
#include "base/segments.h"
#include "base/simd.h"
#include "detector/detector.h"
#include "detector/judgement.h"
#include "detector/status.h"
#include "watch/shape.h"
#include "watch/slots.h"
#include "watch/views.h"
#include "window/word.h"

#define EXTREME      256u
#define USUAL_EVENTS 1024u
#define LEAST_WINDOW 256u /* events: the longest span and the blocks of shapes lie well within it */

/* All that is found out about an event before it is judged or learned. */
typedef struct newest {
    an_slot_time at;
    double x, expected; /* NaN: not known */
    an_views views;
    int has_shape;
    double shape[AN_SHAPE_SIZE];
} newest;

typedef struct an_watch {
    an_segments views; /* [slots] of an_views: of the event in the same slot of the window */
    an_view_ranks ranks;
    an_slots slots;
    an_shape shape;
    newest next; /* of the event that an update has judged, and may be about to learn */
    int has_next;
} an_watch;

static an_watch *watch_of(const anomaly_detector *detector)
{
    return detector->state;
}

static an_views *views_of(const anomaly_detector *detector, uint64_t index)
{
    return an_segments_row(&watch_of(detector)->views, index & detector->window.mask);
}

/* ---- memory ---- */

static size_t bytes_of_watch(const anomaly_config *config, uint64_t slots)
{
    size_t ranks = an_product(AN_WATCH_VIEWS, an_ranks_bytes(slots, an_ranks_buckets_worst(slots)));
    (void)config;
    return an_sum(an_sum(sizeof(an_watch), an_segments_bytes(sizeof(an_views), slots)), ranks);
}

static void reset_watch(anomaly_detector *detector)
{
    an_watch *state = watch_of(detector);
    for (uint32_t i = 0; i < AN_WATCH_VIEWS; i++)
        an_ranks_reset(an_view_ranks_all(&state->ranks) + i);
    an_slots_reset(&state->slots);
    an_shape_reset(&state->shape, detector->window.bound);
    state->has_next = 0;
}

static int create_watch(anomaly_detector *detector)
{
    an_watch *state = an_alloc(detector->allocator, 1, sizeof *state);
    if (!state)
        return ANOMALY_E_NOMEM;
    memset(state, 0, sizeof *state);
    detector->state = state;
    state->views.row_bytes = sizeof(an_views);
    for (uint32_t i = 0; i < AN_WATCH_VIEWS; i++)
        an_view_ranks_all(&state->ranks)[i].places = an_places_for(an_simd_path(detector->config->simd));
    reset_watch(detector);
    return ANOMALY_OK;
}

static void destroy_watch(anomaly_detector *detector)
{
    an_watch *state = watch_of(detector);
    if (!state)
        return;
    an_segments_free(&state->views, detector->allocator);
    for (uint32_t i = 0; i < AN_WATCH_VIEWS; i++)
        an_ranks_free(an_view_ranks_all(&state->ranks) + i, detector->allocator);
    an_free(detector->allocator, state, 1, sizeof *state);
}

/* Once the window has its last size there is room for the worst case, and nothing is allocated any more. */
static int resize_watch(anomaly_detector *detector, uint64_t slots)
{
    an_watch *state = watch_of(detector);
    int last = slots >= an_window_slots(detector->window.bound);
    uint32_t buckets = last ? an_ranks_buckets_worst(slots) : an_ranks_buckets_usual(slots);
    int status = an_segments_grow(&state->views, slots, detector->allocator);
    for (uint32_t i = 0; i < AN_WATCH_VIEWS && !status; i++) {
        an_ranks *ranks = an_view_ranks_all(&state->ranks) + i;
        if (!an_ranks_fits(ranks, slots, buckets))
            status = an_ranks_resize(ranks, slots, buckets, detector->allocator);
    }
    return status;
}

static int prepare_watch(anomaly_detector *detector)
{
    uint64_t slots = detector->window.mask + 1;
    int status = ANOMALY_OK;
    for (uint32_t i = 0; i < AN_WATCH_VIEWS && !status; i++) {
        an_ranks *ranks = an_view_ranks_all(&watch_of(detector)->ranks) + i;
        if (!an_ranks_has_room(ranks, slots))
            status = an_ranks_resize(ranks, slots, ranks->capacity + ranks->capacity / 2 + 1, detector->allocator);
    }
    return status;
}

/* ---- an event ---- */

static double within_bounds(double x)
{
    return x > AN_WATCH_MOST ? AN_WATCH_MOST : x < -AN_WATCH_MOST ? -AN_WATCH_MOST : x;
}

/* The newest values and residuals before the event `end`, oldest first. */
typedef struct stretch {
    double value[AN_SHAPE_VALUES], residual[AN_SHAPE_VALUES];
    uint32_t n;
} stretch;

static void gather(const anomaly_detector *detector, uint64_t end, stretch *s)
{
    uint64_t held = end - detector->window.tail;
    s->n = held < AN_SHAPE_VALUES - 1 ? (uint32_t)held : AN_SHAPE_VALUES - 1;
    for (uint32_t i = 0; i < s->n; i++) {
        s->value[i] = within_bounds(an_window_value(&detector->window, 0, end - s->n + i));
        s->residual[i] = views_of(detector, end - s->n + i)->residual;
    }
}

static void append(stretch *s, double value, double residual)
{
    s->value[s->n] = value;
    s->residual[s->n] = residual;
    s->n++;
}

static an_views views_of_stretch(const stretch *s)
{
    uint32_t n = s->n < AN_WATCH_LONGEST ? s->n : AN_WATCH_LONGEST;
    return an_views_of(s->value + s->n - n, s->residual + s->n - n, n);
}

/* The median of the newest values before `end`, of which there are enough. */
static double level_before(const anomaly_detector *detector, uint64_t end)
{
    double value[AN_LEVEL_VALUES];
    for (uint32_t i = 0; i < AN_LEVEL_VALUES; i++) {
        double x = within_bounds(an_window_value(&detector->window, 0, end - AN_LEVEL_VALUES + i));
        uint32_t j = i;
        for (; j > 0 && value[j - 1] > x; j--)
            value[j] = value[j - 1];
        value[j] = x;
    }
    return value[AN_LEVEL_VALUES / 2];
}

/* What is usual behind the events before `end`. On the first day of a slot one odd value may be all that is known of
 * it: then the level just before counts as well, if x is nearer to that. */
static double expected_of(const anomaly_detector *detector, uint64_t end, an_slot_time at, double x)
{
    const an_slots *slots = &watch_of(detector)->slots;
    double usual = an_slots_expected(slots, at);
    if (!an_slots_follow_level(slots, at) || end - detector->window.tail < AN_LEVEL_VALUES)
        return usual;
    double level = level_before(detector, end);
    return fabs(x - usual) <= fabs(x - level) ? usual : level;
}

/* Looks at a finite x behind the events before `end`. */
static void look_at(const anomaly_detector *detector, uint64_t end, double x, int64_t t_ns, newest *e)
{
    stretch s;
    e->at = an_slot_time_of(t_ns, end);
    e->x = within_bounds(x + 0.0);
    e->expected = expected_of(detector, end, e->at, e->x);
    gather(detector, end, &s);
    append(&s, e->x, isnan(e->expected) ? 0 : e->x - e->expected);
    e->views = views_of_stretch(&s);
    e->has_shape = s.n == AN_SHAPE_VALUES;
    if (e->has_shape)
        an_shape_of(s.value, e->shape);
}

/* ---- judging ---- */

static double score_of(const anomaly_detector *detector, const newest *e)
{
    const an_watch *state = watch_of(detector);
    double distance = e->has_shape ? an_shape_distance(&state->shape, e->shape) : (double)NAN;
    return an_window_count(&detector->window) ? an_views_score(&state->ranks, &e->views, distance) : (double)NAN;
}

static void judge_newest(const anomaly_detector *detector, const newest *e, anomaly_verdict *v)
{
    v->score = score_of(detector, e);
    v->expected = e->expected;
    v->flags = (e->x > e->expected ? ANOMALY_ABOVE : 0u) | (e->x < e->expected ? ANOMALY_BELOW : 0u);
}

static void judge_not_finite(const anomaly_detector *detector, double x, int64_t t_ns, anomaly_verdict *v)
{
    v->score = isnan(x) ? (double)NAN : (double)INFINITY;
    v->expected = expected_of(detector, detector->window.head, an_slot_time_of(t_ns, detector->window.head), x);
    v->flags = isnan(x) ? ANOMALY_MISSING : ANOMALY_NONFINITE | (x > 0 ? ANOMALY_ABOVE : ANOMALY_BELOW);
}

static void conclude(const anomaly_detector *detector, anomaly_verdict *v)
{
    v->threshold = detector->config->threshold;
    v->lower = v->upper = (double)NAN;
    v->feature = 0;
    v->events = an_window_count(&detector->window);
    if (v->events < detector->warmup)
        v->flags |= ANOMALY_WARMING_UP;
    else if (an_exceeds(detector->config, v->score))
        v->flags |= ANOMALY_IS_ANOMALY;
}

static void judge_by_watch(const anomaly_detector *detector, const double *x, int64_t t_ns, anomaly_verdict *v)
{
    newest e;
    if (isfinite(*x)) {
        look_at(detector, detector->window.head, *x, t_ns, &e);
        judge_newest(detector, &e, v);
    } else {
        judge_not_finite(detector, *x, t_ns, v);
    }
    conclude(detector, v);
}

/* What is found out serves for learning the event as well. */
static void judge_next_by_watch(anomaly_detector *detector, const double *x, int64_t t_ns, anomaly_verdict *v)
{
    an_watch *state = watch_of(detector);
    if (!isfinite(*x)) {
        judge_by_watch(detector, x, t_ns, v);
        return;
    }
    look_at(detector, detector->window.head, *x, t_ns, &state->next);
    state->has_next = 1;
    judge_newest(detector, &state->next, v);
    conclude(detector, v);
}

/* ---- the word ---- */

/* Sums over residuals in a unit that extreme ones do not move, and in which they count as 1. */
typedef struct usual {
    double unit, before; /* the residual before, in units */
    double n, sum, squares, steps;
    uint32_t run, longest; /* of equal values */
} usual;

static double in_units(const usual *u, double residual)
{
    double x = residual / u->unit;
    return x > 1 ? 1 : x < -1 ? -1 : x;
}

static void add_usual(const anomaly_detector *detector, uint64_t index, usual *u)
{
    const an_window *window = &detector->window;
    double x = in_units(u, views_of(detector, index)->residual);
    int same = u->n > 0 && an_window_value(window, 0, index) == an_window_value(window, 0, index - 1);
    double step = u->n > 0 ? x - u->before : 0;
    u->n++;
    u->sum += x;
    u->squares += x * x;
    u->steps += step * step;
    u->run = same ? u->run + 1 : 1;
    u->longest = u->run > u->longest ? u->run : u->longest;
    u->before = x;
}

/* What one residual in EXTREME exceeds; where that is 0 the largest; 0: all are. */
static double unit_of_residuals(const anomaly_detector *detector)
{
    const an_ranks *sizes = &watch_of(detector)->ranks.residual;
    an_cursor cursor = {0, 0};
    double size = an_ranks_at(sizes, &cursor, sizes->size - 1 - sizes->size / EXTREME);
    return size > 0 ? size : an_ranks_most(sizes);
}

/* Of the events before the newest 63; of all where these are few. */
static usual find_usual(const anomaly_detector *detector)
{
    const an_window *window = &detector->window;
    uint64_t held = an_window_count(window), recent = held >= 2 * AN_WORD_VALUES ? AN_WORD_VALUES - 1 : 0;
    uint64_t from = held - recent > USUAL_EVENTS ? window->head - recent - USUAL_EVENTS : window->tail;
    usual u = {.unit = unit_of_residuals(detector)};
    for (uint64_t i = from; i < window->head - recent && u.unit > 0; i++)
        add_usual(detector, i, &u);
    return u;
}

/* What is usual of the residuals, and the newest of them. */
static void compare_with_usual(const usual *u, const stretch *s, an_recent *recent)
{
    double n = u->n > 0 ? u->n : 1, mean = u->sum / n, variance = u->squares / n - mean * mean;
    recent->n = s->n;
    for (uint32_t i = 0; i < s->n; i++)
        recent->deviation[i] = s->residual[i] - mean * u->unit;
    recent->spread = variance > 0 ? sqrt(variance) * u->unit : 0;
    recent->step = variance > 0 ? u->steps / n / variance : 2;
    recent->usually_equal = u->longest;
}

/* Puts into a word what is odd about a finite x behind the window. */
static uint32_t word_for(const anomaly_detector *detector, double x, int64_t t_ns)
{
    stretch s;
    an_recent recent;
    double bounded = within_bounds(x + 0.0);
    uint64_t end = detector->window.head;
    double expected = expected_of(detector, end, an_slot_time_of(t_ns, end), bounded);
    usual u = find_usual(detector);
    gather(detector, detector->window.head, &s);
    append(&s, bounded, isnan(expected) ? 0 : bounded - expected);
    compare_with_usual(&u, &s, &recent);
    recent.equal = an_equal_values(s.value, s.n);
    return an_word(&recent);
}

static void name_cause_of_watch(const anomaly_detector *detector, const double *x, int64_t t_ns, anomaly_verdict *v)
{
    if (v->flags & ANOMALY_NONFINITE) {
        v->flags |= ANOMALY_SPIKE;
        return;
    }
    uint32_t word = word_for(detector, *x, t_ns);
    if (word & (ANOMALY_ABOVE | ANOMALY_BELOW))
        v->flags &= ~(uint32_t)(ANOMALY_ABOVE | ANOMALY_BELOW);
    v->flags |= word;
}

/* ---- learning ---- */

static void evict_from_watch(anomaly_detector *detector, uint64_t tail)
{
    for (uint64_t i = detector->window.tail; i < tail; i++)
        an_view_ranks_remove(&watch_of(detector)->ranks, views_of(detector, i));
}

/* The event is the window's newest already. */
static void insert_into_watch(anomaly_detector *detector, const double *x, int64_t t_ns)
{
    an_watch *state = watch_of(detector);
    newest *e = &state->next;
    uint64_t index = detector->window.head - 1;
    if (!state->has_next)
        look_at(detector, index, *x, t_ns, e);
    *views_of(detector, index) = e->views;
    an_view_ranks_insert(&state->ranks, &e->views);
    an_slots_learn(&state->slots, e->at, e->x);
    if (e->has_shape)
        an_shape_learn(&state->shape, e->shape);
}

static void forget_next(anomaly_detector *detector, const anomaly_verdict *v)
{
    (void)v;
    watch_of(detector)->has_next = 0;
}

static void expect_no_next(anomaly_detector *detector, const double *x)
{
    (void)x;
    watch_of(detector)->has_next = 0;
}

/* ---- snapshots ---- */

/* Levels and spreads follow from values and residuals, but for the first events, of which some have left. */
static int follow_from_window(const an_window *window, uint64_t index)
{
    return window->tail == 0 || index - window->tail >= AN_WATCH_LONGEST - 1;
}

static void save_watch(const anomaly_detector *detector, an_writer *writer)
{
    const an_window *window = &detector->window;
    for (uint64_t i = window->tail; i < window->head; i++) {
        const an_views *views = views_of(detector, i);
        an_write_double(writer, views->residual);
        for (uint32_t k = 0; k < AN_WATCH_SPANS && !follow_from_window(window, i); k++) {
            an_write_double(writer, views->level[k]);
            an_write_double(writer, views->spread[k]);
        }
    }
    an_slots_save(&watch_of(detector)->slots, writer);
    an_shape_save(&watch_of(detector)->shape, writer);
}

static int is_possible(double x, double least)
{
    return x >= least && x <= 2 * AN_WATCH_MOST;
}

static an_views read_views(const anomaly_detector *detector, uint64_t index, an_reader *reader)
{
    an_views views = {.residual = an_read_double(reader)};
    reader->bad |= !is_possible(views.residual, -2 * AN_WATCH_MOST);
    if (follow_from_window(&detector->window, index)) {
        stretch s;
        gather(detector, index, &s);
        append(&s, within_bounds(an_window_value(&detector->window, 0, index)), views.residual);
        return views_of_stretch(&s);
    }
    for (uint32_t k = 0; k < AN_WATCH_SPANS; k++) {
        views.level[k] = an_read_double(reader);
        views.spread[k] = an_read_double(reader);
        reader->bad |= !is_possible(views.level[k], -2 * AN_WATCH_MOST) || !is_possible(views.spread[k], 0);
    }
    return views;
}

static int restore_watch(anomaly_detector *detector, an_reader *reader)
{
    const an_window *window = &detector->window;
    for (uint64_t i = window->tail; i < window->head; i++) {
        int status = prepare_watch(detector);
        an_views views = read_views(detector, i, reader);
        if (status || reader->bad)
            return status ? status : ANOMALY_E_CORRUPT;
        *views_of(detector, i) = views;
        an_view_ranks_insert(&watch_of(detector)->ranks, &views);
    }
    an_slots_restore(&watch_of(detector)->slots, reader);
    an_shape_restore(&watch_of(detector)->shape, reader);
    return reader->bad ? ANOMALY_E_CORRUPT : ANOMALY_OK;
}

/* ---- configuration ---- */

static int validate_watch(const anomaly_config *config, anomaly_error *error)
{
    if (config->features != 1)
        return an_error(error, ANOMALY_E_CONFIG, "features", "watch takes one value an event");
    if (config->window_ns)
        return an_error(error, ANOMALY_E_CONFIG, "window", "the window of watch is a number of events");
    if (config->window_events < LEAST_WINDOW)
        return an_error(error, ANOMALY_E_CONFIG, "window", "watch needs a window of at least %u events", LEAST_WINDOW);
    if (config->include_self)
        return an_error(error, ANOMALY_E_CONFIG, "include_self", "include_self does not apply to this kind of detector");
    return ANOMALY_OK;
}

const an_kind an_kind_watch = {
    .whole = 1,
    .rules =
        {
            .values_to_judge = an_one_value,
            .can_flag_with_self = an_can_always_flag,
            .validate = validate_watch,
        },
    .life =
        {
            .bytes = bytes_of_watch,
            .create = create_watch,
            .destroy = destroy_watch,
            .reset = reset_watch,
            .take_early = an_no_early_memory,
            .resize = resize_watch,
            .prepare = prepare_watch,
            .evict = evict_from_watch,
        },
    .by_event =
        {
            .judge = judge_by_watch,
            .judge_next = judge_next_by_watch,
            .name_cause = name_cause_of_watch,
            .insert = insert_into_watch,
            .scored = forget_next,
            .unscored = expect_no_next,
        },
    .questions =
        {
            .moments = an_count_moments,
            .quantile = an_no_quantile,
            .explain = an_no_explanation,
            .rebuild = an_no_rebuild,
        },
    .saving = {.save = save_watch, .restore = restore_watch},
    .equals = an_no_equals,
};
