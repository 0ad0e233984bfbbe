/*
 * outbox_test.c - the outbox as a list: order, bounds, what each policy does when it is full, with
 * each allocation failing.
 */
#include "client/websocket/outbox.h"

#include "support/failing/allocator.h"
#include "support/test.h"

#include <stdio.h>
#include <string.h>

static struct dx_outbox outbox;

static void init(enum dx_outbox_full when_full, size_t max_len, uint32_t max_count)
{
    struct dx_outbox_options options = {.size = sizeof(options),
                                        .when_full = when_full,
                                        .max_len = max_len,
                                        .max_count = max_count};

    dx_outbox_init(&outbox, &options);
}

static enum dx_err add(const char *text)
{
    return dx_outbox_add(&outbox, DX_OP_TEXT, text, strlen(text));
}

static void send_some(size_t count)
{
    while (count-- > 0)
        dx_outbox_note_sent(&outbox);
}

/* What is in it: what was sent in brackets. */
static void expect(const char *want)
{
    char text[128] = "[";
    size_t len = 0, unsent_len = 0, sent_count = 0, count = 0;
    bool is_sent = true;

    for (const struct dx_outbox_item *item = outbox.first; item != NULL; item = item->next) {
        if (item == outbox.next_unsent) {
            strcat(text, "]");
            is_sent = false;
        }
        strncat(text, (const char *)item->bytes, item->len);
        len += item->len;
        unsent_len += is_sent ? 0 : item->len;
        sent_count += is_sent;
        count++;
        assert_true(item->next != NULL || outbox.last == item);
    }
    if (is_sent)
        strcat(text, "]");
    assert_string_equal(text, want);
    assert_int_equal(outbox.len, len);
    assert_int_equal(outbox.unsent_len, unsent_len);
    assert_int_equal(outbox.count, count);
    assert_int_equal(outbox.sent_count, sent_count);
}

static void test_order(void **state)
{
    (void)state;
    init(DX_OUTBOX_REFUSE, 100, 100);
    expect("[]");
    assert_int_equal(dx_outbox_sent_number(&outbox), 0);
    assert_int_equal(add("a"), DX_OK);
    assert_int_equal(add(""), DX_OK);
    assert_int_equal(add("bc"), DX_OK);
    assert_int_equal(add("d"), DX_OK);
    expect("[]abcd");
    send_some(3);
    expect("[abc]d");
    assert_int_equal(dx_outbox_sent_number(&outbox), 3);
    dx_outbox_forget(&outbox, 1);
    expect("[bc]d");
    dx_outbox_rewind(&outbox);
    expect("[]bcd");
    send_some(3);
    expect("[bcd]");
    assert_int_equal(dx_outbox_sent_number(&outbox), 4);
    assert_int_equal(add("e"), DX_OK);
    expect("[bcd]e");
    dx_outbox_forget(&outbox, 99); /* nothing that was not sent */
    expect("[]e");
    dx_outbox_release(&outbox);
    expect("[]");
}

static void test_refuse(void **state)
{
    (void)state;
    init(DX_OUTBOX_REFUSE, 4, 3);
    assert_int_equal(add("abcde"), DX_ERR_QUEUE_FULL);
    assert_int_equal(add("ab"), DX_OK);
    assert_int_equal(add("cde"), DX_ERR_QUEUE_FULL);
    assert_false(dx_outbox_has_room(&outbox, 3));
    assert_true(dx_outbox_has_room(&outbox, 2));
    assert_true(dx_outbox_has_room(&outbox, 5)); /* waiting does not help */
    assert_int_equal(add("c"), DX_OK);
    assert_int_equal(add("d"), DX_OK);
    assert_int_equal(add(""), DX_ERR_QUEUE_FULL); /* the count */
    expect("[]abcd");
    dx_outbox_release(&outbox);
}

static void test_drop_newest(void **state)
{
    (void)state;
    init(DX_OUTBOX_DROP_NEWEST, 3, 100);
    assert_int_equal(add("ab"), DX_OK);
    assert_int_equal(add("cd"), DX_OK);
    expect("[]ab");
    assert_int_equal(outbox.dropped_count, 1);
    assert_int_equal(add("abcd"), DX_ERR_QUEUE_FULL);
    assert_true(dx_outbox_has_room(&outbox, 3));
    dx_outbox_release(&outbox);
}

static void test_drop_oldest(void **state)
{
    (void)state;
    init(DX_OUTBOX_DROP_OLDEST, 5, 100);
    assert_int_equal(add("a"), DX_OK);
    assert_int_equal(add("b"), DX_OK);
    assert_int_equal(add("c"), DX_OK);
    assert_int_equal(add("d"), DX_OK);
    send_some(1);
    expect("[a]bcd");
    assert_int_equal(add("efg"), DX_OK); /* what was sent stays */
    expect("[a]defg");
    assert_int_equal(add("hijk"), DX_OK);
    expect("[a]hijk");
    assert_int_equal(outbox.dropped_count, 4);
    /* Nothing is dropped for one that does not fit all the same: a is in its way. */
    assert_int_equal(add("lmnop"), DX_ERR_QUEUE_FULL);
    assert_false(dx_outbox_has_room(&outbox, 5));
    expect("[a]hijk");
    assert_true(dx_outbox_has_room(&outbox, 4));
    send_some(1);
    assert_false(dx_outbox_has_room(&outbox, 1));
    assert_int_equal(add("x"), DX_ERR_QUEUE_FULL);
    expect("[ahijk]");
    dx_outbox_release(&outbox);
}

static void test_no_memory(void **state)
{
    (void)state;
    init(DX_OUTBOX_REFUSE, 100, 100);
    failing_allocator_start(2);
    assert_int_equal(add("a"), DX_OK);
    assert_int_equal(add("b"), DX_ERR_NOMEM);
    assert_int_equal(add("c"), DX_OK);
    expect("[]ac");
    dx_outbox_release(&outbox);
    assert_true(failing_allocator_stop());
    assert_int_equal(failing_allocator_live(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),       cmocka_unit_test(test_refuse),
        cmocka_unit_test(test_drop_newest), cmocka_unit_test(test_drop_oldest),
        cmocka_unit_test(test_no_memory),
    };

    return run_group(tests, NULL, NULL);
}
