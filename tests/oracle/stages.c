/* SPDX-License-Identifier: MIT
 * stages.c - detectors with stages beside what docs/methods.md and docs/concepts.md say of the stages. The kind between them is a
 * plain detector of the library, which steps.c has judged; everything round it is reckoned here, and remembers everything. */
#include "test.h"

#include <inttypes.h>

#include "support/agree.h"
#include "support/draw.h"
#include "support/run.h"

enum { MOST = 4000, SLOTS = 168, CYCLES = 2, KEPT = 7 };

typedef struct visit {
    int values;
    double mean, deviation;
} visit;

typedef struct cycle {
    int64_t period, slots, now;
    int started;
    int visits[SLOTS];
    visit kept[SLOTS][KEPT]; /* the newest last */
    double values[2][MOST];  /* of the visit that goes on: usual ones, flagged ones */
    int count[2];
} cycle;

typedef struct usual {
    int known;
    double centre, spread;
} usual;

typedef struct episode {
    uint64_t seed, step;
    random_state r;
    char text[300];
    anomaly_config config;
    anomaly_detector *staged, *plain;
    agreement *agreement;
    int failed;
    int64_t t;
    double before;
    int64_t before_t;
    int cycles;
    cycle cycle[CYCLES];
    double scores[MOST]; /* all, oldest first */
    int64_t score_times[MOST];
    int score_count;
    double learned[MOST]; /* what the plain detector has learned */
    int learned_count;
    double share, from, scale, shape; /* of the fit */
    int odd[MOST];                    /* worth a word? */
    int64_t times[MOST];
    int events, last_odd, in_episode, told; /* told: events of the episode behind its alarm */
    double bar;
} episode;

static void check(episode *e, int agrees, const char *what, double got, double want)
{
    if (agrees || e->failed)
        return;
    e->failed = 1;
    print_error("ORACLE_SEED=%" PRIu64 " step %" PRIu64 ", %s: %.17g, want %.17g\n  %s\n", e->seed, e->step, what, got, want,
                e->text);
}

static int is_near(double a, double b)
{
    return (isnan(a) && isnan(b)) || a == b || fabs(a - b) <= 1e-7 * (1 + fabs(a) + fabs(b));
}

/* ---- transform ---- */

static int has_transform(const episode *e, double x, int64_t t)
{
    switch (e->config.transform) {
    case ANOMALY_LOG: return x > 0;
    case ANOMALY_LOG1P: return x > -1;
    case ANOMALY_SQRT: return x >= 0;
    case ANOMALY_RATE: return t > e->before_t && x >= 0;
    default: return 1;
    }
}

static double transformed(const episode *e, double x, int64_t t)
{
    double seconds = (double)(t - e->before_t) / 1e9;
    switch (e->config.transform) {
    case ANOMALY_LOG: return log(x);
    case ANOMALY_LOG1P: return log1p(x);
    case ANOMALY_SQRT: return sqrt(x);
    case ANOMALY_DIFF: return x - e->before;
    case ANOMALY_RATE: return (x < e->before ? x : x - e->before) / seconds;
    default: return x;
    }
}

static double brought_back(const episode *e, double x, double y, int64_t t)
{
    switch (e->config.transform) {
    case ANOMALY_LOG: return exp(y);
    case ANOMALY_LOG1P: return expm1(y);
    case ANOMALY_SQRT: return y > 0 ? y * y : isnan(y) ? y : 0;
    case ANOMALY_DIFF: return e->before + y;
    case ANOMALY_RATE:
        return t > e->before_t ? (x < e->before ? 0 : e->before) + y * ((double)(t - e->before_t) / 1e9) : NAN;
    default: return y;
    }
}

/* ---- season ---- */

static int64_t slot_at(const episode *e, const cycle *c, int64_t t)
{
    real local = (real)t + (real)e->config.offset_ns, number = local * (real)c->slots / (real)c->period;
    int64_t whole = (int64_t)number;
    return whole - ((real)whole > number);
}

static double median_of(double *x, int n)
{
    oracle_sort(x, (size_t)n);
    return n % 2 ? x[n / 2] : (x[n / 2 - 1] + x[n / 2]) / 2;
}

static usual slot_usual(const cycle *c, int slot)
{
    double of_visit[KEPT];
    int n = c->visits[slot] < KEPT ? c->visits[slot] : KEPT;
    const visit *kept = &c->kept[slot][KEPT - n];
    usual u = {c->visits[slot] >= 2, 0, 1};
    for (int i = 0; i < n; i++)
        of_visit[i] = kept[i].mean;
    if (n == 0)
        return u;
    u.centre = median_of(of_visit, n);
    for (int i = 0; i < n; i++)
        of_visit[i] = hypot(kept[i].deviation, kept[i].mean - u.centre);
    u.spread = 1.2533141373155001 * median_of(of_visit, n);
    return u;
}

static usual usual_of(const cycle *c, int64_t number)
{
    int slot = (int)(((number % c->slots) + c->slots) % c->slots), known = 0;
    usual u = slot_usual(c, slot);
    double all = 0, values = 0;
    if (!u.known)
        return (usual){0, 0, 1};
    for (int i = 0; i < c->slots; i++) {
        usual other = slot_usual(c, i);
        known += other.known;
        all += other.known ? other.spread : 0;
    }
    all /= known;
    for (int i = 0; i < KEPT; i++)
        values += c->kept[slot][i].values;
    u.spread = (values * u.spread + 8 * all) / (values + 8);
    u.spread = u.spread > all / 20 ? u.spread : all / 20;
    u.spread = u.spread > 0 ? u.spread : 1;
    return u;
}

static visit visit_of(const double *x, int n)
{
    visit v = {n, 0, 0};
    double sum = 0;
    for (int i = 0; i < n; i++) {
        if (i > 0)
            v.deviation += fabs(x[i] - sum / i) * sqrt(i / (i + 1.0)) / (n - 1);
        sum += x[i];
    }
    v.mean = n > 0 ? sum / n : 0;
    return v;
}

static void end_visit(cycle *c)
{
    visit u = visit_of(c->values[0], c->count[0]), f = visit_of(c->values[1], c->count[1]), v = u;
    int slot = (int)(((c->now % c->slots) + c->slots) % c->slots), n = u.values + f.values;
    if (f.values > u.values)
        v = (visit){n, (u.mean * u.values + f.mean * f.values) / n, (u.deviation * u.values + f.deviation * f.values) / n};
    c->count[0] = c->count[1] = 0;
    if (v.values == 0)
        return;
    memmove(c->kept[slot], c->kept[slot] + 1, (KEPT - 1) * sizeof(visit));
    c->kept[slot][KEPT - 1] = v;
    c->visits[slot]++;
}

/* Times do not fall here, nor rise by more than two periods: tests/unit/season.c has such. */
static void season_arrives(episode *e, int64_t t)
{
    for (int k = 0; k < e->cycles; k++) {
        cycle *c = &e->cycle[k];
        int64_t number = slot_at(e, c, t);
        if (c->started && number != c->now)
            end_visit(c);
        c->started = 1;
        c->now = number;
    }
}

static usual season_at(const episode *e, int64_t t)
{
    usual u = {1, 0, 1}, longer;
    if (e->cycles == 0)
        return u;
    u = usual_of(&e->cycle[0], slot_at(e, &e->cycle[0], t));
    if (!u.known || e->cycles == 1)
        return u;
    longer = usual_of(&e->cycle[1], slot_at(e, &e->cycle[1], t));
    return longer.known ? (usual){1, u.centre + longer.centre, longer.spread} : u;
}

static void season_learns(episode *e, double y, int flagged)
{
    for (int k = 0; k < e->cycles; k++) {
        cycle *c = &e->cycle[k];
        usual u = usual_of(c, c->now);
        c->values[flagged][c->count[flagged]++] = y;
        if (!u.known)
            return;
        y -= u.centre;
    }
}

/* ---- tail ---- */

static int has_budget(const episode *e)
{
    return e->config.alarm_rate > 0 || e->config.alarms_ns > 0;
}

static int record(const episode *e, double *sorted)
{
    int n = e->score_count < (int)e->config.calibrate ? e->score_count : (int)e->config.calibrate;
    memcpy(sorted, e->scores + e->score_count - n, (size_t)n * sizeof *sorted);
    oracle_sort(sorted, (size_t)n);
    return n;
}

static void refit(episode *e)
{
    static double s[MOST];
    int n = record(e, s), m = n / 50 < 10 ? 10 : n / 50 > 200 ? 200 : n / 50;
    double a0 = 0, a1 = 0;
    e->from = s[n - 1 - m];
    for (int i = 1; i <= m; i++) {
        double excess = s[n - i] - e->from;
        a0 += excess / m;
        a1 += (i - 0.65) / m * excess / m;
    }
    e->shape = a0 > 2 * a1 ? 2 - a0 / (a0 - 2 * a1) : a1 > 0 ? 0.9 : 0;
    e->shape = e->shape < 1e-6 ? 0 : e->shape > 0.9 ? 0.9 : e->shape;
    e->scale = a0 * (1 - e->shape);
    e->share = (double)m / n;
}

static double estimate(const episode *e, double score)
{
    double excess = (score - e->from) / e->scale;
    if (e->scale == 0)
        return 0;
    return e->share * (e->shape > 0 ? pow(1 + e->shape * excess, -1 / e->shape) : exp(-excess));
}

static double score_with(const episode *e, double chance)
{
    double ratio = e->share / chance;
    if (e->scale == 0 || ratio <= 1)
        return e->from;
    return e->from + e->scale * (e->shape > 0 ? (pow(ratio, e->shape) - 1) / e->shape : log(ratio));
}

static double rate_between(const episode *e, int from, int to)
{
    double rate =
        e->config.alarms * (double)(e->score_times[to] - e->score_times[from]) / (double)e->config.alarms_ns / (to - from);
    return rate < 0.5 ? rate : 0.5;
}

/* By time it is the median of three paces: only the times of scores whose number is a multiple of 64 are kept, and the
 * newest is known. Of fewer than five kept ones the least of two counts. */
static double rate_of(const episode *e)
{
    double paces[3];
    int newest = e->score_count - 1, oldest = e->score_count - (int)e->config.calibrate;
    if (!e->config.alarms_ns)
        return e->config.alarm_rate < 0.5 ? e->config.alarm_rate : 0.5;
    oldest = oldest < 0 ? 0 : (oldest + 63) / 64 * 64;
    int last = (newest - 1) / 64 * 64;
    paces[0] = rate_between(e, oldest, newest);
    if (last == oldest)
        return paces[0];
    if (last - oldest < 4 * 64)
        return fmin(paces[0], rate_between(e, oldest, last));
    paces[1] = rate_between(e, oldest + 64, last);
    paces[2] = rate_between(e, oldest + 128, last - 64);
    return median_of(paces, 3);
}

/* The share of the events whose value the kind has just seen: of the newest 4096 of the window, or of as many as there
 * are scores. */
static double share_of_equals(const episode *e, double z, int scores)
{
    int n = (int)e->config.window_events, equal = 0;
    n = e->learned_count < n ? e->learned_count : n;
    for (int i = 0; i < n; i++)
        equal += e->learned[e->learned_count - 1 - i] == z;
    return equal > 0 ? (equal + 1.0) / ((n > scores ? n : scores) + 1.0) : 0;
}

/* An event whose very value is more frequent than its score, and than the budget, is spared; by time the budget is taken
 * as what the threshold lets through, which is no more than `rate`. */
static void check_spared(episode *e, const anomaly_verdict *v, double share, double rate)
{
    check(e, v->tail == share && !(v->flags & ANOMALY_TAIL_ESTIMATED), "tail of equal events", v->tail, share);
    if (!e->config.alarms_ns || share > rate)
        check(e, ((v->flags & ANOMALY_IS_ANOMALY) != 0) == (share <= rate), "flagged by a share", share, rate);
    check(e, ((v->flags & ANOMALY_IS_ANOMALY) != 0) == (v->score >= v->threshold), "score and threshold", v->score,
          v->threshold);
}

static void check_tail(episode *e, const anomaly_verdict *v, double z)
{
    static double s[MOST];
    int n = record(e, s), reached = 0, estimated = (v->flags & ANOMALY_TAIL_ESTIMATED) != 0;
    double rate = rate_of(e), finite = isinf(v->score) ? DBL_MAX : v->score, rank;
    for (int i = 0; i < n; i++)
        reached += s[i] >= finite;
    rank = (reached + 1.0) / (n + 1.0);
    double equals = share_of_equals(e, z, n), chance = reached > 0 ? rank : estimate(e, finite);
    if (equals > 0 && (reached == 0 || v->tail != rank) && equals > chance && chance <= rate) {
        check_spared(e, v, equals, rate);
        return;
    }
    check(e, estimated == (reached == 0), "is the tail estimated", estimated, reached == 0);
    if (reached > 0)
        check(e, v->tail == rank, "tail", v->tail, rank);
    else {
        double want = estimate(e, finite);
        check(e, fabs(v->tail - (want < rank ? want : rank)) <= 1e-9, "estimated tail", v->tail, want);
    }
    if (rate * (n + 1) >= 1 && fabs(rank - rate) > 1e-12)
        check(e, ((v->flags & ANOMALY_IS_ANOMALY) != 0) == (rank <= rate), "flagged by a rank", rank, rate);
    if (rate * (n + 1) < 1 - 1e-9) {
        double want = score_with(e, rate);
        want = want > s[n - 1] ? want : nextafter(s[n - 1], INFINITY);
        check(e, is_near(v->threshold, want), "threshold beyond the record", v->threshold, want);
    }
    check(e, ((v->flags & ANOMALY_IS_ANOMALY) != 0) == (finite >= v->threshold), "score and threshold", v->score,
          v->threshold);
}

static void note_score(episode *e, double score)
{
    e->score_times[e->score_count] = e->t;
    e->scores[e->score_count++] = isinf(score) ? DBL_MAX : score;
    if (e->score_count == 50 || (e->score_count > 50 && e->score_count % 64 == 0))
        refit(e);
}

/* ---- decision ---- */

static int decides(const anomaly_config *c)
{
    return c->rest_events || c->rest_ns || c->confirm > 1 || c->min_change > 0 || c->min_percent > 0;
}

static int rest_is_over(const episode *e)
{
    if (e->config.rest_ns)
        return e->times[e->events] - e->times[e->last_odd] > e->config.rest_ns;
    return e->events - 1 - e->last_odd >= (int)e->config.rest_events;
}

static uint32_t decision(episode *e, const anomaly_verdict *v, double x)
{
    const anomaly_config *c = &e->config;
    int odd = (v->flags & ANOMALY_IS_ANOMALY) != 0, last = 0, alarm = 0;
    double change = fabs(x - v->expected);
    int small = change < c->min_change || change < c->min_percent / 100 * fabs(v->expected);
    uint32_t flags = 0;
    if (!decides(c))
        return 0;
    if (e->in_episode && rest_is_over(e)) {
        e->in_episode = 0;
        flags |= ANOMALY_EPISODE_END;
    }
    flags |= e->in_episode ? ANOMALY_EPISODE : 0u;
    e->odd[e->events] = odd && !small;
    for (int i = e->events; i >= 0 && i > e->events - (int)c->confirm_of; i--)
        last += e->odd[i];
    if (odd && small)
        return flags | ANOMALY_HELD | ANOMALY_SMALL_CHANGE;
    if (!odd)
        return flags;
    alarm = e->in_episode ? c->margin > 0 && v->score - e->bar > c->margin : c->confirm <= 1 || last >= (int)c->confirm;
    flags |= alarm ? ANOMALY_ALARM : ANOMALY_HELD | (e->in_episode ? 0u : ANOMALY_UNCONFIRMED);
    e->bar = alarm ? v->score : e->bar;
    e->in_episode |= alarm && (c->rest_events || c->rest_ns);
    e->last_odd = e->events;
    return flags;
}

/* ---- one event ---- */

static const uint32_t OF_DECISION =
    ANOMALY_ALARM | ANOMALY_EPISODE | ANOMALY_EPISODE_END | ANOMALY_HELD | ANOMALY_UNCONFIRMED | ANOMALY_SMALL_CHANGE;

static void check_bounds(episode *e, double x, const anomaly_verdict *got, const anomaly_verdict *plain, const usual *u)
{
    double share = has_budget(e) && e->config.kind == ANOMALY_ZSCORE ? got->threshold / e->config.threshold : 1;
    double expected = brought_back(e, x, u->centre + u->spread * plain->expected, e->t), upper;
    check(e, is_near(got->expected, expected), "expected", got->expected, expected);
    if (!isfinite(plain->upper) || !(share > 0) || isinf(share))
        return;
    upper = plain->expected + (plain->upper - plain->expected) * share;
    if (!(fabs(upper) < 1e300)) /* the threshold of a record with infinite scores: which product overflows first? */
        return;
    upper = brought_back(e, x, u->centre + u->spread * upper, e->t);
    check(e, is_near(got->upper, upper), "upper", got->upper, upper);
}

/* Answers whether the score is one for the record. */
static int check_event(episode *e, double x, double z, uint32_t unseen, const usual *u, const anomaly_verdict *got)
{
    anomaly_verdict plain;
    uint32_t kept = ANOMALY_WARMING_UP | ANOMALY_UNTRANSFORMED, want;
    assert_ok(anomaly_score(e->plain, &z, e->t, &plain));
    want = (plain.flags & ANOMALY_WARMING_UP) | (isnan(plain.score) ? unseen & ANOMALY_WARMING_UP : 0u) |
           (unseen & ANOMALY_UNTRANSFORMED);
    int judged = !(want & ANOMALY_WARMING_UP) && !isnan(plain.score), too_few = e->score_count < 50;
    want |= has_budget(e) && judged && too_few ? ANOMALY_WARMING_UP : 0u;
    check(e, is_near(got->score, plain.score), "score", got->score, plain.score);
    check(e, (got->flags & kept) == want, "flags", got->flags, want);
    check(e, !!(got->flags & ANOMALY_MISSING) == isnan(x), "missing", got->flags, isnan(x));
    check_bounds(e, x, got, &plain, u);
    if (has_budget(e) && judged && !too_few)
        check_tail(e, got, z);
    else
        check(e, isnan(got->tail), "no tail", got->tail, NAN);
    if (!has_budget(e) && fabs(plain.score - plain.threshold) > 1e-6)
        check(e, ((got->flags ^ plain.flags) & ANOMALY_IS_ANOMALY) == 0, "anomalous", got->flags, plain.flags);
    return judged && has_budget(e);
}

static void arrive(episode *e, double x)
{
    anomaly_verdict got;
    double y = NAN, z = NAN;
    uint32_t unseen = 0, want;
    int seen = isfinite(x) && has_transform(e, x, e->t);
    int first = isnan(e->before) && e->config.transform >= ANOMALY_DIFF;
    season_arrives(e, e->t);
    usual u = season_at(e, e->t);
    if (isinf(x))
        z = x;
    else if (isfinite(x) && first)
        unseen = ANOMALY_WARMING_UP;
    else if (isfinite(x) && !seen)
        unseen = ANOMALY_UNTRANSFORMED;
    else if (seen) {
        y = transformed(e, x, e->t);
        z = u.known ? (y - u.centre) / u.spread : NAN;
        unseen = u.known ? 0u : ANOMALY_WARMING_UP;
    }
    assert_ok(anomaly_update(e->staged, &x, e->t, &got));
    e->times[e->events] = e->t;
    int recorded = check_event(e, x, z, unseen, &u, &got);
    want = decision(e, &got, x);
    e->told = got.flags & ANOMALY_EPISODE ? e->told + 1 : 0;
    if (recorded && (e->told == 0 || e->told > (int)e->config.calibrate / 8)) /* an episode counts once, unless it lasts */
        note_score(e, got.score);
    check(e, (got.flags & OF_DECISION) == want, "decision", got.flags & OF_DECISION, want);
    assert_ok(anomaly_learn(e->plain, &z, e->t));
    if (isfinite(z))
        e->learned[e->learned_count++] = z;
    if (!isnan(y))
        season_learns(e, y, (got.flags & ANOMALY_IS_ANOMALY) != 0);
    if (isfinite(x)) {
        e->before = x;
        e->before_t = e->t;
    }
    e->events++;
    e->step++;
}

/* ---- episodes ---- */

static const char *const KINDS[] = {"window=60", "window=60 robust=1", "window=200 side=upper", "window=80"};
static const char *const TRANSFORMS[] = {"none", "none", "log", "log1p", "sqrt", "diff", "rate"};
static const char *const SEASONS[] = {"off", "off", "1m", "2m", "1m,2m", "3m season_offset=-70s"};
static const char *const BUDGETS[] = {"alarm_rate=0",    "alarm_rate=0.05", "alarm_rate=0.3",
                                      "alarm_rate=1e-3", "alarms=3/1m",     "alarms=2/1h"};
static const char *const RESTS[] = {"off", "off", "5", "30", "20s"};
static const char *const CONFIRMS[] = {"1/1", "1/1", "2/3", "3/9"};
static const char *const CHANGES[] = {"0", "0", "4", "10%"};

#define ONE_OF(r, of) of[random_below(r, sizeof(of) / sizeof *(of))]

static void begin(episode *e, uint64_t seed)
{
    uint64_t kind;
    memset(e, 0, sizeof *e);
    e->seed = e->r.s = seed;
    kind = random_below(&e->r, 4);
    snprintf(e->text, sizeof e->text, "%s transform=%s season=%s %s rest=%s confirm=%s min_change=%s margin=%s calibrate=%s",
             KINDS[kind], ONE_OF(&e->r, TRANSFORMS), ONE_OF(&e->r, SEASONS), ONE_OF(&e->r, BUDGETS), ONE_OF(&e->r, RESTS),
             ONE_OF(&e->r, CONFIRMS), ONE_OF(&e->r, CHANGES), one_in(&e->r, 2) ? "0" : "0.5",
             one_in(&e->r, 2) ? "128" : "1000");
    config_of(&e->config, kind == 3 ? ANOMALY_PERCENTILE : ANOMALY_ZSCORE, e->text);
    e->staged = detector_of(e->config.kind, e->text);
    e->plain = detector_of(e->config.kind, KINDS[kind]);
    assert_ok(anomaly_set_threshold(e->plain, e->config.threshold));
    e->before = NAN;
    e->before_t = INT64_MIN / 2;
    e->t = (int64_t)random_below(&e->r, 1000) * SECOND - 500 * SECOND;
    e->cycle[0].period = e->config.season_ns;
    e->cycle[1].period = e->config.second_ns;
    e->cycle[0].slots = e->cycle[1].slots = 96; /* up to two days */
    e->cycles = (e->config.season_ns > 0) + (e->config.second_ns > 0);
}

static double next_x(episode *e)
{
    double x = 20 + 8 * (e->t / SECOND % 60 < 30) + 2 * random_normal(&e->r);
    if (one_in(&e->r, 60))
        return one_in(&e->r, 3) ? INFINITY : one_in(&e->r, 2) ? NAN : -0.5;
    return one_in(&e->r, 30) || (e->events / 50 % 9 == 8 && one_in(&e->r, 2)) ? x * (1 + (double)random_below(&e->r, 4)) : x;
}

static void run_episode(uint64_t seed, agreement *a, uint64_t *steps, uint64_t *failures)
{
    static episode e;
    begin(&e, seed);
    e.agreement = a;
    while (!e.failed && e.step < 1500) {
        e.t += (int64_t)random_below(&e.r, 5) * SECOND / 2;
        arrive(&e, next_x(&e));
        a->verdicts++;
    }
    *steps += e.step;
    *failures += e.failed != 0;
    anomaly_destroy(e.staged);
    anomaly_destroy(e.plain);
}

static void stages_do_what_the_documentation_says(void **state)
{
    (void)state;
    run_episodes(run_episode);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(stages_do_what_the_documentation_says)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
