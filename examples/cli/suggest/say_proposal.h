/* SPDX-License-Identifier: MIT
 * say_proposal.h - a proposal as text, or as JSON.
 */
#ifndef CLI_SAY_PROPOSAL_H
#define CLI_SAY_PROPOSAL_H

#include "suggest/held.h"

/** What the library proposes for one key, or for all. */
typedef struct cli_proposal {
    const char *key;
    size_t key_length;
    const cli_held *held;
    const cli_part *part; /* NULL: all */
    anomaly_config config;
    anomaly_suggestion said;
    size_t events;
    size_t told, agree, untold; /* for all: keys told by themselves, those with the same proposal, those not told */
} cli_proposal;

void cli_begin_proposals(cli_buffer *out, const cli_session *session);

/** Appends what is proposed for a key. */
void cli_add_proposal(cli_buffer *out, const cli_session *session, const cli_proposal *p);

/** Appends what is proposed for all, with command line, Python and C. */
void cli_end_proposals(cli_buffer *out, const cli_session *session, const cli_proposal *all);

#endif
