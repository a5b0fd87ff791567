/* SPDX-License-Identifier: MIT */
/* Learning with AVX-512: coding an event, a column of a sample, 16 candidate cuts at once. */
#include "forest/kernels/avx512.h"

#ifdef AN_X86

AN_AVX512 AN_INLINE __m512d raise8(__m512d v)
{
    const __m512d least = _mm512_set1_pd((double)AN_CODE_LEAST), sign = _mm512_and_pd(v, _mm512_set1_pd(-0.0));
    __mmask8 keep = _mm512_cmp_pd_mask(_mm512_abs_pd(v), least, _CMP_NLT_UQ);
    __mmask8 some = _mm512_cmp_pd_mask(v, _mm512_setzero_pd(), _CMP_NEQ_UQ);
    return _mm512_mask_mov_pd(_mm512_maskz_or_pd(some, sign, least), keep, v);
}

/* 8 values in doubles, those of m, clamped, small ones raised. */
AN_AVX512 AN_INLINE __m256 encode8(const double *x, const double *origin, const double *inverse, __mmask8 m,
                                   __m512d *differences)
{
    const __m512d top = _mm512_set1_pd((double)AN_CODE_LIMIT), bottom = _mm512_set1_pd(-(double)AN_CODE_LIMIT);
    __m512d v = _mm512_maskz_loadu_pd(m, x);
    *differences = _mm512_or_pd(*differences, _mm512_sub_pd(v, v)); /* 0 or NaN */
    v = _mm512_sub_pd(v, _mm512_maskz_loadu_pd(m, origin));
    v = _mm512_mul_pd(v, _mm512_maskz_loadu_pd(m, inverse));
    v = _mm512_max_pd(bottom, _mm512_min_pd(top, v)); /* the second operand where one is NaN */
    return _mm512_cvtpd_ps(raise8(v));
}

/* Whole vectors are written, which the walk can read again at once. */
AN_AVX512 int an_encode_avx512(const double *x, const double *origin, const double *inverse, uint32_t n, float *code)
{
    __m512d differences = _mm512_setzero_pd();
    for (uint32_t i = 0; i < n; i += 16) {
        uint32_t m = n - i >= 16 ? 0xffffu : (1u << (n - i)) - 1u;
        __m256 low = encode8(x + i, origin + i, inverse + i, (__mmask8)m, &differences);
        __m256 high = _mm256_setzero_ps();
        if (m >> 8)
            high = encode8(x + i + 8, origin + i + 8, inverse + i + 8, (__mmask8)(m >> 8), &differences);
        __m512 v = _mm512_insertf32x8(_mm512_castps256_ps512(low), high, 1);
        _mm512_storeu_ps(code + i, _mm512_mask_mov_ps(_mm512_set1_ps(AN_CODE_PAD), (__mmask16)m, v));
    }
    return _mm512_cmp_pd_mask(differences, differences, _CMP_UNORD_Q) != 0;
}

AN_AVX512 AN_INLINE __m512d median_nine8(double (*v)[AN_PROBED_FEATURES])
{
    for (uint32_t i = 0; i < AN_MEDIAN_EXCHANGES; i++) {
        double *less = v[an_exchange[i][0]], *more = v[an_exchange[i][1]];
        __m512d a = _mm512_loadu_pd(less), b = _mm512_loadu_pd(more);
        _mm512_storeu_pd(less, _mm512_min_pd(a, b));
        _mm512_storeu_pd(more, _mm512_max_pd(b, a));
    }
    return _mm512_loadu_pd(v[AN_PROBED_EVENTS / 2]);
}

AN_AVX512 void an_centre_avx512(double (*v)[AN_PROBED_FEATURES], double *median, double *distance)
{
    __m512d m = median_nine8(v);
    for (uint32_t k = 0; k < AN_PROBED_EVENTS; k++)
        _mm512_storeu_pd(v[k], _mm512_abs_pd(_mm512_sub_pd(_mm512_loadu_pd(v[k]), m)));
    _mm512_storeu_pd(median, m);
    _mm512_storeu_pd(distance, median_nine8(v));
}

AN_AVX512 int an_note_avx512(const double *x, const double *before, uint32_t n, double *restrict step)
{
    const __m512d most = _mm512_set1_pd(0x1.fffffffffffffp+1023), zero = _mm512_setzero_pd();
    uint32_t infinite = 0;
    for (uint32_t i = 0; i < n; i += 8) {
        __mmask8 m = (__mmask8)(n - i >= 8 ? 0xffu : (1u << (n - i)) - 1u);
        __m512d v = _mm512_maskz_loadu_pd(m, x + i);
        __m512d d = _mm512_abs_pd(_mm512_sub_pd(v, _mm512_maskz_loadu_pd(m, before + i)));
        __mmask8 over = _mm512_cmp_pd_mask(_mm512_abs_pd(v), most, _CMP_GT_OQ);
        infinite |= over;
        _mm512_mask_storeu_pd(step + i, _mm512_mask_cmp_pd_mask((__mmask8)(m & ~over), d, zero, _CMP_GT_OQ), d);
    }
    return infinite != 0;
}

/* The first n of 8, if there are as many. */
AN_AVX512 AN_INLINE __mmask8 first8(uint32_t n)
{
    return (__mmask8)(n >= 8 ? 0xffu : (1u << n) - 1u);
}

/* Those of 16 rows that are in m, together to `to`. Returns how many. What comes behind them is lost: what a masked
 * store has written can only be loaded once it has reached the cache. */
AN_AVX512 AN_INLINE uint32_t put_some(an_row *to, uint32_t m, const an_row *from)
{
    uint32_t low = (uint32_t)__builtin_popcount(m & 0xffu);
    _mm512_storeu_si512(to, _mm512_maskz_compress_epi64((__mmask8)m, _mm512_loadu_si512(from)));
    _mm512_storeu_si512(to + low, _mm512_maskz_compress_epi64((__mmask8)(m >> 8), _mm512_loadu_si512(from + 8)));
    return (uint32_t)__builtin_popcount(m);
}

/* Which of 16 values, those of m, are over the cut. */
AN_AVX512 AN_INLINE uint32_t over16(const float *value, uint32_t step, __m512 cut, int stray, __mmask16 m)
{
    const __m512i lane = _mm512_setr_epi32(0, 16, 32, 48, 64, 80, 96, 112, 128, 144, 160, 176, 192, 208, 224, 240);
    __m512 v =
        step == 1 ? _mm512_maskz_loadu_ps(m, value) : _mm512_mask_i32gather_ps(_mm512_setzero_ps(), m, lane, value, 4);
    return stray ? _mm512_mask_cmp_ps_mask(m, v, cut, _CMP_NLE_UQ) : _mm512_mask_cmp_ps_mask(m, v, cut, _CMP_GT_OQ);
}

/* First those to the left, for their vectors reach into the others' places. */
AN_AVX512 uint32_t an_part_avx512(const float *value, uint32_t step, float cut, int stray, const an_row *from, uint32_t n,
                                  an_row *to)
{
    const __m512 limit = _mm512_set1_ps(cut);
    uint16_t over[AN_FOREST_MAX_SAMPLE / 16];
    uint32_t left = 0, right;
    for (uint32_t i = 0; i < n; i += 16) {
        uint32_t m = n - i >= 16 ? 0xffffu : (1u << (n - i)) - 1u;
        over[i / 16] = (uint16_t)over16(value + (size_t)i * step, step, limit, stray, (__mmask16)m);
        left += put_some(to + left, m & ~(uint32_t)over[i / 16], from + i);
    }
    right = left;
    for (uint32_t i = 0; i < n; i += 16)
        right += put_some(to + right, over[i / 16], from + i);
    return left;
}

AN_AVX512 uint32_t an_load_column_avx512(uint32_t feature, const an_row *row, uint32_t n, float *column, float *lo,
                                         float *hi)
{
    const __m512i place = _mm512_set1_epi64((long long)feature * (long long)sizeof(float));
    __m256 least = _mm256_set1_ps(AN_CODE_LIMIT), most = _mm256_set1_ps(-AN_CODE_LIMIT);
    uint32_t present = 0;
    for (uint32_t i = 0; i < n; i += 8) {
        __mmask8 m = first8(n - i);
        __m512i at = _mm512_add_epi64(_mm512_maskz_loadu_epi64(m, row + i), place);
        __m256 c = _mm512_mask_i64gather_ps(_mm256_setzero_ps(), m, at, NULL, 1);
        _mm256_mask_storeu_ps(column + i, m, c);
        least = _mm256_mask_min_ps(least, m, c, least); /* the second operand where one is NaN */
        most = _mm256_mask_max_ps(most, m, c, most);
        present += (uint32_t)__builtin_popcount(_mm256_mask_cmp_ps_mask(m, c, c, _CMP_ORD_Q));
    }
    *lo = _mm512_mask_reduce_min_ps(0xff, _mm512_castps256_ps512(least));
    *hi = _mm512_mask_reduce_max_ps(0xff, _mm512_castps256_ps512(most));
    return present;
}

/* Picks a row's codes of 16 features. */
AN_AVX512 AN_INLINE __m512 pick_row16(const float *row, const uint32_t *vector, __m512i feature, enum an_look look)
{
    if (look == AN_LOOK_16)
        return _mm512_permutexvar_ps(feature, _mm512_loadu_ps(row));
    if (look == AN_LOOK_32)
        return _mm512_permutex2var_ps(_mm512_loadu_ps(row), feature, _mm512_loadu_ps(row + 16));
    if (look == AN_LOOK_FAR)
        return _mm512_i32gather_ps(feature, row, 4);
    return an_pick128(row, vector, feature, look);
}

/* 8 lanes of the gain. Where nothing is missing the share of those present is 1: a division less. */
AN_AVX512 AN_INLINE __m256 gain8(__m256 present, __m256 below, __m256 left, __m256 sum, __m256 square, __m512d count,
                                 int missing)
{
    __m512d m = _mm512_cvtps_pd(present), b = _mm512_cvtps_pd(below), s = _mm512_cvtps_pd(sum);
    __m512d d = _mm512_sub_pd(_mm512_mul_pd(m, _mm512_cvtps_pd(left)), _mm512_mul_pd(b, s));
    __m512d q = _mm512_sub_pd(_mm512_mul_pd(m, _mm512_cvtps_pd(square)), _mm512_mul_pd(s, s));
    __m512d spread = _mm512_mul_pd(_mm512_mul_pd(b, _mm512_sub_pd(m, b)), q);
    __m512d gain = _mm512_div_pd(_mm512_mul_pd(d, d), spread);
    if (missing)
        gain = _mm512_mul_pd(gain, _mm512_div_pd(m, count));
    __mmask8 valid = _mm512_cmp_pd_mask(spread, _mm512_setzero_pd(), _CMP_GT_OQ);
    return _mm512_cvtpd_ps(_mm512_maskz_mov_pd(valid, gain));
}

AN_AVX512 AN_INLINE uint32_t judge16(const an_sample *s, const an_row *row, uint32_t n, an_cuts *c, float *block,
                                     enum an_look look, int missing)
{
    const __m512i feature = _mm512_loadu_si512(c->feature);
    const __m512 one = _mm512_set1_ps(1.0f), zero = _mm512_setzero_ps();
    __m512 lo = _mm512_set1_ps(AN_CODE_LIMIT), hi = _mm512_set1_ps(-AN_CODE_LIMIT), present = zero;
    uint32_t vector[8];
    for (uint32_t k = 0; k < 8; k++)
        vector[k] = 16 * k < s->pitch ? 16 * k : 0;
    for (uint32_t i = 0; i < n; i++) {
        __m512 v = pick_row16(row[i], vector, feature, look);
        _mm512_storeu_ps(block + (size_t)i * 16, v);
        lo = _mm512_min_ps(v, lo); /* the second operand where one is NaN */
        hi = _mm512_max_ps(v, hi);
        if (missing)
            present = _mm512_mask_add_ps(present, _mm512_cmp_ps_mask(v, v, _CMP_ORD_Q), present, one);
    }
    if (!missing)
        present = _mm512_set1_ps((float)n);
    __m512 range = _mm512_sub_ps(hi, lo);
    __m512 part = _mm512_cvtepi32_ps(_mm512_and_si512(_mm512_loadu_si512(c->low), _mm512_set1_epi32(0xffffff)));
    __m512 cut = _mm512_add_ps(lo, _mm512_mul_ps(_mm512_mul_ps(part, _mm512_set1_ps(0x1p-24f)), range));
    cut = _mm512_mask_mov_ps(cut, _mm512_cmp_ps_mask(cut, hi, _CMP_GE_OQ), lo);
    const __m512 centre = _mm512_mul_ps(_mm512_set1_ps(0.5f), _mm512_add_ps(lo, hi));
    __m512 below = zero, left = zero, sum = zero, square = zero;
    for (uint32_t i = 0; i < n; i++) {
        __m512 v = _mm512_loadu_ps(block + (size_t)i * 16), z = _mm512_sub_ps(v, centre);
        __mmask16 low = _mm512_cmp_ps_mask(v, cut, _CMP_LE_OQ);
        if (missing)
            z = _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(v, v, _CMP_ORD_Q), z);
        below = _mm512_mask_add_ps(below, low, below, one);
        left = _mm512_mask_add_ps(left, low, left, z);
        sum = _mm512_add_ps(sum, z);
        square = _mm512_add_ps(square, _mm512_mul_ps(z, z));
    }
    const __m512d count = _mm512_set1_pd((double)n);
    __m256 g0 = gain8(_mm512_castps512_ps256(present), _mm512_castps512_ps256(below), _mm512_castps512_ps256(left),
                      _mm512_castps512_ps256(sum), _mm512_castps512_ps256(square), count, missing);
    __m256 g1 = gain8(_mm512_extractf32x8_ps(present, 1), _mm512_extractf32x8_ps(below, 1), _mm512_extractf32x8_ps(left, 1),
                      _mm512_extractf32x8_ps(sum, 1), _mm512_extractf32x8_ps(square, 1), count, missing);
    __m512 gain = _mm512_insertf32x8(_mm512_castps256_ps512(g0), g1, 1);
    gain = _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(range, zero, _CMP_GT_OQ), gain);
    _mm512_storeu_ps(c->gain, gain);
    _mm512_storeu_ps(c->lo, lo);
    _mm512_storeu_ps(c->hi, hi);
    _mm512_storeu_ps(c->cut, cut);
    _mm512_storeu_ps(c->present, present);
    const __mmask16 counts = (__mmask16)((1u << c->count) - 1u);
    __m512 best = _mm512_set1_ps(_mm512_mask_reduce_max_ps(counts, gain));
    return (uint32_t)__builtin_ctz(_mm512_mask_cmp_ps_mask(counts, gain, best, _CMP_EQ_OQ));
}

AN_AVX512 uint32_t an_judge_avx512(const an_sample *s, const an_row *row, uint32_t n, an_cuts *c, float *block)
{
    if (s->missing)
        return judge16(s, row, n, c, block, AN_LOOK_FAR, 1);
    if (s->pitch == 16)
        return judge16(s, row, n, c, block, AN_LOOK_16, 0);
    if (s->pitch == 32)
        return judge16(s, row, n, c, block, AN_LOOK_32, 0);
    if (s->pitch <= 64)
        return judge16(s, row, n, c, block, AN_LOOK_64, 0);
    if (s->pitch <= 128)
        return judge16(s, row, n, c, block, AN_LOOK_128, 0);
    return judge16(s, row, n, c, block, AN_LOOK_FAR, 0);
}

#endif
