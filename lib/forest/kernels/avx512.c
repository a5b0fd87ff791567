/* SPDX-License-Identifier: MIT */
/* The walk with AVX-512: 16 lanes. Explanations too, by the same steps. */
#include "forest/kernels/avx512.h"

#ifdef AN_X86

typedef struct walk16 {
    __m512i base, at; /* twice the number of a node: in units of 8 bytes, which addresses can be told in */
    __m512 weight, path;
} walk16;

typedef struct look16 { /* an event's codes */
    __m512 low, high;
    const float *code;
} look16;

typedef struct fixed16 {
    __m512i leaf;
} fixed16;

AN_AVX512 AN_INLINE __m512 look_up16(const look16 *l, __m512i feature, enum an_look look)
{
    static const uint32_t vector[8] = {0, 16, 32, 48, 64, 80, 96, 112};
    if (look == AN_LOOK_16)
        return _mm512_permutexvar_ps(feature, l->low);
    if (look == AN_LOOK_32)
        return _mm512_permutex2var_ps(l->low, feature, l->high);
    if (look == AN_LOOK_FAR)
        return _mm512_i32gather_ps(feature, l->code, 4);
    return an_pick128(l->code, vector, feature, look);
}

typedef struct node16 {
    __m512 cut, lo, hi;
    __m512i link;
} node16;

AN_AVX512 AN_INLINE __m128 node_at(const an_node *nodes, uint32_t at)
{
    return _mm_loadu_ps((const float *)(const void *)nodes + (size_t)at * 2);
}

/* Four nodes, one a quarter of the vector. */
AN_AVX512 AN_INLINE __m512 quarters16(const an_node *nodes, const uint32_t *at)
{
    __m512 z = _mm512_castps128_ps512(node_at(nodes, at[0]));
    z = _mm512_insertf32x4(z, node_at(nodes, at[4]), 1);
    z = _mm512_insertf32x4(z, node_at(nodes, at[8]), 2);
    return _mm512_insertf32x4(z, node_at(nodes, at[12]), 3);
}

/* 16 whole nodes loaded and transposed: cheaper than gathers. */
AN_AVX512 AN_INLINE node16 fetch16(const walk16 *s, const an_node *nodes)
{
    uint32_t at[16];
    _mm512_storeu_si512(at, s->at);
    __m512 a = quarters16(nodes, at), b = quarters16(nodes, at + 1), c = quarters16(nodes, at + 2),
           d = quarters16(nodes, at + 3);
    __m512 ab0 = _mm512_unpacklo_ps(a, b), cd0 = _mm512_unpacklo_ps(c, d);
    __m512 ab1 = _mm512_unpackhi_ps(a, b), cd1 = _mm512_unpackhi_ps(c, d);
    node16 n;
    n.cut = _mm512_shuffle_ps(ab0, cd0, 0x44);
    n.link = _mm512_castps_si512(_mm512_shuffle_ps(ab0, cd0, 0xee));
    n.lo = _mm512_shuffle_ps(ab1, cd1, 0x44);
    n.hi = _mm512_shuffle_ps(ab1, cd1, 0xee);
    return n;
}

/* Slot `slot` of the first levels, in the lanes of m. */
AN_AVX512 AN_INLINE void fetch_top(node16 *n, const an_top *top, uint32_t slot, __mmask16 m)
{
    n->cut = _mm512_mask_loadu_ps(n->cut, m, top->cut[slot]);
    n->link = _mm512_mask_loadu_epi32(n->link, m, top->link[slot]);
    n->lo = _mm512_mask_loadu_ps(n->lo, m, top->lo[slot]);
    n->hi = _mm512_mask_loadu_ps(n->hi, m, top->hi[slot]);
}

typedef struct went16 {
    __mmask16 inner, right; /* lanes that stood at an inner node; that went right */
} went16;

AN_AVX512 AN_INLINE went16 advance16(walk16 *s, const node16 *n, const look16 *l, const fixed16 *c, enum an_look look,
                                     int missing)
{
    const __m512 cut = n->cut, lo = n->lo, hi = n->hi;
    const __m512i link = n->link;
    __m512i feature = _mm512_srli_epi32(link, AN_LINK_FEATURE);
    __m512 v = look_up16(l, feature, look);
    __mmask16 right = _mm512_cmp_ps_mask(v, cut, _CMP_GT_OQ);
    if (missing)
        right |=
            _mm512_cmp_ps_mask(v, v, _CMP_UNORD_Q) & _mm512_test_epi32_mask(link, _mm512_set1_epi32((int)AN_LINK_STRAY));
    __m512i child = _mm512_and_si512(_mm512_slli_epi32(link, 1), _mm512_set1_epi32((int)(2 * AN_LINK_CHILD)));
    child = _mm512_add_epi32(s->base, child);
    s->at = _mm512_mask_add_epi32(child, right, child, _mm512_set1_epi32(2));
    __m512 excess = _mm512_max_ps(_mm512_sub_ps(lo, v), _mm512_sub_ps(v, hi));
    __mmask16 out = _mm512_cmp_ps_mask(excess, _mm512_setzero_ps(), _CMP_GT_OQ);
    __m512 range = _mm512_sub_ps(hi, lo), x = _mm512_add_ps(range, excess), two = _mm512_set1_ps(2.0f);
    __m512 y = _mm512_castsi512_ps(_mm512_sub_epi32(_mm512_set1_epi32((int)AN_RECIPROCAL), _mm512_castps_si512(x)));
    y = _mm512_mul_ps(y, _mm512_sub_ps(two, _mm512_mul_ps(x, y)));
    y = _mm512_mul_ps(y, _mm512_sub_ps(two, _mm512_mul_ps(x, y)));
    s->weight = _mm512_mask_mul_ps(s->weight, out, s->weight, _mm512_mul_ps(range, y));
    __mmask16 inner = _mm512_cmplt_epu32_mask(feature, c->leaf);
    s->path = _mm512_mask_add_ps(s->path, inner, s->path, s->weight);
    return (went16){inner, right};
}

AN_AVX512 AN_INLINE void top16(walk16 *s, const an_top *top, const look16 *l, const fixed16 *c, enum an_look look,
                               int missing)
{
    node16 n = {_mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_si512()};
    fetch_top(&n, top, 0, 0xffff);
    __mmask16 a = advance16(s, &n, l, c, look, missing).right;
    fetch_top(&n, top, 1, 0xffff);
    fetch_top(&n, top, 2, a);
    __mmask16 b = advance16(s, &n, l, c, look, missing).right;
    fetch_top(&n, top, 3, 0xffff);
    fetch_top(&n, top, 4, (__mmask16)(~a & b));
    fetch_top(&n, top, 5, (__mmask16)(a & ~b));
    fetch_top(&n, top, 6, a & b);
    advance16(s, &n, l, c, look, missing);
}

AN_AVX512 AN_INLINE void finish16(const walk16 *s, const an_node *nodes, float *path)
{
    __m512 value = _mm512_i32gather_ps(s->at, (const float *)(const void *)nodes, 8);
    _mm512_storeu_ps(path, _mm512_add_ps(s->path, _mm512_mul_ps(s->weight, value)));
}

AN_AVX512 AN_INLINE void start16(walk16 *s, __m512i base)
{
    s->base = base;
    s->at = _mm512_add_epi32(base, _mm512_set1_epi32(2));
    s->weight = _mm512_set1_ps(1.0f);
    s->path = _mm512_setzero_ps();
}

/* `wide` walkers in lockstep, a compile-time constant after inlining: walker k does row r + k * by_row of group
 * g + k * by_group. */
typedef struct span16 {
    uint32_t row, group, by_row, by_group;
} span16;

AN_AVX512 AN_INLINE void run16(const an_walk *w, const float *code, float *path, span16 p, uint32_t wide, enum an_look look,
                               int missing)
{
    const __m512i lane = an_lanes16();
    const fixed16 c = {_mm512_set1_epi32((int)w->features)};
    const __m512i step = _mm512_mullo_epi32(lane, _mm512_set1_epi32((int)(2 * w->stride)));
    walk16 s[4];
    look16 l[4];
    uint32_t level = 0, inner = 1;
    for (uint32_t k = 0; k < wide; k++) {
        uint32_t group = p.group + k * p.by_group;
        start16(&s[k], _mm512_add_epi32(step, _mm512_set1_epi32((int)(group * 16 * 2 * w->stride))));
        l[k].code = code + (size_t)(p.row + k * p.by_row) * w->code_pitch;
        l[k].low = look <= AN_LOOK_32 ? _mm512_loadu_ps(l[k].code) : _mm512_setzero_ps();
        l[k].high = look == AN_LOOK_32 ? _mm512_loadu_ps(l[k].code + 16) : l[k].low;
    }
    if (w->depth > AN_TOP_LEVELS) {
        for (uint32_t k = 0; k < wide; k++)
            top16(&s[k], w->top + p.group + k * p.by_group, &l[k], &c, look, missing);
        level = AN_TOP_LEVELS;
    }
    for (; level < w->depth && inner; level++) {
        inner = 0;
        for (uint32_t k = 0; k < wide; k++) {
            node16 n = fetch16(&s[k], w->nodes);
            inner |= advance16(&s[k], &n, &l[k], &c, look, missing).inner;
        }
    }
    for (uint32_t k = 0; k < wide; k++)
        finish16(&s[k], w->nodes,
                 path + (size_t)(p.row + k * p.by_row) * w->path_pitch + (size_t)(p.group + k * p.by_group) * 16);
}

/* One event: groups side by side.  Rows: four rows side by side in one group, which stays in the first-level cache. */
AN_AVX512 AN_INLINE void walk_rows16(const an_walk *w, const float *code, uint32_t rows, float *path, enum an_look look,
                                     int missing)
{
    uint32_t done = rows / 4 * 4;
    for (uint32_t g = 0; g < w->groups; g++)
        for (uint32_t r = 0; r < done; r += 4)
            run16(w, code, path, (span16){r, g, 1, 0}, 4, look, missing);
    for (uint32_t r = done; r < rows; r++) {
        uint32_t g = 0;
        for (; g + 4 <= w->groups; g += 4)
            run16(w, code, path, (span16){r, g, 0, 1}, 4, look, missing);
        if (g + 3 == w->groups)
            run16(w, code, path, (span16){r, g, 0, 1}, 3, look, missing);
        else if (g + 2 == w->groups)
            run16(w, code, path, (span16){r, g, 0, 1}, 2, look, missing);
        else if (g < w->groups)
            run16(w, code, path, (span16){r, g, 0, 1}, 1, look, missing);
    }
}

AN_AVX512 void an_walk_avx512(const an_walk *w, const float *code, uint32_t rows, float *path)
{
    if (w->missing)
        walk_rows16(w, code, rows, path, AN_LOOK_FAR, 1);
    else if (w->features < 16)
        walk_rows16(w, code, rows, path, AN_LOOK_16, 0);
    else if (w->features < 32)
        walk_rows16(w, code, rows, path, AN_LOOK_32, 0);
    else if (w->features < 64)
        walk_rows16(w, code, rows, path, AN_LOOK_64, 0);
    else if (w->features < 128)
        walk_rows16(w, code, rows, path, AN_LOOK_128, 0);
    else
        walk_rows16(w, code, rows, path, AN_LOOK_FAR, 0);
}

AN_AVX512 double an_sum_avx512(const float *path, uint32_t groups)
{
    __m512 lane = _mm512_loadu_ps(path); /* adding it to 0 would change nothing: a path is not -0 */
    for (uint32_t g = 1; g < groups; g++)
        lane = _mm512_add_ps(lane, _mm512_loadu_ps(path + (size_t)g * 16));
    __m512d eight =
        _mm512_add_pd(_mm512_cvtps_pd(_mm512_castps512_ps256(lane)), _mm512_cvtps_pd(_mm512_extractf32x8_ps(lane, 1)));
    __m256d four = _mm256_add_pd(_mm512_castpd512_pd256(eight), _mm512_extractf64x4_pd(eight, 1));
    __m128d two = _mm_add_pd(_mm256_castpd256_pd128(four), _mm256_extractf128_pd(four, 1));
    return _mm_cvtsd_f64(_mm_add_sd(two, _mm_unpackhi_pd(two, two)));
}

/* ---- explanations ---- */

typedef struct explain16 {
    walk16 walk;
    __m512 expected;
} explain16;

/* A step of a group's walks; returns the lanes that stood at an inner node. */
AN_AVX512 static uint32_t explain_step(const an_walk *w, const look16 *l, const float *typical, uint32_t lanes, explain16 *s,
                                       float *share)
{
    const __m512i lane = an_lanes16();
    const fixed16 c = {_mm512_set1_epi32((int)w->features)};
    uint32_t place[16];
    float change[16];
    node16 n = fetch16(&s->walk, w->nodes);
    __mmask16 inner = advance16(&s->walk, &n, l, &c, AN_LOOK_FAR, 1).inner;
    __m512i feature = _mm512_srli_epi32(n.link, AN_LINK_FEATURE);
    __m512 rest = _mm512_i32gather_ps(s->walk.at, typical, 2);
    __m512 after = _mm512_add_ps(s->walk.path, _mm512_mul_ps(s->walk.weight, rest));
    _mm512_storeu_ps(change, _mm512_maskz_sub_ps((__mmask16)lanes, s->expected, after));
    _mm512_storeu_si512(place, _mm512_mask_add_epi32(feature, (__mmask16)~inner, feature, lane));
    s->expected = after;
    an_add_changes(place, change, share);
    return inner;
}

AN_AVX512 void an_explain_avx512(const an_walk *w, const float *code, const float *typical, const uint16_t *lanes,
                                 float *share)
{
    const __m512i lane = an_lanes16();
    const __m512i step = _mm512_mullo_epi32(lane, _mm512_set1_epi32((int)(2 * w->stride)));
    const look16 l = {_mm512_setzero_ps(), _mm512_setzero_ps(), code};
    explain16 s[AN_EXPLAIN_GROUPS];
    for (uint32_t g = 0; g < w->groups; g += AN_EXPLAIN_GROUPS) {
        uint32_t wide = w->groups - g < AN_EXPLAIN_GROUPS ? w->groups - g : AN_EXPLAIN_GROUPS, inner = 1;
        for (uint32_t k = 0; k < wide; k++) {
            start16(&s[k].walk, _mm512_add_epi32(step, _mm512_set1_epi32((int)((g + k) * 16 * 2 * w->stride))));
            s[k].expected = _mm512_i32gather_ps(s[k].walk.at, typical, 2);
        }
        for (uint32_t level = 0; level <= w->depth && inner; level++) {
            inner = 0;
            for (uint32_t k = 0; k < wide; k++)
                inner |= explain_step(w, &l, typical, lanes[g + k], &s[k], share);
        }
    }
}

#endif
