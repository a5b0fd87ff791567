/* SPDX-License-Identifier: MIT */
/* A refusal in words. */
#ifndef AN_DETECTOR_STATUS_H
#define AN_DETECTOR_STATUS_H

#include "anomaly.h"

/* Fills *error (NULL: not wanted) and returns status. */
#if defined(__GNUC__)
__attribute__((format(printf, 4, 5)))
#endif
int an_error(anomaly_error *error, int status, const char *field, const char *format, ...);

#endif
