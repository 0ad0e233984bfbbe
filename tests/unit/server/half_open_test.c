/*
 * half_open_test.c - the places of connections that have not asked yet: no peer gets all of them.
 */
#include "server/admission/half_open.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "support/test.h"

#define HALF (DX_HALF_OPEN_MAX / 2)

static struct dx_address address_of(int family, const char *text)
{
    struct sockaddr_storage storage = {.ss_family = (sa_family_t)family};
    struct dx_address address;

    if (family == AF_INET)
        assert_int_equal(
            inet_pton(family, text, &((struct sockaddr_in *)(void *)&storage)->sin_addr), 1);
    else if (family == AF_INET6)
        assert_int_equal(
            inet_pton(family, text, &((struct sockaddr_in6 *)(void *)&storage)->sin6_addr), 1);
    dx_address_init(&address, &storage);
    return address;
}

/* How many places a peer gets until it is refused. */
static size_t fill(struct dx_half_open *half_open, const struct dx_address *peer)
{
    size_t count = 0;

    while (dx_half_open_add(half_open, peer))
        count++;
    return count;
}

static void empty(struct dx_half_open *half_open, const struct dx_address *peer, size_t count)
{
    while (count-- > 0)
        dx_half_open_remove(half_open, peer);
}

/* Each that takes what it can get leaves as much as it has. */
static void test_shares(void **state)
{
    static const char *const peers[] = {"192.0.2.1", "192.0.2.2", "198.51.100.3", "203.0.113.4"};
    static const size_t shares[] = {500, 250, 125, 63};
    static struct dx_half_open half_open;
    struct dx_address addresses[4], late = address_of(AF_INET, "203.0.113.9");

    (void)state;
    dx_half_open_init(&half_open, 1);
    for (size_t i = 0; i < 4; i++) {
        addresses[i] = address_of(AF_INET, peers[i]);
        assert_int_equal(fill(&half_open, &addresses[i]), shares[i]);
    }
    assert_true(dx_half_open_add(&half_open, &late));
    dx_half_open_remove(&half_open, &late);
    for (size_t i = 0; i < 4; i++)
        empty(&half_open, &addresses[i], shares[i]);
    assert_int_equal(atomic_load(&half_open.count), 0);
    for (size_t i = 0; i < DX_HALF_OPEN_PEERS; i++)
        assert_int_equal(atomic_load(&half_open.by_peer[i]), 0);
    assert_int_equal(fill(&half_open, &addresses[3]), HALF);
}

/* When every place is taken there is none, whoever asks. */
static void test_all(void **state)
{
    static struct dx_half_open half_open;
    size_t count = 0;

    (void)state;
    dx_half_open_init(&half_open, UINT64_C(0x123456789abcdef));
    for (uint32_t number = 1; count < DX_HALF_OPEN_MAX; number++) {
        struct dx_address peer = {.family = DX_ADDRESS_IPV4};

        memcpy(peer.bytes, &number, 4);
        count += dx_half_open_add(&half_open, &peer);
    }
    /* Those that other threads are refusing count for a moment. */
    atomic_fetch_add(&half_open.count, 3);
    for (uint32_t number = 0x1000000; number < 0x1000400; number++) {
        struct dx_address peer = {.family = DX_ADDRESS_IPV4};

        memcpy(peer.bytes, &number, 4);
        assert_false(dx_half_open_add(&half_open, &peer));
    }
    assert_int_equal(atomic_load(&half_open.count), DX_HALF_OPEN_MAX + 3);
}

static size_t place_of(struct dx_half_open *half_open, const struct dx_address *peer)
{
    size_t found = DX_HALF_OPEN_PEERS;

    assert_true(dx_half_open_add(half_open, peer));
    for (size_t i = 0; i < DX_HALF_OPEN_PEERS; i++)
        if (atomic_load(&half_open->by_peer[i]) > 0)
            found = i;
    dx_half_open_remove(half_open, peer);
    return found;
}

static void test_who_is_one_peer(void **state)
{
    static struct dx_half_open half_open, other;
    struct dx_address one = address_of(AF_INET6, "2001:db8:1:2::1");
    struct dx_address same = address_of(AF_INET6, "2001:db8:1:2:ffff::9");
    struct dx_address next = address_of(AF_INET6, "2001:db8:1:3::1");
    struct dx_address mapped = address_of(AF_INET6, "::ffff:192.0.2.1");
    struct dx_address plain = address_of(AF_INET, "192.0.2.1");
    struct dx_address local = address_of(AF_UNIX, NULL);
    size_t differing = 0;

    (void)state;
    dx_half_open_init(&half_open, 42);
    assert_int_equal(place_of(&half_open, &one), place_of(&half_open, &same));
    assert_int_not_equal(place_of(&half_open, &one), place_of(&half_open, &next));
    assert_int_equal(place_of(&half_open, &mapped), place_of(&half_open, &plain));
    assert_int_equal(place_of(&half_open, &local), place_of(&half_open, &local));
    /* Who falls together with whom is another server's secret. */
    for (uint64_t key = 0; key < 64; key++) {
        dx_half_open_init(&other, key * UINT64_C(0x9e3779b97f4a7c15));
        differing += place_of(&other, &plain) != place_of(&half_open, &plain);
    }
    assert_true(differing > 60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shares),
        cmocka_unit_test(test_all),
        cmocka_unit_test(test_who_is_one_peer),
    };

    return run_group(tests, NULL, NULL);
}
