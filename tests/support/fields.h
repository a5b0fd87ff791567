/* SPDX-License-Identifier: MIT
 * fields.h - the fields of a snapshot, found by docs/snapshot-format.md alone: where each lies and how it is written. */
#ifndef FIELDS_H
#define FIELDS_H

#include "seal.h"
#include "test.h"

enum field_type { FIELD_U8, FIELD_VARINT, FIELD_SIGNED, FIELD_I64, FIELD_U64, FIELD_F64, FIELD_F32, FIELD_BYTES };

typedef struct field {
    const char *name;
    enum field_type type;
    size_t at, size;
    size_t section, record; /* where its section begins, and the length of its record in a pool, if it is in one */
} field;

enum { MOST_FIELDS = 20000 };

typedef struct fields {
    const unsigned char *bytes;
    size_t at, section, record;
    size_t count;
    field of[MOST_FIELDS];
    /* of the configuration: what decides how the state is written */
    uint64_t features, window_ns, period_ns[2];
    int kind, robust, follows, trees, lags, remembers, budgets, by_time, rests, decides;
} fields;

/* ---- one field after the other ---- */

static inline uint64_t number_at(const unsigned char *bytes, enum field_type type, size_t *size)
{
    uint64_t value = 0;
    static const size_t SIZES[] = {[FIELD_U8] = 1, [FIELD_I64] = 8, [FIELD_U64] = 8, [FIELD_F64] = 8, [FIELD_F32] = 4};
    if (type != FIELD_VARINT && type != FIELD_SIGNED) {
        *size = SIZES[type];
        for (size_t i = 0; i < *size; i++)
            value |= (uint64_t)bytes[i] << 8 * i;
        return value;
    }
    for (*size = 0; *size == 0 || bytes[*size - 1] & 0x80; ++*size)
        value |= (uint64_t)(bytes[*size] & 0x7f) << 7 * *size;
    return type == FIELD_SIGNED ? value >> 1 ^ (value & 1 ? UINT64_MAX : 0) : value;
}

static inline void note_field(fields *f, const char *name, enum field_type type, size_t size)
{
    assert_true(f->count < MOST_FIELDS);
    f->of[f->count++] = (field){name, type, f->at, size, f->section, f->record};
    f->at += size;
}

static inline uint64_t next_field(fields *f, const char *name, enum field_type type)
{
    size_t size;
    uint64_t value = number_at(f->bytes + f->at, type, &size);
    note_field(f, name, type, size);
    return value;
}

static inline void next_doubles(fields *f, const char *name, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++)
        (void)next_field(f, name, FIELD_F64);
}

/* ---- configuration ---- */

static inline void find_config(fields *f)
{
    static const struct {
        const char *name;
        enum field_type type;
    } F[] = {{"kind", FIELD_SIGNED},        {"features", FIELD_VARINT},      {"window_events", FIELD_VARINT},
             {"window_ns", FIELD_SIGNED},   {"warmup_events", FIELD_VARINT}, {"threshold", FIELD_F64},
             {"compare", FIELD_SIGNED},     {"side", FIELD_SIGNED},          {"include_self", FIELD_SIGNED},
             {"ddof", FIELD_SIGNED},        {"robust", FIELD_SIGNED},        {"flat", FIELD_SIGNED},
             {"min_stddev", FIELD_F64},     {"learn", FIELD_SIGNED},         {"learn_after", FIELD_VARINT},
             {"max_late_ns", FIELD_SIGNED}, {"max_jump_ns", FIELD_SIGNED},   {"lower_percent", FIELD_F64},
             {"upper_percent", FIELD_F64},  {"quantile", FIELD_SIGNED},      {"reserve", FIELD_SIGNED},
             {"profile", FIELD_SIGNED},     {"trees", FIELD_VARINT},         {"sample", FIELD_VARINT},
             {"depth", FIELD_VARINT},       {"candidates", FIELD_VARINT},    {"guided", FIELD_F64},
             {"contamination", FIELD_F64},  {"seed", FIELD_VARINT},          {"alarm_rate", FIELD_F64},
             {"alarms", FIELD_F64},         {"alarms_ns", FIELD_SIGNED},     {"calibrate", FIELD_VARINT},
             {"transform", FIELD_SIGNED},   {"confirm", FIELD_VARINT},       {"confirm_of", FIELD_VARINT},
             {"season_ns", FIELD_SIGNED},   {"second_ns", FIELD_SIGNED},     {"offset_ns", FIELD_SIGNED},
             {"rest_events", FIELD_VARINT}, {"rest_ns", FIELD_SIGNED},       {"margin", FIELD_F64},
             {"min_change", FIELD_F64},     {"min_percent", FIELD_F64},      {"lags", FIELD_SIGNED},
             {"silence", FIELD_F64},        {"silence_ns", FIELD_SIGNED},    {"calibrate_by", FIELD_SIGNED},
             {"population", FIELD_SIGNED}};
    uint64_t value[ARRAY_COUNT(F)] = {0}, count = next_field(f, "fields of the configuration", FIELD_VARINT);
    assert_true(count <= ARRAY_COUNT(F));
    for (uint64_t i = 0; i < count; i++)
        value[i] = next_field(f, F[i].name, F[i].type);
    f->kind = (int)value[0];
    f->features = value[1];
    f->window_ns = value[3];
    f->lags = count < 45 ? -1 : (int)(int64_t)value[44];
    f->robust = (int)value[10];
    f->follows = count < 28 || value[27] != 0 || value[5] == 0; /* left out: the default, which is not 0 */
    f->by_time = value[31] != 0;
    f->budgets = value[29] != 0 || f->by_time;
    f->remembers = (int)value[33] >= ANOMALY_DIFF;
    f->period_ns[0] = value[36];
    f->period_ns[1] = value[37];
    f->rests = value[39] || value[40];
    f->decides = f->rests || value[34] > 1 || value[42] || value[43];
}

/* ---- state ---- */

static inline void find_counters(fields *f)
{
    for (uint64_t n = next_field(f, "number of counters", FIELD_U8); n > 0; n--)
        (void)next_field(f, "counter", FIELD_VARINT);
}

static inline void find_tree(fields *f, int other)
{
    if (other)
        (void)next_field(f, "is the tree in the other coding?", FIELD_U8);
    for (int open = 1; open > 0; open--) {
        uint64_t node = next_field(f, "node", FIELD_VARINT);
        if (!(node & 1))
            continue;
        (void)next_field(f, "least", FIELD_F32);
        if ((node >> 1) % 3 == 2) {
            (void)next_field(f, "events of a gate", FIELD_VARINT);
            continue;
        }
        (void)next_field(f, "greatest", FIELD_F32);
        (void)next_field(f, "cut", FIELD_F32);
        open += 2;
    }
    for (uint64_t still = next_field(f, "still features", FIELD_VARINT); still > 0; still--) {
        (void)next_field(f, "step to a still feature", FIELD_VARINT);
        (void)next_field(f, "still value", FIELD_F32);
    }
}

/* Features of the coding that is being found. */
static inline uint64_t pending(uint64_t features, int coded, uint64_t check, uint64_t events)
{
    uint64_t groups = (features + 7) / 8, looked = coded ? check * groups / 512 : events < 8 ? 0 : (events - 7) * groups / 8;
    return looked * 8 < features ? looked * 8 : features;
}

static inline void find_forest(fields *f, uint64_t events, int own_threshold)
{
    uint64_t flags = next_field(f, "flags of the forest", FIELD_U8);
    for (int i = 0; i < 4; i++)
        (void)next_field(f, "random generator", FIELD_U64);
    (void)next_field(f, "credit", FIELD_VARINT);
    uint64_t before = f->lags > 1 ? (uint64_t)f->lags - 1 : 0, seen = events < before ? 0 : events - before;
    uint64_t check = next_field(f, "check", FIELD_VARINT), built = next_field(f, "trees grown", FIELD_VARINT);
    (void)next_field(f, "next tree", FIELD_VARINT);
    uint64_t older = next_field(f, "trees in the other coding", FIELD_VARINT);
    next_doubles(f, "step", f->features);
    next_doubles(f, "coding", flags & 1 ? 2 * f->features : 0);
    next_doubles(f, "other coding", older ? 2 * f->features : 0);
    next_doubles(f, "pending coding", 2 * pending(f->features, flags & 1, check, seen));
    for (; built > 0; built--)
        find_tree(f, older != 0);
    if (f->follows && !own_threshold)
        next_doubles(f, "score", next_field(f, "scores", FIELD_VARINT));
}

static inline void find_totals(fields *f, uint64_t coordinates)
{
    if (next_field(f, "vectors of the totals", FIELD_VARINT) == 0)
        return;
    for (uint64_t i = 0; i < coordinates; i++) {
        (void)next_field(f, "values of a coordinate", FIELD_VARINT);
        (void)next_field(f, "scale", FIELD_U8);
    }
    next_doubles(f, "total", 2 * coordinates + coordinates * (coordinates + 1) / 2);
}

static inline void find_distance(fields *f)
{
    int pyramid = f->lags == -2 || (f->lags == -1 && f->features == 1);
    uint64_t values = f->lags > 1 ? (uint64_t)f->lags : 1, m = (pyramid ? 7 : values) * f->features, room = 1;
    while (room < values - 1)
        room *= 2;
    (void)next_field(f, "how totals are written", FIELD_U8);
    (void)next_field(f, "events ever", FIELD_VARINT);
    uint64_t used = next_field(f, "blocks in use", FIELD_VARINT);
    (void)next_field(f, "block being filled", FIELD_VARINT);
    uint64_t batched = next_field(f, "vectors of the batch", FIELD_VARINT);
    next_doubles(f, "lag", (pyramid ? 63 : values > 1 ? room : 0) * f->features);
    next_doubles(f, "coordinate", batched * m);
    for (uint64_t i = 0; i <= used; i++) /* the fit first */
        find_totals(f, m);
}

/* Levels and spreads stand beside the residuals that have no 59 events before them in the window, if events have left it. */
static inline void find_views(fields *f, uint64_t tail, uint64_t events)
{
    for (uint64_t i = 0; i < events; i++) {
        (void)next_field(f, "residual", FIELD_F64);
        for (int k = 0; k < 3 && tail > 0 && i < 59; k++) {
            (void)next_field(f, "level", FIELD_F64);
            (void)next_field(f, "spread", FIELD_F64);
        }
    }
}

static inline void find_slots(fields *f)
{
    for (int slot = 0; slot < 97; slot++)
        for (uint64_t visits = next_field(f, "visits of a slot", FIELD_U8); visits > 0; visits--) {
            (void)next_field(f, "day of a visit", FIELD_SIGNED);
            (void)next_field(f, "values of a visit", FIELD_VARINT);
            (void)next_field(f, "mean of a visit", FIELD_F64);
        }
}

static inline void find_shapes(fields *f)
{
    uint64_t blocks = next_field(f, "blocks of shapes", FIELD_U8), waiting = next_field(f, "shapes that wait", FIELD_U8);
    uint64_t ready = next_field(f, "is there a factor?", FIELD_U8);
    for (; blocks > 0; blocks--)
        if (next_field(f, "shapes of a block", FIELD_VARINT))
            next_doubles(f, "totals of a block", 7 + 28);
    next_doubles(f, "shape that waits", 7 * waiting);
    next_doubles(f, "factor", ready ? 7 + 28 : 0);
}

static inline void find_window(fields *f, uint64_t events)
{
    if (f->kind == ANOMALY_MAHALANOBIS) /* they are counted only */
        return;
    for (uint64_t i = 0; f->window_ns && i < events; i++)
        (void)next_field(f, i == 0 ? "oldest time" : "step of time", i == 0 ? FIELD_I64 : FIELD_VARINT);
    for (uint64_t k = 0; k < f->features; k++) {
        (void)next_field(f, "how values are written", FIELD_U8);
        next_doubles(f, "value", events);
    }
}

/* ---- stages ---- */

static inline void find_visit(fields *f, const char *values)
{
    if (next_field(f, values, FIELD_VARINT) == 0)
        return;
    (void)next_field(f, "mean of a season's visit", FIELD_F64);
    (void)next_field(f, "deviation of a visit", FIELD_F64);
}

static inline void find_cycle(fields *f, uint64_t period_ns)
{
    int slots = period_ns > 2 * 24 * 3600 * (uint64_t)SECOND ? 168 : 96;
    (void)next_field(f, "has time begun?", FIELD_U8);
    (void)next_field(f, "slot of time", FIELD_I64);
    for (uint64_t k = 0; k < f->features; k++) {
        for (int i = 0; i < slots; i++) {
            uint64_t visits = next_field(f, "visits ever", FIELD_VARINT);
            for (uint64_t kept = visits < 7 ? visits : 7; kept > 0; kept--)
                find_visit(f, "values of a kept visit");
        }
        find_visit(f, "values of the visit");
        find_visit(f, "flagged values of the visit");
    }
}

static inline void find_record_of_scores(fields *f)
{
    static const char *const FIT[] = {"share", "origin of the fit", "scale of the fit", "shape of the fit",
                                      "threshold in force"};
    uint64_t count = next_field(f, "scores held", FIELD_VARINT), head = next_field(f, "scores ever", FIELD_VARINT);
    next_doubles(f, "score held", count);
    for (uint64_t i = head - count; f->by_time && i < head; i++)
        if (i % 64 == 0)
            (void)next_field(f, "time of a score", FIELD_I64);
    for (size_t i = 0; count >= 50 && i < ARRAY_COUNT(FIT); i++)
        (void)next_field(f, FIT[i], FIELD_F64);
}

static inline void find_episode(fields *f)
{
    (void)next_field(f, "events that were odd", FIELD_U64);
    if (next_field(f, "does an episode go on?", FIELD_U8) == 0)
        return;
    (void)next_field(f, "events since the last odd one", FIELD_VARINT);
    (void)next_field(f, "events since the alarm", FIELD_VARINT);
    (void)next_field(f, "time of the last odd one", FIELD_I64);
    (void)next_field(f, "score of the last alarm", FIELD_F64);
}

static inline void find_stages(fields *f, int own_threshold)
{
    for (uint64_t k = 0; f->remembers && k < f->features; k++) {
        (void)next_field(f, "value before", FIELD_F64);
        (void)next_field(f, "time of the value before", FIELD_I64);
    }
    for (int i = 0; i < 2; i++)
        if (f->period_ns[i])
            find_cycle(f, f->period_ns[i]);
    if (f->budgets && !own_threshold)
        find_record_of_scores(f);
    if (f->decides)
        find_episode(f);
}

static inline void find_state(fields *f)
{
    uint64_t has = next_field(f, "flags of the state", FIELD_U8);
    if (has & 1)
        (void)next_field(f, "own threshold", FIELD_F64);
    if (has & 2)
        (void)next_field(f, "clock", FIELD_I64);
    if (has & 4)
        (void)next_field(f, "newest time cut", FIELD_I64);
    find_counters(f);
    (void)next_field(f, "flagged in a row", FIELD_VARINT);
    uint64_t tail = next_field(f, "tail", FIELD_VARINT);
    uint64_t events = next_field(f, "events", FIELD_VARINT);
    find_window(f, events);
    if (f->kind == ANOMALY_IFOREST)
        find_forest(f, events, has & 1);
    if (f->kind == ANOMALY_MAHALANOBIS)
        find_distance(f);
    if (f->kind == ANOMALY_WATCH) {
        find_views(f, tail, events);
        find_slots(f);
        find_shapes(f);
    }
    for (int i = 0; i < 4 && f->kind == ANOMALY_ZSCORE && !f->robust; i++)
        (void)next_field(f, "border", FIELD_VARINT);
    find_stages(f, has & 1);
}

/* ---- sections ---- */

static inline void find_time(fields *f, const char *name)
{
    if (next_field(f, name, FIELD_U8))
        (void)next_field(f, name, FIELD_I64);
}

static inline void find_pool(fields *f)
{
    static const char *const LIMITS[] = {"max_keys", "max_bytes", "max_idle_ns", "refuse", "shards"};
    find_config(f);
    (void)next_field(f, "number of limits", FIELD_VARINT);
    for (size_t i = 0; i < ARRAY_COUNT(LIMITS); i++)
        (void)next_field(f, LIMITS[i], FIELD_VARINT);
    find_time(f, "newest of the pool");
    find_counters(f);
}

static inline void find_record(fields *f)
{
    f->record = f->at;
    uint64_t size = next_field(f, "length of a record", FIELD_VARINT);
    size_t end = f->at + (size_t)size;
    uint64_t key = next_field(f, "length of a key", FIELD_VARINT);
    note_field(f, "key", FIELD_BYTES, (size_t)key);
    (void)next_field(f, "last used", FIELD_VARINT);
    find_time(f, "newest of a key");
    find_state(f);
    assert_true(f->at == end);
    f->record = 0;
}

/* All of them; the format is what the document says, or this fails. */
static inline void find_fields(fields *f, const unsigned char *bytes, size_t size)
{
    *f = (fields){.bytes = bytes};
    while (f->section < size) {
        size_t type = bytes[f->section + 12], end = f->section + seal_length(bytes, size, f->section) - 8;
        f->at = f->section + SEAL_HEADER;
        if (type == 1 || type == 2)
            type == 1 ? (find_config(f), find_state(f)) : find_pool(f);
        while (type == 3 && f->at < end)
            find_record(f);
        if (type == 4)
            (void)next_field(f, "records", FIELD_VARINT);
        assert_true(f->at == end);
        f->section = end + 8;
    }
}

#endif
