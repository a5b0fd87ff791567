/* SPDX-License-Identifier: MIT
 * propose.h - anomaly suggest: what the library proposes for the rows of a run, as text or JSON.
 */
#ifndef CLI_PROPOSE_H
#define CLI_PROPOSE_H

#include "suggest/held.h"

/** Writes the proposals to standard output: for each key, and for all. False after an error was told. */
bool cli_propose(cli_session *session, const cli_held *held);

#endif
