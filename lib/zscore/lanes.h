/* SPDX-License-Identifier: MIT */
/* The kernels of zscore/rows.c for one vector width. Included once per path with
 *   LANES_NAME(name)   the name for this path
 *   LANES_TARGET       the function attribute that allows its instructions, or nothing
 *   LANES_WIDTH        doubles in a vector: 2, 4 or 8
 *   LANES_TURN         transposes four rows of four doubles; not used with a width of 2
 *   LANES_SQRT         the square roots of a vector
 *
 * Every lane is one block, and does exactly what the short paths of an_moments_add() and an_moments_join_about() do, in
 * the same order: so the bits are those of the loop. Where a lane would need another path, the kernels say so. (scores() alone is for
 * zscore/batch.c, whose lanes are events of one stretch.) */

typedef double LANES_NAME(vector) __attribute__((vector_size(LANES_WIDTH * 8), aligned(8), may_alias));
typedef int64_t LANES_NAME(mask) __attribute__((vector_size(LANES_WIDTH * 8), aligned(8), may_alias));
#define VECTOR           LANES_NAME(vector)
#define MASK             LANES_NAME(mask)
#define VECTOR_AT(place) (*(VECTOR *)(void *)(place))

/* Not zero and outside the deviations of scale 0 (an_is_ordinary). Comparisons with NaN are false, so NaN is extraordinary. */
#define EXTRAORDINARY(d)                                                                                           \
    (~(((VECTOR)((MASK)(d)&INT64_MAX) >= AN_DEVIATION_MIN) & ((VECTOR)((MASK)(d)&INT64_MAX) < AN_DEVIATION_MAX)) & \
     ~((d) == 0.0))

/* One Welford step in each lane: an_moments_add() and an_mean_add(). */
#define ADD(x, hi, lo, m2, inverse_n, bad)                      \
    do {                                                        \
        VECTOR d_ = ((x) - (hi)) - (lo), t_ = d_ * (inverse_n); \
        (bad) |= EXTRAORDINARY(d_);                             \
        (m2) += d_ * (d_ - t_);                                 \
        VECTOR hi_ = (hi) + (lo), lo_ = (lo) - (hi_ - (hi));    \
        VECTOR sum_ = hi_ + t_, rest_ = sum_ - hi_;             \
        (hi) = sum_;                                            \
        (lo) = (hi_ - (sum_ - rest_)) + ((t_ - rest_) + lo_);   \
    } while (0)

/* to[c][r] = from[r][c]; strides in doubles. */
static LANES_TARGET void LANES_NAME(transpose)(const double *from, size_t from_stride, double *to, size_t to_stride,
                                               size_t rows, size_t columns)
{
    size_t whole_rows = LANES_WIDTH > 2 ? rows & ~(size_t)3 : 0, whole_columns = whole_rows ? columns & ~(size_t)3 : 0;
    for (size_t r = 0; r < whole_rows; r += 4)
        for (size_t c = 0; c < whole_columns; c += 4) {
            LANES_TURN(from + r * from_stride + c, from_stride, to + c * to_stride + r, to_stride);
        }
    for (size_t r = 0; r < rows; r++)
        for (size_t c = r < whole_rows ? whole_columns : 0; c < columns; c++)
            to[c * to_stride + r] = from[r * from_stride + c];
}

/* Values that need not be aligned, no negative zeros. */
static LANES_TARGET void LANES_NAME(copy)(const char *from, ptrdiff_t stride, double *to, size_t count)
{
    if (stride == (ptrdiff_t)sizeof(double))
        for (size_t i = 0; i < count; i++)
            to[i] = an_load_double(from + i * sizeof(double)) + 0.0;
    else
        for (size_t i = 0; i < count; i++)
            to[i] = an_load_double(from + (ptrdiff_t)i * stride) + 0.0;
}

/* No negative zeros; returns how many are not finite. */
static LANES_TARGET size_t LANES_NAME(settle)(double *values, size_t count)
{
    size_t unknown = 0;
    for (size_t i = 0; i < count; i++) {
        values[i] += 0.0;
        unknown += !(fabs(values[i]) < (double)INFINITY);
    }
    return unknown;
}

static inline LANES_TARGET int LANES_NAME(any)(const int64_t *mask)
{
    int64_t any = 0;
    for (int i = 0; i < LANES_WIDTH; i++)
        any |= mask[i];
    return any != 0;
}

/* Totals of the new blocks (work->x) and suffixes of the old ones (in: values in work->hi; out: hi, lo, m2), lanes
 * [lane, lane + WIDTH). Returns 0 when a value needs another path. */
static LANES_TARGET int LANES_NAME(tables)(an_lanes *work, size_t block, size_t lane)
{
    const size_t end = (block - 1) * COLUMNS + 1 + lane;
    VECTOR new_hi = VECTOR_AT(work->x + lane), new_lo = {0}, new_m2 = {0};
    VECTOR old_hi = VECTOR_AT(work->hi + end), old_lo = {0}, old_m2 = {0};
    MASK bad = {0};
    VECTOR_AT(work->lo + end) = old_lo;
    VECTOR_AT(work->m2 + end) = old_m2;
    for (size_t p = 1, q = end - COLUMNS; p < block; p++, q -= COLUMNS) {
        double inverse_n = 1.0 / (double)(uint32_t)(p + 1);
        VECTOR x = VECTOR_AT(work->x + p * LANES + lane), y = VECTOR_AT(work->hi + q);
        ADD(x, new_hi, new_lo, new_m2, inverse_n, bad);
        ADD(y, old_hi, old_lo, old_m2, inverse_n, bad);
        VECTOR_AT(work->hi + q) = old_hi;
        VECTOR_AT(work->lo + q) = old_lo;
        VECTOR_AT(work->m2 + q) = old_m2;
        work->inverse[p] = inverse_n;
    }
    VECTOR_AT(work->total_hi + lane) = new_hi;
    VECTOR_AT(work->total_lo + lane) = new_lo;
    VECTOR_AT(work->total_m2 + lane) = new_m2;
    int64_t flags[LANES_WIDTH];
    memcpy(flags, &bad, sizeof flags);
    return !LANES_NAME(any)(flags);
}

/* The events of a tile, judged against the window before them: the suffix from q on, the middle, the prefix, which goes on
 * from work->open. Out: deviation, spread, score towards the watched side, mean; the deviation is NaN where another path
 * is needed. Returns whether there is an event that the columns cannot tell: the deviation is NaN, or the spread 0.
 * The roots and quotients of one event run beside the sums of the next, which is why all is in one loop. */
static LANES_TARGET int LANES_NAME(judge)(an_lanes *work, const tile *t, size_t block, size_t lane)
{
    const an_lanes_middle *middle = &work->middle[t->which];
    const VECTOR zero = {0}, least = zero + work->least_spread;
    const MASK keep = (MASK)zero + work->keep, less = (MASK)zero + work->negate;
    VECTOR hi = VECTOR_AT(work->open.hi + lane), lo = VECTOR_AT(work->open.lo + lane), m2 = VECTOR_AT(work->open.m2 + lane);
    VECTOR middle_hi = VECTOR_AT(middle->hi + lane), middle_lo = VECTOR_AT(middle->lo + lane),
           middle_m2 = VECTOR_AT(middle->m2 + lane);
    MASK always = *(const MASK *)(const void *)(middle->bad + lane), unused = {0}, odd = {0};
    if (t->p == 0) { /* an empty prefix lies at no distance */
        hi = middle_hi;
        lo = middle_lo;
    }
    size_t q = t->q * COLUMNS + lane + t->which, old_n = block - t->q, out = lane;
    for (size_t p = t->p; p < t->end; p++, q += COLUMNS, old_n--, out += LANES) {
        VECTOR x = VECTOR_AT(work->x + p * LANES + lane);
        VECTOR da = (VECTOR_AT(work->hi + q) - middle_hi) + (VECTOR_AT(work->lo + q) - middle_lo);
        VECTOR db = (hi - middle_hi) + (lo - middle_lo);
        VECTOR sa = da * (double)(uint32_t)old_n, sb = db * (double)(uint32_t)p;
        VECTOR sum = sa + sb, distance = sum * work->inverse_n;
        VECTOR all_m2 = (VECTOR_AT(work->m2 + q) + middle_m2 + m2) + ((da * sa + db * sb) - sum * distance);
        VECTOR all_lo = middle_lo + distance, deviation = (x - middle_hi) - all_lo;
        MASK bad = always | EXTRAORDINARY(sa) | EXTRAORDINARY(sb);
        bad |= ~((VECTOR)((MASK)deviation & INT64_MAX) < AN_DEVIATION_MAX);
        deviation = (VECTOR)((MASK)deviation | bad); /* all bits set: NaN */
        VECTOR root = all_m2 * work->inverse_divisor;
        root = LANES_SQRT(root);
        MASK small = root < least;
        root = (VECTOR)((small & (MASK)least) | (~small & (MASK)root));
        odd |= bad | (root == 0.0);
        VECTOR score = (VECTOR)((MASK)(deviation / root) & keep);
        VECTOR_AT(work->score + out) = (VECTOR)((less & (MASK)(0.0 - score)) | (~less & (MASK)score));
        VECTOR_AT(work->deviation + out) = deviation;
        VECTOR_AT(work->spread + out) = root;
        VECTOR_AT(work->mean + out) = middle_hi + all_lo;
        if (p == 0) {
            hi = x;
            lo = m2;
            continue;
        }
        ADD(x, hi, lo, m2, work->inverse[p], unused);
    }
    VECTOR_AT(work->open.hi + lane) = hi;
    VECTOR_AT(work->open.lo + lane) = lo;
    VECTOR_AT(work->open.m2 + lane) = m2;
    int64_t flags[LANES_WIDTH];
    memcpy(flags, &odd, sizeof flags);
    return LANES_NAME(any)(flags);
}

static LANES_TARGET size_t LANES_NAME(anomalies)(const an_lanes *work, size_t count, const anomaly_config *config)
{
    double threshold = config->threshold;
    size_t anomalies = 0;
    if (config->compare == ANOMALY_GT)
        for (size_t i = 0; i < count; i++)
            anomalies += work->score[i] > threshold;
    else
        for (size_t i = 0; i < count; i++)
            anomalies += work->score[i] >= threshold;
    return anomalies;
}

/* zscore/batch.h: what judge() does with the sums of a window, for events whose sums are there already. */
static LANES_TARGET int LANES_NAME(scores)(an_batch *b)
{
    const VECTOR zero = {0}, least = zero + b->least_spread;
    const MASK keep = (MASK)zero + b->keep, less = (MASK)zero + b->negate;
    MASK flat = {0};
    for (size_t i = 0; i < AN_BATCH; i += LANES_WIDTH) {
        VECTOR root = VECTOR_AT(b->m2 + i) * (1.0 / VECTOR_AT(b->divisor + i));
        root = LANES_SQRT(root);
        MASK small = root < least;
        root = (VECTOR)((small & (MASK)least) | (~small & (MASK)root));
        MASK none = root == 0.0;
        flat |= none;
        VECTOR score = (VECTOR)((MASK)(VECTOR_AT(b->deviation + i) / root) & keep);
        score = (VECTOR)((less & (MASK)(0.0 - score)) | (~less & (MASK)score));
        VECTOR_AT(b->spread + i) = root;
        VECTOR_AT(b->score + i) = (VECTOR)((MASK)score | none); /* all bits set: NaN */
    }
    int64_t flags[LANES_WIDTH];
    memcpy(flags, &flat, sizeof flags);
    return LANES_NAME(any)(flags);
}

#undef ADD
#undef EXTRAORDINARY
#undef VECTOR_AT
#undef MASK
#undef VECTOR
#undef LANES_NAME
#undef LANES_TARGET
#undef LANES_WIDTH
#undef LANES_TURN
#undef LANES_SQRT
