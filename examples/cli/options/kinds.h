/* SPDX-License-Identifier: MIT
 * kinds.h - the library's table of kinds of detectors, by number.
 */
#ifndef CLI_KINDS_H
#define CLI_KINDS_H

#include "anomaly.h"

#include <stdbool.h>

/** Finds the row of a kind, which must exist. */
const anomaly_kind_info *cli_kind(int kind);

/** Tells whether detectors of a kind offer `what`, one of enum anomaly_offer. */
bool cli_kind_offers(int kind, enum anomaly_offer what);

/** Tells whether an option of the detector leaves open which detector it is for: it says how many alarms there may be,
 *  not how they are found. */
bool cli_leaves_kind_open(const char *name);

#endif
