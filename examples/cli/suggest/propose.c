/* SPDX-License-Identifier: MIT
 * propose.c - anomaly suggest: what the library proposes for the rows of a run, as text or JSON.
 */
#include "suggest/propose.h"

#include "suggest/say_proposal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { KEYS_TOLD = 20 }; /* by themselves */

static bool tell_error(cli_session *session, const anomaly_error *error)
{
    cli_say(&session->terminal, "anomaly", 0, error->message, NULL);
    session->failed = true;
    return false;
}

static bool ask(cli_session *session, const anomaly_rows *rows, const anomaly_keys *keys, cli_proposal *p)
{
    anomaly_error error;
    anomaly_config_init(&p->config, sizeof p->config, ANOMALY_ZSCORE);
    p->config.features = session->config.features;
    p->said = (anomaly_suggestion){.struct_size = sizeof p->said};
    p->events = rows->count;
    return anomaly_suggest(rows, keys, NULL, &p->config, &p->said, &error) == ANOMALY_OK || tell_error(session, &error);
}

static bool same_options(const cli_proposal *a, const cli_proposal *b)
{
    cli_buffer one = {0}, other = {0};
    cli_method_add(&one, &a->config, a->said.whole != 0);
    cli_method_add(&other, &b->config, b->said.whole != 0);
    bool same = one.length == other.length && memcmp(one.data, other.data, one.length) == 0;
    cli_buffer_free(&one);
    cli_buffer_free(&other);
    return same;
}

/* Tells one key's; counts those that agree with what is proposed for all. */
static bool propose_key(cli_session *session, const cli_held *held, size_t key, cli_proposal *all, cli_buffer *out)
{
    cli_part part;
    cli_proposal p = {.key = held->keys.keys[key].key, .key_length = held->keys.keys[key].length, .held = held};
    cli_part_make(&part, held, key);
    p.part = &part;
    bool good = ask(session, &part.rows, NULL, &p);
    if (good) {
        all->told++;
        all->agree += same_options(&p, all);
        cli_add_proposal(out, session, &p);
    }
    cli_part_free(&part);
    return good;
}

static bool propose(cli_session *session, const cli_held *held, cli_buffer *out)
{
    anomaly_rows rows = cli_held_rows(held);
    anomaly_keys keys = {.slots = held->key_of};
    cli_proposal all = {.key = "", .held = held};
    if (!ask(session, &rows, held->keys.count > 1 ? &keys : NULL, &all))
        return false;
    bool each = held->keys.count > 1 && all.config.population == 0;
    cli_begin_proposals(out, session);
    for (size_t key = 0; each && key < held->keys.count && key < KEYS_TOLD; key++)
        if (!propose_key(session, held, key, &all, out))
            return false;
    all.untold = each && held->keys.count > KEYS_TOLD ? held->keys.count - KEYS_TOLD : 0;
    cli_end_proposals(out, session, &all);
    return true;
}

bool cli_propose(cli_session *session, const cli_held *held)
{
    cli_buffer out = {0};
    if (held->count == 0)
        cli_say(&session->terminal, "anomaly", 0, "suggest: there are no rows to look at", NULL);
    bool good = held->count > 0 && propose(session, held, &out);
    if (good && (fwrite(out.data, 1, out.length, stdout) != out.length || fflush(stdout) != 0)) {
        cli_say(&session->terminal, "standard output", 0, strerror(errno), NULL);
        good = false;
    }
    session->failed |= !good;
    cli_buffer_free(&out);
    return good;
}
