/* SPDX-License-Identifier: MIT
 * fields.h - the fields of the library's structs, as the keys and values of Lua's tables. */
#ifndef ANOMALY_LUA_FIELDS_H
#define ANOMALY_LUA_FIELDS_H

#include "base.h"

#include <stddef.h>

enum type {
    AS_NUMBER,  /* double */
    AS_COUNT,   /* uint64_t */
    AS_FLAGS,   /* uint32_t */
    AS_FEATURE, /* uint32_t; from 1 in Lua */
    AS_ANOMALY, /* of uint32_t flags: a boolean */
    AS_SECONDS  /* int64_t nanoseconds */
};

static const size_t size_of_type[] = {sizeof(double),   sizeof(uint64_t), sizeof(uint32_t),
                                      sizeof(uint32_t), sizeof(uint32_t), sizeof(int64_t)};

typedef struct field {
    const char *name;
    enum type type;
    size_t offset;
    size_t column; /* verdicts: offset of the array in anomaly_verdicts */
} field;

#define VERDICT(field) offsetof(anomaly_verdict, field), offsetof(anomaly_verdicts, field)
static const field verdict_fields[] = {
    {"anomaly", AS_ANOMALY, VERDICT(flags)},      {"score", AS_NUMBER, VERDICT(score)},
    {"threshold", AS_NUMBER, VERDICT(threshold)}, {"expected", AS_NUMBER, VERDICT(expected)},
    {"lower", AS_NUMBER, VERDICT(lower)},         {"upper", AS_NUMBER, VERDICT(upper)},
    {"flags", AS_FLAGS, VERDICT(flags)},          {"feature", AS_FEATURE, VERDICT(feature)},
    {"events", AS_COUNT, VERDICT(events)},        {"tail", AS_NUMBER, VERDICT(tail)},
};
enum { VERDICT_FIELDS = COUNT_OF(verdict_fields) };

#define FIELD(type, struct, name) #name, type, offsetof(struct, name), 0
static const field stats_fields[] = {
    {FIELD(AS_COUNT, anomaly_stats, count)},     {FIELD(AS_NUMBER, anomaly_stats, mean)},
    {FIELD(AS_NUMBER, anomaly_stats, variance)}, {FIELD(AS_NUMBER, anomaly_stats, stddev)},
    {FIELD(AS_NUMBER, anomaly_stats, min)},      {FIELD(AS_NUMBER, anomaly_stats, max)},
};
static const field counts_fields[] = {
    {FIELD(AS_COUNT, anomaly_counts, events)},      {FIELD(AS_COUNT, anomaly_counts, anomalies)},
    {FIELD(AS_COUNT, anomaly_counts, learned)},     {FIELD(AS_COUNT, anomaly_counts, warming_up)},
    {FIELD(AS_COUNT, anomaly_counts, missing)},     {FIELD(AS_COUNT, anomaly_counts, nonfinite)},
    {FIELD(AS_COUNT, anomaly_counts, late)},        {FIELD(AS_COUNT, anomaly_counts, jumped)},
    {FIELD(AS_COUNT, anomaly_counts, flat)},        {FIELD(AS_COUNT, anomaly_counts, skipped)},
    {FIELD(AS_COUNT, anomaly_counts, truncated)},   {FIELD(AS_COUNT, anomaly_counts, untransformed)},
    {FIELD(AS_COUNT, anomaly_counts, alarms)},      {FIELD(AS_COUNT, anomaly_counts, held)},
    {FIELD(AS_COUNT, anomaly_counts, unconfirmed)}, {FIELD(AS_COUNT, anomaly_counts, small_change)},
};
static const field usage_fields[] = {
    {FIELD(AS_COUNT, anomaly_usage, keys)},    {FIELD(AS_COUNT, anomaly_usage, bytes)},
    {FIELD(AS_COUNT, anomaly_usage, created)}, {FIELD(AS_COUNT, anomaly_usage, removed)},
    {FIELD(AS_COUNT, anomaly_usage, evicted)},
};

static const field silence_fields[] = {
    {"last", AS_SECONDS, offsetof(anomaly_silence, last_ns), 0},
    {"usual", AS_SECONDS, offsetof(anomaly_silence, usual_ns), 0},
    {"due", AS_SECONDS, offsetof(anomaly_silence, due_ns), 0},
    {"overdue", AS_SECONDS, offsetof(anomaly_silence, overdue_ns), 0},
};

static inline void push_field(lua_State *L, enum type type, const void *at)
{
    switch (type) {
    case AS_NUMBER: lua_pushnumber(L, *(const double *)at); break;
    case AS_COUNT: push_count(L, *(const uint64_t *)at); break;
    case AS_FLAGS: push_count(L, *(const uint32_t *)at); break;
    case AS_FEATURE: push_count(L, *(const uint32_t *)at + (uint64_t)1); break;
    case AS_SECONDS: lua_pushnumber(L, (double)*(const int64_t *)at / 1e9); break;
    case AS_ANOMALY: lua_pushboolean(L, (*(const uint32_t *)at & ANOMALY_IS_ANOMALY) != 0); break;
    }
}

#endif
