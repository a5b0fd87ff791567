/* SPDX-License-Identifier: MIT */
/* How unusual is the shape of the newest 64 values of one metric? The distance of Mahalanobis (1936) from the shapes
 * before, for the kind `watch`.
 *
 * A shape has 7 coordinates, oldest first: the means of blocks of 32, 16, 8, 4, 2, 1 and 1 values.
 *
 *     d = sqrt(|W (y - mean)|^2 / 7),  W = inverse of L,  L L' = S + 0.1 (trace of S / 7) I
 *
 * is about 1 for the usual; S is the covariance of the shapes before (Hotelling's T^2 of 1947, scaled; the ridge
 * keeps directions without spread from counting). Totals of 16 shapes are joined into 8 blocks (Chan, Golub, LeVeque
 * 1983), the oldest block is dropped whole, and nothing is ever subtracted: what has left has left no trace. L is
 * made anew whenever a block is full, and after each 16 shapes until the first is.
 *
 * Where a sum of squares is beyond the doubles (values of 1e150 and more), or all values are the same, there is no
 * distance. */
#ifndef AN_WATCH_SHAPE_H
#define AN_WATCH_SHAPE_H

#include "base/bytes.h"

#define AN_SHAPE_VALUES 64u
#define AN_SHAPE_SIZE   7u
#define AN_SHAPE_CELLS  (AN_SHAPE_SIZE * (AN_SHAPE_SIZE + 1) / 2)
#define AN_SHAPE_BATCH  16u
#define AN_SHAPE_BLOCKS 8u

/* Of some shapes: how many, their mean, and the sums of products of their deviations from it; row by row, up to the
 * diagonal. */
typedef struct an_shape_totals {
    uint64_t shapes;
    double mean[AN_SHAPE_SIZE];
    double product[AN_SHAPE_CELLS];
} an_shape_totals;

typedef struct an_shape {
    uint64_t block_shapes; /* that fill a block */
    uint32_t used, open;   /* blocks; the one that is being filled */
    uint32_t waiting;      /* shapes in `batch` */
    uint32_t ready;        /* there is a factor */
    an_shape_totals block[AN_SHAPE_BLOCKS];
    double batch[AN_SHAPE_BATCH][AN_SHAPE_SIZE];
    double mean[AN_SHAPE_SIZE];    /* with which d is taken */
    double factor[AN_SHAPE_CELLS]; /* W */
} an_shape;

/* No trace of a value is left `window` values later. */
void an_shape_reset(an_shape *shape, uint64_t window);

/* The shape of 64 values, oldest first. */
void an_shape_of(const double values[AN_SHAPE_VALUES], double y[AN_SHAPE_SIZE]);

/* d, NaN as long as there is none. Infinite where it is beyond the doubles. */
double an_shape_distance(const an_shape *shape, const double y[AN_SHAPE_SIZE]);

void an_shape_learn(an_shape *shape, const double y[AN_SHAPE_SIZE]);

void an_shape_save(const an_shape *shape, an_writer *writer);
void an_shape_restore(an_shape *shape, an_reader *reader);

#endif
