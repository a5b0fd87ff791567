/* SPDX-License-Identifier: MIT
 * out_file.h - the file of --out: opened so that nothing that somebody has is lost.
 */
#ifndef CLI_OUT_FILE_H
#define CLI_OUT_FILE_H

#include "judge/session.h"
#include "state/state.h"

/** What opening it looks at. All are borrowed. */
typedef struct cli_out_file {
    cli_session *session;
    const cli_state *state;
    const char *beside; /* what a save writes to before it takes the state's name, NULL: there is no state */
} cli_out_file;

/** Opens --out, if it is given, for the session's writer: emptied, or with --resume cut back to what was saved. False
 *  after a message. */
bool cli_out_file_open(const cli_out_file *file);

#endif
