/* SPDX-License-Identifier: MIT */
#include "watch/shape.h"

#include "watch/sum.h"

#include <float.h>
#include <math.h>
#include <string.h>

#define RIDGE       0.1
#define LEAST_KNOWN 32u /* shapes, before there is a distance */

/* A row of a lower triangle. */
static uint32_t row(uint32_t i)
{
    return i * (i + 1) / 2;
}

/* Of the oldest value in the totals of the last full block no trace is left once another block is full. */
void an_shape_reset(an_shape *shape, uint64_t window)
{
    uint64_t in_batches = (window - AN_SHAPE_VALUES - AN_SHAPE_BATCH) / (AN_SHAPE_BLOCKS + 1) / AN_SHAPE_BATCH;
    memset(shape, 0, sizeof *shape);
    shape->block_shapes = in_batches * AN_SHAPE_BATCH;
    shape->used = 1;
}

void an_shape_of(const double x[AN_SHAPE_VALUES], double y[AN_SHAPE_SIZE])
{
    y[0] = an_stretch_sum(x, 32) * (1.0 / 32);
    y[1] = an_stretch_sum(x + 32, 16) * (1.0 / 16);
    y[2] = an_stretch_sum(x + 48, 8) * (1.0 / 8);
    y[3] = an_stretch_sum(x + 56, 4) * (1.0 / 4);
    y[4] = (x[60] + x[61]) * (1.0 / 2);
    y[5] = x[62];
    y[6] = x[63];
}

double an_shape_distance(const an_shape *shape, const double y[AN_SHAPE_SIZE])
{
    double deviation[AN_SHAPE_SIZE], squares = 0;
    if (!shape->ready)
        return (double)NAN;
    for (uint32_t i = 0; i < AN_SHAPE_SIZE; i++) {
        double z = 0;
        deviation[i] = y[i] - shape->mean[i];
        for (uint32_t j = 0; j <= i; j++)
            z += shape->factor[row(i) + j] * deviation[j];
        squares += z * z;
    }
    return sqrt(squares / AN_SHAPE_SIZE);
}

/* ---- totals ---- */

/* In two passes: the means, then the products. */
static void total_up(const an_shape *of, an_shape_totals *t)
{
    memset(t, 0, sizeof *t);
    t->shapes = AN_SHAPE_BATCH;
    for (uint32_t i = 0; i < AN_SHAPE_SIZE; i++) {
        double sum = 0;
        for (uint32_t e = 0; e < AN_SHAPE_BATCH; e++)
            sum += of->batch[e][i] - of->batch[0][i];
        t->mean[i] = of->batch[0][i] + sum / AN_SHAPE_BATCH;
    }
    for (uint32_t e = 0; e < AN_SHAPE_BATCH; e++)
        for (uint32_t i = 0; i < AN_SHAPE_SIZE; i++)
            for (uint32_t j = 0; j <= i; j++)
                t->product[row(i) + j] += (of->batch[e][i] - t->mean[i]) * (of->batch[e][j] - t->mean[j]);
}

/* The products add up, and the distance of the means counts as well. */
static void join_shapes(an_shape_totals *a, const an_shape_totals *b)
{
    double between[AN_SHAPE_SIZE], n = (double)a->shapes + (double)b->shapes;
    double share = (double)b->shapes / n, weight = (double)a->shapes * share;
    if (a->shapes == 0) {
        *a = *b;
        return;
    }
    for (uint32_t i = 0; i < AN_SHAPE_SIZE; i++) {
        between[i] = b->mean[i] - a->mean[i];
        a->mean[i] += between[i] * share;
    }
    for (uint32_t i = 0; i < AN_SHAPE_SIZE; i++)
        for (uint32_t j = 0; j <= i; j++)
            a->product[row(i) + j] += b->product[row(i) + j] + between[i] * between[j] * weight;
    a->shapes += b->shapes;
}

/* ---- the factor ---- */

/* L in place of the triangle; no pivot is smaller than the ridge. */
static void cholesky(double *a, double ridge)
{
    for (uint32_t i = 0; i < AN_SHAPE_SIZE; i++)
        for (uint32_t j = 0; j <= i; j++) {
            double v = a[row(i) + j];
            for (uint32_t k = 0; k < j; k++)
                v -= a[row(i) + k] * a[row(j) + k];
            a[row(i) + j] = i > j ? v / a[row(j) + j] : sqrt(v > ridge ? v : ridge);
        }
}

static void invert(const double *l, double *w)
{
    for (uint32_t j = 0; j < AN_SHAPE_SIZE; j++)
        for (uint32_t i = j; i < AN_SHAPE_SIZE; i++) {
            double v = i == j;
            for (uint32_t k = j; k < i; k++)
                v -= l[row(i) + k] * w[row(k) + j];
            w[row(i) + j] = v / l[row(i) + i];
        }
}

/* From all blocks, oldest first. */
static void factor(an_shape *shape)
{
    an_shape_totals all = {.shapes = 0};
    double trace = 0;
    for (uint32_t b = 0; b < shape->used; b++)
        join_shapes(&all, &shape->block[(shape->open + 1 + AN_SHAPE_BLOCKS - shape->used + b) % AN_SHAPE_BLOCKS]);
    for (uint32_t i = 0; i < AN_SHAPE_CELLS; i++)
        all.product[i] /= (double)all.shapes;
    for (uint32_t i = 0; i < AN_SHAPE_SIZE; i++)
        trace += all.product[row(i) + i];
    double ridge = RIDGE * (trace / AN_SHAPE_SIZE);
    shape->ready = all.shapes >= LEAST_KNOWN && ridge >= DBL_MIN && ridge <= DBL_MAX;
    if (!shape->ready)
        return;
    for (uint32_t i = 0; i < AN_SHAPE_SIZE; i++)
        all.product[row(i) + i] += ridge;
    cholesky(all.product, ridge);
    invert(all.product, shape->factor);
    memcpy(shape->mean, all.mean, sizeof all.mean);
}

void an_shape_learn(an_shape *shape, const double y[AN_SHAPE_SIZE])
{
    an_shape_totals batch, *open = &shape->block[shape->open];
    memcpy(shape->batch[shape->waiting], y, sizeof shape->batch[0]);
    if (++shape->waiting < AN_SHAPE_BATCH)
        return;
    shape->waiting = 0;
    total_up(shape, &batch);
    join_shapes(open, &batch);
    int full = open->shapes >= shape->block_shapes;
    if (full || shape->used == 1)
        factor(shape);
    if (!full)
        return;
    shape->open = (shape->open + 1) % AN_SHAPE_BLOCKS;
    shape->used += shape->used < AN_SHAPE_BLOCKS;
    shape->block[shape->open].shapes = 0;
}

/* ---- snapshots ---- */

static void save_doubles(const double *x, uint32_t n, an_writer *writer)
{
    for (uint32_t i = 0; i < n; i++)
        an_write_double(writer, x[i]);
}

static void restore_doubles(double *x, uint32_t n, an_reader *reader)
{
    for (uint32_t i = 0; i < n; i++)
        x[i] = an_read_double(reader);
}

static void save_shapes(const an_shape_totals *t, an_writer *writer)
{
    an_write_varint(writer, t->shapes);
    if (!t->shapes)
        return;
    save_doubles(t->mean, AN_SHAPE_SIZE, writer);
    save_doubles(t->product, AN_SHAPE_CELLS, writer);
}

void an_shape_save(const an_shape *shape, an_writer *writer)
{
    an_write_u8(writer, (uint8_t)shape->used);
    an_write_u8(writer, (uint8_t)shape->waiting);
    an_write_u8(writer, (uint8_t)shape->ready);
    for (uint32_t b = 0; b < shape->used; b++) /* oldest first */
        save_shapes(&shape->block[(shape->open + 1 + AN_SHAPE_BLOCKS - shape->used + b) % AN_SHAPE_BLOCKS], writer);
    save_doubles(shape->batch[0], shape->waiting * AN_SHAPE_SIZE, writer);
    if (shape->ready) {
        save_doubles(shape->mean, AN_SHAPE_SIZE, writer);
        save_doubles(shape->factor, AN_SHAPE_CELLS, writer);
    }
}

/* All blocks but the last are full. */
static void restore_totals(an_shape_totals *t, const an_shape *shape, int is_open, an_reader *reader)
{
    t->shapes = an_read_varint_to(reader, shape->block_shapes);
    reader->bad |= t->shapes % AN_SHAPE_BATCH != 0 || is_open == (t->shapes == shape->block_shapes);
    if (reader->bad || !t->shapes)
        return;
    restore_doubles(t->mean, AN_SHAPE_SIZE, reader);
    restore_doubles(t->product, AN_SHAPE_CELLS, reader);
}

void an_shape_restore(an_shape *shape, an_reader *reader)
{
    shape->used = an_read_u8(reader);
    shape->waiting = an_read_u8(reader);
    shape->ready = an_read_u8(reader);
    reader->bad |= shape->used < 1 || shape->used > AN_SHAPE_BLOCKS || shape->waiting >= AN_SHAPE_BATCH || shape->ready > 1;
    if (reader->bad)
        return;
    shape->open = shape->used - 1;
    for (uint32_t b = 0; b < shape->used && !reader->bad; b++)
        restore_totals(&shape->block[b], shape, b == shape->open, reader);
    restore_doubles(shape->batch[0], shape->waiting * AN_SHAPE_SIZE, reader);
    if (shape->ready) {
        restore_doubles(shape->mean, AN_SHAPE_SIZE, reader);
        restore_doubles(shape->factor, AN_SHAPE_CELLS, reader);
    }
}
