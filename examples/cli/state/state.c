/* SPDX-License-Identifier: MIT
 * state.c - the file of --state: a line with version, length and checksum, a JSON object, and the pool's snapshot.
 */
#include "state/state.h"

#include "common/text.h"
#include "options/kinds.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { VERSION = 1, HEAD = 64, LONGEST = 1 << 28, NAME = 32, VALUE = 160 };

static const char head_form[] = "anomaly-state %d %012zu %016" PRIx64 "\n";

void cli_input_free(cli_input *input)
{
    free(input->path);
    cli_list_free(&input->values);
    *input = (cli_input){0};
}

void cli_state_free(cli_state *state)
{
    for (size_t i = 0; i < state->input_count; i++)
        cli_input_free(&state->inputs[i]);
    free(state->inputs);
    cli_list_free(&state->values);
    cli_list_free(&state->others);
    free(state->settings);
    free(state->output);
    *state = (cli_state){0};
}

void cli_state_forget(cli_state *state)
{
    for (size_t i = 0; i < state->input_count; i++)
        cli_input_free(&state->inputs[i]);
    state->input_count = 0;
    state->has_out = false;
}

/* ---- settings ---- */

/* Columns and paths are any bytes, JSON is UTF-8: others are escaped. */
static json_t *text_of(const char *text)
{
    cli_buffer shown = {0};
    cli_add_printable(&shown, text, strlen(text));
    json_t *json = json_stringn(shown.data != NULL ? shown.data : "", shown.length);
    cli_buffer_free(&shown);
    return json;
}

static void set_list(json_t *object, const char *name, const cli_list *list)
{
    cli_buffer all = {0};
    for (size_t i = 0; i < list->count; i++) {
        cli_buffer_text(&all, i > 0 ? "," : "");
        cli_list_add_quoted(&all, list->items[i]);
    }
    cli_buffer_char(&all, '\0');
    json_object_set_new(object, name, list->given ? text_of(all.data) : json_string("default"));
    cli_buffer_free(&all);
}

/* What may be another each time: features are the value columns; the others change no window. */
static bool may_differ(const char *name)
{
    static const char *const names[] = {"features", "threshold", "side", "reserve", "simd"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

static char *dump(json_t *object)
{
    char *text = json_dumps(object, JSON_COMPACT),
         *copy = cli_copy(text != NULL ? text : "{}", text != NULL ? strlen(text) : 2);
    free(text);
    json_decref(object);
    return copy;
}

char *cli_state_settings(const cli_options *options, const anomaly_config *config)
{
    static const char *const units[] = {"auto", "s", "ms", "us", "ns", "iso"};
    const anomaly_option *option;
    char text[64];
    json_t *o = json_object();
    json_object_set_new(o, "detector", json_string(options->open ? "default" : cli_kind(config->kind)->name));
    for (size_t i = 0; (option = anomaly_option_at(i)) != NULL; i++) {
        bool open = strcmp(option->name, "window") == 0 && !options->window_given;
        if (options->open && !cli_leaves_kind_open(option->name))
            continue;
        if ((option->kinds >> config->kind & 1) == 0 || may_differ(option->name))
            continue;
        if (anomaly_config_get(config, option->name, text, sizeof text) == ANOMALY_OK)
            json_object_set_new(o, option->name, json_string(open ? "default" : text));
    }
    set_list(o, "--key", &options->keys);
    set_list(o, "--value", &options->values);
    set_list(o, "--time", &options->time);
    json_object_set_new(o, "--time-unit", json_string(units[options->clock.unit]));
    if (options->clock.format != NULL)
        json_object_set_new(o, "--time-format", json_string(options->clock.format));
    if (options->rows != NULL)
        json_object_set_new(o, "--rows", text_of(options->rows));
    if (options->log_format != NULL)
        json_object_set_new(o, "--format", text_of(options->log_format));
    snprintf(text, sizeof text, "%" PRId64 "ns", options->interval_ns);
    if (options->interval_ns > 0)
        json_object_set_new(o, "--interval", json_string(text));
    if (options->zone != NULL)
        json_object_set_new(o, "--tz", json_string(options->zone));
    json_object_set_new(o, "--each", json_string(options->each ? "on" : "off"));
    return dump(o);
}

char *cli_state_output(const cli_options *options)
{
    static const char *const forms[] = {"table", "csv", "json", "ndjson"};
    json_t *o = json_object();
    json_object_set_new(o, "--output", json_string(forms[options->output]));
    set_list(o, "--fields", &options->fields);
    json_object_set_new(o, "--all", json_string(options->all ? "on" : "off"));
    return dump(o);
}

bool cli_state_differ(const char *saved, const char *now, char *text, size_t size)
{
    json_t *a = json_loads(saved, 0, NULL), *b = json_loads(now, 0, NULL), *value;
    const char *name;
    bool differ = false;
    json_object_foreach(b, name, value)
    {
        const char *before = json_string_value(json_object_get(a, name)), *here = json_string_value(value);
        if (differ || (before != NULL && strcmp(before, here) == 0))
            continue;
        differ = true;
        snprintf(text, size, "it was saved with %.*s=%.*s, here it is %.*s", NAME, name, VALUE,
                 before != NULL ? before : "(none)", VALUE, here);
    }
    json_decref(a);
    json_decref(b);
    return differ;
}

/* ---- writing ---- */

static json_t *number(uint64_t n)
{
    return json_integer((json_int_t)n);
}

static json_t *list_out(const cli_list *list)
{
    json_t *array = json_array();
    for (size_t i = 0; i < list->count; i++)
        json_array_append_new(array, json_string(list->items[i]));
    return array;
}

static json_t *input_out(const cli_input *input)
{
    char hash[20];
    snprintf(hash, sizeof hash, "%016" PRIx64, input->mark.hash);
    return json_pack("{so sI sI sI sI sI sI sI ss so*}", "file", text_of(input->path), "device",
                     (json_int_t)input->mark.device, "inode", (json_int_t)input->mark.inode, "offset",
                     (json_int_t)input->at.offset, "line", (json_int_t)input->at.line, "array", (json_int_t)input->at.array,
                     "reach", (json_int_t)input->at.reach, "mark", (json_int_t)input->mark.end, "hash", hash, "values",
                     input->values.given ? list_out(&input->values) : NULL);
}

static json_t *state_out(const cli_state *s)
{
    json_t *o = json_object(), *inputs = json_array();
    for (size_t i = 0; i < s->input_count; i++)
        json_array_append_new(inputs, input_out(&s->inputs[i]));
    json_object_set_new(o, "settings", json_loads(s->settings, 0, NULL));
    if (s->decided)
        json_object_set_new(o, "decided",
                            json_pack("{sb sb sb sb so so}", "time", s->shown.times, "keys", s->shown.keys, "many",
                                      s->shown.many, "skewed", s->shown.skewed, "values", list_out(&s->values), "others",
                                      list_out(&s->others)));
    json_object_set_new(o, "inputs", inputs);
    if (s->has_out) {
        json_object_set_new(o, "output", json_loads(s->output, 0, NULL));
        json_object_set_new(o, "length", number(s->out_length));
    }
    json_object_set_new(o, "sums",
                        json_pack("{sI sI sI sI sI}", "rows", (json_int_t)s->sums.rows, "events", (json_int_t)s->sums.events,
                                  "judged", (json_int_t)s->sums.judged, "anomalies", (json_int_t)s->sums.anomalies,
                                  "rejected", (json_int_t)s->sums.rejected));
    return o;
}

char *cli_state_head(const cli_state *state, size_t *size)
{
    char *json = dump(state_out(state)), first[HEAD];
    cli_buffer all = {0};
    size_t length = strlen(json);
    json[length] = '\n'; /* in the place of its NUL */
    int n = snprintf(first, sizeof first, head_form, VERSION, length + 1, anomaly_key_hash(json, length + 1));
    cli_buffer_add(&all, first, (size_t)n);
    cli_buffer_add(&all, json, length + 1);
    free(json);
    *size = all.length;
    return all.data;
}

/* ---- reading: every number is looked at, whoever can write the file can write a checksum too ---- */

static bool list_in(cli_list *list, const json_t *array)
{
    for (size_t i = 0; i < json_array_size(array); i++) {
        const json_t *item = json_array_get(array, i);
        if (!json_is_string(item))
            return false;
        cli_list_add(list, json_string_value(item), json_string_length(item));
    }
    list->given = array != NULL;
    return array == NULL || json_is_array(array);
}

static bool number_in(json_t *object, const char *name, uint64_t *value)
{
    const json_t *number = json_object_get(object, name);
    *value = (uint64_t)json_integer_value(number);
    return json_is_integer(number);
}

static bool input_in(cli_input *input, json_t *o)
{
    const char *path = json_string_value(json_object_get(o, "file")), *hash = json_string_value(json_object_get(o, "hash"));
    char *end;
    if (path == NULL || hash == NULL)
        return false;
    input->path = cli_copy(path, strlen(path));
    input->mark.hash = strtoull(hash, &end, 16);
    return *end == '\0' && number_in(o, "device", &input->mark.device) && number_in(o, "inode", &input->mark.inode) &&
           number_in(o, "mark", &input->mark.end) && number_in(o, "offset", &input->at.offset) &&
           number_in(o, "line", &input->at.line) && number_in(o, "array", &input->at.array) &&
           number_in(o, "reach", &input->at.reach) && list_in(&input->values, json_object_get(o, "values")) &&
           input->mark.end <= INT64_MAX && input->at.offset <= INT64_MAX && input->at.line >= 1;
}

static bool inputs_in(cli_state *s, const json_t *inputs)
{
    size_t count = json_array_size(inputs);
    s->inputs = cli_resize(NULL, count + 1, sizeof *s->inputs);
    for (size_t i = 0; i < count; i++) {
        s->inputs[s->input_count++] = (cli_input){0};
        if (!input_in(&s->inputs[i], json_array_get(inputs, i)))
            return false;
    }
    return json_is_array(inputs);
}

static bool decided_in(cli_state *s, json_t *decided)
{
    if (decided == NULL)
        return true;
    s->decided = true;
    s->shown = (cli_shown){.times = json_is_true(json_object_get(decided, "time")),
                           .keys = json_is_true(json_object_get(decided, "keys")),
                           .many = json_is_true(json_object_get(decided, "many")),
                           .skewed = json_is_true(json_object_get(decided, "skewed"))};
    return list_in(&s->values, json_object_get(decided, "values")) &&
           list_in(&s->others, json_object_get(decided, "others")) && s->values.count >= 1 && s->values.count <= 1 << 20;
}

static bool out_in(cli_state *s, json_t *o)
{
    json_t *output = json_object_get(o, "output");
    s->has_out = output != NULL;
    if (!s->has_out)
        return true;
    s->output = dump(json_incref(output));
    return json_is_object(output) && number_in(o, "length", &s->out_length) && s->out_length <= INT64_MAX;
}

static bool state_in(cli_state *s, json_t *o)
{
    json_t *settings = json_object_get(o, "settings"), *sums = json_object_get(o, "sums");
    if (!json_is_object(settings))
        return false;
    s->settings = dump(json_incref(settings));
    return inputs_in(s, json_object_get(o, "inputs")) && decided_in(s, json_object_get(o, "decided")) && out_in(s, o) &&
           number_in(sums, "rows", &s->sums.rows) && number_in(sums, "events", &s->sums.events) &&
           number_in(sums, "judged", &s->sums.judged) && number_in(sums, "anomalies", &s->sums.anomalies) &&
           number_in(sums, "rejected", &s->sums.rejected);
}

/* The JSON behind the first line, its checksum found good. Read in pieces: a length is only believed as far as bytes
 * are there. */
static char *read_json(FILE *file, size_t length, uint64_t checksum)
{
    cli_buffer json = {0};
    while (json.length < length) {
        size_t piece = length - json.length < 65536 ? length - json.length : 65536;
        size_t got = fread(cli_buffer_room(&json, piece + 1), 1, piece, file);
        json.length += got;
        if (got < piece)
            break;
    }
    if (json.length == length && anomaly_key_hash(json.data, length) == checksum) {
        json.data[length] = '\0';
        return json.data;
    }
    cli_buffer_free(&json);
    return NULL;
}

bool cli_state_read(FILE *file, cli_state *state, const char **why)
{
    char first[HEAD] = "", again[HEAD];
    size_t length = 0;
    uint64_t checksum = 0;
    int version = 0;
    *state = (cli_state){0};
    *why = "it is no state of this program";
    if (fgets(first, sizeof first, file) == NULL ||
        sscanf(first, "anomaly-state %d %12zu %16" SCNx64, &version, &length, &checksum) < 1)
        return false;
    *why = "it is of a newer version of this program";
    if (version > VERSION)
        return false;
    *why = "it is damaged";
    snprintf(again, sizeof again, head_form, version, length, checksum);
    if (strcmp(first, again) != 0 || version < 1 || length < 2 || length > LONGEST)
        return false;
    char *text = read_json(file, length, checksum);
    json_t *json = text != NULL ? json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL) : NULL;
    bool good = json != NULL && state_in(state, json);
    free(text);
    json_decref(json);
    if (!good)
        cli_state_free(state);
    return good;
}
