/* SPDX-License-Identifier: MIT
 * reader_ping.c - what ping prints: 64 bytes from 192.0.2.1: icmp_seq=1 ttl=64 time=12.3 ms
 *
 * The host is the metric, and its time to answer in milliseconds the value. ping -D writes the time before each line.
 * An answer whose number is not the next one shows that others are missing.
 */
#include "read/reader_ping.h"

#include "read/samples.h"

#include <stdio.h>
#include <string.h>

typedef struct reader {
    cli_samples samples;
    cli_buffer host; /* of the answer before */
    double number;   /* ... and its icmp_seq */
    uint64_t missing;
} reader;

/* Finds the place behind the first occurrence of `what`; NULL if there is none. */
static const char *behind(const char *s, const char *end, const char *what)
{
    size_t n = strlen(what);
    for (; (size_t)(end - s) >= n; s++)
        if (memcmp(s, what, n) == 0)
            return s + n;
    return NULL;
}

/* Takes the word behind `what`; length 0 if there is none. */
static cli_span word_behind(const char *s, const char *end, const char *what)
{
    const char *word = behind(s, end, what);
    size_t n = 0;
    while (word != NULL && word + n < end && !cli_is_blank(word[n]))
        n++;
    return (cli_span){word != NULL ? word : "", n};
}

/* An answer by its parts; false if the line is none. */
static bool cut_answer(const cli_line *line, cli_span *host, cli_sample *sample, cli_span *number)
{
    const char *s = line->text, *end = s + line->length, *from = behind(s, end, " bytes from ");
    const char *stop = from != NULL ? behind(from, end, ": ") : NULL;
    if (stop == NULL)
        return false;
    *host = (cli_span){from, (size_t)(stop - from) - 2};
    *number = word_behind(stop - 1, end, "icmp_seq=");
    sample->key = *host;
    sample->value = word_behind(stop - 1, end, " time=");
    sample->time = (cli_span){"", 0};
    const char *bracket = *s == '[' ? memchr(s, ']', (size_t)(from - s)) : NULL;
    if (bracket != NULL)
        sample->time = (cli_span){s + 1, (size_t)(bracket - s) - 1};
    return cli_span_number(sample->value);
}

bool cli_is_ping(const cli_line *line)
{
    cli_span host, number;
    cli_sample sample;
    const char *end = line->text + line->length;
    bool first = line->length > 5 && memcmp(line->text, "PING ", 5) == 0;
    return (first && (behind(line->text, end, "bytes of data") != NULL || behind(line->text, end, "data bytes") != NULL)) ||
           cut_answer(line, &host, &sample, &number);
}

/* Counts the answers that are missing before this one. */
static void count_missing(reader *r, cli_span host, cli_span number)
{
    double n = 0;
    bool same = r->host.length == host.length && host.length > 0 && memcmp(r->host.data, host.text, host.length) == 0;
    if (!cli_span_number(number) || cli_parse_number(number.text, number.length, &n) != CLI_NUMBER_OK)
        return;
    if (same && n > r->number + 1 && n < r->number + 65536)
        r->missing += (uint64_t)(n - r->number) - 1;
    r->host.length = 0;
    cli_buffer_add(&r->host, host.text, host.length);
    r->number = n;
}

/* Tells what ping says around its answers, and in the place of one. */
static bool is_remark(const cli_line *line)
{
    static const char *const remarks[] = {"PING ",     "--- ",      " packets transmitted", "rtt min/", "round-trip min/",
                                          "no answer", " icmp_seq", "Request timeout",      "pipe ",    "^C"};
    for (size_t i = 0; i < sizeof remarks / sizeof *remarks; i++)
        if (behind(line->text, line->text + line->length, remarks[i]) != NULL)
            return true;
    return false;
}

static void take_line(void *context, const cli_line *line)
{
    reader *r = context;
    cli_span host, number;
    cli_sample sample = {.line = line->number};
    if (cut_answer(line, &host, &sample, &number)) {
        if (!r->samples.looking)
            count_missing(r, host, number);
        cli_samples_add(&r->samples, &sample);
    } else if (!is_remark(line)) {
        cli_samples_reject(&r->samples, line->number, CLI_BAD_LINE, "not an answer as ping prints it");
    }
}

static void tell_missing(void *context)
{
    reader *r = context;
    char text[96];
    snprintf(text, sizeof text, "%llu %s missing between others, by icmp_seq: not judged", (unsigned long long)r->missing,
             r->missing == 1 ? "answer is" : "answers are");
    if (r->missing > 0)
        cli_samples_note(&r->samples, 0, text);
}

void cli_read_ping(cli_source *source, const cli_options *options, const cli_sink *sink)
{
    reader r = {.missing = 0};
    const cli_line_format format = {.take = take_line, .end = tell_missing, .context = &r};
    cli_samples_init(&r.samples, source, options, sink);
    r.samples.rows.format = "ping (milliseconds)";
    cli_samples_read(&r.samples, &format);
    cli_samples_free(&r.samples);
    cli_buffer_free(&r.host);
}
