/*
 * items.c - adapters from the parsers of values to the one that an option calls.
 */
#include "cli/options/items.h"

#include <string.h>

#include "cli/options/address.h"
#include "cli/options/header.h"
#include "cli/options/number.h"
#include "cli/options/origin.h"

enum dx_err cli_item_keep(const char *found, const char *text, void *object, const char **problem)
{
    if (found) {
        *problem = found;
        return DX_ERR_USAGE;
    }
    *(const char **)object = text;
    return DX_OK;
}

static enum dx_err parse_address(const char *text, void *object, const char **problem)
{
    struct cli_address address;

    return cli_item_keep(cli_address_parse(text, &address), text, object, problem);
}

static enum dx_err parse_port(const char *text, void *object, const char **problem)
{
    uint16_t port;

    return cli_item_keep(cli_port_parse(text, &port), text, object, problem);
}

static enum dx_err parse_origin(const char *text, void *object, const char **problem)
{
    return cli_item_keep(cli_origin_check(text), text, object, problem);
}

static enum dx_err parse_host(const char *text, void *object, const char **problem)
{
    return cli_item_keep(cli_host_check(text), text, object, problem);
}

static enum dx_err parse_subprotocol(const char *text, void *object, const char **problem)
{
    return cli_item_keep(cli_subprotocol_check(text), text, object, problem);
}

static enum dx_err parse_text(const char *text, void *object, const char **problem)
{
    return cli_item_keep(NULL, text, object, problem);
}

static enum dx_err parse_header(const char *text, void *object, const char **problem)
{
    return cli_header_parse(text, object, problem);
}

static void release_header(void *object)
{
    cli_header_release(object);
}

static enum dx_err parse_cookie(const char *text, void *object, const char **problem)
{
    const char *equals = strchr(text, '=');
    bool is_pair =
        equals && equals != text && !strchr(text, ';') && cli_header_value_is_valid(text);

    return cli_item_keep(is_pair ? NULL : "not a cookie (write NAME=VALUE)", text, object, problem);
}

static enum dx_err parse_close_code(const char *text, void *object, const char **problem)
{
    *problem = cli_close_code_parse(text, object);
    return *problem ? DX_ERR_USAGE : DX_OK;
}

const struct cli_item cli_item_address = {sizeof(const char *), parse_address, NULL};
const struct cli_item cli_item_port = {sizeof(const char *), parse_port, NULL};
const struct cli_item cli_item_origin = {sizeof(const char *), parse_origin, NULL};
const struct cli_item cli_item_host = {sizeof(const char *), parse_host, NULL};
const struct cli_item cli_item_subprotocol = {sizeof(const char *), parse_subprotocol, NULL};
const struct cli_item cli_item_text = {sizeof(const char *), parse_text, NULL};
const struct cli_item cli_item_cookie = {sizeof(const char *), parse_cookie, NULL};
const struct cli_item cli_item_header = {sizeof(struct cli_header), parse_header, release_header};
const struct cli_item cli_item_close_code = {sizeof(uint16_t), parse_close_code, NULL};
