/* SPDX-License-Identifier: MIT
 * options.c - the command line.
 */
#include "options/options.h"

#include "common/encoding.h"
#include "common/nearest.h"
#include "common/text.h"
#include "common/zone.h"
#include "options/amounts.h"
#include "options/kinds.h"
#include "options/labels.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    OPT_UNIT = 256,
    OPT_FORMAT,
    OPT_ZONE,
    OPT_EACH,
    OPT_OPTIONS,
    OPT_ENCODING,
    OPT_DELIMITER,
    OPT_HEADER,
    OPT_NO_HEADER,
    OPT_DECIMAL,
    OPT_THOUSANDS,
    OPT_NA,
    OPT_FIELDS,
    OPT_EXPLAIN,
    OPT_HTML,
    OPT_SPARKLINE,
    OPT_FAIL,
    OPT_VERSION,
    OPT_WHOLE,
    OPT_KEYS,
    OPT_MEMORY,
    OPT_FORGET,
    OPT_STATE,
    OPT_EVERY,
    OPT_RESUME,
    OPT_OUT,
    OPT_ROWS,
    OPT_LOG_FORMAT,
    OPT_INTERVAL,
    OPT_LABELS,
    OPT_GRACE
};

enum { LEAST_MEMORY = 1 << 16 }; /* what a pool needs at least */

#define SAVE_EVERY     INT64_C(30000000000)
#define LEAST_INTERVAL INT64_C(1000000000)
#define MOST_INTERVAL  INT64_C(2678400000000000)

static const struct option long_options[] = {
    {"detector", required_argument, NULL, 'd'},
    {"window", required_argument, NULL, 'w'},
    {"threshold", required_argument, NULL, 't'},
    {"set", required_argument, NULL, 's'},
    {"options", no_argument, NULL, OPT_OPTIONS},
    {"key", required_argument, NULL, 'k'},
    {"value", required_argument, NULL, 'v'},
    {"time", required_argument, NULL, 'T'},
    {"time-unit", required_argument, NULL, OPT_UNIT},
    {"time-format", required_argument, NULL, OPT_FORMAT},
    {"tz", required_argument, NULL, OPT_ZONE},
    {"each", no_argument, NULL, OPT_EACH},
    {"input", required_argument, NULL, 'i'},
    {"encoding", required_argument, NULL, OPT_ENCODING},
    {"rows", required_argument, NULL, OPT_ROWS},
    {"format", required_argument, NULL, OPT_LOG_FORMAT},
    {"interval", required_argument, NULL, OPT_INTERVAL},
    {"delimiter", required_argument, NULL, OPT_DELIMITER},
    {"header", no_argument, NULL, OPT_HEADER},
    {"no-header", no_argument, NULL, OPT_NO_HEADER},
    {"decimal", required_argument, NULL, OPT_DECIMAL},
    {"thousands", required_argument, NULL, OPT_THOUSANDS},
    {"na", required_argument, NULL, OPT_NA},
    {"output", required_argument, NULL, 'o'},
    {"fields", required_argument, NULL, OPT_FIELDS},
    {"explain", no_argument, NULL, OPT_EXPLAIN},
    {"all", no_argument, NULL, 'a'},
    {"follow", no_argument, NULL, 'f'},
    {"quiet", no_argument, NULL, 'q'},
    {"fail-on-anomaly", no_argument, NULL, OPT_FAIL},
    {"whole", no_argument, NULL, OPT_WHOLE},
    {"max-keys", required_argument, NULL, OPT_KEYS},
    {"max-memory", required_argument, NULL, OPT_MEMORY},
    {"forget-after", required_argument, NULL, OPT_FORGET},
    {"state", required_argument, NULL, OPT_STATE},
    {"save-every", required_argument, NULL, OPT_EVERY},
    {"resume", no_argument, NULL, OPT_RESUME},
    {"out", required_argument, NULL, OPT_OUT},
    {"html", required_argument, NULL, OPT_HTML},
    {"sparkline", no_argument, NULL, OPT_SPARKLINE},
    {"labels", required_argument, NULL, OPT_LABELS},
    {"grace", required_argument, NULL, OPT_GRACE},
    {"version", no_argument, NULL, OPT_VERSION},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

/* A word and what it stands for. */
typedef struct choice {
    const char *word;
    int value;
} choice;

static const choice units[] = {
    {"auto", CLI_UNIT_AUTO}, {"s", CLI_UNIT_S}, {"ms", CLI_UNIT_MS}, {"us", CLI_UNIT_US}, {"ns", CLI_UNIT_NS},
    {"iso", CLI_UNIT_ISO},   {NULL, 0}};
static const choice inputs[] = {{"auto", CLI_AUTO},     {"csv", CLI_CSV},
                                {"json", CLI_JSON},     {"ndjson", CLI_NDJSON},
                                {"txt", CLI_TXT},       {"prometheus", CLI_PROMETHEUS},
                                {"blanks", CLI_BLANKS}, {"influx", CLI_INFLUX},
                                {"access", CLI_ACCESS}, {NULL, 0}};
static const choice outputs[] = {
    {"table", CLI_TO_TABLE}, {"csv", CLI_TO_CSV}, {"json", CLI_TO_JSON}, {"ndjson", CLI_TO_NDJSON}, {NULL, 0}};

/* What is collected from the command line. Settings wait here: they can be checked only once the kind is known. */
typedef struct collector {
    cli_options *options;
    bool ok;
    bool output_given;
    bool kind_given;
} collector;

static void complain(collector *c, const char *what, const char *text, const char *why)
{
    cli_buffer shown = {0};
    cli_add_printable(&shown, text, strlen(text));
    cli_buffer_char(&shown, '\0');
    fprintf(stderr, "anomaly: %s \"%s\": %s\n", what, shown.data, why);
    cli_buffer_free(&shown);
    c->ok = false;
}

static int choose(collector *c, const choice *choices, const char *what, const char *text)
{
    cli_buffer words = {0};
    cli_nearest nearest = {.word = text};
    for (size_t i = 0; choices[i].word != NULL; i++) {
        if (strcmp(choices[i].word, text) == 0) {
            cli_buffer_free(&words);
            return choices[i].value;
        }
        cli_nearest_offer(&nearest, choices[i].word);
        cli_buffer_text(&words, i == 0 ? "must be one of " : ", ");
        cli_buffer_text(&words, choices[i].word);
    }
    cli_nearest_add(&words, &nearest);
    cli_buffer_char(&words, '\0');
    complain(c, what, text, words.data);
    cli_buffer_free(&words);
    return 0;
}

static int choose_kind(collector *c, const char *text)
{
    const anomaly_kind_info *info;
    choice *kinds = NULL;
    size_t count = 0;
    for (; (info = anomaly_kind_at(count)) != NULL; count++) {
        kinds = cli_resize(kinds, count + 1, sizeof *kinds);
        kinds[count] = (choice){info->name, info->kind};
    }
    kinds = cli_resize(kinds, count + 1, sizeof *kinds);
    kinds[count] = (choice){NULL, 0};
    int kind = choose(c, kinds, "--detector", text);
    free(kinds);
    return kind;
}

static void read_list(collector *c, cli_list *list, const char *what, const char *text)
{
    if (!cli_list_split(list, text))
        complain(c, what, text, "a name that begins with a double quote ends with one, before a comma or the end");
}

static void collect(collector *c, const char *name, const char *value)
{
    cli_options *o = c->options;
    o->settings = cli_resize(o->settings, o->setting_count + 2, sizeof *o->settings);
    o->settings[o->setting_count++] = name;
    o->settings[o->setting_count++] = value;
}

/* Cuts NAME=VALUE in place. */
static void collect_setting(collector *c, char *text)
{
    char *equals = strchr(text, '=');
    if (equals == NULL) {
        complain(c, "--set", text, "must be NAME=VALUE, see --options");
        return;
    }
    *equals = '\0';
    if (strcmp(text, "features") == 0)
        complain(c, "--set", text, "the number of value columns says that, see --value");
    collect(c, text, equals + 1);
}

static const char *read_encoding(collector *c, const char *text)
{
    if (!cli_encoding_known(text))
        complain(c, "--encoding", text, "is no encoding that iconv knows here (iconv -l lists them): a name as latin1");
    return text;
}

static char read_delimiter(collector *c, const char *text)
{
    if (strcmp(text, "\\t") == 0 || strcmp(text, "tab") == 0)
        return '\t';
    bool usable = strlen(text) == 1 && strpbrk(text, "\"\r\n.+-0123456789") == NULL && (*text & 0x80) == 0;
    if (!usable)
        complain(c, "--delimiter", text, "must be one character that no number has, or \"tab\"");
    return *text;
}

static char read_decimal_point(collector *c, const char *text)
{
    if (strcmp(text, ".") != 0 && strcmp(text, ",") != 0)
        complain(c, "--decimal", text, "must be . or ,");
    return *text;
}

static char read_thousands(collector *c, const char *text)
{
    if (strcmp(text, "blank") == 0)
        return ' ';
    if (*text == '\0' || text[1] != '\0' || strchr(",.' ", *text) == NULL)
        complain(c, "--thousands", text, "must be , or . or ' or \"blank\"");
    return *text;
}

static void read_zone(collector *c, const char *text)
{
    if (!cli_zone_set(text))
        complain(c, "--tz", text, "is no time zone of this machine: a name as Europe/Berlin, or UTC");
    c->options->zone = text;
    c->options->clock.local = true;
}

static void read_interval(collector *c, const char *text)
{
    int64_t *ns = &c->options->interval_ns;
    if (!cli_parse_span(text, ns) || *ns < LEAST_INTERVAL || *ns > MOST_INTERVAL)
        complain(c, "--interval", text, "must be a time as 10s, 1m or 1h, from 1s to 31d");
}

static void read_input_option(collector *c, int letter, char *text)
{
    cli_options *o = c->options;
    switch (letter) {
    case 'k': read_list(c, &o->keys, "--key", text); break;
    case 'v': read_list(c, &o->values, "--value", text); break;
    case 'T': read_list(c, &o->time, "--time", text); break;
    case 'i': o->input = (enum cli_format)choose(c, inputs, "--input", text); break;
    case OPT_UNIT: o->clock.unit = (enum cli_time_unit)choose(c, units, "--time-unit", text); break;
    case OPT_FORMAT: o->clock.format = text; break;
    case OPT_ZONE: read_zone(c, text); break;
    case OPT_ENCODING: o->encoding = read_encoding(c, text); break;
    case OPT_ROWS: o->rows = text; break;
    case OPT_LOG_FORMAT: o->log_format = text; break;
    case OPT_INTERVAL: read_interval(c, text); break;
    case OPT_DELIMITER: o->delimiter = read_delimiter(c, text); break;
    case OPT_HEADER: o->header = CLI_HEADER_YES; break;
    case OPT_NO_HEADER: o->header = CLI_HEADER_NO; break;
    case OPT_DECIMAL: o->decimal = read_decimal_point(c, text); break;
    case OPT_THOUSANDS: o->thousands = read_thousands(c, text); break;
    case OPT_NA: read_list(c, &o->na, "--na", text); break;
    case OPT_EACH: o->each = true; break;
    case 'f': o->follow = true; break;
    case OPT_WHOLE: o->whole = true; break;
    case OPT_STATE: o->state = text; break;
    case OPT_LABELS: o->labels = text; break;
    case OPT_RESUME: o->resume = true; break;
    case OPT_OUT: o->out = text; break;
    case OPT_HTML: o->html = text; break;
    default: break;
    }
}

static void read_limit(collector *c, int letter, const char *text)
{
    cli_options *o = c->options;
    if (letter == OPT_KEYS && !cli_parse_count(text, &o->max_keys))
        complain(c, "--max-keys", text, "must be a whole number");
    if (letter == OPT_MEMORY && (!cli_parse_bytes(text, &o->max_memory) || o->max_memory < LEAST_MEMORY))
        complain(c, "--max-memory", text, "must be a number of bytes as 512M or 2G, at least 64K");
    if (letter == OPT_EVERY && !cli_parse_span(text, &o->save_every))
        complain(c, "--save-every", text, "must be a time as 30s or 5m");
    if (letter == OPT_GRACE && !cli_parse_span(text, &o->grace_ns))
        complain(c, "--grace", text, "must be a time as 90s or 10m");
    if (letter == OPT_FORGET && !cli_parse_span(text, &o->forget_after))
        complain(c, "--forget-after", text, "must be a time as 90s or 24h");
}

static void read_option(collector *c, int letter, char *text)
{
    cli_options *o = c->options;
    switch (letter) {
    case 'd':
        o->kind = choose_kind(c, text);
        c->kind_given = true;
        break;
    case 'w': collect(c, "window", text); break;
    case 't': collect(c, "threshold", text); break;
    case 's': collect_setting(c, text); break;
    case 'o':
        o->output = (enum cli_output)choose(c, outputs, "--output", text);
        c->output_given = true;
        break;
    case OPT_FIELDS: read_list(c, &o->fields, "--fields", text); break;
    case OPT_SPARKLINE: o->sparkline = true; break;
    case OPT_EXPLAIN: o->explain = true; break;
    case 'a': o->all = true; break;
    case 'q': o->quiet = true; break;
    case OPT_FAIL: o->fail_on_anomaly = true; break;
    case OPT_KEYS:
    case OPT_MEMORY:
    case OPT_EVERY:
    case OPT_GRACE:
    case OPT_FORGET: read_limit(c, letter, text); break;
    default: read_input_option(c, letter, text);
    }
}

/* Takes the form of the output from the name of --out, unless -o says it: verdicts.csv, verdicts.ndjson. */
static void output_by_name(collector *c)
{
    const char *dot = c->options->out == NULL ? NULL : strrchr(c->options->out, '.');
    for (const choice *form = outputs; dot != NULL && !c->output_given && form->word != NULL; form++)
        if (strcmp(dot + 1, form->word) == 0)
            c->options->output = (enum cli_output)form->value;
}

static void apply_settings(collector *c)
{
    cli_options *o = c->options;
    anomaly_error error;
    anomaly_config_init(&o->config, sizeof o->config, o->kind);
    o->open = !c->kind_given && !o->whole;
    for (size_t i = 0; i < o->setting_count; i += 2) {
        const char *name = o->settings[i], *value = o->settings[i + 1];
        o->open &= cli_leaves_kind_open(name);
        o->window_given |= strcmp(name, "window") == 0;
        o->warmup_given |= strcmp(name, "warmup") == 0;
        if (anomaly_config_set(&o->config, name, value, &error) == ANOMALY_OK)
            continue;
        fprintf(stderr, "anomaly: %s=%s: %s\n", name, value, error.message);
        c->ok = false;
    }
}

/* Do the stages need rows one after the other? */
static bool goes_by_order(const anomaly_config *c)
{
    return c->season_ns > 0 || c->alarm_rate > 0 || c->alarms_ns != 0 || c->rest_events > 0 || c->rest_ns > 0 ||
           c->lags > 1 || c->lags == ANOMALY_LAGS_PYRAMID || c->confirm > 1 || c->transform == ANOMALY_DIFF ||
           c->transform == ANOMALY_RATE || c->silence > 0;
}

/* What suggest proposes is not to be given, and it has one end. */
static void check_suggest(collector *c)
{
    const cli_options *o = c->options;
    if (o->setting_count > 0 || c->kind_given || o->whole)
        complain(c, "suggest", "--detector, --window, --threshold, --set, --whole", "it proposes these: leave them out");
    if (o->follow || o->state != NULL || o->out != NULL || o->html != NULL)
        complain(c, "suggest", "--follow, --state, --out, --html", "it looks at whole files, and writes to standard output");
    if (o->output == CLI_TO_CSV)
        complain(c, "suggest", "--output csv", "a proposal is no table: table (text) or json");
}

/* It reads the files twice, and the labels are not to be judged. */
static void check_backtest(collector *c)
{
    const cli_options *o = c->options;
    bool piped = o->file_count == 0;
    for (size_t i = 0; i < o->file_count; i++)
        piped |= strcmp(o->files[i], "-") == 0;
    if (piped)
        complain(c, "backtest", "-", "standard input can be read once only, and it is to be read twice: name a file");
    if (o->labels == NULL || *o->labels == '\0')
        complain(c, "backtest", "--labels", "must name a column of 0 and 1, or a file of intervals that ends in .csv");
    else if (!cli_labels_are_intervals(o->labels) && (o->values.count == 0 || o->each))
        complain(c, "--labels", o->labels, "a column of labels needs --value, so that it is not judged too, and no --each");
    if (o->follow || o->state != NULL || o->out != NULL || o->html != NULL || o->sparkline)
        complain(c, "backtest", "--follow, --state, --out, --html, --sparkline",
                 "it looks at whole files, and writes to standard output");
    if (o->output == CLI_TO_CSV)
        complain(c, "backtest", "--output csv", "its figures are no table: table (text) or json");
}

static void check_together(collector *c)
{
    cli_options *o = c->options;
    if (o->command == CLI_SUGGEST)
        check_suggest(c);
    if (o->command == CLI_BACKTEST)
        check_backtest(c);
    else if (o->labels != NULL || o->grace_ns > 0)
        complain(c, "--labels, --grace", o->labels != NULL ? o->labels : "", "belong to anomaly backtest");
    if (o->clock.format != NULL && strchr(o->clock.format, '%') == NULL)
        complain(c, "--time-format", o->clock.format, "must have the letters of strptime, as %d/%m/%Y %H:%M:%S");
    if (o->clock.format != NULL && o->clock.unit != CLI_UNIT_AUTO)
        complain(c, "--time-unit", "--time-format", "one of them says how times are read");
    if (o->thousands != 0 && o->thousands == o->decimal)
        complain(c, "--thousands", "--decimal", "one character cannot be both");
    if (o->thousands == ',' || o->thousands == '.')
        o->decimal = o->thousands == ',' ? '.' : ',';
    if (o->time.count > 1)
        complain(c, "--time", o->time.items[1], "only one column can be the time");
    if (o->whole && o->follow)
        complain(c, "--whole", "--follow", "a stream that goes on has no whole");
    if (o->whole && (o->max_keys > 0 || o->max_memory > 0 || o->forget_after > 0))
        complain(c, "--whole", "--max-keys, --max-memory, --forget-after", "it holds every row and forgets none");
    if (o->whole && o->state != NULL)
        complain(c, "--whole", "--state", "every run judges its rows by themselves");
    if (o->whole && o->kind == ANOMALY_WATCH)
        complain(c, "--whole", "--detector watch", "it judges by the order of the rows");
    if (o->whole && goes_by_order(&o->config))
        complain(c, "--whole", "season, alarm_rate, alarms, rest, confirm, lags, silence, transform=diff and rate",
                 "they go by the order of the rows");
    if (o->encoding != NULL && o->follow && cli_encoding_find(o->encoding) != CLI_UTF8)
        complain(c, "--encoding", "--follow", "a file that is followed is UTF-8");
    if (o->header != CLI_HEADER_AUTO && o->input != CLI_AUTO && o->input != CLI_CSV && o->input != CLI_BLANKS)
        complain(c, "--input", "--header, --no-header", "only CSV and tables with blanks have a header or none");
    if (o->rows != NULL && o->input != CLI_AUTO && o->input != CLI_JSON && o->input != CLI_NDJSON)
        complain(c, "--input", "--rows", "only JSON has arrays in objects");
    if (o->rows != NULL && *o->rows == '\0')
        complain(c, "--rows", "", "must name an array of objects, by its path: data.items");
    if (o->log_format != NULL && o->input != CLI_AUTO && o->input != CLI_ACCESS)
        complain(c, "--input", "--format", "only an access log has a format");
    if (o->interval_ns > 0 && o->input != CLI_AUTO && o->input != CLI_ACCESS)
        complain(c, "--input", "--interval", "only requests of an access log are counted by intervals");
    if (o->state != NULL && *o->state == '\0')
        complain(c, "--state", "", "must name a file");
    if (o->out != NULL && *o->out == '\0')
        complain(c, "--out", "", "must name a file");
    if (o->sparkline && o->output != CLI_TO_TABLE)
        complain(c, "--sparkline", "--output", "only a table is followed by pictures");
    if (o->html != NULL && *o->html == '\0')
        complain(c, "--html", "", "must name a file");
    if (o->resume && o->state == NULL)
        complain(c, "--resume", "", "needs --state, where it is written how far the input was read");
    if (o->resume && o->out != NULL && (o->output == CLI_TO_TABLE || o->output == CLI_TO_JSON))
        complain(c, "--resume", "--out",
                 "needs -o csv or -o ndjson (or a name that ends in .csv or .ndjson), which can be continued");
    if (o->values.given && o->values.count == 0)
        complain(c, "--value", "", "must name a column");
    if (o->fields.given && o->fields.count == 0)
        complain(c, "--fields", "", "must name a field");
}

static void print_version(void)
{
    int v = anomaly_version();
    printf("anomaly %d.%d.%d\n", v / 10000, v / 100 % 100, v % 100);
}

/* Prints what was asked for instead of a run; false if the letter asks for nothing of the kind. */
static bool print_asked(int letter)
{
    switch (letter) {
    case 'h': cli_print_help(); return true;
    case OPT_VERSION: print_version(); return true;
    case OPT_OPTIONS: cli_print_options(); return true;
    default: return false;
    }
}

static int printed(void)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return CLI_EXIT_OK;
    fprintf(stderr, "anomaly: standard output: %s\n", strerror(errno));
    return CLI_EXIT_INPUT;
}

/* ---- unknown options: getopt's own messages suggest no nearest name ---- */

static void complain_of_option(collector *c, const char *dashes, const char *name, const char *why)
{
    cli_buffer shown = {0};
    cli_buffer_text(&shown, dashes);
    cli_buffer_text(&shown, name);
    cli_buffer_char(&shown, '\0');
    complain(c, "option", shown.data, why);
    cli_buffer_free(&shown);
}

/* Complains of a long option that is unknown, or short for several. */
static void complain_of_name(collector *c, const char *name)
{
    cli_buffer why = {0};
    cli_nearest nearest = {.word = name, .before = "--"};
    for (const struct option *o = long_options; o->name != NULL; o++) {
        cli_nearest_offer(&nearest, o->name);
        if (strncmp(o->name, name, strlen(name)) != 0)
            continue;
        cli_buffer_text(&why, why.length == 0 ? "is short for --" : " and --");
        cli_buffer_text(&why, o->name);
    }
    if (why.length == 0) {
        cli_buffer_text(&why, "is unknown");
        cli_nearest_add(&why, &nearest);
    }
    cli_buffer_char(&why, '\0');
    complain_of_option(c, "--", name, why.data);
    cli_buffer_free(&why);
}

/* Complains of the option that getopt refused. optopt is 0 for a long name, else the letter or value of the option. */
static void complain_of_wrong(collector *c, const char *why, const char *argument)
{
    const char letter[] = {(char)optopt, '\0'};
    const struct option *known = long_options;
    while (known->name != NULL && known->val != optopt)
        known++;
    if (optopt == 0) {
        char *name = cli_copy(argument + 2, strcspn(argument + 2, "="));
        complain_of_name(c, name);
        free(name);
    } else if (known->name != NULL) {
        complain_of_option(c, "--", known->name, why);
    } else {
        complain_of_option(c, "-", letter, "is unknown");
    }
}

static int read_all(collector *c, int argc, char **argv)
{
    int letter;
    opterr = 0;
    optind = 0; /* glibc: begin anew, so that this can be called more than once */
    while ((letter = getopt_long(argc, argv, ":d:w:t:s:k:v:T:i:o:afqh", long_options, NULL)) != -1) {
        if (print_asked(letter))
            return printed();
        if (letter == '?' || letter == ':')
            complain_of_wrong(c, letter == ':' ? "needs a value" : "takes no value", argv[optind - 1]);
        else
            read_option(c, letter, optarg);
    }
    return -1;
}

/* "anomaly ./suggest" reads a file of that name. */
static enum cli_command read_command(int *argc, char ***argv)
{
    const char *word = *argc > 1 ? (*argv)[1] : "";
    enum cli_command command = strcmp(word, "suggest") == 0    ? CLI_SUGGEST
                               : strcmp(word, "backtest") == 0 ? CLI_BACKTEST
                                                               : CLI_JUDGE;
    *argc -= command != CLI_JUDGE;
    *argv += command != CLI_JUDGE;
    return command;
}

int cli_options_read(cli_options *options, int argc, char **argv)
{
    *options = (cli_options){.kind = ANOMALY_ZSCORE, .save_every = SAVE_EVERY, .command = read_command(&argc, &argv)};
    options->arguments = argv + 1;
    options->argument_count = argc > 0 ? (size_t)argc - 1 : 0;
    collector c = {.options = options, .ok = true};
    int status = read_all(&c, argc, argv);
    if (status < 0 && c.ok)
        apply_settings(&c);
    if (status < 0) {
        options->files = argv + optind;
        options->file_count = (size_t)(argc - optind);
        output_by_name(&c);
        if (options->log_format != NULL && options->input == CLI_AUTO)
            options->input = CLI_ACCESS;
        check_together(&c);
    }
    if (status >= 0)
        return status;
    if (c.ok)
        return -1;
    fputs("Try 'anomaly --help'.\n", stderr);
    return CLI_EXIT_USAGE;
}

void cli_options_free(cli_options *options)
{
    cli_list_free(&options->keys);
    cli_list_free(&options->values);
    cli_list_free(&options->time);
    cli_list_free(&options->fields);
    cli_list_free(&options->na);
    free(options->settings);
}
