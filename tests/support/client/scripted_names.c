/*
 * scripted_names.c - see scripted_names.h.
 */
#include "support/client/scripted_names.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t let_go = PTHREAD_COND_INITIALIZER;
static bool is_held;
static const char *const *texts;
static size_t text_count;
static int answer_code;
static char last[300];
static size_t begun_count;
static size_t used_count;

/* One block an answer: a look-up that nobody waits for any more may read it beside the next one. */
struct entry {
    struct addrinfo info;
    struct sockaddr_in6 place;
};

static char is_ours[] = "ours"; /* what the canonical name of such an answer points to */

void scripted_names_set(const char *const *addresses, size_t count, int code)
{
    (void)pthread_mutex_lock(&lock);
    texts = addresses;
    text_count = count;
    answer_code = code;
    (void)pthread_mutex_unlock(&lock);
}

void scripted_names_hold(void)
{
    (void)pthread_mutex_lock(&lock);
    is_held = true;
    (void)pthread_mutex_unlock(&lock);
}

void scripted_names_let_go(void)
{
    (void)pthread_mutex_lock(&lock);
    is_held = false;
    (void)pthread_cond_broadcast(&let_go);
    (void)pthread_mutex_unlock(&lock);
}

static size_t get(const size_t *count)
{
    size_t found;

    (void)pthread_mutex_lock(&lock);
    found = *count;
    (void)pthread_mutex_unlock(&lock);
    return found;
}

size_t scripted_names_begun(void)
{
    return get(&begun_count);
}

size_t scripted_names_used(void)
{
    return get(&used_count);
}

const char *scripted_names_last(void)
{
    return last;
}

static void place(struct entry *entries, size_t i)
{
    struct entry *entry = &entries[i];
    struct sockaddr_in *ipv4 = (struct sockaddr_in *)(void *)&entry->place;
    bool is_ipv6 = inet_pton(AF_INET6, texts[i], &entry->place.sin6_addr) == 1;

    entry->place.sin6_family = is_ipv6 ? AF_INET6 : AF_INET;
    if (!is_ipv6)
        (void)inet_pton(AF_INET, texts[i], &ipv4->sin_addr);
    entry->info = (struct addrinfo){.ai_family = entry->place.sin6_family,
                                    .ai_addr = (struct sockaddr *)&entry->place,
                                    .ai_addrlen = is_ipv6 ? sizeof(entry->place) : sizeof(*ipv4),
                                    .ai_canonname = is_ours,
                                    .ai_next = i + 1 < text_count ? &entries[i + 1].info : NULL};
}

/* NULL for none: a name without addresses. */
static struct addrinfo *make_answer(void)
{
    struct entry *entries = text_count > 0 ? calloc(text_count, sizeof(*entries)) : NULL;

    for (size_t i = 0; entries != NULL && i < text_count; i++)
        place(entries, i);
    return entries != NULL ? &entries->info : NULL;
}

int __real_getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                       struct addrinfo **found);
int __wrap_getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                       struct addrinfo **found);
int __wrap_getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                       struct addrinfo **found)
{
    bool is_scripted;
    int code;

    (void)pthread_mutex_lock(&lock);
    /* What was asked before it was held is answered as it was then: the test may be over. */
    is_scripted = texts != NULL || answer_code != 0;
    code = answer_code;
    if (is_scripted && code == 0)
        *found = make_answer();
    (void)snprintf(last, sizeof(last), "%s", name);
    begun_count++;
    while (is_held)
        (void)pthread_cond_wait(&let_go, &lock);
    (void)pthread_mutex_unlock(&lock);
    return is_scripted ? code : __real_getaddrinfo(name, service, hints, found);
}

void __real_freeaddrinfo(struct addrinfo *found);
void __wrap_freeaddrinfo(struct addrinfo *found);
void __wrap_freeaddrinfo(struct addrinfo *found)
{
    if (found->ai_canonname == is_ours)
        free(found);
    else
        __real_freeaddrinfo(found);
    (void)pthread_mutex_lock(&lock);
    used_count++;
    (void)pthread_mutex_unlock(&lock);
}
