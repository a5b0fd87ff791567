/* SPDX-License-Identifier: MIT */
/* anomaly_suggest(): looks at a series, or at some of the keys, chooses, and tries the choice. */
#include "base/memory.h"
#include "detector/options.h"
#include "detector/rows.h"
#include "detector/status.h"
#include "suggest/groups.h"
#include "suggest/trial.h"

#include <string.h>

#define SHORT 1000u /* rows: fewer, of a series, are judged beside each other; of a key, by all keys */

typedef struct an_call {
    const anomaly_rows *rows;
    const anomaly_keys *keys;
    const anomaly_allocator *allocator;
    uint32_t features;
    an_choice choice;
} an_call;

/* ---- what is looked at ---- */

static void look_at_keys(const an_call *call, const an_groups *groups, an_facts *facts, an_desk *desk)
{
    size_t key = 0, long_ones = 0;
    for (size_t from = 0, to; from < groups->rows; from = to) {
        to = an_groups_end(groups, from);
        long_ones += to - from >= SHORT;
    }
    for (size_t from = 0, to; from < groups->rows; from = to) {
        to = an_groups_end(groups, from);
        if (to - from < SHORT)
            continue;
        an_series series = {call->rows, call->features, groups->order + from, to - from};
        size_t picked = facts->series * long_ones / AN_SERIES_LOOKED;
        if (key++ >= picked && facts->series < AN_SERIES_LOOKED)
            an_facts_add(facts, &series, 1, desk);
    }
}

static void choose_for_series(an_call *call, an_desk *desk)
{
    an_facts facts = {.looked = 0};
    an_series series = {call->rows, call->features, NULL, call->rows->count};
    an_facts_add(&facts, &series, 1, desk);
    call->choice.said.interval_ns = an_facts_interval(&facts);
    an_choose_options(&call->choice, call->features, &facts);
}

static void choose_for_keys(an_call *call, const an_groups *groups, an_desk *desk)
{
    an_facts facts = {.looked = 0};
    an_series all = {call->rows, call->features, groups->order, groups->rows};
    if (groups->usual < SHORT)
        an_facts_add(&facts, &all, 0, desk);
    else
        look_at_keys(call, groups, &facts, desk);
    call->choice.said.interval_ns = an_facts_interval(&facts);
    if (groups->usual < SHORT)
        an_choose_population(&call->choice, call->features, &facts);
    else
        an_choose_options(&call->choice, call->features, &facts);
}

/* ---- the call ---- */

static int choose(an_call *call, const an_groups *groups)
{
    if (call->rows->count < SHORT) {
        an_choose_whole(&call->choice, call->features);
        return ANOMALY_OK;
    }
    an_desk *desk = an_alloc(call->allocator, 1, sizeof *desk);
    if (!desk)
        return ANOMALY_E_NOMEM;
    if (call->choice.said.keys > 1)
        choose_for_keys(call, groups, desk);
    else
        choose_for_series(call, desk);
    an_free(call->allocator, desk, 1, sizeof *desk);
    return ANOMALY_OK;
}

static int suggest(an_call *call)
{
    an_groups groups = {.order = NULL, .keys = 1, .usual = call->rows->count};
    int status = call->keys ? an_groups_make(&groups, call->rows, call->keys, call->allocator) : ANOMALY_OK;
    if (status)
        return status;
    call->choice.rows = call->rows->count;
    call->choice.usual_rows = groups.usual;
    call->choice.said.keys = groups.keys;
    status = choose(call, &groups);
    if (!status)
        status = an_trial(&call->choice, call->rows, call->keys, &groups, call->allocator);
    an_groups_free(&groups, call->allocator);
    return status;
}

/* ---- arguments ---- */

static int check_keys(const anomaly_rows *rows, const anomaly_keys *keys, anomaly_error *error)
{
    if (!keys || keys->slots)
        return ANOMALY_OK;
    if (!keys->keys && rows->count)
        return an_error(error, ANOMALY_E_ARG, "", "slots or keys must be given");
    for (size_t i = 0; i < rows->count; i++)
        if (!keys->keys[i] || (keys->sizes ? keys->sizes[i] < 1 || keys->sizes[i] > 65535 : !*keys->keys[i]))
            return an_error(error, ANOMALY_E_ARG, "", "a key has 1 to 65535 bytes");
    return ANOMALY_OK;
}

static int check(const anomaly_rows *rows, const anomaly_keys *keys, const anomaly_config *config,
                 const anomaly_suggestion *suggestion, anomaly_error *error)
{
    if (!rows || !config || !suggestion)
        return an_error(error, ANOMALY_E_ARG, "", "rows, config and suggestion must be given");
    if (config->struct_size > sizeof *config || suggestion->struct_size > sizeof *suggestion)
        return an_error(error, ANOMALY_E_VERSION, "struct_size", "the struct is of a newer version");
    if (config->struct_size < sizeof *config || suggestion->struct_size < sizeof *suggestion)
        return an_error(error, ANOMALY_E_ARG, "struct_size", "struct_size must be set to the size of the struct");
    if (config->features < 1 || config->features > AN_MAX_FEATURES)
        return an_error(error, ANOMALY_E_ARG, "features", "features must be from 1 to %d", AN_MAX_FEATURES);
    if (an_check_rows(rows, config->features))
        return an_error(error, ANOMALY_E_ARG, "", "rows have no values");
    if (rows->count == 0)
        return an_error(error, ANOMALY_E_EMPTY, "", "there are no rows to look at");
    return check_keys(rows, keys, error);
}

int anomaly_suggest(const anomaly_rows *rows, const anomaly_keys *keys, const anomaly_allocator *allocator,
                    anomaly_config *config, anomaly_suggestion *suggestion, anomaly_error *error)
{
    if (error)
        memset(error, 0, sizeof *error);
    int status = check(rows, keys, config, suggestion, error);
    if (status)
        return status;
    const anomaly_allocator memory = an_allocator_or_default(allocator);
    an_call call = {rows, keys, &memory, config->features, {.rows = 0}};
    status = suggest(&call);
    if (status == ANOMALY_E_CONFIG) /* 32 bits only: the detector for so many features is larger than any memory */
        status = ANOMALY_E_NOMEM;
    if (status)
        return an_error(error, status, "", "%s", anomaly_status_text(status));
    call.choice.said.struct_size = sizeof *suggestion;
    *config = call.choice.config;
    *suggestion = call.choice.said;
    return ANOMALY_OK;
}
