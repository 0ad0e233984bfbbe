/*
 * list.c - RFC 9110 section 5.6.1: lists, and quoted strings that may contain a comma.
 */
#include "http/list.h"

#include "base/text.h"

void dx_list_init(struct dx_list *list, const struct dx_head *head, const char *name)
{
    *list = (struct dx_list){.head = head, .name = name};
}

void dx_list_init_value(struct dx_list *list, struct dx_slice value)
{
    *list = (struct dx_list){.rest = value};
}

/* The position after the closing quote of the quoted string at `at`; 0: it does not end. */
static size_t skip_quoted(struct dx_slice text, size_t at)
{
    for (at++; at < text.len; at++) {
        if (text.data[at] == '"')
            return at + 1;
        if (text.data[at] == '\\')
            at++;
        if (at < text.len && text.data[at] != '\t' &&
            (text.data[at] < 0x20 || text.data[at] == 0x7f))
            return 0;
    }
    return 0;
}

enum dx_list_step dx_list_next(struct dx_list *list, struct dx_slice *member)
{
    for (;;) {
        struct dx_slice text = list->rest;
        size_t at = 0;

        if (text.len == 0) {
            if (!list->head || !dx_head_next(list->head, list->name, &list->line, &list->rest))
                return DX_LIST_END;
            continue;
        }
        while (at < text.len && text.data[at] != ',') {
            at = text.data[at] == '"' ? skip_quoted(text, at) : at + 1;
            if (at == 0)
                return DX_LIST_BAD;
        }
        *member = dx_text_trim((struct dx_slice){text.data, at});
        if (at < text.len)
            at++;
        list->rest = (struct dx_slice){text.data + at, text.len - at};
        if (member->len > 0)
            return DX_LIST_MEMBER;
    }
}

bool dx_list_has_token(const struct dx_head *head, const char *name, const char *token)
{
    struct dx_list list;
    struct dx_slice member;

    dx_list_init(&list, head, name);
    while (dx_list_next(&list, &member) == DX_LIST_MEMBER)
        if (dx_text_is_nocase(member, token))
            return true;
    return false;
}
