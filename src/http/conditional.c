/*
 * conditional.c - preconditions (RFC 9110 section 13) and entity tags (8.8.3). Validators are made
 * elsewhere.
 */
#include "http/conditional.h"

#include "base/text.h"
#include "http/date.h"

/* ---- entity tags ---- */

/*
 * In a tag a backslash is an ordinary character, so a list of tags is not a list of quoted strings
 * (8.8.3).
 */
static bool is_tag_byte(uint8_t byte)
{
    return byte == 0x21 || (byte >= 0x23 && byte != 0x7f);
}

static void skip(struct dx_slice *text, size_t len)
{
    text->data += len;
    text->len -= len;
}

static void skip_blanks_and_commas(struct dx_slice *text)
{
    while (text->len > 0 && (text->data[0] == ' ' || text->data[0] == '\t' || text->data[0] == ','))
        skip(text, 1);
}

/* Takes the first tag, with its quotes and without its W/. False: there is none. */
static bool take_tag(struct dx_slice *text, struct dx_slice *tag, bool *is_weak)
{
    size_t len = 1;

    *is_weak = text->len > 2 && text->data[0] == 'W' && text->data[1] == '/';
    if (*is_weak)
        skip(text, 2);
    if (text->len < 2 || text->data[0] != '"')
        return false;
    while (len < text->len && is_tag_byte(text->data[len]))
        len++;
    if (len == text->len || text->data[len] != '"')
        return false;
    *tag = (struct dx_slice){text->data, len + 1};
    skip(text, len + 1);
    return true;
}

/* Compares a tag of the request with ours: strongly (both must be strong) or weakly (8.8.3.2). */
static bool is_same_tag(struct dx_slice tag, bool is_weak, const char *etag, bool is_strong)
{
    bool ours_is_weak = etag[0] == 'W';

    if (is_strong && (is_weak || ours_is_weak))
        return false;
    return dx_slice_is(tag, ours_is_weak ? etag + 2 : etag);
}

static bool line_has_tag(struct dx_slice line, const char *etag, bool is_strong)
{
    struct dx_slice tag;
    bool is_weak;

    if (dx_slice_is(line, "*"))
        return true;
    for (skip_blanks_and_commas(&line); line.len > 0; skip_blanks_and_commas(&line)) {
        if (!take_tag(&line, &tag, &is_weak))
            return false;
        if (is_same_tag(tag, is_weak, etag, is_strong))
            return true;
    }
    return false;
}

static bool has_tag(const struct dx_head *head, const char *name, const char *etag, bool is_strong)
{
    struct dx_slice line;
    size_t index = 0;

    while (dx_head_next(head, name, &index, &line))
        if (line_has_tag(line, etag, is_strong))
            return true;
    return false;
}

/* ---- dates ---- */

static bool find_date(const struct dx_head *head, const char *name, int64_t now_s, int64_t *date_s)
{
    struct dx_slice value;

    return dx_head_count(head, name) == 1 && dx_head_find(head, name, &value) &&
           dx_date_read(value, now_s, date_s) == DX_OK;
}

/* ---- the order of 13.2.2 ---- */

static bool may_go_on(const struct dx_head *head, const struct dx_validators *validators,
                      int64_t now_s)
{
    int64_t date_s;

    if (dx_head_count(head, "If-Match") > 0)
        return has_tag(head, "If-Match", validators->etag, true);
    return !find_date(head, "If-Unmodified-Since", now_s, &date_s) ||
           validators->modified_s <= date_s;
}

static bool is_known(const struct dx_head *head, const struct dx_validators *validators,
                     int64_t now_s)
{
    int64_t date_s;

    if (dx_head_count(head, "If-None-Match") > 0)
        return has_tag(head, "If-None-Match", validators->etag, false);
    return find_date(head, "If-Modified-Since", now_s, &date_s) && validators->modified_s <= date_s;
}

enum dx_condition dx_condition_judge(const struct dx_head *head,
                                     const struct dx_validators *validators, int64_t now_s)
{
    if (!may_go_on(head, validators, now_s))
        return DX_CONDITION_FAILED;
    return is_known(head, validators, now_s) ? DX_CONDITION_NOT_MODIFIED : DX_CONDITION_HOLDS;
}

bool dx_condition_if_range(const struct dx_head *head, const struct dx_validators *validators,
                           int64_t now_s)
{
    struct dx_slice value, tag;
    int64_t date_s;
    bool is_weak;

    if (dx_head_count(head, "If-Range") == 0)
        return true;
    if (dx_head_count(head, "If-Range") > 1 || !dx_head_find(head, "If-Range", &value))
        return false;
    if (take_tag(&value, &tag, &is_weak))
        return value.len == 0 && is_same_tag(tag, is_weak, validators->etag, true);
    return validators->is_date_strong && find_date(head, "If-Range", now_s, &date_s) &&
           date_s == validators->modified_s;
}
