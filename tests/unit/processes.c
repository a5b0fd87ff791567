/* SPDX-License-Identifier: MIT
 * processes.c - state that goes from one process to another: saved here and loaded there (S14), copied by a fork, a window that
 * late events come to in different lives (S25), keys shared out to five processes (S15). Every process is a real one. Beside
 * what a fork copies, a process knows of the others only what it reads. */
#include "../support/snapshots.h"

#include "../support/random.h"

#include <sys/wait.h>
#include <unistd.h>

/* ---- a process: reads `in`, writes what it has to say ---- */

enum { MOST = 1 << 20 };

typedef struct message {
    unsigned char bytes[MOST];
    size_t size;
} message;

static void say(message *m, const void *bytes, size_t size)
{
    assert_true(size <= MOST - m->size);
    memcpy(m->bytes + m->size, bytes, size);
    m->size += size;
}

static void write_all(int to, const message *m)
{
    for (size_t at = 0; at < m->size;) {
        ssize_t wrote = write(to, m->bytes + at, m->size - at);
        if (wrote <= 0)
            _exit(1);
        at += (size_t)wrote;
    }
}

static void read_all(int from, message *m)
{
    ssize_t got;
    m->size = 0;
    while ((got = read(from, m->bytes + m->size, MOST - m->size)) > 0)
        m->size += (size_t)got;
    assert_true(got == 0);
}

typedef void (*life)(const message *in, message *out, void *ctx);

static void live(life what, const message *in, message *out, void *ctx)
{
    int ends[2], status;
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        static message said;
        close(ends[0]);
        what(in, &said, ctx);
        write_all(ends[1], &said);
        execlp("true", "true", (char *)NULL); /* not _exit: valgrind would take what the child inherited for leaks */
        _exit(1);
    }
    close(ends[1]);
    read_all(ends[0], out);
    close(ends[0]);
    assert_true(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static anomaly_detector *woken(const message *in)
{
    saved s = {(unsigned char *)(uintptr_t)in->bytes, in->size};
    return restore_detector(&s);
}

static void say_state(message *out, const anomaly_detector *d)
{
    saved s = save_detector(d);
    say(out, s.bytes, s.size);
    free(s.bytes);
}

/* ---- S14 ---- */

typedef struct sample {
    int kind;
    const char *options;
} sample;

static const sample SAMPLES[] = {
    {ANOMALY_ZSCORE, "window=300s,200 features=2"},
    {ANOMALY_ZSCORE, "window=60 robust=1 features=2"},
    {ANOMALY_PERCENTILE, "window=100 features=2"},
    {ANOMALY_IFOREST, "window=256 features=2 contamination=0.05"},
};

static anomaly_verdict feed(anomaly_detector *d, int i)
{
    random_state r = {(uint64_t)i};
    anomaly_verdict v;
    double x[2] = {random_normal(&r) + (i % 97 == 0 ? 9 : 0), random_normal(&r)};
    assert_ok(anomaly_update(d, x, i * SECOND, &v));
    return v;
}

static void first_half(const message *in, message *out, void *ctx)
{
    const sample *s = ctx;
    anomaly_detector *d = detector_of(s->kind, s->options);
    (void)in;
    for (int i = 0; i < 1000; i++)
        feed(d, i);
    say_state(out, d);
}

static void second_half(const message *in, message *out, void *ctx)
{
    anomaly_detector *d = woken(in);
    (void)ctx;
    for (int i = 1000; i < 2000; i++) {
        anomaly_verdict v = feed(d, i);
        say(out, &v.score, sizeof v.score);
        say(out, &v.flags, sizeof v.flags);
    }
    say_state(out, d);
}

static void both_halves(const message *in, message *out, void *ctx)
{
    const sample *s = ctx;
    anomaly_detector *d = detector_of(s->kind, s->options);
    (void)in;
    for (int i = 0; i < 2000; i++) {
        anomaly_verdict v = feed(d, i);
        if (i >= 1000) {
            say(out, &v.score, sizeof v.score);
            say(out, &v.flags, sizeof v.flags);
        }
    }
    say_state(out, d);
}

static void test_another_process_goes_on(void **state)
{
    static message kept, resumed, whole;
    (void)state;
    for (size_t k = 0; k < ARRAY_COUNT(SAMPLES); k++) {
        sample s = SAMPLES[k];
        live(first_half, NULL, &kept, &s);
        live(second_half, &kept, &resumed, &s);
        live(both_halves, NULL, &whole, &s);
        assert_true(resumed.size == whole.size && memcmp(resumed.bytes, whole.bytes, whole.size) == 0);
    }
}

/* ---- a fork copies what is there, locks and all ---- */

typedef struct copied {
    anomaly_detector *detector;
    anomaly_pool *pool;
} copied;

static void go_on(const message *in, message *out, void *ctx)
{
    copied *c = ctx;
    (void)in;
    for (int i = 1000; i < 1300; i++) {
        anomaly_verdict v = feed(c->detector, i), p = pool_push(c->pool, i % 2 ? "old" : "new", v.score, i * SECOND);
        say(out, &v.score, sizeof v.score);
        say(out, &p.score, sizeof p.score);
    }
}

static void test_a_child_goes_on_with_its_copy(void **state)
{
    static message childs, own;
    (void)state;
    for (size_t k = 0; k < ARRAY_COUNT(SAMPLES); k++) {
        copied c = {detector_of(SAMPLES[k].kind, SAMPLES[k].options), pool_of(ANOMALY_ZSCORE, "window=30", NULL)};
        for (int i = 0; i < 1000; i++) {
            feed(c.detector, i);
            pool_push(c.pool, "old", i % 10, i * SECOND);
        }
        live(go_on, NULL, &childs, &c);
        own.size = 0;
        go_on(NULL, &own, &c);
        assert_true(childs.size == own.size && memcmp(childs.bytes, own.bytes, own.size) == 0);
        anomaly_pool_destroy(c.pool);
        anomaly_destroy(c.detector);
    }
}

/* ---- S25: 0, 290, 10, 20, 320 s in a window of 300 s, each in a process of its own ---- */

static void one_event(const message *in, message *out, void *ctx)
{
    int64_t t = *(int *)ctx;
    anomaly_detector *d = in->size ? woken(in) : zscore_of("window=300s");
    push_at(d, (double)t, t * SECOND);
    say_state(out, d);
    anomaly_destroy(d);
}

static void test_late_events_in_many_lives(void **state)
{
    static const int TIMES[] = {0, 290, 10, 20, 320};
    static message a, b;
    (void)state;
    a.size = 0;
    for (size_t i = 0; i < ARRAY_COUNT(TIMES); i++) {
        int t = TIMES[i];
        live(one_event, &a, &b, &t);
        a = b;
    }
    anomaly_detector *d = woken(&a);
    anomaly_stats stats = stats_of(d, 0);
    assert_true(stats.count == 3 && stats.min == 20 && stats.max == 320 && stats.mean == 210); /* 20, 290, 320 */
    anomaly_destroy(d);
}

/* ---- S15 ---- */

typedef struct share {
    uint64_t processes, number;
} share;

static void one_share(const message *in, message *out, void *ctx)
{
    const share *mine = ctx;
    anomaly_pool *pool = pool_of(ANOMALY_ZSCORE, "window=30", NULL);
    (void)in;
    for (int i = 0; i < 40; i++)
        for (int k = 0; k < 20; k++) {
            char key[16];
            snprintf(key, sizeof key, "m%02d", k);
            if (anomaly_key_hash(key, 3) % mine->processes != mine->number)
                continue;
            anomaly_verdict v = pool_push(pool, key, i == 30 && (k == 7 || k == 13) ? 95 : 50 + i % 10, ANOMALY_NO_TIME);
            if (flagged(v)) {
                int found[2] = {k, i};
                say(out, found, sizeof found);
                say(out, &v.score, sizeof v.score);
            }
        }
    anomaly_pool_destroy(pool);
}

/* Everything that was said: which keys at which event, and a score each. */
static uint64_t note_found(const message *said, int *seven, int *thirteen)
{
    uint64_t count = 0;
    for (size_t at = 0; at < said->size; at += 16, count++) {
        int found[2];
        double score;
        memcpy(found, said->bytes + at, sizeof found);
        memcpy(&score, said->bytes + at + sizeof found, sizeof score);
        assert_int_equal(found[1], 30);
        assert_close(score, 13.863294, 1e-6);
        *seven += found[0] == 7;
        *thirteen += found[0] == 13;
    }
    return count;
}

static void test_five_processes_find_what_one_finds(void **state)
{
    static message said;
    (void)state;
    for (uint64_t processes = 1; processes <= 5; processes += 4) {
        int seven = 0, thirteen = 0;
        uint64_t count = 0;
        for (uint64_t p = 0; p < processes; p++) {
            share s = {processes, p};
            live(one_share, NULL, &said, &s);
            count += note_found(&said, &seven, &thirteen);
        }
        assert_true(count == 2 && seven == 1 && thirteen == 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_another_process_goes_on),
        cmocka_unit_test(test_a_child_goes_on_with_its_copy),
        cmocka_unit_test(test_late_events_in_many_lives),
        cmocka_unit_test(test_five_processes_find_what_one_finds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
