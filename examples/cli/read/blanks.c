/* SPDX-License-Identifier: MIT
 * blanks.c - the lines of tables with blanks between their fields: which is a header, which a row, and of what time a
 * row is.
 *
 * A header is a line without numbers: the first one, one that has come before, or one behind a blank line, a title or
 * a line of time. sar, mpstat and pidstat begin header and rows with the time of day and a title with the date; iostat
 * -t writes a line with both before each report.
 */
#include "read/blanks.h"

#include "common/civil.h"
#include "common/number.h"
#include "read/units.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { LINES = 40 }; /* that are looked at */

void cli_blanks_free(cli_blanks *b)
{
    free(b->words);
    cli_list_free(&b->tables);
    cli_buffer_free(&b->group);
    cli_buffer_free(&b->comment);
}

/* ---- words ---- */

static void add_word(cli_blanks *b, const char *text, size_t length)
{
    if (b->count == b->capacity) {
        b->capacity = b->capacity > 0 ? 2 * b->capacity : 32;
        b->words = cli_resize(b->words, b->capacity, sizeof *b->words);
    }
    b->words[b->count++] = (cli_span){text, length};
}

static void cut_words(cli_blanks *b, const cli_line *line)
{
    const char *c = line->text, *end = c + line->length;
    b->count = 0;
    while (c < end) {
        const char *word = c;
        while (c < end && !cli_is_blank(*c))
            c++;
        if (c > word)
            add_word(b, word, (size_t)(c - word));
        while (c < end && cli_is_blank(*c))
            c++;
    }
}

static void drop_words(cli_blanks *b, size_t count)
{
    b->count -= count;
    memmove(b->words, b->words + count, b->count * sizeof *b->words);
}

static bool is_word(const cli_blanks *b, size_t i, const char *word)
{
    return i < b->count && b->words[i].length == strlen(word) && memcmp(b->words[i].text, word, strlen(word)) == 0;
}

/* Tells 5.2Gi and 42 %: what free -h and df -h write. A header may have words as 5m. */
static bool is_size_or_share(cli_span f)
{
    cli_unit unit;
    const char *number;
    size_t length;
    return cli_unit_cut(f.text, f.length, &unit, &number, &length) && cli_span_number((cli_span){number, length}) &&
           (unit.measure == CLI_MEASURE_BYTES || unit.text[0] == '%');
}

/* Tells whether a word from `from` on is a number, also with a decimal comma or a unit, or a date or time. */
static bool has_data(const cli_blanks *b, size_t from)
{
    for (size_t i = from; i < b->count; i++)
        if (cli_span_data(b->words[i], ';') || is_size_or_share(b->words[i]) || cli_blanks_date(b->words[i]) ||
            cli_blanks_clock(b->words[i]))
            return true;
    return false;
}

static void join_words(const cli_blanks *b, size_t from, cli_buffer *text)
{
    text->length = 0;
    for (size_t i = from; i < b->count; i++) {
        cli_buffer_text(text, i > from ? " " : "");
        cli_buffer_add(text, b->words[i].text, b->words[i].length);
    }
    cli_buffer_char(text, '\0');
}

/* ---- dates and times ---- */

/* Reads two numbers and what is between: 02:00, 03/04. */
static bool read_pair(const char *s, char mark, int *a, int *b)
{
    *a = cli_two(s);
    *b = cli_two(s + 3);
    return *a >= 0 && *b >= 0 && s[2] == mark;
}

/* Reads 2025-03-04, 03/04/2025 or 03/04/25 (the month first, unless it can only be the day), 04.03.2025. */
static bool read_date(cli_span f, int64_t *day)
{
    const char *s = f.text;
    int year = -1, month = 0, date = 0;
    if (f.length == 10 && s[4] == '-') {
        year = cli_fixed(s, 4);
        if (!read_pair(s + 5, '-', &month, &date))
            return false;
    } else if ((f.length == 8 || f.length == 10) && (s[2] == '/' || s[2] == '.') && s[5] == s[2]) {
        bool parts = s[2] == '/' ? read_pair(s, '/', &month, &date) : read_pair(s, '.', &date, &month);
        year = f.length == 10 ? cli_fixed(s + 6, 4) : cli_two(s + 6) >= 0 ? 2000 + cli_two(s + 6) : -1;
        if (parts && month > 12) {
            int other = month;
            month = date;
            date = other;
        }
    }
    if (year < 0 || !cli_date_exists(year, month, date))
        return false;
    *day = cli_days_from_civil(year, month, date);
    return true;
}

static int32_t read_clock(cli_span f)
{
    int hour, minute, second;
    if (f.length < 8 || !read_pair(f.text, ':', &hour, &minute) || f.text[5] != ':')
        return -1;
    second = cli_two(f.text + 6);
    bool fraction = f.length == 8 || (f.length > 9 && (f.text[8] == '.' || f.text[8] == ','));
    return hour < 24 && minute < 60 && second >= 0 && second < 61 && fraction ? hour * 3600 + minute * 60 + second : -1;
}

bool cli_blanks_clock(cli_span f)
{
    return read_clock(f) >= 0;
}

bool cli_blanks_date(cli_span f)
{
    int64_t day;
    return f.length == 10 && f.text[4] == '-' && read_date(f, &day);
}

/* Reads the time of day at the front of the line, 14:00:01 or 02:00:01 PM; answers its words, 0 for none. */
static size_t read_time_of_day(const cli_blanks *b, size_t at, int32_t *second)
{
    if (at >= b->count || b->words[at].length != 8 || (*second = read_clock(b->words[at])) < 0)
        return 0;
    bool pm = is_word(b, at + 1, "PM");
    if (!pm && !is_word(b, at + 1, "AM"))
        return 1;
    if (*second < 13 * 3600)
        *second = *second % (12 * 3600) + (pm ? 12 * 3600 : 0);
    return 2;
}

static void write_time(cli_blanks *b, int64_t day, int32_t second)
{
    int year, month, date;
    cli_civil_from_days(day, &year, &month, &date);
    snprintf(b->time, sizeof b->time, "%04d-%02d-%02dT%02d:%02d:%02d", year, month, date, (int)(second / 3600),
             (int)(second / 60 % 60), (int)(second % 60));
}

/* Gives a row its time. A time of day that goes far back is of the next day. */
static void set_time(cli_blanks *b, int32_t second)
{
    if (!b->dated) {
        snprintf(b->time, sizeof b->time, "%02d:%02d:%02d", (int)(second / 3600), (int)(second / 60 % 60),
                 (int)(second % 60));
        return;
    }
    if (second < b->last - 12 * 3600)
        b->day++;
    b->last = second;
    write_time(b, b->day, second);
}

/* Linux 6.1.0 (web01) 03/04/2025 _x86_64_ (4 CPU) */
static bool take_title(cli_blanks *b)
{
    int64_t day = 0;
    if (!is_word(b, 0, "Linux") || b->count < 4)
        return false;
    for (size_t i = 2; i < b->count; i++) {
        if (!read_date(b->words[i], &day))
            continue;
        b->dated = true;
        b->day = day;
        b->last = 0;
        write_time(b, day, 0);
        snprintf(b->title, sizeof b->title, "%.10s", b->time);
    }
    b->time[0] = '\0';
    return true;
}

/* A line that is a date and a time of day: iostat -t. */
static bool take_stamp(cli_blanks *b)
{
    int64_t day;
    int32_t second;
    const cli_span *first = b->words;
    if (b->count == 1 && first->length > 18 && first->length < sizeof b->time && first->text[10] == 'T' &&
        read_date((cli_span){first->text, 10}, &day)) {
        memcpy(b->time, first->text, first->length);
        b->time[first->length] = '\0';
        return true;
    }
    if (b->count < 2 || !read_date(*first, &day) || 1 + read_time_of_day(b, 1, &second) != b->count)
        return false;
    write_time(b, day, second);
    return true;
}

/* ---- headers ---- */

/* procs -----------memory---------- ---swap--: the names of groups of columns. */
static bool take_group(cli_blanks *b)
{
    bool dashes = false;
    for (size_t i = 0; i < b->count; i++) {
        const cli_span *w = &b->words[i];
        dashes |= w->length > 2 && memcmp(w->text + w->length - 2, "--", 2) == 0;
    }
    if (!dashes || has_data(b, 0))
        return false;
    cli_span first = b->words[0];
    for (; first.length > 0 && *first.text == '-'; first.text++)
        first.length--;
    while (first.length > 0 && first.text[first.length - 1] == '-')
        first.length--;
    b->group.length = 0;
    cli_buffer_add(&b->group, first.text, first.length);
    return true;
}

static size_t find_table(const cli_blanks *b, const char *header)
{
    size_t i = 0;
    while (i < b->tables.count && strcmp(b->tables.items[i], header) != 0)
        i++;
    return i;
}

/* Begins a table, or goes on with one; all that are too many share a number. */
static void go_to_table(cli_blanks *b, const char *header, bool timed)
{
    b->table = find_table(b, header);
    if (b->table == b->tables.count && b->table < CLI_BLANKS_TABLES - 1) {
        cli_list_add(&b->tables, header, strlen(header));
        b->timed |= (uint64_t)timed << b->table;
    }
    b->begun = true;
}

/* Takes the words from `clock` on, behind a time of day, as a header if they may be one. */
static bool take_header(cli_blanks *b, size_t clock)
{
    bool first = !b->begun, may = first ? b->header != CLI_HEADER_NO : b->fresh;
    cli_buffer text = {0};
    join_words(b, clock, &text);
    bool known = !first && find_table(b, text.data) < b->tables.count;
    bool header = known || (may && !has_data(b, clock)) || (first && b->header == CLI_HEADER_YES);
    if (header)
        go_to_table(b, text.data, clock > 0);
    cli_buffer_free(&text);
    return header;
}

static void take_comment(cli_blanks *b)
{
    if (b->words[0].length > 1) {
        b->words[0].text++;
        b->words[0].length--;
    } else {
        drop_words(b, 1);
    }
    if (!has_data(b, 0))
        join_words(b, 0, &b->comment);
}

/* Counts the words of the last comment. */
static size_t comment_words(const cli_blanks *b)
{
    size_t count = b->comment.length > 1;
    for (size_t i = 0; i + 1 < b->comment.length; i++)
        count += b->comment.data[i] == ' ';
    return count;
}

/* A row before any header: the last comment is its header if it has as many words. pidstat -h calls the time of day
 * Time there. */
static void begin_without_header(cli_blanks *b, size_t clock)
{
    bool comment = b->header != CLI_HEADER_NO && b->comment.length > 1;
    bool timed = comment && clock > 0 && strncmp(b->comment.data, "Time ", 5) == 0;
    comment = comment && comment_words(b) == b->count - (timed ? clock - 1 : 0);
    go_to_table(b, comment ? b->comment.data + (timed ? 5 : 0) : "", timed && comment);
}

static bool is_timed(const cli_blanks *b)
{
    return b->begun && (b->timed >> b->table & 1) != 0;
}

/* "Average:", in any language: a word with a colon where each row has a time of day. */
static bool is_average(const cli_blanks *b, size_t clock)
{
    const cli_span *first = b->words;
    return is_timed(b) && clock == 0 && first->length > 1 && first->text[first->length - 1] == ':';
}

static enum cli_blanks_line take_row(cli_blanks *b, size_t clock, int32_t second)
{
    if (!b->begun)
        begin_without_header(b, clock);
    if (!is_timed(b))
        return CLI_BLANKS_ROW;
    b->time[0] = '\0';
    drop_words(b, clock);
    if (clock > 0)
        set_time(b, second);
    return is_word(b, 0, "LINUX") ? CLI_BLANKS_SUMMARY : CLI_BLANKS_ROW; /* LINUX RESTART (4 CPU) */
}

enum cli_blanks_line cli_blanks_take(cli_blanks *b, const cli_line *line)
{
    int32_t second = 0;
    cut_words(b, line);
    if (b->count == 0 || take_title(b) || take_group(b) || take_stamp(b)) {
        b->fresh = true;
        return CLI_BLANKS_NONE;
    }
    if (b->words[0].text[0] == '#') {
        take_comment(b);
        return CLI_BLANKS_NONE;
    }
    size_t clock = read_time_of_day(b, 0, &second);
    bool fresh = b->fresh, average = is_average(b, clock);
    bool header = !average && take_header(b, clock < b->count && !is_word(b, clock, "LINUX") ? clock : 0);
    b->fresh = average && fresh;
    return average ? CLI_BLANKS_SUMMARY : header ? CLI_BLANKS_HEADER : take_row(b, clock, second);
}

/* ---- is it one? ---- */

/* Finds the next line with words that is no comment. */
static bool next_words(cli_blanks *b, cli_source *s, size_t *from, cli_line *line)
{
    for (size_t i = 0; i < LINES && cli_line_at(s, *from, line, from); i++) {
        cut_words(b, line);
        if (b->count > 0 && b->words[0].text[0] != '#')
            return true;
    }
    return false;
}

static bool is_signed(cli_blanks *b, const cli_line *line)
{
    cli_span all = cli_span_at(line, '\n', 0);
    bool cpu = b->count > 3 && all.length > 4 && memcmp(all.text + all.length - 4, "CPU)", 4) == 0;
    return (cpu && take_title(b)) || is_word(b, 0, "avg-cpu:") || take_group(b);
}

/* Tells two lines of a table: as many words in both, or behind a header more (date and time, a name that has no
 * header, a command with its arguments), and numbers in the second. */
static bool are_two(cli_blanks *b, size_t first, bool first_data)
{
    return b->count > 1 && has_data(b, 0) && (b->count == first || (!first_data && first > 1 && b->count > first));
}

bool cli_blanks_shown(cli_source *s)
{
    cli_blanks b = {.begun = false};
    cli_line line;
    size_t from = 0;
    bool shown = next_words(&b, s, &from, &line);
    if (shown && !is_signed(&b, &line)) {
        size_t count = b.count;
        bool data = has_data(&b, 0), plain = count > 1 && cli_frequent_delimiter(&line, 0) == 0;
        shown = plain && memchr("{[", *b.words[0].text, 2) == NULL && next_words(&b, s, &from, &line) &&
                cli_frequent_delimiter(&line, 0) == 0 && are_two(&b, count, data);
    }
    cli_blanks_free(&b);
    return shown;
}
