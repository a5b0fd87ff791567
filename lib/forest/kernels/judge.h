/* SPDX-License-Identifier: MIT */
/* Candidate cuts of a node for one vector width: the text that SSE2 and AVX2 share. Included once per instruction set
 * with
 *   JUDGE_NAME             the function that is to be defined
 *   JUDGE_TARGET           the attribute that allows its instructions
 *   JUDGE_FLOATS, _INTS    vectors of lanes
 *   JUDGE_OP(name)         the intrinsic of that name for floats: JUDGE_OP(add) is _mm_add_ps or _mm256_add_ps
 *   JUDGE_SET, _LOAD_INTS, _LOW_BITS  a float in every lane; integers in memory; the lowest 24 bits of such, as floats
 *   JUDGE_PICK             a row's codes of as many features
 *   JUDGE_ORDERED, _NOT_ABOVE, _NOT_BELOW  comparisons: all bits of a lane are set where a == a, a <= b, a >= b
 *   JUDGE_CHOOSE           b where the mask is set, else a
 *
 * The function finds range, cut and sums of the candidates from j on; the gain is taken from the sums later
 * (an_gains_of). Each lane adds its rows in order. */

JUDGE_TARGET AN_INLINE void JUDGE_NAME(const an_row *row, uint32_t n, an_cuts *c, an_sums *t, float *block, uint32_t j)
{
    const JUDGE_INTS feature = JUDGE_LOAD_INTS(c->feature + j);
    const JUDGE_FLOATS one = JUDGE_SET(1.0f), zero = JUDGE_SET(0.0f);
    JUDGE_FLOATS lo = JUDGE_SET(AN_CODE_LIMIT), hi = JUDGE_SET(-AN_CODE_LIMIT), present = zero;
    for (uint32_t i = 0; i < n; i++) {
        JUDGE_FLOATS v = JUDGE_PICK(row[i], feature);
        JUDGE_OP(storeu)(block + (size_t)i * AN_FOREST_LANES + j, v);
        lo = JUDGE_OP(min)(v, lo); /* the second operand where one is NaN */
        hi = JUDGE_OP(max)(v, hi);
        present = JUDGE_OP(add)(present, JUDGE_OP(and)(JUDGE_ORDERED(v), one));
    }
    JUDGE_FLOATS part = JUDGE_OP(mul)(JUDGE_LOW_BITS(c->low + j), JUDGE_SET(0x1p-24f));
    JUDGE_FLOATS cut = JUDGE_OP(add)(lo, JUDGE_OP(mul)(part, JUDGE_OP(sub)(hi, lo)));
    cut = JUDGE_CHOOSE(cut, lo, JUDGE_NOT_BELOW(cut, hi));
    const JUDGE_FLOATS centre = JUDGE_OP(mul)(JUDGE_SET(0.5f), JUDGE_OP(add)(lo, hi));
    JUDGE_FLOATS below = zero, left = zero, sum = zero, square = zero;
    for (uint32_t i = 0; i < n; i++) {
        JUDGE_FLOATS v = JUDGE_OP(loadu)(block + (size_t)i * AN_FOREST_LANES + j);
        JUDGE_FLOATS z = JUDGE_OP(and)(JUDGE_ORDERED(v), JUDGE_OP(sub)(v, centre)), under = JUDGE_NOT_ABOVE(v, cut);
        below = JUDGE_OP(add)(below, JUDGE_OP(and)(under, one));
        left = JUDGE_OP(add)(left, JUDGE_OP(and)(under, z));
        sum = JUDGE_OP(add)(sum, z);
        square = JUDGE_OP(add)(square, JUDGE_OP(mul)(z, z));
    }
    JUDGE_OP(storeu)(c->lo + j, lo);
    JUDGE_OP(storeu)(c->hi + j, hi);
    JUDGE_OP(storeu)(c->cut + j, cut);
    JUDGE_OP(storeu)(c->present + j, present);
    JUDGE_OP(storeu)(t->below + j, below);
    JUDGE_OP(storeu)(t->left + j, left);
    JUDGE_OP(storeu)(t->sum + j, sum);
    JUDGE_OP(storeu)(t->square + j, square);
}

#undef JUDGE_NAME
#undef JUDGE_TARGET
#undef JUDGE_FLOATS
#undef JUDGE_INTS
#undef JUDGE_OP
#undef JUDGE_SET
#undef JUDGE_LOAD_INTS
#undef JUDGE_LOW_BITS
#undef JUDGE_PICK
#undef JUDGE_ORDERED
#undef JUDGE_NOT_ABOVE
#undef JUDGE_NOT_BELOW
#undef JUDGE_CHOOSE
