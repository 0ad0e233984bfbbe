/*
 * client.c - all the soak's clients in one thread: they come, subscribe, publish, do not read for a
 * while, close and are killed, as the seed says, and come again. What they see goes to check.c.
 */
#include "soak.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CONNECTING_MAX 64 /* at a time */
#define JAMMED_MAX 16
#define JAM_MS 2000
#define FRAGMENT_MS 200
#define PATIENCE_MS 120000 /* for whatever must come */
#define READ_LEN 65536
#define SOURCES 16 /* 127.0.0.2 and so on: none runs out of ports */
#define FRAME_MAX 65536

enum client_state { CLIENT_NONE, CLIENT_CONNECTING, CLIENT_OPEN, CLIENT_CLOSING };

struct client {
    int fd;
    uint8_t state;
    uint8_t command; /* that is not answered yet; 0: none */
    bool is_in_message;
    bool is_jammed;
    uint64_t since_ms;
    uint8_t *rest; /* of a frame that has not come whole */
    size_t rest_len;
    struct soak_view view;
};

struct visit {
    const struct soak_plan *plan;
    uint16_t port;
    uint64_t random;
    int epoll_fd;
    struct client *clients;
    unsigned connecting_count;
    unsigned open_count; /* that have a descriptor */
    unsigned jammed_count;
    uint64_t full_ms; /* when all were there at once, and the deeds began; 0: not yet */
    bool is_ending;
    bool is_wrong;
    uint64_t connected_count;
    uint64_t killed_count;
    uint64_t closed_count;
    uint64_t slow_count;
    uint8_t bytes[FRAME_MAX + 16 + READ_LEN];
};

static void complain(struct visit *visit, const struct client *client, const char *what)
{
    if (!visit->is_wrong)
        fprintf(stderr, "client %td: %s (seed %u)\n", client - visit->clients, what,
                (unsigned)visit->plan->seed);
    visit->is_wrong = true;
}

static void forget(struct visit *visit, struct client *client)
{
    visit->connecting_count -= client->state == CLIENT_CONNECTING;
    visit->jammed_count -= client->is_jammed;
    visit->open_count--;
    (void)close(client->fd);
    free(client->rest);
    memset(client, 0, sizeof(*client));
    client->fd = -1;
}

static void watch(struct visit *visit, struct client *client, uint32_t events, int operation)
{
    struct epoll_event event = {.events = events, .data.ptr = client};

    if (epoll_ctl(visit->epoll_fd, operation, client->fd, &event) != 0)
        complain(visit, client, "epoll_ctl failed");
}

static void begin(struct visit *visit, struct client *client)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(visit->port)};
    struct sockaddr_in from = {.sin_family = AF_INET};
    unsigned index = (unsigned)(client - visit->clients);
    int on = 1;

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + index % SOURCES);
    client->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (client->fd < 0) {
        complain(visit, client, "no socket");
        return;
    }
    visit->open_count++;
    visit->connecting_count++;
    client->state = CLIENT_CONNECTING;
    client->since_ms = soak_now_ms();
    (void)setsockopt(client->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
    (void)setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (bind(client->fd, (struct sockaddr *)&from, sizeof(from)) != 0 ||
        (connect(client->fd, (struct sockaddr *)&to, sizeof(to)) != 0 && errno != EINPROGRESS))
        complain(visit, client, "it cannot connect");
    watch(visit, client, EPOLLIN | EPOLLOUT, EPOLL_CTL_ADD);
}

static void send_all(struct visit *visit, struct client *client, const void *bytes, size_t len)
{
    ssize_t put = send(client->fd, bytes, len, MSG_NOSIGNAL);

    /* The server may have cut it; that is read. */
    if (put != (ssize_t)len && errno != EPIPE && errno != ECONNRESET)
        complain(visit, client, "a command was not taken");
}

static void send_frame(struct visit *visit, struct client *client, uint8_t first,
                       const void *payload, size_t len)
{
    uint8_t frame[6 + 125] = {first, (uint8_t)(0x80 | len)};

    memcpy(frame + 6, payload, len);
    send_all(visit, client, frame, 6 + len);
}

static void command(struct visit *visit, struct client *client, uint8_t kind, unsigned topic)
{
    uint8_t bytes[3] = {kind};
    uint16_t number = (uint16_t)topic;

    memcpy(bytes + 1, &number, sizeof(number));
    client->command = kind;
    client->since_ms = soak_now_ms();
    send_frame(visit, client, 0x82, bytes, sizeof(bytes));
}

/* ---- what comes ---- */

static void on_notice(struct visit *visit, struct client *client, const uint8_t *payload,
                      size_t len)
{
    struct soak_notice notice = {.kind = 0};

    memcpy(&notice, payload, len < sizeof(notice) ? len : sizeof(notice));
    if (notice.kind == 'M' && len >= SOAK_MESSAGE_LEN && notice.publisher < SOAK_PUBLISHERS) {
        soak_view_message(&client->view, &notice);
    } else if (len != sizeof(notice)) {
        complain(visit, client, "what is no notice");
    } else {
        if (notice.kind == COMMAND_SUBSCRIBE)
            soak_view_subscribed(&client->view, &notice);
        else if (notice.kind == COMMAND_UNSUBSCRIBE)
            soak_view_unsubscribed(&client->view, &notice);
        else if (notice.kind == COMMAND_PUBLISH_EXCEPT)
            client->view.excepted = notice;
        client->command = 0;
    }
    if (client->view.wrong)
        complain(visit, client, client->view.wrong);
}

static void on_data(struct visit *visit, struct client *client, uint8_t first,
                    const uint8_t *payload, size_t len)
{
    bool is_last = first & 0x80;

    if (((first & 0xf) == 0) != client->is_in_message)
        complain(visit, client, "a message between the fragments of another");
    if (client->is_in_message || !is_last)
        client->command = 0; /* the answer of COMMAND_FRAGMENT */
    client->is_in_message = !is_last;
    if (first == 0x82)
        on_notice(visit, client, payload, len);
}

static void on_frame(struct visit *visit, struct client *client, uint8_t first,
                     const uint8_t *payload, size_t len)
{
    switch (first & 0xf) {
    case 0x8:
        if (client->state == CLIENT_OPEN)
            send_frame(visit, client, 0x88, payload, len < 2 ? 0 : 2);
        client->state = CLIENT_CLOSING;
        client->since_ms = soak_now_ms();
        break;
    case 0x9:
        send_frame(visit, client, 0x8a, payload, len);
        break;
    case 0xa:
        break;
    default:
        on_data(visit, client, first, payload, len);
    }
}

/* Returns what the frame is long, 0 when it has not come whole. */
static size_t take_frame(struct visit *visit, struct client *client, const uint8_t *bytes,
                         size_t len)
{
    size_t header_len = 2;
    size_t payload_len;

    if (len < 2)
        return 0;
    payload_len = bytes[1];
    if (payload_len == 126) {
        header_len = 4;
        if (len < header_len)
            return 0;
        payload_len = (size_t)bytes[2] << 8 | bytes[3];
    }
    if (bytes[1] > 126) {
        complain(visit, client, "a frame that nobody sends");
        return len;
    }
    if (len < header_len + payload_len)
        return 0;
    on_frame(visit, client, bytes[0], bytes + header_len, payload_len);
    return header_len + payload_len;
}

static size_t take_head(struct visit *visit, struct client *client, const uint8_t *bytes,
                        size_t len)
{
    const uint8_t *end = memmem(bytes, len, "\r\n\r\n", 4);

    if (!end)
        return 0;
    if (len < 12 || memcmp(bytes, "HTTP/1.1 101", 12) != 0) {
        fprintf(stderr, "%.*s", (int)(end - bytes), (const char *)bytes);
        complain(visit, client, "it was not let in");
    }
    client->state = CLIENT_OPEN;
    visit->connecting_count--;
    visit->connected_count++;
    return (size_t)(end + 4 - bytes);
}

static void keep_rest(struct visit *visit, struct client *client, const uint8_t *bytes, size_t len)
{
    uint8_t *rest = NULL;

    if (len > FRAME_MAX + 16) {
        complain(visit, client, "too much without an end");
        return;
    }
    if (len > 0) {
        rest = malloc(len);
        if (!rest)
            abort();
        memcpy(rest, bytes, len);
    }
    free(client->rest);
    client->rest = rest;
    client->rest_len = len;
}

static void on_bytes(struct visit *visit, struct client *client, const uint8_t *bytes, size_t len)
{
    size_t at = 0;

    while (at < len && !visit->is_wrong) {
        size_t took = client->state == CLIENT_CONNECTING
                          ? take_head(visit, client, bytes + at, len - at)
                          : take_frame(visit, client, bytes + at, len - at);

        if (took == 0)
            break;
        at += took;
    }
    keep_rest(visit, client, bytes + at, len - at);
}

/* The end of one: by its Close, its abort, for slowness; else nobody asked for it. */
static void on_end(struct visit *visit, struct client *client)
{
    if (client->state != CLIENT_CLOSING && client->command != COMMAND_ABORT &&
        client->command != COMMAND_CLOSE && !client->view.is_slow)
        complain(visit, client, "the server cut it");
    visit->closed_count++;
    forget(visit, client);
}

static void say_hello(struct visit *visit, struct client *client)
{
    static const char head[] = "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
                               "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                               "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

    send_all(visit, client, head, sizeof(head) - 1);
    watch(visit, client, EPOLLIN, EPOLL_CTL_MOD);
}

static void on_readable(struct visit *visit, struct client *client)
{
    ssize_t got;

    if (client->rest_len > 0)
        memcpy(visit->bytes, client->rest, client->rest_len);
    got = recv(client->fd, visit->bytes + client->rest_len, READ_LEN, 0);
    if (got > 0)
        on_bytes(visit, client, visit->bytes, client->rest_len + (size_t)got);
    else if (got == 0 || errno != EAGAIN)
        on_end(visit, client);
}

/* ---- what they do ---- */

static void kill_client(struct visit *visit, struct client *client)
{
    struct linger linger = {.l_onoff = 1, .l_linger = 0};

    if (soak_random(&visit->random) % 2)
        (void)setsockopt(client->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
    visit->killed_count++;
    forget(visit, client);
}

static void jam(struct visit *visit, struct client *client)
{
    if (visit->jammed_count >= JAMMED_MAX || client->view.is_slow)
        return;
    command(visit, client, COMMAND_JAM, 0);
    client->view.is_slow = true;
    client->is_jammed = true;
    visit->jammed_count++;
    visit->slow_count++;
    watch(visit, client, 0, EPOLL_CTL_MOD);
}

static struct soak_subscription *place_for(struct client *client, uint8_t stage)
{
    for (size_t i = 0; i < SOAK_SUBSCRIPTIONS; i++)
        if (client->view.subscriptions[i].stage == stage)
            return &client->view.subscriptions[i];
    return NULL;
}

static void subscribe(struct visit *visit, struct client *client)
{
    unsigned topic = soak_random(&visit->random) % SOAK_TOPICS;
    struct soak_subscription *place = place_for(client, STAGE_OUT);

    if (!place || soak_view_find(&client->view, topic))
        return;
    *place = (struct soak_subscription){.topic = (uint16_t)topic, .stage = STAGE_JOINING};
    command(visit, client, COMMAND_SUBSCRIBE, topic);
}

static void unsubscribe(struct visit *visit, struct client *client)
{
    struct soak_subscription *place =
        &client->view.subscriptions[soak_random(&visit->random) % SOAK_SUBSCRIPTIONS];

    if (place->stage != STAGE_IN)
        place = place_for(client, STAGE_IN);
    if (!place)
        return;
    place->stage = STAGE_LEAVING;
    command(visit, client, COMMAND_UNSUBSCRIBE, place->topic);
}

static void publish(struct visit *visit, struct client *client)
{
    struct soak_subscription *place = place_for(client, STAGE_IN);

    if (place && client->view.excepted.kind == 0 && soak_random(&visit->random) % 2)
        command(visit, client, COMMAND_PUBLISH_EXCEPT, place->topic);
    else
        command(visit, client, COMMAND_PUBLISH, soak_random(&visit->random) % SOAK_TOPICS);
}

static void end_by_close(struct visit *visit, struct client *client)
{
    send_frame(visit, client, 0x88, "\x03\xe8", 2);
    client->state = CLIENT_CLOSING;
    client->since_ms = soak_now_ms();
}

/* One deed. Of a hundred, some sixty are subscriptions. */
static void act(struct visit *visit, struct client *client)
{
    unsigned what = soak_random(&visit->random) % 100;

    if (client->state != CLIENT_OPEN || client->command)
        return;
    if (client->is_in_message)
        command(visit, client, COMMAND_FRAGMENT, 0);
    else if (client->view.is_slow && what % 2)
        end_by_close(visit, client); /* the flood is for few */
    else if (what < 60)
        subscribe(visit, client);
    else if (what < 76)
        unsubscribe(visit, client);
    else if (what < 84)
        publish(visit, client);
    else if (what < 90)
        command(visit, client, COMMAND_FRAGMENT, 0);
    else if (what < 92)
        jam(visit, client);
    else if (what < 94)
        kill_client(visit, client);
    else if (what < 96)
        end_by_close(visit, client);
    else if (what < 97)
        command(visit, client, COMMAND_CLOSE, 0);
    else if (what < 98)
        command(visit, client, COMMAND_ABORT, 0);
}

/*
 * The last deeds of one: out of everything, so that the end of each subscription is looked at, too.
 */
static void finish(struct visit *visit, struct client *client)
{
    if (client->state == CLIENT_CONNECTING)
        return;
    if (client->state != CLIENT_OPEN || client->command)
        return;
    if (client->is_in_message)
        command(visit, client, COMMAND_FRAGMENT, 0);
    else if (place_for(client, STAGE_IN))
        unsubscribe(visit, client);
    else
        end_by_close(visit, client);
}

static void look_after(struct visit *visit, struct client *client, uint64_t now_ms)
{
    if (client->fd < 0) {
        if (!visit->is_ending && visit->connecting_count < CONNECTING_MAX)
            begin(visit, client);
        return;
    }
    if (client->is_jammed) {
        if (now_ms - client->since_ms < JAM_MS && !visit->is_ending)
            return;
        client->is_jammed = false;
        visit->jammed_count--;
        client->since_ms = now_ms;
        watch(visit, client, EPOLLIN, EPOLL_CTL_MOD);
    }
    if ((client->state != CLIENT_OPEN || client->command) &&
        now_ms - client->since_ms > PATIENCE_MS)
        complain(visit, client, "nothing comes any more");
    if (visit->is_ending)
        finish(visit, client);
    else if (client->is_in_message && !client->command && now_ms - client->since_ms > FRAGMENT_MS)
        command(visit, client, COMMAND_FRAGMENT, 0); /* what waits meanwhile has a limit */
}

static void look_at_sockets(struct visit *visit)
{
    struct epoll_event events[256];
    int count = epoll_wait(visit->epoll_fd, events, 256, 5);

    for (int i = 0; i < count && !visit->is_wrong; i++) {
        struct client *client = events[i].data.ptr;

        if (client->fd < 0)
            continue;
        if (client->is_jammed)
            on_end(visit, client); /* nothing else is told of one that does not read */
        else if (events[i].events & EPOLLOUT)
            say_hello(visit, client);
        else
            on_readable(visit, client);
    }
}

static void run(struct visit *visit)
{
    uint64_t begin_ms = soak_now_ms();
    uint64_t looked_ms = 0;
    uint64_t acted_ms = 0;

    while (!visit->is_wrong && (!visit->is_ending || visit->open_count > 0)) {
        uint64_t now_ms = soak_now_ms();

        if (!visit->full_ms && visit->open_count == visit->plan->connections &&
            visit->connecting_count == 0) {
            printf("clients: %u connections at once after %llu ms\n", visit->open_count,
                   (unsigned long long)(now_ms - begin_ms));
            visit->full_ms = now_ms;
            acted_ms = now_ms;
        }
        visit->is_ending =
            visit->full_ms && now_ms - visit->full_ms >= (uint64_t)visit->plan->seconds * 1000;
        if (now_ms - looked_ms >= 20) {
            for (unsigned i = 0; i < visit->plan->connections; i++)
                look_after(visit, &visit->clients[i], now_ms);
            looked_ms = now_ms;
        }
        for (uint64_t deeds = (now_ms - acted_ms) * visit->plan->action_rate / 1000;
             deeds > 0 && visit->full_ms && !visit->is_ending; deeds--) {
            act(visit, &visit->clients[soak_random(&visit->random) % visit->plan->connections]);
            acted_ms = now_ms;
        }
        look_at_sockets(visit);
    }
}

bool soak_visit(const struct soak_plan *plan, uint16_t port)
{
    struct visit *visit = calloc(1, sizeof(*visit));
    bool is_right;

    if (!visit)
        abort();
    visit->plan = plan;
    visit->port = port;
    visit->random = plan->seed;
    visit->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    visit->clients = calloc(plan->connections, sizeof(struct client));
    if (!visit->clients || visit->epoll_fd < 0)
        abort();
    for (unsigned i = 0; i < plan->connections; i++)
        visit->clients[i].fd = -1;
    run(visit);
    is_right = !visit->is_wrong;
    printf("clients: %llu connections (%llu killed, %llu ended, %llu made slow), %llu messages, "
           "%llu subscriptions without a loss from beginning to end\n",
           (unsigned long long)visit->connected_count, (unsigned long long)visit->killed_count,
           (unsigned long long)visit->closed_count, (unsigned long long)visit->slow_count,
           (unsigned long long)soak_sums.messages, (unsigned long long)soak_sums.stretches);
    for (unsigned i = 0; i < plan->connections; i++)
        if (visit->clients[i].fd >= 0)
            forget(visit, &visit->clients[i]);
    (void)close(visit->epoll_fd);
    free(visit->clients);
    free(visit);
    return is_right;
}
