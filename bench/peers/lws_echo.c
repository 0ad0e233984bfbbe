/*
 * lws_echo.c - an echo server as libwebsockets' own examples build one, with its default loop.
 *
 * What arrives is queued and written when the connection is writable, one piece a call, as the
 * library asks for; reading pauses while more than a few pieces wait. Usage: lws_echo PORT
 */
#include <libwebsockets.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PIECES_MAX = 32 };

/* A received piece of a message, waiting to be written back. */
struct piece {
    struct piece *next;
    size_t len;
    int flags;
    unsigned char bytes[]; /* LWS_PRE bytes of room, then the payload */
};

struct session {
    struct piece *first;
    struct piece **last;
    unsigned count;
};

static int on_receive(struct lws *wsi, struct session *session, const void *in, size_t len)
{
    struct piece *piece = malloc(sizeof *piece + LWS_PRE + len);
    if (piece == NULL)
        return -1;
    piece->next = NULL;
    piece->len = len;
    piece->flags = lws_write_ws_flags(lws_frame_is_binary(wsi) ? LWS_WRITE_BINARY : LWS_WRITE_TEXT,
                                      lws_is_first_fragment(wsi), lws_is_final_fragment(wsi));
    memcpy(piece->bytes + LWS_PRE, in, len);
    *session->last = piece;
    session->last = &piece->next;
    if (++session->count == PIECES_MAX)
        (void)lws_rx_flow_control(wsi, 0);
    (void)lws_callback_on_writable(wsi);
    return 0;
}

static int on_writable(struct lws *wsi, struct session *session)
{
    struct piece *piece = session->first;
    if (piece == NULL)
        return 0;
    int written =
        lws_write(wsi, piece->bytes + LWS_PRE, piece->len, (enum lws_write_protocol)piece->flags);
    if (written < (int)piece->len)
        return -1;
    session->first = piece->next;
    if (session->first == NULL)
        session->last = &session->first;
    else
        (void)lws_callback_on_writable(wsi);
    free(piece);
    if (session->count-- == PIECES_MAX)
        (void)lws_rx_flow_control(wsi, 1);
    return 0;
}

static int on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                    size_t len)
{
    struct session *session = user;
    switch (reason) {
    case LWS_CALLBACK_ESTABLISHED:
        memset(session, 0, sizeof *session);
        session->last = &session->first;
        return 0;
    case LWS_CALLBACK_RECEIVE:
        return on_receive(wsi, session, in, len);
    case LWS_CALLBACK_SERVER_WRITEABLE:
        return on_writable(wsi, session);
    case LWS_CALLBACK_CLOSED:
        while (session->first != NULL) {
            struct piece *piece = session->first;
            session->first = piece->next;
            free(piece);
        }
        return 0;
    default:
        return 0;
    }
}

static const struct lws_protocols protocols[] = {
    {"echo", on_event, sizeof(struct session), 0, 0, NULL, 0},
    {NULL, NULL, 0, 0, 0, NULL, 0},
};

int main(int argc, char **argv)
{
    struct lws_context_creation_info info;
    if (argc != 2) {
        fprintf(stderr, "usage: lws_echo PORT\n");
        return 2;
    }
    lws_set_log_level(LLL_ERR, NULL);
    memset(&info, 0, sizeof info);
    info.port = (int)strtol(argv[1], NULL, 10);
    info.iface = "127.0.0.1";
    info.protocols = protocols;
    info.gid = -1;
    info.uid = -1;
    struct lws_context *context = lws_create_context(&info);
    if (context == NULL)
        return 1;
    while (lws_service(context, 0) >= 0)
        ;
    lws_context_destroy(context);
    return 0;
}
