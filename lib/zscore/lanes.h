/* SPDX-License-Identifier: MIT */
/* Defines the kernels of zscore/rows.c for one vector width, and the table of these kernels. The file is included
 * once for each instruction set, with
 *   LANES_NAME(name)   the name for this instruction set
 *   LANES_TARGET       the function attribute that allows its instructions, or nothing
 *   LANES_WIDTH        doubles in a vector: 2, 4 or 8
 *   LANES_TURN         copies four rows of four doubles into four columns
 *   LANES_SQRT         the square roots of a vector
 *
 * Each lane is one block, and does exactly what the short paths of an_moments_add() and an_moments_join_about() do,
 * in the same order: so the bits are those of the loop. Where a lane would need another path, the kernels say so.
 * (score_batch() alone is for zscore/batch.c, whose lanes are events of one stretch.) */

typedef double LANES_NAME(vector) __attribute__((vector_size(LANES_WIDTH * 8), aligned(8), may_alias));
typedef int64_t LANES_NAME(mask) __attribute__((vector_size(LANES_WIDTH * 8), aligned(8), may_alias));
#define VECTOR           LANES_NAME(vector)
#define MASK             LANES_NAME(mask)
#define VECTOR_AT(place) (*(VECTOR *)(void *)(place))

/* Finds the lanes whose d is neither zero nor a deviation of scale 0 (an_is_ordinary). Comparisons with NaN are
 * false, so NaN is extraordinary. */
#define EXTRAORDINARY(d)                                                                                           \
    (~(((VECTOR)((MASK)(d)&INT64_MAX) >= AN_DEVIATION_MIN) & ((VECTOR)((MASK)(d)&INT64_MAX) < AN_DEVIATION_MAX)) & \
     ~((d) == 0.0))

typedef struct LANES_NAME(lane_sums) {
    VECTOR hi, lo, m2;
} LANES_NAME(lane_sums);
#define SUMS LANES_NAME(lane_sums)

#define SUMS_AT(sums, lane)                                                                            \
    {                                                                                                  \
        VECTOR_AT((sums)->hi + (lane)), VECTOR_AT((sums)->lo + (lane)), VECTOR_AT((sums)->m2 + (lane)) \
    }
#define STORE_SUMS(sums, lane, from)                \
    do {                                            \
        VECTOR_AT((sums)->hi + (lane)) = (from).hi; \
        VECTOR_AT((sums)->lo + (lane)) = (from).lo; \
        VECTOR_AT((sums)->m2 + (lane)) = (from).m2; \
    } while (0)

/* Adds the value at distance d from the mean in each lane by one Welford step: an_moments_add() and an_mean_add(). */
#define ADD_DISTANCE(d, s, inverse_n)                                \
    do {                                                             \
        VECTOR t_ = (d) * (inverse_n);                               \
        (s).m2 += (d) * ((d)-t_);                                    \
        VECTOR hi_ = (s).hi + (s).lo, lo_ = (s).lo - (hi_ - (s).hi); \
        VECTOR sum_ = hi_ + t_, rest_ = sum_ - hi_;                  \
        (s).hi = sum_;                                               \
        (s).lo = (hi_ - (sum_ - rest_)) + ((t_ - rest_) + lo_);      \
    } while (0)

/* Adds x in each lane, which is known to be ordinary. */
#define ADD(x, s, inverse_n)                 \
    do {                                     \
        VECTOR d_ = ((x) - (s).hi) - (s).lo; \
        ADD_DISTANCE(d_, s, inverse_n);      \
    } while (0)

/* Adds x in each lane and notes in `bad` where it is not ordinary. */
#define ADD_CHECKED(x, s, inverse_n, bad)    \
    do {                                     \
        VECTOR d_ = ((x) - (s).hi) - (s).lo; \
        (bad) |= EXTRAORDINARY(d_);          \
        ADD_DISTANCE(d_, s, inverse_n);      \
    } while (0)

/* Each step of a sum waits for the one before, so two vectors of lanes go side by side where there are two. */
#define SECOND (LANES_WIDTH < LANE_COUNT ? LANES_WIDTH : 0)

/* Reads rows [row, row + rows) of eight blocks, side by side: to[i][lane] = from[lane][row + i]. */
static LANES_TARGET void LANES_NAME(load_blocks)(const double *const *from, size_t row, size_t rows, double *to,
                                                 size_t to_stride)
{
    const size_t whole = rows & ~(size_t)3;
    for (size_t lane = 0; lane < LANE_COUNT; lane += 4) {
        const double *a = from[lane] + row, *b = from[lane + 1] + row, *c = from[lane + 2] + row, *d = from[lane + 3] + row;
        double *at = to + lane;
        for (size_t i = 0; i < whole; i += 4, at += 4 * to_stride)
            LANES_TURN(a + i, b + i, c + i, d + i, at, to_stride);
        for (size_t i = whole; i < rows; i++, at += to_stride)
            for (size_t k = 0; k < 4; k++)
                at[k] = from[lane + k][row + i];
    }
}

/* Writes `rows` values of each of eight blocks, which begin `block` apart: to[lane][i] = from[i][lane]. */
static LANES_TARGET void LANES_NAME(store_blocks)(const double *from, size_t from_stride, double *to, size_t block,
                                                  size_t rows)
{
    const size_t whole = rows & ~(size_t)3;
    for (size_t lane = 0; lane < LANE_COUNT; lane += 4, to += 4 * block) {
        const double *at = from + lane;
        for (size_t i = 0; i < whole; i += 4, at += 4 * from_stride)
            LANES_TURN(at, at + from_stride, at + 2 * from_stride, at + 3 * from_stride, to + i, block);
        for (size_t i = whole; i < rows; i++, at += from_stride)
            for (size_t k = 0; k < 4; k++)
                to[k * block + i] = at[k];
    }
}

/* Copies values that need not be aligned, without negative zeros. */
static LANES_TARGET void LANES_NAME(copy_values)(const char *from, ptrdiff_t stride, double *to, size_t count)
{
    if (stride == (ptrdiff_t)sizeof(double))
        for (size_t i = 0; i < count; i++)
            to[i] = an_load_double(from + i * sizeof(double)) + 0.0;
    else
        for (size_t i = 0; i < count; i++)
            to[i] = an_load_double(from + (ptrdiff_t)i * stride) + 0.0;
}

static inline LANES_TARGET int LANES_NAME(is_any_set)(const MASK *mask)
{
    int64_t lanes[LANES_WIDTH], any = 0;
    memcpy(lanes, mask, sizeof lanes);
    for (int i = 0; i < LANES_WIDTH; i++)
        any |= lanes[i];
    return any != 0;
}

/* Goes on summing: the new blocks upwards (work->total), the old ones downwards (work->suffix), with the next rows of
 * each in work->x and work->hi. `done` rows have been summed before. Returns whether all were ordinary. */
static LANES_TARGET int LANES_NAME(sum_rows)(an_lanes *work, size_t rows, size_t done)
{
    MASK bad = {0};
    for (size_t lane = 0; lane < LANE_COUNT; lane += LANES_WIDTH + SECOND) {
        SUMS new_a = SUMS_AT(&work->total, lane), new_b = SUMS_AT(&work->total, lane + SECOND);
        SUMS old_a = SUMS_AT(&work->suffix, lane), old_b = SUMS_AT(&work->suffix, lane + SECOND);
        const double *new_row = work->x + lane, *old_row = work->hi + (rows - 1) * OLD_BLOCKS + 1 + lane;
        size_t p = done;
        if (p == 0) { /* the first value is the mean, whatever its scale; + 0.0: no negative zero */
            new_a.hi = VECTOR_AT(new_row) + 0.0;
            new_b.hi = VECTOR_AT(new_row + SECOND) + 0.0;
            old_a.hi = VECTOR_AT(old_row) + 0.0;
            old_b.hi = VECTOR_AT(old_row + SECOND) + 0.0;
            new_row += LANE_COUNT;
            old_row -= OLD_BLOCKS;
            p++;
        }
        for (; p < done + rows; p++, new_row += LANE_COUNT, old_row -= OLD_BLOCKS) {
            double inverse_n = work->inverse[p];
            ADD_CHECKED(VECTOR_AT(new_row), new_a, inverse_n, bad);
            ADD_CHECKED(VECTOR_AT(old_row), old_a, inverse_n, bad);
            if (SECOND) {
                ADD_CHECKED(VECTOR_AT(new_row + SECOND), new_b, inverse_n, bad);
                ADD_CHECKED(VECTOR_AT(old_row + SECOND), old_b, inverse_n, bad);
            }
        }
        STORE_SUMS(&work->total, lane, new_a);
        STORE_SUMS(&work->suffix, lane, old_a);
        if (SECOND) {
            STORE_SUMS(&work->total, lane + SECOND, new_b);
            STORE_SUMS(&work->suffix, lane + SECOND, old_b);
        }
    }
    return !LANES_NAME(is_any_set)(&bad);
}

/* Makes the suffixes of a tile once more, from the sums behind the tile, which are of `done` rows. In: values in
 * work->hi; out: hi, lo, m2. The first row is added to an empty stretch, which gives the row itself. */
static LANES_TARGET void LANES_NAME(make_suffixes)(an_lanes *work, const lanes_sums *behind, size_t rows, size_t done)
{
    for (size_t lane = 0; lane < LANE_COUNT; lane += LANES_WIDTH + SECOND) {
        SUMS a = SUMS_AT(behind, lane), b = SUMS_AT(behind, lane + SECOND);
        size_t at = (rows - 1) * OLD_BLOCKS + 1 + lane;
        for (size_t p = done; p < done + rows; p++, at -= OLD_BLOCKS) {
            double inverse_n = work->inverse[p];
            ADD(VECTOR_AT(work->hi + at), a, inverse_n);
            if (SECOND) {
                ADD(VECTOR_AT(work->hi + at + SECOND), b, inverse_n);
                STORE_SUMS(work, at + SECOND, b);
            }
            STORE_SUMS(work, at, a);
        }
    }
}

/* Judges the events of a tile against the window before them: the suffix from q on, the middle, the prefix, which
 * goes on from work->open. Each result takes the place of what it was made from: the deviation (NaN where another
 * path is needed) that of hi, the spread that of lo, the mean that of m2, the score towards the watched side that of
 * x. Returns whether there is an event that the columns cannot tell: the deviation is NaN, or the spread 0. The roots
 * and quotients of one event run beside the sums of the next, which is why all is in one loop. */
static inline LANES_TARGET int LANES_NAME(judge_lanes)(an_lanes *work, const lanes_tile *t, size_t block, size_t lane)
{
    const lanes_middle *middle = &work->middle[t->which];
    const VECTOR zero = {0}, least = zero + work->least_spread, inverse_n = zero + work->inverse_n,
                 inverse_divisor = zero + work->inverse_divisor;
    const MASK keep = (MASK)zero + work->keep, less = (MASK)zero + work->negate;
    SUMS open = SUMS_AT(&work->open, lane);
    const SUMS mid = SUMS_AT(&middle->sums, lane);
    MASK always = *(const MASK *)(const void *)(middle->bad + lane), odd = {0};
    if (t->p == 0) { /* an empty prefix lies at no distance */
        open.hi = mid.hi;
        open.lo = mid.lo;
    }
    size_t at = lane + t->which;
    VECTOR old_n = zero + (double)(uint32_t)(block - t->q), new_n = zero + (double)(uint32_t)t->p;
    double *row = work->x + lane;
    for (size_t p = t->p; p < t->end; p++, at += OLD_BLOCKS, row += LANE_COUNT) {
        VECTOR x = VECTOR_AT(row) + 0.0;
        VECTOR da = (VECTOR_AT(work->hi + at) - mid.hi) + (VECTOR_AT(work->lo + at) - mid.lo);
        VECTOR db = (open.hi - mid.hi) + (open.lo - mid.lo);
        VECTOR sa = da * old_n, sb = db * new_n;
        old_n -= 1.0;
        new_n += 1.0;
        VECTOR sum = sa + sb, distance = sum * inverse_n;
        VECTOR all_m2 = (VECTOR_AT(work->m2 + at) + mid.m2 + open.m2) + ((da * sa + db * sb) - sum * distance);
        VECTOR all_lo = mid.lo + distance, deviation = (x - mid.hi) - all_lo;
        MASK bad = always | EXTRAORDINARY(sa) | EXTRAORDINARY(sb);
        bad |= ~((VECTOR)((MASK)deviation & INT64_MAX) < AN_DEVIATION_MAX);
        deviation = (VECTOR)((MASK)deviation | bad); /* all bits set: NaN */
        VECTOR root = all_m2 * inverse_divisor;
        root = LANES_SQRT(root);
        MASK small = root < least;
        root = (VECTOR)((small & (MASK)least) | (~small & (MASK)root));
        odd |= bad | (root == 0.0);
        VECTOR score = (VECTOR)((MASK)(deviation / root) & keep);
        VECTOR_AT(row) = (VECTOR)((less & (MASK)(0.0 - score)) | (~less & (MASK)score));
        VECTOR_AT(work->hi + at) = deviation;
        VECTOR_AT(work->lo + at) = root;
        VECTOR_AT(work->m2 + at) = mid.hi + all_lo;
        if (p == 0) {
            open.hi = x;
            open.lo = open.m2;
            continue;
        }
        ADD(x, open, work->inverse[p]);
    }
    STORE_SUMS(&work->open, lane, open);
    return LANES_NAME(is_any_set)(&odd);
}

static LANES_TARGET int LANES_NAME(judge_rows)(an_lanes *work, const lanes_tile *t, size_t block)
{
    int odd = 0;
    for (size_t lane = 0; lane < LANE_COUNT; lane += LANES_WIDTH)
        odd |= LANES_NAME(judge_lanes)(work, t, block, lane);
    return odd;
}

static LANES_TARGET size_t LANES_NAME(count_anomalies)(const double *score, size_t count, const anomaly_config *config)
{
    double threshold = config->threshold;
    size_t anomalies = 0;
    if (config->compare == ANOMALY_GT)
        for (size_t i = 0; i < count; i++)
            anomalies += score[i] > threshold;
    else
        for (size_t i = 0; i < count; i++)
            anomalies += score[i] >= threshold;
    return anomalies;
}

/* Scores a batch (zscore/batch.h): does what judge_lanes() does with the sums of a window, for events whose sums are
 * there already. */
static LANES_TARGET int LANES_NAME(score_batch)(an_batch *b)
{
    const VECTOR zero = {0}, least = zero + b->least_spread;
    const MASK keep = (MASK)zero + b->keep, less = (MASK)zero + b->negate;
    MASK flat = {0};
    for (size_t i = 0; i < AN_BATCH_EVENTS; i += LANES_WIDTH) {
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
    return LANES_NAME(is_any_set)(&flat);
}

static const lanes_kernels LANES_NAME(lanes_kernels) = {
    .load_blocks = LANES_NAME(load_blocks),
    .store_blocks = LANES_NAME(store_blocks),
    .copy_values = LANES_NAME(copy_values),
    .sum_rows = LANES_NAME(sum_rows),
    .make_suffixes = LANES_NAME(make_suffixes),
    .judge_rows = LANES_NAME(judge_rows),
    .count_anomalies = LANES_NAME(count_anomalies),
    .score_batch = LANES_NAME(score_batch),
};

#undef ADD
#undef ADD_CHECKED
#undef ADD_DISTANCE
#undef SECOND
#undef STORE_SUMS
#undef SUMS_AT
#undef SUMS
#undef EXTRAORDINARY
#undef VECTOR_AT
#undef MASK
#undef VECTOR
#undef LANES_NAME
#undef LANES_TARGET
#undef LANES_WIDTH
#undef LANES_TURN
#undef LANES_SQRT
