/* SPDX-License-Identifier: MIT */
/* In what way are the newest values of one metric odd? Of the explanations
 *
 *     spike     up to 8 values lie elsewhere, and the newest is the first of them or the usual is back
 *     shift     all values from one on lie elsewhere; or did so for longer, and the usual is back
 *     noisier   all values from one on are spread wider than usual
 *     quieter   ... less wide
 *
 * the one counts that makes the values the most likely (the generalised likelihood ratio, of 2 logarithms):
 *
 *     e_i = (u_i - p u_(i-1)) / sqrt(1 - p^2)                  the surprises: usually N(0, 1), each on its own
 *     gain of a spike or a shift = (e g)^2 / (g g)             g: what it alone would make of the surprises
 *     gain of a spread from the i-th of n values on = (n - i) (r - 1 - log r),  r: the mean of their e^2
 *
 * u are the deviations from the usual in usual spreads, p is the usual correlation of neighbours. */
#ifndef AN_WINDOW_WORD_H
#define AN_WINDOW_WORD_H

#include <stdint.h>

#define AN_WORD_VALUES 64u /* the newest */

typedef struct an_recent {
    uint32_t n;                       /* from 1 on */
    double deviation[AN_WORD_VALUES]; /* from the usual value, oldest first; none is NaN */
    double spread;                    /* the usual one, of the same unit; 0: there is none */
    double step;                      /* the mean square of usual steps from value to value, in squared spreads */
    uint32_t equal, usually_equal;    /* the newest values that are equal; the longest such run that is usual */
} an_recent;

/* How many of the last of n > 0 values are the same. */
uint32_t an_equal_values(const double *value, uint32_t n);

/* ANOMALY_SPIKE, SHIFT, NOISIER, QUIETER or STUCK; with the first two ABOVE or BELOW, where it went. */
uint32_t an_word(const an_recent *recent);

#endif
