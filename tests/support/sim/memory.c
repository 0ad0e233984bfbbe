/*
 * memory.c - the allocator of the simulated machine: the real one, counted, which refuses by
 * chance.
 */
#include "support/sim/memory.h"

#include "support/sim/machine.h"

#include <string.h>

void *__real_malloc(size_t len);
void *__real_calloc(size_t count, size_t len);
void *__real_realloc(void *old, size_t len);
void __real_free(void *block);
void *__wrap_malloc(size_t len);
void *__wrap_calloc(size_t count, size_t len);
void *__wrap_realloc(void *old, size_t len);
void __wrap_free(void *block);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t len);

static unsigned fails_one_in;
static unsigned hold_count;
static long live_count;
static bool has_failed;

static bool must_fail(void)
{
    if (fails_one_in == 0 || hold_count > 0 || sim_below(SIM_MEMORY, fails_one_in) > 0)
        return false;
    if (!has_failed)
        sim_trace("the first allocation that fails");
    has_failed = true;
    sim_counts.allocations++;
    return true;
}

static void *count(void *block)
{
    live_count += block != NULL;
    return block;
}

void *__wrap_malloc(size_t len)
{
    return must_fail() ? NULL : count(__real_malloc(len));
}

void *__wrap_calloc(size_t items, size_t len)
{
    return must_fail() ? NULL : count(__real_calloc(items, len));
}

void *__wrap_realloc(void *old, size_t len)
{
    void *block;

    if (must_fail())
        return NULL;
    block = __real_realloc(old, len);
    return old != NULL ? block : count(block);
}

void __wrap_free(void *block)
{
    live_count -= block != NULL;
    __real_free(block);
}

char *__wrap_strndup(const char *text, size_t len)
{
    size_t copied = strnlen(text, len);
    char *copy = __wrap_malloc(copied + 1);

    if (copy != NULL) {
        memcpy(copy, text, copied);
        copy[copied] = '\0';
    }
    return copy;
}

char *__wrap_strdup(const char *text)
{
    return __wrap_strndup(text, strlen(text));
}

void sim_memory_fail(unsigned one_in)
{
    fails_one_in = one_in;
    has_failed = false;
}

void sim_memory_hold(void)
{
    hold_count++;
}

void sim_memory_let_go(void)
{
    hold_count--;
}

long sim_memory_live(void)
{
    return live_count;
}

bool sim_memory_has_failed(void)
{
    return has_failed;
}
