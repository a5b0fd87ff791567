/* SPDX-License-Identifier: MIT
 * incremental.h - a table whose rows are the new rows of another table with their verdicts: what its files share.
 */
#ifndef SQLITE_INCREMENTAL_H
#define SQLITE_INCREMENTAL_H

#include "extension.h"

/** A table of the module anomaly_new: which columns of which table, judged how. */
typedef struct incremental {
    sqlite3_vtab base; /* first: SQLite's part */
    sqlite3 *db;
    char *schema, *name;
    char *table, *id, *key, *time, *value, *options; /* names of columns; NULL: not given */
    anomaly_config config;
} incremental;

/** One pass over the new rows. */
typedef struct pass {
    sqlite3_vtab_cursor base;
    sqlite3_stmt *rows;  /* id, key, time, value; NULL: the pass is at its end */
    sqlite3_stmt *saved; /* the detector of a key; NULL: none has been looked for */
    anomaly_pool *pool;  /* the detectors of the keys that have new rows */
    anomaly_verdict verdict;
    char *key; /* of the present row, as bytes */
    int key_size, key_room;
    sqlite3_int64 id;
    bool any; /* rows have been judged: there is state to save */
} pass;

/* ---- incremental_state.c: what is kept from run to run, in two tables of the database ---- */

int state_create(incremental *t);
int state_drop(incremental *t);
int state_rename(incremental *t, const char *name);

/** Finds the id of the last row that was judged. `found` false: none was. */
int state_last(incremental *t, bool *found, sqlite3_int64 *id);

/** Gives the pool the detector of the row's key, where one was saved. */
int state_load(incremental *t, pass *p);

/** Saves the detectors of the pass and the id of its last row: all, or with an error nothing. */
int state_save(incremental *t, pass *p);

/* ---- incremental.c ---- */

/** Sets the error of the table to "NAME: MESSAGE" and frees the message; NULL: out of memory. Answers the code. */
int incremental_refuse(incremental *t, char *message);

/** Prepares a statement, whose two %w (as sqlite3_mprintf() has it) are schema and name of the table. */
int incremental_prepare(incremental *t, sqlite3_stmt **statement, const char *format);

#endif
