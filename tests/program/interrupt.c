/* SPDX-License-Identifier: MIT
 * interrupt.c - an interrupt ends a pipe as its end would; in the midst of a file it is said. Nothing that was read is lost.
 *
 * The program runs in a child. A script could not test it: what a shell starts in the background ignores interrupts.
 */
#include "options/options.h"
#include "run/run.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { MOST = 24, WHOLE = 1 << 22 };

/* The program in a child. What it reads and writes goes through pipes, its messages to a file. */
typedef struct running {
    pid_t child;
    int input, output, messages;
} running;

static char file_path[] = "/tmp/anomaly-interrupt.XXXXXX"; /* 200,000 rows, more than the program reads at once */

static void run_child(char **arguments, int input, int output, int messages)
{
    int count = 0;
    while (arguments[count] != NULL)
        count++;
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    signal(SIGSEGV, SIG_DFL); /* else cmocka's handler would go on with the next test, in the child */
    signal(SIGABRT, SIG_DFL);
    dup2(input, STDIN_FILENO);
    dup2(output, STDOUT_FILENO);
    dup2(messages, STDERR_FILENO);
    for (int fd = STDERR_FILENO + 1; fd < 64; fd++)
        close(fd);
    _exit(cli_run(count, arguments));
}

static running start(char **arguments)
{
    int in[2], out[2];
    char name[] = "/tmp/anomaly-interrupt.XXXXXX";
    assert_int_equal(pipe(in), 0);
    assert_int_equal(pipe(out), 0);
    running r = {.input = in[1], .output = out[0], .messages = mkstemp(name)};
    assert_true(r.messages >= 0);
    unlink(name);
    r.child = fork();
    assert_true(r.child >= 0);
    if (r.child == 0)
        run_child(arguments, in[0], out[1], r.messages);
    close(in[0]);
    close(out[1]);
    return r;
}

static void nap(void)
{
    const struct timespec t = {0, 5000000};
    nanosleep(&t, NULL);
}

/* Writes, and waits until the program has taken everything. */
static void give(const running *r, const char *text)
{
    int left = 1;
    assert_int_equal(write(r->input, text, strlen(text)), strlen(text));
    for (int i = 0; i < 4000 && left > 0; i++) {
        assert_int_equal(ioctl(r->input, FIONREAD, &left), 0);
        nap();
    }
    assert_int_equal(left, 0);
}

/* Waits until so many bytes of output lie ready. */
static void wait_for_output(const running *r, int bytes)
{
    int ready = 0;
    for (int i = 0; i < 4000 && ready < bytes; i++) {
        assert_int_equal(ioctl(r->output, FIONREAD, &ready), 0);
        nap();
    }
    assert_true(ready >= bytes);
}

typedef struct outcome {
    int status; /* as waitpid() has it */
    char *output;
    char messages[4096];
} outcome;

/* Takes what it writes from now on, and how it ends. The input stays open: that is not what ends it. */
static outcome end(running *r)
{
    outcome o = {.output = malloc(WHOLE)};
    size_t length = 0;
    ssize_t n;
    assert_non_null(o.output);
    while ((n = read(r->output, o.output + length, WHOLE - 1 - length)) > 0)
        length += (size_t)n;
    o.output[length] = '\0';
    assert_int_equal(waitpid(r->child, &o.status, 0), r->child);
    n = pread(r->messages, o.messages, sizeof o.messages - 1, 0);
    o.messages[n > 0 ? n : 0] = '\0';
    close(r->input);
    close(r->output);
    close(r->messages);
    return o;
}

static void ends_with(const outcome *o, int status)
{
    if (!WIFEXITED(o->status) || WEXITSTATUS(o->status) != status)
        print_error("status %x, said: %s\n", (unsigned)o->status, o->messages);
    assert_true(WIFEXITED(o->status));
    assert_int_equal(WEXITSTATUS(o->status), status);
}

static void says(const outcome *o, const char *text, bool wanted)
{
    if ((strstr(o->messages, text) != NULL) != wanted)
        print_error("%s: %s\n", wanted ? "not said" : "said", o->messages);
    assert_true((strstr(o->messages, text) != NULL) == wanted);
}

#define ARGUMENTS(...)                         \
    (char *[MOST])                             \
    {                                          \
        (char[]){"anomaly"}, __VA_ARGS__, NULL \
    }
#define A(text) ((char[]){text})

/* ---- cases ---- */

/* The summary's figures are those of the rows: 20 around 54, five of them before there is a window, and one far away. */
static const char rows[] = "50\n51\n52\n53\n54\n55\n56\n57\n58\n59\n50\n51\n52\n53\n54\n55\n56\n57\n58\n59\n95\n";

static void a_pipe_ends_as_at_its_end(void **state)
{
    (void)state;
    running r = start(ARGUMENTS(A("-w"), A("10"), A("-o"), A("csv"), A("--fields"), A("line,value")));
    give(&r, rows);
    kill(r.child, SIGINT);
    outcome o = end(&r);
    ends_with(&o, 0);
    assert_string_equal(o.output, "line,value\n21,95\n");
    says(&o, "standard input: 21 events, 16 judged, 1 anomaly\n", true);
    says(&o, "stopped", false);
    free(o.output);
}

static void its_status_is_that_of_its_end(void **state)
{
    (void)state;
    running r = start(ARGUMENTS(A("-w"), A("10"), A("--fail-on-anomaly")));
    give(&r, rows);
    kill(r.child, SIGINT);
    outcome o = end(&r);
    ends_with(&o, 3);
    free(o.output);
    r = start(ARGUMENTS(A("-w"), A("10")));
    give(&r, "50\nx\n");
    kill(r.child, SIGINT);
    o = end(&r);
    ends_with(&o, 1);
    says(&o, "1 rejected", true);
    free(o.output);
}

static void the_whole_is_judged(void **state)
{
    (void)state;
    running r = start(ARGUMENTS(A("--whole"), A("-o"), A("csv"), A("--fields"), A("line,value")));
    give(&r, rows);
    kill(r.child, SIGINT);
    outcome o = end(&r);
    ends_with(&o, 0);
    assert_string_equal(o.output, "line,value\n21,95\n");
    free(o.output);
}

static void what_comes_behind_a_pipe_is_not_read(void **state)
{
    (void)state;
    running r = start(ARGUMENTS(A("-w"), A("10"), A("-"), file_path));
    give(&r, rows);
    kill(r.child, SIGINT);
    outcome o = end(&r);
    ends_with(&o, 1);
    says(&o, "standard input: stopped by a signal before its end\n", true);
    free(o.output);
}

static size_t lines_of(const char *text)
{
    size_t lines = 0;
    for (; (text = strchr(text, '\n')) != NULL; text++)
        lines++;
    return lines;
}

/* It waits for its output to be taken when the signal comes: a pipe holds 65,536 bytes. */
static running start_file(void)
{
    running r = start(ARGUMENTS(A("-a"), A("-o"), A("csv"), A("--fields"), A("value"), file_path));
    wait_for_output(&r, 65536);
    kill(r.child, SIGINT);
    return r;
}

static void a_file_is_said_to_be_cut_short(void **state)
{
    (void)state;
    char summary[80];
    running r = start_file();
    nap();
    outcome o = end(&r);
    ends_with(&o, 1);
    says(&o, "stopped by a signal before its end\n", true);
    size_t events = lines_of(o.output) - 1; /* every row that was read has its verdict */
    snprintf(summary, sizeof summary, "%zu events, ", events);
    says(&o, summary, true);
    assert_in_range(events, 10000, 199999);
    free(o.output);
}

static void a_second_one_ends_it_at_once(void **state)
{
    (void)state;
    running r = start_file();
    for (int i = 0; i < 20; i++)
        nap(); /* two at once would be one */
    kill(r.child, SIGINT);
    outcome o = end(&r);
    assert_true(WIFSIGNALED(o.status));
    assert_int_equal(WTERMSIG(o.status), SIGINT);
    free(o.output);
}

/* From the start of the program on, in steps of 20 us: before a file is opened it is not there yet, and nothing is saved. */
static void an_early_one_ends_it_in_order(void **state)
{
    char saved[] = "/tmp/anomaly-interrupt.XXXXXX";
    (void)state;
    close(mkstemp(saved));
    for (int i = 0; i < 150; i++) {
        const struct timespec early = {0, i * 20000};
        unlink(saved);
        running r = start(ARGUMENTS(A("-w"), A("10"), A("-q"), A("--state"), saved, file_path));
        nanosleep(&early, NULL);
        kill(r.child, SIGTERM);
        outcome o = end(&r);
        if (!WIFSIGNALED(o.status) || WTERMSIG(o.status) != SIGTERM) {
            ends_with(&o, 1);
            says(&o, "stopped by a signal before its end\n", true);
        }
        free(o.output);
    }
    unlink(saved);
}

static int make_file(void **state)
{
    (void)state;
    int fd = mkstemp(file_path);
    FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (file == NULL)
        return -1;
    fputs("value\n", file);
    for (int i = 0; i < 200000; i++)
        fprintf(file, "%d\n", 50 + i % 10);
    return fclose(file);
}

static int remove_file(void **state)
{
    (void)state;
    return unlink(file_path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pipe_ends_as_at_its_end),
        cmocka_unit_test(its_status_is_that_of_its_end),
        cmocka_unit_test(the_whole_is_judged),
        cmocka_unit_test(what_comes_behind_a_pipe_is_not_read),
        cmocka_unit_test(a_file_is_said_to_be_cut_short),
        cmocka_unit_test(a_second_one_ends_it_at_once),
        cmocka_unit_test(an_early_one_ends_it_in_order),
    };
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
