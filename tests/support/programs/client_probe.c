/*
 * client_probe.c - a client for the end-to-end tests, through <duplex/client.h> alone: it connects,
 * sends, prints what comes as lines, and closes when so many messages have come.
 *
 *   client-probe [--proxy=P] [--ca=FILE] [--unix=PATH] [--subprotocol=S] [--send=TEXT]…
 *   [--binary=LEN] [--count=N] URL
 *
 * Lines: "open SUBPROTOCOL", "text …", "binary LEN" (its bytes are those that were sent), "error
 * STEP ERROR STATUS DETAIL", "body …", "close CODE clean|unclean".
 */
#include <duplex/client.h>
#include <duplex/loop.h>
#include <duplex/tls_client.h>

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SENDS_MAX 16

static const char *sends[SENDS_MAX];
static size_t send_count;
static size_t binary_len;
static size_t count;
static uint8_t *binary;

static void fill(uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)(i * 7 + i / 251);
}

static void must(enum dx_err err, const char *what)
{
    if (err == DX_OK)
        return;
    printf("failed %s: %s\n", what, dx_err_name(err));
    exit(2);
}

static void on_open(struct dx_websocket *websocket, void *user)
{
    (void)user;
    printf("open %s\n", dx_websocket_protocol(websocket));
    for (size_t i = 0; i < send_count; i++)
        must(dx_websocket_send(websocket, DX_OP_TEXT, sends[i], strlen(sends[i])), "send");
    if (binary_len > 0)
        must(dx_websocket_send(websocket, DX_OP_BINARY, binary, binary_len), "send");
}

static void on_message(struct dx_websocket *websocket, struct dx_message *message, void *user)
{
    size_t len;
    const uint8_t *data = dx_message_data(message, &len);

    (void)user;
    if (dx_message_opcode(message) == DX_OP_TEXT)
        printf("text %.*s\n", (int)len, (const char *)data);
    else if (binary != NULL && len == binary_len && memcmp(data, binary, len) == 0)
        printf("binary %zu\n", len);
    else
        printf("other binary %zu\n", len);
    if (count > 0 && --count == 0)
        must(dx_websocket_close(websocket, 1000, "done", 4), "close");
}

static void on_error(struct dx_websocket *websocket, const struct dx_error_event *error, void *user)
{
    (void)websocket;
    (void)user;
    printf("error %d %s %u %s\n", (int)error->step, dx_err_name(error->err),
           (unsigned)error->http_status, error->detail);
    if (error->body_len > 0)
        printf("body %.*s\n", (int)error->body_len, (const char *)error->body);
}

static void on_close(struct dx_websocket *websocket, const struct dx_close_event *event, void *user)
{
    (void)user;
    printf("close %u %s\n", (unsigned)event->code, event->was_clean ? "clean" : "unclean");
    dx_loop_stop(dx_websocket_loop(websocket));
}

static struct dx_tls_client *trust(const char *ca_path)
{
    struct dx_tls_client_options options = dx_tls_client_options_init();
    struct dx_tls_client *client;

    options.ca_path = ca_path;
    must(dx_tls_client_new(&options, &client, NULL, 0), "trust");
    return client;
}

static void note(int option, struct dx_websocket_options *options)
{
    static const char *subprotocol;

    switch (option) {
    case 'p':
        options->proxy = optarg;
        break;
    case 'a':
        options->tls = trust(optarg);
        break;
    case 'u':
        options->unix_path = optarg;
        break;
    case 'n':
        subprotocol = optarg;
        options->protocols = &subprotocol;
        options->protocol_count = 1;
        break;
    case 's':
        if (send_count < SENDS_MAX)
            sends[send_count++] = optarg;
        break;
    case 'b':
        binary_len = strtoul(optarg, NULL, 10);
        break;
    case 'c':
        count = strtoul(optarg, NULL, 10);
        break;
    default:
        exit(2);
    }
}

static const struct dx_websocket_listener listener = {.size = sizeof(listener),
                                                      .on_open = on_open,
                                                      .on_message = on_message,
                                                      .on_error = on_error,
                                                      .on_close = on_close};

int main(int argc, char **argv)
{
    static const struct option names[] = {
        {"proxy", required_argument, NULL, 'p'},       {"ca", required_argument, NULL, 'a'},
        {"unix", required_argument, NULL, 'u'},        {"send", required_argument, NULL, 's'},
        {"subprotocol", required_argument, NULL, 'n'}, {"binary", required_argument, NULL, 'b'},
        {"count", required_argument, NULL, 'c'},       {NULL, 0, NULL, 0}};
    struct dx_websocket_options options = dx_websocket_options_init();
    struct dx_websocket *websocket;
    struct dx_loop *loop;
    int option;

    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    while ((option = getopt_long(argc, argv, "", names, NULL)) != -1)
        note(option, &options);
    if (optind + 1 != argc)
        return 2;
    if (binary_len > 0) {
        binary = malloc(binary_len);
        if (binary == NULL)
            return 2;
        fill(binary, binary_len);
    }
    if (count == 0)
        count = send_count + (binary_len > 0);
    options.listener = &listener;
    must(dx_loop_new(&loop), "loop");
    must(dx_websocket_new(loop, argv[optind], &options, &websocket), "new");
    must(dx_loop_run(loop), "run");
    dx_websocket_free(websocket);
    dx_loop_free(loop);
    dx_tls_client_free(options.tls);
    free(binary);
    return 0;
}
