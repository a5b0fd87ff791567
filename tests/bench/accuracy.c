/* SPDX-License-Identifier: MIT
 * accuracy.c - how well the isolation forest finds the anomalies of labelled streams.
 *
 *     accuracy [--json FILE] [--seeds N] [--profiles fast,balanced] [--set NAME=VALUE]... [--missing SHARE] DIR|FILE.npz ...
 *
 * A stream is a file NAME.npz with X, numbers [n, d], and y, n labels (not 0: anomaly); the rows' order is the stream's.
 * Prequential: each event is scored before it is learned, in one pass, from the first event on; the scores while the forest
 * warms up count as they are. For each profile: area under the ROC curve (AUC, ties count half) and average precision (AP, as
 * scikit-learn's) of the scores, mean over the seeds 1 .. N; then the mean over streams. Nothing is set per stream. */
#include "anomaly.h"
#include "npz.h"

#include <dirent.h>
#include <time.h>

enum { PROFILES = 3, SETTINGS = 32, LONGEST = 1024 };

typedef struct options {
    const char *json;
    uint64_t seeds;
    double missing;
    const char *set[SETTINGS];
    size_t settings;
    int profile[PROFILES], profiles;
    char **files;
    size_t count;
} options;

typedef struct result {
    double auc, ap, seconds;
} result;

typedef struct stream {
    const char *name; /* without directory and ending */
    int name_length;
    npz_array x, y;
    double positives;
    result found[PROFILES];
} stream;

static const char *const PROFILE[PROFILES] = {"fast", "balanced", "accurate"};

static void fail(const char *what, const char *why)
{
    fprintf(stderr, "accuracy: %s: %s\n", what, why);
    exit(1);
}

static void *take(size_t count, size_t size)
{
    void *memory = calloc(count + 1, size);
    if (memory == NULL)
        fail("memory", "none left");
    return memory;
}

/* ---- the measures ---- */

typedef struct scored {
    double score;
    int anomaly;
} scored;

static int by_score(const void *a, const void *b)
{
    double x = ((const scored *)a)->score, y = ((const scored *)b)->score;
    return (x < y) - (x > y);
}

/* From the highest score down, equal ones together. */
static void measure(scored *s, size_t n, double positives, result *r)
{
    double above = 0, below = 0, area = 0, precision = 0; /* anomalies and others with a higher score */
    qsort(s, n, sizeof *s, by_score);
    for (size_t i = 0, end; i < n; i = end) {
        double hits = 0, misses = 0;
        for (end = i; end < n && s[end].score == s[i].score; end++) {
            hits += s[end].anomaly;
            misses += !s[end].anomaly;
        }
        area += misses * (above + hits / 2);
        above += hits;
        below += misses;
        precision += hits * above / (above + below);
    }
    r->auc += area / (positives * ((double)n - positives));
    r->ap += precision / positives;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* ---- a run ---- */

static void configure(anomaly_config *c, const options *o, int profile, uint32_t features, uint64_t seed)
{
    anomaly_error error;
    anomaly_config_init(c, sizeof *c, ANOMALY_IFOREST);
    anomaly_config_set(c, "profile", PROFILE[profile], NULL);
    c->features = features;
    c->seed = seed;
    for (size_t i = 0; i < o->settings; i++) {
        char text[256];
        char *equals;
        snprintf(text, sizeof text, "%s", o->set[i]);
        equals = strchr(text, '=');
        if (equals == NULL)
            fail(text, "must be NAME=VALUE");
        *equals = '\0';
        if (anomaly_config_set(c, text, equals + 1, &error) != ANOMALY_OK)
            fail(text, error.message);
    }
}

static void run(const stream *s, const options *o, int profile, uint64_t seed, result *r)
{
    anomaly_config config;
    anomaly_detector *d;
    anomaly_error error;
    scored *scores = take(s->x.rows, sizeof *scores);
    configure(&config, o, profile, (uint32_t)s->x.columns, seed);
    if (anomaly_create(&config, NULL, &d, &error) != ANOMALY_OK)
        fail(error.field, error.message);
    double begin = now();
    for (size_t i = 0; i < s->x.rows; i++) {
        anomaly_verdict v;
        if (anomaly_update(d, s->x.values + i * s->x.columns, ANOMALY_NO_TIME, &v) != ANOMALY_OK)
            fail("update", "failed");
        scores[i] = (scored){isnan(v.score) ? 0.5 : v.score, s->y.values[i] != 0};
    }
    r->seconds += now() - begin;
    anomaly_destroy(d);
    measure(scores, s->x.rows, s->positives, r);
    free(scores);
}

/* ---- streams ---- */

/* Takes out a share of the cells, the same ones in every run. */
static void take_out(stream *s, double share)
{
    uint64_t state = 77;
    for (size_t i = 0; share > 0 && i < s->x.rows * s->x.columns; i++) {
        state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        if ((double)(state >> 11) * 0x1p-53 < share)
            s->x.values[i] = NAN;
    }
}

static void load(stream *s, const char *path, double missing)
{
    npz_bytes zip = npz_file(path);
    const char *slash = strrchr(path, '/');
    s->name = slash != NULL ? slash + 1 : path;
    s->name_length = (int)strlen(s->name) - 4;
    if (!npz_read(&zip, "X.npy", &s->x) || !npz_read(&zip, "y.npy", &s->y) || s->x.rows != s->y.rows || s->y.columns != 1)
        fail(path, "not an .npz with X [n, d] and y [n]");
    free(zip.data);
    s->positives = 0;
    for (size_t i = 0; i < s->y.rows; i++)
        s->positives += s->y.values[i] != 0;
    if (s->positives == 0 || s->positives == (double)s->y.rows)
        fail(path, "has no anomalies, or nothing else");
    take_out(s, missing);
}

static void print_row(const char *name, int length, const stream *s, const result *r, const options *o)
{
    if (s != NULL)
        printf("| %.*s | %zu | %zu | %.0f |", length, name, s->x.rows, s->x.columns, s->positives);
    else
        printf("| **%.*s** | | | |", length, name);
    for (int k = 0; k < o->profiles; k++)
        printf(" %.4f | %.4f |", r[k].auc, r[k].ap);
    putchar('\n');
    fflush(stdout);
}

static void judge(stream *s, const options *o)
{
    for (int k = 0; k < o->profiles; k++) {
        result *r = &s->found[k];
        for (uint64_t seed = 1; seed <= o->seeds; seed++)
            run(s, o, o->profile[k], seed, r);
        r->auc /= (double)o->seeds;
        r->ap /= (double)o->seeds;
    }
    print_row(s->name, s->name_length, s, s->found, o);
    free(s->x.values);
    free(s->y.values);
}

/* ---- files ---- */

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void add_file(options *o, const char *directory, const char *name)
{
    char *path = take(strlen(directory) + strlen(name) + 2, 1);
    sprintf(path, "%s%s%s", directory, *directory != '\0' ? "/" : "", name);
    o->files = realloc(o->files, (o->count + 1) * sizeof *o->files);
    if (o->files == NULL)
        fail("memory", "none left");
    o->files[o->count++] = path;
}

static int is_npz(const char *name)
{
    size_t length = strlen(name);
    return length > 4 && strcmp(name + length - 4, ".npz") == 0;
}

static void add(options *o, const char *path)
{
    DIR *directory = opendir(path);
    size_t before = o->count;
    struct dirent *entry;
    if (directory == NULL) {
        if (!is_npz(path))
            fail(path, "neither a directory nor an .npz");
        add_file(o, "", path);
        return;
    }
    while ((entry = readdir(directory)) != NULL)
        if (is_npz(entry->d_name))
            add_file(o, path, entry->d_name);
    closedir(directory);
    if (o->count == before)
        fail(path, "holds no .npz: give the directory of the streams, DATA=directory with make");
    qsort(o->files + before, o->count - before, sizeof *o->files, by_name);
}

/* ---- output ---- */

static void write_results(FILE *f, const result *r, const options *o, double events)
{
    for (int k = 0; k < o->profiles; k++)
        fprintf(f, "%s\"%s\":{\"auc\":%.6f,\"ap\":%.6f,\"ns_event\":%.1f}", k > 0 ? "," : "", PROFILE[o->profile[k]],
                r[k].auc, r[k].ap, r[k].seconds * 1e9 / events / (double)o->seeds);
}

static void write_json(const options *o, const stream *s, const result *mean, double events)
{
    FILE *f = o->json != NULL ? fopen(o->json, "w") : NULL;
    if (o->json == NULL)
        return;
    if (f == NULL)
        fail(o->json, "cannot be written");
    fprintf(f, "{\"seeds\":%llu,\"missing\":%g,\"streams\":[", (unsigned long long)o->seeds, o->missing);
    for (size_t i = 0; i < o->count; i++) {
        fprintf(f, "%s\n{\"name\":\"%.*s\",\"n\":%zu,\"d\":%zu,\"positives\":%.0f,", i > 0 ? "," : "", s[i].name_length,
                s[i].name, s[i].x.rows, s[i].x.columns, s[i].positives);
        write_results(f, s[i].found, o, (double)s[i].x.rows);
        fputc('}', f);
    }
    fputs("],\n\"mean\":{", f);
    write_results(f, mean, o, events);
    fputs("}}\n", f);
    if (fclose(f) != 0)
        fail(o->json, "cannot be written");
}

static void print_head(const options *o)
{
    printf("| stream | n | d | anomalies |");
    for (int k = 0; k < o->profiles; k++)
        printf(" %s AUC | AP |", PROFILE[o->profile[k]]);
    printf("\n| --- | --- | --- | --- |");
    for (int k = 0; k < o->profiles; k++)
        printf(" --- | --- |");
    putchar('\n');
}

static void judge_all(const options *o)
{
    stream *s = take(o->count, sizeof *s);
    result mean[PROFILES] = {{0}};
    double events = 0;
    print_head(o);
    for (size_t i = 0; i < o->count; i++) {
        load(&s[i], o->files[i], o->missing);
        judge(&s[i], o);
        events += (double)s[i].x.rows;
        for (int k = 0; k < o->profiles; k++) {
            mean[k].auc += s[i].found[k].auc / (double)o->count;
            mean[k].ap += s[i].found[k].ap / (double)o->count;
            mean[k].seconds += s[i].found[k].seconds;
        }
    }
    print_row("mean", 4, NULL, mean, o);
    printf("\n%zu streams, %llu seeds;", o->count, (unsigned long long)o->seeds);
    for (int k = 0; k < o->profiles; k++)
        printf(" %s %.0f ns an event%s", PROFILE[o->profile[k]], mean[k].seconds * 1e9 / events / (double)o->seeds,
               k + 1 < o->profiles ? "," : "\n");
    write_json(o, s, mean, events);
    free(s);
}

static void choose_profiles(options *o, const char *names)
{
    o->profiles = 0;
    for (int k = 0; k < PROFILES; k++)
        if (strstr(names, PROFILE[k]) != NULL)
            o->profile[o->profiles++] = k;
    if (o->profiles == 0)
        fail(names, "no such profile");
}

static void read_option(options *o, const char *name, const char *value)
{
    if (value == NULL)
        fail(name, "needs a value");
    if (strcmp(name, "--json") == 0)
        o->json = value;
    else if (strcmp(name, "--seeds") == 0)
        o->seeds = strtoull(value, NULL, 10);
    else if (strcmp(name, "--missing") == 0)
        o->missing = strtod(value, NULL);
    else if (strcmp(name, "--profiles") == 0)
        choose_profiles(o, value);
    else if (strcmp(name, "--set") == 0 && o->settings < SETTINGS)
        o->set[o->settings++] = value;
    else
        fail(name, "no such option");
}

int main(int argc, char **argv)
{
    options o = {.seeds = 5, .profile = {0, 1, 2}, .profiles = PROFILES};
    for (int i = 1; i < argc; i++) {
        if (strncmp(argv[i], "--", 2) != 0) {
            add(&o, argv[i]);
            continue;
        }
        read_option(&o, argv[i], argv[i + 1]);
        i++;
    }
    if (o.count == 0 || o.seeds == 0)
        fail("usage",
             "accuracy [--json FILE] [--seeds N] [--profiles LIST] [--set NAME=VALUE] [--missing SHARE] DIR|FILE.npz ...");
    judge_all(&o);
    for (size_t i = 0; i < o.count; i++)
        free(o.files[i]);
    free(o.files);
    return 0;
}
