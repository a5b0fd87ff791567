/* SPDX-License-Identifier: MIT
 * total.c - sums of doubles without rounding: beside 128-bit integers at every place, and what is taken away is gone. */
#include "../support/test.h"

#include "../support/exact.h"
#include "../support/random.h"
#include "base/total.h"

/* A whole number of up to 53 bits, in the place of 2^place. */
static double in_place(uint64_t number, int place)
{
    return ldexp((double)number, place);
}

static uint64_t random_number(random_state *r)
{
    return random_bits(r) >> (11 + random_below(r, 53));
}

/* Numbers within 53 + 20 bits from 2^place on. The sum in quad is exact; rounded once, it is divided. */
static void check_place(random_state *r, int place)
{
    an_total total = {{0}};
    uint32_t n = 1 + (uint32_t)random_below(r, 40);
    quad sum = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint64_t number = random_number(r);
        int up = (int)random_below(r, 20);
        an_total_add(&total, in_place(number, place + up));
        sum += (quad)number * (quad)(1 << up);
    }
    double rounded = (double)sum, mean = an_total_mean(&total, n);
    if (place < -1000) /* a small quotient has fewer bits than a larger one: it is the double's own division */
        assert_same(mean, ldexp(rounded, place) / n);
    else
        assert_same(mean, ldexp(rounded / n, place));
}

static void test_every_place(void **state)
{
    random_state r = {1};
    (void)state;
    for (int place = -1074; place <= 1023 - 73; place++)
        for (int i = 0; i < (is_quick() ? 5 : 50); i++)
            check_place(&r, place);
}

/* 2^30 of the largest double are less than the room there is; so many as 2^20 are tried. */
static void test_largest(void **state)
{
    an_total total = {{0}};
    const uint32_t n = UINT32_C(1) << 20;
    (void)state;
    for (uint32_t i = 0; i < n; i++)
        an_total_add(&total, DBL_MAX);
    assert_same(an_total_mean(&total, n), DBL_MAX);
    assert_same(an_total_mean(&total, n / 4 * 4 + 4), ldexp(DBL_MAX / (n + 4), 20));
}

/* The tie goes to the even one, unless anything at all lies below it. */
static void test_rounding_sees_every_bit(void **state)
{
    an_total total = {{0}};
    (void)state;
    an_total_add(&total, 1);
    an_total_add(&total, 0x1p-53);
    assert_same(an_total_mean(&total, 1), 1);
    an_total_add(&total, 0x1p-1074);
    assert_same(an_total_mean(&total, 1), 1 + 0x1p-52);
    an_total_subtract(&total, 0x1p-1074);
    assert_same(an_total_mean(&total, 1), 1);
    an_total_add(&total, 0x1p-52);
    assert_same(an_total_mean(&total, 1), 1 + 0x1p-51);
}

/* Whatever came in, of any size and sign and in any order: once it has left, every word is 0. */
static void test_nothing_stays(void **state)
{
    enum { MOST = 200 };
    random_state r = {2};
    double x[MOST];
    (void)state;
    for (int round = 0; round < (is_quick() ? 50 : 2000); round++) {
        an_total total = {{0}}, none = {{0}};
        uint64_t n = 1 + random_below(&r, MOST);
        for (uint64_t i = 0; i < n; i++) {
            x[i] = in_place(random_number(&r), (int)random_below(&r, 2045) - 1074) * (one_in(&r, 2) ? 1 : -1);
            an_total_add(&total, x[i]);
        }
        for (; n > 0; n--) {
            uint64_t i = random_below(&r, n);
            an_total_subtract(&total, x[i]);
            x[i] = x[n - 1];
        }
        assert_memory_equal(&total, &none, sizeof none);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_place),
        cmocka_unit_test(test_largest),
        cmocka_unit_test(test_rounding_sees_every_bit),
        cmocka_unit_test(test_nothing_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
