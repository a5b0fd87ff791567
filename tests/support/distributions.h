/* SPDX-License-Identifier: MIT
 * distributions.h - ordinary numbers of many kinds: light and heavy tails, skewed, in two modes, whole ones. */
#ifndef DISTRIBUTIONS_H
#define DISTRIBUTIONS_H

#include "random.h"

#include <math.h>

static inline double uniform(random_state *r)
{
    return random_unit(r) + 0x1p-54;
}

static inline double exponential(random_state *r)
{
    return -log(uniform(r));
}

static inline double lognormal(random_state *r)
{
    return exp(random_normal(r));
}

static inline double cauchy(random_state *r)
{
    return tan(3.141592653589793 * (uniform(r) - 0.5));
}

static inline double student(random_state *r) /* 3 degrees of freedom */
{
    double a = random_normal(r), b = random_normal(r), c = random_normal(r);
    return random_normal(r) / sqrt((a * a + b * b + c * c) / 3);
}

static inline double pareto(random_state *r)
{
    return pow(uniform(r), -1.0 / 3);
}

static inline double two_modes(random_state *r)
{
    return random_normal(r) + (one_in(r, 2) ? 8 : 0);
}

static inline double laplace(random_state *r)
{
    return one_in(r, 2) ? exponential(r) : -exponential(r);
}

static inline double poisson(random_state *r)
{
    double p = uniform(r), n = 0;
    for (double least = exp(-5.0); p > least; n++)
        p *= uniform(r);
    return n;
}

static const struct {
    const char *name;
    double (*next)(random_state *r);
} ORDINARY[] = {{"normal", random_normal}, {"uniform", uniform}, {"exponential", exponential}, {"lognormal", lognormal},
                {"Cauchy", cauchy},        {"t", student},       {"Pareto", pareto},           {"two modes", two_modes},
                {"Laplace", laplace},      {"Poisson", poisson}};

#endif
