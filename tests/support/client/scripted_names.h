/*
 * scripted_names.h - names that have the addresses a test gives them: getaddrinfo, wrapped
 * (`scripted_names_args`). Any thread.
 */
#ifndef TESTS_SCRIPTED_NAMES_H
#define TESTS_SCRIPTED_NAMES_H

#include <stddef.h>

/**
 * From now on each name has these ("127.0.0.1", "::1"; borrowed), or fails with a code of
 * getaddrinfo's. NULL: the system is asked.
 */
void scripted_names_set(const char *const *addresses, size_t count, int code);

/** From now on each look-up waits until scripted_names_let_go. */
void scripted_names_hold(void);
void scripted_names_let_go(void);

/**
 * How many look-ups have begun, and how many of those that found something have been let go by who
 * asked.
 */
size_t scripted_names_begun(void);
size_t scripted_names_used(void);

/** The name that was looked up last; "" before any. */
const char *scripted_names_last(void);

#endif
