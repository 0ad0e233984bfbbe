/*
 * response.c - see response.h.
 */
#include "http/response.h"

#include "base/text.h"
#include "http/date.h"

static const struct status_row {
    unsigned status;
    const char *text;
} status_rows[] = {
    {100, "Continue"},
    {101, "Switching Protocols"},
    {200, "OK"},
    {204, "No Content"},
    {206, "Partial Content"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {407, "Proxy Authentication Required"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Range Not Satisfiable"},
    {417, "Expectation Failed"},
    {421, "Misdirected Request"},
    {426, "Upgrade Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
};

const char *dx_status_text(unsigned status)
{
    for (size_t i = 0; i < sizeof(status_rows) / sizeof(status_rows[0]); i++)
        if (status_rows[i].status == status)
            return status_rows[i].text;
    return "Unknown";
}

static void add(struct dx_response_head *response, struct dx_slice text)
{
    if (response->err)
        return;
    if (text.len > response->room - response->len) {
        response->err = DX_ERR_TOO_BIG;
        return;
    }
    if (text.len > 0)
        memcpy(response->text + response->len, text.data, text.len);
    response->len += text.len;
}

static void add_text(struct dx_response_head *response, const char *text)
{
    add(response, dx_slice_of(text));
}

#define NUMBER_MAX 20 /* the digits of UINT64_MAX */

/* Writes the digits of `value` at the end of `digits`. */
static struct dx_slice number_text(uint64_t value, char digits[NUMBER_MAX])
{
    size_t at = NUMBER_MAX;

    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    return (struct dx_slice){(uint8_t *)digits + at, NUMBER_MAX - at};
}

static void add_number(struct dx_response_head *response, uint64_t value)
{
    char digits[NUMBER_MAX];

    add(response, number_text(value, digits));
}

void dx_response_head_begin(struct dx_response_head *response, char *text, size_t room,
                            unsigned status)
{
    *response = (struct dx_response_head){.text = text, .room = room};
    add_text(response, "HTTP/1.1 ");
    add_number(response, status);
    add_text(response, " ");
    add_text(response, dx_status_text(status));
    add_text(response, "\r\n");
}

static bool has_control(struct dx_slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((text.data[i] < 0x20 && text.data[i] != '\t') || text.data[i] == 0x7f)
            return true;
    return false;
}

void dx_response_head_add(struct dx_response_head *response, const char *name,
                          struct dx_slice value)
{
    if (!response->err && (!dx_text_is_token(dx_slice_of(name)) || has_control(value)))
        response->err = DX_ERR_USAGE;
    add_text(response, name);
    add_text(response, ": ");
    add(response, value);
    add_text(response, "\r\n");
}

void dx_response_head_add_text(struct dx_response_head *response, const char *name,
                               const char *value)
{
    dx_response_head_add(response, name, dx_slice_of(value));
}

void dx_response_head_add_number(struct dx_response_head *response, const char *name,
                                 uint64_t value)
{
    char digits[NUMBER_MAX];

    dx_response_head_add(response, name, number_text(value, digits));
}

void dx_response_head_security_headers(struct dx_response_head *response)
{
    add_text(response, "X-Content-Type-Options: nosniff\r\n"
                       "X-Frame-Options: DENY\r\n"
                       "Referrer-Policy: no-referrer\r\n"
                       "Cross-Origin-Resource-Policy: same-origin\r\n");
}

enum dx_err dx_response_head_end(struct dx_response_head *response, size_t *len)
{
    add_text(response, "\r\n");
    if (response->err)
        return response->err;
    *len = response->len;
    return DX_OK;
}

bool dx_response_is_header(const struct dx_header *header)
{
    return dx_text_is_token(dx_slice_of(header->name)) && !has_control(dx_slice_of(header->value));
}

/* ---- answers to refused requests ---- */

#define ANSWER_MAX 2048

static void add_body(struct dx_response_head *body, const struct dx_error_answer *answer)
{
    add_number(body, answer->status);
    add_text(body, " ");
    add_text(body, dx_status_text(answer->status));
    if (answer->detail) {
        if (has_control(dx_slice_of(answer->detail)) && !body->err)
            body->err = DX_ERR_USAGE;
        add_text(body, ": ");
        add_text(body, answer->detail);
    }
    add_text(body, "\n");
}

static void add_headers(struct dx_response_head *head, const struct dx_error_answer *answer,
                        size_t body_len)
{
    char date[DX_DATE_LEN + 1];

    if (answer->unix_seconds > 0) {
        dx_date_write((int64_t)answer->unix_seconds, date);
        dx_response_head_add_text(head, "Date", date);
    }
    dx_response_head_add_text(head, "Content-Type", "text/plain; charset=utf-8");
    dx_response_head_add_number(head, "Content-Length", body_len);
    dx_response_head_security_headers(head);
    if (answer->header_name)
        dx_response_head_add_text(head, answer->header_name, answer->header_value);
    /* RFC 9110 7.8: a sender of Upgrade names it in Connection, too. */
    if (answer->header_name && dx_text_is_nocase(dx_slice_of(answer->header_name), "upgrade"))
        dx_response_head_add_text(head, "Connection",
                                  answer->keep_alive ? "upgrade" : "upgrade, close");
    else if (!answer->keep_alive)
        dx_response_head_add_text(head, "Connection", "close");
}

enum dx_err dx_response_error(struct dx_output *output, const struct dx_error_answer *answer)
{
    char body_text[ANSWER_MAX];
    char text[ANSWER_MAX];
    struct dx_response_head body = {.text = body_text, .room = sizeof(body_text)};
    struct dx_response_head head;
    size_t len;
    enum dx_err err;

    add_body(&body, answer);
    if (body.err)
        return body.err;
    dx_response_head_begin(&head, text, sizeof(text), answer->status);
    add_headers(&head, answer, body.len);
    err = dx_response_head_end(&head, &len);
    if (err)
        return err;
    if (!answer->is_head_request) {
        if (body.len > sizeof(text) - len)
            return DX_ERR_TOO_BIG;
        memcpy(text + len, body_text, body.len);
        len += body.len;
    }
    return dx_output_append(output, text, len);
}
