/* SPDX-License-Identifier: MIT */
/* Which code path this processor offers. */
#ifndef AN_BASE_SIMD_H
#define AN_BASE_SIMD_H

/* The path for a configuration's `simd`: one of enum anomaly_simd, never AUTO; -1 where this processor does not have
 * it. */
int an_simd_path(int simd);

#endif
