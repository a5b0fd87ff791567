/* SPDX-License-Identifier: MIT */
/* Walk and learning kernels with AVX2: 8 lanes. */
#include "forest/kernels/kernels.h"

#ifdef AN_X86

typedef struct walk8 {
    __m256i base, at;
    __m256 weight, path;
} walk8;

#define AN_AVX2 AN_TARGET("avx2")

/* 8 nodes -> vectors of cut, link, lo, hi: whole nodes loaded and transposed, half the loads of four gathers */
AN_AVX2 AN_INLINE void nodes8(const an_node *nodes, __m256i at, __m256 *cut, __m256i *link, __m256 *lo, __m256 *hi)
{
    uint32_t i[8];
    _mm256_storeu_si256((__m256i *)(void *)i, at);
    __m256 a =
        _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(&nodes[i[0]].cut)), _mm_loadu_ps(&nodes[i[4]].cut), 1);
    __m256 b =
        _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(&nodes[i[1]].cut)), _mm_loadu_ps(&nodes[i[5]].cut), 1);
    __m256 c =
        _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(&nodes[i[2]].cut)), _mm_loadu_ps(&nodes[i[6]].cut), 1);
    __m256 d =
        _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(&nodes[i[3]].cut)), _mm_loadu_ps(&nodes[i[7]].cut), 1);
    __m256 ab0 = _mm256_unpacklo_ps(a, b), cd0 = _mm256_unpacklo_ps(c, d);
    __m256 ab1 = _mm256_unpackhi_ps(a, b), cd1 = _mm256_unpackhi_ps(c, d);
    *cut = _mm256_shuffle_ps(ab0, cd0, 0x44);
    *link = _mm256_castps_si256(_mm256_shuffle_ps(ab0, cd0, 0xee));
    *lo = _mm256_shuffle_ps(ab1, cd1, 0x44);
    *hi = _mm256_shuffle_ps(ab1, cd1, 0xee);
}

AN_AVX2 AN_INLINE void step8(walk8 *s, const an_node *nodes, const float *code, __m256i leaf, int missing)
{
    __m256 cut, lo, hi;
    __m256i link;
    nodes8(nodes, s->at, &cut, &link, &lo, &hi);
    __m256i feature = _mm256_srli_epi32(link, (int)AN_LINK_FEATURE);
    __m256 v = _mm256_i32gather_ps(code, feature, 4);
    __m256 right = _mm256_cmp_ps(v, cut, _CMP_GT_OQ);
    if (missing) {
        __m256 stray = _mm256_castsi256_ps(_mm256_srai_epi32(_mm256_slli_epi32(link, 13), 31));
        right = _mm256_or_ps(right, _mm256_and_ps(_mm256_cmp_ps(v, v, _CMP_UNORD_Q), stray));
    }
    __m256 excess = _mm256_max_ps(_mm256_sub_ps(lo, v), _mm256_sub_ps(v, hi));
    __m256 out = _mm256_cmp_ps(excess, _mm256_setzero_ps(), _CMP_GT_OQ);
    __m256 range = _mm256_sub_ps(hi, lo), x = _mm256_add_ps(range, excess);
    __m256 y = _mm256_castsi256_ps(_mm256_sub_epi32(_mm256_set1_epi32((int)AN_RECIPROCAL), _mm256_castps_si256(x)));
    y = _mm256_mul_ps(y, _mm256_sub_ps(_mm256_set1_ps(2.0f), _mm256_mul_ps(x, y)));
    y = _mm256_mul_ps(y, _mm256_sub_ps(_mm256_set1_ps(2.0f), _mm256_mul_ps(x, y)));
    s->weight = _mm256_blendv_ps(s->weight, _mm256_mul_ps(s->weight, _mm256_mul_ps(range, y)), out);
    __m256 inner = _mm256_castsi256_ps(_mm256_cmpgt_epi32(leaf, feature));
    s->path = _mm256_add_ps(s->path, _mm256_and_ps(inner, s->weight));
    __m256i child = _mm256_and_si256(link, _mm256_set1_epi32((int)AN_LINK_CHILD));
    s->at = _mm256_sub_epi32(_mm256_add_epi32(s->base, child), _mm256_castps_si256(right));
}

AN_AVX2 AN_INLINE void start8(walk8 *s, __m256i base)
{
    s->base = base;
    s->at = _mm256_add_epi32(base, _mm256_set1_epi32(1));
    s->weight = _mm256_set1_ps(1.0f);
    s->path = _mm256_setzero_ps();
}

AN_AVX2 AN_INLINE void group8(const an_walk *w, uint32_t group, const float *code, int missing, float *path)
{
    const __m256i leaf = _mm256_set1_epi32((int)w->features);
    const __m256i step = _mm256_mullo_epi32(_mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7), _mm256_set1_epi32((int)w->stride));
    const float *field = (const float *)(const void *)w->nodes;
    walk8 s[2];
    for (int k = 0; k < 2; k++)
        start8(&s[k], _mm256_add_epi32(step, _mm256_set1_epi32(((int)group * 16 + 8 * k) * (int)w->stride)));
    for (uint32_t level = 0; level < w->depth; level++)
        for (int k = 0; k < 2; k++)
            step8(&s[k], w->nodes, code, leaf, missing);
    for (int k = 0; k < 2; k++) {
        __m256 value = _mm256_i32gather_ps(field, _mm256_slli_epi32(s[k].at, 2), 4);
        _mm256_storeu_ps(path + 8 * k, _mm256_add_ps(s[k].path, _mm256_mul_ps(s[k].weight, value)));
    }
}

AN_AVX2 void an_walk_avx2(const an_walk *w, const float *code, uint32_t rows, float *path)
{
    for (uint32_t g = 0; g < w->groups; g++) {
        for (uint32_t r = 0; r < rows; r++) {
            if (w->missing)
                group8(w, g, code + (size_t)r * w->code_pitch, 1, path + r * w->path_pitch + g * 16);
            else
                group8(w, g, code + (size_t)r * w->code_pitch, 0, path + r * w->path_pitch + g * 16);
        }
    }
}

AN_AVX2 AN_INLINE __m256i load_ints8(const uint32_t *at)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)at);
}

AN_AVX2 AN_INLINE __m256 low_bits8(const uint32_t *at)
{
    return _mm256_cvtepi32_ps(_mm256_and_si256(load_ints8(at), _mm256_set1_epi32(0xffffff)));
}

#define JUDGE_NAME               judge8
#define JUDGE_TARGET             AN_AVX2
#define JUDGE_FLOATS             __m256
#define JUDGE_INTS               __m256i
#define JUDGE_OP(name)           _mm256_##name##_ps
#define JUDGE_SET                _mm256_set1_ps
#define JUDGE_LOAD_INTS          load_ints8
#define JUDGE_LOW_BITS           low_bits8
#define JUDGE_PICK(row, feature) _mm256_i32gather_ps(row, feature, 4)
#define JUDGE_ORDERED(a)         _mm256_cmp_ps(a, a, _CMP_ORD_Q)
#define JUDGE_NOT_ABOVE(a, b)    _mm256_cmp_ps(a, b, _CMP_LE_OQ)
#define JUDGE_NOT_BELOW(a, b)    _mm256_cmp_ps(a, b, _CMP_GE_OQ)
#define JUDGE_CHOOSE             _mm256_blendv_ps
#include "forest/kernels/judge.h"

AN_AVX2 uint32_t an_judge_avx2(const an_sample *s, const an_row *row, uint32_t n, an_cuts *c, float *block)
{
    (void)s;
    an_sums t;
    judge8(row, n, c, &t, block, 0);
    judge8(row, n, c, &t, block, 8);
    return an_gains_of(c, &t, n);
}

AN_AVX2 int an_encode_avx2(const double *x, const double *origin, const double *inverse, uint32_t n, float *code)
{
    return an_encode_inline(x, origin, inverse, n, code);
}

#endif
