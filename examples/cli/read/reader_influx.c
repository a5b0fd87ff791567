/* SPDX-License-Identifier: MIT
 * reader_influx.c - InfluxDB's line protocol: cpu,host=a idle=98.5,busy=12i,on=true,text="a b" 1556813561098000000
 *
 * Measurement, tags and the name of a field, as they are written, are the metric: "cpu,host=a idle". A backslash
 * before a comma, a blank or an equals sign makes the sign a part of a name. Fields that are text, true or false are
 * no numbers: they are told once, and not judged.
 */
#include "read/reader_influx.h"

#include "read/samples.h"

#include <string.h>

typedef struct field {
    cli_span name, value;
} field;

typedef struct reader {
    cli_samples samples;
    cli_buffer key;
    bool told; /* that there are fields without numbers */
} reader;

/* Finds the first of some signs that has no backslash before it; `end` if there is none. */
static const char *find(const char *s, const char *end, const char *signs)
{
    for (; s < end && memchr(signs, *s, strlen(signs)) == NULL; s++)
        if (*s == '\\' && s + 1 < end)
            s++;
    return s;
}

/* Finds the end of a field's value: text ends with its quote. NULL: it does not end, or something stands behind it. */
static const char *value_end(const char *s, const char *end)
{
    const char *stop = s < end && *s == '"' ? find(s + 1, end, "\"") : find(s, end, ", ");
    if (s == end || *s != '"')
        return stop;
    return stop < end && (stop + 1 == end || stop[1] == ',' || stop[1] == ' ') ? stop + 1 : NULL;
}

/* Cuts the field at `s` and answers the place behind it; NULL if there is none. */
static const char *cut_field(const char *s, const char *end, field *f)
{
    const char *equals = find(s, end, "=, ");
    if (equals == s || equals == end || *equals != '=')
        return NULL;
    const char *behind = value_end(equals + 1, end);
    if (behind == NULL || behind == equals + 1)
        return NULL;
    f->name = (cli_span){s, (size_t)(equals - s)};
    f->value = (cli_span){equals + 1, (size_t)(behind - equals) - 1};
    return behind;
}

/* Finds where the fields of a line begin, and its time; NULL: it is no line of this format. */
static const char *cut_line(const cli_line *line, cli_span *head, cli_span *time)
{
    field f;
    const char *end = line->text + line->length, *behind = find(line->text, end, " ");
    *head = (cli_span){line->text, (size_t)(behind - line->text)};
    while (behind < end && *behind == ' ')
        behind++;
    const char *fields = behind;
    behind = cut_field(fields, end, &f);
    while (behind != NULL && behind < end && *behind == ',')
        behind = cut_field(behind + 1, end, &f);
    while (behind != NULL && behind < end && *behind == ' ')
        behind++;
    if (head->length == 0 || head->text[0] == ',' || behind == NULL || memchr(behind, ' ', (size_t)(end - behind)) != NULL)
        return NULL;
    *time = (cli_span){behind, (size_t)(end - behind)};
    return fields;
}

/* Tells text, true and false, which are no numbers but right. */
static bool is_other(cli_span value)
{
    static const char *const words[] = {"t", "T", "true", "True", "TRUE", "f", "F", "false", "False", "FALSE"};
    if (value.text[0] == '"')
        return true;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strlen(words[i]) == value.length && memcmp(words[i], value.text, value.length) == 0)
            return true;
    return false;
}

/* Takes away the i of a whole number, or the u of one without a sign. */
static cli_span number_of(cli_span value)
{
    if (value.length > 1 && (value.text[value.length - 1] == 'i' || value.text[value.length - 1] == 'u'))
        value.length--;
    return value;
}

bool cli_is_influx(const cli_line *line)
{
    field f;
    cli_span head, time;
    const char *end = line->text + line->length, *fields = cut_line(line, &head, &time);
    if (fields == NULL || (time.length > 0 && !cli_span_number(time)))
        return false;
    cut_field(fields, end, &f);
    const char *sign = find(head.text, head.text + head.length, ",=");
    bool tags = sign == head.text + head.length || *sign == ',';
    return tags && (is_other(f.value) || cli_span_number(number_of(f.value)));
}

static void tell_other(reader *r, uint64_t line, cli_span name)
{
    cli_buffer text = {0};
    if (r->told || r->samples.looking)
        return;
    r->told = true;
    cli_buffer_text(&text, "fields of text, true or false are not judged: \"");
    cli_add_printable(&text, name.text, name.length);
    cli_buffer_text(&text, "\" is the first");
    cli_buffer_char(&text, '\0');
    cli_samples_note(&r->samples, line, text.data);
    cli_buffer_free(&text);
}

static void add_field(reader *r, uint64_t line, const field *f, cli_span head, cli_span time)
{
    if (is_other(f->value)) {
        tell_other(r, line, f->name);
        return;
    }
    r->key.length = 0;
    cli_buffer_add(&r->key, head.text, head.length);
    cli_buffer_char(&r->key, ' ');
    cli_buffer_add(&r->key, f->name.text, f->name.length);
    const cli_sample sample = {line, {r->key.data, r->key.length}, number_of(f->value), time};
    cli_samples_add(&r->samples, &sample);
}

static void take_line(void *context, const cli_line *line)
{
    reader *r = context;
    cli_span head, time;
    field f;
    if (*line->text == '#')
        return;
    const char *s = cut_line(line, &head, &time), *end = line->text + line->length;
    if (s == NULL)
        cli_samples_reject(&r->samples, line->number, CLI_BAD_LINE, "not of the form measurement,tag=a field=1.5 time");
    while (s != NULL && r->samples.on) {
        s = cut_field(s, end, &f);
        add_field(r, line->number, &f, head, time);
        s = s < end && *s == ',' ? s + 1 : NULL;
    }
}

void cli_read_influx(cli_source *source, const cli_options *options, const cli_sink *sink)
{
    reader r = {.told = false};
    const cli_line_format format = {.take = take_line, .context = &r};
    cli_samples_init(&r.samples, source, options, sink);
    r.samples.rows.format = "InfluxDB's line protocol";
    cli_samples_read(&r.samples, &format);
    cli_samples_free(&r.samples);
    cli_buffer_free(&r.key);
}
