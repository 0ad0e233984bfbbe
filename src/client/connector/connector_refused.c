/*
 * connector_refused.c - an answer other than 101: where it leads, or the first bytes of what it
 * says.
 */
#include "client/connector/connector_parts.h"

#include "http/url/url_join.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BODY_MS 1000 /* for the body, at most */

/* ---- redirects (RFC 9110 15.4) ---- */

static bool is_redirect(uint16_t status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

static const char *find_next_url(const struct dx_connector *connector, struct dx_url *url,
                                 char normal[DX_URL_MAX + 1])
{
    const struct dx_head *head = &connector->answer->head;
    struct dx_slice location = {0};
    char text[DX_URL_MAX + 1];
    const char *detail = NULL;
    const uint8_t *hash;

    if (dx_head_count(head, "Location") != 1 || !dx_head_find(head, "Location", &location) ||
        location.len == 0)
        return "the redirect has no usable Location";
    hash = memchr(location.data, '#', location.len);
    if (hash != NULL)
        location.len = (size_t)(hash - location.data);
    if (!dx_url_join(&connector->url, connector->normal, location, text, sizeof(text)) ||
        dx_url_parse(dx_slice_of(text), url, normal, &detail) != DX_OK)
        return "the redirect's Location is not a URL";
    if (connector->url.is_secure && !url->is_secure)
        return "the redirect leaves TLS";
    return NULL;
}

static bool is_same_origin(const struct dx_url *a, const struct dx_url *b)
{
    return a->is_secure == b->is_secure && a->port == b->port && dx_host_equal(&a->host, &b->host);
}

/* False: it is not followed, and `*why` says why, or is NULL where redirects are not wanted. */
static bool follow(struct dx_connector *connector, const char **why)
{
    char normal[DX_URL_MAX + 1];
    struct dx_url url;
    enum dx_err err;

    *why = NULL;
    if (connector->options.max_redirects == 0)
        return false;
    *why = connector->redirect_count >= connector->options.max_redirects
               ? "too many redirects"
               : find_next_url(connector, &url, normal);
    if (*why != NULL)
        return false;
    connector->redirect_count++;
    connector->drops_secrets |= !is_same_origin(&url, &connector->url);
    dx_connector_drop_stream(connector);
    free(connector->answer);
    connector->answer = NULL;
    err = dx_connector_set_url(connector, &url, normal);
    if (err == DX_OK)
        err = dx_connector_write_request(connector);
    if (err != DX_OK)
        dx_connector_fail(connector, DX_STEP_UPGRADE, err, NULL);
    else
        dx_connector_begin(connector);
    return true;
}

/* ---- the body (RFC 9112 6.3) ---- */

static size_t body_at(const struct dx_connector *connector)
{
    return connector->answer->head_at + connector->answer->head.len;
}

/* For a reader: where the framing is doubtful, everything that comes is reported. */
static void begin_body(struct dx_connector *connector)
{
    const struct dx_head *head = &connector->answer->head;
    bool has_none = head->status == 204 || head->status == 304;
    struct dx_refusal refusal;
    bool is_framed = dx_message_body(head, &connector->body, &refusal);

    if (!is_framed)
        connector->body = (struct dx_body){DX_BODY_NONE, 0};
    connector->ends_with_stream = !is_framed || (connector->body.kind == DX_BODY_NONE &&
                                                 dx_head_count(head, "Content-Length") == 0);
    connector->is_body_whole =
        has_none || (connector->body.kind == DX_BODY_NONE && !connector->ends_with_stream);
    if (connector->is_body_whole)
        connector->answer->len = body_at(connector);
}

/* Puts what chunks carry in the place of what came; it is never more. */
static void decode(struct dx_connector *connector, size_t from)
{
    struct dx_answer *answer = connector->answer;
    struct dx_slice raw = {answer->bytes + from, answer->len - from};
    enum dx_chunked_step step = DX_CHUNKED_DATA;
    struct dx_slice data = {0};

    answer->len = from;
    while (step == DX_CHUNKED_DATA) {
        step = dx_chunked_next(&connector->chunked, &raw, &data);
        if (step != DX_CHUNKED_DATA)
            break;
        memmove(answer->bytes + answer->len, data.data, data.len);
        answer->len += data.len;
    }
    connector->is_body_whole = step == DX_CHUNKED_DONE || step == DX_CHUNKED_BAD;
}

/* More has come, from `from` on. */
static void note_body(struct dx_connector *connector, size_t from)
{
    size_t len;

    if (connector->body.kind == DX_BODY_CHUNKED)
        decode(connector, from);
    len = connector->answer->len - body_at(connector);
    if (connector->body.kind == DX_BODY_LENGTH && len >= connector->body.len) {
        len = (size_t)connector->body.len;
        connector->is_body_whole = true;
    }
    if (len >= DX_CONNECTOR_BODY_MAX) {
        len = DX_CONNECTOR_BODY_MAX;
        connector->is_body_whole = true;
    }
    connector->answer->len = body_at(connector) + len;
}

/* ---- telling ---- */

static void tell_headers(struct dx_connector *connector)
{
    const struct dx_head *head = &connector->answer->head;
    char *bytes = (char *)connector->answer->bytes + connector->answer->head_at;

    connector->headers = calloc(head->header_count + 1u, sizeof(*connector->headers));
    if (connector->headers == NULL)
        return; /* status and body are reported all the same */
    for (size_t i = 0; i < head->header_count; i++) {
        const struct dx_head_field *header = &head->headers[i];

        /*
         * After a name comes its colon, after a value its CR or a blank: both have done their
         * work.
         */
        bytes[header->name.at + header->name.len] = '\0';
        bytes[header->value.at + header->value.len] = '\0';
        connector->headers[i] =
            (struct dx_header){bytes + header->name.at, bytes + header->value.at};
    }
    connector->error.headers = connector->headers;
    connector->error.header_count = head->header_count;
}

void dx_connector_end_refusal(struct dx_connector *connector)
{
    const struct dx_head *head = &connector->answer->head;
    struct dx_slice reason = dx_head_slice(head, head->reason);
    char detail[DX_CONNECTOR_DETAIL_MAX];

    (void)snprintf(detail, sizeof(detail), "%s%sthe server answered %u%s%.*s",
                   connector->why != NULL ? connector->why : "", connector->why != NULL ? ": " : "",
                   (unsigned)head->status, reason.len > 0 ? " " : "",
                   (int)(reason.len < 200 ? reason.len : 200), (const char *)reason.data);
    /* The text is a sentence of ASCII, whatever the server calls its reason. */
    for (char *at = detail; *at != '\0'; at++)
        if (*at < 0x20 || *at > 0x7e)
            *at = '?';
    tell_headers(connector);
    connector->error.http_status = head->status;
    connector->error.body = connector->answer->bytes + body_at(connector);
    connector->error.body_len = connector->answer->len - body_at(connector);
    dx_connector_fail(connector, DX_STEP_UPGRADE, DX_ERR_REFUSED, detail);
}

void dx_connector_read_refusal(struct dx_connector *connector)
{
    while (!connector->is_body_whole) {
        size_t from = connector->answer->len;
        size_t room = DX_CONNECTOR_BODY_MAX - (from - body_at(connector));
        enum dx_err err = dx_connector_read(connector, room);

        if (err == DX_ERR_AGAIN)
            return;
        if (err == DX_OK)
            note_body(connector, from);
        else
            connector->is_body_whole = true; /* the end, or what there is of it */
    }
    dx_connector_end_refusal(connector);
}

void dx_connector_note_refusal(struct dx_connector *connector)
{
    struct dx_wheel *wheel = dx_loop_wheel(connector->options.loop);
    uint64_t due_ms = dx_loop_now_ms(connector->options.loop) + BODY_MS;

    if (is_redirect(connector->answer->head.status) && follow(connector, &connector->why))
        return;
    connector->state = DX_CONNECTOR_REFUSED;
    if (connector->due_ms == 0 || due_ms < connector->due_ms)
        dx_wheel_set(wheel, &connector->timer, due_ms);
    begin_body(connector);
    if (!connector->is_body_whole)
        note_body(connector, body_at(connector));
    dx_connector_read_refusal(connector);
}
