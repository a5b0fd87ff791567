/* SPDX-License-Identifier: MIT */
#include "window/word.h"

#include "anomaly.h"
#include "base/logarithm.h"

#include <math.h>

#define MOST        1e6 /* spreads: beyond it rounding would decide between gains */
#define LEAST_STEP  1e-6
#define LONG_SPIKE  8u   /* spike, of values */
#define LEAST_RUN   5u   /* of equal values, to be stuck */
#define LEAST_OTHER 16.0 /* gain: whatever gains as much is no quiet */

/* The surprises, and what they follow from. */
typedef struct surprises {
    uint32_t n;
    double e[AN_WORD_VALUES];
    double sum[AN_WORD_VALUES + 1]; /* of the first so many */
    double follow, scale;           /* p, sqrt(1 - p^2) */
} surprises;

typedef struct explanation {
    uint32_t word;
    double gain;
} explanation;

static double within(double x, double most)
{
    return x > most ? most : x < -most ? -most : x;
}

/* Without a usual spread the largest deviation is the unit. */
static double unit_of(const an_recent *recent)
{
    double unit = recent->spread;
    for (uint32_t i = 0; i < recent->n && !(recent->spread > 0); i++)
        unit = fabs(recent->deviation[i]) > unit ? fabs(recent->deviation[i]) : unit;
    return unit > 0 ? unit : 1;
}

static void surprise(const an_recent *recent, surprises *s)
{
    double unit = unit_of(recent), before = 0, step = recent->step;
    step = step >= LEAST_STEP && step <= 4 - LEAST_STEP ? step : step < LEAST_STEP ? LEAST_STEP : 2;
    s->scale = sqrt(0.5 * step * (2 - 0.5 * step));
    s->n = recent->n;
    s->follow = 1 - 0.5 * step;
    s->sum[0] = 0;
    for (uint32_t i = 0; i < s->n; i++) {
        double u = within(recent->deviation[i] / unit, MOST);
        s->e[i] = i == 0 ? u : (u - s->follow * before) / s->scale;
        s->sum[i + 1] = s->sum[i] + s->e[i];
        before = u;
    }
}

static void consider(explanation *best, uint32_t word, double gain)
{
    if (gain > best->gain)
        *best = (explanation){word, gain};
}

/* Values from `from` on lie elsewhere, up to `end`: after it the usual is back. Without a price for the length one
 * value near the usual would end a shift. */
static void consider_stretch(const surprises *s, uint32_t from, uint32_t end, explanation *best)
{
    double unit = from == 0 ? s->scale : 1; /* nothing foretold the first value */
    double rest = (1 - s->follow) / unit, back = end < s->n ? s->follow / unit : 0;
    double match = s->e[from] + rest * (s->sum[end] - s->sum[from + 1]) - (end < s->n ? back * s->e[end] : 0);
    double size = 1 + rest * rest * (double)(end - from - 1) + back * back;
    int is_spike = end < s->n ? end - from <= LONG_SPIKE : end - from == 1;
    int is_over = end < s->n && !is_spike;
    uint32_t side = (match > 0) != is_over ? ANOMALY_ABOVE : ANOMALY_BELOW;
    uint32_t longer = end - from - 1, price = end == s->n ? 0 : longer < LONG_SPIKE ? longer : LONG_SPIKE;
    consider(best, (is_spike ? ANOMALY_SPIKE : ANOMALY_SHIFT) | side, match * match / size - price);
}

static explanation best_stretch(const surprises *s)
{
    explanation best = {ANOMALY_SPIKE | (s->e[s->n - 1] > 0 ? ANOMALY_ABOVE : ANOMALY_BELOW), 0};
    for (uint32_t from = s->n; from-- > 0;)
        for (uint32_t end = from + 1; end <= s->n; end++)
            consider_stretch(s, from, end, &best);
    return best;
}

static void consider_spreads(const surprises *s, explanation *noisier, explanation *quieter)
{
    double squares = 0, n = 0;
    for (uint32_t from = s->n; from-- > 0;) {
        squares += s->e[from] * s->e[from];
        n++;
        double r = squares / n, gain = n * (r - 1 - an_log(r > 1e-30 ? r : 1e-30));
        consider(r > 1 ? noisier : quieter, r > 1 ? ANOMALY_NOISIER : ANOMALY_QUIETER, gain);
    }
}

uint32_t an_equal_values(const double *value, uint32_t n)
{
    uint32_t equal = 1;
    while (equal < n && value[n - 1 - equal] == value[n - 1])
        equal++;
    return equal;
}

uint32_t an_word(const an_recent *recent)
{
    surprises s = {.n = 0};
    if (recent->equal >= LEAST_RUN && recent->equal > recent->usually_equal)
        return ANOMALY_STUCK;
    surprise(recent, &s);
    explanation best = best_stretch(&s), quieter = {0, 0};
    consider_spreads(&s, &best, &quieter);
    if (recent->spread > 0 && quieter.gain > best.gain && best.gain < LEAST_OTHER)
        return recent->equal >= LEAST_RUN ? ANOMALY_STUCK : ANOMALY_QUIETER;
    return best.word;
}
