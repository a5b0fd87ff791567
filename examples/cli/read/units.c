/* SPDX-License-Identifier: MIT
 * units.c - numbers with a unit: 12MB, 1.5 GiB, 5%, $5, 20ms.
 */
#include "read/units.h"

#include <stdio.h>
#include <string.h>

#define COUNT(list) (sizeof(list) / sizeof *(list))

enum { NUMBER = 48 }; /* bytes of a number with a unit, at most */

static bool is_word(const char *word, const char *text, size_t length)
{
    return strlen(word) == length && memcmp(word, text, length) == 0;
}

static bool is_one(const char *const *words, size_t count, const char *text, size_t length)
{
    size_t i = 0;
    while (i < count && !is_word(words[i], text, length))
        i++;
    return i < count;
}

/* ---- units that are only left out ---- */

static bool is_base(const char *text, size_t length)
{
    static const char *const bases[] = {"s",  "sec", "min", "h",   "d",     "m",   "g",    "t",    "A",   "K",  "C",
                                        "F",  "V",   "W",   "Wh",  "VA",    "Hz",  "Pa",   "bar",  "N",   "J",  "B",
                                        "b",  "bit", "bps", "l",   "L",     "Ah",  "mol",  "dB",   "dBm", "lx", "lm",
                                        "cd", "T",   "rpm", "ppm", "count", "deg", "degC", "degF", "Ohm", "psi"};
    return is_one(bases, COUNT(bases), text, length);
}

static bool is_part(const char *text, size_t length)
{
    if (is_base(text, length))
        return true;
    if (length > 1 && memchr("numkhcKMGT", *text, 10) != NULL)
        return is_base(text + 1, length - 1) || (length > 2 && text[1] == 'i' && is_base(text + 2, length - 2));
    return length > 2 && memcmp(text, "\xC2\xB5", 2) == 0 && is_base(text + 2, length - 2); /* micro */
}

/* Tells kWh, m/s, %, degrees. */
static bool is_plain_unit(const char *text, size_t length)
{
    if (length == 0 || length >= sizeof((cli_unit *)NULL)->text)
        return false;
    if (*text == '%' || memcmp(text, "\xC2\xB0", length < 2 ? 1 : 2) == 0) /* degree */
        return true;
    const char *slash = memchr(text, '/', length);
    size_t first = slash != NULL ? (size_t)(slash - text) : length;
    return is_part(text, first) && (slash == NULL || is_part(slash + 1, length - first - 1));
}

bool cli_unit_alone(const char *text, size_t length)
{
    if (length >= 2 && ((*text == '[' && text[length - 1] == ']') || (*text == '(' && text[length - 1] == ')')))
        return true;
    return is_plain_unit(text, length);
}

static bool is_money(const char *text, size_t length)
{
    static const char *const money[] = {"$",   "US$", "\xE2\x82\xAC", "\xC2\xA3", "\xC2\xA5", "\xE2\x82\xB9", "USD",
                                        "EUR", "GBP", "JPY",          "CHF",      "CNY",      "INR",          "CAD",
                                        "AUD", "SEK", "NOK",          "DKK",      "PLN",      "CZK",          "BRL"};
    return is_one(money, COUNT(money), text, length);
}

/* ---- sizes and durations ---- */

/* Reads K, Ki, M, ...; answers its length, 0 for none. Ki is 1024; of K what follows decides. */
static size_t read_prefix(const char *text, size_t length, int *power, bool *binary)
{
    static const char prefixes[] = "kKMGTP";
    static const int powers[] = {1, 1, 2, 3, 4, 5};
    const char *at = length > 0 ? memchr(prefixes, *text, sizeof prefixes - 1) : NULL;
    *binary = false;
    *power = 0;
    if (at == NULL)
        return 0;
    *power = powers[at - prefixes];
    *binary = length > 1 && text[1] == 'i';
    return *binary ? 2 : 1;
}

/* Reads 12K (of 1024, as df, du, free and ls mean it), MB (of 1000), GiB, kB/s, Mbit/s. */
static bool read_size(cli_unit *u, const char *text, size_t length)
{
    static const char *const rates[] = {"b/s", "bit/s", "bps"};
    int power;
    bool binary;
    size_t n = read_prefix(text, length, &power, &binary);
    const char *base = text + n;
    length -= n;
    if (is_word("B/s", base, length))
        u->measure = CLI_MEASURE_BYTES_S;
    else if (is_one(rates, COUNT(rates), base, length))
        u->measure = CLI_MEASURE_BITS_S;
    else if (is_word("B", base, length) || (n > 0 && length == 0))
        u->measure = CLI_MEASURE_BYTES;
    else
        return false;
    binary |= length == 0;
    u->ten = binary ? 0 : 3 * power;
    for (; binary && power > 0; power--)
        u->times *= 1024;
    return true;
}

static bool read_duration(cli_unit *u, const char *text, size_t length)
{
    static const struct {
        const char *name;
        int ten;
        double times;
    } names[] = {{"ns", -9, 1}, {"us", -6, 1}, {"\xC2\xB5s", -6, 1}, {"\xCE\xBCs", -6, 1}, {"ms", -3, 1},
                 {"s", 0, 1},   {"sec", 0, 1}, {"min", 0, 60},       {"h", 0, 3600},       {"d", 0, 86400}};
    for (size_t i = 0; i < COUNT(names); i++) {
        if (!is_word(names[i].name, text, length))
            continue;
        u->measure = CLI_MEASURE_SECONDS;
        u->ten = names[i].ten;
        u->times = names[i].times;
        return true;
    }
    return false;
}

static bool read_unit(cli_unit *u, const char *text, size_t length, bool before)
{
    *u = (cli_unit){.before = before, .times = 1};
    if (length == 0 || length >= sizeof u->text)
        return false;
    memcpy(u->text, text, length);
    if (is_money(text, length))
        return true;
    return !before && (read_size(u, text, length) || read_duration(u, text, length) || is_plain_unit(text, length));
}

/* ---- numbers ---- */

static bool begins_number(char c)
{
    return cli_is_digit(c) || c == '-' || c == '+' || c == '.';
}

static size_t trim(const char *text, size_t length)
{
    while (length > 0 && cli_is_blank(text[length - 1]))
        length--;
    return length;
}

bool cli_unit_cut(const char *text, size_t length, cli_unit *unit, const char **number, size_t *number_length)
{
    size_t first = 0, last = length;
    while (first < length && !begins_number(text[first]))
        first++;
    while (last > first && !cli_is_digit(text[last - 1]))
        last--;
    *number = text + first;
    *number_length = last - first;
    if (last == first || (first > 0) == (last < length)) /* none, or one at each side */
        return false;
    if (first > 0)
        return read_unit(unit, text, trim(text, first), true);
    size_t blanks = last;
    while (blanks < length && cli_is_blank(text[blanks]))
        blanks++;
    return read_unit(unit, text + blanks, trim(text + blanks, length - blanks), false);
}

/* Reads the number with an exponent behind it, so that 12.3 of 1/1000 is the number nearest to 0.0123. */
static enum cli_number read_scaled(cli_values *values, const char *number, size_t length, const cli_unit *u, double *value)
{
    char copy[NUMBER + 8];
    memcpy(copy, number, length);
    bool exponent = memchr(number, 'e', length) != NULL || memchr(number, 'E', length) != NULL;
    int more = u->ten == 0 ? 0 : snprintf(copy + length, sizeof copy - length, "e%d", u->ten);
    copy[length + (size_t)more] = '\0';
    if (exponent && u->ten != 0)
        return CLI_NUMBER_TEXT;
    enum cli_number result = cli_values_read(values, copy, length + (size_t)more, value);
    *value *= result == CLI_NUMBER_OK ? u->times : 1;
    return result;
}

/* Reads -$5. */
static bool take_sign(const char **text, size_t *length)
{
    bool minus = *length > 2 && **text == '-' && !begins_number((*text)[1]);
    *text += minus;
    *length -= minus;
    return minus;
}

enum cli_number cli_unit_read(cli_values *values, const char *text, size_t length, cli_unit *unit, double *value)
{
    const char *number;
    size_t n;
    *value = 0;
    bool minus = take_sign(&text, &length);
    if (!cli_unit_cut(text, length, unit, &number, &n) || n > NUMBER)
        return CLI_NUMBER_TEXT;
    enum cli_number result = read_scaled(values, number, n, unit, value);
    *value = minus ? -*value : *value;
    return result;
}

bool cli_unit_fits(const cli_unit *a, const cli_unit *b)
{
    if (a->measure != b->measure)
        return false;
    return a->measure != CLI_MEASURE_OTHER || (a->before == b->before && strcmp(a->text, b->text) == 0);
}

bool cli_unit_optional(const cli_unit *u)
{
    return u->measure == CLI_MEASURE_BYTES && strchr(u->text, 'B') == NULL;
}

void cli_unit_add(cli_buffer *text, const cli_unit *u)
{
    static const char *const words[] = {[CLI_MEASURE_BYTES] = "in bytes (KB: 1000, KiB and K: 1024)",
                                        [CLI_MEASURE_BYTES_S] = "in bytes/s (KB: 1000, KiB: 1024)",
                                        [CLI_MEASURE_BITS_S] = "in bit/s",
                                        [CLI_MEASURE_SECONDS] = "in seconds"};
    if (u->measure == CLI_MEASURE_OTHER) {
        cli_add_printable(text, u->text, strlen(u->text));
        cli_buffer_text(text, " dropped");
    } else {
        cli_buffer_text(text, words[u->measure]);
    }
}
