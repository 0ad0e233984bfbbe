/*
 * environment.c - builds the environment of a program in one growing text,
 * "NAME=value\0NAME=value\0...".
 */
#include "bridge/program/environment.h"

#include <duplex/version.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SERVER_SOFTWARE "duplex"

void dx_environment_init(struct dx_environment *environment)
{
    *environment = (struct dx_environment){.err = DX_OK};
}

void dx_environment_release(struct dx_environment *environment)
{
    free(environment->list);
    free(environment->text);
    dx_environment_init(environment);
}

/* Makes room for `len` more bytes of text. */
static bool grow(struct dx_environment *environment, size_t len)
{
    size_t wanted = environment->text_len + len;
    size_t capacity = environment->text_capacity ? environment->text_capacity : 2048;
    char *text;

    if (environment->err != DX_OK)
        return false;
    if (wanted > DX_ENVIRONMENT_MAX) {
        environment->err = DX_ERR_TOO_BIG;
        return false;
    }
    if (wanted <= environment->text_capacity)
        return true;
    while (capacity < wanted)
        capacity *= 2;
    text = realloc(environment->text, capacity);
    if (!text) {
        environment->err = DX_ERR_NOMEM;
        return false;
    }
    environment->text = text;
    environment->text_capacity = capacity;
    return true;
}

static void add_bytes(struct dx_environment *environment, const char *bytes, size_t len)
{
    if (len > 0 && grow(environment, len)) {
        memcpy(environment->text + environment->text_len, bytes, len);
        environment->text_len += len;
    }
}

static void end_line(struct dx_environment *environment)
{
    add_bytes(environment, "", 1);
    environment->count++;
}

void dx_environment_add(struct dx_environment *environment, const char *name, const char *value)
{
    add_bytes(environment, name, strlen(name));
    add_bytes(environment, "=", 1);
    add_bytes(environment, value, strlen(value));
    end_line(environment);
}

static void add_line(struct dx_environment *environment, const char *line)
{
    add_bytes(environment, line, strlen(line));
    end_line(environment);
}

/* Whether `line` is NAME=…; a name that ends with '*' matches every name with that prefix. */
static bool line_has_name(const char *line, const char *name)
{
    size_t len = strlen(name);

    if (len > 0 && name[len - 1] == '*')
        return strncmp(line, name, len - 1) == 0;
    return strncmp(line, name, len) == 0 && line[len] == '=';
}

void dx_environment_add_inherited(struct dx_environment *environment, char *const *inherited)
{
    static const char *const names[] = {"PATH", "HOME", "USER", "LANG", "LC_*", "TZ", "TMPDIR"};

    for (; inherited && *inherited; inherited++)
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
            if (line_has_name(*inherited, names[i]))
                add_line(environment, *inherited);
}

void dx_environment_add_lines(struct dx_environment *environment, const char *const *lines)
{
    for (; lines && *lines; lines++)
        add_line(environment, *lines);
}

void dx_environment_add_all(struct dx_environment *environment, const struct dx_environment *other)
{
    if (environment->err == DX_OK)
        environment->err = other->err;
    add_bytes(environment, other->text, other->text_len);
    environment->count += other->count;
}

/* Adds HTTP_NAME=value if the header may be passed to programs. */
static void add_header(struct dx_environment *environment, const char *name, size_t name_len,
                       const char *value)
{
    static const char *const hidden[] = {"Proxy", "Authorization", "Proxy-Authorization"};
    char upper[64] = "HTTP_";
    size_t len = strlen(upper);

    if (name_len >= sizeof(upper) - len)
        return;
    for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++)
        if (strlen(hidden[i]) == name_len && strncasecmp(hidden[i], name, name_len) == 0)
            return;
    for (size_t i = 0; i < name_len; i++, len++) {
        char c = name[i];

        if (c >= 'a' && c <= 'z')
            upper[len] = (char)(c - 'a' + 'A');
        else if ((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))
            upper[len] = c;
        else if (c == '-')
            upper[len] = '_';
        else
            return;
    }
    upper[len] = '\0';
    dx_environment_add(environment, upper, value);
}

/* A header may have several lines; their joined value is added at the first of them. */
static bool is_first_of_its_name(const struct dx_request *request, size_t index, const char *name,
                                 size_t name_len)
{
    const char *other, *value;
    size_t other_len, value_len;

    for (size_t i = 0; i < index; i++)
        if (dx_request_header_at(request, i, &other, &other_len, &value, &value_len) &&
            other_len == name_len && strncasecmp(other, name, name_len) == 0)
            return false;
    return true;
}

static void add_headers(struct dx_environment *environment, struct dx_request *request)
{
    const char *name, *value;
    size_t name_len, value_len;

    for (size_t i = 0; dx_request_header_at(request, i, &name, &name_len, &value, &value_len);
         i++) {
        char text[64];
        const char *joined;

        if (name_len >= sizeof(text) || !is_first_of_its_name(request, i, name, name_len))
            continue;
        memcpy(text, name, name_len);
        text[name_len] = '\0';
        joined = dx_request_header(request, text);
        if (joined)
            add_header(environment, name, name_len, joined);
    }
}

static void add_number(struct dx_environment *environment, const char *name, unsigned number)
{
    char text[16];

    snprintf(text, sizeof(text), "%u", number);
    dx_environment_add(environment, name, text);
}

/* RFC 3875: the path is SCRIPT_NAME, which leads to the program, followed by PATH_INFO. */
static void add_path(struct dx_environment *environment, const struct dx_request *request)
{
    const char *path = dx_request_path(request);
    const char *route = dx_request_route_path(request);
    const char *at = path;

    /* Compares part by part, because the value of a ":name" differs from it in length. */
    for (const char *part = route; strcmp(route, "/") != 0 && part != NULL;
         part = strchr(part + 1, '/'))
        at += 1 + strcspn(at + 1, "/");
    add_bytes(environment, "SCRIPT_NAME=", strlen("SCRIPT_NAME="));
    add_bytes(environment, path, (size_t)(at - path));
    end_line(environment);
    dx_environment_add(environment, "PATH_INFO", at);
}

void dx_environment_add_request(struct dx_environment *environment, struct dx_request *request,
                                const char *unique_id)
{
    const char *subprotocol = dx_request_subprotocol(request);

    dx_environment_add(environment, "GATEWAY_INTERFACE", "CGI/1.1");
    dx_environment_add(environment, "SERVER_SOFTWARE", SERVER_SOFTWARE "/" DX_VERSION);
    dx_environment_add(environment, "SERVER_PROTOCOL", "HTTP/1.1");
    dx_environment_add(environment, "SERVER_NAME", dx_request_server_host(request));
    add_number(environment, "SERVER_PORT", dx_request_server_port(request));
    dx_environment_add(environment, "REQUEST_METHOD", dx_request_method(request));
    dx_environment_add(environment, "REQUEST_URI", dx_request_target(request));
    dx_environment_add(environment, "QUERY_STRING", dx_request_query(request));
    add_path(environment, request);
    dx_environment_add(environment, "REMOTE_ADDR", dx_request_peer_host(request));
    dx_environment_add(environment, "REMOTE_HOST", dx_request_peer_host(request));
    add_number(environment, "REMOTE_PORT", dx_request_peer_port(request));
    dx_environment_add(environment, "UNIQUE_ID", unique_id);
    if (dx_request_is_tls(request))
        dx_environment_add(environment, "HTTPS", "on");
    if (subprotocol)
        dx_environment_add(environment, "WEBSOCKET_SUBPROTOCOL", subprotocol);
    add_headers(environment, request);
}

/* Whether a later line has the same name as `lines[0]`. Most differ in the first byte already. */
static bool is_overridden(char *const *lines, size_t count)
{
    const char *line = lines[0];
    size_t name_len = strcspn(line, "=");

    for (size_t i = 1; i < count; i++)
        if (*lines[i] == *line && strncmp(line, lines[i], name_len) == 0 &&
            lines[i][name_len] == '=')
            return true;
    return false;
}

enum dx_err dx_environment_finish(struct dx_environment *environment)
{
    const char *end = environment->text + environment->text_len;
    size_t line_count = 0;
    size_t count = 0;

    if (environment->err != DX_OK)
        return environment->err;
    environment->list = calloc(environment->count + 1, sizeof(*environment->list));
    if (!environment->list)
        return environment->err = DX_ERR_NOMEM;
    for (char *line = environment->text; line < end; line += strlen(line) + 1)
        environment->list[line_count++] = line;
    for (size_t i = 0; i < line_count; i++)
        if (!is_overridden(environment->list + i, line_count - i))
            environment->list[count++] = environment->list[i];
    environment->list[count] = NULL;
    environment->count = count;
    return DX_OK;
}
