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

/* Range, cut and sums of 4 candidates; the gain is taken from the sums later. */
AN_TARGET("sse2") AN_INLINE void judge4(const an_row *row, uint32_t n, an_cuts *c, an_sums *t, float *block, uint32_t j)
{
    const __m128i feature = _mm_loadu_si128((const __m128i *)(const void *)(c->feature + j));
    const __m128 one = _mm_set1_ps(1.0f), zero = _mm_setzero_ps();
    __m128 lo = _mm_set1_ps(AN_CODE_LIMIT), hi = _mm_set1_ps(-AN_CODE_LIMIT), present = zero;
    for (uint32_t i = 0; i < n; i++) {
        __m128 v = codes4(row[i], feature);
        _mm_storeu_ps(block + (size_t)i * 16 + j, v);
        lo = _mm_min_ps(v, lo); /* the second operand where one is NaN */
        hi = _mm_max_ps(v, hi);
        present = _mm_add_ps(present, _mm_and_ps(_mm_cmpord_ps(v, v), one));
    }
    __m128i low = _mm_and_si128(_mm_loadu_si128((const __m128i *)(const void *)(c->low + j)), _mm_set1_epi32(0xffffff));
    __m128 part = _mm_mul_ps(_mm_cvtepi32_ps(low), _mm_set1_ps(0x1p-24f));
    __m128 cut = _mm_add_ps(lo, _mm_mul_ps(part, _mm_sub_ps(hi, lo))), over = _mm_cmpge_ps(cut, hi);
    cut = _mm_or_ps(_mm_and_ps(over, lo), _mm_andnot_ps(over, cut));
    const __m128 centre = _mm_mul_ps(_mm_set1_ps(0.5f), _mm_add_ps(lo, hi));
    __m128 below = zero, left = zero, sum = zero, square = zero;
    for (uint32_t i = 0; i < n; i++) {
        __m128 v = _mm_loadu_ps(block + (size_t)i * 16 + j);
        __m128 z = _mm_and_ps(_mm_cmpord_ps(v, v), _mm_sub_ps(v, centre)), under = _mm_cmple_ps(v, cut);
        below = _mm_add_ps(below, _mm_and_ps(under, one));
        left = _mm_add_ps(left, _mm_and_ps(under, z));
        sum = _mm_add_ps(sum, z);
        square = _mm_add_ps(square, _mm_mul_ps(z, z));
    }
    _mm_storeu_ps(c->lo + j, lo);
    _mm_storeu_ps(c->hi + j, hi);
    _mm_storeu_ps(c->cut + j, cut);
    _mm_storeu_ps(c->present + j, present);
    _mm_storeu_ps(t->below + j, below);
    _mm_storeu_ps(t->left + j, left);
    _mm_storeu_ps(t->sum + j, sum);
    _mm_storeu_ps(t->square + j, square);
}

AN_TARGET("sse2") uint32_t an_judge_sse2(const an_sample *s, const an_row *row, uint32_t n, an_cuts *c, float *block)
{
    (void)s;
    an_sums t = {{0}, {0}, {0}, {0}};
    for (uint32_t j = 0; j < c->count; j += 4)
        judge4(row, n, c, &t, block, j);
    return an_gains_of(c, &t, n);
}

#endif
