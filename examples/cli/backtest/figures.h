/* SPDX-License-Identifier: MIT
 * figures.h - anomaly backtest: what was found, and how soon, as text and as JSON.
 */
#ifndef CLI_FIGURES_H
#define CLI_FIGURES_H

#include "backtest/noted.h"

/** Appends the figures in the form of --output. Where an event has no time, all is counted in events of the key. */
void cli_add_figures(cli_buffer *out, cli_backtest *b, const cli_options *options);

#endif
