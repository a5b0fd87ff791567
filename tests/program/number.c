/* SPDX-License-Identifier: MIT
 * number.c - numbers and times of the program: what is written reads back, and reading agrees with strtod.
 */
#include "number.h"
#include "times.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(written_numbers_read_back),
        cmocka_unit_test(written_numbers_are_short),
        cmocka_unit_test(reading_agrees_with_strtod),
        cmocka_unit_test(times_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
