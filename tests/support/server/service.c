/*
 * service.c - see service.h.
 */
#include "support/server/service.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* ---- the log ---- */

/* A server with several loops logs from several threads. */
static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;

static void on_log(enum dx_log_level level, const char *message, const struct dx_log_field *fields,
                   size_t field_count, void *user)
{
    static const char *const names[] = {"error", "warn", "info", "debug"};
    struct service *service = user;
    char *line;
    size_t len;

    (void)pthread_mutex_lock(&log_lock);
    line = service->log[service->log_count % SERVICE_LOG_MAX];
    len = (size_t)snprintf(line, SERVICE_LOG_ROOM, "%s %s", names[level], message);
    for (size_t i = 0; i < field_count && len < SERVICE_LOG_ROOM; i++)
        len += (size_t)snprintf(line + len, SERVICE_LOG_ROOM - len, " %s=%.*s", fields[i].name,
                                (int)fields[i].len, fields[i].value);
    service->log_count++;
    (void)pthread_mutex_unlock(&log_lock);
}

size_t service_log_has(const struct service *service, const char *text)
{
    size_t found = 0;

    (void)pthread_mutex_lock(&log_lock);
    for (size_t i = 0; i < service->log_count && i < SERVICE_LOG_MAX; i++)
        found += strstr(service->log[i], text) != NULL;
    (void)pthread_mutex_unlock(&log_lock);
    return found;
}

/* ---- routes ---- */

static void on_message(struct dx_connection *connection, enum dx_opcode opcode, uint8_t *data,
                       size_t len, void *user)
{
    (void)user;
    if (dx_connection_send(connection, opcode, data, len) != DX_OK)
        dx_connection_abort(connection, DX_ERR_NOMEM, "no echo");
}

static void on_close(struct dx_connection *connection, const struct dx_close_info *info, void *user)
{
    struct service *service = user;

    (void)connection;
    (void)info;
    service->closed_count++;
}

static const struct dx_connection_handlers echo_handlers = {
    .size = sizeof(echo_handlers), .on_message = on_message, .on_close = on_close};

static void accept_echo(struct dx_request *request, struct service *service)
{
    struct dx_connection *connection;

    if (dx_request_accept(request, &echo_handlers, service, &connection) == DX_OK)
        service->opened_count++;
}

static void on_echo_request(struct dx_request *request, void *user)
{
    accept_echo(request, user);
}

static void on_plain_request(struct dx_request *request, void *user)
{
    (void)user;
    dx_request_respond(request, 200, "text/plain", NULL, 0, "hello\n", 6);
}

static void on_no_request(struct dx_request *request, void *user)
{
    static const struct dx_header challenge = {"WWW-Authenticate", "Basic"};

    (void)user;
    dx_request_refuse(request, 401, "a password is needed", &challenge, 1);
}

static void on_later_request(struct dx_request *request, void *user)
{
    struct service *service = user;

    assert(service->kept_count < SERVICE_KEPT_MAX);
    service->kept[service->kept_count++] = request;
}

static void on_pieces_close(struct dx_response *response, enum dx_err err, void *user)
{
    struct service *service = user;

    (void)response;
    (void)err;
    service->pieces_closed_count++;
}

/* Small, large and small pieces, all from within. */
static void on_pieces_request(struct dx_request *request, void *user)
{
    struct dx_response_options options = dx_response_options_init();
    static const struct dx_response_handlers handlers = {.size = sizeof(handlers),
                                                         .on_close = on_pieces_close};
    static char large[SERVICE_PIECES_LEN - 5];
    struct service *service = user;
    struct dx_response *response;
    char body[65536];
    size_t len;
    const void *bytes = dx_request_body(request, &len);

    memset(large, 'p', sizeof(large));
    memcpy(body, bytes, len);
    options.content_type = "text/plain";
    options.handlers = &handlers;
    options.user = service;
    if (dx_request_respond_in_pieces(request, &options, &response) != DX_OK)
        return;
    service->pieces_opened_count++;
    if (dx_response_write(response, "ppppp", 5) == DX_OK &&
        dx_response_write(response, large, sizeof(large)) == DX_OK &&
        dx_response_write(response, body, len) == DX_OK)
        dx_response_end(response);
    else
        dx_response_abort(response);
}

static void on_abandoned(struct dx_request *request, void *user)
{
    struct service *service = user;

    for (size_t i = 0; i < service->kept_count; i++)
        if (service->kept[i] == request)
            service->kept[i] = service->kept[--service->kept_count];
    service->abandoned_count++;
}

static void on_shutdown(struct dx_connection *connection, void *user)
{
    struct service *service = user;

    service->shutdown_count++;
    (void)dx_connection_close(connection, 3001, "own ending", 10);
}

static bool add_routes(struct service *service, const struct service_setup *setup)
{
    struct dx_route echo = {.size = sizeof(echo),
                            .on_request = on_echo_request,
                            .user = service,
                            .wants_upgrades = true};
    struct dx_route plain = {.size = sizeof(plain),
                             .on_request = on_plain_request,
                             .user = service,
                             .wants_plain = true};
    struct dx_route no = {
        .size = sizeof(no), .on_request = on_no_request, .user = service, .wants_upgrades = true};
    struct dx_route later = {.size = sizeof(later),
                             .on_request = on_later_request,
                             .on_abandoned = on_abandoned,
                             .user = service,
                             .wants_upgrades = true,
                             .wants_plain = true};
    struct dx_route pieces = {.size = sizeof(pieces),
                              .on_request = on_pieces_request,
                              .user = service,
                              .wants_plain = true,
                              .max_body = 65536,
                              .methods = "POST"};

    if (setup->ends_by_itself)
        echo.on_shutdown = on_shutdown;
    return dx_server_route(service->server, "/", &echo) == DX_OK &&
           dx_server_route(service->server, "/plain", &plain) == DX_OK &&
           dx_server_route(service->server, "/no", &no) == DX_OK &&
           dx_server_route(service->server, "/later", &later) == DX_OK &&
           dx_server_route(service->server, "/pieces", &pieces) == DX_OK &&
           (setup->files == NULL ||
            dx_server_route_files(service->server, "/files", setup->files, NULL) == DX_OK);
}

/* ---- life ---- */

struct service_setup service_setup_init(void)
{
    return (struct service_setup){.options = dx_server_options_init(),
                                  .connection = dx_connection_options_init()};
}

static bool start_server(struct service *service, const struct service_setup *setup)
{
    struct dx_server_options options = setup->options;
    struct dx_log_sink sink = dx_log_sink_init();
    const char *address = setup->address != NULL ? setup->address : "127.0.0.1:0";
    const char *url;
    char why[256];

    sink.write = on_log;
    sink.user = service;
    options.connection = &setup->connection;
    options.log = &sink;
    if (dx_server_new(service->loop, &options, &service->server) != DX_OK)
        return false;
    service->end = setup->end;
    service->data = setup->data;
    if (!(setup->prepare != NULL ? setup->prepare(service, setup->data)
                                 : add_routes(service, setup)) ||
        dx_server_listen(service->server, address, NULL, why, sizeof(why)) != DX_OK)
        return false;
    url = dx_server_url(service->server, 0);
    assert(url != NULL);
    if (strncmp(url, "unix:", 5) == 0) {
        (void)snprintf(service->address, sizeof(service->address), "%s", url + 5);
    } else {
        service->port = (uint16_t)atoi(strrchr(url, ':') + 1);
        (void)snprintf(service->address, sizeof(service->address), "127.0.0.1:%u",
                       (unsigned)service->port);
    }
    return true;
}

bool service_start(struct service *service, const struct service_setup *setup)
{
    memset(service, 0, sizeof(*service));
    if (dx_loop_new(&service->loop) != DX_OK)
        return false;
    if (start_server(service, setup))
        return true;
    service_stop(service);
    return false;
}

void service_stop(struct service *service)
{
    if (service->end != NULL)
        service->end(service->data);
    service->end = NULL;
    dx_server_free(service->server);
    service->server = NULL;
    dx_loop_free(service->loop);
    service->loop = NULL;
}

/* One turn, which waits for the loop's descriptor or the client's, at most 5 ms. */
static void turn(struct service *service, int fd, short events)
{
    struct pollfd fds[2] = {{dx_loop_fd(service->loop), POLLIN, 0}, {fd, events, 0}};
    int timeout_ms = dx_loop_timeout_ms(service->loop);

    if (timeout_ms < 0 || timeout_ms > 5)
        timeout_ms = 5;
    (void)poll(fds, fd < 0 ? 1 : 2, timeout_ms);
    if (dx_loop_dispatch(service->loop) != DX_OK)
        abort();
}

bool service_wait(struct service *service, bool (*is_true)(void *data), void *data,
                  uint64_t limit_ms)
{
    uint64_t end_ms = clock_ms() + limit_ms;

    while (!is_true(data)) {
        if (clock_ms() > end_ms)
            return false;
        turn(service, -1, 0);
    }
    return true;
}

static bool never(void *data)
{
    (void)data;
    return false;
}

void service_turn(struct service *service, uint64_t duration_ms)
{
    (void)service_wait(service, never, NULL, duration_ms);
}

/* ---- raw clients: they go around what a test program may have wrapped ---- */

static int connect_socket(const struct service *service)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    struct sockaddr_in in = {.sin_family = AF_INET,
                             .sin_port = htons(service->port),
                             .sin_addr = {htonl(INADDR_LOOPBACK)}};
    bool is_unix = service->port == 0;
    int fd = (int)syscall(SYS_socket, is_unix ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    (void)snprintf(un.sun_path, sizeof(un.sun_path), "%s", service->address);
    if (connect(fd, is_unix ? (struct sockaddr *)&un : (struct sockaddr *)&in,
                is_unix ? sizeof(un) : sizeof(in)) != 0) {
        (void)close(fd);
        return -1;
    }
    (void)syscall(SYS_fcntl, fd, F_SETFL, O_NONBLOCK);
    return fd;
}

bool raw_connect(struct raw *raw, struct service *service, bool may_fail)
{
    *raw = (struct raw){.service = service, .fd = connect_socket(service)};
    if (raw->fd < 0 && !may_fail)
        abort();
    raw->in = mmap(NULL, RAW_ROOM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (raw->in == MAP_FAILED)
        abort();
    return raw->fd >= 0;
}

void raw_close(struct raw *raw)
{
    if (raw->fd >= 0)
        (void)close(raw->fd);
    if (raw->in != NULL)
        (void)munmap(raw->in, RAW_ROOM);
    raw->fd = -1;
    raw->in = NULL;
}

static void receive(struct raw *raw)
{
    ssize_t got;

    while (!raw->is_ended && raw->len < RAW_ROOM) {
        got =
            syscall(SYS_recvfrom, raw->fd, raw->in + raw->len, RAW_ROOM - raw->len, 0, NULL, NULL);
        if (got < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (got <= 0) {
            raw->is_ended = true;
            raw->is_reset = got < 0;
            return;
        }
        raw->len += (size_t)got;
    }
}

bool raw_send(struct raw *raw, const void *bytes, size_t len, size_t piece)
{
    uint64_t end_ms = clock_ms() + PATIENCE_MS;
    const uint8_t *at = bytes;

    while (len > 0) {
        size_t now = piece == 0 || piece > len ? len : piece;
        ssize_t put = syscall(SYS_sendto, raw->fd, at, now, MSG_NOSIGNAL, NULL, 0);

        if (put < 0 && errno != EAGAIN)
            return false;
        if (put > 0) {
            at += put;
            len -= (size_t)put;
        }
        if (clock_ms() > end_ms)
            return false;
        if (put < 0 || piece > 0)
            if (dx_loop_dispatch(raw->service->loop) != DX_OK)
                abort();
        receive(raw);
    }
    return true;
}

bool raw_send_text(struct raw *raw, const char *text)
{
    return raw_send(raw, text, strlen(text), 0);
}

static bool wait_for(struct raw *raw, size_t len)
{
    uint64_t end_ms = clock_ms() + PATIENCE_MS;

    receive(raw);
    while (raw->len < len && !raw->is_ended && clock_ms() <= end_ms) {
        turn(raw->service, raw->fd, POLLIN);
        receive(raw);
    }
    return raw->len >= len;
}

bool raw_wait_len(struct raw *raw, size_t len)
{
    return wait_for(raw, len);
}

bool raw_wait_end(struct raw *raw)
{
    (void)wait_for(raw, SIZE_MAX);
    return raw->is_ended;
}

void raw_consume(struct raw *raw, size_t len)
{
    assert(len <= raw->len);
    raw->len -= len;
    memmove(raw->in, raw->in + len, raw->len);
}

/* ---- answers ---- */

static bool read_head(struct raw *raw, struct answer *answer)
{
    uint64_t end_ms = clock_ms() + PATIENCE_MS;
    const uint8_t *end;
    size_t len;

    receive(raw);
    while ((end = memmem(raw->in, raw->len, "\r\n\r\n", 4)) == NULL) {
        if (raw->is_ended || clock_ms() > end_ms)
            return false;
        (void)wait_for(raw, raw->len + 1);
    }
    len = (size_t)(end - raw->in) + 4;
    assert(len < sizeof(answer->head));
    memcpy(answer->head, raw->in, len);
    answer->head[len] = '\0';
    raw_consume(raw, len);
    return sscanf(answer->head, "HTTP/1.1 %3u ", &answer->status) == 1;
}

bool raw_wait_answer(struct raw *raw, struct answer *answer, bool is_head)
{
    const char *length;

    answer->body_len = 0;
    answer->status = 0;
    if (!read_head(raw, answer))
        return false;
    length = strstr(answer->head, "\r\nContent-Length: ");
    if (is_head || length == NULL)
        return true;
    answer->body_len = strtoul(length + 18, NULL, 10);
    assert(answer->body_len <= sizeof(answer->body));
    if (!wait_for(raw, answer->body_len))
        return false;
    memcpy(answer->body, raw->in, answer->body_len);
    raw_consume(raw, answer->body_len);
    return true;
}

bool answer_has(const struct answer *answer, const char *line)
{
    const char *at = answer->head;

    while ((at = strstr(at, line)) != NULL) {
        if ((at == answer->head || at[-1] == '\n') && at[strlen(line)] == '\r')
            return true;
        at++;
    }
    return false;
}

/* ---- WebSockets ---- */

bool raw_wait_frame(struct raw *raw, struct frame *frame)
{
    static uint8_t payload[RAW_ROOM];
    size_t header_len = 2;

    if (!wait_for(raw, header_len))
        return false;
    header_len += raw->in[1] == 126 ? 2 : raw->in[1] == 127 ? 8 : 0;
    if (!wait_for(raw, header_len))
        return false;
    frame->first = raw->in[0];
    frame->len = header_len == 2 ? raw->in[1] : 0;
    for (size_t i = 2; i < header_len; i++)
        frame->len = frame->len << 8 | raw->in[i];
    assert(frame->len < RAW_ROOM - header_len);
    if (!wait_for(raw, header_len + frame->len))
        return false;
    memcpy(payload, raw->in + header_len, frame->len);
    payload[frame->len] = '\0';
    frame->payload = payload;
    raw_consume(raw, header_len + frame->len);
    return true;
}

size_t frame_write(uint8_t *out, uint8_t first, const void *payload, size_t len)
{
    static const uint8_t key[4] = {0x11, 0x22, 0x33, 0x44};
    const uint8_t *bytes = payload;
    size_t at = 2;

    out[0] = first;
    if (len < 126) {
        out[1] = (uint8_t)(0x80 | len);
    } else {
        out[1] = 0x80 | 126;
        out[at++] = (uint8_t)(len >> 8);
        out[at++] = (uint8_t)len;
    }
    memcpy(out + at, key, 4);
    at += 4;
    for (size_t i = 0; i < len; i++)
        out[at++] = bytes[i] ^ key[i % 4];
    return at;
}

size_t upgrade_write(char *out, size_t room, const struct service *service, const char *path,
                     const char *headers)
{
    const char *host = service->port == 0 ? "localhost" : service->address;
    int len = snprintf(out, room,
                       "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\n"
                       "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                       "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n%s\r\n",
                       path, host, headers);

    assert(len > 0 && (size_t)len < room);
    return (size_t)len;
}

bool raw_open(struct raw *raw, struct service *service, const char *path)
{
    static struct answer answer;
    char request[1024];
    size_t len = upgrade_write(request, sizeof(request), service, path, "");

    if (!raw_connect(raw, service, true) || !raw_send(raw, request, len, 0) ||
        !raw_wait_answer(raw, &answer, false) || answer.status != 101) {
        raw_close(raw);
        return false;
    }
    return true;
}

bool raw_echo(struct raw *raw, const char *text)
{
    uint8_t frame[256];
    size_t text_len = strlen(text);
    size_t len = frame_write(frame, 0x81, text, text_len);
    bool is_same;

    if (!raw_send(raw, frame, len, 0) || !raw_wait_len(raw, 2 + text_len))
        return false;
    is_same =
        raw->in[0] == 0x81 && raw->in[1] == text_len && memcmp(raw->in + 2, text, text_len) == 0;
    raw_consume(raw, 2 + text_len);
    return is_same;
}
