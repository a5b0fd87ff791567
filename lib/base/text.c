/* SPDX-License-Identifier: MIT */
#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DIGITS_READ 64

static int is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Digits without their point, and what the exponent must make up for it. strtod() then needs no decimal point, which
 * is the one thing in it that follows the locale. */
typedef struct decimal {
    char digits[DIGITS_READ + 24];
    int count, exponent;
} decimal;

static const char *take_digits(const char *text, decimal *number, int fraction)
{
    for (; is_digit(*text); text++) {
        if (number->count == DIGITS_READ)
            return NULL;
        number->digits[number->count++] = *text;
        number->exponent -= fraction;
    }
    return text;
}

/* An exponent where there is one; "5e" is a 5 followed by text. */
static const char *take_exponent(const char *text, decimal *number)
{
    const char *at = text + 1;
    int sign = 1, exponent = 0;
    if (*text != 'e' && *text != 'E')
        return text;
    if (*at == '+' || *at == '-')
        sign = *at++ == '-' ? -1 : 1;
    if (!is_digit(*at))
        return text;
    for (; is_digit(*at); at++)
        exponent = exponent > 9999 ? exponent : exponent * 10 + (*at - '0');
    number->exponent += sign * exponent;
    return at;
}

const char *an_text_to_double(const char *text, double *value)
{
    decimal number = {{0}, 0, 0};
    int negative = *text == '-';
    text += *text == '-' || *text == '+';
    text = take_digits(text, &number, 0);
    if (text && *text == '.')
        text = take_digits(text + 1, &number, 1);
    if (!text || number.count == 0)
        return NULL;
    text = take_exponent(text, &number);
    snprintf(number.digits + number.count, sizeof number.digits - (size_t)number.count, "e%d", number.exponent);
    double parsed = strtod(number.digits, NULL);
    *value = negative ? -parsed : parsed;
    return text;
}

int an_text_to_count(const char *text, uint64_t *value)
{
    uint64_t parsed = 0;
    const char *at = text;
    for (; is_digit(*at); at++) {
        uint64_t digit = (uint64_t)(*at - '0');
        if (parsed > (UINT64_MAX - digit) / 10)
            return 0;
        parsed = parsed * 10 + digit;
    }
    if (at == text || *at)
        return 0;
    *value = parsed;
    return 1;
}

#define LETTERS_COMPARED 32

static char lower(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

static size_t least_of(size_t a, size_t b, size_t c)
{
    size_t least = a < b ? a : b;
    return least < c ? least : c;
}

/* d[i][j]: the distance of the first i letters of a from the first j of b. */
size_t an_text_distance(const char *a, const char *b)
{
    size_t d[LETTERS_COMPARED + 1][LETTERS_COMPARED + 1], n = strlen(a), m = strlen(b);
    if (n > LETTERS_COMPARED || m > LETTERS_COMPARED)
        return SIZE_MAX;
    for (size_t i = 0; i <= n; i++)
        for (size_t j = 0; j <= m; j++) {
            d[i][j] = i + j;
            if (i == 0 || j == 0)
                continue;
            d[i][j] = least_of(d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (lower(a[i - 1]) != lower(b[j - 1])));
            if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1]))
                d[i][j] = least_of(d[i][j], d[i - 2][j - 2] + 1, SIZE_MAX);
        }
    return d[n][m];
}

#define SECOND_NS INT64_C(1000000000)

/* First those that are written, the largest first; then what else is read: words, and pandas' names. */
static const struct unit {
    const char *name;
    int64_t ns;
} units[] = {
    {"d", 86400 * SECOND_NS},
    {"h", 3600 * SECOND_NS},
    {"m", 60 * SECOND_NS},
    {"s", SECOND_NS},
    {"ms", 1000000},
    {"us", 1000},
    {"ns", 1},
    {"D", 86400 * SECOND_NS},
    {"day", 86400 * SECOND_NS},
    {"days", 86400 * SECOND_NS},
    {"hour", 3600 * SECOND_NS},
    {"hours", 3600 * SECOND_NS},
    {"min", 60 * SECOND_NS},
    {"minute", 60 * SECOND_NS},
    {"minutes", 60 * SECOND_NS},
    {"sec", SECOND_NS},
    {"second", SECOND_NS},
    {"seconds", SECOND_NS},
};
#define UNIT_COUNT    (sizeof units / sizeof *units)
#define UNITS_WRITTEN 7

/* Whole numbers of a unit are taken exactly, fractions to the nearest nanosecond. */
static int scale_time(const char *text, double value, int64_t unit_ns, int64_t *ns)
{
    int64_t whole = 0;
    for (; is_digit(*text) && whole <= (INT64_MAX - 9) / 10; text++)
        whole = whole * 10 + (*text - '0');
    double product = floor(value * (double)unit_ns + 0.5);
    if (!(product >= 0 && product < 0x1p63))
        return 0;
    *ns = value == (double)whole && whole <= INT64_MAX / unit_ns ? whole * unit_ns : (int64_t)product;
    return 1;
}

int an_text_to_ns(const char *text, int64_t *ns)
{
    double value;
    const char *unit = an_text_to_double(text, &value);
    if (unit && *unit == ' ')
        unit++;
    for (size_t i = 0; unit && i < UNIT_COUNT; i++)
        if (strcmp(unit, units[i].name) == 0)
            return scale_time(text, value, units[i].ns, ns);
    return 0;
}

/* digits = "31416", exponent = 0: 3.1416 */
static void write_plain(const char *digits, int count, int exponent, char *text)
{
    if (exponent < 0) {
        text += sprintf(text, "0.%.*s", -exponent - 1, "0000000000");
        sprintf(text, "%.*s", count, digits);
        return;
    }
    int whole = exponent + 1;
    for (int i = 0; i < whole; i++)
        *text++ = i < count ? digits[i] : '0';
    if (count > whole)
        text += sprintf(text, ".%.*s", count - whole, digits + whole);
    *text = 0;
}

static void write_scientific(const char *digits, int count, int exponent, char *text)
{
    if (count > 1)
        sprintf(text, "%c.%.*se%d", digits[0], count - 1, digits + 1, exponent);
    else
        sprintf(text, "%ce%d", digits[0], exponent);
}

/* The fewest significant digits that read back; from printf's %e without its decimal point. Returns how many. */
static int shortest_digits(double value, char *digits, int *exponent)
{
    char printed[48];
    int count = 0;
    for (int precision = 0; precision < 17; precision++) {
        snprintf(printed, sizeof printed, "%.*e", precision, value);
        if (strtod(printed, NULL) == value)
            break;
    }
    char *e = strchr(printed, 'e');
    for (const char *at = printed; at < e; at++)
        if (is_digit(*at))
            digits[count++] = *at;
    *exponent = atoi(e + 1);
    return count;
}

void an_double_to_text(double value, char *text)
{
    char digits[24];
    int exponent;
    if (value < 0)
        *text++ = '-';
    int count = shortest_digits(fabs(value), digits, &exponent);
    if (exponent >= -5 && exponent < 16)
        write_plain(digits, count, exponent, text);
    else
        write_scientific(digits, count, exponent, text);
}

void an_ns_to_text(int64_t ns, char *text)
{
    size_t i = 0;
    while (i < UNITS_WRITTEN - 1 && (ns == 0 || ns % units[i].ns != 0))
        i++;
    if (ns == 0)
        strcpy(text, "0s");
    else
        sprintf(text, "%lld%s", (long long)(ns / units[i].ns), units[i].name);
}
