/*
 * service.c - what the simulated server's routes do.
 */
#include "support/sim/service.h"

#include "support/sim/client.h"
#include "support/sim/memory.h"
#include "support/sim/talker.h"

#include <duplex/request.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOSTILE_MAX 32
#define WAITING_MAX 64

/* A request that is decided later. */
struct waiting {
    struct dx_request *request; /* NULL: free */
    struct dx_loop_timer *timer;
    struct sim_link *link;
    bool is_refused;
};

/* An answer on its way. */
struct pieces {
    struct dx_response *response;
    struct dx_loop_timer *timer; /* NULL: free */
    struct sim_message body;
    uint32_t done;
};

static struct pieces answering[WAITING_MAX];
static struct sim_link *links;
static int link_count;
static struct sim_link hostile[HOSTILE_MAX];
static int hostile_count;
static struct waiting waiting[WAITING_MAX];

static void accept(struct dx_request *request, struct sim_link *link)
{
    struct sim_side *side = &link->server;
    struct dx_connection *connection;
    enum dx_err err =
        dx_request_accept(request, sim_talker_handlers(SIM_SERVER), side, &connection);

    if (err == DX_OK)
        sim_talker_open(side, connection);
    else if (err != DX_ERR_CLOSED && !sim_manners.is_scarce && !sim_manners.is_cramped)
        sim_fail("link %d: dx_request_accept says %s", link->number, dx_err_name(err));
    else
        link->is_disturbed = true;
}

static void refuse(struct dx_request *request)
{
    static const struct dx_header retry = {"Retry-After", "1"};

    dx_request_refuse(request, 503, "no place is free", &retry, 1);
}

static void on_decided(void *user)
{
    struct waiting *place = user;
    struct dx_request *request = place->request;

    place->request = NULL;
    dx_loop_timer_free(place->timer);
    place->timer = NULL;
    if (place->is_refused)
        refuse(request);
    else
        accept(request, place->link);
}

static void decide_later(struct dx_request *request, struct sim_link *link, bool is_refused)
{
    struct waiting *place = waiting;

    while (place->request != NULL)
        if (++place == waiting + WAITING_MAX)
            sim_fail("more than %d requests wait", WAITING_MAX);
    *place = (struct waiting){.request = request, .link = link, .is_refused = is_refused};
    sim_memory_hold();
    if (dx_loop_timer_new(dx_request_loop(request), on_decided, place, &place->timer) != DX_OK)
        sim_fail("the machine itself has no memory");
    sim_memory_let_go();
    dx_loop_timer_set(place->timer, sim_magnitude(SIM_SERVER, 0, 2000));
}

static void on_abandoned(struct dx_request *request, void *user)
{
    struct waiting *place = waiting;

    (void)user;
    while (place->request != request)
        if (++place == waiting + WAITING_MAX)
            sim_fail("a request is abandoned that did not wait");
    dx_loop_timer_free(place->timer);
    *place = (struct waiting){.request = NULL};
}

static struct sim_link *new_hostile(void)
{
    if (hostile_count == HOSTILE_MAX)
        sim_fail("more than %d hostile links", HOSTILE_MAX);
    sim_link_init(&hostile[hostile_count], 100 + hostile_count);
    hostile[hostile_count].is_hostile = true;
    return &hostile[hostile_count++];
}

static void on_websocket(struct dx_request *request, void *user)
{
    const char *path = dx_request_path(request) + strlen("/ws/");
    char *mode;
    long number = strtol(path, &mode, 10);
    struct sim_link *link;

    (void)user;
    if (mode == path && *mode == 'x')
        link = new_hostile();
    else if (number < link_count && *mode == '/')
        link = &links[number];
    else
        sim_fail("a request for %s", path);
    if (strstr(path, "now") != NULL)
        accept(request, link);
    else if (strstr(path, "later") != NULL)
        decide_later(request, link, false);
    else if (sim_happens(SIM_SERVER, 500))
        refuse(request);
    else
        decide_later(request, link, true);
}

/* What a path asks for: false when it makes no sense. */
static bool read_path(const struct dx_request *request, struct sim_message *body)
{
    unsigned len, at;

    if (sscanf(dx_request_path(request), "/%*[a-z]/%u/%u", &len, &at) != 2 ||
        len > SIM_MESSAGE_MAX || at > 65535)
        return false;
    *body = (struct sim_message){at, len, DX_OP_BINARY, true};
    return true;
}

static void on_body(struct dx_request *request, void *user)
{
    struct sim_message body;
    size_t len;
    const void *came = dx_request_body(request, &len);

    (void)user;
    if (!read_path(request, &body)) {
        refuse(request);
        return;
    }
    if (len != body.len || memcmp(came, sim_message_bytes(&body), len) != 0)
        sim_fail("a request's body of %zu bytes is not the %u that were sent", len, body.len);
    dx_request_respond(request, 200, "application/octet-stream", NULL, 0, came, len);
}

/* ---- an answer in pieces ---- */

static bool is_right(enum dx_err err)
{
    return err == DX_OK || err == DX_ERR_CLOSED || sim_manners.is_scarce || sim_manners.is_cramped;
}

static void write_piece(void *user)
{
    struct pieces *pieces = user;
    uint32_t len = sim_below(SIM_SERVER, pieces->body.len - pieces->done + 1);
    enum dx_err err = DX_OK;

    if (dx_response_is_congested(pieces->response))
        len = 0;
    else
        err = dx_response_write(pieces->response, sim_message_bytes(&pieces->body) + pieces->done,
                                len);
    if (!is_right(err))
        sim_fail("dx_response_write says %s", dx_err_name(err));
    pieces->done += err == DX_OK ? len : 0;
    if (err == DX_OK && pieces->done < pieces->body.len)
        dx_loop_timer_set(pieces->timer, sim_magnitude(SIM_SERVER, 0, 50));
    else if (err == DX_OK || sim_happens(SIM_SERVER, 500))
        dx_response_end(pieces->response);
    else
        dx_response_abort(pieces->response);
}

static void on_response_close(struct dx_response *response, enum dx_err err, void *user)
{
    struct pieces *pieces = user;

    if (pieces->response != response)
        sim_fail("a response is closed twice");
    if (err == DX_OK && pieces->done != pieces->body.len)
        sim_fail("a response of %u bytes is whole with %u", pieces->body.len, pieces->done);
    dx_loop_timer_free(pieces->timer);
    *pieces = (struct pieces){.response = NULL};
}

static struct pieces *free_pieces(void)
{
    for (int i = 0; i < WAITING_MAX; i++)
        if (answering[i].timer == NULL)
            return &answering[i];
    sim_fail("more than %d answers in pieces", WAITING_MAX);
}

static void on_pieces(struct dx_request *request, void *user)
{
    struct dx_response_options options = dx_response_options_init();
    static const struct dx_response_handlers handlers = {.size = sizeof(handlers),
                                                         .on_close = on_response_close};
    struct pieces *pieces = free_pieces();
    struct dx_loop *loop = dx_request_loop(request);
    struct sim_message body;
    enum dx_err err;

    (void)user;
    if (!read_path(request, &body)) {
        refuse(request);
        return;
    }
    *pieces = (struct pieces){.body = body};
    options.content_type = "application/octet-stream";
    options.len = body.len;
    options.handlers = &handlers;
    options.user = pieces;
    err = dx_request_respond_in_pieces(request, &options, &pieces->response);
    if (!is_right(err))
        sim_fail("dx_request_respond_in_pieces says %s", dx_err_name(err));
    if (err != DX_OK)
        return;
    sim_memory_hold();
    if (dx_loop_timer_new(loop, write_piece, pieces, &pieces->timer) != DX_OK)
        sim_fail("the machine itself has no memory");
    sim_memory_let_go();
    dx_loop_timer_set(pieces->timer, sim_magnitude(SIM_SERVER, 0, 50));
}

static void on_plain(struct dx_request *request, void *user)
{
    struct sim_message body;

    (void)user;
    if (!read_path(request, &body)) {
        refuse(request);
        return;
    }
    dx_request_respond(request, 200, "application/octet-stream", NULL, 0, sim_message_bytes(&body),
                       body.len);
}

static void write_log(enum dx_log_level level, const char *message,
                      const struct dx_log_field *fields, size_t field_count, void *user)
{
    (void)user;
    (void)level;
    for (size_t i = 0; i < field_count; i++)
        if (strcmp(fields[i].name, "why") == 0 || strcmp(fields[i].name, "detail") == 0) {
            sim_trace("log: %s: %.*s", message, (int)fields[i].len, fields[i].value);
            return;
        }
    sim_trace("log: %s", message);
}

static bool add_routes(struct dx_server *server)
{
    struct dx_route websockets = dx_route_init();
    struct dx_route plain = dx_route_init(), pieces = plain, body = plain;

    websockets.on_request = on_websocket;
    websockets.on_abandoned = on_abandoned;
    websockets.wants_upgrades = true;
    plain.on_request = on_plain;
    plain.wants_plain = true;
    pieces.on_request = on_pieces;
    pieces.wants_plain = true;
    body.on_request = on_body;
    body.wants_plain = true;
    body.methods = "POST";
    body.max_body = SIM_MESSAGE_MAX;
    return dx_server_route(server, "/ws", &websockets) == DX_OK &&
           dx_server_route(server, "/plain", &plain) == DX_OK &&
           dx_server_route(server, "/pieces", &pieces) == DX_OK &&
           dx_server_route(server, "/body", &body) == DX_OK;
}

struct dx_server *sim_service_new(struct dx_loop *loop, const struct dx_server_options *options,
                                  struct sim_link *all_links, int count)
{
    struct dx_server_options own = *options;
    struct dx_log_sink sink = dx_log_sink_init();
    struct dx_server *server;
    char why[200];

    links = all_links;
    link_count = count;
    hostile_count = 0;
    memset(waiting, 0, sizeof(waiting));
    memset(answering, 0, sizeof(answering));
    sink.write = write_log;
    sink.level = DX_LOG_DEBUG;
    own.log = &sink;
    if (dx_server_new(loop, &own, &server) != DX_OK)
        return NULL;
    if (add_routes(server) && dx_server_listen(server, "8080", NULL, why, sizeof(why)) == DX_OK)
        return server;
    dx_server_free(server);
    return NULL;
}

void sim_service_end(void)
{
    for (int i = 0; i < WAITING_MAX; i++)
        if (waiting[i].request != NULL)
            sim_fail("a request was neither answered nor abandoned");
    for (int i = 0; i < WAITING_MAX; i++)
        if (answering[i].timer != NULL)
            sim_fail("an answer in pieces has no on_close");
    for (int i = 0; i < hostile_count; i++) {
        sim_check_link(&hostile[i], false);
        sim_link_release(&hostile[i]);
    }
}
