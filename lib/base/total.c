/* SPDX-License-Identifier: MIT */
#include "base/total.h"

#include <string.h>

#define FRACTION_BITS       52
#define LEAST_EXPONENT      (-1074) /* the exponent of the lowest bit */
#define LEAST_FULL_EXPONENT (-1022) /* of the least double that has all its bits */

/* |x| as significand * 2^(LEAST_EXPONENT + *place). */
static uint64_t significand_of(double x, unsigned *place)
{
    uint64_t bits, hidden = (uint64_t)1 << FRACTION_BITS;
    memcpy(&bits, &x, sizeof bits);
    unsigned exponent = (unsigned)(bits >> FRACTION_BITS) & 0x7ff;
    *place = exponent ? exponent - 1 : 0;
    return (bits & (hidden - 1)) | (exponent ? hidden : 0);
}

/* Word after word, as long as something is carried. */
static void add_size(an_total *total, double x)
{
    unsigned place;
    uint64_t size = significand_of(x, &place), *word = total->word + place / 64, *end = total->word + AN_TOTAL_WORDS;
    uint64_t low = size << place % 64, carry = place % 64 ? size >> (64 - place % 64) : 0;
    *word += low;
    carry += *word < low;
    while (carry && ++word < end) {
        *word += carry;
        carry = *word < carry;
    }
}

static void subtract_size(an_total *total, double x)
{
    unsigned place;
    uint64_t size = significand_of(x, &place), *word = total->word + place / 64, *end = total->word + AN_TOTAL_WORDS;
    uint64_t low = size << place % 64, borrow = place % 64 ? size >> (64 - place % 64) : 0;
    borrow += *word < low;
    *word -= low;
    while (borrow && ++word < end) {
        uint64_t had = *word;
        *word -= borrow;
        borrow = had < borrow;
    }
}

void an_total_add(an_total *total, double x)
{
    if (x < 0)
        subtract_size(total, x);
    else
        add_size(total, x);
}

void an_total_subtract(an_total *total, double x)
{
    an_total_add(total, 0.0 - x);
}

static double power_of_two(int exponent)
{
    uint64_t bits = exponent < LEAST_FULL_EXPONENT ? (uint64_t)1 << (exponent - LEAST_EXPONENT)
                                                   : (uint64_t)(exponent + 1023) << FRACTION_BITS;
    double power;
    memcpy(&power, &bits, sizeof power);
    return power;
}

/* Zeros before the highest bit of a word that is not 0. */
static unsigned zeros_before(uint64_t word)
{
    unsigned zeros = 0;
    for (unsigned step = 32; step > 0; step /= 2)
        if (word >> (64 - step) == 0) {
            word <<= step;
            zeros += step;
        }
    return zeros;
}

/* The highest 64 bits from the highest that is set, their place in *exponent; the last of them says whether anything
 * lies below, which is all that rounding to 53 bits needs to know. */
static uint64_t highest_bits(const an_total *total, int *exponent)
{
    const uint64_t *word = total->word;
    int top = AN_TOTAL_WORDS - 1;
    while (top > 0 && word[top] == 0)
        top--;
    unsigned shift = top > 0 ? zeros_before(word[top]) : 0;
    uint64_t high = word[top] << shift, below = 0;
    if (shift > 0) {
        high |= word[top - 1] >> (64 - shift);
        below = word[top - 1] << shift;
    }
    for (int i = shift > 0 ? top - 1 : top; i-- > 0;)
        below |= word[i];
    *exponent = LEAST_EXPONENT + 64 * top - (int)shift;
    return high | (below != 0);
}

/* A total that no double holds is divided first; a small one last, since the quotient may be rounded to fewer bits. */
double an_total_mean(const an_total *total, uint32_t n)
{
    int exponent;
    double high = (double)highest_bits(total, &exponent), unit = power_of_two(exponent);
    return exponent < 0 ? high * unit / (double)n : high / (double)n * unit;
}
