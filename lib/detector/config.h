/* SPDX-License-Identifier: MIT */
/* A configuration as the library sees it: complete and checked. */
#ifndef AN_DETECTOR_CONFIG_H
#define AN_DETECTOR_CONFIG_H

#include "anomaly.h"

/* Makes a complete copy of the caller's configuration and validates it. ANOMALY_OK may carry a warning. */
int an_config_check(const anomaly_config *config, anomaly_config *own, anomaly_error *error);

uint64_t an_config_bound(const anomaly_config *config); /* most events in the window */

/* Can it be set in place of the configured one? */
int an_is_threshold(const anomaly_config *config, double threshold);

/* Sets a threshold that follows nothing: neither the last scores nor a budget of alarms. */
void an_config_fix_threshold(anomaly_config *config, double threshold);

#endif
