/*
 * allocator.c - malloc, calloc and realloc that fail on demand, and count what is alive.
 */
#include "support/failing/allocator.h"

#include <stdlib.h>
#include <string.h>

#define TABLE_LEN 4096 /* blocks alive at once that it can remember */

void *__real_malloc(size_t len);
void *__real_calloc(size_t count, size_t len);
void *__real_realloc(void *old, size_t len);
void __real_free(void *block);
void *__wrap_malloc(size_t len);
void *__wrap_calloc(size_t count, size_t len);
void *__wrap_realloc(void *old, size_t len);
void __wrap_free(void *block);

static bool is_on;
static bool has_failed;
static size_t left; /* allocations until one fails; 0: none will */
static long live_count;
static void *live[TABLE_LEN];

static bool must_fail(void)
{
    if (!is_on || left == 0 || --left > 0)
        return false;
    has_failed = true;
    return true;
}

static void *remember(void *block)
{
    if (is_on && block != NULL) {
        if (live_count == TABLE_LEN)
            abort(); /* a test holds more than the table: make it larger */
        live[live_count++] = block;
    }
    return block;
}

/* What was allocated last is mostly freed first. */
static void forget(const void *block)
{
    for (long i = live_count - 1; i >= 0; i--) {
        if (live[i] == block) {
            live[i] = live[--live_count];
            return;
        }
    }
}

void *__wrap_malloc(size_t len)
{
    return must_fail() ? NULL : remember(__real_malloc(len));
}

void *__wrap_calloc(size_t count, size_t len)
{
    return must_fail() ? NULL : remember(__real_calloc(count, len));
}

void *__wrap_realloc(void *old, size_t len)
{
    void *block;

    if (must_fail())
        return NULL;
    forget(old);
    block = __real_realloc(old, len);
    return remember(block);
}

/* The C library's own would call its malloc, not this one. Only for programs that wrap it, too. */
char *__wrap_strdup(const char *text);
char *__wrap_strdup(const char *text)
{
    size_t room = strlen(text) + 1;
    char *copy = __wrap_malloc(room);

    return copy ? memcpy(copy, text, room) : NULL;
}

void __wrap_free(void *block)
{
    forget(block);
    __real_free(block);
}

void failing_allocator_start(size_t nth)
{
    is_on = true;
    has_failed = false;
    left = nth;
}

bool failing_allocator_stop(void)
{
    is_on = false;
    return has_failed;
}

void failing_allocator_pause(bool paused)
{
    is_on = !paused;
}

long failing_allocator_live(void)
{
    return live_count;
}
