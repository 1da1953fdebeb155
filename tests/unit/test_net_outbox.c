#include "test_net_outbox_fixture.h"

// {"n":"xxx…"} with that many bytes in all (at least 8).
static struct lsig_body *body_of(size_t len)
{
    assert_true(len >= 8);
    struct lsig_body *body = lsig_body_new(len);
    memset(body->data, 'x', len);
    memcpy(body->data, "{\"n\":\"", 6);
    memcpy(body->data + len - 2, "\"}", 2);
    return body;
}

static void a_frame_of_every_length_is_the_body_behind_its_header(void **state)
{
    (void)state;
    static const size_t lengths[] = {8,   9,   124,   125,   126,   127,
                                     255, 256, 65535, 65536, 65537, 300000};
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        struct lsig_outbox outbox = {0};
        struct lsig_body *body = body_of(lengths[i]);
        lsig_outbox_push(&outbox, body);
        size_t size = lsig_outbox_next_size(&outbox);
        unsigned char *out = malloc(size);
        size_t len = lsig_outbox_fill(&outbox, LSIG_COMPAT, false, out, size);
        size_t header = lengths[i] < 126 ? 2 : lengths[i] < 65536 ? 4 : 10;
        assert_int_equal(len, lengths[i] + header);
        struct lsig_span payload;
        assert_ptr_equal(read_frame(out, out + len, &payload), out + len);
        assert_true(lsig_span_equal(payload, (struct lsig_span){body->data, body->len}));
        assert_int_equal(body->refs, 1);
        lsig_body_unref(body);
        lsig_outbox_clear(&outbox);
        free(out);
    }
}

static void in_v1_every_frame_begins_with_the_next_seq(void **state)
{
    (void)state;
    struct lsig_outbox outbox = {.seq = 0};
    unsigned char out[4096];
    for (int i = 1; i <= 12; i++) {
        char wanted[48];
        struct lsig_span payload;
        push(&outbox, numbered(i));
        size_t len = lsig_outbox_fill(&outbox, LSIG_V1, false, out, sizeof(out));
        read_frame(out, out + len, &payload);
        snprintf(wanted, sizeof(wanted), "{\"seq\":%d,\"n\":%d}", i, i);
        assert_true(lsig_span_is(payload, wanted));
    }
    assert_int_equal(outbox.seq, 12);
    outbox.seq = UINT64_MAX - 1;
    push(&outbox, numbered(1));
    struct lsig_span payload;
    size_t len = lsig_outbox_fill(&outbox, LSIG_V1, false, out, sizeof(out));
    read_frame(out, out + len, &payload);
    assert_true(lsig_span_is(payload, "{\"seq\":18446744073709551615,\"n\":1}"));
    lsig_outbox_clear(&outbox);
}

static void the_seq_counts_for_the_length_of_the_frame(void **state)
{
    (void)state;
    // {"seq":1, is 9 bytes in place of the brace: 8 more.
    static const size_t lengths[] = {117, 118, 65527, 65528};
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        struct lsig_outbox outbox = {0};
        unsigned char *out = malloc(70000);
        struct lsig_span payload;
        push(&outbox, body_of(lengths[i]));
        size_t len = lsig_outbox_fill(&outbox, LSIG_V1, false, out, 70000);
        assert_ptr_equal(read_frame(out, out + len, &payload), out + len);
        assert_int_equal(payload.len, lengths[i] + 8);
        lsig_outbox_clear(&outbox);
        free(out);
    }
}

static void one_body_serves_both_dialects(void **state)
{
    (void)state;
    struct lsig_outbox compat = {0};
    struct lsig_outbox v1 = {.seq = 41};
    unsigned char out[64];
    struct lsig_body *body = numbered(7);
    lsig_outbox_push(&compat, body);
    lsig_outbox_push(&v1, body);
    assert_int_equal(body->refs, 3);
    lsig_body_unref(body);
    struct lsig_span payload;
    size_t len = lsig_outbox_fill(&v1, LSIG_V1, false, out, sizeof(out));
    read_frame(out, out + len, &payload);
    assert_true(lsig_span_is(payload, "{\"seq\":42,\"n\":7}"));
    len = lsig_outbox_fill(&compat, LSIG_COMPAT, false, out, sizeof(out));
    read_frame(out, out + len, &payload);
    assert_true(lsig_span_is(payload, "{\"n\":7}"));
    lsig_outbox_clear(&compat);
    lsig_outbox_clear(&v1);
}

static void frames_leave_in_order_however_the_ring_turns(void **state)
{
    (void)state;
    struct lsig_outbox outbox = {0};
    int pushed = 0;
    int popped = 0;
    for (int round = 0; round < 200; round++) {
        for (int i = 0; i < 1 + round % 37; i++) {
            push(&outbox, numbered(pushed++));
        }
        unsigned char out[600]; // never room for all of them
        size_t len = lsig_outbox_fill(&outbox, LSIG_COMPAT, false, out, sizeof(out));
        for (const unsigned char *at = out; at < out + len; popped++) {
            char wanted[32];
            struct lsig_span payload;
            at = read_frame(at, out + len, &payload);
            snprintf(wanted, sizeof(wanted), "{\"n\":%d}", popped);
            assert_true(lsig_span_is(payload, wanted));
        }
        assert_int_equal(outbox.waiting, pushed - popped);
        if (round % 50 == 49) {
            lsig_outbox_clear(&outbox);
            popped = pushed;
        }
    }
    lsig_outbox_clear(&outbox);
}

static void the_bytes_are_those_of_what_waits(void **state)
{
    (void)state;
    struct lsig_outbox outbox = {0};
    unsigned char out[1024];
    uint32_t each = 100 + sizeof(struct lsig_body *);
    for (uint32_t i = 1; i <= 10; i++) {
        push(&outbox, body_of(100));
        assert_int_equal(outbox.bytes, i * each);
    }
    lsig_outbox_fill(&outbox, LSIG_COMPAT, false, out, 102 + 141); // a second may need 142
    assert_int_equal(outbox.waiting, 9);
    assert_int_equal(outbox.bytes, 9 * each);
    lsig_outbox_fill(&outbox, LSIG_COMPAT, false, out, 102);
    assert_int_equal(outbox.waiting, 9);
    lsig_outbox_clear(&outbox);
    assert_int_equal(outbox.bytes, 0);
    assert_int_equal(outbox.waiting, 0);
}

static void a_frame_that_does_not_fit_stays_first(void **state)
{
    (void)state;
    struct lsig_outbox outbox = {0};
    unsigned char out[256];
    assert_int_equal(lsig_outbox_next_size(&outbox), 0);
    assert_int_equal(lsig_outbox_fill(&outbox, LSIG_COMPAT, false, out, sizeof(out)), 0);
    struct lsig_body *large = body_of(1000);
    lsig_outbox_push(&outbox, large);
    push(&outbox, numbered(1));
    assert_int_equal(lsig_outbox_fill(&outbox, LSIG_V1, false, out, sizeof(out)), 0);
    assert_true(lsig_outbox_next_size(&outbox) > 1000);
    assert_int_equal(outbox.waiting, 2);
    assert_int_equal(outbox.seq, 0); // a number is given when the frame is written
    lsig_body_unref(large);
    lsig_outbox_clear(&outbox);
}

static void a_frame_fits_into_the_room_that_was_said(void **state)
{
    (void)state;
    static const size_t lengths[] = {8, 125, 65527, 65536};
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        struct lsig_outbox outbox = {.seq = UINT64_MAX - 1};
        push(&outbox, body_of(lengths[i]));
        size_t size = lsig_outbox_next_size(&outbox);
        unsigned char *out = malloc(size); // AddressSanitizer watches its end
        assert_true(lsig_outbox_fill(&outbox, LSIG_V1, false, out, size) <= size);
        assert_int_equal(outbox.waiting, 0);
        lsig_outbox_clear(&outbox);
        free(out);
    }
}

static void a_large_ring_is_given_back_when_it_is_empty(void **state)
{
    (void)state;
    struct lsig_outbox outbox = {0};
    static unsigned char out[65536];
    for (int i = 0; i < 1000; i++) {
        push(&outbox, numbered(i));
    }
    assert_true(outbox.capacity >= 1000);
    lsig_outbox_fill(&outbox, LSIG_COMPAT, false, out, sizeof(out));
    assert_int_equal(outbox.waiting, 0);
    assert_null(outbox.ring);
    assert_int_equal(outbox.capacity, 0);
    push(&outbox, numbered(1)); // and made again
    lsig_outbox_fill(&outbox, LSIG_COMPAT, false, out, sizeof(out));
    assert_non_null(outbox.ring); // a small one is kept
    lsig_outbox_clear(&outbox);
    assert_null(outbox.ring);
}

static void clearing_gives_every_reference_back(void **state)
{
    (void)state;
    struct lsig_outbox outbox = {0};
    struct lsig_body *body = numbered(1);
    for (int i = 0; i < 20; i++) {
        lsig_outbox_push(&outbox, body);
    }
    assert_int_equal(body->refs, 21);
    lsig_outbox_clear(&outbox);
    assert_int_equal(body->refs, 1);
    lsig_outbox_clear(&outbox);
    lsig_body_unref(body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_frame_of_every_length_is_the_body_behind_its_header),
        cmocka_unit_test(in_v1_every_frame_begins_with_the_next_seq),
        cmocka_unit_test(the_seq_counts_for_the_length_of_the_frame),
        cmocka_unit_test(one_body_serves_both_dialects),
        cmocka_unit_test(frames_leave_in_order_however_the_ring_turns),
        cmocka_unit_test(the_bytes_are_those_of_what_waits),
        cmocka_unit_test(a_frame_that_does_not_fit_stays_first),
        cmocka_unit_test(a_frame_fits_into_the_room_that_was_said),
        cmocka_unit_test(a_large_ring_is_given_back_when_it_is_empty),
        cmocka_unit_test(clearing_gives_every_reference_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
