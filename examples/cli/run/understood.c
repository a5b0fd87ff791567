/* SPDX-License-Identifier: MIT
 * understood.c - the columns of a file: do they fit the files before, and what was understood of them, in one line.
 */
#include "run/understood.h"

#include "run/page.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { NAMES = 8 }; /* what a line shows of many columns */

/* ---- the columns of all files are the same ---- */

/* Both mostly come in the same order. */
static bool is_in(const cli_list *list, const char *name, size_t *next)
{
    size_t i = *next;
    if (i >= list->count || strcmp(list->items[i], name) != 0)
        for (i = 0; i < list->count && strcmp(list->items[i], name) != 0; i++)
            continue;
    *next = i + 1;
    return i < list->count;
}

/* A column that would be judged, had it been there from the start. */
static const cli_column *new_column(const cli_app *app, const cli_rows *rows)
{
    size_t next = 0;
    if (!app->session.values.given || !rows->every || rows->sparse || rows->sink->values == NULL || app->source->replay)
        return NULL;
    for (size_t i = 0; i < rows->column_count; i++) {
        const cli_column *c = &rows->columns[i];
        if (!cli_has_part(c) && c->unused == CLI_UNUSED_NUMBERS && !is_in(&app->session.others, c->name, &next))
            return c;
    }
    return NULL;
}

/* One of several: the first few. */
static void add_shown_name(cli_buffer *b, const char *name, size_t *shown)
{
    if (*shown <= NAMES)
        cli_buffer_text(b, *shown == 0 ? "" : *shown < NAMES ? ", " : ", ...");
    if (*shown < NAMES)
        cli_add_name(b, name);
    ++*shown;
}

static const char *tell_difference(cli_app *app, const cli_column *column)
{
    cli_buffer *b = &app->text;
    size_t shown = 0;
    b->length = 0;
    cli_buffer_text(b, "other columns than before: ");
    for (size_t i = 0; i < app->session.values.count; i++)
        add_shown_name(b, app->session.values.items[i], &shown);
    cli_buffer_text(b, app->session.values.count > 1 ? " are judged, here \"" : " is judged, here \"");
    cli_add_name(b, column->name);
    cli_buffer_text(b, "\" holds numbers too: name those to judge with --value");
    cli_buffer_char(b, '\0');
    return b->data;
}

static void remember_names(cli_app *app, const cli_rows *rows)
{
    cli_keep_names(&app->keep, (const char *const *)rows->value_names, rows->value_count);
    if (app->session.values.given)
        return;
    for (size_t i = 0; i < rows->value_count; i++)
        cli_list_add(&app->session.values, rows->value_names[i], strlen(rows->value_names[i]));
    for (size_t i = 0; i < rows->column_count; i++)
        if (rows->columns[i].value < 0)
            cli_list_add(&app->session.others, rows->columns[i].name, strlen(rows->columns[i].name));
}

/* ---- the line ---- */

static void add_format(cli_buffer *b, const cli_rows *rows)
{
    static const char delimiters[] = ",;\t| ";
    static const char *const names[] = {"commas", "semicolons", "tabs", "bars", "blanks"};
    const char *known = rows->delimiter != '\0' ? strchr(delimiters, rows->delimiter) : NULL;
    char other[] = {'"', rows->delimiter, '"', '\0'};
    cli_buffer_text(b, rows->format);
    if (rows->delimiter == '\0' || rows->column_count == 1)
        return;
    cli_buffer_text(b, " with ");
    cli_buffer_text(b, known != NULL ? names[known - delimiters] : other);
}

/* " in Windows-1252", where the text is not UTF-8 */
static void add_encoding(cli_buffer *b, const cli_source *source)
{
    if (source->recode == NULL)
        return;
    cli_buffer_text(b, " in ");
    cli_buffer_text(b, source->encoding);
}

static void add_values(cli_buffer *b, const cli_rows *rows)
{
    size_t shown = 0;
    bool each = rows->options->each, several = rows->value_count > 1;
    cli_buffer_text(b, each && several ? ", judging each of " : ", judging ");
    for (size_t i = 0; i < rows->value_count; i++)
        add_shown_name(b, rows->value_names[i], &shown);
    cli_buffer_text(b, several && !each ? " together" : "");
}

/* ' (by their names; if not: -k "")', for keys that no option names */
static void add_way_back(cli_buffer *b, const cli_rows *rows)
{
    const char *other = "\"\"";
    for (size_t i = 0; rows->key_count > rows->obvious && i < rows->column_count; i++)
        if (rows->columns[i].key == 0)
            other = rows->columns[i].name;
    cli_buffer_text(b, rows->obvious > 1 ? " (by their names; if not: -k " : " (by its name; if not: -k ");
    cli_add_printable(b, other, strlen(other));
    cli_buffer_char(b, ')');
}

static void add_keys(cli_buffer *b, const cli_rows *rows)
{
    size_t shown = 0;
    if (rows->key_count == 0)
        cli_buffer_text(b, rows->options->each && rows->value_count > 1 ? "" : " as one stream");
    for (size_t k = 0; k < rows->key_count; k++)
        for (size_t i = 0; i < rows->column_count; i++)
            if (rows->columns[i].key == (int)k) {
                cli_buffer_text(b, shown == 0 ? " by " : "");
                add_shown_name(b, rows->columns[i].name, &shown);
            }
    if (rows->obvious > 0)
        add_way_back(b, rows);
}

/* " (no year: 2025 taken)", where times name none */
static void add_year(cli_buffer *b, const cli_clock *clock)
{
    if (!clock->yearless)
        return;
    cli_buffer_text(b, " (no year: ");
    cli_buffer_uint(b, (uint64_t)clock->year);
    cli_buffer_text(b, " taken)");
}

static void add_time(cli_buffer *b, const cli_rows *rows)
{
    static const char *const forms[] = {
        [CLI_FORM_NONE] = "",
        [CLI_FORM_ISO] = "",
        [CLI_FORM_UTC] = " (taken as UTC)",
        [CLI_FORM_LOCAL] = " (local time of --tz)",
        [CLI_FORM_DATE] = " (dates as YYYYMMDD)",
        [CLI_FORM_S] = " (seconds since 1970)",
        [CLI_FORM_MS] = " (milliseconds since 1970)",
        [CLI_FORM_US] = " (microseconds since 1970)",
        [CLI_FORM_NS] = " (nanoseconds since 1970)",
    };
    const cli_column *time = cli_rows_time(rows);
    if (time == NULL || time->assumed) {
        cli_buffer_text(b, "; no time");
        cli_buffer_text(b, rows->clock.format != NULL ? ": --time-format reads no column" : "");
        return;
    }
    cli_buffer_text(b, "; time: ");
    cli_add_name(b, time->name);
    add_year(b, &rows->clock);
    cli_buffer_text(b, forms[rows->clock.first]);
}

/* "; labels: bad" */
static void add_labels(cli_buffer *b, const cli_rows *rows)
{
    for (size_t i = 0; i < rows->column_count; i++)
        if (rows->columns[i].label) {
            cli_buffer_text(b, "; labels: ");
            cli_add_name(b, rows->columns[i].name);
        }
}

/* "window 300s", "window 1h, at most 5000 events", "window 1000 events" */
static void add_window(cli_buffer *b, const cli_app *app)
{
    const anomaly_config *config = &app->session.config;
    char text[64] = "300s"; /* as the manual has it, not 5m */
    if (app->session.options->command == CLI_SUGGEST)
        return;
    if (app->session.options->open) {
        cli_buffer_text(b, app->session.whole_rows ? "; a short file, judged as by " : "; judged as by ");
        cli_method_add(b, config, app->session.whole_rows);
        return;
    }
    if (app->session.whole_rows) {
        cli_buffer_text(b, "; each row against all others");
        return;
    }
    if (config->window_ns != INT64_C(300000000000) || config->window_events > 0)
        anomaly_config_get(config, "window", text, sizeof text);
    size_t first = strcspn(text, ",");
    cli_buffer_text(b, "; window ");
    cli_buffer_add(b, text, first);
    if (text[first] != '\0') {
        cli_buffer_text(b, ", at most ");
        cli_buffer_text(b, text + first + 1);
    }
    cli_buffer_text(b, config->window_events > 0 ? " events" : "");
}

static bool is_unused(const cli_column *c, enum cli_unused kind)
{
    bool named = *c->name != '\0' || c->unused != CLI_UNUSED_EMPTY; /* a delimiter at the lines' ends makes no column */
    return !cli_has_part(c) && !c->assumed && c->unused == kind && named && strcasecmp(c->name, "meta") != 0;
}

static size_t add_unused(cli_buffer *b, const cli_rows *rows, enum cli_unused kind)
{
    size_t shown = 0;
    for (size_t i = 0; i < rows->column_count; i++)
        if (is_unused(&rows->columns[i], kind))
            add_shown_name(b, rows->columns[i].name, &shown);
    return shown;
}

/* "try -k metric,host,disk" */
static void add_offer(cli_buffer *b, const cli_rows *rows)
{
    cli_buffer keys = {0};
    size_t offered = 0;
    for (size_t i = 0; i < rows->column_count; i++)
        if (rows->columns[i].key >= 0) {
            cli_list_add_quoted(&keys, rows->columns[i].name);
            cli_buffer_char(&keys, ',');
        }
    for (size_t i = 0; i < rows->column_count && offered < NAMES; i++)
        if (is_unused(&rows->columns[i], CLI_UNUSED_KEY)) {
            cli_buffer_text(&keys, offered++ > 0 ? "," : "");
            cli_list_add_quoted(&keys, rows->columns[i].name);
        }
    cli_buffer_char(&keys, '\0');
    cli_buffer_text(b, " (values that repeat: try -k ");
    cli_add_word(b, keys.data);
    cli_buffer_char(b, ')');
    cli_buffer_free(&keys);
}

/* " (times: the day first, or the month? ...)" */
static void add_question(cli_buffer *b, const cli_rows *rows)
{
    size_t i = 0;
    while (!is_unused(&rows->columns[i], CLI_UNUSED_ORDER))
        i++;
    cli_buffer_text(b, " (times: ");
    cli_buffer_text(b, rows->columns[i].facts->question);
    cli_buffer_char(b, ')');
}

static void add_others(cli_buffer *b, const cli_rows *rows)
{
    static const char *const reasons[CLI_UNUSED_KINDS] = {
        [CLI_UNUSED_NUMBERS] = " (numbers: -v judges them)",
        [CLI_UNUSED_COUNTER] = " (numbers the rows)",
        [CLI_UNUSED_NAMES] = " (numbers that name something: -v judges them)",
        [CLI_UNUSED_UNITS] = " (different units)",
        [CLI_UNUSED_TIME] = " (a time)",
        [CLI_UNUSED_NO_TIME] = " (no times that can be read: -T says why)",
        [CLI_UNUSED_TEXT] = " (no numbers)",
        [CLI_UNUSED_EMPTY] = " (empty)",
        [CLI_UNUSED_LABEL] = "",
    };
    bool any = false;
    for (int kind = 0; kind < CLI_UNUSED_KINDS; kind++) {
        size_t before = b->length;
        cli_buffer_text(b, any ? ", " : "; not used: ");
        if (add_unused(b, rows, (enum cli_unused)kind) == 0) {
            b->length = before;
            continue;
        }
        any = true;
        if (kind == CLI_UNUSED_KEY)
            add_offer(b, rows);
        else if (kind == CLI_UNUSED_ORDER)
            add_question(b, rows);
        else
            cli_buffer_text(b, reasons[kind]);
    }
}

/* The default window is one of time where most of the first rows have one, or there are none to look at. */
static bool has_times(const cli_rows *rows)
{
    const cli_column *time = cli_rows_time(rows);
    size_t filled = time != NULL && time->facts != NULL ? time->facts->filled : 0;
    return time != NULL && !time->assumed && 2 * filled >= rows->looked;
}

static void add_remark(cli_buffer *b, const cli_rows *rows)
{
    cli_buffer_text(b, rows->remark.length > 0 ? "; " : "");
    cli_buffer_add(b, rows->remark.data, rows->remark.length);
}

static bool are_alike(const cli_column *a, const cli_column *b)
{
    return a->value >= 0 && b->value >= 0 && a->unit != NULL && b->unit != NULL && cli_unit_fits(a->unit, b->unit);
}

/* "; cpu, gpu: % dropped; mem: in bytes (steps of 1024)", and which columns have different units */
static void add_units(cli_buffer *b, const cli_rows *rows)
{
    const cli_column *columns = rows->columns;
    size_t told = 0;
    for (size_t i = 0; i < rows->column_count; i++) {
        size_t shown = 0, first = 0;
        if (columns[i].facts != NULL && is_unused(&columns[i], CLI_UNUSED_UNITS) && told++ < NAMES)
            cli_rows_add_units(&columns[i], b);
        if (!are_alike(&columns[i], &columns[i]))
            continue;
        while (first < i && !are_alike(&columns[first], &columns[i]))
            first++;
        if (first < i || told++ >= NAMES)
            continue;
        cli_buffer_text(b, "; ");
        for (size_t k = i; k < rows->column_count; k++)
            if (are_alike(&columns[i], &columns[k]))
                add_shown_name(b, columns[k].name, &shown);
        cli_buffer_text(b, ": ");
        cli_unit_add(b, columns[i].unit);
    }
}

/* "; bytes_total only grows: -s transform=rate judges the growth" */
static void add_growing(cli_buffer *b, const cli_rows *rows)
{
    size_t shown = 0, before = b->length;
    cli_buffer_text(b, "; ");
    for (size_t i = 0; i < rows->column_count; i++)
        if (rows->columns[i].value >= 0 && cli_look_grows(rows->columns[i].facts))
            add_shown_name(b, rows->columns[i].name, &shown);
    cli_buffer_text(b, shown > 1 ? " only grow" : " only grows");
    cli_rows_offer_growth(rows, has_times(rows), b);
    if (shown == 0 || rows->options->config.transform != ANOMALY_RAW)
        b->length = before;
}

/* Once, and again for a file that is read in another way. */
static void tell_columns(cli_app *app, const cli_rows *rows)
{
    cli_buffer *b = &app->text;
    b->length = 0;
    add_format(b, rows);
    add_encoding(b, app->source);
    add_values(b, rows);
    add_keys(b, rows);
    add_time(b, rows);
    add_labels(b, rows);
    add_window(b, app);
    add_others(b, rows);
    add_units(b, rows);
    add_remark(b, rows);
    add_growing(b, rows);
    cli_buffer_char(b, '\0');
    if (app->understood != NULL && strcmp(app->understood, b->data) == 0)
        return;
    free(app->understood);
    app->understood = cli_copy(b->data, b->length - 1);
    cli_page_understood(app);
    if (!app->session.options->quiet)
        cli_say(&app->session.terminal, app->session.file, 0, b->data, NULL);
}

static bool are_many(const cli_rows *rows)
{
    bool many = false;
    for (size_t i = 0; i < rows->column_count; i++)
        many |= rows->columns[i].key >= 0 && cli_look_many(rows->columns[i].facts);
    return many;
}

static bool is_skewed(const cli_rows *rows)
{
    bool skewed = false;
    for (size_t i = 0; rows->value_count == 1 && i < rows->column_count; i++)
        skewed |= rows->columns[i].value == 0 && cli_look_skewed(rows->columns[i].facts);
    return skewed;
}

/* The library says how many values an event may have. */
static bool are_too_many(const cli_app *app, size_t values)
{
    anomaly_config config = app->session.config;
    char text[24];
    snprintf(text, sizeof text, "%zu", values);
    return !app->session.options->each && anomaly_config_set(&config, "features", text, NULL) != ANOMALY_OK;
}

static const char *too_many(cli_app *app, size_t values)
{
    cli_buffer *b = &app->text;
    b->length = 0;
    cli_buffer_uint(b, values);
    cli_buffer_text(b, " columns are too many to be judged together: name some with --value, or take --each");
    cli_buffer_char(b, '\0');
    return b->data;
}

const char *cli_understood(cli_app *app, const cli_rows *rows)
{
    const cli_column *column = new_column(app, rows);
    if (column != NULL)
        return tell_difference(app, column);
    if (are_too_many(app, rows->value_count))
        return too_many(app, rows->value_count);
    remember_names(app, rows);
    cli_shown shown = {.times = has_times(rows),
                       .keys = rows->key_count > 0,
                       .many = are_many(rows),
                       .skewed = is_skewed(rows),
                       .is_short = rows->few || (rows->looked < CLI_LOOK && cli_source_read_whole(app->source))};
    if (!app->session.decided && !cli_session_begin(&app->session, &shown, rows->value_count))
        return NULL; /* that was told */
    tell_columns(app, rows);
    return NULL;
}
