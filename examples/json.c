/*
 * json.c - an endpoint that answers with JSON, and a WebSocket for clients that know the token.
 *
 *     cc json.c $(pkg-config --cflags --libs duplex) -o json && ./json TOKEN 8080
 *     curl -X POST -d '"hello"' http://127.0.0.1:8080/say
 *
 * The POST sends "hello" to every client of ws://127.0.0.1:8080/live?token=TOKEN.
 */
#include <duplex/request.h>
#include <duplex/topics.h>

#include <stdio.h>
#include <string.h>

static struct dx_topics *topics;

/* Compares in constant time, so that the duration does not reveal the token. */
static bool is_token(const char *text, const char *token)
{
    bool is_right = text != NULL && strlen(text) == strlen(token);
    unsigned wrong = 0;

    for (size_t i = 0; is_right && token[i] != '\0'; i++)
        wrong |= (unsigned)(text[i] ^ token[i]);
    return is_right && wrong == 0;
}

static void say(struct dx_request *request, void *user)
{
    static const struct dx_header retry = {"Retry-After", "1"};
    char json[64];
    size_t len;
    const void *body = dx_request_body(request, &len);
    int json_len = snprintf(json, sizeof(json), "{\"listeners\":%zu}\n",
                            dx_topics_subscriber_count(topics, "live", 4));

    (void)user;
    if (!dx_utf8_is_valid(body, len))
        dx_request_refuse(request, 400, "the body is not UTF-8", NULL, 0);
    else if (dx_topics_publish(topics, "live", 4, DX_OP_TEXT, body, len, 0) != DX_OK)
        dx_request_refuse(request, 503, "busy", &retry, 1);
    else
        dx_request_respond(request, 200, "application/json", NULL, 0, json, (size_t)json_len);
}

static void listen_in(struct dx_request *request, void *token)
{
    static const struct dx_header challenge = {"WWW-Authenticate", "Bearer"};
    struct dx_connection *peer;

    if (!is_token(dx_request_query_value(request, "token"), (const char *)token))
        dx_request_refuse(request, 401, "the token is wrong", &challenge, 1);
    else if (dx_request_accept(request, NULL, NULL, &peer) == DX_OK &&
             dx_topics_subscribe(topics, peer, "live", 4) != DX_OK)
        (void)dx_connection_close(peer, DX_CLOSE_TRY_AGAIN, "full", 4);
}

int main(int argc, char **argv)
{
    struct dx_route live = dx_route_init_websocket(NULL), plain = dx_route_init();
    struct dx_loop *loop;
    struct dx_server *server;
    char why[256] = "no server could be made";

    if (argc < 2)
        return fprintf(stderr, "usage: json TOKEN [ADDRESS]\n"), 2;
    live.on_request = listen_in;
    live.user = argv[1];
    plain.on_request = say;
    plain.wants_plain = true;
    plain.methods = "POST";
    plain.max_body = 65536;
    if (dx_loop_new(&loop) || dx_server_new(loop, NULL, &server) || dx_topics_new(NULL, &topics) ||
        dx_server_route(server, "/live", &live) || dx_server_route(server, "/say", &plain) ||
        dx_server_listen(server, argc > 2 ? argv[2] : "8080", NULL, why, sizeof(why)))
        return fprintf(stderr, "json: %s\n", why), 1;
    fprintf(stderr, "%s\n", dx_server_url(server, 0));
    return dx_loop_run(loop) != DX_OK;
}
