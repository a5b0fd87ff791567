/* SPDX-License-Identifier: MIT
 * names.c - what the name of a column says of it.
 */
#include "read/names.h"

#include <string.h>
#include <strings.h>

#define COUNT(list) (sizeof(list) / sizeof *(list))

bool cli_name_in(const char *const *names, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcasecmp(names[i], name) == 0)
            return true;
    return false;
}

static const char *const times[] = {"timestamp", "@timestamp", "time", "datetime", "date", "ts", "_time", "epoch"};

const char *cli_name_of_time(size_t i)
{
    return i < COUNT(times) ? times[i] : NULL;
}

bool cli_name_is_time(const char *name)
{
    return cli_name_in(times, COUNT(times), name);
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Tells whether a word of the name, between signs that are no letters, is one of these. */
bool cli_name_may_be_time(const char *name)
{
    static const char *const words[] = {"timestamp", "time",      "datetime", "date", "ts",  "epoch", "at", "unixtime",
                                        "eventtime", "createdat", "clock",    "when", "day", "unix",  "t"};
    while (*name != '\0') {
        size_t n = 0;
        while (is_letter(name[n]))
            n++;
        for (size_t i = 0; i < COUNT(words); i++)
            if (strlen(words[i]) == n && strncasecmp(words[i], name, n) == 0)
                return true;
        name += n > 0 ? n : 1;
    }
    return false;
}

bool cli_name_is_label(const char *name)
{
    static const char *const labels[] = {"label", "is_anomaly", "anomaly"};
    return cli_name_in(labels, COUNT(labels), name);
}

bool cli_name_is_id(const char *name)
{
    static const char *const ids[] = {"id",  "index",   "idx",        "row",    "rowid", "row_id", "row_number",
                                      "seq", "rowname", "unnamed: 0", "rownum", "#",     ""};
    return cli_name_in(ids, COUNT(ids), name);
}

/* The last part of a path: process.pid is a pid. */
static const char *last_part(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot != NULL ? dot + 1 : name;
}

bool cli_name_is_number_of(const char *name)
{
    static const char *const numbers[] = {"pid", "ppid", "tid", "tgid", "uid", "gid", "port"};
    return cli_name_in(numbers, COUNT(numbers), last_part(name));
}

bool cli_name_is_key(const char *name)
{
    static const char *const keys[] = {"host",      "hostname",   "host.name",    "server",  "node",
                                       "instance",  "machine",    "disk",         "device",  "interface",
                                       "iface",     "filesystem", "mount",        "pod",     "sensor",
                                       "container", "service",    "service.name", "station", "mountpoint"};
    return cli_name_in(keys, COUNT(keys), name);
}
