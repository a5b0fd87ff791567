/* SPDX-License-Identifier: MIT */
/* The results rest on IEEE 754 arithmetic, each operation rounded by itself. Compilers can be told to do without;
 * where they say so by a macro the build ends here, and an_arithmetic_is_exact() sees what no macro tells. */
#ifndef AN_BASE_IEEE_H
#define AN_BASE_IEEE_H

#include <float.h>
#include <stdint.h>
#include <string.h>

#if defined(__FAST_MATH__) || defined(__ASSOCIATIVE_MATH__) || defined(__RECIPROCAL_MATH__) || \
    defined(__NO_SIGNED_ZEROS__) || defined(_M_FP_FAST)
#error "libanomaly's exactness rests on IEEE 754 arithmetic: build without -ffast-math and every part of it"
#endif
#if defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__
#error "libanomaly looks for NaN and infinity: build without -ffinite-math-only"
#endif
#if defined(FLT_EVAL_METHOD) && FLT_EVAL_METHOD != 0
#error "each result must be rounded to its type: on 32-bit x86 build with -msse2 -mfpmath=sse, on s390x with -std=gnu11"
#endif

/* 0: the compiler was allowed to rearrange, to replace a division, to contract, or to forget about NaN and negative
 * zeros. */
int an_arithmetic_is_exact(void);

/* The next larger double, and the next smaller one; of a finite x that is no negative zero. */
static inline double an_next_up(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    bits += x >= 0 ? 1 : UINT64_MAX;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static inline double an_next_down(double x)
{
    return x == 0 ? -0x1p-1074 : -an_next_up(-x);
}

#endif
