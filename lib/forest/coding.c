/* SPDX-License-Identifier: MIT */
/* Codes features as floats: code = (x - origin) / spread.
 *
 * Origin and spread are the median of nine events of the window and the median distance from it. They need not be
 * exact: a coding is good as long as the present spread is not small beside the distance from the origin. Each event
 * learned checks its share of the features, so that no event bears the cost of all. When a feature has moved far from
 * its coding, a new coding begins: trees grown from then on use the new coding, and until the last tree of the old
 * coding is renewed, an event is coded in both (the example is in forest.h). */
#include "forest/forest.h"

/* Finds the median: the value that has n/2 others before it, where equal values count in their order. The loop has no
 * branch that the processor could predict wrongly. */
static double median_few(const double *v, uint32_t n)
{
    double median = 0.0;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t before = 0;
        for (uint32_t j = 0; j < n; j++)
            before += (v[j] < v[i]) | ((v[j] == v[i]) & (j < i));
        median = before == n / 2 ? v[i] : median;
    }
    return median;
}

static double inverse_of(double spread)
{
    if (spread > 0x1p1000)
        return 0x1p-1000;
    return spread < 0x1p-1000 ? 0x1p1000 : 1.0 / spread;
}

/* Takes the present values of the feature in nine events spread over the window; returns how many. */
static uint32_t probe(const an_forest *f, uint32_t feature, double *v)
{
    const an_window *window = f->window;
    uint64_t count = an_window_count(window);
    uint32_t n = 0;
    for (uint32_t k = 0; k < AN_PROBED_EVENTS; k++) {
        v[n] = an_window_event(window, window->tail + (k * count + count / 2) / AN_PROBED_EVENTS)[feature];
        n += v[n] == v[n];
    }
    return n;
}

/* Returns a spread that is not 0: where the spread is, the feature's last step; where the feature has never changed,
 * the size of its value. */
static double spread_or_else(const an_forest *f, uint32_t feature, double origin, double spread)
{
    if (!(spread > 0.0))
        spread = f->step[feature];
    if (!(spread > 0.0))
        spread = origin < 0.0 ? -origin : origin;
    return spread > 0.0 ? spread : 1.0;
}

/* Finds the median distance from the origin. The values are lost. */
static double spread_of(const an_forest *f, uint32_t feature, double origin, double *v, uint32_t n)
{
    for (uint32_t k = 0; k < n; k++)
        v[k] = v[k] > origin ? v[k] - origin : origin - v[k];
    return spread_or_else(f, feature, origin, median_few(v, n));
}

/* Finds the pending coding of one feature. A feature that is missing in all nine events keeps its coding. */
static void find_coding(an_forest *f, uint32_t feature)
{
    double v[AN_PROBED_EVENTS], origin = 0.0, inverse = 1.0;
    uint32_t n = probe(f, feature, v);
    if (n) {
        origin = median_few(v, n);
        inverse = inverse_of(spread_of(f, feature, origin, v, n));
    } else if (f->coded) {
        origin = f->coding[f->now].origin[feature];
        inverse = f->coding[f->now].inverse[feature];
    }
    f->pending.origin[feature] = origin;
    f->pending.inverse[feature] = inverse;
}

/* ---- eight features at a time: eight features of an event lie in one or two lines of the cache ---- */

typedef double eight[AN_PROBED_FEATURES];

/* Takes `count` features from `first` on in nine events; returns 0 when a value is missing. */
static int probe_group(const an_forest *f, uint32_t first, uint32_t count, eight *v)
{
    const an_window *window = f->window;
    uint64_t events = an_window_count(window);
    double sum = 0.0;
    memset(v, 0, AN_PROBED_EVENTS * sizeof *v);
    for (uint32_t k = 0; k < AN_PROBED_EVENTS; k++) {
        const double *event = an_window_event(window, window->tail + (k * events + events / 2) / AN_PROBED_EVENTS);
        memcpy(v[k], event + first, count * sizeof(double));
        for (uint32_t i = 0; i < AN_PROBED_FEATURES; i++)
            sum += v[k][i] - v[k][i];
    }
    return sum == 0.0;
}

/* Does find_coding() for a group of up to eight features. */
static void find_group(an_forest *f, uint32_t first)
{
    eight v[AN_PROBED_EVENTS], origin, spread;
    uint32_t count = f->values - first < AN_PROBED_FEATURES ? f->values - first : AN_PROBED_FEATURES;
    if (!probe_group(f, first, count, v)) {
        for (uint32_t i = first; i < first + count; i++)
            find_coding(f, i);
        return;
    }
    f->k.centre(v, origin, spread);
    for (uint32_t i = 0; i < count; i++) {
        f->pending.origin[first + i] = origin[i];
        f->pending.inverse[first + i] = inverse_of(spread_or_else(f, first + i, origin[i], spread[i]));
    }
}

/* Returns how many features have been checked after `part` of `parts` events: whole groups, or all. */
static uint32_t looked_at(const an_forest *f, uint64_t part, uint64_t parts)
{
    uint64_t groups = (f->values + AN_PROBED_FEATURES - 1) / AN_PROBED_FEATURES,
             count = part * groups / parts * AN_PROBED_FEATURES;
    return count < f->values ? (uint32_t)count : f->values;
}

/* Asks for a new coding when the feature's present spread is small beside its distance from the origin, or its scale
 * has changed so much that codes may be clamped. */
static void check_feature(an_forest *f, uint32_t feature)
{
    const an_coding *g = &f->coding[f->now], *p = &f->pending;
    double away = (p->origin[feature] - g->origin[feature]) * p->inverse[feature];
    double scale = p->inverse[feature] / g->inverse[feature];
    if (!(away <= 256.0) || !(away >= -256.0) || !(scale > 0x1p-20) || !(scale < 0x1p40))
        f->wanted = 1;
}

/* Makes the pending coding that of new trees. */
static void adopt_coding(an_forest *f)
{
    f->now ^= 1u;
    f->number++;
    an_coding old = f->coding[f->now];
    f->coding[f->now] = f->pending;
    f->pending = old;
    f->older = f->built;
    f->coded = 1;
}

/* Checks the next features, and changes the coding at the end of a round in which that was asked for, unless trees of
 * the coding before the present one are left: there are never more than two codings. */
static void check_next(an_forest *f)
{
    uint32_t from = looked_at(f, f->check, AN_CHECK_EVENTS), to = looked_at(f, f->check + 1, AN_CHECK_EVENTS);
    for (uint32_t i = from; i < to; i += AN_PROBED_FEATURES)
        find_group(f, i);
    for (uint32_t i = from; i < to; i++)
        check_feature(f, i);
    if (++f->check < AN_CHECK_EVENTS)
        return;
    f->check = 0;
    if (f->wanted && f->older == 0) {
        adopt_coding(f);
        f->wanted = 0;
    }
}

/* Finds the first coding, a slice with each event, during the second half of the events before the first tree. */
static void begin_coding(an_forest *f, uint32_t count)
{
    uint32_t half = AN_FIRST_TREE_EVENTS / 2, slice = count - half;
    for (uint32_t i = looked_at(f, slice, half); slice < half && i < looked_at(f, slice + 1, half); i += AN_PROBED_FEATURES)
        find_group(f, i);
    if (count == AN_FIRST_TREE_EVENTS)
        adopt_coding(f);
}

void an_forest_check_coding(an_forest *f)
{
    uint32_t count = an_forest_count(f);
    if (f->coded)
        check_next(f);
    else if (count >= AN_FIRST_TREE_EVENTS / 2)
        begin_coding(f, count);
}

uint32_t an_forest_coding_left(const an_forest *f)
{
    return AN_CHECK_EVENTS - 1 - f->check;
}

/* Returns how many features this round has checked: it finds the others again before the coding is adopted. */
uint32_t an_forest_pending(const an_forest *f)
{
    uint32_t half = AN_FIRST_TREE_EVENTS / 2, count = an_forest_count(f);
    if (f->coded)
        return looked_at(f, f->check, AN_CHECK_EVENTS);
    return count < half ? 0 : looked_at(f, count + 1 - half, half);
}

void an_forest_code_anew(an_forest *f)
{
    for (uint32_t i = 0; i < f->values; i += AN_PROBED_FEATURES)
        find_group(f, i);
    adopt_coding(f);
    f->older = 0;
    f->check = 0;
    f->wanted = 0;
}

/* ---- events ---- */

/* The places of an event's codes, of the number of their coding, and of the event's hash. A piece of memory holds the
 * codes of all its events, then all numbers, then all hashes. */
typedef struct coded {
    float *code;
    uint32_t *coding; /* number << 1, 0: there are no codes; bit 0: a value is missing */
    uint32_t *hash;
} coded;

size_t an_forest_code_bytes(uint32_t pitch)
{
    return pitch * sizeof(float) + 2 * sizeof(uint32_t);
}

static uint32_t *codings_of(const an_forest *f, uint32_t piece)
{
    return (uint32_t *)(void *)((float *)(void *)f->codes.piece[piece] + (size_t)an_segments_rows(piece) * f->pitch);
}

static coded coded_at(const an_forest *f, uint64_t index)
{
    uint64_t slot = index & f->window->mask;
    uint32_t piece = an_segments_piece(slot);
    size_t k = (size_t)(slot - an_segments_before(piece));
    uint32_t *coding = codings_of(f, piece) + k;
    return (coded){(float *)(void *)f->codes.piece[piece] + k * f->pitch, coding, coding + an_segments_rows(piece)};
}

void an_forest_clear_codes(an_forest *f, uint32_t first_piece)
{
    for (uint32_t piece = first_piece; piece < f->codes.pieces; piece++)
        memset(codings_of(f, piece), 0, (size_t)an_segments_rows(piece) * sizeof(uint32_t));
}

static void code_event(const an_forest *f, const double *x, coded to)
{
    const an_coding *g = &f->coding[f->now];
    int missing = f->k.encode(x, g->origin, g->inverse, f->values, to.code);
    *to.coding = f->number << 1 | (missing != 0);
}

/* Copies the codes of the values that are ready in whole vectors, for which both arrays have room. */
static void copy_codes(const an_forest *f, coded to)
{
    for (uint32_t i = 0; i < f->pitch; i += AN_FOREST_LANES)
        memcpy(to.code + i, f->ready + i, AN_FOREST_LANES * sizeof *to.code);
    *to.coding = f->number << 1;
}

static const float *codes_at(an_forest *f, uint64_t index, int *missing)
{
    coded event = coded_at(f, index);
    if (*event.coding >> 1 != f->number)
        code_event(f, an_window_event(f->window, index), event);
    *missing |= (int)(*event.coding & 1u);
    return event.code;
}

an_row an_forest_code_event(an_forest *f, uint64_t age, uint32_t row, int *missing)
{
    uint64_t index = f->window->tail + (f->lags - 1) + age;
    if (f->lags == 1)
        return codes_at(f, index, missing);
    float *room = f->lagged + (size_t)row * f->row_pitch;
    for (uint32_t lag = 0; lag < f->lags; lag++)
        memcpy(room + (size_t)lag * f->values, codes_at(f, index - lag, missing), f->values * sizeof *room);
    return room;
}

/* The codes are mostly those of the window. The kernel may write a vector beyond what it is asked for, so the events
 * come in the order of their places. */
int an_forest_encode_lags(const an_forest *f, uint32_t side, uint64_t index, float *code)
{
    const an_coding *g = &f->coding[side];
    int missing = 0;
    for (uint32_t lag = 1; lag < f->lags; lag++) {
        coded event = coded_at(f, index - lag);
        float *to = code + (size_t)lag * f->values;
        if (side == f->now && *event.coding >> 1 == f->number) {
            memcpy(to, event.code, f->values * sizeof *to);
            missing |= (int)(*event.coding & 1u);
        } else {
            missing |= f->k.encode(an_window_event(f->window, index - lag), g->origin, g->inverse, f->values, to);
        }
    }
    code[f->features] = AN_CODE_PAD;
    return missing;
}

/* Keeps what a later event needs of this one. The codes are made from x: to load from the window, which has just been
 * written by stores of another width, would wait for these stores. An event with an infinity is coded from the window,
 * which has NaN in its place. */
void an_forest_note_event(an_forest *f, const double *x)
{
    uint64_t newest = f->window->head - 1;
    const double *event = an_window_event(f->window, newest);
    coded to = coded_at(f, newest);
    int infinite = 0;
    if (an_window_count(f->window) > 1)
        infinite = f->k.note(x, an_window_event(f->window, newest - 1), f->values, f->step);
    *to.coding = 0;
    *to.hash = an_forest_hash(f, newest, event);
    if (f->ready)
        copy_codes(f, to);
    else if (f->coded)
        code_event(f, infinite ? event : x, to);
}
