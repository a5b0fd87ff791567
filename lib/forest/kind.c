/* SPDX-License-Identifier: MIT */
/* Makes the isolation forest a kind of detector: the kind judges whole events, by a score and a threshold, which is
 * fixed or follows the scores. */
#include "base/simd.h"
#include "base/stack.h"
#include "detector/detector.h"
#include "detector/rows.h"
#include "detector/status.h"
#include "forest/forest.h"
#include "forest/scores.h"

#define LEAST_WINDOW_EVENTS 16u  /* the first tree is grown from so many events */
#define ROWS_WORTH_WALKING  4u   /* fewer are as fast one by one */
#define PART_LEFT_FREE      8u   /* memory grows when an eighth of it is left */
#define TAUGHT_SCORES       512u /* so many scores are found by learning without updates, too */

typedef struct an_iforest {
    an_forest *forest;
    an_scores scores;
} an_iforest;

static an_iforest *iforest_of(const anomaly_detector *detector)
{
    return detector->state;
}

static const an_forest *forest_of(const anomaly_detector *detector)
{
    return iforest_of(detector)->forest;
}

static int follows_scores(const anomaly_config *config)
{
    return config->contamination > 0 || config->threshold == 0;
}

/* ---- memory ---- */

static size_t bytes_of_iforest(const anomaly_config *config, uint64_t slots)
{
    size_t scores = follows_scores(config) ? an_scores_bytes(an_config_bound(config)) : 0;
    return an_sum(an_sum(sizeof(an_iforest), scores), an_forest_bytes(config, slots));
}

static int create_iforest(anomaly_detector *detector)
{
    an_iforest *state = an_alloc(detector->allocator, 1, sizeof *state);
    if (!state)
        return ANOMALY_E_NOMEM;
    memset(state, 0, sizeof *state);
    detector->state = state;
    an_scores_set_share(&state->scores, detector->config->contamination, detector->window.bound);
    state->scores.ranks.places = an_places_for(an_simd_path(detector->config->simd));
    an_scores_reset(&state->scores);
    state->forest = an_forest_create(detector->config, &detector->window, detector->allocator);
    return state->forest ? ANOMALY_OK : ANOMALY_E_NOMEM;
}

static void destroy_iforest(anomaly_detector *detector)
{
    an_iforest *state = iforest_of(detector);
    if (!state)
        return;
    an_forest_destroy(state->forest, detector->allocator);
    an_scores_free(&state->scores, detector->allocator);
    an_free(detector->allocator, state, 1, sizeof *state);
}

static void reset_iforest(anomaly_detector *detector)
{
    an_forest_reset(iforest_of(detector)->forest);
    an_scores_reset(&iforest_of(detector)->scores);
}

static int reserve_iforest(anomaly_detector *detector)
{
    return an_forest_make_room(iforest_of(detector)->forest, detector->config->sample, detector->allocator);
}

/* Makes room. Scores get all their memory with the last size of the window, so that nothing is allocated after it. */
static int resize_iforest(anomaly_detector *detector, uint64_t slots)
{
    an_iforest *state = iforest_of(detector);
    int last = slots >= an_window_slots(detector->window.bound), status = ANOMALY_OK;
    if (last && follows_scores(detector->config))
        status = an_scores_resize(&state->scores, slots, detector->allocator);
    return status ? status : an_forest_resize(state->forest, slots, detector->allocator);
}

static int is_nearly_full(uint64_t count, uint64_t slots)
{
    return count + slots / PART_LEFT_FREE >= slots;
}

/* Grows memory some events before it is needed, at an event that renews no tree, one piece an event: no event then
 * pays for two expensive things. */
static int grow_iforest_early(anomaly_detector *detector)
{
    an_window *window = &detector->window;
    an_scores *scores = &iforest_of(detector)->scores;
    an_forest *forest = iforest_of(detector)->forest;
    uint64_t slots = window->mask + 1, bound = window->bound;
    int full = slots < bound && is_nearly_full(an_window_count(window), slots), last = 2 * slots >= bound;
    if (scores->slots < bound && (is_nearly_full(scores->count, scores->slots) || (full && last)))
        return an_scores_grow(scores, an_window_slots(full && last ? bound : scores->slots + 1), detector->allocator);
    if (full && an_forest_slots(forest) == slots)
        return an_forest_resize(forest, 2 * slots, detector->allocator);
    return full ? an_window_resize(window, 2 * slots, detector->allocator) : ANOMALY_OK;
}

static int prepare_iforest(anomaly_detector *detector)
{
    const an_window *window = &detector->window;
    int follows = follows_scores(detector->config);
    int status = follows ? an_scores_prepare(&iforest_of(detector)->scores, detector->allocator) : ANOMALY_OK;
    if (!status && follows && an_window_count(window) < window->bound && !an_forest_is_due(forest_of(detector)))
        status = grow_iforest_early(detector);
    return status;
}

/* ---- judging ---- */

/* Returns the threshold: the fixed one, or the one that follows the scores. Where the configuration asks for both, the
 * fixed one holds until there are enough scores. */
static double threshold_of(const anomaly_detector *detector)
{
    const anomaly_config *config = detector->config;
    const an_scores *scores = &iforest_of(detector)->scores;
    if (!follows_scores(config))
        return config->threshold;
    if (!an_forest_ready(forest_of(detector)))
        return (double)NAN;
    return config->threshold != 0 && !an_scores_are_enough(scores) ? config->threshold : an_scores_threshold(scores);
}

/* Raises the threshold above the score where more than the share of the events are equal to x: they all have this
 * score, and at most the share may be flagged. */
static void spare_common(const anomaly_detector *detector, const double *x, anomaly_verdict *v)
{
    if (follows_scores(detector->config) && an_forest_is_common(forest_of(detector), x, iforest_of(detector)->scores.most))
        v->threshold = an_next_above(v->score);
}

static uint64_t equals_in_iforest(const anomaly_detector *detector, const double *x, uint32_t feature, uint64_t *of)
{
    const an_forest *f = forest_of(detector);
    (void)feature;
    *of = an_forest_compared(f);
    return an_forest_equals(f, x, (double)*of);
}

static int exceeds_threshold(const anomaly_detector *detector, const anomaly_verdict *v)
{
    return detector->config->compare == ANOMALY_GT ? v->score > v->threshold : v->score >= v->threshold;
}

/* Makes the verdict from the score. An infinite value is anomalous whatever the threshold. */
static void conclude_score(const anomaly_detector *detector, const double *x, double score, uint32_t flags,
                           anomaly_verdict *v)
{
    v->score = score;
    v->threshold = threshold_of(detector);
    v->expected = v->lower = v->upper = (double)NAN;
    v->flags = flags;
    v->feature = 0;
    v->events = an_window_count(&detector->window);
    if (isnan(score))
        return;
    if (v->events < detector->warmup || !an_forest_ready(forest_of(detector)))
        v->flags |= ANOMALY_WARMING_UP;
    else if (flags & ANOMALY_NONFINITE)
        v->flags |= ANOMALY_IS_ANOMALY;
    else if (exceeds_threshold(detector, v)) {
        spare_common(detector, x, v);
        v->flags |= exceeds_threshold(detector, v) ? ANOMALY_IS_ANOMALY : 0;
    }
}

static int all_missing(const double *x, uint32_t features)
{
    uint32_t missing = 0;
    while (missing < features && isnan(x[missing]))
        missing++;
    return missing == features;
}

static void judge_by_iforest(const anomaly_detector *detector, const double *x, int64_t t_ns, anomaly_verdict *v)
{
    const an_forest *forest = forest_of(detector);
    uint32_t flags = an_value_flags(detector, x);
    (void)t_ns;
    if (flags & ANOMALY_NONFINITE) {
        conclude_score(detector, x, 1.0, flags, v);
        v->feature = an_first_infinite(x);
    } else if ((flags & ANOMALY_MISSING) && all_missing(x, forest->values)) {
        conclude_score(detector, x, (double)NAN, flags, v);
    } else if (!an_forest_ready(forest)) {
        conclude_score(detector, x, 0.5, flags, v);
    } else {
        conclude_score(detector, x, an_forest_score(forest, detector->window.head, x), flags, v);
    }
}

/* Judges the event of an update. Most events have no missing or infinite value, which coding finds out by the way. */
static void judge_next_by_iforest(anomaly_detector *detector, const double *x, int64_t t_ns, anomaly_verdict *v)
{
    an_forest *forest = iforest_of(detector)->forest;
    double score;
    if (an_forest_ready(forest) && an_forest_score_next(forest, x, &score))
        conclude_score(detector, x, score, 0, v);
    else
        judge_by_iforest(detector, x, t_ns, v);
}

static void name_iforest_cause(const anomaly_detector *detector, const double *x, int64_t t_ns, anomaly_verdict *v)
{
    (void)t_ns;
    if (!(v->flags & ANOMALY_NONFINITE))
        v->feature = an_forest_main_cause(forest_of(detector), x);
}

/* ---- learning ---- */

static void evict_from_iforest(anomaly_detector *detector, uint64_t tail)
{
    (void)detector;
    (void)tail;
}

static void insert_into_iforest(anomaly_detector *detector, const double *x, int64_t t_ns)
{
    (void)t_ns;
    an_forest_learn(iforest_of(detector)->forest, x);
}

static void add_score(anomaly_detector *detector, double score)
{
    an_scores_add(&iforest_of(detector)->scores, score);
}

/* Takes in the score of an update, once there is a forest and hence a threshold, whether the event was judged or is
 * part of the warm-up. prepare_iforest() has made room. */
static void note_score(anomaly_detector *detector, const anomaly_verdict *v)
{
    iforest_of(detector)->forest->ready = NULL;
    if (follows_scores(detector->config) && !(v->flags & ANOMALY_NONFINITE) && !isnan(v->score) && !isnan(v->threshold))
        add_score(detector, v->score);
}

static int is_ordinary(const double *x, uint32_t features, uint32_t flags)
{
    return !flags || (!(flags & ANOMALY_NONFINITE) && !all_missing(x, features));
}

/* Finds the first scores while a detector learns without updates, so that it has a threshold when it is asked. */
static void note_unscored(anomaly_detector *detector, const double *x)
{
    const an_forest *forest = forest_of(detector);
    const an_scores *scores = &iforest_of(detector)->scores;
    int wanted = follows_scores(detector->config) && scores->count < TAUGHT_SCORES && scores->count < scores->bound;
    if (wanted && an_forest_ready(forest) && is_ordinary(x, forest->values, an_value_flags(detector, x)))
        add_score(detector, an_forest_score(forest, detector->window.head, x));
}

/* ---- rows ---- */

/* What is known of rows that have been walked together. */
typedef struct scored_rows {
    double score[AN_ROWS_TOGETHER];
    uint32_t flags[AN_ROWS_TOGETHER];
} scored_rows;

/* Scores up to `most` rows from `from` on, up to a row that has an infinite value or none; returns how many. `room` is
 * for a row. */
static uint32_t score_together(const anomaly_detector *detector, const anomaly_rows *rows, size_t from, uint32_t most,
                               an_forest_block *block, double *room, scored_rows *scored)
{
    const an_forest *forest = forest_of(detector);
    while (block->rows < most) {
        const double *x = an_rows_gather(rows, forest->values, from + block->rows, room);
        int missing = an_forest_block_code(forest, block, x);
        uint32_t flags = missing ? an_value_flags(detector, x) : 0;
        if (!is_ordinary(x, forest->values, flags))
            break;
        scored->flags[block->rows] = flags;
        block->rows++;
        block->missing |= missing != 0;
    }
    if (block->rows)
        an_forest_block_score(forest, block, scored->score);
    return block->rows;
}

/* Has memory bring row `row`, if there is one: it is needed soon. */
static void fetch_row(const anomaly_rows *rows, uint32_t features, size_t row)
{
#if defined(__GNUC__)
    if (row >= rows->count || rows->columns)
        return;
    const char *at = an_rows_column(rows, 0) + (ptrdiff_t)row * an_rows_stride(rows, features);
    for (size_t i = 0; i < features * sizeof(double); i += 64)
        __builtin_prefetch(at + i);
#else
    (void)rows;
    (void)features;
    (void)row;
#endif
}

static uint32_t least_rows(size_t rows, uint32_t most)
{
    return rows < most ? (uint32_t)rows : most;
}

/* Makes the verdict of row k of the scored ones, which is x. */
static void judge_scored_row(const anomaly_detector *detector, const scored_rows *scored, uint32_t k, const double *x,
                             const anomaly_verdicts *verdicts, anomaly_verdict *v)
{
    conclude_score(detector, x, scored->score[k], scored->flags[k], v);
    if (verdicts && verdicts->feature && (v->flags & ANOMALY_IS_ANOMALY))
        name_iforest_cause(detector, x, ANOMALY_NO_TIME, v);
}

#define NARROW_ROWS_FLOATS 2560u /* 10 KB: of the features and trees of a narrow forest four rows at least */

static AN_OWN_STACK uint32_t score_rows_narrow(const anomaly_detector *detector, const anomaly_rows *rows, size_t from,
                                               uint32_t most, scored_rows *scored)
{
    float floats[NARROW_ROWS_FLOATS];
    double x[AN_NARROW_FEATURES];
    an_forest_block block = an_forest_block_in(forest_of(detector), floats, most);
    return score_together(detector, rows, from, most, &block, x, scored);
}

static AN_OWN_STACK uint32_t score_rows_wide(const anomaly_detector *detector, const anomaly_rows *rows, size_t from,
                                             uint32_t most, scored_rows *scored)
{
    float floats[AN_ROWS_FLOATS];
    double x[AN_ROWS_FEATURES];
    an_forest_block block = an_forest_block_in(forest_of(detector), floats, most);
    return score_together(detector, rows, from, most, &block, x, scored);
}

static void put_scored_rows(const anomaly_detector *detector, const anomaly_rows *rows, const anomaly_verdicts *verdicts,
                            size_t from, uint32_t count, const scored_rows *scored, double *room)
{
    anomaly_verdict v;
    for (uint32_t k = 0; k < count; k++) {
        const double *x = an_rows_gather(rows, detector->config->features, from + k, room);
        judge_scored_row(detector, scored, k, x, verdicts, &v);
        v.tail = (double)NAN;
        an_put_verdict(verdicts, from + k, &v);
    }
}

static AN_OWN_STACK void put_rows_narrow(const anomaly_detector *detector, const anomaly_rows *rows,
                                         const anomaly_verdicts *verdicts, size_t from, uint32_t count,
                                         const scored_rows *scored)
{
    double room[AN_NARROW_FEATURES];
    put_scored_rows(detector, rows, verdicts, from, count, scored, room);
}

static AN_OWN_STACK void put_rows_wide(const anomaly_detector *detector, const anomaly_rows *rows,
                                       const anomaly_verdicts *verdicts, size_t from, uint32_t count,
                                       const scored_rows *scored)
{
    double room[AN_ROWS_FEATURES];
    put_scored_rows(detector, rows, verdicts, from, count, scored, room);
}

static size_t score_iforest_rows(const anomaly_detector *detector, const anomaly_rows *rows,
                                 const anomaly_verdicts *verdicts, size_t from)
{
    scored_rows scored;
    int narrow = an_forest_is_narrow(forest_of(detector));
    size_t row = from;
    uint32_t most = an_forest_together(forest_of(detector), narrow ? NARROW_ROWS_FLOATS : AN_ROWS_FLOATS), done = most;
    while (done && row < rows->count) {
        uint32_t together = least_rows(rows->count - row, most);
        done = narrow ? score_rows_narrow(detector, rows, row, together, &scored)
                      : score_rows_wide(detector, rows, row, together, &scored);
        if (narrow)
            put_rows_narrow(detector, rows, verdicts, row, done, &scored);
        else
            put_rows_wide(detector, rows, verdicts, row, done, &scored);
        row += done;
    }
    return row - from;
}

/* With lags a score depends on which of the rows before it are learned. */
static int can_learn_together(const anomaly_detector *detector)
{
    return forest_of(detector)->lags == 1 || detector->config->learn == ANOMALY_LEARN_ALWAYS;
}

/* Scores and learns rows. Trees do not depend on the events learned since a tree was grown last, so the rows up to the
 * next growth are walked together; all else is done row after row. */
static size_t update_walked_rows(anomaly_detector *detector, const anomaly_rows *rows, const anomaly_verdicts *verdicts,
                                 size_t from, double *room)
{
    an_forest *forest = iforest_of(detector)->forest;
    scored_rows scored;
    anomaly_verdict v;
    size_t row = from;
    uint32_t run = can_learn_together(detector) ? an_forest_run(forest) : 0, done = run;
    while (done && run >= ROWS_WORTH_WALKING && row < rows->count) {
        an_forest_block block = an_forest_block_own(forest, run);
        done = score_together(detector, rows, row, least_rows(rows->count - row, run), &block, room, &scored);
        for (uint32_t k = 0; k < done; k++, row++) {
            const double *x = an_rows_gather(rows, detector->config->features, row, room);
            judge_scored_row(detector, &scored, k, x, verdicts, &v);
            an_forest_block_learn(forest, &block, k);
            fetch_row(rows, detector->config->features, row + done);
            an_finish_update(detector, x, an_rows_time(rows, row), &v);
            an_put_verdict(verdicts, row, &v);
        }
        run = an_forest_run(forest);
    }
    return row - from;
}

static AN_OWN_STACK size_t update_rows_narrow(anomaly_detector *detector, const anomaly_rows *rows,
                                              const anomaly_verdicts *verdicts, size_t from)
{
    double room[AN_NARROW_FEATURES];
    return update_walked_rows(detector, rows, verdicts, from, room);
}

static AN_OWN_STACK size_t update_rows_wide(anomaly_detector *detector, const anomaly_rows *rows,
                                            const anomaly_verdicts *verdicts, size_t from)
{
    double room[AN_ROWS_FEATURES];
    return update_walked_rows(detector, rows, verdicts, from, room);
}

static size_t update_iforest_rows(anomaly_detector *detector, const anomaly_rows *rows, const anomaly_verdicts *verdicts,
                                  size_t from)
{
    return an_forest_is_narrow(forest_of(detector)) ? update_rows_narrow(detector, rows, verdicts, from)
                                                    : update_rows_wide(detector, rows, verdicts, from);
}

/* ---- the rest ---- */

/* Scores the window by the new forest, for a threshold that follows the scores. */
static void score_window(anomaly_detector *detector)
{
    const an_window *window = &detector->window;
    const an_forest *forest = forest_of(detector);
    an_scores_reset(&iforest_of(detector)->scores);
    for (uint64_t i = window->head - an_forest_count(forest); i < window->head; i++)
        add_score(detector, an_forest_score(forest, i, an_window_event(window, i)));
}

static int rebuild_iforest(anomaly_detector *detector)
{
    uint64_t count = an_forest_count(forest_of(detector));
    int follows = follows_scores(detector->config);
    if (count < 2)
        return ANOMALY_OK;
    int status =
        follows ? an_scores_resize(&iforest_of(detector)->scores, an_window_slots(count), detector->allocator) : ANOMALY_OK;
    if (!status)
        status = an_forest_make_room(iforest_of(detector)->forest, count, detector->allocator);
    if (status)
        return status;
    an_forest_rebuild(iforest_of(detector)->forest);
    if (follows)
        score_window(detector);
    return ANOMALY_OK;
}

/* ---- snapshots ---- */

static void save_iforest(const anomaly_detector *detector, an_writer *writer)
{
    an_forest_save(forest_of(detector), writer);
    if (follows_scores(detector->config))
        an_scores_save(&iforest_of(detector)->scores, writer);
}

static int restore_iforest(anomaly_detector *detector, an_reader *reader)
{
    int status = an_forest_restore(iforest_of(detector)->forest, reader, detector->allocator);
    if (!status && follows_scores(detector->config))
        status = an_scores_restore(&iforest_of(detector)->scores, reader, detector->allocator);
    return status;
}

/* ---- explanations ---- */

/* Divides the whole excess of the score, 0.5, among the infinite features in equal parts. */
static void explain_infinite(const double *x, uint32_t features, double *contribution)
{
    uint32_t infinite = 0;
    for (uint32_t f = 0; f < features; f++)
        infinite += isinf(x[f]) != 0;
    for (uint32_t f = 0; f < features; f++)
        contribution[f] = isinf(x[f]) ? 0.5 / infinite : 0.0;
}

static int explain_by_iforest(const anomaly_detector *detector, const double *x, double *contribution)
{
    const an_forest *forest = forest_of(detector);
    uint32_t flags = an_value_flags(detector, x);
    if (!an_forest_ready(forest))
        return ANOMALY_E_EMPTY;
    if (flags & ANOMALY_NONFINITE)
        explain_infinite(x, forest->values, contribution);
    else if (all_missing(x, forest->values))
        memset(contribution, 0, forest->values * sizeof *contribution);
    else
        an_forest_explain(forest, x, an_forest_score(forest, detector->window.head, x), contribution);
    return ANOMALY_OK;
}

/* ---- configuration ---- */

static int validate_lags(const anomaly_config *config, anomaly_error *error)
{
    uint32_t lags = an_forest_lags(config);
    if (config->lags == ANOMALY_LAGS_PYRAMID)
        return an_error(error, ANOMALY_E_CONFIG, "lags", "lags of the forest are a whole number, not the pyramid");
    if ((uint64_t)config->features * lags > AN_FOREST_MAX_FEATURES)
        return an_error(error, ANOMALY_E_CONFIG, "lags",
                        "features %u times lags %u are %llu values: the forest takes at most %u", (unsigned)config->features,
                        (unsigned)lags, (unsigned long long)config->features * lags, AN_FOREST_MAX_FEATURES);
    if (config->window_events < (uint64_t)LEAST_WINDOW_EVENTS + lags - 1)
        return an_error(error, ANOMALY_E_CONFIG, "window", "with lags %u the forest needs a window of at least %u events",
                        (unsigned)lags, (unsigned)(LEAST_WINDOW_EVENTS + lags - 1));
    if (config->sample > config->window_events - (lags - 1))
        return an_error(error, ANOMALY_E_CONFIG, "sample",
                        "sample %u is more than the %llu events of the window that have %u before them for lags",
                        (unsigned)config->sample, (unsigned long long)(config->window_events - (lags - 1)),
                        (unsigned)(lags - 1));
    return ANOMALY_OK;
}

static int validate_iforest(const anomaly_config *config, anomaly_error *error)
{
    if (config->window_ns)
        return an_error(error, ANOMALY_E_CONFIG, "window", "the forest's window is a number of events");
    if (config->window_events < LEAST_WINDOW_EVENTS)
        return an_error(error, ANOMALY_E_CONFIG, "window", "the forest needs a window of at least %u events",
                        LEAST_WINDOW_EVENTS);
    if (config->sample > config->window_events)
        return an_error(error, ANOMALY_E_CONFIG, "sample", "sample %u is more than the window's %llu events",
                        (unsigned)config->sample, (unsigned long long)config->window_events);
    if (config->include_self)
        return an_error(error, ANOMALY_E_CONFIG, "include_self", "include_self does not apply to this kind of detector");
    return validate_lags(config, error);
}

const an_kind an_kind_iforest = {
    .whole = 1,
    .rules =
        {
            .follows_at_zero = 1,
            .values_to_judge = an_one_value,
            .can_flag_with_self = an_can_always_flag,
            .validate = validate_iforest,
        },
    .life =
        {
            .bytes = bytes_of_iforest,
            .create = create_iforest,
            .destroy = destroy_iforest,
            .reset = reset_iforest,
            .take_early = reserve_iforest,
            .resize = resize_iforest,
            .prepare = prepare_iforest,
            .evict = evict_from_iforest,
        },
    .by_event =
        {
            .judge = judge_by_iforest,
            .judge_next = judge_next_by_iforest,
            .name_cause = name_iforest_cause,
            .insert = insert_into_iforest,
            .scored = note_score,
            .unscored = note_unscored,
        },
    .questions =
        {
            .moments = an_count_moments,
            .quantile = an_no_quantile,
            .explain = explain_by_iforest,
            .rebuild = rebuild_iforest,
        },
    .rows = {.update = update_iforest_rows, .score = score_iforest_rows},
    .saving = {.save = save_iforest, .restore = restore_iforest},
    .equals = equals_in_iforest,
};
