/* SPDX-License-Identifier: MIT */
#include "stage/stages.h"

#include <math.h>

#define CLUSTER 150u /* events */

/* ---- what a configuration asks for ---- */

static int wants_budget(const anomaly_config *config)
{
    return config->alarm_rate > 0 || config->alarms_ns != 0;
}

static int wants_decision(const anomaly_config *config)
{
    return config->rest_events || config->rest_ns || config->confirm > 1 || config->min_change > 0 ||
           config->min_percent > 0;
}

int an_stages_change_values(const anomaly_config *config)
{
    return config->transform != ANOMALY_RAW || config->season_ns;
}

int an_stages_are_wanted(const anomaly_config *config)
{
    return an_stages_change_values(config) || wants_budget(config) || wants_decision(config);
}

int an_stages_need_times(const anomaly_config *config)
{
    return config->season_ns || config->alarms_ns > 0 || config->rest_ns || config->transform == ANOMALY_RATE;
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

/* ---- memory ---- */

size_t an_stages_bytes(const anomaly_config *config)
{
    if (!an_stages_are_wanted(config))
        return 0;
    an_season_options season = season_options(config);
    an_budget budget = budget_of(config);
    size_t bytes = an_sum(sizeof(an_stages), an_transform_bytes(config->transform, config->features));
    bytes = an_sum(bytes, config->season_ns ? an_season_bytes(&season) : 0);
    return an_sum(bytes, wants_budget(config) ? an_tail_bytes(&budget) : 0);
}

static int create_parts(an_stages *stages, const anomaly_config *config, const an_places *places,
                        const anomaly_allocator *allocator)
{
    an_season_options season = season_options(config);
    an_budget budget = budget_of(config);
    an_decision_options decision = decision_options(config);
    int status = an_transform_create(&stages->transform, config->transform, config->features, allocator);
    if (!status && config->season_ns)
        status = an_season_create(&stages->season, &season, allocator);
    if (status)
        return status;
    stages->features = config->features;
    stages->transforms = config->transform != ANOMALY_RAW;
    stages->seasons = config->season_ns != 0;
    stages->budgets = wants_budget(config);
    stages->decides = wants_decision(config);
    stages->since_odd = CLUSTER;
    an_tail_init(&stages->tail, &budget, places);
    an_decision_init(&stages->decision, &decision);
    return ANOMALY_OK;
}

int an_stages_create(an_stages **stages, const anomaly_config *config, const an_places *places,
                     const anomaly_allocator *allocator)
{
    an_stages *created = an_alloc(allocator, 1, sizeof *created);
    if (!created)
        return ANOMALY_E_NOMEM;
    *created = (an_stages){.features = 0};
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
    an_transform_free(&stages->transform, allocator);
    an_season_free(&stages->season, allocator);
    an_tail_free(&stages->tail, allocator);
    an_free(allocator, stages, 1, sizeof *stages);
}

void an_stages_reset(an_stages *stages)
{
    an_transform_reset(&stages->transform);
    an_season_reset(&stages->season);
    an_tail_reset(&stages->tail);
    an_decision_reset(&stages->decision);
    stages->since_odd = CLUSTER;
}

void an_stages_follow(an_stages *stages, const anomaly_config *config)
{
    stages->budgets = wants_budget(config);
}

int an_stages_prepare(an_stages *stages, const anomaly_allocator *allocator)
{
    return stages->budgets ? an_tail_prepare(&stages->tail, allocator) : ANOMALY_OK;
}

int an_stages_reserve(an_stages *stages, const anomaly_allocator *allocator)
{
    return stages->budgets ? an_tail_reserve(&stages->tail, allocator) : ANOMALY_OK;
}

/* ---- before the kind ---- */

void an_stages_advance(an_stages *stages, int64_t t_ns)
{
    if (stages->seasons)
        an_season_advance(&stages->season, t_ns);
}

static uint32_t see_value(const an_stages *stages, uint32_t feature, double x, int64_t t_ns, double *y)
{
    enum an_transformed how = an_transform_apply(&stages->transform, feature, x, t_ns, y);
    if (how != AN_TRANSFORMED)
        return how == AN_FIRST ? ANOMALY_WARMING_UP : ANOMALY_UNTRANSFORMED;
    if (!stages->seasons || !isfinite(*y))
        return 0;
    an_usual usual = an_season_at(&stages->season, feature, t_ns);
    *y = usual.known ? (*y - usual.centre) / usual.spread : (double)NAN;
    return usual.known ? 0 : ANOMALY_WARMING_UP;
}

uint32_t an_stages_see(const an_stages *stages, const double *x, int64_t t_ns, double *y)
{
    uint32_t flags = 0;
    for (uint32_t f = 0; f < stages->features; f++)
        flags |= see_value(stages, f, x[f], t_ns, &y[f]);
    return flags;
}

/* ---- after the kind ---- */

static double bring_back(const an_stages *stages, uint32_t feature, const an_usual *usual, double y, int64_t t_ns)
{
    return an_transform_back(&stages->transform, feature, usual->centre + usual->spread * y, t_ns);
}

void an_stages_bring_back(const an_stages *stages, int64_t t_ns, anomaly_verdict *v)
{
    an_usual usual = {1, 0.0, 1.0};
    if (!stages->transforms && !stages->seasons)
        return;
    if (stages->seasons)
        usual = an_season_at(&stages->season, v->feature, t_ns);
    v->expected = bring_back(stages, v->feature, &usual, v->expected, t_ns);
    v->lower = bring_back(stages, v->feature, &usual, v->lower, t_ns);
    v->upper = bring_back(stages, v->feature, &usual, v->upper, t_ns);
}

void an_stages_rate(const an_stages *stages, int is_judged, anomaly_verdict *v)
{
    int estimated = 0;
    if (!stages->budgets)
        return;
    v->tail = is_judged ? an_tail_of(&stages->tail, v->score, &estimated) : (double)NAN;
    v->flags |= estimated ? ANOMALY_TAIL_ESTIMATED : 0u;
    if (an_tail_is_young(&stages->tail))
        return;
    v->threshold = stages->tail.threshold;
    v->flags &= ~(uint32_t)ANOMALY_IS_ANOMALY;
    if (is_judged && isnan(v->tail))
        v->flags |= ANOMALY_WARMING_UP; /* too few scores */
    if (is_judged && an_tail_exceeds(&stages->tail, v->score))
        v->flags |= ANOMALY_IS_ANOMALY;
}

static an_judged judged_event(const anomaly_verdict *v, const double *x, int64_t t_ns)
{
    return (an_judged){(v->flags & ANOMALY_IS_ANOMALY) != 0, v->score, x[v->feature], v->expected, t_ns};
}

uint32_t an_stages_decide(const an_stages *stages, const anomaly_verdict *v, const double *x, int64_t t_ns)
{
    an_judged event = judged_event(v, x, t_ns);
    return stages->decides ? an_decide(&stages->decision, &event) : 0;
}

/* ---- learning ---- */

/* The season learns what the transform makes of the value: so before the transform moves on. */
void an_stages_learn(an_stages *stages, const double *x, int64_t t_ns, int flagged)
{
    for (uint32_t f = 0; f < stages->features; f++) {
        double y;
        if (!isfinite(x[f]))
            continue;
        if (stages->seasons && an_transform_apply(&stages->transform, f, x[f], t_ns, &y) == AN_TRANSFORMED)
            an_season_learn(&stages->season, f, y, t_ns, flagged);
        if (stages->transforms)
            an_transform_learn(&stages->transform, f, x[f], t_ns);
    }
}

/* An incident of many odd events is one alarm: so of odd events that are held back in an episode the budget counts one
 * in CLUSTER. One at least, so that a threshold that is too low for what has become usual goes up again. */
static int is_counted(an_stages *stages, const anomaly_verdict *v)
{
    int told = (v->flags & ANOMALY_EPISODE) && (v->flags & ANOMALY_HELD);
    if (told && stages->since_odd < CLUSTER) {
        stages->since_odd++;
        return 0;
    }
    stages->since_odd = (v->flags & ANOMALY_IS_ANOMALY) ? 0 : stages->since_odd + (stages->since_odd < CLUSTER);
    return 1;
}

void an_stages_finish(an_stages *stages, int is_judged, const anomaly_verdict *v, const double *x, int64_t t_ns)
{
    if (stages->budgets && is_judged && !isnan(v->score) && is_counted(stages, v))
        an_tail_add(&stages->tail, v->score, t_ns);
    if (stages->decides) {
        an_judged event = judged_event(v, x, t_ns);
        an_decision_move(&stages->decision, &event);
    }
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
    if (stages->budgets && stages->decides)
        an_write_u8(writer, (uint8_t)stages->since_odd);
}

static void restore_since(an_stages *stages, an_reader *reader)
{
    stages->since_odd = an_read_u8(reader);
    reader->bad |= stages->since_odd > CLUSTER;
}

int an_stages_restore(an_stages *stages, an_reader *reader, const anomaly_allocator *allocator)
{
    int status = ANOMALY_OK;
    an_transform_restore(&stages->transform, reader);
    if (stages->seasons)
        an_season_restore(&stages->season, reader);
    if (stages->budgets && !reader->bad)
        status = an_tail_restore(&stages->tail, reader, allocator);
    if (stages->decides && !status)
        an_decision_restore(&stages->decision, reader);
    if (stages->budgets && stages->decides && !status)
        restore_since(stages, reader);
    return status ? status : reader->bad ? ANOMALY_E_CORRUPT : ANOMALY_OK;
}
