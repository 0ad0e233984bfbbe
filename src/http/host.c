/*
 * host.c - see host.h. The IPv4 and IPv6 parsers follow the WHATWG URL standard section 3.5.
 */
#include "http/host.h"

#include "base/text.h"

static bool fail(const char **detail, const char *text)
{
    *detail = text;
    return false;
}

static void set_text(struct dx_host *host, struct dx_slice text)
{
    for (size_t i = 0; i < text.len; i++)
        host->text[i] = (char)dx_text_lower(text.data[i]);
    host->text[text.len] = 0;
    host->len = (uint8_t)text.len;
}

/* ---- IPv4 ---- */

/*
 * Reads one part: decimal, 0 octal, 0x hexadecimal. A number that is too large becomes UINT32_MAX +
 * 1.
 */
static bool parse_ipv4_part(struct dx_slice part, uint64_t *value)
{
    unsigned base = 10;

    if (part.len == 0)
        return false;
    if (part.len >= 2 && part.data[0] == '0') {
        base = (part.data[1] | 0x20) == 'x' ? 16 : 8;
        part.data += base == 16 ? 2 : 1;
        part.len -= base == 16 ? 2 : 1;
    }
    *value = 0;
    for (size_t i = 0; i < part.len; i++) {
        int digit = dx_text_hex_value(part.data[i]);

        if (digit < 0 || (unsigned)digit >= base)
            return false;
        *value = *value * base + (unsigned)digit;
        if (*value > UINT32_MAX)
            *value = (uint64_t)UINT32_MAX + 1;
    }
    return true;
}

/* Takes the text after the last dot from `*rest`. Without a dot that is the whole text. */
static struct dx_slice take_last_part(struct dx_slice *rest)
{
    size_t begin = rest->len;
    struct dx_slice part;

    while (begin > 0 && rest->data[begin - 1] != '.')
        begin--;
    part = (struct dx_slice){rest->data + begin, rest->len - begin};
    rest->len = begin > 0 ? begin - 1 : 0;
    return part;
}

static bool ends_in_number(struct dx_slice text)
{
    struct dx_slice part;
    uint64_t value;
    bool is_digits;

    if (text.len > 0 && text.data[text.len - 1] == '.')
        text.len--;
    part = take_last_part(&text);
    is_digits = part.len > 0;
    for (size_t i = 0; i < part.len; i++)
        is_digits = is_digits && dx_text_is_digit(part.data[i]);
    return is_digits || parse_ipv4_part(part, &value);
}

static size_t write_decimal(char *text, unsigned value)
{
    size_t len = 0;

    if (value >= 100)
        text[len++] = (char)('0' + value / 100);
    if (value >= 10)
        text[len++] = (char)('0' + value / 10 % 10);
    text[len++] = (char)('0' + value % 10);
    return len;
}

static void write_ipv4(struct dx_host *host)
{
    size_t len = 0;

    for (unsigned i = 0; i < 4; i++) {
        if (i > 0)
            host->text[len++] = '.';
        len += write_decimal(host->text + len, host->address[i]);
    }
    host->text[len] = 0;
    host->len = (uint8_t)len;
}

/* The last part fills all bytes that the earlier parts leave. */
static bool parse_ipv4(struct dx_slice text, struct dx_host *host)
{
    uint64_t parts[4];
    size_t count = 1;
    size_t at = 0;
    uint64_t address;

    if (text.len > 0 && text.data[text.len - 1] == '.')
        text.len--;
    for (size_t i = 0; i < text.len; i++)
        count += text.data[i] == '.';
    if (count > 4)
        return false;
    for (size_t i = 0; i < count; i++) {
        size_t begin = at;

        while (at < text.len && text.data[at] != '.')
            at++;
        if (!parse_ipv4_part((struct dx_slice){text.data + begin, at - begin}, &parts[i]) ||
            (i + 1 < count && parts[i] > 255))
            return false;
        at++;
    }
    if (parts[count - 1] >= UINT64_C(1) << (8 * (5 - count)))
        return false;
    address = parts[count - 1];
    for (size_t i = 0; i + 1 < count; i++)
        address |= parts[i] << (24 - 8 * i);
    for (size_t i = 0; i < 4; i++)
        host->address[i] = (uint8_t)(address >> (24 - 8 * i));
    host->kind = DX_HOST_IPV4;
    write_ipv4(host);
    return true;
}

/* ---- IPv6 ---- */

/* Plain dotted decimals at the end of an IPv6 address: no leading zero, exactly four. */
static bool parse_dotted(struct dx_slice text, uint8_t bytes[4])
{
    size_t at = 0;

    for (unsigned i = 0; i < 4; i++) {
        unsigned value = 0;
        size_t begin = at;

        for (; at < text.len && dx_text_is_digit(text.data[at]); at++)
            if (at - begin < 3)
                value = value * 10 + text.data[at] - '0';
        if (at == begin || at - begin > 3 || value > 255 ||
            (at - begin > 1 && text.data[begin] == '0'))
            return false;
        if (i < 3 && (at == text.len || text.data[at++] != '.'))
            return false;
        bytes[i] = (uint8_t)value;
    }
    return at == text.len;
}

/* One group of at most four hexadecimal digits; returns how many digits it has. */
static size_t parse_group(struct dx_slice text, size_t at, unsigned *value)
{
    size_t begin = at;

    *value = 0;
    for (; at < text.len && at - begin < 4 && dx_text_hex_value(text.data[at]) >= 0; at++)
        *value = *value << 4 | (unsigned)dx_text_hex_value(text.data[at]);
    return at - begin;
}

#define NO_GAP 17 /* a gap can be at 0 to 16 */

/* Moves the bytes after the `::` (at byte `gap`) to the end. */
static void open_gap(uint8_t address[16], size_t gap, size_t filled)
{
    size_t moved = filled - gap;

    memmove(address + 16 - moved, address + gap, moved);
    memset(address + gap, 0, 16 - filled);
}

/* The groups of an address that is being read. */
struct groups {
    struct dx_slice text;
    size_t at;
    uint8_t *address;
    size_t filled; /* bytes of the address */
    size_t gap;    /* the byte at which a `::` is, or NO_GAP */
};

/* Reads one group, or the dotted decimals that end the address. */
static bool read_group(struct groups *groups)
{
    struct dx_slice rest = {groups->text.data + groups->at, groups->text.len - groups->at};
    unsigned value;
    size_t digits = parse_group(groups->text, groups->at, &value);

    if (digits == 0 || groups->filled > 14)
        return false;
    if (digits < rest.len && rest.data[digits] == '.') {
        if (groups->filled > 12 || !parse_dotted(rest, groups->address + groups->filled))
            return false;
        groups->filled += 4;
        groups->at = groups->text.len;
        return true;
    }
    groups->address[groups->filled++] = (uint8_t)(value >> 8);
    groups->address[groups->filled++] = (uint8_t)value;
    groups->at += digits;
    return true;
}

/* Reads what follows a group: a colon with a group after it, or the only `::`. */
static bool read_colon(struct groups *groups)
{
    struct dx_slice text = groups->text;

    if (text.data[groups->at++] != ':' || groups->at == text.len)
        return false;
    if (text.data[groups->at] != ':')
        return true;
    if (groups->gap != NO_GAP)
        return false;
    groups->gap = groups->filled;
    groups->at++;
    return true;
}

static bool parse_groups(struct groups *groups)
{
    if (groups->text.len >= 1 && groups->text.data[0] == ':') {
        if (groups->text.len < 2 || groups->text.data[1] != ':')
            return false;
        groups->gap = 0;
        groups->at = 2;
    }
    while (groups->at < groups->text.len)
        if (!read_group(groups) || (groups->at < groups->text.len && !read_colon(groups)))
            return false;
    return groups->gap == NO_GAP ? groups->filled == 16 : groups->filled <= 14;
}

/*
 * The first of the longest runs of two or more zero groups: the index of its first group; 8: there
 * is none.
 */
static unsigned find_zeros(const unsigned groups[8], unsigned *count)
{
    unsigned best = 8;

    *count = 1;
    for (unsigned begin = 0; begin < 8; begin++) {
        unsigned end = begin;

        while (end < 8 && groups[end] == 0)
            end++;
        if (end - begin > *count) {
            best = begin;
            *count = end - begin;
        }
    }
    return best;
}

static void write_ipv6(struct dx_host *host)
{
    static const char digits[] = "0123456789abcdef";
    unsigned groups[8];
    unsigned zero_count;
    unsigned zeros;
    size_t len = 0;

    for (unsigned i = 0; i < 8; i++)
        groups[i] = (unsigned)host->address[2 * i] << 8 | host->address[2 * i + 1];
    zeros = find_zeros(groups, &zero_count);
    for (unsigned i = 0; i < 8; i++) {
        if (i == zeros) {
            host->text[len++] = ':';
            if (i == 0)
                host->text[len++] = ':';
            i += zero_count - 1;
            continue;
        }
        for (unsigned shift = 12; shift <= 12; shift -= 4)
            if (shift == 0 || groups[i] >> shift)
                host->text[len++] = digits[groups[i] >> shift & 15];
        if (i < 7)
            host->text[len++] = ':';
    }
    host->text[len] = 0;
    host->len = (uint8_t)len;
}

static bool parse_ipv6(struct dx_slice text, struct dx_host *host)
{
    struct groups groups = {.text = text, .address = host->address, .gap = NO_GAP};

    if (!parse_groups(&groups))
        return false;
    if (groups.gap != NO_GAP)
        open_gap(host->address, groups.gap, groups.filled);
    host->kind = DX_HOST_IPV6;
    write_ipv6(host);
    return true;
}

/* ---- hosts and authorities ---- */

/* The WHATWG's forbidden domain code points, and everything that is not ASCII. */
static bool is_name_byte(uint8_t byte)
{
    return byte > 0x20 && byte < 0x7f && !strchr("#/:<>?@[\\]^|%", byte);
}

bool dx_host_parse(struct dx_slice text, struct dx_host *host, const char **detail)
{
    struct dx_host parsed = {0};

    if (text.len == 0)
        return fail(detail, "the host is empty");
    if (text.len > DX_HOST_MAX)
        return fail(detail, "the host is too long");
    if (text.data[0] == '[') {
        if (text.data[text.len - 1] != ']' ||
            !parse_ipv6((struct dx_slice){text.data + 1, text.len - 2}, &parsed))
            return fail(detail, "malformed IPv6 address");
        *host = parsed;
        return true;
    }
    for (size_t i = 0; i < text.len; i++)
        if (!is_name_byte(text.data[i]))
            return fail(detail, "a character that no host name has");
    if (!ends_in_number(text))
        set_text(&parsed, text);
    else if (!parse_ipv4(text, &parsed))
        return fail(detail, "malformed IPv4 address");
    *host = parsed;
    return true;
}

bool dx_authority_parse(struct dx_slice text, struct dx_authority *authority, const char **detail)
{
    size_t end = text.len;
    struct dx_authority parsed = {0};
    uint64_t port = 0;

    /* The last colon that is not inside brackets. */
    while (end > 0 && text.data[end - 1] != ':' && text.data[end - 1] != ']')
        end--;
    if (end > 0 && text.data[end - 1] == ':') {
        struct dx_slice digits = {text.data + end, text.len - end};

        if (digits.len > 0 && dx_text_parse_decimal(digits, 65535, &port))
            return fail(detail, "malformed port");
        parsed.has_port = digits.len > 0;
        parsed.port = (uint16_t)port;
        text.len = end - 1;
    }
    if (!dx_host_parse(text, &parsed.host, detail))
        return false;
    *authority = parsed;
    return true;
}

bool dx_host_equal(const struct dx_host *a, const struct dx_host *b)
{
    return a->kind == b->kind && a->len == b->len && memcmp(a->text, b->text, a->len) == 0;
}

bool dx_host_is_loopback(const struct dx_host *host)
{
    static const uint8_t ipv6[16] = {[15] = 1};
    static const char suffix[] = ".localhost";
    size_t len = host->len;

    if (host->kind == DX_HOST_IPV4)
        return host->address[0] == 127;
    if (host->kind == DX_HOST_IPV6)
        return memcmp(host->address, ipv6, sizeof(ipv6)) == 0;
    if (len > 0 && host->text[len - 1] == '.')
        len--;
    if (len == 9)
        return memcmp(host->text, suffix + 1, 9) == 0;
    return len > 10 && memcmp(host->text + len - 10, suffix, 10) == 0;
}
