/* SPDX-License-Identifier: MIT */
/* In what way is the newest value of one feature odd, beside the values before it? */
#include "mahalanobis/mahalanobis.h"

#include "window/word.h"

#define SAME_VALUE   1e-12 /* of values that follow from means */
#define LEAST_BEFORE 16u   /* values, to say how many equal ones are usual */

typedef an_moments moments_in(const an_totals *totals, uint32_t newest);

static an_moments of_values(const an_totals *totals, uint32_t newest)
{
    return an_totals_moments(totals, newest);
}

static an_moments of_steps(const an_totals *totals, uint32_t newest)
{
    return an_totals_step(totals, newest, newest - 1);
}

static an_moments over_blocks(const an_mahalanobis *h, moments_in *in)
{
    an_moments sum = {0};
    for (uint32_t b = 1; b <= AN_WINDOW_BLOCKS; b++) {
        const an_totals *block = h->block[(h->next + b) % AN_WINDOW_BLOCKS];
        an_moments m = block && block->events ? in(block, h->m - 1) : (an_moments){0};
        sum = an_moments_merge(&sum, &m);
    }
    return sum;
}

/* In squared spreads: 2 where values do not know of each other. */
static double mean_square_of_steps(const an_mahalanobis *h, double spread)
{
    if (h->m == 1 || !(spread > 0))
        return 2;
    an_moments steps = over_blocks(h, of_steps);
    double step = an_moments_stddev(&steps, 0) / spread;
    return step * step;
}

/* Fills the values, oldest first; returns their number. */
static uint32_t find_values(const an_mahalanobis *h, double x, double *value)
{
    double before[AN_WORD_VALUES];
    uint32_t known = an_lags_values_of(&h->lags, h->rings, h->learned, before, AN_WORD_VALUES - 1);
    for (uint32_t i = 0; i < known; i++)
        value[i] = before[known - 1 - i];
    value[known] = x + 0.0;
    return known + 1;
}

/* The longest run of equal values among the first n, up to the rounding of the largest of all. With few of them, or
 * where much of them is one run, nothing is known. */
static uint32_t longest_run(const an_recent *recent, const double *value, uint32_t n)
{
    double largest = 0;
    uint32_t run = 1, longest = 1;
    for (uint32_t i = 0; i < recent->n; i++)
        largest = fabs(value[i]) > largest ? fabs(value[i]) : largest;
    for (uint32_t i = 1; i < n; i++) {
        int same = fabs(value[i] * 0.5 - value[i - 1] * 0.5) <= SAME_VALUE * largest;
        run = same ? run + 1 : 1;
        longest = run > longest ? run : longest;
    }
    return n < LEAST_BEFORE || longest > n / 4 ? AN_WORD_VALUES : longest;
}

uint32_t an_mahalanobis_word(const an_mahalanobis *h, double x)
{
    an_recent recent;
    double value[AN_WORD_VALUES];
    if (isinf(x))
        return ANOMALY_SPIKE | (x > 0 ? ANOMALY_ABOVE : ANOMALY_BELOW);
    an_moments usual = over_blocks(h, of_values);
    recent.n = find_values(h, x, value);
    for (uint32_t i = 0; i < recent.n; i++)
        recent.deviation[i] = an_deviation(&usual, value[i]);
    recent.spread = an_moments_stddev(&usual, 0);
    recent.step = mean_square_of_steps(h, recent.spread);
    recent.equal = an_equal_values(value, recent.n);
    recent.usually_equal = longest_run(&recent, value, recent.n - recent.equal); /* totals do not count equal values */
    return an_word(&recent);
}
