/* SPDX-License-Identifier: MIT
 * verdict.c - a verdict as a value of SQL, and the functions that take its columns: anomaly_score(), is_anomaly(), ...
 *
 * The value is a blob of this machine's bytes, which costs a copy and keeps every bit; the tag tells it from others.
 */
#include "common/sql.h"
#include "extension.h"

#include <string.h>

typedef struct sealed {
    uint32_t tag, size;
    anomaly_verdict verdict;
} sealed;

static const uint32_t sealed_tag = 0x4e4c5601;

void verdict_result(sqlite3_context *context, const anomaly_verdict *verdict)
{
    sealed s = {sealed_tag, sizeof s, *verdict};
    sqlite3_result_blob(context, &s, sizeof s, SQLITE_TRANSIENT);
}

static void result_flags(sqlite3_context *context, uint32_t flags)
{
    char words[SQL_WORDS_SIZE];
    sqlite3_result_text(context, words, (int)sql_words(flags, words), SQLITE_TRANSIENT);
}

void verdict_column_result(sqlite3_context *context, const anomaly_verdict *v, enum verdict_column column)
{
    switch (column) {
    case VERDICT_SCORE: sqlite3_result_double(context, v->score); break;
    case VERDICT_LOWER: sqlite3_result_double(context, v->lower); break;
    case VERDICT_UPPER: sqlite3_result_double(context, v->upper); break;
    case VERDICT_EXPECTED: sqlite3_result_double(context, v->expected); break;
    case VERDICT_THRESHOLD: sqlite3_result_double(context, v->threshold); break;
    case VERDICT_IS_ANOMALY: sqlite3_result_int(context, (v->flags & ANOMALY_IS_ANOMALY) != 0); break;
    case VERDICT_FLAGS: result_flags(context, v->flags); break;
    case VERDICT_COLUMNS: break;
    }
}

static const struct named {
    const char *name;
    enum verdict_column column;
} columns[] = {
    {"anomaly_score", VERDICT_SCORE},       {"anomaly_lower", VERDICT_LOWER},         {"anomaly_upper", VERDICT_UPPER},
    {"anomaly_expected", VERDICT_EXPECTED}, {"anomaly_threshold", VERDICT_THRESHOLD}, {"is_anomaly", VERDICT_IS_ANOMALY},
    {"anomaly_flags", VERDICT_FLAGS},
};

static void take_column(sqlite3_context *context, int count, sqlite3_value **values)
{
    const struct named *wanted = sqlite3_user_data(context);
    sealed s;
    (void)count;
    if (sqlite3_value_type(values[0]) == SQLITE_NULL)
        return;
    const void *bytes = sqlite3_value_blob(values[0]);
    if (sqlite3_value_type(values[0]) == SQLITE_BLOB && bytes && sqlite3_value_bytes(values[0]) == sizeof s) {
        memcpy(&s, bytes, sizeof s);
        if (s.tag == sealed_tag && s.size == sizeof s) {
            verdict_column_result(context, &s.verdict, wanted->column);
            return;
        }
    }
    host_refuse(context, sqlite3_mprintf("%s() takes what anomaly() OVER (...) gave, nothing else", wanted->name));
}

int verdict_register(sqlite3 *db)
{
    int rc = SQLITE_OK;
    for (size_t i = 0; rc == SQLITE_OK && i < sizeof columns / sizeof *columns; i++)
        rc = sqlite3_create_function_v2(db, columns[i].name, 1, SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS,
                                        (void *)&columns[i], take_column, NULL, NULL, NULL);
    return rc;
}
