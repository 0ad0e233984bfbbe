/*
 * range.c - RFC 9110 section 14.1.2: bytes=FIRST-LAST, bytes=FIRST-, bytes=-COUNT. If-Range is in
 * conditional.h; that only GET may have a range is checked elsewhere.
 *
 * Numbers may have any length: one above 64 bits is beyond the end of every file.
 */
#include "http/range.h"

#include "base/text.h"
#include "http/list.h"

/*
 * Takes the digits at the front; `*has_value` says whether there are any. A number that is too
 * large becomes UINT64_MAX.
 */
static uint64_t take_number(struct dx_slice *text, bool *has_value)
{
    uint64_t value = 0;

    *has_value = false;
    while (text->len > 0 && dx_text_is_digit(text->data[0])) {
        unsigned digit = (unsigned)text->data[0] - '0';

        value = value > (UINT64_MAX - digit) / 10 ? UINT64_MAX : value * 10 + digit;
        *has_value = true;
        text->data++;
        text->len--;
    }
    return value;
}

static enum dx_range_kind last_bytes(uint64_t wanted, uint64_t len, uint64_t *at, uint64_t *count)
{
    if (wanted == 0)
        return DX_RANGE_UNSATISFIABLE;
    if (len == 0)
        return DX_RANGE_WHOLE; /* satisfiable, but a Content-Range of no bytes cannot be written */
    *count = wanted < len ? wanted : len;
    *at = len - *count;
    return DX_RANGE_PART;
}

static enum dx_range_kind read_spec(struct dx_slice spec, uint64_t len, uint64_t *at,
                                    uint64_t *count)
{
    bool has_first, has_last;
    uint64_t first = take_number(&spec, &has_first), last;

    if (spec.len == 0 || spec.data[0] != '-')
        return DX_RANGE_WHOLE;
    spec = (struct dx_slice){spec.data + 1, spec.len - 1};
    last = take_number(&spec, &has_last);
    if (spec.len > 0 || (!has_first && !has_last))
        return DX_RANGE_WHOLE;
    if (!has_first)
        return last_bytes(last, len, at, count);
    if (has_last && last < first)
        return DX_RANGE_WHOLE;
    if (first >= len)
        return DX_RANGE_UNSATISFIABLE;
    *at = first;
    *count = has_last && last < len ? last - first + 1 : len - first;
    return DX_RANGE_PART;
}

/* The only member of a list; empty members are ignored. */
static bool find_only(struct dx_slice value, struct dx_slice *only)
{
    struct dx_slice other;
    struct dx_list list;

    dx_list_init_value(&list, value);
    return dx_list_next(&list, only) == DX_LIST_MEMBER &&
           dx_list_next(&list, &other) == DX_LIST_END;
}

enum dx_range_kind dx_range_read(const struct dx_head *head, uint64_t len, uint64_t *at,
                                 uint64_t *count)
{
    static const char unit[] = "bytes=";
    const size_t unit_len = sizeof(unit) - 1;
    struct dx_slice value, only;

    if (dx_head_count(head, "Range") != 1 || !dx_head_find(head, "Range", &value))
        return DX_RANGE_WHOLE;
    if (value.len < unit_len || !dx_text_is_nocase((struct dx_slice){value.data, unit_len}, unit) ||
        !find_only((struct dx_slice){value.data + unit_len, value.len - unit_len}, &only))
        return DX_RANGE_WHOLE;
    return read_spec(only, len, at, count);
}
