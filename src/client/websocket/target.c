/*
 * target.c - see target.h. What may hold a password is overwritten.
 */
#include "client/websocket/target.h"

#include "base/base64.h"
#include "http/url/url_join.h"

#include <stdlib.h>
#include <string.h>

/* "Basic …"; NULL without memory. */
static char *write_login(const char *login, size_t len)
{
    static const char scheme[] = "Basic ";
    size_t encoded_len = DX_BASE64_LEN(len);
    char *text = malloc(sizeof(scheme) + encoded_len);

    if (text == NULL)
        return NULL;
    memcpy(text, scheme, sizeof(scheme) - 1);
    dx_base64_encode(login, len, text + sizeof(scheme) - 1);
    text[sizeof(scheme) - 1 + encoded_len] = '\0';
    return text;
}

static void clear_text(char **text)
{
    if (*text != NULL)
        explicit_bzero(*text, strlen(*text));
    free(*text);
    *text = NULL;
}

void dx_websocket_target_release(struct dx_websocket_target *target)
{
    free(target->url);
    target->url = NULL;
    clear_text(&target->authorization);
}

/* Takes over what was read; `normal` has ws or wss. */
static enum dx_err take(struct dx_websocket_target *target, const struct dx_url *parsed,
                        const char *normal, const struct dx_url_login *login)
{
    char *url = strdup(normal);
    char *authorization = login->len > 0 ? write_login(login->text, login->len) : NULL;

    if (url == NULL || (login->len > 0 && authorization == NULL)) {
        free(url);
        clear_text(&authorization);
        return DX_ERR_NOMEM;
    }
    dx_websocket_target_release(target);
    *target = (struct dx_websocket_target){*parsed, url, authorization};
    return DX_OK;
}

static enum dx_err join(const char *base, const char **text, char joined[DX_URL_MAX + 1])
{
    char normal[DX_URL_MAX + 1];
    struct dx_url parsed;
    const char *detail;

    if (base == NULL)
        return DX_OK;
    if (dx_url_parse(dx_slice_of(base), &parsed, normal, &detail) != DX_OK ||
        !dx_url_join(&parsed, normal, dx_slice_of(*text), joined, DX_URL_MAX + 1))
        return DX_ERR_USAGE;
    *text = joined;
    return DX_OK;
}

enum dx_err dx_websocket_target_read(struct dx_websocket_target *target, const char *base,
                                     const char *text)
{
    char joined[DX_URL_MAX + 1], normal[DX_URL_MAX + 1], again[DX_URL_MAX + 1];
    struct dx_url_login login, none;
    struct dx_url parsed;
    const char *detail;
    enum dx_err err = join(base, &text, joined);

    if (err == DX_OK &&
        dx_url_parse_login(dx_slice_of(text), &parsed, normal, &login, &detail) != DX_OK)
        err = DX_ERR_USAGE;
    if (err == DX_OK && !parsed.is_websocket) {
        /* http is ws, https is wss, and the rest stays. */
        memcpy(again, "ws", 2);
        memcpy(again + 2, normal + 4, strlen(normal + 4) + 1);
        if (dx_url_parse_login(dx_slice_of(again), &parsed, normal, &none, &detail) != DX_OK)
            err = DX_ERR_USAGE;
    }
    if (err == DX_OK)
        err = take(target, &parsed, normal, &login);
    explicit_bzero(joined, sizeof(joined));
    explicit_bzero(&login, sizeof(login));
    return err;
}
