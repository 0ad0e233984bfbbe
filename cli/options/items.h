/*
 * items.h - kinds of values that several commands' options have. A kind that one command has is in
 * that command's folder.
 */
#ifndef CLI_ITEMS_H
#define CLI_ITEMS_H

#include "cli/options/options.h"

/* const char *, checked and kept as they are. */
extern const struct cli_item cli_item_address;
extern const struct cli_item cli_item_port;
extern const struct cli_item cli_item_origin;
extern const struct cli_item cli_item_host;
extern const struct cli_item cli_item_subprotocol;
extern const struct cli_item cli_item_text;
extern const struct cli_item cli_item_cookie;

extern const struct cli_item cli_item_header;     /* struct cli_header */
extern const struct cli_item cli_item_close_code; /* uint16_t */

/** For an item's parser: keeps `text` if `found` is NULL, else hands on what is wrong with it. */
enum dx_err cli_item_keep(const char *found, const char *text, void *object, const char **problem);

#endif
