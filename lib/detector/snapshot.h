/* SPDX-License-Identifier: MIT */
/* A detector as bytes: docs/snapshot-format.md. What can be made anew from the window's values is not stored. */
#ifndef AN_DETECTOR_SNAPSHOT_H
#define AN_DETECTOR_SNAPSHOT_H

#include "base/bytes.h"
#include "detector/detector.h"

void an_config_save(const anomaly_config *config, an_writer *writer);

/* A validated configuration. ANOMALY_E_CORRUPT, E_VERSION. */
int an_config_load(anomaly_config *config, an_reader *reader, anomaly_error *error);

void an_counts_save(const anomaly_counts *counts, an_writer *writer);
void an_counts_load(anomaly_counts *counts, an_reader *reader);

/* Everything but the configuration; but where the threshold is not that of `shared`, it too. */
void an_state_save(const anomaly_detector *detector, const anomaly_config *shared, an_writer *writer);

/* What an_state_save() wrote, which must end where the reader does, into a detector that has just been made: of no use
 * if that fails. Takes memory in proportion to the bytes read, whatever `reserve` says. ANOMALY_E_CORRUPT, E_NOMEM. */
int an_state_load(anomaly_detector *fresh, an_reader *reader);

/* Are there as many bytes as the state of such a detector has at least? Its features and slots of time cost memory. */
int an_state_can_be(const anomaly_config *config, const an_reader *state);

/* A whole snapshot of a detector: its configuration into *config, *state at its state. */
int an_detector_open(const void *bytes, size_t size, anomaly_config *config, an_reader *state, anomaly_error *error);

/* A sink that fills a buffer. */
typedef struct an_buffer {
    unsigned char *bytes;
    size_t size, used;
} an_buffer;
int an_buffer_sink(void *ctx, const void *bytes, size_t size);

#endif
