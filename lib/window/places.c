/* SPDX-License-Identifier: MIT */
#include "window/places.h"

#include "anomaly.h"

#include <math.h>

static void put_by_loop(double *values, size_t width, double x)
{
    double least = values[0] < x ? values[0] : x;
    for (size_t i = width - 1; i > 0; i--) {
        double risen = values[i - 1] > x ? values[i - 1] : x;
        values[i] = risen < values[i] ? risen : values[i];
    }
    values[0] = least;
}

static void take_by_loop(double *values, size_t width, double x)
{
    for (size_t i = 0; i + 1 < width; i++)
        values[i] = values[i] < x ? values[i] : values[i + 1];
    values[width - 1] = (double)INFINITY;
}

static const an_places scalar_places = {put_by_loop, take_by_loop};

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>

/* Loops over a bucket in steps, a group unrolled at a time. */
#define FROM_START(i, width, step)                                       \
    for (size_t group_ = 0; group_ < (width); group_ += AN_PLACES_GROUP) \
        for (size_t i = group_; i < group_ + AN_PLACES_GROUP; i += (step))
#define FROM_END(i, width, step)                                         \
    for (size_t group_ = (width); group_ > 0; group_ -= AN_PLACES_GROUP) \
        for (size_t i = group_; i > group_ - AN_PLACES_GROUP; i -= (step))

static void put_sse2(double *values, size_t width, double x)
{
    double least = values[0] < x ? values[0] : x;
    __m128d both = _mm_set1_pd(x);
    FROM_END(i, width, 2)
    {
        __m128d here = _mm_loadu_pd(values + i - 2), before = _mm_loadu_pd(values + i - 3);
        _mm_storeu_pd(values + i - 2, _mm_min_pd(_mm_max_pd(before, both), here));
    }
    values[0] = least;
}

static void take_sse2(double *values, size_t width, double x)
{
    __m128d both = _mm_set1_pd(x);
    FROM_START(i, width, 2)
    {
        __m128d here = _mm_loadu_pd(values + i), behind = _mm_loadu_pd(values + i + 1), stays = _mm_cmplt_pd(here, both);
        _mm_storeu_pd(values + i, _mm_or_pd(_mm_and_pd(stays, here), _mm_andnot_pd(stays, behind)));
    }
    values[width - 1] = (double)INFINITY;
}

__attribute__((target("avx2"))) static void put_avx2(double *values, size_t width, double x)
{
    double least = values[0] < x ? values[0] : x;
    __m256d all = _mm256_set1_pd(x);
    FROM_END(i, width, 4)
    {
        __m256d here = _mm256_loadu_pd(values + i - 4), before = _mm256_loadu_pd(values + i - 5);
        _mm256_storeu_pd(values + i - 4, _mm256_min_pd(_mm256_max_pd(before, all), here));
    }
    values[0] = least;
}

__attribute__((target("avx2"))) static void take_avx2(double *values, size_t width, double x)
{
    __m256d all = _mm256_set1_pd(x);
    FROM_START(i, width, 4)
    {
        __m256d here = _mm256_loadu_pd(values + i), behind = _mm256_loadu_pd(values + i + 1);
        _mm256_storeu_pd(values + i, _mm256_blendv_pd(behind, here, _mm256_cmp_pd(here, all, _CMP_LT_OQ)));
    }
    values[width - 1] = (double)INFINITY;
}

__attribute__((target("avx512f"))) static void put_avx512(double *values, size_t width, double x)
{
    double least = values[0] < x ? values[0] : x;
    __m512d all = _mm512_set1_pd(x);
    FROM_END(i, width, 8)
    {
        __m512d here = _mm512_loadu_pd(values + i - 8), before = _mm512_loadu_pd(values + i - 9);
        _mm512_storeu_pd(values + i - 8, _mm512_min_pd(_mm512_max_pd(before, all), here));
    }
    values[0] = least;
}

__attribute__((target("avx512f"))) static void take_avx512(double *values, size_t width, double x)
{
    __m512d all = _mm512_set1_pd(x);
    FROM_START(i, width, 8)
    {
        __m512d here = _mm512_loadu_pd(values + i), behind = _mm512_loadu_pd(values + i + 1);
        _mm512_storeu_pd(values + i, _mm512_mask_blend_pd(_mm512_cmp_pd_mask(here, all, _CMP_LT_OQ), behind, here));
    }
    values[width - 1] = (double)INFINITY;
}

static const an_places sse2_places = {put_sse2, take_sse2}, avx2_places = {put_avx2, take_avx2},
                       avx512_places = {put_avx512, take_avx512};

const an_places *an_places_for(int simd)
{
    switch (simd) {
    case ANOMALY_SIMD_AVX512: return &avx512_places;
    case ANOMALY_SIMD_AVX2: return &avx2_places;
    case ANOMALY_SIMD_PORTABLE: return &sse2_places;
    default: return &scalar_places;
    }
}
#else
const an_places *an_places_for(int simd)
{
    (void)simd;
    return &scalar_places;
}
#endif
