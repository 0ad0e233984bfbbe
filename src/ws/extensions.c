/*
 * extensions.c - the grammar of one member of Sec-WebSocket-Extensions (RFC 6455 9.1). http/list
 * reads the list.
 */
#include "ws/extensions.h"

#include "base/text.h"

static struct dx_slice skip_blanks(struct dx_slice text)
{
    while (text.len > 0 && (*text.data == ' ' || *text.data == '\t')) {
        text.data++;
        text.len--;
    }
    return text;
}

/* Takes a token from the front. False: there is none. */
static bool take_token(struct dx_slice *text, struct dx_slice *token)
{
    size_t len = 0;

    while (len < text->len && dx_text_is_token_byte(text->data[len]))
        len++;
    *token = (struct dx_slice){text->data, len};
    *text = (struct dx_slice){text->data + len, text->len - len};
    return len > 0;
}

/* Takes a quoted string from the front; its content must be a token (RFC 6455 9.1). */
static bool take_quoted(struct dx_slice *text, struct dx_slice *value)
{
    size_t at = 1;

    while (at < text->len && text->data[at] != '"') {
        if (text->data[at] == '\\')
            at++;
        if (at == text->len || !dx_text_is_token_byte(text->data[at]))
            return false;
        at++;
    }
    if (at >= text->len || at == 1)
        return false;
    *value = (struct dx_slice){text->data + 1, at - 1};
    *text = (struct dx_slice){text->data + at + 1, text->len - at - 1};
    return true;
}

bool dx_extension_init(struct dx_extension *extension, struct dx_slice member)
{
    member = skip_blanks(member);
    if (!take_token(&member, &extension->name))
        return false;
    extension->rest = member;
    return true;
}

static bool take_value(struct dx_slice *rest, struct dx_slice *value)
{
    *rest = skip_blanks(*rest);
    if (rest->len > 0 && *rest->data == '"')
        return take_quoted(rest, value);
    return take_token(rest, value);
}

enum dx_extension_step dx_extension_next(struct dx_extension *extension,
                                         struct dx_extension_parameter *parameter)
{
    struct dx_slice rest = skip_blanks(extension->rest);
    struct dx_slice after;

    if (rest.len == 0)
        return DX_EXTENSION_END;
    if (*rest.data != ';')
        return DX_EXTENSION_BAD;
    rest = skip_blanks((struct dx_slice){rest.data + 1, rest.len - 1});
    *parameter = (struct dx_extension_parameter){0};
    if (!take_token(&rest, &parameter->name))
        return DX_EXTENSION_BAD;
    after = skip_blanks(rest);
    if (after.len > 0 && *after.data == '=') {
        rest = (struct dx_slice){after.data + 1, after.len - 1};
        if (!take_value(&rest, &parameter->value))
            return DX_EXTENSION_BAD;
    }
    extension->rest = rest;
    return DX_EXTENSION_PARAMETER;
}

bool dx_extension_is_wellformed(struct dx_slice member)
{
    struct dx_extension extension;
    struct dx_extension_parameter parameter;
    enum dx_extension_step step;

    if (!dx_extension_init(&extension, member))
        return false;
    do
        step = dx_extension_next(&extension, &parameter);
    while (step == DX_EXTENSION_PARAMETER);
    return step == DX_EXTENSION_END;
}

bool dx_extension_value(const struct dx_extension_parameter *parameter, char *text, size_t room)
{
    size_t len = 0;

    for (size_t at = 0; at < parameter->value.len; at++) {
        if (parameter->value.data[at] == '\\')
            at++;
        if (len + 1 >= room)
            return false;
        text[len++] = (char)parameter->value.data[at];
    }
    if (room == 0)
        return false;
    text[len] = '\0';
    return true;
}
