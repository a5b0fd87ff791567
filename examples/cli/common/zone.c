/* SPDX-License-Identifier: MIT
 * zone.c - the time zone of times that name none.
 */
#define _GNU_SOURCE /* tm_gmtoff */
#include "common/zone.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define DAY    86400
#define SLOT_S 900 /* no zone changes its clocks within a quarter of an hour */

/* The C library takes a name that it does not know for UTC, without a word. */
static bool is_known(const char *name)
{
    char path[256];
    struct stat facts;
    const char *folder = getenv("TZDIR");
    bool plain = *name != '\0' && *name != '/' && *name != '.' && strstr(name, "..") == NULL;
    int length = snprintf(path, sizeof path, "%s/%s", folder != NULL ? folder : "/usr/share/zoneinfo", name);
    return strcmp(name, "UTC") == 0 ||
           (plain && length < (int)sizeof path && stat(path, &facts) == 0 && S_ISREG(facts.st_mode));
}

bool cli_zone_set(const char *name)
{
    if (!is_known(name) || setenv("TZ", name, 1) != 0)
        return false;
    tzset();
    return true;
}

static int64_t offset_at(int64_t utc_seconds)
{
    struct tm parts;
    time_t t = (time_t)utc_seconds;
    return localtime_r(&t, &parts) == NULL ? 0 : (int64_t)parts.tm_gmtoff;
}

/* The offsets of the day before and the day after are those of the zone on both sides of a change. */
int64_t cli_zone_offset(int64_t local_seconds)
{
    static int64_t slot = -1, slot_offset; /* of the last one that no change is near */
    if (local_seconds >= 0 && local_seconds / SLOT_S == slot)
        return slot_offset;
    int64_t before = offset_at(local_seconds - DAY), after = offset_at(local_seconds + DAY);
    bool is_after = offset_at(local_seconds - before) != before && offset_at(local_seconds - after) == after;
    if (before == after) {
        slot = local_seconds / SLOT_S;
        slot_offset = before;
    }
    return is_after ? after : before;
}
