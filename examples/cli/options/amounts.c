/* SPDX-License-Identifier: MIT
 * amounts.c - counts, sizes and spans of time as people write them.
 */
#include "options/amounts.h"

#include "anomaly.h"

#include <stddef.h>
#include <string.h>

/* Reads the digits at `text` and answers the place behind them; NULL if there are none or too many. */
static const char *digits(const char *text, uint64_t *value)
{
    const char *s = text;
    for (*value = 0; *s >= '0' && *s <= '9'; s++) {
        uint64_t digit = (uint64_t)(*s - '0');
        if (*value > ((uint64_t)INT64_MAX - digit) / 10)
            return NULL;
        *value = *value * 10 + digit;
    }
    return s > text ? s : NULL;
}

bool cli_parse_count(const char *text, uint64_t *count)
{
    const char *end = digits(text, count);
    return end != NULL && *end == '\0';
}

bool cli_parse_bytes(const char *text, uint64_t *bytes)
{
    static const char units[] = "KMG";
    const char *end = digits(text, bytes), *unit;
    if (end == NULL || *end == '\0')
        return end != NULL;
    unit = strchr(units, *end & ~0x20);
    int bits = unit != NULL ? 10 * (int)(unit - units + 1) : 0;
    if (bits == 0 || end[1] != '\0' || *bytes > (uint64_t)INT64_MAX >> bits)
        return false;
    *bytes <<= bits;
    return true;
}

/* Reads a span through an option of the library that may be any span, so that both read spans alike. */
bool cli_parse_span(const char *text, int64_t *ns)
{
    anomaly_config config;
    anomaly_config_init(&config, sizeof config, ANOMALY_ZSCORE);
    if (anomaly_config_set(&config, "max_jump", text, NULL) != ANOMALY_OK || config.max_jump_ns < 0)
        return false;
    *ns = config.max_jump_ns;
    return true;
}
