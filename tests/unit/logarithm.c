/* SPDX-License-Identifier: MIT
 * logarithm.c - logarithms and exponentials beside series in 113-bit floating point, and to the bit on every machine. */
#include "../support/test.h"

#include "../support/exact.h"
#include "../support/random.h"
#include "base/logarithm.h"

/* ---- the slow way ---- */

/* log(m) = 2 artanh((m - 1) / (m + 1)) */
static quad quad_artanh_log(quad m)
{
    quad s = (m - 1) / (m + 1), z = s * s, power = s, sum = 0;
    for (int i = 1; i < 90; i += 2) {
        sum += power / i;
        power *= z;
    }
    return 2 * sum;
}

static quad quad_log(quad x)
{
    int halvings = 0;
    for (; x > (quad)1.4; x /= 2)
        halvings++;
    for (; x < (quad)0.7; x *= 2)
        halvings--;
    return quad_artanh_log(x) + halvings * quad_artanh_log(2);
}

/* e^x - 1 of |x| < 1 */
static quad quad_small_expm1(quad x)
{
    quad term = 1, sum = 0;
    for (int i = 1; i < 40; i++) {
        term *= x / i;
        sum += term;
    }
    return sum;
}

static quad quad_exp(quad x)
{
    int halvings = 0;
    quad power;
    for (; x > 1 || x < -1; x /= 2)
        halvings++;
    for (power = 1 + quad_small_expm1(x); halvings > 0; halvings--)
        power *= power;
    return power;
}

/* How many units in the last place of the right value it lies off. */
static double units_off(double got, quad right)
{
    double rounded = fabs((double)right), unit = nextafter(rounded, (double)INFINITY) - rounded;
    quad off = (quad)got - right;
    return (double)(off < 0 ? -off : off) / unit;
}

static void check(const char *name, double x, double got, quad right, double most)
{
    double off = units_off(got, right);
    if (!(off <= most))
        fail_msg("%s(%a) = %a is %g units in the last place off", name, x, got, off);
}

/* ---- random numbers of every size ---- */

static int rounds(void)
{
    return is_quick() ? 2000 : 50000;
}

static double random_positive(random_state *r, int least, int most)
{
    int exponent = least + (int)random_below(r, (uint64_t)(most - least));
    return ldexp(1 + random_unit(r), exponent);
}

static void test_log(void **state)
{
    random_state r = {1};
    (void)state;
    for (int i = 0; i < rounds(); i++) {
        double x = i % 2 ? 0.5 + 1.5 * random_unit(&r) : random_positive(&r, -1074, 1023);
        quad right = quad_log((quad)x);
        check("log", x, an_log(x), right, 1);
        check("log10", x, an_log10(x), right / quad_log(10), 2);
    }
}

static void test_log1p(void **state)
{
    random_state r = {2};
    (void)state;
    for (int i = 0; i < rounds(); i++) {
        double x = i % 2 ? 2 * random_unit(&r) - 1 : random_positive(&r, -50, 1000);
        x = i % 4 == 2 && x < 1 ? -x : x;
        check("log1p", x, an_log1p(x), quad_log((quad)1 + (quad)x), 1);
    }
}

static void test_exp(void **state)
{
    random_state r = {3};
    (void)state;
    for (int i = 0; i < rounds(); i++) {
        double x = i % 2 ? 1415 * (random_unit(&r) - 0.5) : 4 * random_unit(&r) - 2;
        check("exp", x, an_exp(x), quad_exp((quad)x), 1);
    }
}

static void test_expm1(void **state)
{
    random_state r = {4};
    (void)state;
    for (int i = 0; i < rounds(); i++) {
        double x = i % 3 == 0 ? 1415 * (random_unit(&r) - 0.5) : 4 * random_unit(&r) - 2;
        x = i % 3 == 2 ? ldexp(x, -(int)random_below(&r, 60)) : x;
        check("expm1", x, an_expm1(x), fabs(x) < 1 ? quad_small_expm1((quad)x) : quad_exp((quad)x) - 1, 2);
    }
}

/* ---- the ends ---- */

static void test_ends_of_log(void **state)
{
    (void)state;
    assert_same(an_log(1), 0);
    assert_same(an_log(0), -(double)INFINITY);
    assert_same(an_log((double)INFINITY), (double)INFINITY);
    assert_true(isnan(an_log(-1)) && isnan(an_log((double)NAN)) && isnan(an_log(-(double)INFINITY)));
    assert_same(an_log1p(-1), -(double)INFINITY);
    assert_same(an_log1p(0), 0);
    assert_same(an_log1p(0x1p-1074), 0x1p-1074);
    assert_same(an_log1p((double)INFINITY), (double)INFINITY);
    assert_true(isnan(an_log1p(-1.5)) && isnan(an_log1p((double)NAN)));
}

static void test_ends_of_exp(void **state)
{
    (void)state;
    assert_same(an_exp(0), 1);
    assert_same(an_exp(710), (double)INFINITY);
    assert_same(an_exp((double)INFINITY), (double)INFINITY);
    assert_same(an_exp(-(double)INFINITY), 0);
    assert_same(an_exp(-745.13), 0x1p-1074);
    assert_same(an_exp(-746), 0);
    assert_same(an_expm1(-(double)INFINITY), -1);
    assert_same(an_expm1(-50), -1);
    assert_same(an_expm1(0x1p-1074), 0x1p-1074);
    assert_same(an_expm1(710), (double)INFINITY);
    assert_true(isnan(an_exp((double)NAN)) && isnan(an_expm1((double)NAN)));
}

/* ---- the same bits everywhere ---- */

static uint64_t mix(uint64_t sum, double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return (sum ^ bits) * UINT64_C(0x9e3779b97f4a7c15);
}

/* Of any size, the ends among them; and near each other, as bounds are. */
static double any_exponent(random_state *r)
{
    static const double ENDS[] = {0.0,  -0.0, 0x1p-54, 0x1p-4, -0x1p-4, 39.0,     -39.0,
                                  39.4, 39.6, -40.5,   700.0,  -745.0,  INFINITY, -INFINITY};
    return one_in(r, 4) ? ENDS[random_below(r, sizeof ENDS / sizeof *ENDS)]
                        : ldexp(2 * random_unit(r) - 1, (int)random_below(r, 40) - 28);
}

static void test_three_are_as_one(void **state)
{
    random_state r = {3};
    (void)state;
    for (int i = 0; i < 200000; i++) {
        double x[3], e[3], m[3];
        for (int j = 0; j < 3; j++)
            e[j] = m[j] = x[j] = any_exponent(&r);
        an_exp_three(&e[0], &e[1], &e[2]);
        an_expm1_three(&m[0], &m[1], &m[2]);
        for (int j = 0; j < 3; j++) {
            assert_same(e[j], isinf(x[j]) ? x[j] : an_exp(x[j]));
            assert_same(m[j], isinf(x[j]) ? x[j] : an_expm1(x[j] + 0.0));
        }
    }
}

static void test_same_bits(void **state)
{
    random_state r = {5};
    uint64_t sum = 0;
    (void)state;
    for (int i = 0; i < 10000; i++) {
        double x = random_positive(&r, -1074, 1023), y = 1400 * (random_unit(&r) - 0.5), z = ldexp(y, -(i % 40));
        sum = mix(mix(mix(sum, an_log(x)), an_log1p(x)), an_log10(x));
        sum = mix(mix(sum, an_exp(y)), an_expm1(z));
    }
    assert_true(sum == UINT64_C(0x8af6f4920e7a9bca));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_log),         cmocka_unit_test(test_log1p),
        cmocka_unit_test(test_exp),         cmocka_unit_test(test_expm1),
        cmocka_unit_test(test_ends_of_log), cmocka_unit_test(test_ends_of_exp),
        cmocka_unit_test(test_same_bits),   cmocka_unit_test(test_three_are_as_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
