/* SPDX-License-Identifier: MIT
 * look.h - what the first rows show of a column, before it is given its part.
 */
#ifndef CLI_LOOK_H
#define CLI_LOOK_H

#include "common/times.h"
#include "read/units.h"
#include "read/values.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLI_LOOK 1000 /* rows that are looked at, at most */

enum { CLI_LOOK_KINDS = 8, CLI_LOOK_STRETCH = 10 };

/** To which side do values lie that are far from their neighbours? All zero to begin. */
typedef struct cli_leaning {
    double stretch[CLI_LOOK_STRETCH]; /* numbers that came one after the other */
    uint32_t gathered;                /* ... so many */
    uint32_t stretches;               /* before, of numbers that are not all equal */
    uint32_t up, up_as_logs; /* ... whose largest lies further from the median than the least; and so do the logarithms */
    bool not_positive;       /* a number has no logarithm */
} cli_leaning;

/** All zero but for the clock's unit to begin. */
typedef struct cli_facts {
    uint32_t filled;                 /* values that are not missing */
    uint32_t numbers;                /* ... of which so many are numbers, without a unit or with the first one */
    uint32_t times;                  /* ... and so many can be times */
    uint32_t sound;                  /* ... from 1990 to 2100, numbers of one unit */
    const char *question;            /* about the last that may be a time: cli_ask_order() */
    uint32_t asked;                  /* ... of so many */
    uint32_t kinds;                  /* different values, of which the first few are noted */
    uint32_t hashes[CLI_LOOK_KINDS]; /* [kinds] the hashes of the noted values */
    uint32_t again;                  /* values that equal a noted one */
    uint32_t grown;                  /* numbers that are larger than the one before */
    double last;                     /* number */
    bool broken;                     /* a number is not whole */
    uint32_t anew;                   /* numbers that are less than half of the one before, as where a counter restarts */
    bool falls;                      /* another number is smaller than the one before */
    bool jumps;                      /* a number is not the number before plus 1 */
    cli_unit unit;                   /* of the first number with one */
    uint32_t united, zeros, alien;   /* numbers with a unit that fits to it; zeros without one; numbers with another */
    char other[16];                  /* the first of these units */
    cli_leaning leaning;
    cli_clock clock;
} cli_facts;

enum cli_cell { CLI_CELL_PLAIN, CLI_CELL_TEXT, CLI_CELL_OTHER }; /* text: no number; other: JSON that is neither */

/** Looks at a value; text[length] as for cli_parse_number(). */
void cli_look(cli_facts *facts, cli_values *values, enum cli_cell kind, const char *text, size_t length);

/** Finds the unit that the numbers of a column have, NULL if they have none or several. */
const cli_unit *cli_look_unit(const cli_facts *facts);

/** Tells whether most values are numbers, but of different units. */
bool cli_look_mixed(const cli_facts *facts);

/** Answer what the first rows say of a column; false for NULL, a column in which no row had a value. */
bool cli_look_numbers(const cli_facts *facts);   /* holds numbers, for the most part */
bool cli_look_times(const cli_facts *facts);     /* ... times */
bool cli_look_all_times(const cli_facts *facts); /* ... nothing but times, from 1990 to 2100, numbers of one unit */
bool cli_look_asks(const cli_facts *facts);      /* ... times with the day or the month first: question */
bool cli_look_whole(const cli_facts *facts);     /* ... whole numbers */
bool cli_look_counts(const cli_facts *facts);    /* ... that go up by 1 from row to row, often enough to be no chance */
bool cli_look_grows(const cli_facts *facts);     /* numbers that mostly grow and never fall, but for restarts: a counter */
bool cli_look_repeats(const cli_facts *facts);   /* several values, each of which comes again */
bool cli_look_many(const cli_facts *facts);      /* as many different values as are noted, or more */
bool cli_look_skewed(const cli_facts *facts);    /* positive numbers that are skewed, and as logarithms are not */

#endif
