/* SPDX-License-Identifier: MIT
 * backtest.c - anomaly backtest: the alarms of a run beside the incidents that people know of.
 */
#include "backtest/backtest.h"

#include "backtest/figures.h"
#include "options/labels.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static bool complain(cli_session *session, const char *text, const char *detail)
{
    cli_say(&session->terminal, "anomaly", 0, text, detail);
    return false;
}

/* A key with a typing error would make an incident that nothing can find. */
static bool check_keys(cli_backtest *b, cli_session *session)
{
    bool good = true;
    for (size_t i = 0; i < b->incidents.count; i++) {
        const cli_incident *incident = &b->incidents.items[i];
        if (incident->key == NULL || cli_key_index_get(&b->keys, incident->key, incident->key_length, 0) != SIZE_MAX)
            continue;
        cli_buffer shown = {0};
        cli_add_printable(&shown, incident->key, incident->key_length);
        cli_buffer_char(&shown, '\0');
        cli_say(&session->terminal, session->options->labels, incident->line, "no event has this key", shown.data);
        cli_buffer_free(&shown);
        good = false;
    }
    return good;
}

/* What is not said in events can be compared with no event. */
static bool check_untimed(const cli_backtest *b, cli_session *session)
{
    const cli_options *o = session->options;
    char text[160];
    if (cli_labels_column(o) == NULL)
        return complain(session,
                        "backtest: there are events without a time, and the incidents are times: name the column "
                        "with --time",
                        NULL);
    if (o->grace_ns > 0)
        return complain(session, "backtest: there are events without a time: --grace must be a number of events, as 5",
                        NULL);
    snprintf(text, sizeof text, "backtest: %" PRIu64 " of %" PRIu64 " events have no time: all is counted in events",
             b->untimed, b->events);
    if (b->untimed < b->events && !o->quiet)
        complain(session, text, NULL);
    return true;
}

/* Figures of the other rows alone would be wrong. */
static bool check_labels(cli_session *session)
{
    uint64_t unread = 0;
    char text[100];
    for (size_t i = 0; i < cli_session_files(session); i++)
        unread += session->counts[i].reasons[CLI_BAD_LABEL];
    snprintf(text, sizeof text, "backtest: no figures, since %" PRIu64 " row%s no label that can be read", unread,
             unread == 1 ? " has" : "s have");
    return unread == 0 || complain(session, text, NULL);
}

static bool check(cli_backtest *b, cli_session *session)
{
    if (!check_labels(session))
        return false;
    if (b->events == 0)
        return complain(session, "backtest: there are no events", NULL);
    if (b->incidents.count == 0)
        return complain(session, "backtest: no row is labelled, so there is no incident to be found: --labels",
                        session->options->labels);
    if (b->untimed > 0 && !check_untimed(b, session))
        return false;
    if (b->untimed == 0 && session->options->grace_events > 0)
        return complain(session, "backtest: the events have times: --grace must be a time, as 90s", NULL);
    return cli_labels_column(session->options) != NULL || check_keys(b, session);
}

bool cli_backtest_say(cli_backtest *b, cli_session *session)
{
    cli_buffer out = {0};
    bool good = check(b, session);
    if (good) {
        cli_add_figures(&out, b, session->options);
        if (fwrite(out.data, 1, out.length, stdout) != out.length || fflush(stdout) != 0)
            good = complain(session, strerror(errno), "standard output");
    }
    session->failed |= !good;
    cli_buffer_free(&out);
    return good;
}
