/*
 * header.c - headers and close codes of the command line (RFC 9110 5.1, 5.5; RFC 6455 7.4).
 */
#include "cli/options/header.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/options/number.h"

/* Headers of the handshake itself, which are not for the user to choose (RFC 6455 4.1). */
static const char *const reserved[] = {"Host",
                                       "Upgrade",
                                       "Connection",
                                       "Sec-WebSocket-Key",
                                       "Sec-WebSocket-Version",
                                       "Sec-WebSocket-Extensions",
                                       "Content-Length",
                                       "Transfer-Encoding",
                                       NULL};

bool cli_header_value_is_valid(const char *text)
{
    for (; *text; text++)
        if (((unsigned char)*text < 0x20 && *text != '\t') || *text == 0x7f)
            return false;
    return true;
}

/* NULL, or what is wrong with a header whose name has `name_len` bytes. */
static const char *check_header(const char *text, size_t name_len)
{
    struct dx_slice name = dx_slice_of_len(text, name_len);

    if (text[name_len] != ':' || !dx_text_is_token(name))
        return "not a header (write 'Name: value')";
    for (size_t i = 0; reserved[i]; i++)
        if (dx_text_is_nocase(name, reserved[i]))
            return "the handshake says this itself (leave it out)";
    if (dx_text_is_nocase(name, "Sec-WebSocket-Protocol"))
        return "the handshake says this itself (write --subprotocol=NAME)";
    if (!cli_header_value_is_valid(text + name_len + 1))
        return "a control character in it (a header is one line)";
    return NULL;
}

enum dx_err cli_header_parse(const char *text, struct cli_header *header, const char **problem)
{
    size_t name_len = strcspn(text, ":");
    struct dx_slice value;
    char *memory;

    *problem = check_header(text, name_len);
    if (*problem)
        return DX_ERR_USAGE;
    value = dx_text_trim(dx_slice_of(text + name_len + 1));
    memory = calloc(1, name_len + value.len + 2);
    if (!memory)
        return DX_ERR_NOMEM;
    memcpy(memory, text, name_len);
    memcpy(memory + name_len + 1, value.data, value.len);
    *header = (struct cli_header){memory, memory + name_len + 1};
    return DX_OK;
}

void cli_header_release(struct cli_header *header)
{
    free(header->name);
    header->name = NULL;
}

const char *cli_close_code_parse(const char *text, uint16_t *code)
{
    uint64_t number;

    if (cli_count_parse(text, &number) || number < 1000 || number > 4999)
        return "not a close code (write a number from 1000 to 4999)";
    *code = (uint16_t)number;
    return NULL;
}
