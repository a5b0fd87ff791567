/* SPDX-License-Identifier: MIT
 * help.c - what --help and --options print.
 */
#include "options/help.h"

#include "anomaly.h"

#include <stdio.h>
#include <string.h>

static const char help_detect[] =
    "Usage: anomaly [OPTION]... [FILE]...\n"
    "       anomaly suggest [OPTION]... [FILE]...    proposes detector and options for the files\n"
    "       anomaly backtest --labels WHERE [OPTION]... FILE...  what the options find of known incidents\n"
    "Reads events (a metric, a value, a time) and prints those that are anomalies.\n"
    "No FILE, or -: standard input. All files are one stream, in the order given; gzip, zstd\n"
    "and xz are read too.\n"
    "\n"
    "Detection\n"
    "  -d, --detector NAME      how an event is judged; without it, and without -w and -t, the input\n"
    "                           shows what suits it, and a line says so as options:\n";

static const char help_input[] =
    "  -w, --window SIZE        what an event is compared with: so many events (500), the last so\n"
    "                           much time (300s, 5m, 1h), or both (300s,5000); by default\n"
    "                           zscore and percentile take 300s, or 1000 events without times;\n"
    "                           iforest 2048, mahalanobis 8192, watch 4000\n"
    "  -t, --threshold X        score from which an event is an anomaly\n"
    "  -s, --set NAME=VALUE     any other option of the detector; without -d that of zscore, but for\n"
    "                           those that say how many alarms: alarms, alarm_rate, calibrate, rest,\n"
    "                           margin, confirm; and population\n"
    "      --options            list those options with their defaults\n"
    "      --whole              judge each row against all the others of its metric, times aside:\n"
    "                           the way for a handful of rows (holds the file in memory)\n"
    "\n"
    "Input\n"
    "  -i, --input FORMAT       auto (default), csv, json, ndjson, txt, blanks, prometheus (text,\n"
    "                           answers), influx (the line protocol), logfmt (name=value), ping or\n"
    "                           access (logs of web servers)\n"
    "      --encoding NAME      encoding of the text, as iconv -l has it: latin1; default: UTF-8, or\n"
    "                           found out\n"
    "      --rows PATH          the array of objects that are the rows, where it lies in another object:\n"
    "                           data.items; default: found where it is the only one\n"
    "      --format FORMAT      how an access log is written: combined, common, or as nginx's log_format:\n"
    "                           '$remote_addr [$time_local] \"$request\" $status'; default: found out\n"
    "      --interval TIME      requests of an access log are counted by so much time: 1m (default);\n"
    "                           -k path (or host, or another field) counts each by itself\n"
    "      --delimiter C        the character between fields; default: found out\n"
    "      --header, --no-header  the first row of CSV has the columns' names, or not; default: found out\n"
    "      --decimal C          the decimal point of numbers: . or ,; default: found out\n"
    "      --thousands C        what stands between thousands: , . ' or blank; default: nothing\n"
    "      --na WORDS           words (comma between) for a missing value, beside - NA N/A #N/A NULL\n"
    "                           None NaN in any case; \"\": none of these either\n"
    "  -k, --key COL[,COL]      columns that name the stream an event belongs to; default: metric;\n"
    "                           beside value also variable, series or name; and columns called host,\n"
    "                           disk, pod or the like\n"
    "  -v, --value COL[,COL]    columns with numbers, judged together; default: value, else every\n"
    "                           column that holds numbers, but those that number the rows or name\n"
    "                           something (pid); in JSON also a path: data.cpu\n"
    "      --each               judge every value column by itself, its name added to the key\n"
    "  -T, --time COL           column with the time; default: timestamp, time, date, ts, epoch_ms or\n"
    "                           the like\n"
    "      --time-unit UNIT     s, ms, us or ns for times that are numbers (default: by their size, or\n"
    "                           dates as 20250121), or iso to take dates only\n"
    "      --time-format FORMAT times as FORMAT says, in strptime's letters: '%d/%m/%Y %H:%M:%S'\n"
    "      --tz ZONE            zone of times that name none, as Europe/Berlin; default: UTC\n"
    "                           Names of columns fit in any case, unless two differ by that alone.\n"
    "                           In a list one with a comma has double quotes: -k '\"city, state\",host'\n"
    "  -f, --follow             at the end of the last file wait for more, also when it is rotated\n"
    "\n"
    "Keys without end\n"
    "      --max-keys N         keep at most N keys; the ones not seen for longest are forgotten\n"
    "      --max-memory SIZE    the same by the memory they take: 512M, 2G\n"
    "      --forget-after TIME  forget keys that have been silent for so long: 24h\n";

static const char help_state[] =
    "\n"
    "From run to run\n"
    "      --state FILE         go on with the windows saved there, and save them at the end\n"
    "      --save-every TIME    ... and every so often: 30s (default); 0: at the end only\n"
    "      --resume             read on where the last run saved, each file where it was left; what\n"
    "                           --out got behind that is cut off, so that each verdict is there once\n";

static const char help_backtest[] =
    "\n"
    "Known incidents (anomaly backtest)\n"
    "      --labels WHERE       a column that says which rows are of an incident (1, true, yes, anomaly,\n"
    "                           not 0, false, no, normal), or a file.csv with lines start,end or\n"
    "                           start,end,key\n"
    "      --grace TIME         so long after its end an alarm still belongs to an incident: 10m;\n"
    "                           without times a number of events: 5; default: 0\n";

static const char help_output[] =
    "\n"
    "Output\n"
    "  -o, --output FORMAT      table (default), csv, json or ndjson\n"
    "      --fields LIST        which of file,line,key,time,feature,value,score,threshold,tail,\n"
    "                           expected,lower,upper,events,flags,anomaly,explanation,rest\n"
    "      --explain            with a last field that says each verdict as a sentence\n"
    "      --out FILE           write there instead of to standard output; without -o a name that ends\n"
    "                           in .csv, .json or .ndjson says the form\n"
    "      --sparkline          after the table a line for each key: its series as a small picture\n"
    "      --html FILE          write a page with charts, a table and the summary, for a browser\n"
    "  -a, --all                print every event, not only anomalies (with rest, confirm or\n"
    "                           min_change: not only alarms)\n"
    "  -q, --quiet              no line on what was understood, no summary and no progress\n"
    "      --fail-on-anomaly    end with status 3 if something was to be told: an anomaly, or an alarm\n"
    "      --version\n"
    "  -h, --help\n"
    "\n"
    "Status: 0 ran; 1 some input could not be read (to its end), a row was rejected, or the output\n"
    "could not be written; 2 wrong usage, or a state that does not fit or cannot be saved; 3 anomalies,\n"
    "with --fail-on-anomaly. An interrupt (Ctrl-C) ends a pipe as its end would.\n"
    "\n"
    "Examples\n"
    "  anomaly readings.csv                            # metric,value,timestamp\n"
    "  anomaly -w 1h -t 4 -k host -v load -T at web.csv\n"
    "  anomaly --whole -s robust=1 -t 3.5 few-rows.csv\n"
    "  anomaly -d iforest -s contamination=0.005 machine.csv\n"
    "  anomaly -f -o ndjson --state web.state --resume --out web.ndjson /var/log/web.csv\n"
    "  producer | anomaly -i ndjson -o ndjson | consumer\n";

static void print_kinds(void)
{
    const anomaly_kind_info *info;
    for (size_t i = 0; (info = anomaly_kind_at(i)) != NULL; i++)
        printf("%*s%-11s  %s\n", 27, "", info->name, info->help);
}

void cli_print_help(void)
{
    fputs(help_detect, stdout);
    print_kinds();
    fputs(help_input, stdout);
    fputs(help_state, stdout);
    fputs(help_backtest, stdout);
    fputs(help_output, stdout);
}

/* Writes the default of an option for one kind, "-" where the option does not apply. */
static const char *default_of(const anomaly_option *option, int kind, char *text, size_t size)
{
    anomaly_config config;
    if ((option->kinds >> kind & 1) == 0 || anomaly_config_init(&config, sizeof config, kind) != ANOMALY_OK ||
        anomaly_config_get(&config, option->name, text, size) != ANOMALY_OK)
        return "-";
    return text;
}

static int width_of_names(void)
{
    int width = 6;
    const anomaly_option *option;
    for (size_t i = 0; (option = anomaly_option_at(i)) != NULL; i++)
        if ((int)strlen(option->name) > width)
            width = (int)strlen(option->name);
    return width;
}

static void print_window(void)
{
    const anomaly_kind_info *info;
    fputs("\nThe program's window is 300s by default where the input has times", stdout);
    for (size_t i = 0; (info = anomaly_kind_at(i)) != NULL; i++)
        if ((info->offers & ANOMALY_OFFERS_TIME) == 0)
            printf(", but for %s", info->name);
    puts(".");
}

void cli_print_options(void)
{
    int width = width_of_names();
    printf("%-*s", width, "option");
    const anomaly_kind_info *info;
    size_t kinds = 0;
    for (; (info = anomaly_kind_at(kinds)) != NULL; kinds++)
        printf("  %-11s", info->name);
    printf("  what\n");
    const anomaly_option *option;
    for (size_t i = 0; (option = anomaly_option_at(i)) != NULL; i++) {
        char text[64];
        if (strcmp(option->name, "features") == 0)
            continue; /* the value columns say that */
        printf("%-*s", width, option->name);
        for (size_t k = 0; k < kinds; k++)
            printf("  %-11s", default_of(option, anomaly_kind_at(k)->kind, text, sizeof text));
        printf("  %s\n%*s  %s\n", option->help, width + 13 * (int)kinds, "", option->values);
    }
    print_window();
}
