/* SPDX-License-Identifier: MIT */
/* How far is an event from what the window holds, in the metric of the window's own covariance (Mahalanobis 1936)?
 * The window is totals (mahalanobis/totals.h), not values:
 *
 *     vector -> batch of 16 -> block of window / 8 -> the oldest of 8 blocks is dropped whole when a ninth begins
 *     fit: all blocks merged; covariance + ridge = L L', W = L^-1; made anew when a block is full (and with each
 *          batch while there is one block only, or a coordinate that was constant moves)
 *     score: sqrt(|W (y - mean)|^2 / coordinates)
 *
 * Cost: m^2 / 2 for the score, m^2 / 2 for the totals, m the coordinates; a fit of m^3 / 2 each window / 8 events. */
#ifndef AN_MAHALANOBIS_MAHALANOBIS_H
#define AN_MAHALANOBIS_MAHALANOBIS_H

#include "base/memory.h"
#include "mahalanobis/lags.h"
#include "mahalanobis/totals.h"

#define AN_WINDOW_BLOCKS 8u

typedef struct an_mahalanobis {
    an_lags lags;
    uint32_t m;            /* coordinates */
    uint64_t block_events; /* of a full block */
    uint64_t learned;      /* events ever, less than AN_COUNTED */
    uint32_t used, next;   /* blocks in the window; the one that is being filled */
    uint32_t batched;      /* vectors in the batch */
    an_totals *fit;        /* the merged blocks at the last fit, W in place of the products; NULL: no memory yet */
    an_totals *scratch;    /* of a batch, then of a fit */
    an_totals *block[AN_WINDOW_BLOCKS];
    double *rings; /* [features][lags.room] */
    double *batch; /* [m][AN_BATCH_VECTORS]; NULL: there has been no vector */
} an_mahalanobis;

/* Answers the bytes with room for so many events. */
size_t an_mahalanobis_bytes(const an_lags *lags, uint64_t window, uint64_t events);

/* Creates one that has room for an event; NULL: no memory. `window` is a multiple of AN_WINDOW_BLOCKS *
 * AN_BATCH_VECTORS. */
an_mahalanobis *an_mahalanobis_create(const an_lags *lags, uint64_t window, const anomaly_allocator *allocator);
void an_mahalanobis_destroy(an_mahalanobis *h, const anomaly_allocator *allocator);
void an_mahalanobis_reset(an_mahalanobis *h);

/* Makes room for the first so many events. ANOMALY_E_NOMEM: what was had is kept for the next time. */
int an_mahalanobis_make_room(an_mahalanobis *h, uint64_t events, const anomaly_allocator *allocator);

/* Learns an event; there is room. Values that are not finite are missing. */
void an_mahalanobis_learn(an_mahalanobis *h, const double *x);

/* ---- mahalanobis/fit.c ---- */

/* Makes the fit of the blocks as they are. */
void an_mahalanobis_fit(an_mahalanobis *h);

/* Has a coordinate that the last fit saw constant, or not at all, moved in the batch just made? */
int an_mahalanobis_is_outdated(const an_mahalanobis *h);

/* ---- mahalanobis/distance.c ---- */

typedef struct an_distance {
    double score;                          /* NaN: nothing to judge, or nothing to judge by */
    int flat;                              /* a coordinate without spread differs: the score is infinite */
    uint32_t feature;                      /* ... of this feature */
    uint32_t judged, missing;              /* coordinates with a spread */
    double deviation[AN_MOST_COORDINATES]; /* from the mean; NaN: missing */
    double z[AN_MOST_COORDINATES];
} an_distance;

void an_mahalanobis_distance(const an_mahalanobis *h, const double *x, an_distance *distance);

/* Shares the score out among the features: what it would lose were the feature's values as the others say, in
 * proportion. */
void an_mahalanobis_shares(const an_mahalanobis *h, const an_distance *distance, double *share);

/* ---- mahalanobis/word.c ---- */

/* Answers the word for an event of one feature (window/word.h). */
uint32_t an_mahalanobis_word(const an_mahalanobis *h, double x);

/* ---- mahalanobis/saving.c ---- */

void an_mahalanobis_save(const an_mahalanobis *h, an_writer *writer);
/* With `events` in the window; makes room for `slots` once the bytes can be there. ANOMALY_E_CORRUPT, E_NOMEM. */
int an_mahalanobis_restore(an_mahalanobis *h, uint64_t events, uint64_t slots, an_reader *reader,
                           const anomaly_allocator *allocator);

#endif
