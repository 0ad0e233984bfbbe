/*
 * scripted_names.c - see scripted_names.h.
 */
#include "support/scripted_names.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define ADDRESSES_MAX 1000

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t let_go = PTHREAD_COND_INITIALIZER;
static bool is_held;
static const char *const *texts;
static size_t text_count;
static int answer_code;
static char last[300];

/* One test looks up one name at a time: its answer lies here. */
static struct addrinfo answer[ADDRESSES_MAX];
static struct sockaddr_in6 places[ADDRESSES_MAX];

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

const char *scripted_names_last(void)
{
    return last;
}

static void place(size_t i)
{
    struct sockaddr_in *ipv4 = (struct sockaddr_in *)(void *)&places[i];
    bool is_ipv6 = inet_pton(AF_INET6, texts[i], &places[i].sin6_addr) == 1;

    places[i].sin6_family = is_ipv6 ? AF_INET6 : AF_INET;
    if (!is_ipv6)
        (void)inet_pton(AF_INET, texts[i], &ipv4->sin_addr);
    answer[i] = (struct addrinfo){.ai_family = places[i].sin6_family,
                                  .ai_addr = (struct sockaddr *)&places[i],
                                  .ai_addrlen = is_ipv6 ? sizeof(places[i]) : sizeof(*ipv4),
                                  .ai_next = i + 1 < text_count ? &answer[i + 1] : NULL};
}

int __real_getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                       struct addrinfo **found);
int __wrap_getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                       struct addrinfo **found);
int __wrap_getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                       struct addrinfo **found)
{
    bool is_ours;
    int code;

    (void)pthread_mutex_lock(&lock);
    /* What was asked before it was held is answered as it was then: the test may be over. */
    is_ours = texts != NULL || answer_code != 0;
    code = answer_code;
    (void)snprintf(last, sizeof(last), "%s", name);
    while (is_held)
        (void)pthread_cond_wait(&let_go, &lock);
    for (size_t i = 0; i < text_count; i++)
        place(i);
    if (is_ours && code == 0)
        *found = text_count > 0 ? answer : NULL;
    (void)pthread_mutex_unlock(&lock);
    return is_ours ? code : __real_getaddrinfo(name, service, hints, found);
}

void __real_freeaddrinfo(struct addrinfo *found);
void __wrap_freeaddrinfo(struct addrinfo *found);
void __wrap_freeaddrinfo(struct addrinfo *found)
{
    if (found != answer)
        __real_freeaddrinfo(found);
}
