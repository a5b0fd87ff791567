/* SPDX-License-Identifier: MIT
 * config.c - the table of options: defaults, names, texts, bounds, reasons for refusing. */
#include "../support/test.h"

#include <locale.h>

static anomaly_config fresh(int kind)
{
    anomaly_config c;
    assert_ok(anomaly_config_init(&c, sizeof c, kind));
    return c;
}

/* ---- defaults ---- */

static void check_common_defaults(const anomaly_config *c, int kind)
{
    assert_true(c->struct_size == sizeof *c);
    assert_int_equal(c->kind, kind);
    assert_int_equal(c->features, 1);
    assert_true(c->window_events == 1000);
    assert_true(c->window_ns == 0);
    assert_int_equal(c->side, ANOMALY_BOTH);
    assert_int_equal(c->include_self, 0);
    assert_int_equal(c->ddof, 1);
    assert_int_equal(c->robust, 0);
    assert_int_equal(c->flat, ANOMALY_FLAT_FLAG);
    assert_same(c->min_stddev, 0);
    assert_int_equal(c->learn, ANOMALY_LEARN_ALWAYS);
    assert_int_equal(c->learn_after, 0);
    assert_true(c->max_late_ns == -1);
    assert_true(c->max_jump_ns == 0);
    assert_same(c->lower_percent, 1);
    assert_same(c->upper_percent, 99);
    assert_int_equal(c->quantile, ANOMALY_LINEAR);
    assert_int_equal(c->reserve, 0);
    assert_int_equal(c->simd, ANOMALY_SIMD_AUTO);
}

static void test_defaults(void **state)
{
    anomaly_config z = fresh(ANOMALY_ZSCORE), p = fresh(ANOMALY_PERCENTILE);
    (void)state;
    check_common_defaults(&z, ANOMALY_ZSCORE);
    check_common_defaults(&p, ANOMALY_PERCENTILE);
    assert_true(z.warmup_events == 5);
    assert_true(p.warmup_events == 20);
    assert_same(z.threshold, 3);
    assert_same(p.threshold, 0);
    assert_int_equal(z.compare, ANOMALY_GE);
    assert_int_equal(p.compare, ANOMALY_GT);
}

static void test_init_errors(void **state)
{
    anomaly_config c, before;
    (void)state;
    memset(&c, 0x5a, sizeof c);
    before = c;
    assert_error(anomaly_config_init(NULL, sizeof c, ANOMALY_ZSCORE), ANOMALY_E_ARG);
    assert_error(anomaly_config_init(&c, sizeof c, 0), ANOMALY_E_KIND);
    assert_error(anomaly_config_init(&c, sizeof c, 99), ANOMALY_E_KIND);
    assert_error(anomaly_config_init(&c, sizeof c, -1), ANOMALY_E_KIND);
    assert_error(anomaly_config_init(&c, sizeof c + 8, ANOMALY_ZSCORE), ANOMALY_E_VERSION);
    assert_true(anomaly_config_init(&c, 0, ANOMALY_ZSCORE) < 0);
    assert_memory_equal(&c, &before, sizeof c);
}

/* A caller compiled against a shorter struct: its fields count, the rest keeps its default. */
static void test_shorter_struct(void **state)
{
    anomaly_config c;
    anomaly_detector *d = NULL;
    size_t size = offsetof(anomaly_config, reserve);
    (void)state;
    memset(&c, 0x5a, sizeof c);
    assert_ok(anomaly_config_init(&c, size, ANOMALY_ZSCORE));
    assert_true(c.struct_size == size);
    assert_int_equal(c.reserve, 0x5a5a5a5a);
    assert_ok(anomaly_config_set(&c, "window", "7", NULL));
    assert_int_equal(c.reserve, 0x5a5a5a5a);
    assert_ok(anomaly_create(&c, NULL, &d, NULL));
    for (int i = 0; i < 9; i++)
        push(d, i);
    assert_true(count_of(d) == 7);
    anomaly_destroy(d);
}

/* ---- texts ---- */

static void set_ok(anomaly_config *c, const char *name, const char *text)
{
    anomaly_error e = {0};
    if (anomaly_config_set(c, name, text, &e) == ANOMALY_OK)
        return;
    print_error("%s=%s refused: %s\n", name, text, e.message);
    fail();
}

static void check_window(const char *text, uint64_t events, int64_t ns)
{
    anomaly_config c = fresh(ANOMALY_ZSCORE);
    set_ok(&c, "window", text);
    if (c.window_events != events || c.window_ns != ns)
        print_error("window=%s: %llu events, %lld ns\n", text, (unsigned long long)c.window_events, (long long)c.window_ns);
    assert_true(c.window_events == events && c.window_ns == ns);
}

static void test_window_texts(void **state)
{
    (void)state;
    check_window("100", 100, 0);
    check_window("1", 1, 0);
    check_window("1073741824", UINT64_C(1) << 30, 0);
    check_window("300s", 0, 300 * SECOND);
    check_window("300s,5000", 5000, 300 * SECOND);
    check_window("5m", 0, 300 * SECOND);
    check_window("1h", 0, 3600 * SECOND);
    check_window("1.5h", 0, 5400 * SECOND);
    check_window("2d", 0, 172800 * SECOND);
    check_window("250ms", 0, SECOND / 4);
    check_window("10us", 0, 10000);
    check_window("7ns", 0, 7);
    check_window("0.5s", 0, SECOND / 2);
}

static void test_window_texts_in_words(void **state)
{
    static const struct {
        const char *names[4];
        int64_t seconds;
    } UNITS[] = {{{"s", "sec", "second", "seconds"}, 1},
                 {{"m", "min", "minute", "minutes"}, 60},
                 {{"h", "hour", "hours", "h"}, 3600},
                 {{"d", "D", "day", "days"}, 86400}};
    static const char *const FORMS[] = {"3%s", "3 %s", "3.0%s"};
    char text[32];
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(UNITS); i++)
        for (size_t j = 0; j < 4 * ARRAY_COUNT(FORMS); j++) {
            snprintf(text, sizeof text, FORMS[j / 4], UNITS[i].names[j % 4]);
            check_window(text, 0, 3 * UNITS[i].seconds * SECOND);
        }
    check_window("1 hour,5000", 5000, 3600 * SECOND);
}

/* Whatever it was set with, it is told in the short units. */
static void test_window_in_words_is_told_in_short(void **state)
{
    anomaly_config c = fresh(ANOMALY_ZSCORE);
    char text[64];
    (void)state;
    set_ok(&c, "window", "48 hours");
    assert_ok(anomaly_config_get(&c, "window", text, sizeof text));
    assert_string_equal(text, "2d");
    set_ok(&c, "window", "90 minutes,10");
    assert_ok(anomaly_config_get(&c, "window", text, sizeof text));
    assert_string_equal(text, "90m,10");
}

static void set_bad(int kind, const char *name, const char *text)
{
    anomaly_config c = fresh(kind), before = c;
    anomaly_error e = {0};
    int status = anomaly_config_set(&c, name, text, &e);
    if (status != ANOMALY_E_CONFIG)
        print_error("%s='%s' gives %d\n", name, text, status);
    assert_error(status, ANOMALY_E_CONFIG);
    assert_int_equal(e.status, ANOMALY_E_CONFIG);
    assert_string_equal(e.field, name);
    assert_true(e.message[0] != '\0');
    assert_memory_equal(&c, &before, sizeof c);
    assert_error(anomaly_config_set(&c, name, text, NULL), ANOMALY_E_CONFIG);
}

static void test_bad_window_texts(void **state)
{
    static const char *const BAD[] = {"",
                                      "0",
                                      "-5",
                                      "abc",
                                      "12x",
                                      "300  s",
                                      "300 ",
                                      "300 S",
                                      "5M",
                                      "5mins",
                                      "1h30min",
                                      " 300",
                                      "300s ",
                                      "300s,",
                                      ",5",
                                      "300s,0",
                                      "0s,5",
                                      "-3s",
                                      "nan",
                                      "inf",
                                      "nans",
                                      "1e400s",
                                      "1073741825",
                                      "300s,1073741825",
                                      "99999999999999999999",
                                      "999999999d",
                                      "5000,5000",
                                      "3s,4s",
                                      "300S",
                                      "1,2,3",
                                      "0x10"};
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(BAD); i++)
        set_bad(ANOMALY_ZSCORE, "window", BAD[i]);
}

static void test_bad_texts(void **state)
{
    (void)state;
    set_bad(ANOMALY_ZSCORE, "no_such_option", "1");
    set_bad(ANOMALY_ZSCORE, "", "1");
    set_bad(ANOMALY_ZSCORE, "Window", "100");
    set_bad(ANOMALY_ZSCORE, "threshold", "nan");
    set_bad(ANOMALY_ZSCORE, "threshold", "inf");
    set_bad(ANOMALY_ZSCORE, "threshold", "1e999");
    set_bad(ANOMALY_ZSCORE, "threshold", "3,5");
    set_bad(ANOMALY_ZSCORE, "threshold", "3.5x");
    set_bad(ANOMALY_ZSCORE, "threshold", "");
    set_bad(ANOMALY_ZSCORE, "compare", "GE");
    set_bad(ANOMALY_ZSCORE, "compare", ">=");
    set_bad(ANOMALY_ZSCORE, "side", "left");
    set_bad(ANOMALY_ZSCORE, "ddof", "2");
    set_bad(ANOMALY_ZSCORE, "ddof", "-1");
    set_bad(ANOMALY_ZSCORE, "include_self", "2");
    set_bad(ANOMALY_ZSCORE, "robust", "maybe");
    set_bad(ANOMALY_ZSCORE, "flat", "hide");
    set_bad(ANOMALY_ZSCORE, "min_stddev", "-1");
    set_bad(ANOMALY_ZSCORE, "learn", "sometimes");
    set_bad(ANOMALY_ZSCORE, "learn", "normal:");
    set_bad(ANOMALY_ZSCORE, "learn", "normal:-1");
    set_bad(ANOMALY_ZSCORE, "learn", "normal:5x");
    set_bad(ANOMALY_ZSCORE, "learn", "normal:4294967296");
    set_bad(ANOMALY_ZSCORE, "max_late", "-1s");
    set_bad(ANOMALY_ZSCORE, "max_jump", "5");
    set_bad(ANOMALY_ZSCORE, "features", "0");
    set_bad(ANOMALY_ZSCORE, "features", "4097");
    set_bad(ANOMALY_ZSCORE, "simd", "mmx");
    set_bad(ANOMALY_PERCENTILE, "lower", "-0.1");
    set_bad(ANOMALY_PERCENTILE, "upper", "100.5");
    set_bad(ANOMALY_PERCENTILE, "lower", "nan");
    set_bad(ANOMALY_PERCENTILE, "quantile", "cubic");
    set_bad(ANOMALY_ZSCORE, "lower", "1");
    set_bad(ANOMALY_PERCENTILE, "robust", "1");
}

static void test_texts_set_fields(void **state)
{
    anomaly_config z = fresh(ANOMALY_ZSCORE), p = fresh(ANOMALY_PERCENTILE);
    (void)state;
    set_ok(&z, "warmup", "12");
    set_ok(&z, "threshold", "-2.5e0");
    set_ok(&z, "compare", "gt");
    set_ok(&z, "side", "upper");
    set_ok(&z, "ddof", "0");
    set_ok(&z, "robust", "1");
    set_ok(&z, "flat", "ignore");
    set_ok(&z, "min_stddev", "1e-3");
    set_ok(&z, "learn", "normal:5");
    set_ok(&z, "max_late", "60s");
    set_ok(&z, "max_jump", "1d");
    set_ok(&z, "features", "4096");
    set_ok(&z, "reserve", "1");
    set_ok(&p, "lower", "2.5");
    set_ok(&p, "upper", "97.5");
    set_ok(&p, "quantile", "nearest");
    set_ok(&p, "include_self", "1");
    assert_true(z.warmup_events == 12 && z.threshold == -2.5 && z.compare == ANOMALY_GT);
    assert_true(z.side == ANOMALY_UPPER && z.ddof == 0 && z.robust == 1);
    assert_true(z.flat == ANOMALY_FLAT_IGNORE && z.min_stddev == 1e-3);
    assert_true(z.learn == ANOMALY_LEARN_NORMAL && z.learn_after == 5);
    assert_true(z.max_late_ns == 60 * SECOND && z.max_jump_ns == 86400 * SECOND);
    assert_true(z.features == 4096 && z.reserve == 1);
    assert_true(p.lower_percent == 2.5 && p.upper_percent == 97.5);
    assert_true(p.quantile == ANOMALY_NEAREST && p.include_self == 1);
    set_ok(&z, "learn", "normal");
    assert_true(z.learn == ANOMALY_LEARN_NORMAL && z.learn_after == 0);
    set_ok(&z, "learn", "always");
    assert_true(z.learn == ANOMALY_LEARN_ALWAYS);
}

/* ---- get ---- */

static void check_get(const anomaly_config *c, const char *name, const char *want)
{
    char text[64];
    assert_ok(anomaly_config_get(c, name, text, sizeof text));
    assert_string_equal(text, want);
}

static void test_get_texts(void **state)
{
    anomaly_config c = fresh(ANOMALY_ZSCORE);
    (void)state;
    check_get(&c, "window", "1000");
    check_get(&c, "threshold", "3");
    check_get(&c, "compare", "ge");
    check_get(&c, "learn", "always");
    set_ok(&c, "window", "300s,5000");
    set_ok(&c, "learn", "normal:5");
    set_ok(&c, "threshold", "2.5");
    set_ok(&c, "side", "lower");
    check_get(&c, "learn", "normal:5");
    check_get(&c, "threshold", "2.5");
    check_get(&c, "side", "lower");
}

/* Whatever the value, what get writes is what set reads back. */
static void check_round_trip(const anomaly_config *c)
{
    const anomaly_option *option;
    for (size_t i = 0; (option = anomaly_option_at(i)) != NULL; i++) {
        anomaly_config back = *c;
        char text[64];
        if (!(option->kinds & (1u << c->kind)))
            continue;
        assert_ok(anomaly_config_get(c, option->name, text, sizeof text));
        set_ok(&back, option->name, text);
        if (memcmp(&back, c, sizeof back) != 0)
            print_error("%s=%s does not read back to the same\n", option->name, text);
        assert_memory_equal(&back, c, sizeof back);
    }
}

static void test_round_trip(void **state)
{
    static const double NUMBERS[] = {0.1,
                                     -0.1,
                                     1.0 / 3,
                                     1e300,
                                     -1e-300,
                                     123456789.125,
                                     5e-324,
                                     1e15,
                                     1e16,
                                     1e17,
                                     0.001,
                                     1.7976931348623157e308,
                                     2.2250738585072014e-308,
                                     0.30000000000000004};
    static const int64_t TIMES[] = {1,
                                    999,
                                    1000,
                                    1001,
                                    SECOND,
                                    SECOND + 1,
                                    90 * SECOND,
                                    86400 * SECOND,
                                    INT64_C(9007199254740993),
                                    INT64_C(3) << 60,
                                    INT64_C(1234567890123456789)};
    (void)state;
    for (int kind = ANOMALY_ZSCORE; kind <= ANOMALY_PERCENTILE; kind++) {
        anomaly_config c = fresh(kind);
        check_round_trip(&c);
        for (size_t i = 0; i < ARRAY_COUNT(NUMBERS); i++) {
            c.threshold = NUMBERS[i];
            c.min_stddev = kind == ANOMALY_ZSCORE ? fabs(NUMBERS[i]) : 0;
            check_round_trip(&c);
        }
        for (size_t i = 0; i < ARRAY_COUNT(TIMES); i++) {
            c.window_ns = c.max_late_ns = c.max_jump_ns = TIMES[i];
            c.window_events = i % 2 ? 0 : 1 + i;
            check_round_trip(&c);
        }
        c.learn = ANOMALY_LEARN_NORMAL;
        c.learn_after = UINT32_MAX;
        check_round_trip(&c);
    }
}

static void test_get_errors(void **state)
{
    anomaly_config c = fresh(ANOMALY_ZSCORE);
    char text[8] = "before";
    (void)state;
    assert_error(anomaly_config_get(&c, "window", text, 4), ANOMALY_E_SPACE);
    assert_error(anomaly_config_get(&c, "window", text, 0), ANOMALY_E_SPACE);
    assert_error(anomaly_config_get(&c, "nothing", text, sizeof text), ANOMALY_E_NOTFOUND);
    assert_error(anomaly_config_get(NULL, "window", text, sizeof text), ANOMALY_E_ARG);
    assert_error(anomaly_config_get(&c, NULL, text, sizeof text), ANOMALY_E_ARG);
    assert_error(anomaly_config_get(&c, "window", NULL, 0), ANOMALY_E_ARG);
    assert_string_equal(text, "before");
    assert_ok(anomaly_config_get(&c, "window", text, 5));
    assert_string_equal(text, "1000");
}

static void test_set_errors(void **state)
{
    anomaly_config c = fresh(ANOMALY_ZSCORE), before = c;
    (void)state;
    assert_error(anomaly_config_set(NULL, "window", "5", NULL), ANOMALY_E_ARG);
    assert_error(anomaly_config_set(&c, NULL, "5", NULL), ANOMALY_E_ARG);
    assert_error(anomaly_config_set(&c, "window", NULL, NULL), ANOMALY_E_ARG);
    assert_memory_equal(&c, &before, sizeof c);
}

/* ---- the table ---- */

static void test_option_table(void **state)
{
    static const char *const NAMES[] = {
        "window",   "warmup",     "threshold",  "compare",    "side",          "include_self", "ddof",
        "robust",   "flat",       "learn",      "min_stddev", "lower",         "upper",        "quantile",
        "max_late", "max_jump",   "features",   "reserve",    "simd",          "profile",      "trees",
        "sample",   "depth",      "candidates", "guided",     "contamination", "seed",         "alarm_rate",
        "alarms",   "calibrate",  "transform",  "season",     "season_offset", "rest",         "margin",
        "confirm",  "min_change", "lags",       "silence",    "population"};
    size_t count = 0, found = 0;
    const anomaly_option *option;
    (void)state;
    for (; (option = anomaly_option_at(count)) != NULL; count++) {
        assert_true(option->name[0] && option->values[0] && option->help[0]);
        assert_true((option->kinds & 62u) != 0 && (option->kinds & 1u) == 0);
        for (size_t i = 0; i < ARRAY_COUNT(NAMES); i++)
            found += strcmp(NAMES[i], option->name) == 0;
    }
    assert_true(found == ARRAY_COUNT(NAMES));
    assert_true(count == found);
    assert_null(anomaly_option_at(count + 1));
    assert_null(anomaly_option_at(SIZE_MAX));
}

static void check_unknown(int kind, const char *name, const char *message)
{
    anomaly_config c = fresh(kind);
    anomaly_error e = {0};
    assert_error(anomaly_config_set(&c, name, "1", &e), ANOMALY_E_CONFIG);
    assert_string_equal(e.message, message);
}

/* Of 2 to 4 letters one may be wrong, of 5 to 7 two, of 8 to 10 three: counted by hand. */
static void test_the_nearest_option_is_named(void **state)
{
    char name[200];
    (void)state;
    check_unknown(ANOMALY_ZSCORE, "windw", "unknown option 'windw'; did you mean 'window'?");
    check_unknown(ANOMALY_ZSCORE, "treshhold", "unknown option 'treshhold'; did you mean 'threshold'?");
    check_unknown(ANOMALY_ZSCORE, "WINDOW", "unknown option 'WINDOW'; did you mean 'window'?");
    check_unknown(ANOMALY_ZSCORE, "rboust", "unknown option 'rboust'; did you mean 'robust'?");
    check_unknown(ANOMALY_ZSCORE, "max-late", "unknown option 'max-late'; did you mean 'max_late'?");
    check_unknown(ANOMALY_IFOREST, "contaminations", "unknown option 'contaminations'; did you mean 'contamination'?");
    check_unknown(ANOMALY_ZSCORE, "contaminations", "unknown option 'contaminations'");
    check_unknown(ANOMALY_ZSCORE, "windxy", "unknown option 'windxy'; did you mean 'window'?");
    check_unknown(ANOMALY_ZSCORE, "winxyz", "unknown option 'winxyz'");
    check_unknown(ANOMALY_ZSCORE, "x", "unknown option 'x'");
    check_unknown(ANOMALY_ZSCORE, "", "unknown option ''");
    memset(name, 'w', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    check_unknown(ANOMALY_ZSCORE, name, "unknown option 'wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww'");
}

/* ---- create ---- */

static void refuse(const anomaly_config *c, const char *field)
{
    anomaly_detector *d = (anomaly_detector *)(uintptr_t)&d;
    anomaly_error e = {0};
    size_t bytes = 77;
    int status = anomaly_create(c, NULL, &d, &e);
    if (status != ANOMALY_E_CONFIG || strcmp(e.field, field) != 0)
        print_error("wanted %s refused: %d %s: %s\n", field, status, e.field, e.message);
    assert_error(status, ANOMALY_E_CONFIG);
    assert_string_equal(e.field, field);
    assert_ptr_equal(d, &d);
    assert_error(anomaly_memory_needed(c, &bytes), ANOMALY_E_CONFIG);
    assert_true(bytes == 77);
}

#define REFUSE(kind, change, field)     \
    do {                                \
        anomaly_config c = fresh(kind); \
        change;                         \
        refuse(&c, field);              \
    } while (0)

static void test_create_refuses(void **state)
{
    (void)state;
    REFUSE(ANOMALY_ZSCORE, c.features = 0, "features");
    REFUSE(ANOMALY_ZSCORE, c.features = 4097, "features");
    REFUSE(ANOMALY_ZSCORE, c.features = UINT32_MAX, "features");
    REFUSE(ANOMALY_ZSCORE, c.window_events = 0, "window");
    REFUSE(ANOMALY_ZSCORE, c.window_events = (UINT64_C(1) << 30) + 1, "window");
    REFUSE(ANOMALY_ZSCORE, c.window_ns = -1, "window");
    REFUSE(ANOMALY_ZSCORE, c.threshold = NAN, "threshold");
    REFUSE(ANOMALY_ZSCORE, c.threshold = INFINITY, "threshold");
    REFUSE(ANOMALY_ZSCORE, c.compare = 2, "compare");
    REFUSE(ANOMALY_ZSCORE, c.compare = -1, "compare");
    REFUSE(ANOMALY_ZSCORE, c.side = 3, "side");
    REFUSE(ANOMALY_ZSCORE, c.include_self = 2, "include_self");
    REFUSE(ANOMALY_ZSCORE, c.ddof = 2, "ddof");
    REFUSE(ANOMALY_ZSCORE, c.ddof = -1, "ddof");
    REFUSE(ANOMALY_ZSCORE, c.robust = 2, "robust");
    REFUSE(ANOMALY_ZSCORE, c.flat = 2, "flat");
    REFUSE(ANOMALY_ZSCORE, c.min_stddev = -1, "min_stddev");
    REFUSE(ANOMALY_ZSCORE, c.min_stddev = NAN, "min_stddev");
    REFUSE(ANOMALY_ZSCORE, c.min_stddev = INFINITY, "min_stddev");
    REFUSE(ANOMALY_ZSCORE, c.learn = 2, "learn");
    REFUSE(ANOMALY_ZSCORE, c.max_late_ns = -2, "max_late");
    REFUSE(ANOMALY_ZSCORE, c.max_jump_ns = -1, "max_jump");
    REFUSE(ANOMALY_ZSCORE, c.reserve = 2, "reserve");
    REFUSE(ANOMALY_ZSCORE, c.simd = 9, "simd");
    REFUSE(ANOMALY_PERCENTILE, c.lower_percent = -1, "lower");
    REFUSE(ANOMALY_PERCENTILE, c.upper_percent = 101, "upper");
    REFUSE(ANOMALY_PERCENTILE, c.lower_percent = NAN, "lower");
    REFUSE(ANOMALY_PERCENTILE, c.quantile = 2, "quantile");
}

static void test_create_refuses_combinations(void **state)
{
    anomaly_config c = fresh(ANOMALY_PERCENTILE);
    anomaly_detector *d = NULL;
    (void)state;
    c.lower_percent = 99;
    c.upper_percent = 1;
    assert_error(anomaly_create(&c, NULL, &d, NULL), ANOMALY_E_CONFIG);
    c.lower_percent = c.upper_percent;
    assert_error(anomaly_create(&c, NULL, &d, NULL), ANOMALY_E_CONFIG);
    c = fresh(ANOMALY_ZSCORE);
    c.include_self = 1;
    c.learn = ANOMALY_LEARN_NORMAL;
    assert_error(anomaly_create(&c, NULL, &d, NULL), ANOMALY_E_CONFIG);
    assert_null(d);
}

static void test_create_errors(void **state)
{
    anomaly_config c = fresh(ANOMALY_ZSCORE);
    anomaly_detector *d = NULL;
    size_t bytes;
    (void)state;
    assert_error(anomaly_create(NULL, NULL, &d, NULL), ANOMALY_E_ARG);
    assert_error(anomaly_create(&c, NULL, NULL, NULL), ANOMALY_E_ARG);
    assert_error(anomaly_memory_needed(NULL, &bytes), ANOMALY_E_ARG);
    assert_error(anomaly_memory_needed(&c, NULL), ANOMALY_E_ARG);
    c.struct_size = sizeof c + 1;
    assert_error(anomaly_create(&c, NULL, &d, NULL), ANOMALY_E_VERSION);
    c.struct_size = 0;
    assert_true(anomaly_create(&c, NULL, &d, NULL) < 0);
    c = fresh(ANOMALY_ZSCORE);
    c.kind = 42;
    assert_true(anomaly_create(&c, NULL, &d, NULL) < 0);
    assert_null(d);
}

/* ---- warnings ---- */

static void check_warning(int kind, const char *options, const char *words)
{
    anomaly_config c;
    anomaly_detector *d = NULL;
    anomaly_error e;
    memset(&e, 0x5a, sizeof e);
    config_of(&c, kind, options);
    assert_ok(anomaly_create(&c, NULL, &d, &e));
    assert_int_equal(e.status, ANOMALY_OK);
    if (words == NULL ? e.message[0] != '\0' : strstr(e.message, words) == NULL)
        print_error("'%s' warns '%s'\n", options, e.message);
    assert_true(words == NULL ? e.message[0] == '\0' : strstr(e.message, words) != NULL);
    anomaly_destroy(d);
}

static void test_warnings(void **state)
{
    (void)state;
    check_warning(ANOMALY_ZSCORE, "", NULL);
    check_warning(ANOMALY_PERCENTILE, "", NULL);
    check_warning(ANOMALY_ZSCORE, "include_self=1", "cannot flag before 11 samples");
    check_warning(ANOMALY_ZSCORE, "include_self=1 ddof=0", "cannot flag before 10 samples");
    check_warning(ANOMALY_ZSCORE, "include_self=1 window=11", "cannot flag before 11 samples");
    check_warning(ANOMALY_ZSCORE, "include_self=1 window=10", "flag");
    check_warning(ANOMALY_ZSCORE, "include_self=1 warmup=11", NULL);
    check_warning(ANOMALY_ZSCORE, "include_self=1 threshold=2", "cannot flag before 6 samples");
    check_warning(ANOMALY_PERCENTILE, "include_self=1 quantile=nearest", "cannot flag before 100 samples");
    check_warning(ANOMALY_PERCENTILE, "include_self=1 quantile=nearest window=99", "flag");
    check_warning(ANOMALY_PERCENTILE, "quantile=nearest window=99", NULL);
    check_warning(ANOMALY_ZSCORE, "window=4", "flag"); /* warm-up 5 is never over */
    check_warning(ANOMALY_ZSCORE, "window=5", NULL);
    check_warning(ANOMALY_ZSCORE, "window=5m max_late=1h", "max_late 1h counts as the window's 5m");
    check_warning(ANOMALY_PERCENTILE, "window=5m,100 max_late=300001ms", "max_late 300001ms counts as the window's 5m");
    check_warning(ANOMALY_ZSCORE, "window=5m max_late=5m", NULL);
    check_warning(ANOMALY_ZSCORE, "window=5m max_late=0s max_jump=1h", NULL);
    check_warning(ANOMALY_ZSCORE, "max_late=0s", "max_late does nothing");
    check_warning(ANOMALY_ZSCORE, "max_jump=1h", "max_jump does nothing");
    check_warning(ANOMALY_IFOREST, "", NULL);
}

/* ---- words and numbers ---- */

static void test_status_texts(void **state)
{
    (void)state;
    for (int a = -10; a <= 0; a++) {
        assert_non_null(anomaly_status_text(a));
        assert_true(anomaly_status_text(a)[0] != '\0');
        for (int b = a + 1; b <= 0; b++)
            assert_string_not_equal(anomaly_status_text(a), anomaly_status_text(b));
    }
    assert_string_equal(anomaly_status_text(ANOMALY_E_NOMEM), "out of memory");
    assert_non_null(anomaly_status_text(1));
    assert_non_null(anomaly_status_text(-11));
    assert_non_null(anomaly_status_text(INT32_MIN));
}

static void test_version(void **state)
{
    (void)state;
    assert_int_equal(anomaly_version(), ANOMALY_VERSION_MAJOR * 10000 + ANOMALY_VERSION_MINOR * 100 + ANOMALY_VERSION_PATCH);
}

#if defined(__GLIBC__) /* others have no locale that changes the point */
/* A locale of our own with a decimal comma: machines seldom have one installed, glibc always has the tool to make one. */
static void use_decimal_comma(char *folder)
{
    char command[400], text[8];
    assert_non_null(mkdtemp(folder));
    snprintf(command, sizeof command,
             "printf 'LC_NUMERIC\ndecimal_point \",\"\nthousands_sep \"\"\ngrouping -1\nEND LC_NUMERIC\n' >%s/source; "
             "localedef -c -i %s/source %s/xx_XX >%s/log 2>&1",
             folder, folder, folder, folder);
    (void)system(command); /* its status tells of the categories that are left out */
    assert_int_equal(setenv("LOCPATH", folder, 1), 0);
    assert_non_null(setlocale(LC_NUMERIC, "xx_XX"));
    snprintf(text, sizeof text, "%.1f", 2.5);
    assert_string_equal(text, "2,5");
}

static void test_locale(void **state)
{
    char folder[] = "/tmp/anomaly-locale-XXXXXX", command[64];
    anomaly_config c = fresh(ANOMALY_ZSCORE);
    (void)state;
    use_decimal_comma(folder);
    set_ok(&c, "threshold", "2.5");
    assert_same(c.threshold, 2.5);
    check_get(&c, "threshold", "2.5");
    set_ok(&c, "window", "1.5h");
    assert_true(c.window_ns == 5400 * SECOND);
    assert_error(anomaly_config_set(&c, "threshold", "2,5", NULL), ANOMALY_E_CONFIG);
    (void)setlocale(LC_NUMERIC, "C");
    snprintf(command, sizeof command, "rm -r %s", folder);
    assert_int_equal(system(command), 0);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_init_errors),
        cmocka_unit_test(test_shorter_struct),
        cmocka_unit_test(test_window_texts),
        cmocka_unit_test(test_window_texts_in_words),
        cmocka_unit_test(test_window_in_words_is_told_in_short),
        cmocka_unit_test(test_bad_window_texts),
        cmocka_unit_test(test_bad_texts),
        cmocka_unit_test(test_texts_set_fields),
        cmocka_unit_test(test_get_texts),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_get_errors),
        cmocka_unit_test(test_set_errors),
        cmocka_unit_test(test_option_table),
        cmocka_unit_test(test_the_nearest_option_is_named),
        cmocka_unit_test(test_create_refuses),
        cmocka_unit_test(test_create_refuses_combinations),
        cmocka_unit_test(test_create_errors),
        cmocka_unit_test(test_warnings),
        cmocka_unit_test(test_status_texts),
        cmocka_unit_test(test_version),
#if defined(__GLIBC__)
        cmocka_unit_test(test_locale),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
