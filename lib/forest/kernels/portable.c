/* SPDX-License-Identifier: MIT */
/* The forest's kernels in plain C, and which ones a processor gets. */
#include "forest/kernels/kernels.h"

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

static void walk_trees(const an_walk *w, const float *code, uint32_t rows, float *path)
{
    for (uint32_t r = 0; r < rows; r++)
        for (uint32_t t = 0; t < w->groups * AN_FOREST_LANES; t++)
            path[(size_t)r * w->path_pitch + t] =
                walk_one(w->nodes + (size_t)t * w->stride, w->depth, w->features, code + (size_t)r * w->code_pitch);
}

static int encode_event(const double *x, const double *origin, const double *inverse, uint32_t n, float *code)
{
    return an_encode_inline(x, origin, inverse, n, code);
}

double an_sum_portable(const float *path, uint32_t groups)
{
    float lane[AN_FOREST_LANES] = {0};
    double sum[AN_FOREST_LANES];
    for (uint32_t g = 0; g < groups; g++)
        for (uint32_t j = 0; j < AN_FOREST_LANES; j++)
            lane[j] += path[g * AN_FOREST_LANES + j];
    for (uint32_t j = 0; j < AN_FOREST_LANES; j++)
        sum[j] = (double)lane[j];
    for (uint32_t w = AN_FOREST_LANES / 2; w > 0; w /= 2)
        for (uint32_t j = 0; j < w; j++)
            sum[j] += sum[j + w];
    return sum[0];
}

static void put_in_order(double *restrict a, double *restrict b)
{
    for (uint32_t k = 0; k < AN_PROBED_FEATURES; k++) {
        double x = a[k], y = b[k];
        a[k] = x < y ? x : y;
        b[k] = x < y ? y : x;
    }
}

static void median_nine(double (*v)[AN_PROBED_FEATURES], double *median)
{
    for (uint32_t i = 0; i < AN_MEDIAN_EXCHANGES; i++)
        put_in_order(v[an_exchange[i][0]], v[an_exchange[i][1]]);
    memcpy(median, v[AN_PROBED_EVENTS / 2], sizeof *v);
}

static void find_centres(double (*v)[AN_PROBED_FEATURES], double *median, double *distance)
{
    median_nine(v, median);
    for (uint32_t k = 0; k < AN_PROBED_EVENTS; k++)
        for (uint32_t i = 0; i < AN_PROBED_FEATURES; i++)
            v[k][i] = v[k][i] > median[i] ? v[k][i] - median[i] : median[i] - v[k][i];
    median_nine(v, distance);
}

static int note_steps(const double *x, const double *before, uint32_t n, double *restrict step)
{
    uint32_t i = 0;
    int infinite = 0;
#ifdef AN_X86
    const __m128d zero = _mm_setzero_pd(), sign = _mm_set1_pd(-0.0), most = _mm_set1_pd(0x1.fffffffffffffp+1023);
    for (; i + 2 <= n; i += 2) {
        __m128d v = _mm_loadu_pd(x + i), s = _mm_loadu_pd(step + i), over = _mm_cmpgt_pd(_mm_andnot_pd(sign, v), most);
        __m128d d = _mm_andnot_pd(sign, _mm_sub_pd(v, _mm_loadu_pd(before + i)));
        __m128d moved = _mm_andnot_pd(over, _mm_cmpgt_pd(d, zero));
        infinite |= _mm_movemask_pd(over);
        _mm_storeu_pd(step + i, _mm_or_pd(_mm_and_pd(moved, d), _mm_andnot_pd(moved, s)));
    }
#endif
    for (; i < n; i++) {
        double d = x[i] > before[i] ? x[i] - before[i] : before[i] - x[i], s = step[i];
        int over = isinf(x[i]) != 0;
        infinite |= over;
        step[i] = d > 0.0 && !over ? d : s;
    }
    return infinite;
}

uint32_t an_load_column_portable(uint32_t feature, const an_row *row, uint32_t n, float *column, float *lo, float *hi)
{
    return an_load_column_inline(feature, row, n, column, lo, hi);
}

/* Takes the candidates' codes, their range and how many are present. */
static void load_candidates(const an_row *row, uint32_t n, an_cuts *c, float *block)
{
    for (uint32_t j = 0; j < AN_FOREST_LANES; j++) {
        c->lo[j] = AN_CODE_LIMIT;
        c->hi[j] = -AN_CODE_LIMIT;
        c->present[j] = 0.0f;
    }
    for (uint32_t i = 0; i < n; i++) {
        float *to = block + (size_t)i * AN_FOREST_LANES;
        for (uint32_t j = 0; j < AN_FOREST_LANES; j++)
            to[j] = row[i][c->feature[j]];
        for (uint32_t j = 0; j < AN_FOREST_LANES; j++) {
            c->lo[j] = to[j] < c->lo[j] ? to[j] : c->lo[j];
            c->hi[j] = to[j] > c->hi[j] ? to[j] : c->hi[j];
            c->present[j] += to[j] == to[j] ? 1.0f : 0.0f;
        }
    }
}

static uint32_t judge_cuts(const an_sample *s, const an_row *row, uint32_t n, an_cuts *restrict c, float *restrict block)
{
    float centre[AN_FOREST_LANES];
    an_sums t = {{0}, {0}, {0}, {0}};
    (void)s;
    load_candidates(row, n, c, block);
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

static uint32_t part_rows(const float *value, uint32_t step, float cut, int stray, const an_row *from, uint32_t n,
                          an_row *to)
{
    float instead = stray ? AN_CODE_LIMIT * 2 : -AN_CODE_LIMIT * 2;
    uint32_t over = 0;
    for (uint32_t i = 0; i < n; i++) {
        float x = value[i * step];
        over += (x == x ? x : instead) > cut;
    }
    uint32_t left = 0, right = n - over;
    for (uint32_t i = 0; i < n; i++) {
        float x = value[i * step];
        uint32_t goes = (x == x ? x : instead) > cut;
        to[left + ((right - left) & (0u - goes))] = from[i];
        left += 1 - goes;
        right += goes;
    }
    return n - over;
}

an_forest_kernels an_forest_kernels_for(int simd)
{
    an_forest_kernels k = {
        .walk = walk_trees,
        .encode = encode_event,
        .sum = an_sum_portable,
        .centre = find_centres,
        .note = note_steps,
        .load_column = an_load_column_portable,
        .judge = judge_cuts,
        .part = part_rows,
        .explain = an_explain_portable,
    };
#ifdef AN_X86
    if (simd == ANOMALY_SIMD_PORTABLE) {
        k.walk = an_walk_sse2;
        k.judge = an_judge_sse2;
    } else if (simd == ANOMALY_SIMD_AVX2) {
        k.walk = an_walk_avx2;
        k.encode = an_encode_avx2;
        k.judge = an_judge_avx2;
    } else if (simd == ANOMALY_SIMD_AVX512) {
        k.walk = an_walk_avx512;
        k.encode = an_encode_avx512;
        k.sum = an_sum_avx512;
        k.centre = an_centre_avx512;
        k.note = an_note_avx512;
        k.load_column = an_load_column_avx512;
        k.judge = an_judge_avx512;
        k.part = an_part_avx512;
        k.explain = an_explain_avx512;
    }
#else
    (void)simd;
#endif
    return k;
}
