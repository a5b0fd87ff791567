/* SPDX-License-Identifier: MIT
 * civil.c - days and dates (proleptic Gregorian; Hinnant, "chrono-compatible low-level date algorithms").
 */
#include "common/civil.h"

#include "common/number.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

int cli_fixed(const char *s, int count)
{
    int value = 0;
    for (int i = 0; i < count; i++) {
        if (!cli_is_digit(s[i]))
            return -1;
        value = value * 10 + (s[i] - '0');
    }
    return value;
}

bool cli_date_exists(int year, int month, int day)
{
    static const int days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    if (year < 0 || month < 1 || month > 12 || day < 1 || day > days[month - 1])
        return false;
    return month != 2 || day < 29 || leap;
}

int64_t cli_days_from_civil(int year, int month, int day)
{
    int y = month <= 2 ? year - 1 : year;
    int era = (y >= 0 ? y : y - 399) / 400;
    int of_era = y - era * 400;
    int of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int day_of_era = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    return (int64_t)era * 146097 + day_of_era - 719468;
}

void cli_civil_from_days(int64_t days, int *year, int *month, int *day)
{
    int64_t z = days + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int of_era = (int)(z - era * 146097);
    int year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int mp = (5 * of_year + 2) / 153;
    *day = of_year - (153 * mp + 2) / 5 + 1;
    *month = mp < 10 ? mp + 3 : mp - 9;
    *year = (int)(era * 400) + year_of_era + (*month <= 2);
}

int cli_month_name(const char *s, const char *end, int *length)
{
    static const char *const names[] = {"january", "february", "march",     "april",   "may",      "june",
                                        "july",    "august",   "september", "october", "november", "december"};
    for (int m = 0; m < 12; m++) {
        int whole = (int)strlen(names[m]);
        bool is_whole = end - s >= whole && strncasecmp(s, names[m], (size_t)whole) == 0;
        *length = is_whole ? whole : 3;
        if (is_whole || (end - s >= 3 && strncasecmp(s, names[m], 3) == 0))
            return m + 1;
    }
    return 0;
}
