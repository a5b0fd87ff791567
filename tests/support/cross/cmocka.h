/* SPDX-License-Identifier: MIT
 * cmocka.h - as much of cmocka as the tests use, for machines that a cross compiler and an emulator stand for (make
 * check-s390x): there is no cmocka to link with. The first failure ends the program. */
#ifndef CROSS_CMOCKA_H
#define CROSS_CMOCKA_H

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef void (*CMUnitTestFunction)(void **state);
typedef int (*CMFixtureFunction)(void **state);

struct CMUnitTest {
    const char *name;
    CMUnitTestFunction test_func;
    CMFixtureFunction setup_func, teardown_func;
    void *initial_state;
};

#define cmocka_unit_test(f)     \
    {                           \
#f, f, NULL, NULL, NULL \
    }
#define cmocka_run_group_tests(tests, setup, teardown) cmocka_run_group_tests_name(#tests, tests, setup, teardown)
#define cmocka_run_group_tests_name(name, tests, setup, teardown) \
    _cmocka_run_group_tests(name, tests, sizeof(tests) / sizeof((tests)[0]), setup, teardown)

static inline int _cmocka_run_group_tests(const char *group, const struct CMUnitTest *tests, size_t count,
                                          CMFixtureFunction setup, CMFixtureFunction teardown)
{
    (void)group, (void)setup, (void)teardown;
    for (size_t i = 0; i < count; i++) {
        void *state = tests[i].initial_state;
        fprintf(stderr, "%s\n", tests[i].name); /* the last one named is the one that failed */
        tests[i].test_func(&state);
    }
    printf("[  PASSED  ] %zu test(s).\n", count);
    return 0;
}

static inline void _fail(const char *file, int line)
{
    fprintf(stderr, "%s:%d: failed\n", file, line);
    exit(1);
}

#define print_error(...)   ((void)fprintf(stderr, __VA_ARGS__))
#define print_message(...) ((void)printf(__VA_ARGS__))
#define fail_msg(...)      (print_error(__VA_ARGS__), _fail(__FILE__, __LINE__))
#define fail()             _fail(__FILE__, __LINE__)

#define CROSS_ASSERT(c)               ((c) ? (void)0 : _fail(__FILE__, __LINE__))
#define assert_true(c)                CROSS_ASSERT(c)
#define assert_false(c)               CROSS_ASSERT(!(c))
#define assert_null(p)                CROSS_ASSERT((p) == NULL)
#define assert_non_null(p)            CROSS_ASSERT((p) != NULL)
#define assert_ptr_equal(a, b)        CROSS_ASSERT((const void *)(a) == (const void *)(b))
#define assert_int_equal(a, b)        CROSS_ASSERT((uint64_t)(a) == (uint64_t)(b))
#define assert_string_equal(a, b)     CROSS_ASSERT(strcmp(a, b) == 0)
#define assert_string_not_equal(a, b) CROSS_ASSERT(strcmp(a, b) != 0)
#define assert_memory_equal(a, b, n)  CROSS_ASSERT(memcmp(a, b, n) == 0)

#endif
