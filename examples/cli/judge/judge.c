/* SPDX-License-Identifier: MIT
 * judge.c - from a row to its verdict.
 */
#include "judge/judge.h"

#include "judge/event.h"
#include "judge/whole.h"

/* False if the row cannot be judged like those before: it is rejected then. */
static bool has_needed_time(cli_session *session, const cli_row *row)
{
    if (!session->needs_time || row->time != ANOMALY_NO_TIME)
        return true;
    bool by_window = session->config.window_ns > 0;
    cli_row_reject(session, row->line, by_window ? CLI_NO_TIME : CLI_NO_OPTION_TIME, NULL);
    return false;
}

/* No room for one key's window is no reason to leave the others alone. */
static bool refuse_event(cli_session *session, const cli_row *row, int status)
{
    if (status == ANOMALY_E_FULL) {
        cli_event_reject(session, row->line, CLI_NO_ROOM, NULL);
        return true;
    }
    cli_say(&session->terminal, session->file, row->line, anomaly_status_text(status), NULL);
    session->failed = true;
    return false;
}

static bool judge_event(cli_session *session, const cli_row *row, size_t index)
{
    cli_record r;
    r.key_length = cli_event_key(session, row, index, &r.key);
    /* the values' number is bounded by the first file's: with --each another one may have more */
    size_t place = index < session->keys.place_count ? index : 0;
    const double *x = row->values + index;
    int status = cli_keys_update(&session->keys, place, r.key, r.key_length, x, row->time, &r.verdict);
    if (status != ANOMALY_OK)
        return refuse_event(session, row, status);
    if (row->time != ANOMALY_NO_TIME)
        cli_order_note(&session->order, session->file_index, row->line, row->time, (r.verdict.flags & ANOMALY_LATE) != 0);
    size_t worst = session->options->each ? index : r.verdict.feature;
    r.file = session->file;
    r.line = row->line;
    r.row = session->counts[session->file_index].rows;
    r.labelled = row->labelled;
    r.time = row->time;
    r.feature = row->value_names[worst];
    r.value = row->values[worst];
    r.rest = row->rest;
    r.rest_length = row->rest_length;
    return cli_event_verdict(session, session->file_index, &r);
}

bool cli_judge_row(cli_session *session, const cli_row *row)
{
    if (session->failed)
        return false;
    if (!has_needed_time(session, row))
        return true;
    session->counts[session->file_index].rows++;
    if (session->whole_rows)
        return cli_whole_row(session, row);
    if (!session->options->each)
        return judge_event(session, row, 0);
    for (size_t i = 0; i < row->value_count; i++)
        if (row->present[i] && !judge_event(session, row, i))
            return false;
    return true;
}
