/* SPDX-License-Identifier: MIT
 * plan.c - which column plays which part: by what was asked for, by its name, and by what the first rows hold.
 */
#include "read/plan.h"

#include "common/nearest.h"
#include "options/labels.h"
#include "read/names.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- names ---- */

static void quote(cli_buffer *text, const char *name)
{
    cli_buffer_char(text, '"');
    cli_add_printable(text, name, strlen(name));
    cli_buffer_char(text, '"');
}

static bool say_why(cli_rows *rows, const char **why)
{
    cli_buffer_char(&rows->detail, '\0');
    *why = rows->detail.data;
    return false;
}

static bool ambiguous(cli_rows *rows, const char *a, const char *b, const char *name, const char **why)
{
    rows->detail.length = 0;
    quote(&rows->detail, a);
    cli_buffer_text(&rows->detail, " and ");
    quote(&rows->detail, b);
    cli_buffer_text(&rows->detail, " could both be ");
    quote(&rows->detail, name);
    cli_buffer_text(&rows->detail, ": name the one that is meant, as it is written");
    return say_why(rows, why);
}

/* Finds the column of that name: exactly, else in upper or lower case. NULL if there is none, or if *why says that
 * several could be meant. */
static cli_column *find_column(cli_rows *rows, const char *name, const char **why)
{
    size_t i = cli_rows_find(rows, name, strlen(name));
    cli_column *found = NULL;
    *why = NULL;
    if (i < rows->column_count)
        return &rows->columns[i];
    for (i = 0; i < rows->column_count; i++) {
        if (strcasecmp(rows->columns[i].name, name) != 0)
            continue;
        if (found != NULL && !ambiguous(rows, found->name, rows->columns[i].name, name, why))
            return NULL;
        found = &rows->columns[i];
    }
    return found;
}

static void add_names(cli_rows *rows)
{
    cli_buffer *text = &rows->detail;
    const char *before = " (there are: ";
    for (size_t i = 0; i < rows->column_count && text->length < 800; i++) {
        if (rows->columns[i].assumed)
            continue;
        cli_buffer_text(text, before);
        cli_add_name(text, rows->columns[i].name);
        before = ", ";
    }
    cli_buffer_text(text, *before == ',' ? ")" : "");
}

static void add_nearest(cli_rows *rows, const char *name)
{
    cli_nearest nearest = {.word = name};
    for (size_t i = 0; i < rows->column_count; i++)
        cli_nearest_offer(&nearest, rows->columns[i].name);
    cli_nearest_add(&rows->detail, &nearest);
}

/* Says: no column "x" (there are: a, b). Answers false. */
static bool no_column(cli_rows *rows, const char *name, const char **why)
{
    rows->detail.length = 0;
    cli_buffer_text(&rows->detail, "no column ");
    quote(&rows->detail, name);
    add_names(rows);
    add_nearest(rows, name);
    return say_why(rows, why);
}

void cli_rows_add_units(const cli_column *column, cli_buffer *text)
{
    const cli_facts *facts = column->facts;
    bool bare = facts->alien == 0;
    cli_buffer_text(text, "; ");
    cli_add_name(text, column->name);
    cli_buffer_text(text, " has numbers of different units, as ");
    cli_add_printable(text, facts->unit.text, strlen(facts->unit.text));
    cli_buffer_text(text, bare ? " and none" : " and ");
    cli_add_printable(text, facts->other, strlen(facts->other));
    cli_buffer_text(text, ": make them one unit");
}

static bool no_numbers(cli_rows *rows, const char **why)
{
    const cli_column *time = cli_rows_time(rows);
    rows->valueless = true;
    rows->detail.length = 0;
    cli_buffer_text(&rows->detail, "no column \"value\" and none ");
    if (time != NULL && !time->assumed) {
        cli_buffer_text(&rows->detail, "beside the time ");
        quote(&rows->detail, time->name);
        cli_buffer_char(&rows->detail, ' ');
    }
    cli_buffer_text(&rows->detail, "that holds numbers; name it with --value");
    add_names(rows);
    for (size_t i = 0; i < rows->column_count; i++)
        if (rows->columns[i].unused == CLI_UNUSED_UNITS && rows->columns[i].facts != NULL) {
            cli_rows_add_units(&rows->columns[i], &rows->detail);
            break;
        }
    return say_why(rows, why);
}

/* Says: other columns than before: a, b are judged (there are: c). Answers false. */
static bool differs_from_before(cli_rows *rows, const char **why)
{
    const cli_list *before = rows->sink->values;
    rows->detail.length = 0;
    cli_buffer_text(&rows->detail, "other columns than before: ");
    for (size_t i = 0; i < before->count && rows->detail.length < 400; i++) {
        cli_buffer_text(&rows->detail, i > 0 ? ", " : "");
        cli_add_name(&rows->detail, before->items[i]);
    }
    cli_buffer_text(&rows->detail, before->count > 1 ? " are judged" : " is judged");
    add_names(rows);
    return say_why(rows, why);
}

/* ---- the parts ---- */

/* The labels say what is to be found: they are neither judged, nor a key or a time. */
static bool plan_label(cli_rows *rows, const char **why)
{
    const char *wanted = cli_labels_column(rows->options);
    cli_column *column = wanted != NULL ? find_column(rows, wanted, why) : NULL;
    if (wanted != NULL && column == NULL)
        return *why == NULL ? no_column(rows, wanted, why) : false;
    if (column != NULL)
        rows->labels = column->label = true;
    return true;
}

static bool check_label(cli_rows *rows, const char **why)
{
    const cli_column *column = rows->columns, *end = column + rows->column_count;
    while (column < end && !(column->label && (column->key >= 0 || column->value >= 0 || column->time)))
        column++;
    if (column == end)
        return true;
    rows->detail.length = 0;
    cli_buffer_text(&rows->detail, "the column of labels cannot be value, key or time too: ");
    quote(&rows->detail, column->name);
    return say_why(rows, why);
}

/* Finds the column that says whose values they are: metric; or, beside a column value, the usual names of such a
 * column in long tables, if it holds words that repeat. */
static cli_column *default_key(cli_rows *rows, const char **why)
{
    static const char *const names[] = {"variable", "series", "name"};
    const char *other;
    cli_column *column = find_column(rows, "metric", why);
    if (column != NULL || *why != NULL || find_column(rows, "value", &other) == NULL)
        return column;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        column = find_column(rows, names[i], &other);
        if (column != NULL && !cli_look_numbers(column->facts) && cli_look_repeats(column->facts))
            return column;
    }
    return NULL;
}

static cli_column *find_exactly(cli_rows *rows, const char *name)
{
    size_t i = cli_rows_find(rows, name, strlen(name));
    return i < rows->column_count ? &rows->columns[i] : NULL;
}

const char *cli_rows_stream(cli_rows *rows)
{
    static const char *const names[] = {"Command", "CPU", "Device", "DEV", "IFACE", "Filesystem", "FILESYSTEM", "INTR"};
    size_t i = 0;
    while (i < sizeof names / sizeof *names && find_exactly(rows, names[i]) == NULL)
        i++;
    cli_column *processor = i == 0 ? find_exactly(rows, "CPU") : NULL;
    if (processor != NULL)
        processor->named = true;
    return i < sizeof names / sizeof *names ? names[i] : NULL;
}

enum { OBVIOUS = 4 }; /* columns that are keys without an option, beside metric */

/* Tells whether a column says of what its rows are: host, disk. Without a value no row could be judged. */
static bool is_obvious_key(const cli_rows *rows, const cli_column *column)
{
    const cli_options *o = rows->options;
    return !cli_has_part(column) && cli_name_is_key(column->name) && cli_look_repeats(column->facts) &&
           !cli_look_numbers(column->facts) && !cli_look_times(column->facts) && column->facts->filled == rows->looked &&
           !cli_list_has(&o->values, column->name) && !cli_list_has(&o->time, column->name);
}

static void take_obvious_keys(cli_rows *rows)
{
    for (size_t i = 0; i < rows->column_count && rows->obvious < OBVIOUS; i++)
        if (is_obvious_key(rows, &rows->columns[i])) {
            rows->columns[i].key = (int)rows->key_count++;
            rows->obvious++;
        }
}

static bool plan_keys(cli_rows *rows, const char **why)
{
    const cli_list *wanted = &rows->options->keys;
    cli_column *metric = wanted->given ? NULL : default_key(rows, why);
    size_t most = wanted->count + OBVIOUS + 1;
    rows->keys = cli_resize(rows->keys, most, sizeof *rows->keys);
    memset(rows->keys, 0, most * sizeof *rows->keys);
    if (!wanted->given && *why != NULL)
        return false;
    if (metric == NULL && !wanted->given && rows->stream != NULL)
        metric = find_column(rows, rows->stream, why);
    if (metric != NULL)
        metric->key = (int)rows->key_count++;
    if (!wanted->given)
        take_obvious_keys(rows);
    for (size_t i = 0; i < wanted->count; i++) {
        cli_column *column = find_column(rows, wanted->items[i], why);
        if (column == NULL)
            return *why == NULL ? no_column(rows, wanted->items[i], why) : false;
        if (column->key < 0)
            column->key = (int)rows->key_count++;
    }
    return true;
}

bool cli_rows_usual(const char *name)
{
    static const char *const others[] = {"metric", "key", "value"};
    return cli_name_is_time(name) || cli_name_is_label(name) || cli_name_in(others, sizeof others / sizeof *others, name);
}

/* Tells whether a column holds nothing but times: dates, or numbers under a name of times. Of what --time-format reads
 * most will do: it is not there by chance. */
static bool is_time_by_all(const cli_column *column)
{
    const cli_facts *facts = column->facts;
    bool times = cli_look_all_times(facts) || (cli_look_times(facts) && facts->clock.format != NULL);
    return times && (!cli_look_numbers(facts) || cli_name_may_be_time(column->name));
}

static bool is_asked_for(const cli_rows *rows, const cli_column *column)
{
    const cli_list *values = &rows->options->values;
    return column->key >= 0 || column->label || cli_name_in((const char *const *)values->items, values->count, column->name);
}

/* Finds the first column of nothing but times; without a name of times it must have one in every row. */
static cli_column *time_by_all(cli_rows *rows)
{
    cli_column *found = NULL;
    for (size_t i = 0; i < rows->column_count; i++) {
        cli_column *column = &rows->columns[i];
        if (!is_time_by_all(column) || is_asked_for(rows, column))
            continue;
        if (cli_name_may_be_time(column->name))
            return column;
        if (found == NULL && column->facts->filled == rows->looked)
            found = column;
    }
    return found;
}

/* Finds the time among the usual names. A column called "timestamp" is the time, as the manual promises; a column with
 * another of the names is the time only if it holds times. Of further names it must hold nothing else. */
static cli_column *default_time(cli_rows *rows, const char **why)
{
    for (size_t i = 0; cli_name_of_time(i) != NULL; i++) {
        cli_column *column = find_column(rows, cli_name_of_time(i), why);
        if (*why != NULL)
            return NULL;
        if (column != NULL && !is_asked_for(rows, column) &&
            (i == 0 || column->facts == NULL || cli_look_times(column->facts)))
            return column;
    }
    return time_by_all(rows);
}

static cli_column *assume(cli_rows *rows, const char *name)
{
    size_t i = cli_rows_column(rows, name, strlen(name));
    rows->columns[i].assumed = true;
    return &rows->columns[i];
}

static bool plan_time(cli_rows *rows, const char **why)
{
    const cli_list *wanted = &rows->options->time;
    cli_column *column = NULL;
    *why = NULL;
    if (!wanted->given)
        column = default_time(rows, why);
    else if (wanted->count > 0)
        column = find_column(rows, wanted->items[0], why);
    if (column == NULL && *why != NULL)
        return false;
    if (column == NULL && wanted->count > 0)
        return no_column(rows, wanted->items[0], why);
    if (column == NULL && !wanted->given && rows->sparse &&
        cli_rows_find(rows, cli_name_of_time(0), 9) == rows->column_count)
        column = assume(rows, cli_name_of_time(0)); /* the first objects may lack a time that later ones have */
    if (column != NULL)
        column->time = true;
    if (column != NULL && column->facts != NULL)
        rows->clock = column->facts->clock; /* the first number has said whether numbers are dates */
    return true;
}

/* Tells a further column of times by name and values. Numbers that would be times before 1973 are no times. */
static bool is_another_time(const cli_column *column)
{
    const cli_facts *facts = column->facts;
    return is_time_by_all(column) ||
           (cli_name_is_time(column->name) && cli_look_times(facts) &&
            (!cli_look_numbers(facts) || facts->last >= 1e8 || facts->clock.number == CLI_FORM_DATE));
}

/* Tells whether to suggest --key with this column: its values repeat, and its name can stand in the option as it is,
 * without commas and not empty. */
static bool may_be_key(const cli_rows *rows, const cli_column *column)
{
    return !rows->options->keys.given && cli_look_repeats(column->facts) && *column->name != '\0' &&
           strchr(column->name, ',') == NULL;
}

static enum cli_unused unused_text(const cli_rows *rows, const cli_column *column)
{
    if (cli_look_mixed(column->facts))
        return CLI_UNUSED_UNITS;
    if (cli_look_asks(column->facts))
        return CLI_UNUSED_ORDER;
    if (cli_name_is_time(column->name))
        return CLI_UNUSED_NO_TIME;
    return may_be_key(rows, column) && !cli_look_times(column->facts) ? CLI_UNUSED_KEY : CLI_UNUSED_TEXT;
}

/* Says why a column has no part; CLI_UNUSED_NUMBERS if it could be judged. */
static enum cli_unused unused_kind(const cli_rows *rows, const cli_column *column)
{
    const cli_facts *facts = column->facts;
    if (cli_name_is_label(column->name))
        return CLI_UNUSED_LABEL;
    if (facts == NULL || facts->filled == 0)
        return CLI_UNUSED_EMPTY;
    if (is_another_time(column))
        return CLI_UNUSED_TIME;
    if (!cli_look_numbers(facts))
        return unused_text(rows, column);
    if (cli_look_counts(facts))
        return CLI_UNUSED_COUNTER;
    if (column->named || (cli_name_is_number_of(column->name) && cli_look_whole(facts)))
        return CLI_UNUSED_NAMES;
    if (!rows->numbered || !cli_name_is_id(column->name) || !cli_look_whole(facts))
        return CLI_UNUSED_NUMBERS;
    return may_be_key(rows, column) ? CLI_UNUSED_KEY : CLI_UNUSED_COUNTER;
}

static const cli_list *wanted_values(const cli_rows *rows)
{
    return rows->sink->values != NULL ? rows->sink->values : &rows->options->values;
}

static void take_value(cli_rows *rows, cli_column *column)
{
    if (column->value < 0)
        column->value = (int)rows->value_count++;
    column->unit = cli_look_unit(column->facts);
}

static bool plan_named_values(cli_rows *rows, const char **why)
{
    const cli_list *wanted = wanted_values(rows);
    for (size_t i = 0; i < wanted->count; i++) {
        cli_column *column = find_column(rows, wanted->items[i], why);
        if (column == NULL && *why != NULL)
            return false;
        if (column == NULL && wanted != rows->sink->values)
            return no_column(rows, wanted->items[i], why);
        if (column == NULL && !rows->sparse)
            return differs_from_before(rows, why);
        take_value(rows, column != NULL ? column : assume(rows, wanted->items[i]));
    }
    return true;
}

static void plan_every(cli_rows *rows, enum cli_unused kind)
{
    for (size_t i = 0; i < rows->column_count; i++)
        if (!cli_has_part(&rows->columns[i]) && rows->columns[i].unused == kind)
            take_value(rows, &rows->columns[i]);
}

static bool plan_values(cli_rows *rows, const char **why)
{
    cli_column *value = find_column(rows, "value", why);
    if (value == NULL && *why != NULL && !wanted_values(rows)->given)
        return false;
    rows->every = value == NULL && !rows->options->values.given;
    for (size_t i = 0; i < rows->column_count; i++)
        rows->columns[i].unused = unused_kind(rows, &rows->columns[i]);
    if (wanted_values(rows)->given)
        return plan_named_values(rows, why);
    if (value != NULL)
        take_value(rows, value);
    else
        plan_every(rows, CLI_UNUSED_NUMBERS);
    if (rows->value_count == 0)
        plan_every(rows, CLI_UNUSED_NAMES); /* there is nothing else */
    if (rows->value_count == 0)
        plan_every(rows, CLI_UNUSED_COUNTER);
    return rows->value_count > 0 || no_numbers(rows, why);
}

/* ---- the whole ---- */

static int compare_names(const void *a, const void *b)
{
    const cli_column *const *one = a, *const *other = b;
    return strcmp((*one)->name, (*other)->name);
}

/* Refuses two columns of one name if one of them has a part: which of the two is meant cannot be known. */
static bool no_twins(cli_rows *rows, const char **why)
{
    const cli_column **sorted = cli_resize(NULL, rows->column_count, sizeof *sorted), *twin = NULL;
    for (size_t i = 0; i < rows->column_count; i++)
        sorted[i] = &rows->columns[i];
    qsort(sorted, rows->column_count, sizeof *sorted, compare_names);
    for (size_t i = 1; i < rows->column_count && twin == NULL; i++)
        if (strcmp(sorted[i]->name, sorted[i - 1]->name) == 0 && (cli_has_part(sorted[i]) || cli_has_part(sorted[i - 1])))
            twin = sorted[i];
    free(sorted);
    if (twin == NULL)
        return true;
    rows->detail.length = 0;
    cli_buffer_text(&rows->detail, "two columns are called ");
    quote(&rows->detail, twin->name);
    cli_buffer_text(&rows->detail, ": rename one, or name others with -v, -k and -T");
    return say_why(rows, why);
}

static void make_row_room(cli_rows *rows)
{
    size_t n = rows->value_count;
    rows->values = cli_resize(rows->values, n, sizeof *rows->values);
    rows->present = cli_resize(rows->present, n, sizeof *rows->present);
    rows->value_names = cli_resize(rows->value_names, n, sizeof *rows->value_names);
    for (size_t i = 0; i < rows->column_count; i++)
        if (rows->columns[i].value >= 0)
            rows->value_names[rows->columns[i].value] = rows->columns[i].name;
}

static void forget_parts(cli_rows *rows)
{
    for (size_t i = 0; i < rows->key_count; i++)
        cli_buffer_free(&rows->keys[i]);
    for (size_t i = 0; i < rows->column_count; i++) {
        cli_column *column = &rows->columns[i];
        column->key = column->value = -1;
        column->unit = NULL;
        column->time = column->label = column->meta = false;
    }
    rows->key_count = rows->obvious = rows->value_count = 0;
    rows->labels = false;
}

static bool plan_parts(cli_rows *rows, const char **why)
{
    if (!plan_label(rows, why) || !plan_keys(rows, why) || !plan_time(rows, why) || !plan_values(rows, why) ||
        !check_label(rows, why) || !no_twins(rows, why))
        return false;
    make_row_room(rows);
    *why = rows->sink->planned != NULL ? rows->sink->planned(rows->sink->context, rows) : NULL;
    return *why == NULL;
}

bool cli_rows_plan(cli_rows *rows, const char **why)
{
    const char *other;
    forget_parts(rows);
    rows->valueless = false;
    *why = NULL;
    if (!plan_parts(rows, why)) {
        forget_parts(rows); /* half a plan would have rows begun with parts that have no place */
        return false;
    }
    cli_column *meta = find_column(rows, "meta", &other);
    if (meta != NULL)
        meta->meta = !cli_has_part(meta) && rows->sink->want_rest;
    return true;
}
