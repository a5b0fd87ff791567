/* SPDX-License-Identifier: MIT
 * verdicts.c - verdicts to the last bit, kept in tests/golden/verdicts/ for every binding and machine; the README there
 * describes the files. Here: the loop, rows in uneven pieces, and each code path that all processors have.
 *
 * GOLDEN_WRITE=1 writes the files anew from the cases below. */
#include "../support/random.h"
#include "../support/test.h"

#include <inttypes.h>

enum { MOST_EVENTS = 400, MOST_FEATURES = 4 };

typedef struct sample {
    const char *name, *kind, *options;
    int features, events, timed;
} sample;

static const sample SAMPLES[] = {
    {"zscore", "zscore", "window=50 learn=normal:3", 1, 300, 0},
    {"zscore-time", "zscore", "window=60s,40 max_late=15s max_jump=10m flat=ignore", 1, 300, 1},
    {"zscore-features", "zscore", "window=33 features=3 include_self=1 ddof=0 min_stddev=0.125 threshold=2", 3, 200, 0},
    {"robust", "zscore", "window=31 robust=1 features=2 threshold=3.5 side=upper", 2, 200, 0},
    {"percentile", "percentile", "window=90s threshold=0.25", 1, 300, 1},
    {"percentile-features", "percentile", "window=40 features=2 lower=5 upper=95 quantile=nearest compare=ge", 2, 200, 0},
    {"iforest", "iforest", "window=128 features=4 profile=fast warmup=40 seed=7", 4, 300, 0},
    {"iforest-fixed", "iforest", "window=100 profile=fast contamination=0 threshold=0.6 learn=normal", 1, 300, 0},
    {"mahalanobis", "mahalanobis", "window=128 learn=normal:3", 1, 300, 0},
    {"mahalanobis-features", "mahalanobis", "window=128 features=4 threshold=1.5", 4, 300, 0},
    {"watch", "watch", "window=256 warmup=30 threshold=6", 1, 400, 1},
    {"watch-untimed", "watch", "window=300 learn=normal:3 threshold=5", 1, 400, 0},
};

typedef struct events {
    double x[MOST_EVENTS * MOST_FEATURES];
    int64_t t[MOST_EVENTS];
    anomaly_verdict want[MOST_EVENTS];
} events;

static int kind_of(const char *name)
{
    const anomaly_kind_info *info;
    for (size_t i = 0; (info = anomaly_kind_at(i)) != NULL; i++)
        if (strcmp(name, info->name) == 0)
            return info->kind;
    return 0;
}

static anomaly_detector *detector_with(const sample *s, const char *simd)
{
    anomaly_config config;
    anomaly_detector *d = NULL;
    assert_ok(config_try(&config, kind_of(s->kind), s->options, NULL));
    assert_ok(anomaly_config_set(&config, "simd", simd, NULL));
    assert_ok(anomaly_create(&config, NULL, &d, NULL));
    return d;
}

static void path_of(char *path, size_t room, const char *name)
{
    snprintf(path, room, "tests/golden/verdicts/%s.txt", name);
}

/* ---- making the files ---- */

static double value_of_event(random_state *r, int i)
{
    double x = (double)(int64_t)random_below(r, 4096) / 256 + 40;
    if (i >= 120 && i < 185) /* flat, with one that differs */
        return i == 181 ? 41 : 40;
    if (one_in(r, 25))
        return NAN;
    if (one_in(r, 40))
        return one_in(r, 2) ? INFINITY : -INFINITY;
    return one_in(r, 20) ? x + (one_in(r, 2) ? 90 : -70) : x;
}

static int64_t time_of_event(random_state *r, int i)
{
    int64_t t = i * SECOND + (i >= 200 ? 45 * SECOND : 0);
    if (one_in(r, 8))
        t -= (int64_t)random_below(r, 30) * SECOND;
    return one_in(r, 60) ? t + 3600 * SECOND : t;
}

static uint64_t clean_bits(double x)
{
    return isnan(x) ? UINT64_C(0x7ff8000000000000) : bits_of(x);
}

static void write_header(FILE *file, const sample *s)
{
    char options[256];
    snprintf(options, sizeof options, "%s", s->options);
    fprintf(file, "kind %s\n", s->kind);
    for (char *option = strtok(options, " "); option; option = strtok(NULL, " ")) {
        char *value = strchr(option, '=');
        *value = '\0';
        fprintf(file, "set %s %s\n", option, value + 1);
    }
    fputs("columns time", file);
    for (int f = 0; f < s->features; f++)
        fprintf(file, " x%d", f);
    fputs(" score threshold expected lower upper flags feature events\n", file);
}

static void write_event(FILE *file, const double *x, int features, int64_t t, const anomaly_verdict *v)
{
    const double out[] = {v->score, v->threshold, v->expected, v->lower, v->upper};
    if (t == ANOMALY_NO_TIME)
        fputc('-', file);
    else
        fprintf(file, "%" PRId64, t);
    for (int f = 0; f < features; f++)
        fprintf(file, " %016" PRIx64, clean_bits(x[f]));
    for (int i = 0; i < 5; i++)
        fprintf(file, " %016" PRIx64, clean_bits(out[i]));
    fprintf(file, " %" PRIu32 " %" PRIu32 " %" PRIu64 "\n", v->flags, v->feature, v->events);
}

static void write_golden(const sample *s)
{
    char path[128];
    random_state r = {(uint64_t)(s - SAMPLES) + 1};
    anomaly_detector *d = detector_with(s, "auto");
    path_of(path, sizeof path, s->name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    write_header(file, s);
    for (int i = 0; i < s->events; i++) {
        double x[MOST_FEATURES];
        anomaly_verdict v;
        int64_t t = s->timed ? time_of_event(&r, i) : ANOMALY_NO_TIME;
        for (int f = 0; f < s->features; f++)
            x[f] = value_of_event(&r, i);
        assert_ok(anomaly_update(d, x, t, &v));
        write_event(file, x, s->features, t, &v);
    }
    assert_int_equal(fclose(file), 0);
    anomaly_destroy(d);
}

/* ---- reading them ---- */

static double read_double(FILE *file)
{
    uint64_t bits;
    double x;
    assert_int_equal(fscanf(file, "%" SCNx64, &bits), 1);
    memcpy(&x, &bits, sizeof x);
    return x;
}

static void read_event(FILE *file, const sample *s, events *e, int i)
{
    anomaly_verdict *v = &e->want[i];
    char time[32];
    assert_int_equal(fscanf(file, "%31s", time), 1);
    e->t[i] = strcmp(time, "-") == 0 ? ANOMALY_NO_TIME : (int64_t)strtoll(time, NULL, 10);
    for (int f = 0; f < s->features; f++)
        e->x[i * s->features + f] = read_double(file);
    v->score = read_double(file);
    v->threshold = read_double(file);
    v->expected = read_double(file);
    v->lower = read_double(file);
    v->upper = read_double(file);
    assert_int_equal(fscanf(file, "%" SCNu32 "%" SCNu32 "%" SCNu64, &v->flags, &v->feature, &v->events), 3);
}

/* The header has to be the case's own: else the two have gone apart. */
static void read_header(FILE *file, const sample *s)
{
    char want[1024] = "", line[256];
    FILE *memory = tmpfile();
    assert_non_null(memory);
    write_header(memory, s);
    rewind(memory);
    while (fgets(want, sizeof want, memory) && fgets(line, sizeof line, file))
        assert_string_equal(line, want);
    fclose(memory);
}

static events *read_golden(const sample *s)
{
    char path[128];
    events *e = calloc(1, sizeof *e);
    path_of(path, sizeof path, s->name);
    FILE *file = fopen(path, "r");
    if (!file || !e)
        fail_msg("%s cannot be read (tests run from the top of the tree)", path);
    read_header(file, s);
    for (int i = 0; i < s->events; i++)
        read_event(file, s, e, i);
    fclose(file);
    return e;
}

/* ---- comparing ---- */

static void check_loop(const sample *s, const events *e, const char *simd)
{
    anomaly_detector *d = detector_with(s, simd);
    for (int i = 0; i < s->events; i++) {
        anomaly_verdict got;
        assert_ok(anomaly_update(d, e->x + i * s->features, e->t[i], &got));
        assert_same_verdict(&got, &e->want[i]);
    }
    anomaly_destroy(d);
}

static void check_rows(const sample *s, const events *e, const char *simd)
{
    static double score[MOST_EVENTS], threshold[MOST_EVENTS], expected[MOST_EVENTS], lower[MOST_EVENTS], upper[MOST_EVENTS];
    static uint32_t flags[MOST_EVENTS], feature[MOST_EVENTS];
    static uint64_t count[MOST_EVENTS];
    anomaly_verdicts out = {score, threshold, expected, lower, upper, flags, feature, count, NULL};
    anomaly_detector *d = detector_with(s, simd);
    for (int i = 0, piece = 1; i < s->events; i += piece, piece = piece * 3 % 128 + 1) {
        piece = i + piece > s->events ? s->events - i : piece;
        anomaly_rows rows = {.count = (size_t)piece, .values = e->x + i * s->features, .times = e->t + i};
        assert_ok(anomaly_update_rows(d, &rows, &out, NULL));
        for (int k = 0; k < piece; k++) {
            anomaly_verdict got = {score[k], threshold[k], expected[k], lower[k],   upper[k],
                                   flags[k], feature[k],   count[k],    (double)NAN};
            assert_same_verdict(&got, &e->want[i + k]);
        }
    }
    anomaly_destroy(d);
}

static void test_verdicts(void **state)
{
    const sample *s = *state;
    const char *wanted = getenv("GOLDEN_WRITE");
    if (wanted && strcmp(wanted, "1") == 0)
        write_golden(s);
    events *e = read_golden(s);
    for (int i = 0; i < 3; i++) {
        const char *simd = (const char *[]){"auto", "scalar", "portable"}[i];
        check_loop(s, e, simd);
        check_rows(s, e, simd);
    }
    free(e);
}

int main(void)
{
    struct CMUnitTest tests[ARRAY_COUNT(SAMPLES)];
    for (size_t i = 0; i < ARRAY_COUNT(SAMPLES); i++)
        tests[i] = (struct CMUnitTest){SAMPLES[i].name, test_verdicts, NULL, NULL, (void *)(uintptr_t)&SAMPLES[i]};
    return cmocka_run_group_tests_name("verdicts", tests, NULL, NULL);
}
