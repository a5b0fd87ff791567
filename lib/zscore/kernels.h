/* SPDX-License-Identifier: MIT */
/* What eight lanes work in, and the kernels that work there: zscore/lanes.h once for each vector width. */
#ifndef AN_ZSCORE_KERNELS_H
#define AN_ZSCORE_KERNELS_H

#include "window/sliding.h"
#include "zscore/batch.h"

#include <string.h>

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#elif defined(__SSE2__)
#include <emmintrin.h>
#endif

#define LANE_COUNT         8
#define OLD_BLOCKS         (LANE_COUNT + 1) /* the tail's block and the eight after it */
#define LEAST_BLOCK_EVENTS 8
#define MOST_BLOCK_EVENTS  256
#define TILE_ROWS          32                                  /* events of each lane that are judged at a time */
#define MOST_TILES         (MOST_BLOCK_EVENTS / TILE_ROWS + 1) /* of a block: one is cut in two where the tail passes on */

#if defined(__GNUC__)

typedef struct lanes_sums {
    double hi[LANE_COUNT], lo[LANE_COUNT], m2[LANE_COUNT];
} lanes_sums;

typedef struct lanes_middle {
    lanes_sums sums;
    int64_t bad[LANE_COUNT]; /* -1: not of scale 0 */
    uint32_t n[LANE_COUNT];
    int32_t scale[LANE_COUNT];
} lanes_middle;

/* The events of a tile: rows [p, end) of each new block. */
typedef struct lanes_tile {
    size_t p, end;
    size_t q;     /* place in the old block at p */
    size_t which; /* 0: the tail is in the lane's first old block, 1: in the next */
} lanes_tile;

/* The working area of a chunk. */
typedef struct an_lanes {
    _Alignas(64) double x[TILE_ROWS * LANE_COUNT]; /* [row][lane] new values, then scores */
    double hi[TILE_ROWS * OLD_BLOCKS];             /* [row][column] old values, then suffixes, then deviations */
    double lo[TILE_ROWS * OLD_BLOCKS];             /* suffixes, then spreads */
    double m2[TILE_ROWS * OLD_BLOCKS];             /* suffixes, then means */
    double inverse[MOST_BLOCK_EVENTS];             /* 1 / (p + 1) */
    lanes_tile tile[MOST_TILES];
    size_t tiles, passing_tile;    /* how many; the first behind the tail's passing on */
    lanes_sums behind[MOST_TILES]; /* suffixes that begin right behind a tile's last old row */
    lanes_sums total;              /* as step 1 goes on */
    union {
        lanes_sums suffix; /* as step 1 goes on */
        lanes_sums open;   /* prefixes as step 3 goes on */
    };
    lanes_middle middle[2]; /* before and after the tail passes into the next old block */
    double inverse_n, inverse_divisor, least_spread;
    int64_t keep, negate; /* zscore/verdicts.h */
} an_lanes;

/* The functions for one instruction set (zscore/lanes.h). */
typedef struct lanes_kernels {
    void (*load_blocks)(const double *const *from, size_t row, size_t rows, double *to, size_t to_stride);
    void (*store_blocks)(const double *from, size_t from_stride, double *to, size_t block, size_t rows);
    void (*copy_values)(const char *from, ptrdiff_t stride, double *to, size_t count);
    int (*sum_rows)(an_lanes *, size_t rows, size_t done);
    void (*make_suffixes)(an_lanes *, const lanes_sums *behind, size_t rows, size_t done);
    int (*judge_rows)(an_lanes *, const lanes_tile *, size_t block);
    size_t (*count_anomalies)(const double *score, size_t count, const anomaly_config *);
    an_batch_scores score_batch;
} lanes_kernels;

/* Copies four rows of four doubles into four columns. */
static inline void turn_portable(const double *a, const double *b, const double *c, const double *d, double *to,
                                 size_t to_stride)
{
    for (size_t i = 0; i < 4; i++, to += to_stride) {
        to[0] = a[i];
        to[1] = b[i];
        to[2] = c[i];
        to[3] = d[i];
    }
}

#define LANES_NAME(name) name##_portable
#define LANES_TARGET
#define LANES_WIDTH 2
#define LANES_TURN  turn_portable
#if defined(__SSE2__)
#define LANES_SQRT(v) (vector_portable) _mm_sqrt_pd((__m128d)(v))
#else
#define LANES_SQRT(v)              \
    (vector_portable)              \
    {                              \
        sqrt((v)[0]), sqrt((v)[1]) \
    }
#endif
#include "zscore/lanes.h"

#if defined(__x86_64__)
__attribute__((target("avx2"))) static inline void turn_avx2(const double *from_a, const double *from_b,
                                                             const double *from_c, const double *from_d, double *to,
                                                             size_t to_stride)
{
    __m256d a = _mm256_loadu_pd(from_a), b = _mm256_loadu_pd(from_b);
    __m256d c = _mm256_loadu_pd(from_c), d = _mm256_loadu_pd(from_d);
    __m256d ab_even = _mm256_unpacklo_pd(a, b), ab_odd = _mm256_unpackhi_pd(a, b);
    __m256d cd_even = _mm256_unpacklo_pd(c, d), cd_odd = _mm256_unpackhi_pd(c, d);
    _mm256_storeu_pd(to, _mm256_permute2f128_pd(ab_even, cd_even, 0x20));
    _mm256_storeu_pd(to + to_stride, _mm256_permute2f128_pd(ab_odd, cd_odd, 0x20));
    _mm256_storeu_pd(to + 2 * to_stride, _mm256_permute2f128_pd(ab_even, cd_even, 0x31));
    _mm256_storeu_pd(to + 3 * to_stride, _mm256_permute2f128_pd(ab_odd, cd_odd, 0x31));
}

#define LANES_NAME(name) name##_avx2
#define LANES_TARGET     __attribute__((target("avx2")))
#define LANES_WIDTH      4
#define LANES_TURN       turn_avx2
#define LANES_SQRT(v)    (vector_avx2) _mm256_sqrt_pd((__m256d)(v))
#include "zscore/lanes.h"

#define LANES_NAME(name) name##_avx512
#if defined(__clang__)
#define LANES_TARGET __attribute__((target("avx512f,avx512dq,avx512vl")))
#else /* gcc's own loops would stay at half the width */
#define LANES_TARGET __attribute__((target("avx512f,avx512dq,avx512vl,prefer-vector-width=512")))
#endif
#define LANES_WIDTH   8
#define LANES_TURN    turn_avx2
#define LANES_SQRT(v) (vector_avx512) _mm512_sqrt_pd((__m512d)(v))
#include "zscore/lanes.h"
#endif

static const lanes_kernels *kernels_for(int simd)
{
#if defined(__x86_64__)
    if (simd == ANOMALY_SIMD_AVX512)
        return &lanes_kernels_avx512;
    if (simd == ANOMALY_SIMD_AVX2)
        return &lanes_kernels_avx2;
#endif
    return simd == ANOMALY_SIMD_SCALAR ? NULL : &lanes_kernels_portable;
}

#endif
#endif
