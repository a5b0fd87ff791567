/* SPDX-License-Identifier: MIT
 * shapes.h - endless streams of every shape that the benchmarks run, from fixed seeds. */
#ifndef SHAPES_H
#define SHAPES_H

#include "random.h"

#include <math.h>

typedef struct series {
    random_state r;
    uint64_t i;
    double window, at;
} series;

typedef struct shape_kind {
    const char *name;
    double (*next)(series *s);
    int stationary;
} shape_kind;

/* A point in the unit circle; returns the square of its radius. (The polar method: Marsaglia 1964 for the normal, Bailey 1994
 * for Student's t.) */
static inline double shape_in_circle(series *s, double *x)
{
    double square;
    do {
        double y = 2 * random_unit(&s->r) - 1;
        *x = 2 * random_unit(&s->r) - 1;
        square = *x * *x + y * y;
    } while (!(square > 0 && square < 1));
    return square;
}

static inline double shape_normal(series *s)
{
    double x, square = shape_in_circle(s, &x);
    return x * sqrt(-2 * log(square) / square);
}

/* Student's t with 1.5 degrees of freedom: no variance. */
static inline double shape_heavy(series *s)
{
    double x, square = shape_in_circle(s, &x);
    return x * sqrt(1.5 * (pow(square, -2 / 1.5) - 1) / square);
}

static inline double shape_walk(series *s)
{
    return s->at += shape_normal(s);
}

static inline double shape_ramp_up(series *s)
{
    return 0.25 * (double)s->i;
}

static inline double shape_ramp_down(series *s)
{
    return -0.25 * (double)s->i;
}

static inline double shape_sawtooth(series *s)
{
    return fmod((double)s->i, 0.7 * s->window);
}

/* A new level every half window, noise a hundredth of it. */
static inline double shape_steps(series *s)
{
    if (s->i % (uint64_t)(0.5 * s->window) == 0)
        s->at = 100 * random_unit(&s->r);
    return s->at + random_unit(&s->r);
}

static inline double shape_two(series *s)
{
    return (double)(s->i / (uint64_t)(0.7 * s->window) % 2);
}

static inline double shape_few(series *s)
{
    return (double)random_below(&s->r, 5);
}

static const shape_kind SHAPES[] = {
    {"normal", shape_normal, 1},     {"heavy", shape_heavy, 1},     {"few", shape_few, 1},
    {"walk", shape_walk, 0},         {"ramp-up", shape_ramp_up, 0}, {"ramp-down", shape_ramp_down, 0},
    {"sawtooth", shape_sawtooth, 0}, {"steps", shape_steps, 0},     {"two-values", shape_two, 0},
};
enum { SHAPE_COUNT = sizeof SHAPES / sizeof *SHAPES };

static inline series shape_start(size_t window)
{
    return (series){.r = {20}, .window = (double)window};
}

static inline void shape_fill(const shape_kind *kind, series *s, double *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        values[i] = kind->next(s);
        s->i++;
    }
}

#endif
