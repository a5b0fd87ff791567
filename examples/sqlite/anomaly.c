/* SPDX-License-Identifier: MIT
 * anomaly.c - the extension as SQLite loads it: `.load ./anomaly`, sqlite3_load_extension(), or linked in.
 */
#include "extension.h"

SQLITE_EXTENSION_INIT1

ANOMALY_API int sqlite3_anomaly_init(sqlite3 *db, char **error, const sqlite3_api_routines *api);

int sqlite3_anomaly_init(sqlite3 *db, char **error, const sqlite3_api_routines *api)
{
    int rc;
    SQLITE_EXTENSION_INIT2(api)
    if (sqlite3_libversion_number() < 3031000) {
        *error = sqlite3_mprintf("anomaly needs SQLite 3.31 or newer, not %s", sqlite3_libversion());
        return SQLITE_ERROR;
    }
    rc = verdict_register(db);
    rc = rc != SQLITE_OK ? rc : window_register(db);
    return rc != SQLITE_OK ? rc : incremental_register(db);
}
