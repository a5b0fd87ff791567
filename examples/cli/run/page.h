/* SPDX-License-Identifier: MIT
 * page.h - --html: the page that a run leaves behind.
 */
#ifndef CLI_PAGE_H
#define CLI_PAGE_H

#include "run/app.h"

/** Takes the page's name. False after a message: the exit status is CLI_EXIT_USAGE. */
bool cli_page_open(cli_app *app);
void cli_page_close(cli_app *app);

/** Notes what was understood of the file being read. */
void cli_page_understood(cli_app *app);

/** Writes the page, in place of the one before or not at all; with --follow every now and then. */
void cli_page_write(cli_app *app);
void cli_page_tick(cli_app *app);

#endif
