/* SPDX-License-Identifier: MIT
 * saver.c - saves the state from time to time.
 */
#include "saver.h"

#include "connection.h"
#include "log.h"
#include "service.h"
#include "state.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CHILD_NICE = 10 }; /* where they share a core the service goes first */

static void note(service *s, bool good)
{
    metrics *m = &s->metrics;
    if (good) {
        m->saves++;
        m->saved_at = (double)time(NULL);
        m->save_seconds = service_now() - s->saver.started;
    } else {
        m->failed_saves++;
        s->saver.saved_lines = UINT64_MAX; /* so that the next is not thought needless */
    }
    conn_saved(s, good);
}

static void prepare(service *s)
{
    s->saver.started = service_now();
    s->saver.saved_lines = metrics_lines(&s->metrics);
    conn_saving(s);
}

/* ---- the child ---- */

/* It would hold every client's socket open if the parent died. The lock it does hold: nobody may restore a file that
 * is about to be replaced. service_start() has seen to it that descriptors are few. */
static void close_all_but(int lock)
{
    int end = (int)sysconf(_SC_OPEN_MAX);
    for (int fd = STDERR_FILENO + 1; fd < end; fd++)
        if (fd != lock)
            close(fd);
}

/* The parent's handlers write into the parent's pipes. */
static void forget_signals(void)
{
    static const int caught[] = {SIGTERM, SIGINT, SIGCHLD};
    sigset_t none;
    for (size_t i = 0; i < sizeof caught / sizeof *caught; i++)
        signal(caught[i], SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static pid_t fork_child(const service *s)
{
    sigset_t all, before;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before); /* no signal before the child has forgotten the handlers */
    pid_t child = fork();
    if (child == 0) {
        forget_signals();
        close_all_but(s->saver.lock);
        setpriority(PRIO_PROCESS, 0, CHILD_NICE);
        _exit(state_save(s->options->state, s->pool, &s->sources) ? 0 : 1);
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
    return child;
}

static void on_child(evutil_socket_t number, short what, void *ctx)
{
    service *s = ctx;
    int status;
    (void)number, (void)what;
    if (s->saver.child == 0 || waitpid(s->saver.child, &status, WNOHANG) != s->saver.child)
        return;
    s->saver.child = 0;
    note(s, WIFEXITED(status) && WEXITSTATUS(status) == 0);
    if (s->saver.again)
        saver_request(s);
}

/* ---- the parent ---- */

void saver_request(service *s)
{
    s->saver.again = s->saver.child != 0;
    if (s->saver.again)
        return;
    prepare(s);
    s->saver.child = fork_child(s);
    if (s->saver.child < 0) {
        log_say("cannot fork to save the state: %s", strerror(errno));
        s->saver.child = 0;
        note(s, false);
    }
}

static void on_timer(evutil_socket_t fd, short what, void *ctx)
{
    service *s = ctx;
    (void)fd, (void)what;
    if (s->saver.child == 0 && s->saver.saved_lines != metrics_lines(&s->metrics))
        saver_request(s);
}

bool saver_start(service *s)
{
    uint64_t ms = s->options->limits.save_ms;
    struct timeval every = {.tv_sec = (time_t)(ms / 1000), .tv_usec = (suseconds_t)(ms % 1000 * 1000)};
    s->saver.timer = event_new(s->base, -1, EV_PERSIST, on_timer, s);
    s->saver.reaped = evsignal_new(s->base, SIGCHLD, on_child, s);
    return s->saver.timer != NULL && s->saver.reaped != NULL && event_add(s->saver.timer, &every) == 0 &&
           event_add(s->saver.reaped, NULL) == 0;
}

/* A child still at it has an older state: it must not rename its file after us. */
bool saver_finish(service *s)
{
    if (s->saver.child != 0) {
        kill(s->saver.child, SIGKILL);
        while (waitpid(s->saver.child, NULL, 0) < 0 && errno == EINTR)
            ;
        s->saver.child = 0;
    }
    prepare(s);
    bool good = state_save(s->options->state, s->pool, &s->sources);
    note(s, good);
    return good;
}

void saver_free(service *s)
{
    if (s->saver.timer != NULL)
        event_free(s->saver.timer);
    if (s->saver.reaped != NULL)
        event_free(s->saver.reaped);
    if (s->saver.lock >= 0)
        close(s->saver.lock);
}
