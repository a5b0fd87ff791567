/* SPDX-License-Identifier: MIT
 * rows.c - the rows calls give the bits of the loop over the single call, and a single update
 * those of advance, score and learn: any layout, any chunks, every code path, any configuration. */
#include "../support/test.h"

#include "../support/random.h"
#include "../support/stream.h"

enum { FEATURES = 4 };

typedef struct table {
    size_t count;
    uint32_t features;
    double *x;      /* [count][features], packed */
    int64_t *times; /* packed */
    anomaly_verdict *verdicts;
    unsigned char *raw; /* the same values in the layout under test */
    unsigned char *raw_times;
    const double *columns[FEATURES];
    anomaly_rows rows; /* of row 0 */
} table;

static void *take(size_t bytes)
{
    void *memory = malloc(bytes);
    assert_non_null(memory);
    return memory;
}

static void table_begin(table *t, stream *s, size_t count, uint32_t features)
{
    *t = (table){.count = count, .features = features};
    t->x = take(count * features * sizeof *t->x);
    t->times = take(count * sizeof *t->times);
    t->verdicts = take(count * sizeof *t->verdicts);
    for (size_t i = 0; i < count; i++) {
        stream_values(s, t->x + i * features, features);
        t->times[i] = stream_time(s);
    }
}

static void table_end(table *t)
{
    free(t->x);
    free(t->times);
    free(t->verdicts);
    free(t->raw);
    free(t->raw_times);
}

/* ---- layouts ---- */

static unsigned char *lay_value(const table *t, size_t i, uint32_t f)
{
    ptrdiff_t row = (ptrdiff_t)i * t->rows.row_stride;
    if (t->rows.columns != NULL)
        return (unsigned char *)(uintptr_t)t->columns[f] + row;
    return (unsigned char *)(uintptr_t)t->rows.values + row + (ptrdiff_t)f * t->rows.feature_stride;
}

static void lay_out(const table *t)
{
    for (size_t i = 0; i < t->count; i++) {
        for (uint32_t f = 0; f < t->features; f++)
            memcpy(lay_value(t, i, f), &t->x[i * t->features + f], sizeof(double));
        memcpy((unsigned char *)(uintptr_t)t->rows.times + (ptrdiff_t)i * t->rows.time_stride, &t->times[i],
               sizeof(int64_t));
    }
}

static void layout_values(table *t, random_state *r)
{
    size_t cell = 8 + (one_in(r, 2) ? 0 : random_size(r, 17));
    size_t row = cell * t->features + (one_in(r, 2) ? 0 : random_size(r, 9));
    size_t shift = one_in(r, 2) ? 0 : random_size(r, 8);
    int up = one_in(r, 2), forward = one_in(r, 2);
    unsigned char *first;
    t->raw = take(row * t->count + 16);
    first = t->raw + shift + (up ? 0 : (t->count - 1) * row);
    first += forward ? 0 : (t->features - 1) * cell;
    t->rows.values = (const double *)(const void *)first;
    t->rows.row_stride = up ? (ptrdiff_t)row : -(ptrdiff_t)row;
    t->rows.feature_stride = forward ? (ptrdiff_t)cell : -(ptrdiff_t)cell;
}

static void layout_columns(table *t, random_state *r)
{
    size_t cell = 8 + (one_in(r, 2) ? 0 : random_size(r, 17));
    size_t shift = one_in(r, 2) ? 0 : random_size(r, 8);
    int up = one_in(r, 2);
    t->raw = take(cell * t->count * t->features + 16);
    for (uint32_t f = 0; f < t->features; f++) {
        unsigned char *first = t->raw + shift + f * cell * t->count;
        first += up ? 0 : (t->count - 1) * cell;
        t->columns[f] = (const double *)(const void *)first;
    }
    t->rows.columns = t->columns;
    t->rows.row_stride = up ? (ptrdiff_t)cell : -(ptrdiff_t)cell;
}

static void layout_times(table *t, random_state *r)
{
    size_t cell = 8 + (one_in(r, 2) ? 0 : random_size(r, 9));
    int up = one_in(r, 2);
    t->raw_times = take(cell * t->count + 16);
    t->rows.times = (const int64_t *)(const void *)(t->raw_times + (up ? 0 : (t->count - 1) * cell));
    t->rows.time_stride = up ? (ptrdiff_t)cell : -(ptrdiff_t)cell;
}

/* A stride of 0 says packed: given back now and then where it is. */
static void layout_defaults(table *t, random_state *r)
{
    ptrdiff_t packed = t->rows.columns != NULL ? 8 : (ptrdiff_t)t->features * 8;
    if (t->rows.columns == NULL && t->rows.feature_stride == 8 && one_in(r, 2))
        t->rows.feature_stride = 0;
    if (t->rows.row_stride == packed && one_in(r, 2))
        t->rows.row_stride = 0;
    if (t->rows.time_stride == 8 && one_in(r, 2))
        t->rows.time_stride = 0;
}

static void layout(table *t, random_state *r)
{
    t->rows = (anomaly_rows){.count = t->count};
    if (one_in(r, 3))
        layout_columns(t, r);
    else
        layout_values(t, r);
    layout_times(t, r);
    lay_out(t);
    layout_defaults(t, r);
}

/* Rows [from, from + count) of the table's layout. */
static anomaly_rows slice(const table *t, size_t from, size_t count, const double **columns)
{
    anomaly_rows rows = t->rows;
    ptrdiff_t packed = rows.columns != NULL ? 8 : (ptrdiff_t)t->features * 8;
    ptrdiff_t skip = (ptrdiff_t)from * (rows.row_stride != 0 ? rows.row_stride : packed);
    ptrdiff_t skip_time = (ptrdiff_t)from * (rows.time_stride != 0 ? rows.time_stride : 8);
    rows.count = count;
    rows.times = (const int64_t *)(const void *)((const unsigned char *)rows.times + skip_time);
    if (rows.columns == NULL) {
        rows.values = (const double *)(const void *)((const unsigned char *)rows.values + skip);
        return rows;
    }
    for (uint32_t f = 0; f < t->features; f++)
        columns[f] = (const double *)(const void *)((const unsigned char *)t->columns[f] + skip);
    rows.columns = columns;
    return rows;
}

/* ---- outputs ---- */

typedef struct outputs {
    anomaly_verdicts to; /* NULL where not wanted this time */
    double *numbers[5];
    uint32_t *flags, *feature;
    uint64_t *events;
} outputs;

#define GUARD 0x5a5a5a5au

/* One element past the end of every array must stay as it was. */
static void guard(const outputs *o, size_t count, int check)
{
    for (int i = 0; i < 5; i++) {
        if (check)
            assert_same(o->numbers[i][count], GUARD);
        o->numbers[i][count] = GUARD;
    }
    if (check)
        assert_true(o->flags[count] == GUARD && o->feature[count] == GUARD && o->events[count] == GUARD);
    o->flags[count] = o->feature[count] = GUARD;
    o->events[count] = GUARD;
}

static void outputs_begin(outputs *o, size_t count, random_state *r)
{
    *o = (outputs){0};
    for (int i = 0; i < 5; i++)
        o->numbers[i] = take((count + 1) * sizeof(double));
    o->flags = take((count + 1) * sizeof *o->flags);
    o->feature = take((count + 1) * sizeof *o->feature);
    o->events = take((count + 1) * sizeof *o->events);
    guard(o, count, 0);
    o->to.score = one_in(r, 4) ? NULL : o->numbers[0];
    o->to.threshold = one_in(r, 2) ? NULL : o->numbers[1];
    o->to.expected = one_in(r, 2) ? NULL : o->numbers[2];
    o->to.lower = one_in(r, 2) ? NULL : o->numbers[3];
    o->to.upper = one_in(r, 2) ? NULL : o->numbers[4];
    o->to.flags = one_in(r, 2) ? NULL : o->flags;
    o->to.feature = one_in(r, 2) ? NULL : o->feature;
    o->to.events = one_in(r, 2) ? NULL : o->events;
}

static void outputs_end(outputs *o)
{
    for (int i = 0; i < 5; i++)
        free(o->numbers[i]);
    free(o->flags);
    free(o->feature);
    free(o->events);
}

/* What was not asked for is taken from the expected verdict. */
static anomaly_verdict output_at(const outputs *o, size_t i, const anomaly_verdict *want)
{
    anomaly_verdict v = *want;
    v.score = o->to.score != NULL ? o->to.score[i] : v.score;
    v.threshold = o->to.threshold != NULL ? o->to.threshold[i] : v.threshold;
    v.expected = o->to.expected != NULL ? o->to.expected[i] : v.expected;
    v.lower = o->to.lower != NULL ? o->to.lower[i] : v.lower;
    v.upper = o->to.upper != NULL ? o->to.upper[i] : v.upper;
    v.flags = o->to.flags != NULL ? o->to.flags[i] : v.flags;
    v.feature = o->to.feature != NULL ? o->to.feature[i] : v.feature;
    v.events = o->to.events != NULL ? o->to.events[i] : v.events;
    return v;
}

static void compare_outputs(const outputs *o, const anomaly_verdict *want, size_t count, uint64_t seed, size_t from)
{
    for (size_t i = 0; i < count; i++) {
        anomaly_verdict got = output_at(o, i, &want[i]);
        if (same_verdict(&got, &want[i]))
            continue;
        print_error("seed %llu, row %zu (%zu of a chunk of %zu)\n", (unsigned long long)seed, from + i, i, count);
        assert_same_verdict(&got, &want[i]);
    }
}

/* ---- runs ---- */

typedef struct setting {
    anomaly_config config;
    uint64_t seed;
    size_t chunk; /* at most so many rows a call */
} setting;

/* NULL where the machine lacks the path. */
static anomaly_detector *create_path(const setting *s, int simd)
{
    anomaly_config config = s->config;
    anomaly_detector *d = NULL;
    int status;
    config.simd = simd;
    status = anomaly_create(&config, NULL, &d, NULL);
    if (status == ANOMALY_E_CONFIG && simd >= ANOMALY_SIMD_AVX2)
        return NULL;
    assert_ok(status);
    return d;
}

static size_t chunk_by_rows(const setting *s, const table *t, anomaly_detector *d, size_t from, size_t count,
                            random_state *r)
{
    const double *columns[FEATURES];
    anomaly_rows rows = slice(t, from, count, columns);
    size_t done = SIZE_MAX;
    int blind = one_in(r, 10);
    outputs o;
    outputs_begin(&o, count, r);
    assert_ok(anomaly_update_rows(d, &rows, blind ? NULL : &o.to, &done));
    assert_true(done == count);
    guard(&o, count, 1);
    if (!blind)
        compare_outputs(&o, t->verdicts + from, count, s->seed, from);
    outputs_end(&o);
    return count;
}

static size_t chunk_by_loop(const setting *s, const table *t, anomaly_detector *d, size_t from, size_t count)
{
    for (size_t i = from; i < from + count; i++) {
        anomaly_verdict v;
        assert_ok(anomaly_update(d, t->x + i * t->features, t->times[i], &v));
        if (!same_verdict(&v, &t->verdicts[i]))
            print_error("seed %llu, single row %zu\n", (unsigned long long)s->seed, i);
        assert_same_verdict(&v, &t->verdicts[i]);
    }
    return count;
}

static size_t chunk_size(const setting *s, const table *t, size_t from, random_state *r)
{
    size_t most = one_in(r, 3) ? 8 : s->chunk;
    size_t count = (size_t)random_below(r, most + 1);
    return count < t->count - from ? count : t->count - from;
}

static void run_path(const setting *s, const table *t, const anomaly_detector *reference, int simd)
{
    random_state r = {s->seed + 77};
    anomaly_detector *d = create_path(s, simd);
    for (size_t i = 0; d != NULL && i < t->count;) {
        size_t count = chunk_size(s, t, i, &r);
        i += one_in(&r, 6) ? chunk_by_loop(s, t, d, i, count) : chunk_by_rows(s, t, d, i, count, &r);
    }
    if (d != NULL)
        assert_same_state(d, reference);
    anomaly_destroy(d);
}

/* Verdicts of the loop into the table; the detector as it then is. */
static anomaly_detector *run_reference(const setting *s, const table *t)
{
    anomaly_detector *d = create_path(s, ANOMALY_SIMD_SCALAR);
    for (size_t i = 0; i < t->count; i++)
        assert_ok(anomaly_update(d, t->x + i * t->features, t->times[i], &t->verdicts[i]));
    return d;
}

/* Every path over the table, against the loop. */
static void run_paths(const setting *s, const table *t)
{
    anomaly_detector *reference = run_reference(s, t);
    for (int simd = ANOMALY_SIMD_AUTO; simd <= ANOMALY_SIMD_AVX512; simd++)
        run_path(s, t, reference, simd);
    anomaly_destroy(reference);
}

static void compare_paths(setting *s, size_t count)
{
    random_state r = {s->seed + 5};
    stream source = random_stream(&r);
    table t;
    table_begin(&t, &source, count, s->config.features);
    layout(&t, &r);
    run_paths(s, &t);
    table_end(&t);
}

static void test_any_configuration(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= (is_quick() ? 20 : 400); seed++) {
        random_state r = {seed};
        setting s = {.seed = seed, .chunk = 100};
        random_config(&r, &s.config, 0, 60, FEATURES);
        compare_paths(&s, 700);
    }
}

/* Plain windows of one feature are those that have kernels of their own. */
static void test_large_windows(void **state)
{
    static const uint64_t WINDOWS[] = {1,   2,   3,   4,   5,    7,    8,    15,   16,   17,   31,  32,
                                       33,  63,  64,  65,  100,  127,  128,  129,  255,  256,  257, 500,
                                       511, 512, 513, 999, 1000, 1023, 1024, 1025, 2048, 3000, 5000};
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(WINDOWS); i++)
        for (uint64_t seed = 1; seed <= (is_quick() ? 1 : 9); seed++) {
            setting s = {.seed = 5000 * i + seed, .chunk = 4000};
            int kind = seed % 3 == 2 ? ANOMALY_PERCENTILE : ANOMALY_ZSCORE;
            assert_ok(anomaly_config_init(&s.config, sizeof s.config, kind));
            s.config.window_events = WINDOWS[i];
            s.config.warmup_events = 1;
            s.config.features = 1 + (uint32_t)(seed == 4);
            s.config.robust = seed == 7 && WINDOWS[i] <= 1025;
            s.config.include_self = seed == 6;
            s.config.learn = seed == 9 ? ANOMALY_LEARN_NORMAL : ANOMALY_LEARN_ALWAYS;
            s.config.learn_after = 4;
            compare_paths(&s, 3 * (size_t)WINDOWS[i] + 3000);
        }
}

/* Extreme scales on and off: the short path of a kernel must hand over. */
static void scale_table(table *t, random_state *r)
{
    static const double SCALE[] = {1, 1, 1, 1e160, 1e-160, 1e300, 1e-290, 1e9, 0};
    double scale = 1;
    for (size_t i = 0; i < t->count; i++) {
        if (one_in(r, 150))
            scale = pick_double(r, SCALE, 9);
        t->x[i] = fabs(t->x[i]) < 1e7 ? t->x[i] * scale : t->x[i];
    }
}

static void test_extreme_scales(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= (is_quick() ? 5 : 60); seed++) {
        random_state r = {seed + 900};
        setting s = {.seed = seed, .chunk = 1500};
        stream source = random_stream(&r);
        table t;
        source.shape = SHAPE_NORMAL;
        assert_ok(anomaly_config_init(&s.config, sizeof s.config, ANOMALY_ZSCORE));
        s.config.window_events = 2 + random_below(&r, 700);
        table_begin(&t, &source, 5000, 1);
        scale_table(&t, &r);
        layout(&t, &r);
        run_paths(&s, &t);
        table_end(&t);
    }
}

/* Long quiet stretches, in which the kernels run, with something odd now and then: what makes them hand over. */
static void quiet_table(table *t, random_state *r, uint64_t w)
{
    static const double ODD[] = {NAN, INFINITY, -INFINITY, 1e8, 1e16, 1e300, -1e300, 1e-300, 0, 0x1p500, -0.0};
    uint64_t hold = 0;
    for (size_t i = 0; i<t->count; i++, hold -= hold> 0) {
        t->x[i] = hold > 0 ? 0.1 : random_normal(r);
        if (hold == 0 && one_in(r, 6 * w + 500))
            hold = 1 + random_below(r, 3 * w);
        if (one_in(r, 2 * w + 300))
            t->x[i] = pick_double(r, ODD, ARRAY_COUNT(ODD));
    }
}

static void test_rare_events(void **state)
{
    static const uint64_t WINDOWS[] = {64, 100, 128, 300, 500, 1000, 1024, 2000, 3000};
    (void)state;
    for (uint64_t seed = 1; seed <= (is_quick() ? 2 : 54); seed++) {
        random_state r = {seed + 1700};
        setting s = {.seed = seed, .chunk = 9000};
        stream source = random_stream(&r);
        table t;
        assert_ok(anomaly_config_init(&s.config, sizeof s.config, ANOMALY_ZSCORE));
        s.config.window_events = WINDOWS[seed % ARRAY_COUNT(WINDOWS)];
        s.config.side = (int32_t)random_below(&r, 3);
        s.config.flat = (int32_t)random_below(&r, 2);
        s.config.compare = (int32_t)random_below(&r, 2);
        s.config.ddof = (int32_t)random_below(&r, 2);
        s.config.min_stddev = one_in(&r, 4) ? 0.25 : 0;
        table_begin(&t, &source, 20000 + 12 * (size_t)s.config.window_events, 1);
        quiet_table(&t, &r, s.config.window_events);
        layout(&t, &r);
        run_paths(&s, &t);
        table_end(&t);
    }
}

/* Times in order for long stretches: at random distances, as regular as a clock, or many at once; with a pause, a late event or
 * a leap now and then. `gap` is the usual distance. */
static void quiet_times(table *t, random_state *r, int64_t gap)
{
    uint64_t manner = 0;
    int64_t clock = 0;
    for (size_t i = 0; i < t->count; i++) {
        if (one_in(r, 2000))
            manner = random_below(r, 4);
        clock += manner == 0 ? gap : manner == 1 ? (int64_t)random_below(r, 2 * (uint64_t)gap) : manner == 2 ? 0 : gap / 16;
        if (one_in(r, 3000))
            clock += (int64_t)random_below(r, 2000) * gap;
        t->times[i] = one_in(r, 1500) ? clock + ((int64_t)random_below(r, 60) - 40) * gap : clock;
    }
}

/* A window by time that is long enough for every stage of the tables, with and without a bound by events. */
static void time_config(random_state *r, setting *s, int64_t gap)
{
    static const uint64_t INSIDE[] = {6, 30, 100, 300, 1000, 3000};
    uint64_t inside = INSIDE[random_below(r, ARRAY_COUNT(INSIDE))];
    int kind = one_in(r, 3) ? ANOMALY_PERCENTILE : ANOMALY_ZSCORE;
    assert_ok(anomaly_config_init(&s->config, sizeof s->config, kind));
    s->config.window_ns = (int64_t)inside * gap;
    s->config.window_events = one_in(r, 2) ? 0 : one_in(r, 3) ? inside : 20000;
    s->config.warmup_events = 1 + random_below(r, inside);
    if (s->config.window_events != 0 && s->config.warmup_events > s->config.window_events)
        s->config.warmup_events = s->config.window_events;
    s->config.max_jump_ns = one_in(r, 3) ? 50 * gap : 0;
    s->config.max_late_ns = one_in(r, 2) ? -1 : 5 * gap;
    s->config.side = (int32_t)random_below(r, 3);
    s->config.flat = (int32_t)random_below(r, 2);
    s->config.compare = (int32_t)random_below(r, 2);
    if (kind == ANOMALY_ZSCORE) {
        s->config.ddof = (int32_t)random_below(r, 2);
        s->config.min_stddev = one_in(r, 4) ? 0.25 : 0;
    }
}

static void test_windows_by_time(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= (is_quick() ? 6 : 90); seed++) {
        random_state r = {seed + 2900};
        setting s = {.seed = seed, .chunk = 3000};
        stream source = random_stream(&r);
        table t;
        int64_t gap = 1 + (int64_t)random_below(&r, 1000000);
        time_config(&r, &s, gap);
        table_begin(&t, &source, 15000, 1);
        if (!one_in(&r, 4))
            quiet_table(&t, &r, 500);
        quiet_times(&t, &r, gap);
        layout(&t, &r);
        run_paths(&s, &t);
        table_end(&t);
    }
}

/* ---- the other two rows calls ---- */

static void learn_some(const table *t, anomaly_detector *by_rows, anomaly_detector *by_loop, size_t from, size_t count)
{
    const double *columns[FEATURES];
    anomaly_rows rows = slice(t, from, count, columns);
    size_t done = SIZE_MAX;
    assert_ok(anomaly_learn_rows(by_rows, &rows, &done));
    assert_true(done == count);
    for (size_t i = from; i < from + count; i++)
        assert_ok(anomaly_learn(by_loop, t->x + i * t->features, t->times[i]));
    assert_same_state(by_rows, by_loop);
}

static void score_some(const setting *s, const table *t, const anomaly_detector *d, size_t from, size_t count,
                       random_state *r)
{
    const double *columns[FEATURES];
    anomaly_rows rows = slice(t, from, count, columns);
    size_t done = SIZE_MAX;
    outputs o;
    outputs_begin(&o, count, r);
    for (size_t i = 0; i < count; i++)
        assert_ok(anomaly_score(d, t->x + (from + i) * t->features, t->times[from + i], &t->verdicts[i]));
    assert_ok(anomaly_score_rows(d, &rows, &o.to, &done));
    assert_true(done == count);
    compare_outputs(&o, t->verdicts, count, s->seed, from);
    outputs_end(&o);
}

static void learn_and_score(setting *s, size_t count)
{
    random_state r = {s->seed + 6};
    stream source = random_stream(&r);
    anomaly_detector *a, *b;
    table t;
    table_begin(&t, &source, count, s->config.features);
    layout(&t, &r);
    a = create_path(s, ANOMALY_SIMD_AUTO);
    b = create_path(s, ANOMALY_SIMD_PORTABLE);
    for (size_t i = 0; i < count;) {
        size_t n = chunk_size(s, &t, i, &r);
        learn_some(&t, a, b, i, n);
        score_some(s, &t, a, i, n, &r);
        assert_same_state(a, b);
        i += n;
    }
    anomaly_destroy(a);
    anomaly_destroy(b);
    table_end(&t);
}

/* Long enough for the ways that rows have of their own. */
static void learn_long(setting *s)
{
    random_state r = {s->seed + 61};
    stream source = random_stream(&r);
    anomaly_detector *a, *b;
    table t;
    table_begin(&t, &source, 9000, 1);
    quiet_table(&t, &r, 200);
    quiet_times(&t, &r, STREAM_SECOND);
    layout(&t, &r);
    a = create_path(s, ANOMALY_SIMD_AUTO);
    b = create_path(s, ANOMALY_SIMD_PORTABLE);
    for (size_t i = 0; i < t.count;) {
        size_t n = chunk_size(s, &t, i, &r);
        learn_some(&t, a, b, i, n);
        i += n;
    }
    anomaly_destroy(a);
    anomaly_destroy(b);
    table_end(&t);
}

static void test_learn_long_rows(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= (is_quick() ? 6 : 60); seed++) {
        random_state r = {seed + 3300};
        setting s = {.seed = seed, .chunk = 6000};
        time_config(&r, &s, STREAM_SECOND);
        if (one_in(&r, 2)) {
            s.config.window_ns = 0;
            s.config.window_events = 300;
        }
        s.config.learn = one_in(&r, 5) ? ANOMALY_LEARN_NORMAL : ANOMALY_LEARN_ALWAYS;
        learn_long(&s);
    }
}

static void test_learn_and_score_rows(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= (is_quick() ? 10 : 200); seed++) {
        random_state r = {seed + 40000};
        setting s = {.seed = seed, .chunk = 60};
        random_config(&r, &s.config, 0, 60, FEATURES);
        learn_and_score(&s, 400);
    }
}

/* ---- update = advance, score, learn ---- */

static int leaps(const anomaly_config *c, int64_t clock, int64_t t)
{
    return c->window_ns > 0 && c->max_jump_ns > 0 && clock != ANOMALY_NO_TIME && t > clock && t - clock > c->max_jump_ns;
}

/* The same three steps by hand; an event that leaps ahead moves no clock. */
static anomaly_verdict by_hand(anomaly_detector *d, const anomaly_config *c, const double *x, int64_t t, int64_t *clock)
{
    anomaly_verdict v, twice;
    if (!leaps(c, *clock, t)) {
        assert_ok(anomaly_advance(d, t));
        *clock = t > *clock ? t : *clock;
    }
    if (c->include_self)
        assert_ok(anomaly_learn(d, x, t));
    assert_ok(anomaly_score(d, x, t, &v));
    assert_ok(anomaly_score(d, x, t, &twice));
    assert_same_verdict(&v, &twice);
    if (!c->include_self)
        assert_ok(anomaly_learn(d, x, t));
    return v;
}

static void compare_orders(uint64_t seed)
{
    random_state r = {seed + 70000};
    anomaly_config c;
    anomaly_detector *whole = NULL, *steps = NULL;
    int64_t clock = ANOMALY_NO_TIME;
    stream s;
    random_config(&r, &c, 0, 60, FEATURES);
    s = random_stream(&r);
    assert_ok(anomaly_create(&c, NULL, &whole, NULL));
    assert_ok(anomaly_create(&c, NULL, &steps, NULL));
    for (int i = 0; i < 500; i++) {
        double x[FEATURES];
        anomaly_verdict want, got;
        int64_t t = stream_time(&s);
        anomaly_stats a, b;
        stream_values(&s, x, c.features);
        got = by_hand(steps, &c, x, t, &clock);
        assert_ok(anomaly_update(whole, x, t, &want));
        want.flags &= ~(uint32_t)ANOMALY_NOT_LEARNED;
        assert_same_verdict(&got, &want);
        a = stats_of(whole, 0);
        b = stats_of(steps, 0);
        assert_true(same_stats(&a, &b));
        assert_true(counters_of(whole).learned == counters_of(steps).learned);
        assert_true(counters_of(whole).skipped == counters_of(steps).skipped);
    }
    anomaly_destroy(whole);
    anomaly_destroy(steps);
}

static void test_update_is_three_steps(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= (is_quick() ? 20 : 500); seed++)
        compare_orders(seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_configuration),    cmocka_unit_test(test_large_windows),
        cmocka_unit_test(test_extreme_scales),       cmocka_unit_test(test_rare_events),
        cmocka_unit_test(test_learn_and_score_rows), cmocka_unit_test(test_update_is_three_steps),
        cmocka_unit_test(test_windows_by_time),      cmocka_unit_test(test_learn_long_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
