/*
 * items.h - the things that repeatable options collect, each as a parser that a list can call.
 */
#ifndef CLI_ITEMS_H
#define CLI_ITEMS_H

#include "cli/options/options.h"

extern const struct cli_item cli_item_address;
extern const struct cli_item cli_item_port;
extern const struct cli_item cli_item_variable;
extern const struct cli_item cli_item_route;
extern const struct cli_item cli_item_static;
extern const struct cli_item cli_item_origin;
extern const struct cli_item cli_item_host;
extern const struct cli_item cli_item_subprotocol;
extern const struct cli_item cli_item_text;
extern const struct cli_item cli_item_header;
extern const struct cli_item cli_item_cookie;
extern const struct cli_item cli_item_close_code;

#endif
