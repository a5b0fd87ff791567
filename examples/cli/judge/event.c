/* SPDX-License-Identifier: MIT
 * event.c - what every event has: a key, and an end as a verdict or as a reject.
 */
#include "judge/event.h"

#include "read/rows.h"
#include "write/sentence.h"

#include <math.h>
#include <string.h>

enum { MANY = 100 }; /* events of a window that stays wide for long */

#define BLINDING 10.0 /* times as wide: then what was 30 standard deviations off is 3 */

/* With --each the column's name is added to the key, which is only a part then. */
static void name_key(cli_session *session, const cli_row *row, size_t index)
{
    session->key.length = 0;
    cli_buffer_add(&session->key, row->key, row->key_length);
    const char *name = row->value_names[index];
    if (row->key_length > 0) {
        cli_buffer_char(&session->key, '/');
        cli_rows_add_part(&session->key, name, strlen(name));
    } else {
        cli_buffer_text(&session->key, name);
    }
}

size_t cli_event_key(cli_session *session, const cli_row *row, size_t index, const char **key)
{
    if (!session->options->each) {
        *key = row->key;
        return row->key_length;
    }
    name_key(session, row, index);
    *key = session->key.data;
    return session->key.length;
}

static void count_flags(cli_counts *c, uint32_t flags)
{
    c->late += (flags & ANOMALY_LATE) != 0;
    c->jumped += (flags & ANOMALY_JUMPED) != 0;
    c->nonfinite += (flags & ANOMALY_NONFINITE) != 0;
    c->flat += (flags & ANOMALY_FLAT) != 0;
    c->truncated += (flags & ANOMALY_TRUNCATED) != 0;
    c->not_learned += (flags & ANOMALY_NOT_LEARNED) != 0;
    c->alarms += (flags & ANOMALY_ALARM) != 0;
    c->resting += (flags & (ANOMALY_HELD | ANOMALY_UNCONFIRMED | ANOMALY_SMALL_CHANGE)) == ANOMALY_HELD;
    c->unconfirmed += (flags & ANOMALY_UNCONFIRMED) != 0;
    c->small_change += (flags & ANOMALY_SMALL_CHANGE) != 0;
}

static void count(cli_counts *c, const anomaly_verdict *v)
{
    bool scored = !isnan(v->score) || (v->flags & ANOMALY_NONFINITE) != 0;
    c->events++;
    if ((v->flags & ANOMALY_WARMING_UP) != 0)
        c->warming_up++;
    else if (scored)
        c->judged++;
    else if ((v->flags & ANOMALY_MISSING) != 0)
        c->missing++;
    else if ((v->flags & ANOMALY_UNTRANSFORMED) != 0)
        c->untransformed++;
    else
        c->undefined++;
    c->anomalies += (v->flags & ANOMALY_IS_ANOMALY) != 0;
    if ((v->flags & ~(uint32_t)(ANOMALY_IS_ANOMALY | ANOMALY_ABOVE | ANOMALY_BELOW)) != 0)
        count_flags(c, v->flags);
}

/* A value that lies z standard deviations off makes the variance of n values about 1 + z * z / n times as large. */
static void note_blinding(cli_session *session, size_t file_index, const cli_record *record)
{
    const anomaly_config *c = &session->config;
    const anomaly_verdict *v = &record->verdict;
    double times = sqrt(1 + v->score * v->score / (double)v->events);
    if (c->kind != ANOMALY_ZSCORE || c->robust || c->learn != ANOMALY_LEARN_ALWAYS || session->whole_rows ||
        session->blinding.line > 0 || v->events < MANY || !isfinite(times) || times < BLINDING)
        return;
    session->blinding = (cli_blinding){file_index, record->line, times};
}

static void explain(cli_session *session, cli_record *record)
{
    session->sentence.length = 0;
    cli_add_sentence(&session->sentence, &session->config, record);
    record->explanation = session->sentence.data;
    record->explanation_length = session->sentence.length;
}

bool cli_event_verdict(cli_session *session, size_t file_index, cli_record *record)
{
    const anomaly_verdict *v = &record->verdict;
    bool told = (v->flags & session->told) != 0, paged = session->options->html != NULL;
    bool printed = (v->flags & session->printed) != 0 || session->options->all;
    bool explained = session->writer.list.explained || paged;
    count(&session->counts[file_index], v);
    if ((v->flags & ANOMALY_IS_ANOMALY) != 0)
        note_blinding(session, file_index, record);
    record->episode = explained ? cli_episodes_note(&session->episodes, record) : NULL;
    record->explanation = "";
    record->explanation_length = 0;
    if (session->watcher != NULL)
        session->watcher(session->watcher_context, session->options, record, told);
    if (told)
        cli_found_note(&session->found, &session->config, record);
    else if ((v->flags & ANOMALY_HELD) != 0)
        cli_found_hold(&session->found, &session->config, record);
    if (explained && (told || printed))
        explain(session, record);
    if (paged || session->options->sparkline)
        cli_charts_add(&session->charts, record, told);
    if (!printed || session->watcher != NULL)
        return true;
    if (session->terminal.progress)
        cli_terminal_clear(&session->terminal);
    return cli_writer_add(&session->writer, record);
}

void cli_event_reject(cli_session *session, uint64_t line, enum cli_reason reason, const char *detail)
{
    cli_counts *c = &session->counts[session->file_index];
    c->rejected++;
    c->reasons[reason]++;
    cli_rejects_tell(&session->rejects, &session->terminal, session->file, line, reason, detail);
}

void cli_row_reject(cli_session *session, uint64_t line, enum cli_reason reason, const char *detail)
{
    session->counts[session->file_index].rows++;
    cli_event_reject(session, line, reason, detail);
}
