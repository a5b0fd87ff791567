/* SPDX-License-Identifier: MIT
 * number_format.c - the shortest decimal text that reads back to the same double.
 *
 * Any decimal of 15 digits survives a double, and 17 digits always tell doubles apart. So the shortest text is the
 * number rounded to 15, 16 or 17 digits, the first that reads back, without its trailing zeros. Between 1e-10 and 1e17
 * all of it is exact in 128-bit integers: x = m*2^e, scaled by 10^k to 17 digits before the point, is m*5^k /
 * 2^-(e+k), and a rounded candidate reads back if it is less than half a unit in the last place away, 5^k/2 in the
 * same scale. That costs some 20 ns. The rest (huge, tiny, subnormal, powers of two) goes through printf and strtod.
 */
#include "common/number.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

__extension__ typedef unsigned __int128 wide;

typedef struct digits {
    char text[24]; /* without point, no trailing zeros */
    int count;
    int point; /* value = 0.text * 10^point */
} digits;

static const uint64_t power_of_five[28] = {UINT64_C(1),
                                           UINT64_C(5),
                                           UINT64_C(25),
                                           UINT64_C(125),
                                           UINT64_C(625),
                                           UINT64_C(3125),
                                           UINT64_C(15625),
                                           UINT64_C(78125),
                                           UINT64_C(390625),
                                           UINT64_C(1953125),
                                           UINT64_C(9765625),
                                           UINT64_C(48828125),
                                           UINT64_C(244140625),
                                           UINT64_C(1220703125),
                                           UINT64_C(6103515625),
                                           UINT64_C(30517578125),
                                           UINT64_C(152587890625),
                                           UINT64_C(762939453125),
                                           UINT64_C(3814697265625),
                                           UINT64_C(19073486328125),
                                           UINT64_C(95367431640625),
                                           UINT64_C(476837158203125),
                                           UINT64_C(2384185791015625),
                                           UINT64_C(11920928955078125),
                                           UINT64_C(59604644775390625),
                                           UINT64_C(298023223876953125),
                                           UINT64_C(1490116119384765625),
                                           UINT64_C(7450580596923828125)};

static void drop_zeros(digits *d)
{
    while (d->count > 1 && d->text[d->count - 1] == '0')
        d->count--;
}

static void put_digits(digits *d, uint64_t number, int point)
{
    char reversed[24];
    int n = 0;
    for (; number != 0; number /= 10)
        reversed[n++] = (char)('0' + number % 10);
    for (int i = 0; i < n; i++)
        d->text[i] = reversed[n - 1 - i];
    d->count = n;
    d->point = point + n - 17; /* the scaled number has 17 digits, 18 if rounding carried */
    drop_zeros(d);
}

/* A number scaled so that 17 digits stand before the point: (whole + rest / 2^shift). */
typedef struct scaled {
    uint64_t whole;
    wide rest;
    int shift;
    uint64_t half; /* half a unit in the last place, doubled, as `rest` counts: 5^k */
} scaled;

/* Scales x = m * 2^exponent < 10^point; false if that is not exact in 128 bits or has other than 17 digits. */
static bool scale(uint64_t m, int exponent, int point, scaled *s)
{
    int k = 17 - point;
    if (k < 0 || k > 27 || exponent + k > 0)
        return false;
    s->half = power_of_five[k];
    s->shift = -(exponent + k);
    wide all = (wide)m * s->half;
    s->whole = (uint64_t)(all >> s->shift);
    s->rest = all - ((wide)s->whole << s->shift);
    return s->whole >= UINT64_C(10000000000000000) && s->whole < UINT64_C(100000000000000000);
}

/* The multiple of `step` nearest to the number, ties to even, as printf rounds; and whether it reads back. */
static uint64_t round_to(const scaled *s, uint64_t step, bool even, bool *back)
{
    uint64_t quotient = s->whole / step;
    wide unit = (wide)step << s->shift;
    wide below = ((wide)(s->whole % step) << s->shift) + s->rest, above = unit - below;
    bool up = below > above || (below == above && (quotient & 1) != 0);
    wide off = up ? above : below;
    *back = 2 * off < s->half || (2 * off == s->half && even);
    return (quotient + up) * step;
}

/* Finds the shortest digits exactly, for normal numbers in 1e-10 .. 1e17; false for others, and for powers of two,
 * below which the next double is nearer. */
static bool shortest_exact(double x, digits *d)
{
    int exponent;
    if (!(x >= 1e-10 && x < 1e17))
        return false;
    uint64_t m = (uint64_t)ldexp(frexp(x, &exponent), 53);
    if (m == (uint64_t)1 << 52)
        return false;
    /* 2^(e-1) <= x < 2^e; log10(2) is 0.30103, so the number of digits is this or one more */
    int point = (int)floor((exponent - 1) * 0.30102999566398120) + 1;
    scaled s;
    if (!scale(m, exponent - 53, point, &s) && !scale(m, exponent - 53, ++point, &s))
        return false;
    bool back = false;
    for (uint64_t step = 100; step != 0 && !back; step /= 10) {
        uint64_t candidate = round_to(&s, step, (m & 1) == 0, &back);
        if (back || step == 1)
            put_digits(d, candidate, point);
    }
    return true;
}

static void shortest_by_trial(double x, digits *d)
{
    char text[40] = "";
    int first = x < 2.2250738585072014e-308 ? 1 : 15; /* subnormals have fewer digits to tell apart */
    for (int n = first; n <= 17; n++) {
        snprintf(text, sizeof text, "%.*e", n - 1, x);
        if (n == 17 || strtod(text, NULL) == x)
            break;
    }
    char *e = strchr(text, 'e');
    d->count = 0;
    for (const char *s = text; s < e; s++)
        if (*s != '.')
            d->text[d->count++] = *s;
    d->point = (int)strtol(e + 1, NULL, 10) + 1;
    drop_zeros(d);
}

static size_t put_plain(char *out, const digits *d)
{
    char *o = out;
    if (d->point <= 0) {
        *o++ = '0';
        *o++ = '.';
        for (int i = d->point; i < 0; i++)
            *o++ = '0';
    }
    for (int i = 0; i < d->count || i < d->point; i++) {
        if (i == d->point && i > 0)
            *o++ = '.';
        *o++ = i < d->count ? d->text[i] : '0';
    }
    return (size_t)(o - out);
}

static size_t put_scientific(char *out, const digits *d)
{
    char *o = out;
    *o++ = d->text[0];
    if (d->count > 1) {
        *o++ = '.';
        memcpy(o, d->text + 1, (size_t)(d->count - 1));
        o += d->count - 1;
    }
    int exponent = d->point - 1;
    return (size_t)(o - out) + (size_t)snprintf(o, 8, "e%c%02d", exponent < 0 ? '-' : '+', abs(exponent));
}

static size_t put_small_integer(char *out, uint64_t number)
{
    char reversed[24];
    size_t n = 0;
    do {
        reversed[n++] = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    for (size_t i = 0; i < n; i++)
        out[i] = reversed[n - 1 - i];
    return n;
}

size_t cli_format_number(char text[CLI_NUMBER_SIZE], double value)
{
    if (isnan(value))
        return (size_t)snprintf(text, CLI_NUMBER_SIZE, "nan");
    size_t sign = signbit(value) != 0;
    char *out = text + sign;
    double x = fabs(value);
    size_t n;
    text[0] = '-';
    if (isinf(x)) {
        memcpy(out, "inf", 3);
        n = 3;
    } else if (x < 1e15 && x == (double)(uint64_t)x) {
        n = put_small_integer(out, (uint64_t)x);
    } else {
        digits d = {.count = 0};
        if (!shortest_exact(x, &d))
            shortest_by_trial(x, &d);
        n = d.point > -4 && d.point <= 16 ? put_plain(out, &d) : put_scientific(out, &d);
    }
    out[n] = '\0';
    return sign + n;
}
