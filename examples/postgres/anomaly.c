/* SPDX-License-Identifier: MIT
 * anomaly.c - anomaly() OVER (...) and anomaly_step() in PostgreSQL.
 *
 * Memory is that of a context, asked for so that the library sees NULL where there is none: no jump leaves the
 * library. Errors are raised here, after the call; then PostgreSQL frees the context, and what a detector held.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "common/sql.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"
#include "windowapi.h"

#include <math.h>

PG_MODULE_MAGIC;

static void *take(void *ctx, size_t bytes)
{
    if (bytes >= MaxAllocHugeSize - SQL_ALIGNMENT)
        return NULL;
    return sql_align(MemoryContextAllocExtended(ctx, bytes + SQL_ALIGNMENT, MCXT_ALLOC_HUGE | MCXT_ALLOC_NO_OOM));
}

static void give_back(void *ctx, void *memory, size_t bytes)
{
    (void)ctx;
    (void)bytes;
    pfree(sql_unalign(memory));
}

static void must(int status, const anomaly_error *error)
{
    if (status == ANOMALY_OK)
        return;
    if (status == ANOMALY_E_NOMEM)
        ereport(ERROR, errcode(ERRCODE_OUT_OF_MEMORY), errmsg("anomaly: out of memory"));
    ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
            errmsg("anomaly: %s", error && error->message[0] ? error->message : anomaly_status_text(status)));
}

static anomaly_config configure(const text *options)
{
    anomaly_config config;
    anomaly_error error = {0};
    must(sql_configure(options ? VARDATA_ANY(options) : "", options ? VARSIZE_ANY_EXHDR(options) : 0, &config, &error),
         &error);
    return config;
}

static anomaly_detector *create(const anomaly_config *config, MemoryContext context)
{
    anomaly_allocator allocator = {take, give_back, context};
    anomaly_error error = {0};
    anomaly_detector *detector = NULL;
    must(anomaly_create(config, &allocator, &detector, &error), &error);
    return detector;
}

static const int64 epoch_us = (int64)(POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY;

static int64_t time_of(TimestampTz at)
{
    if (at > INT64_MAX / 1000 - epoch_us || at < INT64_MIN / 1000)
        ereport(ERROR, errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
                errmsg("anomaly: a time lies between 1708 and 2262, not at %s", timestamptz_to_str(at)));
    return (at + epoch_us) * 1000;
}

static anomaly_verdict judge(anomaly_detector *detector, const anomaly_config *config, double x, int64_t t)
{
    anomaly_verdict verdict;
    if (t == ANOMALY_NO_TIME && anomaly_needs_times(config))
        ereport(ERROR, errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("anomaly: these options need a time for each row"));
    must(anomaly_update(detector, &x, t, &verdict), NULL);
    return verdict;
}

/** The row of the type anomaly_verdict; what is not defined (NaN) is NULL. */
static HeapTuple row_of(const anomaly_verdict *v, TupleDesc type)
{
    const double numbers[] = {v->score, v->lower, v->upper, v->expected, v->threshold};
    char words[SQL_WORDS_SIZE];
    Datum values[7];
    bool nulls[7] = {false};
    for (int i = 0; i < 5; i++) {
        values[i] = Float8GetDatum(numbers[i]);
        nulls[i] = isnan(numbers[i]);
    }
    values[5] = BoolGetDatum((v->flags & ANOMALY_IS_ANOMALY) != 0);
    values[6] = PointerGetDatum(cstring_to_text_with_len(words, (int)sql_words(v->flags, words)));
    return heap_form_tuple(type, values, nulls);
}

/** What the function returns, looked up once a query. */
static TupleDesc result_type(FunctionCallInfo fcinfo)
{
    TupleDesc *known = (TupleDesc *)&fcinfo->flinfo->fn_extra;
    if (!*known) {
        MemoryContext old = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
        TupleDesc type;
        if (get_call_result_type(fcinfo, NULL, &type) != TYPEFUNC_COMPOSITE)
            elog(ERROR, "anomaly: the result is no row");
        *known = BlessTupleDesc(CreateTupleDescCopy(type));
        MemoryContextSwitchTo(old);
    }
    return *known;
}

/* ---- anomaly(value, at, options) OVER (...) ---- */

typedef struct partition {
    anomaly_detector *detector; /* in the memory of the partition, which ends with it */
    anomaly_config config;
    text *options;
} partition;

static text *text_argument(WindowObject window, int number)
{
    bool null;
    Datum value = WinGetFuncArgCurrent(window, number, &null);
    return null ? NULL : DatumGetTextPP(value);
}

static void open_partition(partition *p, text *options)
{
    MemoryContext context = GetMemoryChunkContext(p);
    Size size = options ? VARSIZE_ANY(options) : 0;
    p->config = configure(options);
    p->options = size ? memcpy(MemoryContextAlloc(context, size), options, size) : NULL;
    p->detector = create(&p->config, context);
}

static bool same_text(const text *a, const text *b)
{
    Size size = a ? VARSIZE_ANY_EXHDR(a) : 0;
    return size == (b ? VARSIZE_ANY_EXHDR(b) : 0) && (size == 0 || memcmp(VARDATA_ANY(a), VARDATA_ANY(b), size) == 0);
}

PG_FUNCTION_INFO_V1(anomaly_window);
Datum anomaly_window(PG_FUNCTION_ARGS)
{
    WindowObject window = PG_WINDOW_OBJECT();
    partition *p = WinGetPartitionLocalMemory(window, sizeof *p);
    bool null, timeless;
    Datum value = WinGetFuncArgCurrent(window, 0, &null);
    Datum at = WinGetFuncArgCurrent(window, 1, &timeless);
    text *options = text_argument(window, 2);
    if (!p->detector)
        open_partition(p, options);
    else if (!same_text(options, p->options))
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("anomaly: options are the same for all rows of a partition"));
    anomaly_verdict v = judge(p->detector, &p->config, null ? (double)NAN : DatumGetFloat8(value),
                              timeless ? ANOMALY_NO_TIME : time_of(DatumGetTimestampTz(at)));
    WinSetMarkPosition(window, WinGetCurrentPosition(window)); /* rows before this one are not asked for again */
    PG_RETURN_DATUM(HeapTupleGetDatum(row_of(&v, result_type(fcinfo))));
}

/* ---- anomaly_step(state, value, at, options): one event of a detector that is kept in a table ---- */

static anomaly_detector *restore(const bytea *state, MemoryContext context)
{
    anomaly_allocator allocator = {take, give_back, context};
    anomaly_error error = {0};
    anomaly_detector *detector = NULL;
    int status = anomaly_restore(VARDATA_ANY(state), VARSIZE_ANY_EXHDR(state), &allocator, &detector, &error);
    if (status == ANOMALY_E_CORRUPT || status == ANOMALY_E_VERSION)
        ereport(ERROR, errcode(ERRCODE_DATA_CORRUPTED),
                errmsg("anomaly: the state cannot be used: %s", anomaly_status_text(status)));
    must(status, &error);
    return detector;
}

/** A state goes on with the options that it was begun with. */
static void must_be_same(const anomaly_config *wanted, const anomaly_detector *detector)
{
    const anomaly_option *option;
    anomaly_config config;
    char a[64], b[64];
    must(anomaly_get_config(detector, &config, sizeof config), NULL);
    config.simd = wanted->simd; /* changes no verdict */
    if (memcmp(&config, wanted, sizeof config) == 0)
        return;
    for (size_t i = 0; (option = anomaly_option_at(i)) != NULL; i++)
        if (config.kind != wanted->kind || anomaly_config_get(wanted, option->name, a, sizeof a) != ANOMALY_OK ||
            anomaly_config_get(&config, option->name, b, sizeof b) != ANOMALY_OK || strcmp(a, b) != 0)
            ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("anomaly: the state was begun with other options: %s", option->name));
}

static bytea *state_of(const anomaly_detector *detector)
{
    size_t size = 0;
    must(anomaly_snapshot_size(detector, &size), NULL);
    if (size > MaxAllocSize - VARHDRSZ)
        ereport(ERROR, errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("anomaly: a state of more than 1 GB"));
    bytea *state = palloc(size + VARHDRSZ);
    must(anomaly_snapshot(detector, VARDATA(state), size, &size), NULL);
    SET_VARSIZE(state, size + VARHDRSZ);
    return state;
}

PG_FUNCTION_INFO_V1(anomaly_step);
Datum anomaly_step(PG_FUNCTION_ARGS)
{
    anomaly_config config = configure(PG_ARGISNULL(3) ? NULL : PG_GETARG_TEXT_PP(3));
    TupleDesc type = result_type(fcinfo), verdict_type;
    anomaly_detector *detector =
        PG_ARGISNULL(0) ? create(&config, CurrentMemoryContext) : restore(PG_GETARG_BYTEA_PP(0), CurrentMemoryContext);
    if (!PG_ARGISNULL(0))
        must_be_same(&config, detector);
    anomaly_verdict v = judge(detector, &config, PG_ARGISNULL(1) ? (double)NAN : PG_GETARG_FLOAT8(1),
                              PG_ARGISNULL(2) ? ANOMALY_NO_TIME : time_of(PG_GETARG_TIMESTAMPTZ(2)));
    verdict_type = lookup_rowtype_tupdesc(TupleDescAttr(type, 1)->atttypid, -1);
    Datum values[] = {PointerGetDatum(state_of(detector)), HeapTupleGetDatum(row_of(&v, verdict_type))};
    bool nulls[] = {false, false};
    ReleaseTupleDesc(verdict_type);
    anomaly_destroy(detector);
    PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(type, values, nulls)));
}
