/* SPDX-License-Identifier: MIT */
#include "stage/stages.h"

#include "base/ieee.h"
#include "base/stack.h"

#include <float.h>
#include <math.h>

#define LASTING_SHARE 8u /* an episode as long as this share of the record of scores lasts */

/* ---- what a configuration asks for ---- */

int an_stages_have_budget(const anomaly_config *config)
{
    return config->alarm_rate > 0 || config->alarms_ns != 0;
}

static int wants_decision(const anomaly_config *config)
{
    return config->rest_events || config->rest_ns || config->confirm > 1 || config->min_change > 0 ||
           config->min_percent > 0;
}

static int wants_silence(const anomaly_config *config)
{
    return config->silence > 0;
}

int an_stages_change_values(const anomaly_config *config)
{
    return config->transform != ANOMALY_RAW || config->season_ns;
}

int an_stages_are_wanted(const anomaly_config *config)
{
    return an_stages_change_values(config) || an_stages_have_budget(config) || wants_decision(config) ||
           wants_silence(config) || config->population;
}

int an_stages_need_times(const anomaly_config *config)
{
    return config->season_ns || config->alarms_ns > 0 || config->rest_ns || config->transform == ANOMALY_RATE ||
           wants_silence(config);
}

static an_season_options season_options(const anomaly_config *config)
{
    return (an_season_options){{config->season_ns, config->second_ns}, config->offset_ns, config->features};
}

static an_budget budget_of(const anomaly_config *config)
{
    return (an_budget){config->calibrate, config->alarm_rate, config->alarms, config->alarms_ns};
}

static an_decision_options decision_options(const anomaly_config *config)
{
    return (an_decision_options){.rest_events = config->rest_events,
                                 .rest_ns = config->rest_ns,
                                 .margin = config->margin,
                                 .confirm = config->confirm,
                                 .of = config->confirm_of,
                                 .min_change = config->min_change,
                                 .min_percent = config->min_percent};
}

/* So many false reports in a time are one in a shorter time. */
static an_interval_options interval_options(const anomaly_config *config)
{
    double period = (double)config->silence_ns / config->silence;
    if (!config->silence_ns)
        return (an_interval_options){.factor = config->silence};
    return (an_interval_options){.period_ns = period < 1 ? 1 : period < 0x1p62 ? (int64_t)period : INT64_C(1) << 62};
}

/* ---- memory ---- */

void an_stages_begin_record(an_tail *record, const anomaly_config *config, const an_places *places)
{
    an_budget budget = budget_of(config);
    an_tail_init(record, &budget, places);
}

size_t an_stages_record_bytes(const anomaly_config *config)
{
    an_budget budget = budget_of(config);
    return an_tail_bytes(&budget);
}

static size_t seen_count(const anomaly_config *config)
{
    return an_stages_change_values(config) ? config->features : 0;
}

size_t an_stages_bytes(const anomaly_config *config)
{
    if (!an_stages_are_wanted(config))
        return 0;
    an_season_options season = season_options(config);
    size_t bytes = an_sum(sizeof(an_stages), an_transform_bytes(config->transform, config->features));
    bytes = an_sum(bytes, config->season_ns ? an_season_bytes(&season) : 0);
    bytes = an_sum(bytes, wants_silence(config) ? an_interval_bytes() : 0);
    bytes = an_sum(bytes, seen_count(config) * sizeof(double));
    return an_sum(bytes, an_stages_have_budget(config) ? an_stages_record_bytes(config) : 0);
}

uint64_t an_stages_least_saved(const anomaly_config *config)
{
    an_season_options season = season_options(config);
    return config->season_ns ? an_season_least_saved(&season) : 0;
}

/* Notes what the events need not be asked one by one. */
static void note_work(an_stages *stages, const anomaly_config *config)
{
    stages->changes = stages->transforms || stages->seasons;
    stages->begins = stages->budgets || config->population || stages->record != &stages->tail;
    stages->learns = stages->seasons || stages->awaits || stages->transform.previous;
    stages->only_season = stages->seasons && !stages->transforms && !stages->awaits && stages->features == 1;
    stages->only_decides = !stages->changes && !stages->begins && !stages->learns;
}

static int create_parts(an_stages *stages, const anomaly_config *config, const an_places *places,
                        const anomaly_allocator *allocator)
{
    an_season_options season = season_options(config);
    an_decision_options decision = decision_options(config);
    an_interval_options interval = interval_options(config);
    stages->features = config->features;
    if (seen_count(config) && !(stages->seen = an_alloc(allocator, config->features, sizeof *stages->seen)))
        return ANOMALY_E_NOMEM;
    int status = an_transform_create(&stages->transform, config->transform, config->features, allocator);
    if (!status && config->season_ns)
        status = an_season_create(&stages->season, &season, allocator);
    if (!status && wants_silence(config))
        status = an_interval_create(&stages->interval, &interval, allocator);
    if (status)
        return status;
    stages->transforms = config->transform != ANOMALY_RAW;
    stages->seasons = config->season_ns != 0;
    stages->budgets = an_stages_have_budget(config);
    stages->decides = wants_decision(config);
    stages->awaits = wants_silence(config);
    note_work(stages, config);
    an_stages_begin_record(&stages->tail, config, places);
    an_decision_init(&stages->decision, &decision);
    return ANOMALY_OK;
}

int an_stages_create(an_stages **stages, const anomaly_config *config, an_tail *record, const an_places *places,
                     const anomaly_allocator *allocator)
{
    an_stages *created = an_alloc(allocator, 1, sizeof *created);
    if (!created)
        return ANOMALY_E_NOMEM;
    *created = (an_stages){.record = record ? record : &created->tail};
    int status = create_parts(created, config, places, allocator);
    if (status)
        an_stages_destroy(created, allocator);
    else
        *stages = created;
    return status;
}

void an_stages_destroy(an_stages *stages, const anomaly_allocator *allocator)
{
    if (!stages)
        return;
    an_free(allocator, stages->seen, stages->features, sizeof *stages->seen);
    an_transform_free(&stages->transform, allocator);
    an_season_free(&stages->season, allocator);
    an_tail_free(&stages->tail, allocator);
    an_interval_free(&stages->interval, allocator);
    an_free(allocator, stages, 1, sizeof *stages);
}

void an_stages_reset(an_stages *stages)
{
    an_transform_reset(&stages->transform);
    an_season_reset(&stages->season);
    an_tail_reset(&stages->tail);
    an_decision_reset(&stages->decision);
    if (stages->awaits)
        an_interval_reset(&stages->interval);
}

void an_stages_follow(an_stages *stages, const anomaly_config *config)
{
    stages->budgets = an_stages_have_budget(config);
    note_work(stages, config);
}

static int keeps_record(const an_stages *stages)
{
    return stages->budgets && stages->record == &stages->tail;
}

int an_stages_prepare(an_stages *stages, const anomaly_allocator *allocator)
{
    return keeps_record(stages) ? an_tail_prepare(&stages->tail, allocator) : ANOMALY_OK;
}

int an_stages_reserve(an_stages *stages, const anomaly_allocator *allocator)
{
    return keeps_record(stages) ? an_tail_reserve(&stages->tail, allocator) : ANOMALY_OK;
}

/* ---- before the kind ---- */

void an_stages_advance(an_stages *stages, int64_t t_ns)
{
    if (stages->seasons)
        an_season_advance(&stages->season, t_ns);
}

static enum an_transformed apply(const an_stages *stages, uint32_t feature, double x, int64_t t_ns, double *y)
{
    *y = x;
    return stages->transforms ? an_transform_apply(&stages->transform, feature, x, t_ns, y) : AN_TRANSFORMED;
}

static inline uint32_t see_by_usual(const an_usual *usual, double *y)
{
    *y = usual->known ? (*y - usual->centre) / usual->spread : (double)NAN;
    return usual->known ? 0 : ANOMALY_WARMING_UP;
}

static AN_OWN_STACK uint32_t see_far(const an_stages *stages, uint32_t feature, int64_t t_ns, double *y)
{
    an_usual usual = an_season_find(&stages->season, feature, t_ns);
    return see_by_usual(&usual, y);
}

static inline uint32_t see_in_season(const an_stages *stages, uint32_t feature, int64_t t_ns, double *y)
{
    if (!isfinite(*y))
        return 0;
    const an_usual *here = an_season_here(&stages->season, feature, t_ns);
    return here ? see_by_usual(here, y) : see_far(stages, feature, t_ns, y);
}

static inline uint32_t see_value(const an_stages *stages, uint32_t feature, double x, int64_t t_ns, double *y)
{
    if (!stages->seasons)
        return an_transform_apply(&stages->transform, feature, x, t_ns, y);
    uint32_t flags = apply(stages, feature, x, t_ns, y);
    return flags ? flags : see_in_season(stages, feature, t_ns, y);
}

static AN_OWN_STACK uint32_t see_values(const an_stages *stages, const double *x, int64_t t_ns, double *y)
{
    uint32_t flags = 0;
    for (uint32_t f = 0; f < stages->features; f++)
        flags |= see_value(stages, f, x[f], t_ns, &y[f]);
    return flags;
}

/* One value through a transform or a season alone goes without a frame on the stack. */
uint32_t an_stages_see(const an_stages *stages, const double *x, int64_t t_ns, double *y)
{
    if (stages->features != 1 || stages->transforms == stages->seasons)
        return see_values(stages, x, t_ns, y);
    if (stages->transforms)
        return an_transform_apply(&stages->transform, 0, x[0], t_ns, y);
    *y = x[0];
    return see_in_season(stages, 0, t_ns, y);
}

/* A difference needs only that the value before is not later. */
int an_stages_see_timeless(const an_stages *stages, const double *x, double *y)
{
    if (stages->seasons || stages->transform.how == ANOMALY_RATE)
        return 0;
    an_stages_see(stages, x, INT64_MAX, y);
    return 1;
}

/* ---- after the kind ---- */

void an_stages_transform(const an_stages *stages, const double *x, int64_t t_ns, double *y)
{
    for (uint32_t f = 0; f < stages->features; f++)
        (void)an_transform_apply(&stages->transform, f, x[f], t_ns, &y[f]);
}

/* Each bound by an address of its own: as neighbours the compiler would load two at once of what the kind has just
 * stored one by one, and the processor wait for that. */
void an_stages_transform_back(const an_stages *stages, const double *x, int64_t t_ns, anomaly_verdict *v)
{
    if (stages->transforms)
        an_transform_three_back(&stages->transform, v->feature, x[v->feature], t_ns, &v->expected, &v->lower, &v->upper);
}

static void season_back(const an_stages *stages, int64_t t_ns, anomaly_verdict *v)
{
    an_season_three_back(&stages->season, v->feature, t_ns, &v->expected, &v->lower, &v->upper);
}

void an_stages_bring_back(const an_stages *stages, const double *x, int64_t t_ns, anomaly_verdict *v)
{
    if (stages->seasons)
        season_back(stages, t_ns, v);
    if (stages->transforms)
        an_stages_transform_back(stages, x, t_ns, v);
}

void an_stages_rate(const an_stages *stages, int is_judged, anomaly_verdict *v)
{
    int estimated = 0;
    if (!stages->budgets)
        return;
    v->tail = is_judged ? an_tail_of(stages->record, v->score, &estimated) : (double)NAN;
    v->flags |= estimated ? ANOMALY_TAIL_ESTIMATED : 0u;
    if (keeps_record(stages) && an_tail_is_young(stages->record))
        return;
    v->threshold = stages->record->threshold;
    v->flags &= ~(uint32_t)ANOMALY_IS_ANOMALY;
    if (is_judged && isnan(v->tail))
        v->flags |= ANOMALY_WARMING_UP; /* too few scores */
    if (is_judged && an_tail_exceeds(stages->record, v->score))
        v->flags |= ANOMALY_IS_ANOMALY;
}

/* The record may reach further back than those events: what is equal in them is in the record, too. */
void an_stages_spare(const an_stages *stages, uint64_t equal, uint64_t of, anomaly_verdict *v)
{
    const an_tail *record = stages->record;
    double share = ((double)equal + 1.0) / ((double)(of > record->count ? of : record->count) + 1.0);
    if (equal == 0 || !(share > v->tail))
        return;
    v->tail = share;
    v->flags &= ~(uint32_t)ANOMALY_TAIL_ESTIMATED;
    if (share <= an_tail_budget(record))
        return;
    v->flags &= ~(uint32_t)ANOMALY_IS_ANOMALY;
    v->threshold = v->score < DBL_MAX ? an_next_up(v->score + 0.0) : (double)INFINITY;
}

static an_judged judged_event(const anomaly_verdict *v, const double *x, int64_t t_ns)
{
    return (an_judged){(v->flags & ANOMALY_IS_ANOMALY) != 0, v->score, x[v->feature], v->expected, t_ns};
}

uint32_t an_stages_decide(const an_stages *stages, const anomaly_verdict *v, const double *x, int64_t t_ns)
{
    if (!stages->decides)
        return 0;
    an_judged event = judged_event(v, x, t_ns);
    return an_decide(&stages->decision, &event);
}

uint32_t an_stages_move_on(an_stages *stages, const anomaly_verdict *v, const double *x, int64_t t_ns)
{
    an_judged event = judged_event(v, x, t_ns);
    return an_decision_move(&stages->decision, &event);
}

/* ---- learning ---- */

/* The season learns what the transform makes of the value: so before the transform moves on. */
static AN_OWN_STACK void learn_all(an_stages *stages, const double *x, int64_t t_ns, int flagged)
{
    if (stages->seasons)
        an_season_follow(&stages->season, t_ns);
    if (stages->awaits)
        an_interval_learn(&stages->interval, t_ns);
    for (uint32_t f = 0; f < stages->features; f++) {
        double y;
        if (!isfinite(x[f]))
            continue;
        if (stages->seasons && apply(stages, f, x[f], t_ns, &y) == AN_TRANSFORMED)
            an_season_learn(&stages->season, f, y, t_ns, flagged);
        if (stages->transform.previous)
            an_transform_learn(&stages->transform, f, x[f], t_ns);
    }
}

/* Most of all one value of the slot that time is in. */
void an_stages_learn(an_stages *stages, const double *x, int64_t t_ns, int flagged)
{
    if (!stages->only_season || !isfinite(x[0]) || !an_season_is_now(&stages->season, t_ns)) {
        learn_all(stages, x, t_ns, flagged);
        return;
    }
    stages->season.cycle[0].astray = 0;
    an_season_learn_now(&stages->season, 0, x[0], flagged);
}

/* Does the score count against the budget? What belongs to an episode that was told does not, else one long incident
 * would use up the budget of many; but a change that lasts becomes usual. The decision has moved on already. */
static int counts(const an_stages *stages, const anomaly_verdict *v)
{
    return !(v->flags & ANOMALY_EPISODE) || stages->decision.lasted > stages->record->budget.scores / LASTING_SHARE;
}

void an_stages_record(an_stages *stages, double score, const anomaly_verdict *v, int64_t t_ns)
{
    if (counts(stages, v))
        an_tail_add(stages->record, score, t_ns);
}

/* ---- snapshots ---- */

void an_stages_save(const an_stages *stages, an_writer *writer)
{
    an_transform_save(&stages->transform, writer);
    if (stages->seasons)
        an_season_save(&stages->season, writer);
    if (stages->budgets)
        an_tail_save(&stages->tail, writer);
    if (stages->decides)
        an_decision_save(&stages->decision, writer);
    if (stages->awaits)
        an_interval_save(&stages->interval, writer);
}

/* A record that was saved where it was the detector's own has no use where others keep one. */
static int restore_record(an_stages *stages, an_reader *reader, const anomaly_allocator *allocator)
{
    int status = an_tail_restore(&stages->tail, reader, allocator);
    if (!keeps_record(stages)) {
        an_tail_reset(&stages->tail);
        an_tail_free(&stages->tail, allocator);
    }
    return status;
}

int an_stages_restore(an_stages *stages, an_reader *reader, const anomaly_allocator *allocator)
{
    int status = ANOMALY_OK;
    an_transform_restore(&stages->transform, reader);
    if (stages->seasons)
        an_season_restore(&stages->season, reader);
    if (stages->budgets && !reader->bad)
        status = restore_record(stages, reader, allocator);
    if (stages->decides && !status)
        an_decision_restore(&stages->decision, reader);
    if (stages->awaits && !status && !reader->bad)
        an_interval_restore(&stages->interval, reader);
    return status ? status : reader->bad ? ANOMALY_E_CORRUPT : ANOMALY_OK;
}
