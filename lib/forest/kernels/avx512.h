/* SPDX-License-Identifier: MIT */
/* What the files with AVX-512 share: how a code is picked for each of 16 features. */
#ifndef AN_FOREST_AVX512_H
#define AN_FOREST_AVX512_H

#include "forest/kernels/kernels.h"

#ifdef AN_X86

#define AN_AVX512 AN_TARGET("avx512f,avx512dq,avx512vl,avx2")

/* How many codes an event has at most: as many as one vector holds, as two, four, eight; more, or some of them are
 * missing. */
enum an_look { AN_LOOK_16, AN_LOOK_32, AN_LOOK_64, AN_LOOK_128, AN_LOOK_FAR };

AN_AVX512 AN_INLINE __m512i an_lanes16(void)
{
    return _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
}

AN_AVX512 AN_INLINE __m512 an_pick32(const float *code, const uint32_t *vector, __m512i feature)
{
    return _mm512_permutex2var_ps(_mm512_loadu_ps(code + vector[0]), feature, _mm512_loadu_ps(code + vector[1]));
}

/* Picks from 64 or 128 codes, which costs less than a gather. `vector` says where each vector of 16 codes begins; a
 * feature is in none of those that are not there, so they may begin at any vector that is. */
AN_AVX512 AN_INLINE __m512 an_pick128(const float *code, const uint32_t *vector, __m512i feature, enum an_look look)
{
    __mmask16 bit5 = _mm512_test_epi32_mask(feature, _mm512_set1_epi32(32));
    __m512 low = _mm512_mask_blend_ps(bit5, an_pick32(code, vector, feature), an_pick32(code, vector + 2, feature));
    if (look == AN_LOOK_64)
        return low;
    __mmask16 bit6 = _mm512_test_epi32_mask(feature, _mm512_set1_epi32(64));
    __m512 high = _mm512_mask_blend_ps(bit5, an_pick32(code, vector + 4, feature), an_pick32(code, vector + 6, feature));
    return _mm512_mask_blend_ps(bit6, low, high);
}

#endif

#endif
