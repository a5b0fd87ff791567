/* SPDX-License-Identifier: MIT
 * signals.c - what ends a run before its input does.
 */
#include "run/signals.h"

#include "read/source.h"

#include <signal.h>
#include <stddef.h>

static volatile sig_atomic_t last_signal;

/* A followed file has no end: an interrupt is the ordinary way to stop. With a state it is saved first. The second one
 * kills as always. */
static void stop(int number)
{
    last_signal = number;
    cli_source_stop();
}

int cli_signals_last(void)
{
    return last_signal;
}

static void catch_stop(int number)
{
    struct sigaction action;
    if (sigaction(number, NULL, &action) != 0 || action.sa_handler == SIG_IGN)
        return; /* nohup */
    action.sa_handler = stop;
    action.sa_flags = (int)SA_RESETHAND;
    sigemptyset(&action.sa_mask);
    sigaction(number, &action, NULL);
}

/* `saves`: whoever ends the program wants what it has. An interrupt comes from a person, who wants it always. */
void cli_signals_catch(bool saves)
{
    struct sigaction action = {.sa_handler = SIG_IGN};
    sigemptyset(&action.sa_mask);
    sigaction(SIGPIPE, &action, NULL); /* write(2) says so */
    last_signal = 0;
    catch_stop(SIGINT);
    if (!saves)
        return;
    catch_stop(SIGTERM);
    catch_stop(SIGHUP);
}
