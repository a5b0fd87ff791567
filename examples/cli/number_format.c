/* SPDX-License-Identifier: MIT
 * number_format.c - the shortest decimal text that reads back to the same double.
 *
 * Any decimal of 15 digits survives a double, and 17 digits always tell doubles apart. So the shortest text is the number
 * rounded to 15, 16 or 17 digits, the first that reads back, without its trailing zeros. Between 1e-10 and 1e17 all of it
 * is exact in 128-bit integers: x = m*2^e, scaled by 10^k to 17 digits before the point, is m*5^k / 2^-(e+k), and a
 * rounded candidate reads back if it is less than half a unit in the last place away, 5^k/2 in the same scale. That costs
 * some 20 ns. The rest (huge, tiny, subnormal, powers of two) goes through printf and strtod.
 */
#include "number.h"

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

static uint64_t power_of(uint64_t base, int exponent)
{
    uint64_t result = 1;
    while (exponent-- > 0)
        result *= base;
    return result;
}

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

/* The multiple of `step` nearest to scaled/2^shift, ties to even, as printf rounds. */
static uint64_t round_to(wide scaled, int shift, uint64_t step)
{
    wide unit = (wide)step << shift;
    uint64_t quotient = (uint64_t)(scaled / unit);
    wide rest = scaled - (wide)quotient * unit;
    bool up = rest > unit - rest || (rest == unit - rest && (quotient & 1) != 0);
    return (quotient + up) * step;
}

/* Exact for normal numbers in 1e-10 .. 1e17 whose mantissa is not a power of two (there the lower neighbour is nearer). */
static bool shortest_exact(double x, digits *d)
{
    int exponent, point;
    if (!(x >= 1e-10 && x < 1e17))
        return false;
    uint64_t m = (uint64_t)ldexp(frexp(x, &exponent), 53);
    exponent -= 53;
    if (m == (uint64_t)1 << 52)
        return false;
    point = x >= 1 ? (int)(log10(x) + 1) : (int)floor(log10(x)) + 1; /* may be off by one: checked below */
    int k = 17 - point;
    if (k < 0 || k > 27 || exponent + k > 0)
        return false;
    uint64_t five = power_of(5, k);
    wide scaled = (wide)m * five;
    int shift = -(exponent + k);
    uint64_t whole = (uint64_t)(scaled >> shift);
    if (whole < UINT64_C(10000000000000000) || whole >= UINT64_C(100000000000000000))
        return false;
    for (uint64_t step = 100; step != 0; step /= 10) {
        uint64_t candidate = round_to(scaled, shift, step);
        wide back = (wide)candidate << shift;
        wide off = back > scaled ? back - scaled : scaled - back;
        if (step == 1 || 2 * off < five || (2 * off == five && (m & 1) == 0)) {
            put_digits(d, candidate, point);
            return true;
        }
    }
    return false;
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
