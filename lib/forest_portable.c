/* SPDX-License-Identifier: MIT */
/* The forest's kernels in plain C, and which ones a processor gets. */
#include "forest_kernels.h"

#include "anomaly.h"

static float walk_one(const an_node *tree, uint32_t depth, uint32_t features, const float *code)
{
    float weight = 1.0f, path = 0.0f;
    uint32_t at = 1;
    for (uint32_t level = 0; level < depth; level++) {
        const an_node *node = &tree[at];
        uint32_t feature = node->link >> AN_LINK_FEATURE;
        if (feature == features)
            break; /* a leaf walks to itself */
        float v = code[feature];
        uint32_t right = v > node->cut;
        if (v != v)
            right = (node->link & AN_LINK_STRAY) != 0;
        weight = weight * an_range_share(node->lo, node->hi, v);
        path = path + weight;
        at = (node->link & AN_LINK_CHILD) + right;
    }
    return path + weight * tree[at].cut;
}

static void walk(const an_walk *w, const float *code, uint32_t rows, float *path)
{
    for (uint32_t r = 0; r < rows; r++)
        for (uint32_t t = 0; t < w->groups * AN_FOREST_LANES; t++)
            path[(size_t)r * w->path_pitch + t] =
                walk_one(w->nodes + (size_t)t * w->stride, w->depth, w->features, code + (size_t)r * w->code_pitch);
}

static int encode(const double *x, const double *origin, const double *inverse, uint32_t n, float *code)
{
    return an_encode_inline(x, origin, inverse, n, code);
}

static int note(const double *restrict x, uint32_t n, double *restrict last, double *restrict step)
{
    uint32_t i = 0;
    int infinite = 0;
#ifdef AN_X86
    const __m128d zero = _mm_setzero_pd(), sign = _mm_set1_pd(-0.0), nan = _mm_set1_pd((double)NAN);
    for (; i + 2 <= n; i += 2) {
        __m128d v = _mm_loadu_pd(x + i), s = _mm_loadu_pd(step + i), finite = _mm_cmpeq_pd(_mm_sub_pd(v, v), zero);
        infinite |= _mm_movemask_pd(_mm_andnot_pd(finite, _mm_cmpord_pd(v, v)));
        v = _mm_or_pd(_mm_and_pd(finite, v), _mm_andnot_pd(finite, nan));
        __m128d d = _mm_andnot_pd(sign, _mm_sub_pd(v, _mm_loadu_pd(last + i))), moved = _mm_cmpgt_pd(d, zero);
        _mm_storeu_pd(step + i, _mm_or_pd(_mm_and_pd(moved, d), _mm_andnot_pd(moved, s)));
        _mm_storeu_pd(last + i, v);
    }
#endif
    for (; i < n; i++) {
        double v = x[i] - x[i] == 0.0 ? x[i] : (double)NAN, b = last[i], d = v > b ? v - b : b - v, s = step[i];
        infinite |= (v != v) & (x[i] == x[i]);
        step[i] = d > 0.0 ? d : s;
        last[i] = v;
    }
    return infinite;
}

uint32_t an_load_column_portable(const an_sample *s, uint32_t feature, const uint32_t *index, uint32_t n, float *column,
                                 float *lo, float *hi)
{
    float least = AN_CODE_LIMIT, most = -AN_CODE_LIMIT;
    uint32_t present = 0;
    for (uint32_t i = 0; i < n; i++) {
        float c = s->code[(size_t)index[i] * s->pitch + feature];
        column[i] = c;
        least = c < least ? c : least;
        most = c > most ? c : most;
        present += c == c;
    }
    *lo = least;
    *hi = most;
    return present;
}

/* Takes the candidates' codes, their range and how many are present. */
static void load_candidates(const an_sample *s, const uint32_t *index, uint32_t n, an_cuts *c, float *block)
{
    for (uint32_t j = 0; j < AN_FOREST_LANES; j++) {
        c->lo[j] = AN_CODE_LIMIT;
        c->hi[j] = -AN_CODE_LIMIT;
        c->present[j] = 0.0f;
    }
    for (uint32_t i = 0; i < n; i++) {
        const float *row = s->code + (size_t)index[i] * s->pitch;
        float *to = block + (size_t)i * AN_FOREST_LANES;
        for (uint32_t j = 0; j < AN_FOREST_LANES; j++)
            to[j] = row[c->feature[j]];
        for (uint32_t j = 0; j < AN_FOREST_LANES; j++) {
            c->lo[j] = to[j] < c->lo[j] ? to[j] : c->lo[j];
            c->hi[j] = to[j] > c->hi[j] ? to[j] : c->hi[j];
            c->present[j] += to[j] == to[j] ? 1.0f : 0.0f;
        }
    }
}

static uint32_t judge(const an_sample *s, const uint32_t *index, uint32_t n, an_cuts *restrict c, float *restrict block)
{
    float centre[AN_FOREST_LANES];
    an_sums t = {{0}, {0}, {0}, {0}};
    load_candidates(s, index, n, c, block);
    for (uint32_t j = 0; j < AN_FOREST_LANES; j++) {
        c->cut[j] = an_cut_at(c->lo[j], c->hi[j], c->low[j]);
        centre[j] = 0.5f * (c->lo[j] + c->hi[j]);
    }
    for (uint32_t i = 0; i < n; i++) {
        const float *v = block + (size_t)i * AN_FOREST_LANES;
        for (uint32_t j = 0; j < AN_FOREST_LANES; j++) {
            float z = v[j] == v[j] ? v[j] - centre[j] : 0.0f;
            t.below[j] += v[j] <= c->cut[j] ? 1.0f : 0.0f;
            t.left[j] += v[j] <= c->cut[j] ? z : 0.0f;
            t.sum[j] += z;
            t.square[j] += z * z;
        }
    }
    return an_gains_of(c, &t, n);
}

static uint32_t part(const float *value, uint32_t step, float cut, int stray, uint32_t *index, uint32_t n, uint32_t *room)
{
    float instead = stray ? AN_CODE_LIMIT * 2 : -AN_CODE_LIMIT * 2;
    uint32_t left = 0, right = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t event = index[i];
        float x = value[i * step];
        x = x == x ? x : instead;
        uint32_t goes = x > cut;
        index[left] = event; /* left <= i: written over or not needed any more */
        room[right] = event;
        left += 1 - goes;
        right += goes;
    }
    memcpy(index + left, room, right * sizeof *index);
    return left;
}

an_kernels an_kernels_for(int simd)
{
    an_kernels k = {walk, encode, note, an_load_column_portable, judge, part};
#ifdef AN_X86
    if (simd == ANOMALY_SIMD_PORTABLE)
        k.walk = an_walk_sse2;
    else if (simd == ANOMALY_SIMD_AVX2)
        k = (an_kernels){an_walk_avx2, an_encode_avx2, note, an_load_column_portable, an_judge_avx2, part};
    else if (simd == ANOMALY_SIMD_AVX512)
        k = (an_kernels){an_walk_avx512,        an_encode_avx512, an_note_avx512,
                         an_load_column_avx512, an_judge_avx512,  an_part_avx512};
#else
    (void)simd;
#endif
    return k;
}
