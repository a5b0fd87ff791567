/* SPDX-License-Identifier: MIT
 * uptime.h - a clock that nobody sets, for what is due every so often.
 */
#ifndef CLI_UPTIME_H
#define CLI_UPTIME_H

/** Seconds since some moment in the past, the same one for the whole run. */
double cli_uptime(void);

#endif
