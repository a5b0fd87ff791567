/* SPDX-License-Identifier: MIT
 * options.c - the command line and its help.
 */
#include "options.h"

#include "log.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the limits ---- */

enum amount { NUMBER, BYTES, SECONDS }; /* SECONDS are kept as milliseconds */

static const struct limit {
    const char *name;
    size_t offset;
    enum amount amount;
    uint64_t least, most, preset;
    const char *help;
} table[] = {
    {"max-connections", offsetof(limits, connections), NUMBER, 1, 100000, 1000,
     "clients at once; more are told so and closed"},
    {"max-line", offsetof(limits, line_bytes), BYTES, 64, 65536, 4096, "a longer line is refused"},
    {"max-backlog", offsetof(limits, backlog_bytes), BYTES, 4096, 1 << 30, 262144,
     "replies a client has not taken: above it is not read from"},
    {"max-sources", offsetof(limits, sources), NUMBER, 1, 1000000, 1000, "clients with a name, present or past"},
    {"max-keys", offsetof(limits, keys), NUMBER, 1, UINT64_C(1) << 32, 1000000,
     "metrics; more evict the least recently used"},
    {"max-memory", offsetof(limits, memory_bytes), BYTES, 65536, UINT64_C(1) << 40, UINT64_C(1) << 30,
     "bytes of the windows; more evict as well"},
    {"idle", offsetof(limits, idle_ms), SECONDS, 0, 86400000, 300000,
     "a client is closed that sends no whole line so long; 0 = never"},
    {"stall", offsetof(limits, stall_ms), SECONDS, 100, 86400000, 30000, "... that stays so long above the backlog"},
    {"save-every", offsetof(limits, save_ms), SECONDS, 10, 86400000, 10000, "with --state: time between saves"},
    {"drain", offsetof(limits, drain_ms), SECONDS, 0, 600000, 5000, "at the end: time for clients to take their replies"},
};
enum { LIMITS = sizeof table / sizeof *table, FIRST_LIMIT = 256 };

static uint64_t *limit_at(limits *l, size_t i)
{
    return (uint64_t *)(void *)((char *)l + table[i].offset);
}

/* A number, of bytes also with K, M or G behind it, of seconds also with a fraction. */
static bool parse_amount(const char *text, enum amount amount, uint64_t *out)
{
    static const char suffixes[] = "KMG";
    char *end = NULL;
    errno = 0;
    double value = strtod(text, &end);
    const char *suffix = amount == BYTES && *end != '\0' ? strchr(suffixes, *end) : NULL;
    if (suffix != NULL) {
        value *= (double)(UINT64_C(1) << 10 * (suffix - suffixes + 1));
        end++;
    }
    if (amount == SECONDS)
        value *= 1000;
    if (end == text || *end != '\0' || errno != 0 || !(value >= 0 && value < 1e15) || floor(value) < value)
        return false;
    *out = (uint64_t)value;
    return true;
}

static void print_amount(FILE *to, enum amount amount, uint64_t value)
{
    static const char *const suffixes[] = {"", "K", "M", "G", "T"};
    size_t power = 0;
    if (amount == SECONDS) {
        fprintf(to, "%g s", (double)value / 1000);
        return;
    }
    for (; amount == BYTES && value != 0 && value % 1024 == 0 && power < 4; power++)
        value /= 1024;
    fprintf(to, "%" PRIu64 "%s", value, suffixes[power]);
}

static bool set_limit(limits *l, size_t i, const char *text)
{
    uint64_t value;
    if (parse_amount(text, table[i].amount, &value) && value >= table[i].least && value <= table[i].most) {
        *limit_at(l, i) = value;
        return true;
    }
    fprintf(stderr, "anomaly-service: --%s \"%s\": must be ", table[i].name, text);
    print_amount(stderr, table[i].amount, table[i].least);
    fputs(" to ", stderr);
    print_amount(stderr, table[i].amount, table[i].most);
    fputc('\n', stderr);
    return false;
}

/* ---- help ---- */

static const char help_head[] =
    "Usage: anomaly-service [OPTION]...\n"
    "Judges a stream of lines, METRIC VALUE [TIME] or JSON objects, and answers each with its verdict.\n"
    "\n"
    "Where\n"
    "  -l, --listen ADDRESS:PORT   TCP; default 127.0.0.1:7171; port 0: any; none: no TCP\n"
    "  -u, --unix PATH             a Unix socket as well\n"
    "  -m, --metrics ADDRESS:PORT  Prometheus metrics over HTTP at /metrics; default 127.0.0.1:9171\n"
    "\n"
    "Detection (the same options as those of the program anomaly; anomaly --options lists all)\n"
    "  -d, --detector NAME         ";

static const char help_options[] =
    "  -w, --window SIZE           300s (default), 500 events, or 300s,5000\n"
    "  -t, --threshold X           score from which an event is an anomaly\n"
    "  -s, --set NAME=VALUE        any other option of the detector\n"
    "\n"
    "State\n"
    "  -S, --state FILE            restore it at the start, save it while running and at the end\n"
    "\n"
    "Limits\n";

static const char help_tail[] =
    "\n"
    "  -V, --version\n"
    "  -h, --help\n"
    "\n"
    "SIGTERM and SIGINT: what has arrived is answered and saved, then the service ends; a second one ends it at once.\n"
    "Status: 0 ended by a signal; 1 the last save failed; 2 wrong usage, or it could not start.\n"
    "There is no authentication: keep it on loopback or a Unix socket. The protocol: examples/service/README.md\n"
    "\n"
    "Examples\n"
    "  anomaly-service --state /var/lib/anomaly/state -w 5m -t 4\n"
    "  printf 'cpu 71.5 2025-01-21T12:00:00Z\\n' | nc -N 127.0.0.1 7171\n";

/* zscore (default), percentile or iforest */
static void print_kinds(void)
{
    const anomaly_kind_info *info;
    for (size_t i = 0; (info = anomaly_kind_at(i)) != NULL; i++)
        printf("%s%s%s",
               i == 0                           ? ""
               : anomaly_kind_at(i + 1) != NULL ? ", "
                                                : " or ",
               info->name, i == 0 ? " (default)" : "");
    putchar('\n');
}

void options_print_help(void)
{
    fputs(help_head, stdout);
    print_kinds();
    fputs(help_options, stdout);
    for (size_t i = 0; i < LIMITS; i++) {
        char name[40];
        snprintf(name, sizeof name, "%s %s", table[i].name,
                 table[i].amount == SECONDS ? "SECONDS"
                 : table[i].amount == BYTES ? "BYTES"
                                            : "N");
        printf("      --%-24s%s (", name, table[i].help);
        print_amount(stdout, table[i].amount, table[i].preset);
        puts(")");
    }
    fputs(help_tail, stdout);
}

/* ---- reading ---- */

enum { SHORT_OPTIONS = 9, MOST_SETTINGS = 64 };

static const struct option named[SHORT_OPTIONS] = {
    {"listen", required_argument, NULL, 'l'},    {"unix", required_argument, NULL, 'u'},
    {"metrics", required_argument, NULL, 'm'},   {"detector", required_argument, NULL, 'd'},
    {"set", required_argument, NULL, 's'},       {"state", required_argument, NULL, 'S'},
    {"threshold", required_argument, NULL, 't'}, {"window", required_argument, NULL, 'w'},
    {"version", no_argument, NULL, 'V'},
};

/* The kind must be known before a setting can be checked, so settings are collected first. */
typedef struct settings {
    const char *names[MOST_SETTINGS], *texts[MOST_SETTINGS];
    size_t count;
} settings;

static bool collect(settings *s, const char *name, const char *text)
{
    if (s->count == MOST_SETTINGS)
        return log_wrong("more than %d settings", MOST_SETTINGS);
    s->names[s->count] = name;
    s->texts[s->count++] = text;
    return true;
}

static bool collect_pair(settings *s, char *pair)
{
    char *equals = strchr(pair, '=');
    if (equals == NULL || equals == pair)
        return log_wrong("--set \"%s\": must be NAME=VALUE", pair);
    *equals = '\0';
    return collect(s, pair, equals + 1);
}

static const anomaly_kind_info *kind_named(const char *name)
{
    const anomaly_kind_info *info;
    size_t i = 0;
    while ((info = anomaly_kind_at(i)) != NULL && strcmp(info->name, name) != 0)
        i++;
    return info;
}

static bool refuse_kind(const char *name)
{
    char names[256] = "";
    size_t length = 0;
    const anomaly_kind_info *info;
    for (size_t i = 0; (info = anomaly_kind_at(i)) != NULL && length < sizeof names; i++)
        length += (size_t)snprintf(names + length, sizeof names - length, "%s%s", i == 0 ? "" : ", ", info->name);
    return log_wrong("--detector \"%s\": must be one of %s", name, names);
}

static bool configure(options *o, const settings *s)
{
    anomaly_error error;
    const anomaly_kind_info *info = kind_named(o->detector);
    if (info == NULL)
        return refuse_kind(o->detector);
    anomaly_config_init(&o->config, sizeof o->config, info->kind);
    if ((info->offers & ANOMALY_OFFERS_TIME) != 0)
        anomaly_config_set(&o->config, "window", "300s", NULL);
    for (size_t i = 0; i < s->count; i++)
        if (anomaly_config_set(&o->config, s->names[i], s->texts[i], &error) != ANOMALY_OK)
            return log_wrong("%s \"%s\": %s", s->names[i], s->texts[i], error.message);
    return o->config.features == 1 || log_wrong("features: a line has one value");
}

static const char *unless_none(const char *text)
{
    return strcmp(text, "none") == 0 ? NULL : text;
}

static bool take(options *o, settings *s, int letter, char *text)
{
    switch (letter) {
    case 'l': o->listen = unless_none(text); return true;
    case 'u': o->unix_path = text; return true;
    case 'm': o->metrics = unless_none(text); return true;
    case 'd': o->detector = text; return true;
    case 'w': return collect(s, "window", text);
    case 't': return collect(s, "threshold", text);
    case 's': return collect_pair(s, text);
    case 'S': o->state = text; return true;
    default: break;
    }
    if (letter < FIRST_LIMIT) {
        fputs("Try anomaly-service --help.\n", stderr);
        return false;
    }
    return set_limit(&o->limits, (size_t)(letter - FIRST_LIMIT), text);
}

static void set_defaults(options *o, struct option all[])
{
    *o = (options){.listen = "127.0.0.1:7171", .metrics = "127.0.0.1:9171", .detector = "zscore"};
    memcpy(all, named, sizeof named);
    all[SHORT_OPTIONS] = (struct option){"help", no_argument, NULL, 'h'};
    for (size_t i = 0; i < LIMITS; i++) {
        *limit_at(&o->limits, i) = table[i].preset;
        all[SHORT_OPTIONS + 1 + i] = (struct option){table[i].name, required_argument, NULL, FIRST_LIMIT + (int)i};
    }
    all[SHORT_OPTIONS + 1 + LIMITS] = (struct option){0};
}

enum options_result options_read(options *o, int argc, char **argv)
{
    struct option all[SHORT_OPTIONS + LIMITS + 2];
    settings s = {.count = 0};
    int letter;
    set_defaults(o, all);
    while ((letter = getopt_long(argc, argv, "l:u:m:d:w:t:s:S:Vh", all, NULL)) != -1) {
        if (letter == 'h')
            options_print_help();
        else if (letter == 'V')
            printf("anomaly-service %d.%d.%d\n", ANOMALY_VERSION_MAJOR, ANOMALY_VERSION_MINOR, ANOMALY_VERSION_PATCH);
        else if (!take(o, &s, letter, optarg))
            return OPTIONS_WRONG;
        if (letter == 'h' || letter == 'V')
            return OPTIONS_DONE;
    }
    if (optind < argc)
        return log_wrong("\"%s\" is not an option", argv[optind]), OPTIONS_WRONG;
    if (o->listen == NULL && o->unix_path == NULL)
        return log_wrong("nothing to listen on: give --listen or --unix"), OPTIONS_WRONG;
    return configure(o, &s) ? OPTIONS_RUN : OPTIONS_WRONG;
}
