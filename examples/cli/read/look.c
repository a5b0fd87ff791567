/* SPDX-License-Identifier: MIT
 * look.c - what the first rows show of a column, before it is given its part.
 */
#include "read/look.h"

#include "anomaly.h"
#include "common/dates.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { COUNTED = 5, GROWN = 30, RESTARTS = 20, STRETCHES = 30 };

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Neighbours are compared, so that a rhythm, which makes a whole column skewed, is none: lib/suggest/lean.h. A product
 * stands for a sum of logarithms. */
static void end_stretch(cli_leaning *l)
{
    double *x = l->stretch, least, most, median;
    qsort(x, CLI_LOOK_STRETCH, sizeof *x, compare);
    least = x[0], most = x[CLI_LOOK_STRETCH - 1];
    median = (x[CLI_LOOK_STRETCH / 2 - 1] + x[CLI_LOOK_STRETCH / 2]) / 2;
    l->gathered = 0;
    l->stretches += most > least;
    l->up += most - median > median - least;
    l->up_as_logs += most / median > median / least;
}

static void lean(cli_leaning *l, double value)
{
    l->not_positive |= !(value > 0) || isinf(value);
    if (l->not_positive)
        return;
    l->stretch[l->gathered++] = value;
    if (l->gathered == CLI_LOOK_STRETCH)
        end_stretch(l);
}

static void look_at_number(cli_facts *facts, double value)
{
    facts->jumps |= facts->numbers > 0 && value != facts->last + 1;
    bool anew = facts->numbers > 0 && value >= 0 && value < facts->last / 2;
    facts->anew += anew ? 1 : 0;
    facts->falls |= facts->numbers > 0 && value < facts->last && !anew;
    facts->grown += facts->numbers > 0 && value > facts->last ? 1 : 0;
    facts->broken |= value != floor(value) || isinf(value);
    facts->last = value;
    facts->numbers++;
    lean(&facts->leaning, value);
}

static void remember(cli_facts *facts, const char *text, size_t length)
{
    uint32_t hash = (uint32_t)anomaly_key_hash(text, length);
    for (uint32_t i = 0; i < facts->kinds; i++)
        if (facts->hashes[i] == hash) {
            facts->again++;
            return;
        }
    if (facts->kinds < CLI_LOOK_KINDS)
        facts->hashes[facts->kinds++] = hash;
}

/* Tells a time that a record may have. Numbers that differ by more than a factor of ten are of different units. */
static bool is_sound(const cli_facts *facts, bool number, double value, int64_t ns)
{
    const int64_t from = INT64_C(631152000000000000), to = INT64_C(4102444800000000000);
    bool one_unit = !number || facts->numbers == 0 || (value < 10 * facts->last && facts->last < 10 * value);
    return ns >= from && ns < to && one_unit;
}

/* Looks at what may be a number with a unit. */
static void look_at_united(cli_facts *facts, cli_values *values, const char *text, size_t length)
{
    double value;
    cli_unit unit;
    if (cli_unit_read(values, text, length, &unit, &value) != CLI_NUMBER_OK)
        return;
    if (facts->united == 0)
        facts->unit = unit;
    if (!cli_unit_fits(&facts->unit, &unit)) {
        if (facts->alien++ == 0)
            memcpy(facts->other, unit.text, sizeof facts->other);
        return;
    }
    facts->united++;
    look_at_number(facts, value);
}

static void ask(cli_facts *facts, const char *text, size_t length)
{
    const char *question = cli_ask_order(text, length);
    facts->asked += question != NULL;
    facts->question = question != NULL ? question : facts->question;
}

void cli_look(cli_facts *facts, cli_values *values, enum cli_cell kind, const char *text, size_t length)
{
    double value;
    int64_t ns;
    const char *why;
    bool number = cli_values_read(values, text, length, &value) == CLI_NUMBER_OK;
    if (number && isnan(value)) /* missing */
        return;
    facts->filled++;
    if (kind == CLI_CELL_OTHER)
        return;
    bool time = cli_parse_time(&facts->clock, text, length, &ns, &why);
    facts->times += time;
    facts->sound += time && is_sound(facts, number, value, ns);
    if (!time && facts->clock.format == NULL)
        ask(facts, text, length);
    if (kind == CLI_CELL_PLAIN && number)
        look_at_number(facts, value);
    facts->zeros += kind == CLI_CELL_PLAIN && number && value == 0;
    if (!number && !time)
        look_at_united(facts, values, text, length);
    remember(facts, text, length);
}

const cli_unit *cli_look_unit(const cli_facts *facts)
{
    if (facts == NULL || facts->united == 0)
        return NULL;
    bool optional = cli_unit_optional(&facts->unit);
    uint32_t bare = facts->numbers - facts->united - facts->zeros, fit = facts->numbers - (optional ? 0 : bare);
    return (optional || facts->united > bare) && 2 * fit > facts->filled ? &facts->unit : NULL;
}

bool cli_look_mixed(const cli_facts *facts)
{
    return facts != NULL && !cli_look_numbers(facts) && 2 * (facts->numbers + facts->alien) > facts->filled;
}

bool cli_look_numbers(const cli_facts *facts)
{
    return cli_look_unit(facts) != NULL || (facts != NULL && 2 * (facts->numbers - facts->united) > facts->filled);
}

bool cli_look_times(const cli_facts *facts)
{
    return facts != NULL && 2 * facts->times > facts->filled;
}

bool cli_look_asks(const cli_facts *facts)
{
    return facts != NULL && 2 * facts->asked > facts->filled;
}

bool cli_look_all_times(const cli_facts *facts)
{
    return facts != NULL && facts->filled > 0 && facts->sound == facts->filled;
}

bool cli_look_whole(const cli_facts *facts)
{
    return cli_look_numbers(facts) && !facts->broken;
}

bool cli_look_counts(const cli_facts *facts)
{
    return cli_look_whole(facts) && !facts->jumps && facts->numbers >= COUNTED;
}

bool cli_look_grows(const cli_facts *facts)
{
    return cli_look_numbers(facts) && !facts->falls && RESTARTS * facts->anew <= facts->grown && facts->grown >= GROWN &&
           2 * facts->grown > facts->numbers;
}

bool cli_look_repeats(const cli_facts *facts)
{
    return facts != NULL && facts->kinds > 1 && facts->again >= facts->kinds;
}

bool cli_look_many(const cli_facts *facts)
{
    return facts != NULL && facts->kinds == CLI_LOOK_KINDS;
}

/* Of symmetric values half the stretches lean up, of the lognormal with a deviation of .5 seven in eight. What leans
 * down as logarithms, as waiting times do, is better as it is. */
bool cli_look_skewed(const cli_facts *facts)
{
    const cli_leaning *l = facts != NULL ? &facts->leaning : NULL;
    return l != NULL && !l->not_positive && l->stretches >= STRETCHES && 5 * l->up >= 4 * l->stretches &&
           10 * l->up_as_logs >= 3 * l->stretches;
}
