/* SPDX-License-Identifier: MIT
 * atomic.c - a file that is replaced as a whole: two processes that both begin it do not replace each other's.
 *
 * Locks belong to open files, so that two of them in this process stand for those of two processes.
 */
#include "state/atomic.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char path[64];

static int make_path(void **state)
{
    (void)state;
    strcpy(path, "/tmp/anomaly-atomic.XXXXXX");
    if (mkdtemp(path) == NULL)
        return -1;
    strcat(path, "/S");
    return 0;
}

static int remove_path(void **state)
{
    (void)state;
    unlink(path);
    *strrchr(path, '/') = '\0';
    return rmdir(path);
}

static bool replace(cli_atomic *file, const char *text)
{
    return cli_atomic_begin(file) && cli_atomic_write(file, text, strlen(text)) && cli_atomic_end(file);
}

static void holds(const char *text)
{
    char found[64] = "";
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_true(fread(found, 1, sizeof found - 1, file) > 0);
    fclose(file);
    assert_string_equal(found, text);
}

static void the_second_that_makes_it_is_refused(void **state)
{
    (void)state;
    cli_atomic first, second;
    assert_true(cli_atomic_open(&first, path, 0600));
    assert_true(cli_atomic_open(&second, path, 0600)); /* there is no file yet to lock */
    assert_true(replace(&first, "first"));
    assert_false(replace(&second, "second"));
    assert_string_equal(second.error, "another process has made it meanwhile");
    holds("first");
    cli_atomic_close(&second);
    assert_true(replace(&first, "again"));
    holds("again");
    cli_atomic_close(&first);
}

static void one_that_is_there_is_locked_at_once(void **state)
{
    (void)state;
    cli_atomic first, second;
    assert_true(cli_atomic_open(&first, path, 0600));
    assert_true(replace(&first, "first"));
    assert_false(cli_atomic_open(&second, path, 0600));
    assert_string_equal(second.error, "another process is using it");
    cli_atomic_close(&first);
    assert_true(cli_atomic_open(&second, path, 0600));
    assert_true(replace(&second, "second"));
    holds("second");
    cli_atomic_close(&second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_second_that_makes_it_is_refused, make_path, remove_path),
        cmocka_unit_test_setup_teardown(one_that_is_there_is_locked_at_once, make_path, remove_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
