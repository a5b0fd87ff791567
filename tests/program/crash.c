/* SPDX-License-Identifier: MIT
 * crash.c - kill -9 at any moment: with --state, --resume and --out each verdict stands in the file once.
 *
 * The program runs in a child, follows a file that this process writes in pieces cut anywhere, saves as often as it can, and is
 * killed at random; then the next one goes on. At the end the output is compared with that of one run over everything.
 * Rotated CSV is killed 200 times, the others 40; CRASHES=N kills each so often, TEST_QUICK 10 times. A life takes some 30 ms.
 */
#include "random.h"
#include "run/run.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { MOST = 24, LIFE_US = 30000 };

typedef struct scenario {
    const char *arguments[MOST]; /* before the files' names */
    const char *input;
    const char *first_line; /* of every file, "" for none */
    const char *end;        /* behind the last row */
    void (*row)(char *text, size_t size, unsigned i, random_state *r);
    bool rotates;
    bool cuts_rows; /* pieces may end anywhere, else only between rows */
} scenario;

static random_state dice;
static char folder[256];

static unsigned below(unsigned n)
{
    return (unsigned)random_below(&dice, n);
}

static unsigned crashes(unsigned usual)
{
    const char *wanted = getenv("CRASHES"), *quick = getenv("TEST_QUICK");
    if (wanted != NULL && *wanted != '\0')
        return (unsigned)atoi(wanted);
    return quick != NULL && *quick != '\0' ? 10 : usual;
}

/* ---- rows ---- */

static double value_of(unsigned i, random_state *r)
{
    return 50 + random_normal(r) + (i % 97 == 0 ? 40 : 0);
}

static void csv_row(char *text, size_t size, unsigned i, random_state *r)
{
    const char *quote = i % 11 == 0 ? "\"" : ""; /* a quoted field with a line end in it */
    snprintf(text, size, "%skey%s%u%s,%.3f,%u\n", quote, *quote ? "\n" : "", i % 7, quote, value_of(i, r),
             1700000000 + i / 3);
}

static void json_row(char *text, size_t size, unsigned i, random_state *r)
{
    snprintf(text, size, "{\"metric\":\"k%u\",\"value\":%.3f,\"timestamp\":%u,\"n\":%u}\n", i % 5, value_of(i, r),
             1700000000 + i, i);
}

static void element_row(char *text, size_t size, unsigned i, random_state *r)
{
    snprintf(text, size, "%s{\"metric\":\"k%u\",\n \"value\":%.3f}", i == 0 ? "" : ",\n", i % 5, value_of(i, r));
}

static void txt_row(char *text, size_t size, unsigned i, random_state *r)
{
    if (i % 50 == 49) /* rejected in every life, counted in none twice */
        snprintf(text, size, "bad,row%u,\n# %u\n\n", i, i);
    else
        snprintf(text, size, "k%u\t%.3f\t%u\n", i % 3, value_of(i, r), 1700000000 + i);
}

static void features_row(char *text, size_t size, unsigned i, random_state *r)
{
    snprintf(text, size, "%.3f,%.3f,%.3f\n", value_of(i, r), random_normal(r), random_normal(r));
}

/* ---- the program in a child ---- */

static char *path_of(const char *name)
{
    static char paths[8][300];
    static unsigned next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static int run_program(const scenario *s, const char *const *more, const char *input)
{
    char *arguments[2 * MOST] = {"anomaly", "-q"};
    int count = 2;
    for (size_t i = 0; s->arguments[i] != NULL; i++)
        arguments[count++] = (char *)s->arguments[i];
    for (size_t i = 0; more[i] != NULL; i++)
        arguments[count++] = (char *)more[i];
    arguments[count++] = (char *)input;
    return cli_run(count, arguments);
}

static pid_t start(const scenario *s, bool follow)
{
    const char *more[] = {"--state", path_of("state"),     "--resume", "--out", path_of("out"), "--save-every",
                          "1us",     follow ? "-f" : NULL, NULL};
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        signal(SIGSEGV, SIG_DFL); /* else cmocka's handler would go on with the next test, in the child */
        signal(SIGABRT, SIG_DFL);
        int nowhere = open("/dev/null", O_WRONLY);
        dup2(nowhere, STDERR_FILENO);
        dup2(nowhere, STDOUT_FILENO);
        _exit(run_program(s, more, path_of(s->input)));
    }
    return child;
}

/* ---- the file that grows ---- */

typedef struct growing {
    const scenario *scenario;
    char *text; /* everything that will ever be written, without first lines */
    size_t length, written;
    int fd;
    unsigned rotations;
} growing;

static void open_new(growing *g)
{
    const char *first = g->scenario->first_line;
    g->fd = open(path_of(g->scenario->input), O_WRONLY | O_CREAT | O_APPEND, 0644);
    assert_true(g->fd >= 0);
    assert_int_equal(write(g->fd, first, strlen(first)), strlen(first));
}

static void append(growing *g, size_t size)
{
    if (size > g->length - g->written)
        size = g->length - g->written;
    assert_int_equal(write(g->fd, g->text + g->written, size), size);
    g->written += size;
}

static size_t to_line_end(const growing *g)
{
    const char *from = g->text + g->written, *end = memchr(from, '\n', g->length - g->written);
    return end != NULL ? (size_t)(end - from) + 1 : 0;
}

/* Has the program come to the present file? Two rotations at once would hide one file from it, see docs/program.md. */
static bool is_there(const growing *g)
{
    char inode[40], text[4096] = "";
    struct stat status;
    FILE *state = fopen(path_of("state"), "rb");
    assert_int_equal(fstat(g->fd, &status), 0);
    snprintf(inode, sizeof inode, "\"inode\":%llu,", (unsigned long long)status.st_ino);
    size_t size = state != NULL ? fread(text, 1, sizeof text - 1, state) : 0;
    if (state != NULL)
        fclose(state);
    for (size_t i = 0; i < size; i++)
        text[i] = text[i] == '\0' ? ' ' : text[i];
    return strstr(text, inode) != NULL;
}

static void rotate(growing *g)
{
    char old[40];
    if (!is_there(g))
        return;
    append(g, to_line_end(g));
    snprintf(old, sizeof old, "old.%u", g->rotations++);
    assert_int_equal(rename(path_of(g->scenario->input), path_of(old)), 0);
    close(g->fd);
    open_new(g);
}

static void nap(void)
{
    const struct timespec t = {0, 700000};
    nanosleep(&t, NULL);
}

/* Lives, writes and dies. */
static void one_life(growing *g, unsigned number)
{
    pid_t child = start(g->scenario, true);
    unsigned steps = below(LIFE_US / 700);
    for (unsigned i = 0; i < steps; i++) {
        append(g, below(4) == 0 ? g->scenario->cuts_rows ? below(3000) : to_line_end(g) : 0);
        if (g->scenario->rotates && below(60) == 0)
            rotate(g);
        nap();
    }
    bool politely = number % 10 == 9;
    int status;
    kill(child, politely ? SIGTERM : SIGKILL);
    assert_int_equal(waitpid(child, &status, 0), child);
    if (politely && WIFEXITED(status)) /* the signal may have come before it was being waited for */
        assert_in_range(WEXITSTATUS(status), 0, 1);
    else
        assert_true(WIFSIGNALED(status));
}

static char *slurp(const char *path, size_t *size)
{
    struct stat status;
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fstat(fileno(file), &status), 0);
    char *text = malloc((size_t)status.st_size + 1);
    assert_non_null(text);
    *size = fread(text, 1, (size_t)status.st_size, file);
    text[*size] = '\0';
    fclose(file);
    return text;
}

static void make_text(growing *g, unsigned rows)
{
    random_state r = {42};
    char row[256];
    g->text = malloc((size_t)rows * sizeof row + 16);
    assert_non_null(g->text);
    for (unsigned i = 0; i < rows; i++) {
        g->scenario->row(row, sizeof row, i, &r);
        memcpy(g->text + g->length, row, strlen(row));
        g->length += strlen(row);
    }
    memcpy(g->text + g->length, g->scenario->end, strlen(g->scenario->end));
    g->length += strlen(g->scenario->end);
}

/* One run over all that was written, in one file. */
static void run_whole(const growing *g)
{
    const char *more[] = {"--out", path_of("whole"), NULL};
    FILE *file = fopen(path_of("all"), "wb");
    assert_non_null(file);
    fputs(g->scenario->first_line, file);
    fwrite(g->text, 1, g->length, file);
    fclose(file);
    run_program(g->scenario, more, path_of("all"));
}

static void compare(void)
{
    size_t found, expected;
    char *a = slurp(path_of("out"), &found), *b = slurp(path_of("whole"), &expected);
    assert_true(expected > 1000);
    assert_int_equal(found, expected);
    assert_memory_equal(a, b, expected);
    free(a);
    free(b);
}

static void survives(const scenario *s)
{
    growing g = {.scenario = s};
    unsigned lives = crashes(s->rotates ? 200 : 40);
    int status;
    snprintf(folder, sizeof folder, "%s/anomaly-crash.XXXXXX", getenv("TMPDIR") != NULL ? getenv("TMPDIR") : "/tmp");
    assert_non_null(mkdtemp(folder));
    dice = (random_state){7};
    make_text(&g, lives * 300);
    open_new(&g);
    for (unsigned i = 0; i < lives; i++)
        one_life(&g, i);
    append(&g, g.length);
    pid_t last = start(s, false);
    assert_int_equal(waitpid(last, &status, 0), last);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) <= 1);
    run_whole(&g);
    compare();
    close(g.fd);
    free(g.text);
    char command[300];
    snprintf(command, sizeof command, "rm -r '%s'", folder);
    assert_int_equal(system(command), 0);
}

/* ---- cases ---- */

static char robust[] = "robust=1", policy[] = "learn=normal:5",
            profile[] = "profile=fast"; /* the program cuts these in place, as main's arguments */

#define FIELDS "--fields", "key,time,value,score,expected,lower,upper,events,flags,anomaly"

static void csv_zscore(void **state)
{
    (void)state;
    static const scenario s = {.arguments = {"-a", "-i", "csv", "-o", "csv", FIELDS, "-w", "60s"},
                               .input = "in.csv",
                               .first_line = "metric,value,timestamp\n",
                               .end = "",
                               .row = csv_row,
                               .cuts_rows = true};
    survives(&s);
}

static void csv_rotated(void **state)
{
    (void)state;
    static const scenario s = {.arguments = {"-a", "-i", "csv", "-o", "csv", FIELDS, "-s", policy},
                               .input = "in.csv",
                               .first_line = "a,b,c\n",
                               .end = "",
                               .row = features_row,
                               .rotates = true,
                               .cuts_rows = true};
    survives(&s);
}

static void ndjson_percentile(void **state)
{
    (void)state;
    static const scenario s = {.arguments = {"-a", "-d", "percentile", "-i", "ndjson", "-o", "ndjson", "--fields",
                                             "line,key,time,value,score,rest", "-w", "500", "--max-keys", "3"},
                               .input = "in.ndjson",
                               .first_line = "",
                               .end = "",
                               .row = json_row,
                               .cuts_rows = true};
    survives(&s);
}

static void json_array(void **state)
{
    (void)state;
    static const scenario s = {.arguments = {"-a", "-i", "json", "-o", "csv", "--fields", "line,key,score", "-s", robust},
                               .input = "in.json",
                               .first_line = "[\n",
                               .end = "\n]\n",
                               .row = element_row,
                               .cuts_rows = true};
    survives(&s);
}

static void txt_with_bad_rows(void **state)
{
    (void)state;
    static const scenario s = {.arguments = {"-a", "-i", "txt", "-o", "csv", "--fields", "line,key,score"},
                               .input = "in.txt",
                               .first_line = "",
                               .end = "",
                               .row = txt_row,
                               .cuts_rows = true};
    survives(&s);
}

static void forest(void **state)
{
    (void)state;
    static const scenario s = {
        .arguments = {"-a", "-d", "iforest", "-w", "300", "-i", "csv", "-o", "csv", FIELDS, "-s", profile},
        .input = "in.csv",
        .first_line = "a,b,c\n",
        .end = "",
        .row = features_row,
        .cuts_rows = true};
    survives(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(csv_zscore), cmocka_unit_test(csv_rotated),       cmocka_unit_test(ndjson_percentile),
        cmocka_unit_test(json_array), cmocka_unit_test(txt_with_bad_rows), cmocka_unit_test(forest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
