/* SPDX-License-Identifier: MIT */
#include "base/simd.h"

#include "anomaly.h"

#if defined(__x86_64__) && defined(__GNUC__)
static int best_path(void)
{
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
        return ANOMALY_SIMD_AVX512;
    return __builtin_cpu_supports("avx2") ? ANOMALY_SIMD_AVX2 : ANOMALY_SIMD_PORTABLE;
}
#elif defined(__GNUC__)
static int best_path(void)
{
    return ANOMALY_SIMD_PORTABLE;
}
#else
static int best_path(void)
{
    return ANOMALY_SIMD_SCALAR;
}
#endif

int an_simd_path(int simd)
{
    int best = best_path();
    if (simd == ANOMALY_SIMD_AUTO)
        return best;
    return simd <= best ? simd : -1;
}
