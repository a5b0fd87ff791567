/* SPDX-License-Identifier: MIT
 * times_write.c - nanoseconds since 1970 to text, and spans as people say them.
 */
#include "common/civil.h"
#include "common/times.h"

#include <stdio.h>

#define NS_PER_S INT64_C(1000000000)

static char *put_padded(char *out, int value, int width)
{
    for (int i = width - 1; i >= 0; i--, value /= 10)
        out[i] = (char)('0' + value % 10);
    return out + width;
}

size_t cli_format_time(char text[CLI_TIME_SIZE], int64_t ns)
{
    int64_t seconds = ns / NS_PER_S, fraction = ns % NS_PER_S;
    if (fraction < 0) {
        fraction += NS_PER_S;
        seconds--;
    }
    int64_t days = seconds / 86400 - (seconds % 86400 < 0);
    int of_day = (int)(seconds - days * 86400);
    int year, month, day;
    cli_civil_from_days(days, &year, &month, &day);
    char *o = put_padded(text, year, 4);
    *o++ = '-';
    o = put_padded(o, month, 2);
    *o++ = '-';
    o = put_padded(o, day, 2);
    *o++ = 'T';
    o = put_padded(o, of_day / 3600, 2);
    *o++ = ':';
    o = put_padded(o, of_day / 60 % 60, 2);
    *o++ = ':';
    o = put_padded(o, of_day % 60, 2);
    if (fraction != 0) {
        *o++ = '.';
        if (fraction % 1000000 == 0)
            o = put_padded(o, (int)(fraction / 1000000), 3);
        else if (fraction % 1000 == 0)
            o = put_padded(o, (int)(fraction / 1000), 6);
        else
            o = put_padded(o, (int)fraction, 9);
    }
    *o++ = 'Z';
    *o = '\0';
    return (size_t)(o - text);
}

void cli_format_span(char text[CLI_TIME_SIZE], double ns)
{
    static const struct {
        double ns;
        const char *name;
    } units[] = {{86400e9, "d"}, {3600e9, "h"}, {60e9, "m"}, {1e9, "s"}, {1e6, "ms"}, {1e3, "us"}};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        /* 300 s reads better as 300s than as 5m where the program says 300s everywhere */
        if (ns >= units[i].ns * (units[i].ns > 1e9 ? 10 : 1)) {
            double count = ns / units[i].ns; /* of four digits, not as 1e+03 */
            snprintf(text, CLI_TIME_SIZE, count < 999.5 ? "%.3g%s" : "%.0f%s", count, units[i].name);
            return;
        }
    snprintf(text, CLI_TIME_SIZE, "%.0f%s", ns, ns > 0 ? "ns" : "s");
}
