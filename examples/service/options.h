/* SPDX-License-Identifier: MIT
 * options.h - the command line.
 */
#ifndef SERVICE_OPTIONS_H
#define SERVICE_OPTIONS_H

#include "anomaly.h"

#include <stdbool.h>
#include <stdint.h>

/** What bounds the service; the table in options.c has names, bounds, defaults and help. */
typedef struct limits {
    uint64_t connections;
    uint64_t line_bytes;
    uint64_t backlog_bytes;
    uint64_t sources;
    uint64_t keys;
    uint64_t memory_bytes;
    uint64_t idle_ms;
    uint64_t stall_ms;
    uint64_t save_ms;
    uint64_t drain_ms;
} limits;

typedef struct options {
    const char *listen;    /* address:port, NULL = none */
    const char *unix_path; /* NULL = none */
    const char *metrics;   /* address:port, NULL = none */
    const char *state;     /* NULL = nothing is kept */
    const char *detector;
    anomaly_config config;
    limits limits;
} options;

enum options_result { OPTIONS_RUN, OPTIONS_DONE, OPTIONS_WRONG };

/** DONE after --help and --version, WRONG after having said what is. */
enum options_result options_read(options *o, int argc, char **argv);

void options_print_help(void);

#endif
