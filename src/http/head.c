/*
 * head.c - the parser of heads: each byte is scanned once when it comes, and each line is parsed
 * once when its LF has come.
 *
 * Every decision depends on one byte, its position, and the bytes before it, never on how many came
 * at once. That is why the result does not depend on how the input is cut.
 */
#include "http/head.h"

#include "base/text.h"

enum {
    STATE_FIRST_LINE,          /* an empty line may come first */
    STATE_FIRST_LINE_FOR_SURE, /* the empty line has come */
    STATE_HEADERS,
    STATE_DONE,
    STATE_REFUSED,
};

static void refuse(struct dx_head *head, uint16_t status, const char *detail)
{
    head->state = STATE_REFUSED;
    head->refusal = (struct dx_refusal){status, detail};
}

void dx_head_init(struct dx_head *head, enum dx_head_kind kind)
{
    /* The headers are not cleared: header_count says how many are valid. */
    memset(head, 0, offsetof(struct dx_head, headers));
    head->kind = (uint8_t)kind;
    head->state = kind == DX_HEAD_REQUEST ? STATE_FIRST_LINE : STATE_FIRST_LINE_FOR_SURE;
}

void dx_head_rebase(struct dx_head *head, const uint8_t *bytes)
{
    head->bytes = bytes;
}

/* ---- the bytes ---- */

static bool is_control(uint8_t byte)
{
    return (byte < 0x20 && byte != '\t' && byte != '\r') || byte == 0x7f;
}

static void refuse_control(struct dx_head *head, size_t at, uint8_t byte)
{
    if (at == 0 && byte == 0x16)
        refuse(head, 400, "TLS was spoken to a port without TLS");
    else if (byte == 0)
        refuse(head, 400, "NUL in the head");
    else
        refuse(head, 400, "control character in the head");
}

static void refuse_long_line(struct dx_head *head)
{
    if (head->state == STATE_HEADERS)
        refuse(head, 431, "header line too long");
    else
        refuse(head, 414, "first line too long");
}

/*
 * Checks the byte at `at` together with the one before it. True: the line continues, or ends
 * properly here.
 */
static bool check_byte(struct dx_head *head, const struct dx_head_limits *limits, size_t at)
{
    uint8_t byte = head->bytes[at];
    size_t line_len = at - head->line_at + (byte != '\r');
    size_t max_len = head->state == STATE_HEADERS ? limits->header_len : limits->start_line_len;
    bool is_after_cr = at > head->line_at && head->bytes[at - 1] == '\r';

    if (at >= limits->total_len)
        refuse(head, 431, "head too long");
    else if (is_after_cr != (byte == '\n'))
        refuse(head, 400, is_after_cr ? "CR without LF" : "LF without CR");
    else if (byte == '\n')
        return true;
    else if (line_len > max_len)
        refuse_long_line(head);
    else if (is_control(byte))
        refuse_control(head, at, byte);
    return head->state != STATE_REFUSED;
}

/* ---- the lines ---- */

static struct dx_span span_between(size_t begin, size_t end)
{
    return (struct dx_span){(uint16_t)begin, (uint16_t)(end - begin)};
}

/* The offset of the first `byte` in [begin, end), or `end`. */
static size_t find_byte(const struct dx_head *head, size_t begin, size_t end, uint8_t byte)
{
    const uint8_t *found = memchr(head->bytes + begin, byte, end - begin);

    return found ? (size_t)(found - head->bytes) : end;
}

/* Reads HTTP/1.x and keeps x. False: refused. */
static bool parse_version(struct dx_head *head, size_t begin, size_t end)
{
    const uint8_t *text = head->bytes + begin;

    if (end - begin != 8 || memcmp(text, "HTTP/", 5) != 0 || !dx_text_is_digit(text[5]) ||
        text[6] != '.' || !dx_text_is_digit(text[7])) {
        refuse(head, 400, "malformed HTTP version");
        return false;
    }
    if (text[5] != '1') {
        refuse(head, 505, "HTTP version not supported");
        return false;
    }
    head->minor = (uint8_t)(text[7] - '0');
    return true;
}

static bool is_target(struct dx_slice target)
{
    for (size_t i = 0; i < target.len; i++)
        if (target.data[i] <= 0x20 || target.data[i] >= 0x7f)
            return false;
    return target.len > 0;
}

static void parse_request_line(struct dx_head *head, size_t end)
{
    size_t begin = head->line_at;
    size_t method_end = find_byte(head, begin, end, ' ');
    size_t target_end;

    if (method_end == end) {
        refuse(head, 400, "malformed request line");
        return;
    }
    target_end = find_byte(head, method_end + 1, end, ' ');
    head->method = span_between(begin, method_end);
    head->target = span_between(method_end + 1, target_end);
    if (!dx_text_is_token(dx_head_slice(head, head->method)))
        refuse(head, 400, "malformed method");
    else if (target_end == end)
        refuse(head, 400, "malformed request line");
    else if (!is_target(dx_head_slice(head, head->target)))
        refuse(head, 400, "malformed request target");
    else if (parse_version(head, target_end + 1, end))
        head->state = STATE_HEADERS;
}

/* A server without a reason phrase may also omit the blank before it: common, and harmless. */
static void parse_status_line(struct dx_head *head, size_t end)
{
    size_t begin = head->line_at;
    size_t version_end = find_byte(head, begin, end, ' ');
    size_t status_end = version_end + 4;
    uint64_t status;

    if (!parse_version(head, begin, version_end))
        return;
    if (status_end > end || (status_end < end && head->bytes[status_end] != ' ') ||
        dx_text_parse_decimal(
            (struct dx_slice){head->bytes + version_end + 1, status_end - version_end - 1}, 999,
            &status) ||
        status < 100) {
        refuse(head, 400, "malformed status line");
        return;
    }
    head->status = (uint16_t)status;
    head->reason = span_between(status_end < end ? status_end + 1 : end, end);
    head->state = STATE_HEADERS;
}

static void refuse_name(struct dx_head *head, size_t name_end, size_t end)
{
    uint8_t byte = name_end < end ? head->bytes[name_end] : 0;

    if (name_end == head->line_at && (byte == ' ' || byte == '\t'))
        refuse(head, 400, "folded header line");
    else if (name_end == head->line_at && byte == ':')
        refuse(head, 400, "header without a name");
    else if (find_byte(head, name_end, end, ':') == end)
        refuse(head, 400, "header line without a colon");
    else if (byte == ' ' || byte == '\t')
        refuse(head, 400, "blank before a header's colon");
    else
        refuse(head, 400, "malformed header name");
}

static void parse_header(struct dx_head *head, size_t max_count, size_t end)
{
    size_t name_end = head->line_at;
    size_t begin;
    struct dx_head_field *header;

    if (head->header_count >= max_count || head->header_count >= DX_HEAD_HEADERS_MAX) {
        refuse(head, 431, "too many headers");
        return;
    }
    while (name_end < end && dx_text_is_token_byte(head->bytes[name_end]))
        name_end++;
    if (name_end == head->line_at || name_end == end || head->bytes[name_end] != ':') {
        refuse_name(head, name_end, end);
        return;
    }
    begin = name_end + 1;
    while (begin < end && (head->bytes[begin] == ' ' || head->bytes[begin] == '\t'))
        begin++;
    while (end > begin && (head->bytes[end - 1] == ' ' || head->bytes[end - 1] == '\t'))
        end--;
    header = &head->headers[head->header_count++];
    header->name = span_between(head->line_at, name_end);
    header->value = span_between(begin, end);
}

/* Parses the line whose CR is at `end`. */
static void parse_line(struct dx_head *head, const struct dx_head_limits *limits, size_t end)
{
    bool is_empty = end == head->line_at;

    head->examined_len += (uint32_t)(end - head->line_at);
    if (head->state == STATE_HEADERS && is_empty)
        head->state = STATE_DONE;
    else if (head->state == STATE_HEADERS)
        parse_header(head, limits->header_count, end);
    else if (is_empty && head->state == STATE_FIRST_LINE)
        head->state = STATE_FIRST_LINE_FOR_SURE;
    else if (head->kind == DX_HEAD_REQUEST)
        parse_request_line(head, end);
    else
        parse_status_line(head, end);
}

enum dx_head_status dx_head_parse(struct dx_head *head, const struct dx_head_limits *limits,
                                  const uint8_t *bytes, size_t len)
{
    head->bytes = bytes;
    for (size_t at = head->scanned_len; at < len && head->state < STATE_DONE; at++) {
        head->examined_len++;
        if (!check_byte(head, limits, at))
            break;
        head->scanned_len = (uint16_t)(at + 1);
        if (bytes[at] != '\n')
            continue;
        parse_line(head, limits, at - 1);
        head->line_at = head->scanned_len;
    }
    if (head->state == STATE_REFUSED)
        return DX_HEAD_REFUSED;
    if (head->state != STATE_DONE)
        return DX_HEAD_MORE;
    head->len = head->scanned_len;
    return DX_HEAD_DONE;
}

/* ---- lookup ---- */

bool dx_head_next(const struct dx_head *head, const char *name, size_t *index,
                  struct dx_slice *value)
{
    for (size_t i = *index; i < head->header_count; i++) {
        if (!dx_text_is_nocase(dx_head_slice(head, head->headers[i].name), name))
            continue;
        if (value)
            *value = dx_head_slice(head, head->headers[i].value);
        *index = i + 1;
        return true;
    }
    return false;
}

bool dx_head_find(const struct dx_head *head, const char *name, struct dx_slice *value)
{
    size_t index = 0;

    return dx_head_next(head, name, &index, value);
}

size_t dx_head_count(const struct dx_head *head, const char *name)
{
    size_t count = 0;
    size_t index = 0;

    while (dx_head_next(head, name, &index, NULL))
        count++;
    return count;
}
