/* SPDX-License-Identifier: MIT
 * detect.h - which format an input has.
 */
#ifndef CLI_DETECT_H
#define CLI_DETECT_H

#include "options/options.h"
#include "read/layout.h"
#include "read/source.h"

/** Finds the format, where its rows begin, and what is between their fields: from the options, the name's ending, the
 *  first lines. */
cli_layout cli_detect(cli_source *source, const cli_options *options);

#endif
