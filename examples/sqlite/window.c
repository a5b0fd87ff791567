/* SPDX-License-Identifier: MIT
 * window.c - anomaly(value [, time] [, options]) OVER (PARTITION BY ... ORDER BY ...): a detector for each partition,
 * which judges the row against the rows before it.
 *
 * SQLite gives each row by step(), then asks by value() for what belongs to the row. The two take turns as long as the
 * frame is what it is by default and no two rows have the same place. Any other frame would put verdicts beside rows
 * that they do not belong to, so it is refused.
 */
#include "common/sql.h"
#include "extension.h"

#include <string.h>

typedef struct judge {
    anomaly_detector *detector; /* NULL: no row has come */
    anomaly_verdict verdict;    /* on the newest row */
    char *options;
    int options_size;
    int untold; /* rows for which value() has not been called: 0 or 1 */
    int needs_times;
} judge;

static const char *const frame = "write OVER (... ORDER BY ... ROWS UNBOUNDED PRECEDING), without FILTER: each row is "
                                 "judged once, against the rows before it";

static void refuse_frame(sqlite3_context *context)
{
    host_refuse(context, sqlite3_mprintf("%s", frame));
}

static bool open_judge(sqlite3_context *context, judge *j, const char *options, int size)
{
    anomaly_config config;
    anomaly_error error = {0};
    int status = sql_configure(options, (size_t)size, &config, &error);
    j->options = sqlite3_malloc(size + 1);
    if (!j->options)
        status = ANOMALY_E_NOMEM;
    if (status == ANOMALY_OK)
        status = anomaly_create(&config, &host_allocator, &j->detector, &error);
    if (status != ANOMALY_OK) {
        host_refuse(context, host_message(status, &error));
        return false;
    }
    memcpy(j->options, options, (size_t)size);
    j->options[size] = '\0';
    j->options_size = size;
    j->needs_times = anomaly_needs_times(&config);
    return true;
}

/** The detector of the partition, made with its first row. */
static judge *judge_of(sqlite3_context *context, sqlite3_value *options)
{
    judge *j = sqlite3_aggregate_context(context, sizeof *j);
    const char *text = options ? (const char *)sqlite3_value_text(options) : NULL;
    int size = text ? sqlite3_value_bytes(options) : 0;
    if (!j) {
        sqlite3_result_error_nomem(context);
        return NULL;
    }
    if (!j->detector)
        return open_judge(context, j, text ? text : "", size) ? j : NULL;
    if (size != j->options_size || (size && memcmp(text, j->options, (size_t)size) != 0)) {
        host_refuse(context, sqlite3_mprintf("options are the same for all rows of a partition, not '%!.40s', then '%!.40s'",
                                             size ? text : "", j->options_size ? j->options : ""));
        return NULL;
    }
    return j;
}

/** Two arguments are value and time, or value and options, which have a '='. */
static bool is_options(sqlite3_value *value)
{
    if (sqlite3_value_type(value) != SQLITE_TEXT)
        return false;
    const char *text = (const char *)sqlite3_value_text(value);
    return text && strchr(text, '=');
}

static void step(sqlite3_context *context, int count, sqlite3_value **values)
{
    bool timed = count == 3 || (count == 2 && !is_options(values[1]));
    judge *j = judge_of(context, count == 3 ? values[2] : count == 2 && !timed ? values[1] : NULL);
    int64_t t = ANOMALY_NO_TIME;
    char *why = NULL;
    double x;
    if (!j)
        return;
    if (j->untold++) {
        refuse_frame(context);
        return;
    }
    if (!host_number(values[0], &x, &why) || (timed && !host_time(values[1], &t, &why))) {
        host_refuse(context, why);
        return;
    }
    if (j->needs_times && t == ANOMALY_NO_TIME) {
        host_refuse(context, sqlite3_mprintf("these options need a time for each row: anomaly(value, time, options)"));
        return;
    }
    int status = anomaly_update(j->detector, &x, t, &j->verdict);
    if (status != ANOMALY_OK)
        host_refuse(context, host_message(status, NULL));
}

static void tell(sqlite3_context *context)
{
    judge *j = sqlite3_aggregate_context(context, 0);
    if (!j || !j->untold)
        refuse_frame(context);
    else
        verdict_result(context, &j->verdict);
    if (j)
        j->untold = 0;
}

/** A row leaves the frame. The rows that a detector remembers are its own matter: the option window. */
static void leave(sqlite3_context *context, int count, sqlite3_value **values)
{
    (void)count;
    (void)values;
    refuse_frame(context);
}

static void close_judge(sqlite3_context *context)
{
    judge *j = sqlite3_aggregate_context(context, 0);
    if (!j)
        return;
    if (j->untold) /* called as an aggregate, or the statement ends with an error anyway */
        refuse_frame(context);
    anomaly_destroy(j->detector);
    sqlite3_free(j->options);
}

int window_register(sqlite3 *db)
{
    int rc = SQLITE_OK;
    for (int count = 1; rc == SQLITE_OK && count <= 3; count++)
        rc = sqlite3_create_window_function(db, "anomaly", count, SQLITE_UTF8 | SQLITE_INNOCUOUS, NULL, step, close_judge,
                                            tell, leave, NULL);
    return rc;
}
