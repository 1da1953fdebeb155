#include "test_net_outbox_fixture.h"

// Sends everything; the frames' texts, with blanks between.
static const char *sent(struct lsig_outbox *outbox, enum lsig_dialect dialect, bool keep)
{
    static char texts[4096];
    static unsigned char out[65536];
    size_t len = lsig_outbox_fill(outbox, dialect, keep, out, sizeof(out));
    size_t used = 0;
    texts[0] = '\0';
    for (const unsigned char *at = out; at < out + len;) {
        struct lsig_span payload;
        at = read_frame(at, out + len, &payload);
        used += (size_t)snprintf(texts + used, sizeof(texts) - used, "%s%.*s", used > 0 ? " " : "",
                                 LSIG_SPAN_ARG(payload));
    }
    return texts;
}

static void fill_with(struct lsig_outbox *outbox, int first, int last)
{
    for (int i = first; i <= last; i++) {
        push(outbox, numbered(i));
    }
}

static void what_the_client_missed_is_sent_again_once_in_order_and_with_the_same_seq(void **state)
{
    (void)state;
    struct lsig_outbox outbox = {0};
    fill_with(&outbox, 1, 5);
    sent(&outbox, LSIG_V1, true);
    fill_with(&outbox, 6, 7); // came while it was away
    assert_int_equal(lsig_outbox_rewind(&outbox, 3), 4);
    assert_string_equal(sent(&outbox, LSIG_V1, true),
                        "{\"seq\":4,\"n\":4} {\"seq\":5,\"n\":5} {\"seq\":6,\"n\":6} "
                        "{\"seq\":7,\"n\":7}");
    assert_string_equal(sent(&outbox, LSIG_V1, true), "");
    fill_with(&outbox, 8, 8);
    assert_string_equal(sent(&outbox, LSIG_V1, true), "{\"seq\":8,\"n\":8}");
    assert_int_equal(lsig_outbox_rewind(&outbox, 6), 2); // and again, later
    assert_string_equal(sent(&outbox, LSIG_V1, true), "{\"seq\":7,\"n\":7} {\"seq\":8,\"n\":8}");
    lsig_outbox_clear(&outbox);
}

static void one_who_missed_nothing_gets_nothing(void **state)
{
    (void)state;
    struct lsig_outbox outbox = {0};
    fill_with(&outbox, 1, 3);
    sent(&outbox, LSIG_V1, true);
    assert_int_equal(lsig_outbox_rewind(&outbox, 3), 0);
    assert_true(lsig_outbox_is_idle(&outbox));
    assert_int_equal(outbox.kept, 0);
    lsig_outbox_clear(&outbox);
}

static void a_seq_that_is_not_kept_or_was_never_sent_cannot_be_resumed(void **state)
{
    (void)state;
    struct lsig_outbox outbox = {0};
    fill_with(&outbox, 1, 5);
    sent(&outbox, LSIG_V1, true);
    lsig_outbox_trim(&outbox, 2, UINT32_MAX); // 4 and 5 are left
    assert_int_equal(outbox.kept, 2);
    struct lsig_outbox copy = {0};
    fill_with(&copy, 1, 5);
    sent(&copy, LSIG_V1, true);
    assert_int_equal(lsig_outbox_rewind(&copy, 6), -1); // from the future
    assert_int_equal(lsig_outbox_rewind(&outbox, 2), -1);
    assert_int_equal(outbox.kept, 0);
    assert_false(outbox.lossy);
    fill_with(&outbox, 6, 6); // the seq goes on
    assert_string_equal(sent(&outbox, LSIG_V1, true), "{\"seq\":6,\"n\":6}");
    assert_int_equal(lsig_outbox_rewind(&outbox, 5), 1);
    lsig_outbox_clear(&outbox);
    lsig_outbox_clear(&copy);
}

static void dropping_what_waits_is_a_loss_and_dropping_what_was_kept_is_none(void **state)
{
    (void)state;
    struct lsig_outbox outbox = {0};
    fill_with(&outbox, 1, 2);
    sent(&outbox, LSIG_V1, true);
    lsig_outbox_trim(&outbox, 0, 0);
    assert_false(outbox.lossy);
    assert_int_equal(lsig_outbox_rewind(&outbox, 2), 0);
    fill_with(&outbox, 3, 3);
    lsig_outbox_clear(&outbox);
    assert_true(outbox.lossy);
    assert_int_equal(lsig_outbox_rewind(&outbox, 2), -1);
    assert_false(outbox.lossy); // it has been told
}

static void what_a_pong_confirms_is_not_kept(void **state)
{
    (void)state;
    struct lsig_outbox outbox = {0};
    fill_with(&outbox, 1, 4);
    sent(&outbox, LSIG_V1, true);
    uint32_t each = outbox.kept_bytes / 4;
    lsig_outbox_confirm(&outbox, 3);
    assert_int_equal(outbox.kept, 1);
    assert_int_equal(outbox.kept_bytes, each);
    lsig_outbox_confirm(&outbox, 3);
    assert_int_equal(outbox.kept, 1);
    assert_int_equal(lsig_outbox_rewind(&outbox, 2), -1);
    lsig_outbox_clear(&outbox);
}

static void the_first_frame_goes_before_all_and_has_no_seq(void **state)
{
    (void)state;
    struct lsig_outbox outbox = {0};
    struct lsig_body *first = numbered(0);
    fill_with(&outbox, 1, 1);
    sent(&outbox, LSIG_V1, true);
    fill_with(&outbox, 2, 2);
    assert_int_equal(lsig_outbox_rewind(&outbox, 0), 2);
    uint32_t before = outbox.bytes;
    lsig_outbox_push_first(&outbox, first);
    assert_true(outbox.bytes > before);
    assert_string_equal(sent(&outbox, LSIG_V1, true),
                        "{\"n\":0} {\"seq\":1,\"n\":1} {\"seq\":2,\"n\":2}");
    assert_int_equal(first->refs, 1);
    lsig_outbox_push_first(&outbox, first);
    assert_int_equal(lsig_outbox_rewind(&outbox, 2), 0); // one that never left is forgotten
    assert_true(lsig_outbox_is_idle(&outbox));
    assert_int_equal(outbox.bytes, 0);
    lsig_body_unref(first);
    lsig_outbox_clear(&outbox);
}

static void a_frame_that_is_good_for_once_is_not_kept_and_nothing_before_it(void **state)
{
    (void)state;
    struct lsig_outbox outbox = {0};
    struct lsig_body *once = numbered(3);
    once->once = true;
    fill_with(&outbox, 1, 2);
    lsig_outbox_push(&outbox, once);
    fill_with(&outbox, 4, 5);
    sent(&outbox, LSIG_V1, true);
    assert_int_equal(once->refs, 1);
    assert_int_equal(outbox.kept, 2);
    assert_int_equal(lsig_outbox_rewind(&outbox, 3), 2);
    lsig_body_unref(once);
    lsig_outbox_clear(&outbox);
}

static void after_a_restart_what_was_sent_counts_as_sent(void **state)
{
    (void)state;
    struct lsig_outbox outbox = {0};
    fill_with(&outbox, 5, 9);
    lsig_outbox_mark_sent(&outbox, 3, 7);
    assert_int_equal(outbox.waiting, 2);
    assert_int_equal(lsig_outbox_rewind(&outbox, 6), 3);
    assert_string_equal(sent(&outbox, LSIG_V1, true),
                        "{\"seq\":7,\"n\":7} {\"seq\":8,\"n\":8} {\"seq\":9,\"n\":9}");
    lsig_outbox_clear(&outbox);
}

static void compat_keeps_only_what_was_not_sent(void **state)
{
    (void)state;
    struct lsig_outbox outbox = {0};
    fill_with(&outbox, 1, 3);
    assert_string_equal(sent(&outbox, LSIG_COMPAT, true), "{\"n\":1} {\"n\":2} {\"n\":3}");
    assert_int_equal(outbox.kept, 0);
    fill_with(&outbox, 4, 5);
    assert_int_equal(lsig_outbox_rewind(&outbox, 0), 2);
    assert_string_equal(sent(&outbox, LSIG_COMPAT, true), "{\"n\":4} {\"n\":5}");
    lsig_outbox_clear(&outbox);
}

// Against a list of everything that was ever pushed, at random.
static void resuming_at_random_never_loses_repeats_or_reorders(void **state)
{
    (void)state;
    unsigned seed = 20261122;
    for (int round = 0; round < 300; round++) {
        struct lsig_outbox outbox = {0};
        int pushed = 0;
        uint64_t got = 0; // the last seq that the client has, which is also the last number
        for (int step = 0; step < 60; step++) {
            unsigned char out[512];
            seed = seed * 1103515245 + 12345;
            switch (seed >> 16 & 3) {
            case 0:
                push(&outbox, numbered(++pushed));
                break;
            case 1: { // some are sent, and the first few of those come
                size_t len = lsig_outbox_fill(&outbox, LSIG_V1, true, out, sizeof(out));
                unsigned arrive = seed >> 20 & 7;
                for (const unsigned char *at = out; at < out + len && arrive > 0; arrive--) {
                    char wanted[48];
                    struct lsig_span payload;
                    at = read_frame(at, out + len, &payload);
                    got += 1;
                    snprintf(wanted, sizeof(wanted), "{\"seq\":%d,\"n\":%d}", (int)got, (int)got);
                    assert_true(lsig_span_is(payload, wanted));
                }
                assert_true(lsig_outbox_rewind(&outbox, got) >= 0); // the socket breaks
                break;
            }
            case 2:
                lsig_outbox_confirm(&outbox, got);
                break;
            default:
                assert_int_equal(outbox.seq + outbox.waiting, pushed);
            }
        }
        lsig_outbox_clear(&outbox);
        assert_int_equal(outbox.bytes + outbox.kept_bytes, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_client_missed_is_sent_again_once_in_order_and_with_the_same_seq),
        cmocka_unit_test(one_who_missed_nothing_gets_nothing),
        cmocka_unit_test(a_seq_that_is_not_kept_or_was_never_sent_cannot_be_resumed),
        cmocka_unit_test(dropping_what_waits_is_a_loss_and_dropping_what_was_kept_is_none),
        cmocka_unit_test(what_a_pong_confirms_is_not_kept),
        cmocka_unit_test(the_first_frame_goes_before_all_and_has_no_seq),
        cmocka_unit_test(a_frame_that_is_good_for_once_is_not_kept_and_nothing_before_it),
        cmocka_unit_test(after_a_restart_what_was_sent_counts_as_sent),
        cmocka_unit_test(compat_keeps_only_what_was_not_sent),
        cmocka_unit_test(resuming_at_random_never_loses_repeats_or_reorders),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
