/* SPDX-License-Identifier: MIT
 * number.c - numbers and times of the program: what is written reads back, and reading agrees with strtod.
 */
#include "common/number.h"
#include "common/times.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

enum { ROUNDS = 300000 };

static uint64_t next(uint64_t *state)
{
    *state += UINT64_C(0x9E3779B97F4A7C15);
    uint64_t z = *state;
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

/* All magnitudes, few digits, whole numbers, powers of two, subnormals. */
static double some_double(uint64_t *state)
{
    uint64_t bits = next(state), kind = next(state) % 6;
    double x;
    memcpy(&x, &bits, sizeof x);
    switch (kind) {
    case 0: break;
    case 1: x = (double)(bits >> 11) * pow(10, (double)(bits % 30) - 25); break;
    case 2: x = (double)(int64_t)(bits % 2000000) / 100 - 10000; break;
    case 3: x = (double)(bits >> (bits % 64)); break;
    case 4: x = ldexp(1, (int)(bits % 2098) - 1074); break;
    default: x = ldexp((double)(bits >> (12 + bits % 52)), -1074); break;
    }
    return isfinite(x) ? x : 0.5;
}

static bool same_bits(double a, double b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}

static void written_numbers_read_back(void **unused)
{
    (void)unused;
    uint64_t state = 1;
    for (int i = 0; i < ROUNDS; i++) {
        double x = some_double(&state), back;
        char text[CLI_NUMBER_SIZE];
        size_t n = cli_format_number(text, x);
        assert_int_equal(n, strlen(text));
        assert_true(same_bits(strtod(text, NULL), x));
        assert_int_equal(cli_parse_number(text, n, &back), CLI_NUMBER_OK);
        assert_true(same_bits(back, x));
    }
}

/* No text with fewer digits, of those that printf would give, reads back. */
static void written_numbers_are_short(void **unused)
{
    (void)unused;
    uint64_t state = 2;
    for (int i = 0; i < ROUNDS / 3; i++) {
        double x = some_double(&state);
        char text[CLI_NUMBER_SIZE], other[40];
        cli_format_number(text, x);
        int digits = 0;
        const char *first = text + strspn(text, "-0.");
        for (const char *s = first; *s != '\0' && *s != 'e'; s++)
            digits += *s != '.';
        if (digits < 2 || fabs(x) < 1e15) /* whole numbers end in zeros that count for nothing */
            continue;
        snprintf(other, sizeof other, "%.*e", digits - 2, x);
        assert_true(strchr(text, 'e') == NULL || !same_bits(strtod(other, NULL), x));
    }
}

static void reading_agrees_with_strtod(void **unused)
{
    (void)unused;
    uint64_t state = 3;
    for (int i = 0; i < ROUNDS; i++) {
        char text[64];
        uint64_t r = next(&state);
        snprintf(text, sizeof text, "%s%llu.%0*llue%d", r & 1 ? "-" : "",
                 (unsigned long long)(next(&state) >> (r >> 1) % 64), (int)(1 + (r >> 8) % 12),
                 (unsigned long long)(next(&state) >> (24 + (r >> 16) % 40)), (int)((r >> 32) % 60) - 30);
        double x;
        assert_int_equal(cli_parse_number(text, strlen(text), &x), CLI_NUMBER_OK);
        assert_true(same_bits(x, strtod(text, NULL)));
    }
}

static void times_read_back(void **unused)
{
    (void)unused;
    uint64_t state = 4;
    cli_clock clock = {.unit = CLI_UNIT_AUTO};
    for (int i = 0; i < ROUNDS; i++) {
        int64_t ns = (int64_t)(next(&state) >> 1) / 2 * (i % 2 ? 1 : -1), back;
        ns -= i % 3 == 0 ? ns % 1000000000 : 0;
        char text[CLI_TIME_SIZE];
        const char *why;
        size_t n = cli_format_time(text, ns);
        assert_true(cli_parse_time(&clock, text, n, &back, &why));
        assert_int_equal(back, ns);
        snprintf(text, sizeof text, "%lld", (long long)ns);
        if (llabs((long long)ns) >= 100000000000000000) {
            assert_true(cli_parse_time(&clock, text, strlen(text), &back, &why));
            assert_int_equal(back, ns);
        }
    }
}

static void spans_have_no_exponent(void **unused)
{
    static const struct {
        double ns;
        const char *text;
    } spans[] = {{1.5e3, "1.5us"}, {999.4e6, "999ms"},       {999.7e6, "1000ms"},       {300e9, "300s"},
                 {600e9, "10m"},   {864000e9 - 1e9, "240h"}, {1110 * 86400e9, "1110d"}, {106752 * 86400e9, "106752d"}};
    (void)unused;
    for (size_t i = 0; i < sizeof spans / sizeof *spans; i++) {
        char text[CLI_TIME_SIZE];
        cli_format_span(text, spans[i].ns);
        assert_string_equal(text, spans[i].text);
    }
}

/* Seconds since 1970 of 2024-01-01T12:30:15Z: 19723 days, 45015 s. */
static void read_time(cli_clock *clock, const char *text, int64_t seconds)
{
    int64_t ns;
    const char *why;
    assert_true(cli_parse_time(clock, text, strlen(text), &ns, &why));
    assert_int_equal(ns, seconds * 1000000000);
}

static void refuse_time(cli_clock *clock, const char *text)
{
    int64_t ns;
    const char *why;
    assert_false(cli_parse_time(clock, text, strlen(text), &ns, &why));
}

static void digits_that_are_a_date_are_no_seconds(void **unused)
{
    (void)unused;
    cli_clock clock = {.unit = CLI_UNIT_AUTO}, plain = {.unit = CLI_UNIT_AUTO};
    read_time(&clock, "20240101", INT64_C(19723) * 86400);
    assert_int_equal(clock.first, CLI_FORM_DATE);
    read_time(&clock, "202401011230", INT64_C(19723) * 86400 + 45000);
    read_time(&clock, "20240101123015", INT64_C(19723) * 86400 + 45015);
    refuse_time(&clock, "20240230");
    refuse_time(&clock, "1704112215");
    read_time(&clock, "2024-01-01T12:30:15Z", INT64_C(19723) * 86400 + 45015);

    read_time(&plain, "20249901", 20249901); /* no date: seconds, and all behind it too */
    read_time(&plain, "20240101", 20240101);
    assert_int_equal(plain.first, CLI_FORM_S);
}

static void a_unit_that_is_given_decides(void **unused)
{
    (void)unused;
    cli_clock seconds = {.unit = CLI_UNIT_S}, iso = {.unit = CLI_UNIT_ISO};
    read_time(&seconds, "20240101", 20240101);
    read_time(&iso, "20240101", INT64_C(19723) * 86400);
    refuse_time(&iso, "1704112215");
    refuse_time(&iso, "20240230");
}

/* 2025-12-31T23:59:59Z is 1767225599, 2024-02-29T00:00:00Z is 1709164800. */
static void a_time_without_a_year_is_near_the_one_before(void **unused)
{
    (void)unused;
    cli_clock clock = {.yearless = true, .last_seconds = 1767225000};
    read_time(&clock, "Dec 31 23:59:59", 1767225599);
    read_time(&clock, "Jan  1 00:00:01", 1767225601);
    read_time(&clock, "Jan 1 00:00", 1767225600);
    read_time(&clock, "Dec 31 23:59:59", 1767225599);
    clock.last_seconds = 1709164700;
    read_time(&clock, "Feb 29 00:00:00", 1709164800);
    clock.last_seconds = 1790000000; /* of 2026: no year beside it has that day */
    refuse_time(&clock, "Feb 29 00:00:00");
    refuse_time(&clock, "Feb 30 00:00:00");
}

static void the_first_time_without_a_year_is_not_in_the_future(void **unused)
{
    (void)unused;
    time_t now = time(NULL);
    for (int days = 0; days < 364; days++) {
        struct tm parts;
        time_t then = now - (time_t)days * 86400;
        char text[40];
        cli_clock clock = {.first = CLI_FORM_NONE};
        gmtime_r(&then, &parts);
        strftime(text, sizeof text, "%b %e %H:%M:%S", &parts);
        read_time(&clock, text, (int64_t)then);
        assert_int_equal(clock.year, parts.tm_year + 1900);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digits_that_are_a_date_are_no_seconds),
        cmocka_unit_test(a_unit_that_is_given_decides),
        cmocka_unit_test(a_time_without_a_year_is_near_the_one_before),
        cmocka_unit_test(the_first_time_without_a_year_is_not_in_the_future),
        cmocka_unit_test(written_numbers_read_back),
        cmocka_unit_test(written_numbers_are_short),
        cmocka_unit_test(reading_agrees_with_strtod),
        cmocka_unit_test(times_read_back),
        cmocka_unit_test(spans_have_no_exponent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
