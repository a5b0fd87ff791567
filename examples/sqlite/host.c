/* SPDX-License-Identifier: MIT
 * host.c - memory, numbers, times and messages: between SQLite's terms and those of the library.
 */
#include "common/sql.h"
#include "extension.h"

#include <math.h>

static void *take(void *ctx, size_t bytes)
{
    (void)ctx;
    return bytes < SIZE_MAX - SQL_ALIGNMENT ? sql_align(sqlite3_malloc64((sqlite3_uint64)bytes + SQL_ALIGNMENT)) : NULL;
}

static void give_back(void *ctx, void *memory, size_t bytes)
{
    (void)ctx;
    (void)bytes;
    sqlite3_free(sql_unalign(memory));
}

const anomaly_allocator host_allocator = {take, give_back, NULL};

static char *shown(sqlite3_value *value, const char *message)
{
    if (sqlite3_value_type(value) == SQLITE_BLOB)
        return sqlite3_mprintf(message, "a blob");
    const unsigned char *text = sqlite3_value_text(value);
    char *cut = text ? sqlite3_mprintf("'%!.40s'", text) : NULL;
    char *whole = cut ? sqlite3_mprintf(message, cut) : NULL;
    sqlite3_free(cut);
    return whole;
}

bool host_number(sqlite3_value *value, double *x, char **why)
{
    switch (sqlite3_value_numeric_type(value)) {
    case SQLITE_NULL: *x = (double)NAN; return true;
    case SQLITE_INTEGER:
    case SQLITE_FLOAT: *x = sqlite3_value_double(value); return true;
    default: *why = shown(value, "%s is not a number; what is to count as missing is NULL"); return false;
    }
}

static const double most_seconds = 9223372036.0; /* in the year 2262: nanoseconds in 64 bits */

bool host_time(sqlite3_value *value, int64_t *t_ns, char **why)
{
    int type = sqlite3_value_numeric_type(value);
    double seconds = sqlite3_value_double(value), whole = floor(seconds);
    if (type == SQLITE_NULL) {
        *t_ns = ANOMALY_NO_TIME;
        return true;
    }
    if (type != SQLITE_INTEGER && type != SQLITE_FLOAT) {
        *why = shown(value, "a time is seconds since 1970, as unixepoch(time) tells them, not %s");
        return false;
    }
    if (!(fabs(seconds) < most_seconds)) {
        *why = shown(value, "a time is seconds since 1970 (milliseconds / 1000.0), from 1677 to 2262, not %s");
        return false;
    }
    *t_ns = (int64_t)whole * 1000000000 + (int64_t)rint((seconds - whole) * 1e9);
    return true;
}

void host_refuse(sqlite3_context *context, char *message)
{
    char *whole = message ? sqlite3_mprintf("anomaly: %s", message) : NULL;
    if (whole)
        sqlite3_result_error(context, whole, -1);
    else
        sqlite3_result_error_nomem(context);
    sqlite3_free(whole);
    sqlite3_free(message);
}

char *host_message(int status, const anomaly_error *error)
{
    if (status == ANOMALY_E_NOMEM)
        return NULL;
    return sqlite3_mprintf("%s", error && error->message[0] ? error->message : anomaly_status_text(status));
}
