/* SPDX-License-Identifier: MIT
 * extension.h - what the files of the extension give each other.
 */
#ifndef SQLITE_EXTENSION_H
#define SQLITE_EXTENSION_H

#include <anomaly.h>
#include <sqlite3ext.h>
#include <stdbool.h>

SQLITE_EXTENSION_INIT3

/* ---- host.c: memory and values of SQLite ---- */

/** Memory of SQLite, so its limits (sqlite3_hard_heap_limit64) hold for detectors too. */
extern const anomaly_allocator host_allocator;

/** Reads a number; NULL is NaN, which means: missing. On false *why is a message that the caller frees, or NULL where
 *  memory ran out. */
bool host_number(sqlite3_value *value, double *x, char **why);

/** Reads seconds since 1970 into nanoseconds; NULL is ANOMALY_NO_TIME. On false as host_number(). */
bool host_time(sqlite3_value *value, int64_t *t_ns, char **why);

/** Says "anomaly: MESSAGE" as the error of a function, and frees the message; NULL: out of memory. */
void host_refuse(sqlite3_context *context, char *message);

/** What a call of the library refused, as a message that the caller frees; NULL: out of memory. */
char *host_message(int status, const anomaly_error *error);

/* ---- verdict.c ---- */

/** The columns of a verdict, in the order of the columns of anomaly_new. */
enum verdict_column {
    VERDICT_SCORE,
    VERDICT_LOWER,
    VERDICT_UPPER,
    VERDICT_EXPECTED,
    VERDICT_THRESHOLD,
    VERDICT_IS_ANOMALY,
    VERDICT_FLAGS,
    VERDICT_COLUMNS
};

/** Answers a verdict as one value of SQL, from which anomaly_score() and the like take their columns. */
void verdict_result(sqlite3_context *context, const anomaly_verdict *verdict);

/** Answers one column; what is not defined (NaN) is NULL. */
void verdict_column_result(sqlite3_context *context, const anomaly_verdict *verdict, enum verdict_column column);

/* ---- the parts, as SQLite gets to know them ---- */

int verdict_register(sqlite3 *db);
int window_register(sqlite3 *db);
int incremental_register(sqlite3 *db);

#endif
