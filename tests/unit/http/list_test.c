/*
 * list_test.c - comma lists over several lines, quoted strings, empty members, broken ones.
 */
#include "feed.h"

#include "http/list.h"

static struct dx_head head;

/* All members of the header X, each in angle brackets; ! at the end when the list is broken. */
static const char *members(const char *lines)
{
    static char result[512];
    char text[512];
    size_t len = 0;
    int text_len = snprintf(text, sizeof(text), "GET / HTTP/1.1\r\n%s\r\n\r\n", lines);
    struct dx_list list;
    struct dx_slice member;
    enum dx_list_step step;

    assert_int_equal(feed(&head, DX_HEAD_REQUEST, text, (size_t)text_len), DX_HEAD_DONE);
    dx_list_init(&list, &head, "x");
    while ((step = dx_list_next(&list, &member)) == DX_LIST_MEMBER)
        len += (size_t)snprintf(result + len, sizeof(result) - len, "<%.*s>", (int)member.len,
                                (const char *)member.data);
    snprintf(result + len, sizeof(result) - len, "%s", step == DX_LIST_BAD ? "!" : "");
    return result;
}

static void members_come_in_order(void **state)
{
    (void)state;
    assert_string_equal(members("Y: a"), "");
    assert_string_equal(members("X:"), "");
    assert_string_equal(members("X: a"), "<a>");
    assert_string_equal(members("X: a,b , c\t,\td"), "<a><b><c><d>");
    assert_string_equal(members("X: a\r\nY: z\r\nx: b, c"), "<a><b><c>");
    assert_string_equal(members("X: ,,a,, ,b,"), "<a><b>");
    assert_string_equal(members("X: ,\r\nX: \r\nX: a"), "<a>");
}

static void quoted_strings_hide_commas(void **state)
{
    (void)state;
    assert_string_equal(members("X: a;b=\"c,d\", e"), "<a;b=\"c,d\"><e>");
    assert_string_equal(members("X: \"a\\\"b,\\\\\",c"), "<\"a\\\"b,\\\\\"><c>");
    assert_string_equal(members("X: \"\""), "<\"\">");
    assert_string_equal(members("X: a, \"b"), "<a>!");
    assert_string_equal(members("X: \"b\\"), "!");
    assert_string_equal(members("X: \"b\\\""), "!");
    assert_string_equal(members("X: \"a\tb\""), "<\"a\tb\">");
}

static void a_value_can_be_walked_alone(void **state)
{
    struct dx_list list;
    struct dx_slice member;

    (void)state;
    dx_list_init_value(&list, dx_slice_of("a, \"\x01\""));
    assert_int_equal(dx_list_next(&list, &member), DX_LIST_MEMBER);
    assert_true(dx_slice_is(member, "a"));
    assert_int_equal(dx_list_next(&list, &member), DX_LIST_BAD);
}

static void tokens_are_found_whatever_their_case(void **state)
{
    const char *text = "GET / HTTP/1.1\r\nConnection: keep-alive\r\nConnection: x, UpGrade\r\n\r\n";

    (void)state;
    assert_int_equal(feed(&head, DX_HEAD_REQUEST, text, strlen(text)), DX_HEAD_DONE);
    assert_true(dx_list_has_token(&head, "connection", "upgrade"));
    assert_true(dx_list_has_token(&head, "connection", "Keep-Alive"));
    assert_false(dx_list_has_token(&head, "connection", "up"));
    assert_false(dx_list_has_token(&head, "upgrade", "upgrade"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_come_in_order),
        cmocka_unit_test(quoted_strings_hide_commas),
        cmocka_unit_test(a_value_can_be_walked_alone),
        cmocka_unit_test(tokens_are_found_whatever_their_case),
    };

    return run_group(tests, NULL, NULL);
}
