/* SPDX-License-Identifier: MIT
 * number.c - decimal text to double, exactly, whatever the locale.
 *
 * Most numbers in files have few digits: with a mantissa of at most 2^53 and a power of ten of at most 22 both are
 * exact doubles, so one multiplication or division rounds once and correctly (Clinger, "How to read floating point
 * numbers accurately", 1990). All others go to strtod. The program never calls setlocale, so strtod reads a point.
 */
#include "common/number.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <strings.h>

static const double power_of_ten[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                      1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

typedef struct decimal {
    uint64_t mantissa;
    int digits;   /* significant ones seen */
    int exponent; /* value = mantissa * 10^exponent while digits <= 19 */
} decimal;

static enum cli_number parse_word(const char *text, size_t length, double *value)
{
    bool minus = length > 0 && text[0] == '-';
    size_t sign = length > 0 && (text[0] == '-' || text[0] == '+');
    const char *word = text + sign;
    length -= sign;
    if (length == 3 && strncasecmp(word, "nan", 3) == 0)
        *value = (double)NAN;
    else if ((length == 3 && strncasecmp(word, "inf", 3) == 0) || (length == 8 && strncasecmp(word, "infinity", 8) == 0))
        *value = minus ? -(double)INFINITY : (double)INFINITY;
    else
        return CLI_NUMBER_TEXT;
    return CLI_NUMBER_OK;
}

static const char *read_digits(const char *s, const char *end, decimal *d)
{
    for (; s < end && cli_is_digit(*s); s++) {
        d->mantissa = d->mantissa * 10 + (uint64_t)(*s - '0'); /* wraps past 19 digits: then unused */
        d->digits += d->mantissa != 0;
    }
    return s;
}

/* The e-12 of 1e-12. NULL if there is no number in it. */
static const char *read_exponent(const char *s, const char *end, int *exponent)
{
    bool minus = s < end && *s == '-';
    s += s < end && (*s == '-' || *s == '+');
    const char *first = s;
    int value = 0;
    for (; s < end && cli_is_digit(*s); s++)
        value = value < 100000 ? value * 10 + (*s - '0') : value;
    *exponent += minus ? -value : value;
    return s > first ? s : NULL;
}

static const char *read_decimal(const char *s, const char *end, decimal *d)
{
    const char *first = s;
    s = read_digits(s, end, d);
    ptrdiff_t count = s - first;
    if (s < end && *s == '.') {
        const char *point = ++s;
        s = read_digits(s, end, d);
        count += s - point;
        /* a line is at most a megabyte, so this fits */
        d->exponent = -(int)(s - point);
    }
    if (count == 0)
        return NULL;
    if (s < end && (*s == 'e' || *s == 'E'))
        s = read_exponent(s + 1, end, &d->exponent);
    return s;
}

enum cli_number cli_parse_number(const char *text, size_t length, double *value)
{
    const char *end = text + length;
    if (length == 0) {
        *value = (double)NAN;
        return CLI_NUMBER_OK;
    }
    const char *s = text + (*text == '-' || *text == '+');
    decimal d = {0, 0, 0};
    if (read_decimal(s, end, &d) != end)
        return parse_word(text, length, value);
    if (d.digits <= 19 && d.mantissa <= (uint64_t)1 << 53 && d.exponent >= -22 && d.exponent <= 22) {
        double x = (double)d.mantissa;
        x = d.exponent < 0 ? x / power_of_ten[-d.exponent] : x * power_of_ten[d.exponent];
        *value = *text == '-' ? -x : x;
        return CLI_NUMBER_OK;
    }
    double x = strtod(text, NULL);
    if (isinf(x))
        return CLI_NUMBER_RANGE;
    *value = x;
    return CLI_NUMBER_OK;
}
