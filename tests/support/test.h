/*
 * test.h - cmocka with what it needs before it, and the one way to run a program's tests.
 */
#ifndef TESTS_TEST_H
#define TESTS_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

/**
 * Runs an array of tests between two functions, or NULL, for all of them; returns the status of
 * main. DUPLEX_TEST, a pattern such as "test_drain*", chooses tests by name.
 */
#define run_group(tests, begin, end)                                                               \
 (cmocka_set_test_filter(getenv("DUPLEX_TEST")), cmocka_run_group_tests(tests, begin, end) != 0)

#endif
