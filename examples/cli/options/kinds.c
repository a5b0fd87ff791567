/* SPDX-License-Identifier: MIT
 * kinds.c - the library's table of kinds of detectors, by number.
 */
#include "options/kinds.h"

#include <stddef.h>
#include <string.h>

const anomaly_kind_info *cli_kind(int kind)
{
    size_t i = 0;
    while (anomaly_kind_at(i)->kind != kind)
        i++;
    return anomaly_kind_at(i);
}

bool cli_kind_offers(int kind, enum anomaly_offer what)
{
    return (cli_kind(kind)->offers & (uint32_t)what) != 0;
}

bool cli_leaves_kind_open(const char *name)
{
    static const char *const names[] = {"alarms", "alarm_rate", "calibrate", "rest", "margin", "confirm", "population"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}
