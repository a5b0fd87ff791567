/* SPDX-License-Identifier: MIT
 * exactness.c - the hard streams (large offsets, spikes and infinities in and out, constant
 * stretches, extreme scales) through windows of 2 to 100,000: the standard deviation stays within
 * 1e-14 of an exact one, quantiles have the bits of a sorted window, and the rows call has the bits
 * of the single one on every code path. */
#include "../support/test.h"

#include "../support/exact.h"
#include "../support/random.h"

enum { MAX_CHECKS = 64 };

typedef struct stream_case {
    const char *name;
    void (*fill)(double *x, size_t n, size_t w);
} stream_case;

/* Where things happen: a spike stands at `spike_at`, a stretch lasts from there over `2 w`. */
static size_t spike_at(size_t w)
{
    return w + 300;
}

static size_t stream_length(size_t w)
{
    return 2 * w + w / 2 + 2500;
}

/* ---- streams ---- */

static void fill_scaled(double *x, size_t n, double offset, double scale, uint64_t seed)
{
    random_state r = {seed};
    for (size_t i = 0; i < n; i++)
        x[i] = offset + scale * random_normal(&r);
}

static void fill_plain(double *x, size_t n, size_t w)
{
    fill_scaled(x, n, 0, 1, 11 + w);
}

static void fill_offset9(double *x, size_t n, size_t w)
{
    fill_scaled(x, n, 1e9, 1e-3, 12 + w);
}

static void fill_offset12(double *x, size_t n, size_t w)
{
    fill_scaled(x, n, 1e12, 1, 13 + w);
}

static void fill_with(double *x, size_t n, size_t w, double odd)
{
    fill_plain(x, n, w);
    x[spike_at(w)] = odd;
}

static void fill_spike8(double *x, size_t n, size_t w)
{
    fill_with(x, n, w, 1e8);
}

static void fill_spike16(double *x, size_t n, size_t w)
{
    fill_with(x, n, w, 1e16);
}

static void fill_spike300(double *x, size_t n, size_t w)
{
    fill_with(x, n, w, 1e300);
}

static void fill_spikes(double *x, size_t n, size_t w)
{
    fill_with(x, n, w, -1e300);
    x[spike_at(w) + 1] = 1e300;
    x[spike_at(w) + 3] = 1e-300;
}

static void fill_infinity(double *x, size_t n, size_t w)
{
    fill_with(x, n, w, INFINITY);
    x[spike_at(w) + 1] = -INFINITY;
}

static void fill_nan(double *x, size_t n, size_t w)
{
    fill_with(x, n, w, NAN);
    x[spike_at(w) + 2] = NAN;
}

static void fill_constant(double *x, size_t n, size_t w)
{
    (void)w;
    for (size_t i = 0; i < n; i++)
        x[i] = 0.1;
}

/* Noise, 0.1 for one window and a half, noise again. */
static void fill_stretch(double *x, size_t n, size_t w)
{
    fill_plain(x, n, w);
    for (size_t i = 0; i < w + w / 2 + 2; i++)
        x[spike_at(w) + i] = 0.1;
}

static void fill_huge(double *x, size_t n, size_t w)
{
    fill_scaled(x, n, 0, 1e160, 14 + w);
}

static void fill_tiny(double *x, size_t n, size_t w)
{
    fill_scaled(x, n, 0, 1e-160, 15 + w);
}

static void fill_huge300(double *x, size_t n, size_t w)
{
    fill_scaled(x, n, 0, 0.5e300, 16 + w);
}

static void fill_tiny290(double *x, size_t n, size_t w)
{
    fill_scaled(x, n, 0, 1e-288, 17 + w);
}

/* From one end of the range to the other and back. */
static void fill_scales(double *x, size_t n, size_t w)
{
    fill_plain(x, n, w);
    for (size_t i = 0; i < n; i++)
        x[i] *= i < spike_at(w) ? 1e-280 : i < spike_at(w) + w / 2 + 1 ? 1e290 : 1;
}

static void fill_walk(double *x, size_t n, size_t w)
{
    random_state r = {18 + w};
    double at = 1e9;
    for (size_t i = 0; i < n; i++)
        x[i] = at += random_normal(&r);
}

static void fill_few_values(double *x, size_t n, size_t w)
{
    random_state r = {19 + w};
    for (size_t i = 0; i < n; i++)
        x[i] = (double)random_below(&r, 3) / 10;
}

static stream_case CASES[] = {
    {"plain normal", fill_plain},
    {"offset 1e9, noise 1e-3", fill_offset9},
    {"offset 1e12, noise 1", fill_offset12},
    {"spike 1e8", fill_spike8},
    {"spike 1e16", fill_spike16},
    {"spike 1e300", fill_spike300},
    {"spikes -1e300, 1e300, 1e-300", fill_spikes},
    {"infinities", fill_infinity},
    {"NaN", fill_nan},
    {"constant 0.1", fill_constant},
    {"constant stretch, noise after it", fill_stretch},
    {"scale 1e160", fill_huge},
    {"scale 1e-160", fill_tiny},
    {"scale 0.5e300", fill_huge300},
    {"scale 1e-288", fill_tiny290},
    {"scale 1e-280, 1e290, 1", fill_scales},
    {"walk from 1e9", fill_walk},
    {"three values", fill_few_values},
};

static const size_t WINDOWS[] = {2, 3, 10, 30, 100, 1000, 10000, 100000};

/* TEST_QUICK=1 (under valgrind): the small windows only. */
static size_t window_count(void)
{
    return is_quick() ? 5 : ARRAY_COUNT(WINDOWS);
}

/* ---- positions: after how many events the window is looked at ---- */

static int compare_sizes(const void *a, const void *b)
{
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    return (x > y) - (x < y);
}

/* Around the entry and the exit of what stands at spike_at(); where looking is cheap, all along. */
static size_t positions_of(size_t w, size_t n, size_t *at)
{
    const size_t s = spike_at(w), few = 11;
    const size_t wanted[] = {
        w, w + 1, s + 1, s + w / 2, s + w - 1, s + w, s + w + 1, s + w + 2, s + w + 3,     s + w + 5,
        n, 2,     3,     w - 1,     w + 17,    s,     s + 2,     s + w + 4, s + w + w / 8, s + w + w / 3,
    };
    size_t count = 0;
    for (size_t i = 0; i < (w > 10000 ? few : ARRAY_COUNT(wanted)); i++)
        if (wanted[i] >= 2 && wanted[i] <= n)
            at[count++] = wanted[i];
    for (size_t i = 1; w <= 10000 && i <= 40; i++)
        at[count++] = n * i / 41 < 2 ? 2 : n * i / 41;
    qsort(at, count, sizeof *at, compare_sizes);
    return count;
}

/* The finite ones of the last w values of x[0 .. end), by count of the finite or by place. */
static size_t gather(const double *x, size_t end, size_t w, int by_time, double *out)
{
    size_t n = 0;
    for (size_t i = end; i-- > 0 && n < w;) {
        if (by_time && end - i > w)
            break;
        if (isfinite(x[i]))
            out[n++] = x[i];
    }
    return n;
}

/* ---- one stream, one window ---- */

typedef struct run {
    const stream_case *what;
    size_t w, n, checks;
    size_t at[MAX_CHECKS];
    int by_time;
    double *x, *window, *scratch;
    int64_t *times;
    anomaly_verdict *verdicts;       /* of every event, by the single call */
    anomaly_stats stats[MAX_CHECKS]; /* at every position, by the single call */
    double bounds[MAX_CHECKS][3];    /* lower, median, upper by sorting */
    double worst;
} run;

static void *take(size_t count, size_t size)
{
    void *memory = calloc(count, size);
    assert_non_null(memory);
    return memory;
}

static void run_begin(run *r, const stream_case *what, size_t w)
{
    *r = (run){.what = what, .w = w, .n = stream_length(w)};
    r->x = take(r->n, sizeof *r->x);
    r->times = take(r->n, sizeof *r->times);
    r->window = take(w, sizeof *r->window);
    r->scratch = take(w, sizeof *r->scratch);
    r->verdicts = take(r->n, sizeof *r->verdicts);
    r->checks = positions_of(w, r->n, r->at);
    what->fill(r->x, r->n, w);
    for (size_t i = 0; i < r->n; i++)
        r->times[i] = (int64_t)i * SECOND;
}

static void run_end(run *r)
{
    free(r->x);
    free(r->times);
    free(r->window);
    free(r->scratch);
    free(r->verdicts);
}

static anomaly_detector *run_detector(const run *r, int kind, int robust, int simd)
{
    anomaly_config config;
    anomaly_detector *detector = NULL;
    int status;
    assert_ok(anomaly_config_init(&config, sizeof config, kind));
    config.window_events = r->by_time ? 2 * r->w : r->w;
    config.window_ns = r->by_time ? (int64_t)(r->w - 1) * SECOND : 0;
    config.warmup_events = 2;
    config.robust = robust;
    config.simd = simd;
    status = anomaly_create(&config, NULL, &detector, NULL);
    if (status == ANOMALY_E_CONFIG && simd >= ANOMALY_SIMD_AVX2)
        return NULL; /* not on this machine */
    assert_ok(status);
    return detector;
}

static void bad_number(const run *r, size_t at, const char *what, double got, double want)
{
    print_error("%s, window %zu%s, after %zu of %zu events: %s %.17g, want %.17g\n", r->what->name, r->w,
                r->by_time ? " (time)" : "", at, r->n, what, got, want);
    fail();
}

static int in_promised_range(quad stddev)
{
    return stddev >= (quad)1e-290 && stddev <= (quad)1e300;
}

static void check_variance(const run *r, size_t at, double got, quad want)
{
    if (want > (quad)0x1p1023 || want < (quad)0x1p-1000) {
        if (!(got >= 0))
            bad_number(r, at, "variance", got, (double)want);
    } else if (exact_error(got, want) > 2e-14) {
        bad_number(r, at, "variance", got, (double)want);
    }
}

/* Fewer than two values have no standard deviation, equal ones have exactly none. */
static int check_plain_cases(run *r, size_t at, const anomaly_stats *stats, size_t n)
{
    double want = n < 2 ? (double)NAN : 0;
    if (!exact_constant(r->window, n))
        return 0;
    if (!same_double(stats->stddev, want) || !same_double(stats->variance, want))
        bad_number(r, at, "stddev of a constant", stats->stddev, want);
    if (!same_double(stats->mean, n > 0 ? r->window[0] : (double)NAN))
        bad_number(r, at, "mean of a constant", stats->mean, r->window[0]);
    return 1;
}

static void check_moments(run *r, size_t at, const anomaly_stats *stats, const exact_moments *e)
{
    quad want = exact_stddev(e, 1), room;
    double error;
    if (!in_promised_range(want))
        return;
    error = exact_error(stats->stddev, want);
    if (error > r->worst)
        r->worst = error;
    if (!(error <= 1e-14))
        bad_number(r, at, "stddev", stats->stddev, (double)want);
    check_variance(r, at, stats->variance, exact_variance(e, 1));
    room = want * (quad)1e-14 + (e->mean < 0 ? -e->mean : e->mean) * (quad)0x1p-52;
    if ((quad)stats->mean - e->mean > room || e->mean - (quad)stats->mean > room)
        bad_number(r, at, "mean", stats->mean, (double)e->mean);
}

static void check_extremes(const run *r, size_t at, const anomaly_stats *stats, size_t n)
{
    double low = n > 0 ? INFINITY : (double)NAN, high = n > 0 ? -INFINITY : (double)NAN;
    if (stats->count != n)
        bad_number(r, at, "count", (double)stats->count, (double)n);
    for (size_t i = 0; i < n; i++) {
        low = r->window[i] < low ? r->window[i] : low;
        high = r->window[i] > high ? r->window[i] : high;
    }
    if (!same_double(stats->min, low))
        bad_number(r, at, "min", stats->min, low);
    if (!same_double(stats->max, high))
        bad_number(r, at, "max", stats->max, high);
}

/* The verdict on the value that comes next, from the window as it is at that position. */
static void check_score(const run *r, size_t at, const exact_moments *e)
{
    quad spread = e->n > 1 ? exact_stddev(e, 1) : 0, z;
    double got = at < r->n ? r->verdicts[at].score : 0;
    if (at >= r->n || !isfinite(r->x[at]) || !in_promised_range(spread) || exact_constant(r->window, e->n))
        return;
    z = ((quad)r->x[at] - e->mean) / spread;
    z = z < 0 ? -z : z;
    if (z > (quad)1e300)
        return;
    if (!((quad)got - z <= z * (quad)2e-14 + (quad)1e-14) || !(z - (quad)got <= z * (quad)2e-14 + (quad)1e-14))
        bad_number(r, at, "score", got, (double)z);
}

static void check_position(run *r, size_t at, const anomaly_stats *stats)
{
    size_t n = gather(r->x, at, r->w, r->by_time, r->window);
    exact_moments e = exact_of(r->window, n);
    check_extremes(r, at, stats, n);
    if (!check_plain_cases(r, at, stats, n))
        check_moments(r, at, stats, &e);
    if (r->by_time) { /* the next event's time puts the oldest out */
        n = gather(r->x, at, r->w - 1, 1, r->window);
        e = exact_of(r->window, n);
    }
    check_score(r, at, &e);
}

static void run_single(run *r, anomaly_detector *d)
{
    size_t c = 0;
    for (size_t i = 0; i < r->n; i++) {
        assert_ok(anomaly_update(d, &r->x[i], r->times[i], &r->verdicts[i]));
        for (; c < r->checks && r->at[c] == i + 1; c++)
            assert_ok(anomaly_window_stats(d, 0, &r->stats[c]));
    }
}

static void compare_rows(const run *r, size_t from, size_t to, const double *score, const uint32_t *flags, int simd)
{
    for (size_t i = from; i < to; i++) {
        if (same_double(score[i - from], r->verdicts[i].score) && flags[i - from] == r->verdicts[i].flags)
            continue;
        print_error("rows, simd %d: ", simd);
        bad_number(r, i + 1, "score", score[i - from], r->verdicts[i].score);
    }
}

/* The rows call from position to position: the bits of the single call, verdicts and statistics. */
static void run_rows(const run *r, int kind, int robust, int simd)
{
    anomaly_detector *d = run_detector(r, kind, robust, simd);
    double *score = take(r->n, sizeof *score);
    uint32_t *flags = take(r->n, sizeof *flags);
    size_t from = 0;
    for (size_t c = 0; d != NULL && c < r->checks; c++) {
        const size_t to = r->at[c];
        anomaly_rows rows = {.count = to - from, .values = r->x + from, .times = r->times + from};
        anomaly_verdicts out = {.score = score, .flags = flags};
        anomaly_stats stats;
        assert_ok(anomaly_update_rows(d, &rows, &out, NULL));
        compare_rows(r, from, to, score, flags, simd);
        stats = stats_of(d, 0);
        if (!same_stats(&stats, &r->stats[c]))
            bad_number(r, to, "stddev by rows", stats.stddev, r->stats[c].stddev);
        from = to;
    }
    anomaly_destroy(d);
    free(score);
    free(flags);
}

static void run_all_rows(const run *r, int kind, int robust)
{
    for (int simd = ANOMALY_SIMD_AUTO; simd <= ANOMALY_SIMD_AVX512; simd++)
        run_rows(r, kind, robust, simd);
}

/* ---- z-score ---- */

static void zscore_window(const stream_case *what, size_t w, int by_time, double *worst)
{
    run r;
    anomaly_detector *d;
    run_begin(&r, what, w);
    r.by_time = by_time;
    d = run_detector(&r, ANOMALY_ZSCORE, 0, ANOMALY_SIMD_AUTO);
    run_single(&r, d);
    for (size_t c = 0; c < r.checks; c++)
        check_position(&r, r.at[c], &r.stats[c]);
    run_all_rows(&r, ANOMALY_ZSCORE, 0);
    *worst = r.worst > *worst ? r.worst : *worst;
    anomaly_destroy(d);
    run_end(&r);
}

static void test_zscore(void **state)
{
    double worst = 0;
    for (size_t i = 0; i < window_count(); i++)
        zscore_window(*state, WINDOWS[i], 0, &worst);
    for (size_t i = 0; i < window_count(); i++)
        if (WINDOWS[i] >= 3 && WINDOWS[i] <= 1000)
            zscore_window(*state, WINDOWS[i], 1, &worst);
    print_message("worst relative error of stddev: %.2g\n", worst);
}

/* ---- quantiles: the bits of a sorted window ---- */

static void check_quantiles(run *r, size_t c, const anomaly_detector *d)
{
    static const double Q[] = {0, 0.001, 0.01, 0.25, 0.5, 0.75, 0.99, 0.999, 1};
    size_t n = gather(r->x, r->at[c], r->w, r->by_time, r->window);
    exact_sort(r->window, n);
    for (size_t i = 0; i < ARRAY_COUNT(Q); i++) {
        double want = exact_linear(r->window, n, Q[i]), got = quantile_of(d, Q[i]);
        if (!same_double(got, want))
            bad_number(r, r->at[c], "quantile", got, want);
    }
    if (r->by_time) {
        n = gather(r->x, r->at[c], r->w - 1, 1, r->window);
        exact_sort(r->window, n);
    }
    r->bounds[c][0] = exact_linear(r->window, n, 0.01);
    r->bounds[c][1] = exact_linear(r->window, n, 0.5);
    r->bounds[c][2] = exact_linear(r->window, n, 0.99);
}

/* The verdict on the next event has the bounds of the window as it then was. */
static void check_bounds(const run *r, size_t c)
{
    const anomaly_verdict *v = &r->verdicts[r->at[c] < r->n ? r->at[c] : 0];
    if (r->at[c] >= r->n || !isfinite(r->x[r->at[c]]))
        return;
    if (!same_double(v->lower, r->bounds[c][0]))
        bad_number(r, r->at[c], "lower", v->lower, r->bounds[c][0]);
    if (!same_double(v->expected, r->bounds[c][1]))
        bad_number(r, r->at[c], "median", v->expected, r->bounds[c][1]);
    if (!same_double(v->upper, r->bounds[c][2]))
        bad_number(r, r->at[c], "upper", v->upper, r->bounds[c][2]);
}

static void run_quantiles(run *r, anomaly_detector *d)
{
    size_t c = 0;
    for (size_t i = 0; i < r->n; i++) {
        assert_ok(anomaly_update(d, &r->x[i], r->times[i], &r->verdicts[i]));
        for (; c < r->checks && r->at[c] == i + 1; c++) {
            assert_ok(anomaly_window_stats(d, 0, &r->stats[c]));
            check_quantiles(r, c, d);
        }
    }
}

static void percentile_window(const stream_case *what, size_t w, int by_time)
{
    run r;
    anomaly_detector *d;
    run_begin(&r, what, w);
    r.by_time = by_time;
    d = run_detector(&r, ANOMALY_PERCENTILE, 0, ANOMALY_SIMD_AUTO);
    run_quantiles(&r, d);
    for (size_t c = 0; c < r.checks; c++)
        check_bounds(&r, c);
    run_all_rows(&r, ANOMALY_PERCENTILE, 0);
    anomaly_destroy(d);
    run_end(&r);
}

static void test_percentile(void **state)
{
    for (size_t i = 0; i < window_count(); i++)
        percentile_window(*state, WINDOWS[i], 0);
    percentile_window(*state, 100, 1);
}

/* ---- median and MAD ---- */

static void check_robust(run *r, size_t at)
{
    size_t n = gather(r->x, at, r->w, 0, r->window);
    const anomaly_verdict *v = &r->verdicts[at < r->n ? at : 0];
    double median, spread;
    if (at >= r->n || !isfinite(r->x[at]))
        return;
    exact_robust(r->window, n, r->scratch, &median, &spread);
    if (!same_double(v->expected, median))
        bad_number(r, at, "median", v->expected, median);
    if (spread != 0 && !same_double(v->score, fabs(r->x[at] - median) / spread))
        bad_number(r, at, "robust score", v->score, fabs(r->x[at] - median) / spread);
    if (spread == 0 && v->score != (r->x[at] == median ? 0 : INFINITY))
        bad_number(r, at, "robust score", v->score, 0);
}

static void robust_window(const stream_case *what, size_t w)
{
    run r;
    anomaly_detector *d;
    run_begin(&r, what, w);
    d = run_detector(&r, ANOMALY_ZSCORE, 1, ANOMALY_SIMD_AUTO);
    run_single(&r, d);
    for (size_t c = 0; c < r.checks; c++)
        check_robust(&r, r.at[c]);
    run_all_rows(&r, ANOMALY_ZSCORE, 1);
    anomaly_destroy(d);
    run_end(&r);
}

static void test_robust(void **state)
{
    for (size_t i = 0; i < window_count(); i++)
        if (WINDOWS[i] <= 10000)
            robust_window(*state, WINDOWS[i]);
}

/* ---- all of them ---- */

int main(void)
{
    static char names[3 * ARRAY_COUNT(CASES)][64];
    static struct CMUnitTest tests[3 * ARRAY_COUNT(CASES)];
    static const char *const methods[] = {"stddev", "percentile", "robust"};
    static const CMUnitTestFunction functions[] = {test_zscore, test_percentile, test_robust};
    size_t n = 0;
    for (size_t m = 0; m < 3; m++)
        for (size_t i = 0; i < ARRAY_COUNT(CASES); i++, n++) {
            snprintf(names[n], sizeof names[n], "%s: %s", methods[m], CASES[i].name);
            tests[n] = (struct CMUnitTest){names[n], functions[m], NULL, NULL, &CASES[i]};
        }
    return _cmocka_run_group_tests("exactness", tests, n, NULL, NULL);
}
