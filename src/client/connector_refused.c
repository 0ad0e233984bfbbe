/*
 * connector_refused.c - an answer other than 101: where it leads, or the first bytes of what it says.
 */
#include "client/connector_parts.h"

#include "base/text.h"
#include "http/message.h"
#include "http/url_join.h"

#include <stdio.h>
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
    struct dx_slice location = {0};
    char text[DX_URL_MAX + 1];
    const char *detail = NULL;
    const uint8_t *hash;

    if (!dx_head_find(&connector->head, "Location", &location))
        return "the redirect leads nowhere";
    hash = memchr(location.data, '#', location.len);
    if (hash != NULL)
        location.len = (size_t)(hash - location.data);
    if (!dx_url_join(&connector->url, connector->normal, location, text, sizeof(text)) ||
        dx_url_parse(dx_slice_of(text), url, normal, &detail) != DX_OK)
        return "the redirect leads to no URL";
    if (connector->url.is_secure && !url->is_secure)
        return "the redirect leads out of TLS";
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
               ? "more redirects than are followed"
               : find_next_url(connector, &url, normal);
    if (*why != NULL)
        return false;
    connector->redirect_count++;
    connector->drops_secrets |= !is_same_origin(&url, &connector->url);
    connector->url = url;
    memcpy(connector->normal, normal, sizeof(normal));
    dx_connector_drop_stream(connector);
    err = dx_connector_write_request(connector);
    if (err != DX_OK)
        dx_connector_fail(connector, DX_STEP_UPGRADE, err, NULL);
    else
        dx_connector_begin(connector);
    return true;
}

/* ---- the body ---- */

static size_t body_at(const struct dx_connector *connector)
{
    return connector->head_at + connector->head.len;
}

static void tell_headers(struct dx_connector *connector)
{
    for (size_t i = 0; i < connector->head.header_count; i++) {
        const struct dx_header *header = &connector->head.headers[i];
        char *bytes = (char *)connector->in + connector->head_at;

        /* Behind a name stands its colon, behind a value its CR or a blank: both have done their work. */
        bytes[header->name.at + header->name.len] = '\0';
        bytes[header->value.at + header->value.len] = '\0';
        connector->headers[i] =
            (struct dx_handshake_header){bytes + header->name.at, bytes + header->value.at};
    }
    connector->error.headers = connector->headers;
    connector->error.header_count = connector->head.header_count;
}

void dx_connector_end_refusal(struct dx_connector *connector)
{
    char detail[DX_CONNECTOR_DETAIL_MAX];
    struct dx_slice reason = dx_head_slice(&connector->head, connector->head.reason);
    size_t len = connector->in_len - body_at(connector);

    (void)snprintf(detail, sizeof(detail), "%s%sthe server answered %u %.*s",
                   connector->error.detail != NULL ? connector->error.detail : "",
                   connector->error.detail != NULL ? ": " : "", (unsigned)connector->head.status,
                   (int)(reason.len < 200 ? reason.len : 200), (const char *)reason.data);
    tell_headers(connector);
    connector->error.http_status = connector->head.status;
    connector->error.body = connector->in + body_at(connector);
    connector->error.body_len = len < DX_CONNECTOR_BODY_MAX ? len : DX_CONNECTOR_BODY_MAX;
    dx_connector_fail(connector, DX_STEP_UPGRADE, DX_ERR_REFUSED, detail);
}

/* Whether all of the body that will be told is there. */
static bool is_whole(const struct dx_connector *connector)
{
    size_t len = connector->in_len - body_at(connector);
    struct dx_refusal refusal;
    struct dx_body body;

    if (len >= DX_CONNECTOR_BODY_MAX || connector->in_len == DX_CONNECTOR_IN_MAX)
        return true;
    if (!dx_message_body(&connector->head, &body, &refusal))
        return true;
    return body.kind == DX_BODY_LENGTH && len >= body.len;
}

void dx_connector_read_refusal(struct dx_connector *connector)
{
    bool is_end = false;

    while (!is_end && !is_whole(connector))
        if (!dx_connector_read(connector, &is_end) && !is_end)
            return;
    dx_connector_end_refusal(connector);
}

void dx_connector_note_refusal(struct dx_connector *connector)
{
    struct dx_wheel *wheel = dx_loop_wheel(connector->options.loop);
    uint64_t due_ms = dx_loop_now_ms(connector->options.loop) + BODY_MS;
    const char *why = NULL;

    if (is_redirect(connector->head.status) && follow(connector, &why))
        return;
    connector->error.detail = why;
    connector->state = DX_CONNECTOR_REFUSED;
    if (connector->due_ms == 0 || due_ms < connector->due_ms)
        dx_wheel_set(wheel, &connector->timer, due_ms);
    dx_connector_read_refusal(connector);
}
