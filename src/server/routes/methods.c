/*
 * methods.c - parsing and comparing lists of methods. Not responsible for what a request with
 * another method gets.
 */
#include "server/routes/methods.h"

#include "base/text.h"
#include "http/list.h"

size_t dx_methods_room(const char *text)
{
    size_t member_count = 1;

    for (; *text != '\0'; text++)
        member_count += *text == ',';
    return 2 * member_count; /* one of them may be GET, and HEAD is in the list, too */
}

static bool is_listed(const struct dx_methods *methods, struct dx_slice method)
{
    for (size_t index = 0; index < methods->count; index++)
        if (dx_slice_equal(methods->names[index], method))
            return true;
    return false;
}

static void add(struct dx_methods *methods, struct dx_slice method)
{
    if (!is_listed(methods, method))
        methods->names[methods->count++] = method;
}

bool dx_methods_parse(struct dx_methods *methods, const char *text)
{
    struct dx_slice member;
    enum dx_list_step step;
    struct dx_list list;

    methods->count = 0;
    dx_list_init_value(&list, dx_slice_of(text));
    while ((step = dx_list_next(&list, &member)) == DX_LIST_MEMBER) {
        if (!dx_text_is_token(member))
            return false;
        add(methods, member);
        if (dx_slice_is(member, "GET"))
            add(methods, dx_slice_of("HEAD"));
    }
    return step == DX_LIST_END && methods->count > 0;
}

bool dx_methods_have(const struct dx_methods *methods, struct dx_slice method)
{
    return methods->count == 0 || is_listed(methods, method);
}

bool dx_methods_overlap(const struct dx_methods *one, const struct dx_methods *other)
{
    for (size_t index = 0; index < one->count; index++)
        if (dx_methods_have(other, one->names[index]))
            return true;
    return one->count == 0;
}
