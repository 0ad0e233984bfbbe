/*
 * items.c - adapters from typed parsers to the one that a list calls. Strings are checked and kept
 * as they are.
 */
#include "cli/options/items.h"

#include <string.h>

#include "cli/options/address.h"
#include "cli/options/header.h"
#include "cli/options/number.h"
#include "cli/options/origin.h"
#include "cli/options/variable.h"

static const char *keep(const char *problem, const char *text, void *object)
{
    if (!problem)
        *(const char **)object = text;
    return problem;
}

static const char *parse_address(const char *text, void *object)
{
    struct cli_address address;

    return keep(cli_address_parse(text, &address), text, object);
}

static const char *parse_port(const char *text, void *object)
{
    uint16_t port;

    return keep(cli_port_parse(text, &port), text, object);
}

static const char *parse_origin(const char *text, void *object)
{
    return keep(cli_origin_check(text), text, object);
}

static const char *parse_host(const char *text, void *object)
{
    return keep(cli_host_check(text), text, object);
}

static const char *parse_subprotocol(const char *text, void *object)
{
    return keep(cli_subprotocol_check(text), text, object);
}

static const char *parse_variable(const char *text, void *object)
{
    return cli_variable_parse(text, object);
}

static const char *parse_route(const char *text, void *object)
{
    return cli_route_parse(text, object);
}

static const char *parse_static(const char *text, void *object)
{
    return cli_static_parse(text, object);
}

static const char *parse_text(const char *text, void *object)
{
    return keep(NULL, text, object);
}

static const char *parse_cookie(const char *text, void *object)
{
    const char *equals = strchr(text, '=');
    bool is_pair =
        equals && equals != text && !strchr(text, ';') && cli_header_value_is_valid(text);

    return keep(is_pair ? NULL : "not a cookie (write NAME=VALUE)", text, object);
}

static const char *parse_header(const char *text, void *object)
{
    return cli_header_parse(text, object);
}

static const char *parse_close_code(const char *text, void *object)
{
    return cli_close_code_parse(text, object);
}

static void release_header(void *object)
{
    cli_header_release(object);
}

static void release_route(void *object)
{
    cli_route_release(object);
}

static void release_static(void *object)
{
    cli_static_release(object);
}

const struct cli_item cli_item_address = {sizeof(const char *), parse_address, NULL};
const struct cli_item cli_item_port = {sizeof(const char *), parse_port, NULL};
const struct cli_item cli_item_variable = {sizeof(const char *), parse_variable, NULL};
const struct cli_item cli_item_origin = {sizeof(const char *), parse_origin, NULL};
const struct cli_item cli_item_host = {sizeof(const char *), parse_host, NULL};
const struct cli_item cli_item_subprotocol = {sizeof(const char *), parse_subprotocol, NULL};
const struct cli_item cli_item_route = {sizeof(struct cli_route), parse_route, release_route};
const struct cli_item cli_item_static = {sizeof(struct cli_static), parse_static, release_static};
const struct cli_item cli_item_text = {sizeof(const char *), parse_text, NULL};
const struct cli_item cli_item_cookie = {sizeof(const char *), parse_cookie, NULL};
const struct cli_item cli_item_header = {sizeof(struct cli_header), parse_header, release_header};
const struct cli_item cli_item_close_code = {sizeof(uint16_t), parse_close_code, NULL};
