/* SPDX-License-Identifier: MIT */
/* The walk with SSE2: 4 lanes, whole nodes loaded and transposed. And candidate cuts, four at a time. */
#include "forest/kernels/kernels.h"

#ifdef AN_X86

typedef struct walk4 {
    __m128i base, at;
    __m128 weight, path;
} walk4;

/* nodes 0..3 -> vectors of cut, link, lo, hi */
AN_TARGET("sse2") AN_INLINE void nodes4(const an_node *nodes, __m128i at, __m128 *cut, __m128i *link, __m128 *lo, __m128 *hi)
{
    uint32_t i0 = (uint32_t)_mm_cvtsi128_si32(at);
    uint32_t i1 = (uint32_t)_mm_cvtsi128_si32(_mm_shuffle_epi32(at, 0x55));
    uint32_t i2 = (uint32_t)_mm_cvtsi128_si32(_mm_shuffle_epi32(at, 0xaa));
    uint32_t i3 = (uint32_t)_mm_cvtsi128_si32(_mm_shuffle_epi32(at, 0xff));
    __m128 a = _mm_loadu_ps(&nodes[i0].cut), b = _mm_loadu_ps(&nodes[i1].cut);
    __m128 c = _mm_loadu_ps(&nodes[i2].cut), d = _mm_loadu_ps(&nodes[i3].cut);
    __m128 ab0 = _mm_unpacklo_ps(a, b), cd0 = _mm_unpacklo_ps(c, d);
    __m128 ab1 = _mm_unpackhi_ps(a, b), cd1 = _mm_unpackhi_ps(c, d);
    *cut = _mm_movelh_ps(ab0, cd0);
    *link = _mm_castps_si128(_mm_movehl_ps(cd0, ab0));
    *lo = _mm_movelh_ps(ab1, cd1);
    *hi = _mm_movehl_ps(cd1, ab1);
}

AN_TARGET("sse2") AN_INLINE __m128 codes4(const float *code, __m128i place)
{
    const float *p0 = code + (uint32_t)_mm_cvtsi128_si32(place);
    const float *p1 = code + (uint32_t)_mm_cvtsi128_si32(_mm_shuffle_epi32(place, 0x55));
    const float *p2 = code + (uint32_t)_mm_cvtsi128_si32(_mm_shuffle_epi32(place, 0xaa));
    const float *p3 = code + (uint32_t)_mm_cvtsi128_si32(_mm_shuffle_epi32(place, 0xff));
    return _mm_movelh_ps(_mm_unpacklo_ps(_mm_load_ss(p0), _mm_load_ss(p1)),
                         _mm_unpacklo_ps(_mm_load_ss(p2), _mm_load_ss(p3)));
}

AN_TARGET("sse2") AN_INLINE void step4(walk4 *s, const an_node *nodes, const float *code, __m128i leaf, int missing)
{
    __m128 cut, lo, hi;
    __m128i link;
    nodes4(nodes, s->at, &cut, &link, &lo, &hi);
    __m128i feature = _mm_srli_epi32(link, (int)AN_LINK_FEATURE);
    __m128 v = codes4(code, feature);
    __m128 right = _mm_cmpgt_ps(v, cut);
    if (missing) {
        __m128i stray = _mm_srai_epi32(_mm_slli_epi32(link, 13), 31);
        right = _mm_or_ps(right, _mm_and_ps(_mm_cmpunord_ps(v, v), _mm_castsi128_ps(stray)));
    }
    __m128 excess = _mm_max_ps(_mm_sub_ps(lo, v), _mm_sub_ps(v, hi));
    __m128 out = _mm_cmpgt_ps(excess, _mm_setzero_ps());
    __m128 range = _mm_sub_ps(hi, lo), x = _mm_add_ps(range, excess);
    __m128 y = _mm_castsi128_ps(_mm_sub_epi32(_mm_set1_epi32((int)AN_RECIPROCAL), _mm_castps_si128(x)));
    y = _mm_mul_ps(y, _mm_sub_ps(_mm_set1_ps(2.0f), _mm_mul_ps(x, y)));
    y = _mm_mul_ps(y, _mm_sub_ps(_mm_set1_ps(2.0f), _mm_mul_ps(x, y)));
    __m128 less = _mm_mul_ps(s->weight, _mm_mul_ps(range, y));
    s->weight = _mm_or_ps(_mm_and_ps(out, less), _mm_andnot_ps(out, s->weight));
    __m128 inner = _mm_castsi128_ps(_mm_cmpgt_epi32(leaf, feature));
    s->path = _mm_add_ps(s->path, _mm_and_ps(inner, s->weight));
    __m128i child = _mm_and_si128(link, _mm_set1_epi32((int)AN_LINK_CHILD));
    s->at = _mm_sub_epi32(_mm_add_epi32(s->base, child), _mm_castps_si128(right));
}

AN_TARGET("sse2") AN_INLINE void finish4(const walk4 *s, const an_node *nodes, float *path)
{
    __m128 cut, lo, hi;
    __m128i link;
    nodes4(nodes, s->at, &cut, &link, &lo, &hi);
    _mm_storeu_ps(path, _mm_add_ps(s->path, _mm_mul_ps(s->weight, cut)));
}

AN_TARGET("sse2") AN_INLINE void start4(walk4 *s, __m128i base)
{
    s->base = base;
    s->at = _mm_add_epi32(base, _mm_set1_epi32(1));
    s->weight = _mm_set1_ps(1.0f);
    s->path = _mm_setzero_ps();
}

AN_TARGET("sse2") AN_INLINE void group4(const an_walk *w, uint32_t group, const float *code, int missing, float *path)
{
    const __m128i leaf = _mm_set1_epi32((int)w->features);
    const int stride = (int)w->stride;
    walk4 s[4];
    for (int k = 0; k < 4; k++) {
        int first = ((int)group * 16 + 4 * k) * stride;
        start4(&s[k], _mm_setr_epi32(first, first + stride, first + 2 * stride, first + 3 * stride));
    }
    for (uint32_t level = 0; level < w->depth; level++)
        for (int k = 0; k < 4; k++)
            step4(&s[k], w->nodes, code, leaf, missing);
    for (int k = 0; k < 4; k++)
        finish4(&s[k], w->nodes, path + 4 * k);
}

AN_TARGET("sse2") void an_walk_sse2(const an_walk *w, const float *code, uint32_t rows, float *path)
{
    for (uint32_t g = 0; g < w->groups; g++) {
        for (uint32_t r = 0; r < rows; r++) {
            if (w->missing)
                group4(w, g, code + (size_t)r * w->code_pitch, 1, path + r * w->path_pitch + g * 16);
            else
                group4(w, g, code + (size_t)r * w->code_pitch, 0, path + r * w->path_pitch + g * 16);
        }
    }
}

AN_TARGET("sse2") AN_INLINE __m128i load_ints4(const uint32_t *at)
{
    return _mm_loadu_si128((const __m128i *)(const void *)at);
}

AN_TARGET("sse2") AN_INLINE __m128 low_bits4(const uint32_t *at)
{
    return _mm_cvtepi32_ps(_mm_and_si128(load_ints4(at), _mm_set1_epi32(0xffffff)));
}

AN_TARGET("sse2") AN_INLINE __m128 choose4(__m128 a, __m128 b, __m128 mask)
{
    return _mm_or_ps(_mm_and_ps(mask, b), _mm_andnot_ps(mask, a));
}

#define JUDGE_NAME            judge4
#define JUDGE_TARGET          AN_TARGET("sse2")
#define JUDGE_FLOATS          __m128
#define JUDGE_INTS            __m128i
#define JUDGE_OP(name)        _mm_##name##_ps
#define JUDGE_SET             _mm_set1_ps
#define JUDGE_LOAD_INTS       load_ints4
#define JUDGE_LOW_BITS        low_bits4
#define JUDGE_PICK            codes4
#define JUDGE_ORDERED(a)      _mm_cmpord_ps(a, a)
#define JUDGE_NOT_ABOVE(a, b) _mm_cmple_ps(a, b)
#define JUDGE_NOT_BELOW(a, b) _mm_cmpge_ps(a, b)
#define JUDGE_CHOOSE          choose4
#include "forest/kernels/judge.h"

AN_TARGET("sse2") uint32_t an_judge_sse2(const an_sample *s, const an_row *row, uint32_t n, an_cuts *c, float *block)
{
    (void)s;
    an_sums t = {{0}, {0}, {0}, {0}};
    for (uint32_t j = 0; j < c->count; j += 4)
        judge4(row, n, c, &t, block, j);
    return an_gains_of(c, &t, n);
}

#endif
