/* SPDX-License-Identifier: MIT */
/* Searches, inserts and removes among sorted doubles in a fixed number of places; those without a value hold
 * +infinity.
 *
 * The processor cannot predict where a value falls. So nothing here branches on a comparison, and insertion and
 * removal do not search: they go over all places of a bucket and decide each by comparing values.
 *
 *     insert x: new[i] = min(max(old[i-1], x), old[i])      remove x: new[i] = old[i] < x ? old[i] : old[i+1]
 *
 * The vector paths give the same places as the loops. */
#ifndef AN_WINDOW_PLACES_H
#define AN_WINDOW_PLACES_H

#include <stddef.h>
#include <stdint.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#define AN_PLACES_GROUP   16
#define AN_PLACES_STRETCH 128

/* Counts the values of a group that are <= x. */
static inline uint32_t an_places_in_group(const double *places, double x)
{
#if defined(__SSE2__)
    __m128i sum = _mm_setzero_si128();
    for (size_t i = 0; i < AN_PLACES_GROUP; i += 2)
        sum = _mm_sub_epi64(sum, _mm_castpd_si128(_mm_cmple_pd(_mm_loadu_pd(places + i), _mm_set1_pd(x))));
    return (uint32_t)_mm_cvtsi128_si32(_mm_add_epi64(sum, _mm_unpackhi_epi64(sum, sum)));
#else
    uint32_t within = 0;
    for (size_t i = 0; i < AN_PLACES_GROUP; i++)
        within += places[i] <= x;
    return within;
#endif
}

/* Counts the values of a bucket of `width` places, a multiple of AN_PLACES_GROUP, that are <= x. */
static inline uint32_t an_places_in_bucket(const double *places, size_t width, double x)
{
    uint32_t groups = 0;
    for (size_t i = AN_PLACES_GROUP; i < width; i += AN_PLACES_GROUP)
        groups += places[i - 1] <= x;
    return groups * AN_PLACES_GROUP + an_places_in_group(places + groups * AN_PLACES_GROUP, x);
}

/* Counts the values of a directory that are <= x: first among every 128th and every 16th place, then in one group of
 * 16. `length` is AN_PLACES_GROUP or a multiple of AN_PLACES_STRETCH. */
static inline uint32_t an_places_up_to(const double *places, size_t length, double x)
{
    size_t stretches = 0, groups = 0;
    for (size_t i = AN_PLACES_STRETCH; i < length; i += AN_PLACES_STRETCH)
        stretches += places[i - 1] <= x;
    places += stretches * AN_PLACES_STRETCH;
    if (length >= AN_PLACES_STRETCH)
        for (size_t i = AN_PLACES_GROUP; i < AN_PLACES_STRETCH; i += AN_PLACES_GROUP)
            groups += places[i - 1] <= x;
    uint32_t within = an_places_in_group(places + groups * AN_PLACES_GROUP, x);
    return (uint32_t)(stretches * AN_PLACES_STRETCH + groups * AN_PLACES_GROUP) + within;
}

/* Change a bucket of `width` places, a multiple of AN_PLACES_GROUP. */
typedef struct an_places {
    void (*put)(double *values, size_t width, double x);  /* x into a bucket that is not full; reads one double before it */
    void (*take)(double *values, size_t width, double x); /* x, which is there, out of it; reads one double behind it */
} an_places;

/* Answers the functions for one of enum anomaly_simd (not AUTO). */
const an_places *an_places_for(int simd);

#endif
