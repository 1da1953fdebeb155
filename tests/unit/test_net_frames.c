#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "net/frames.h"

#define KEY "\1\2\3\4"
#define BYTES(text) (const unsigned char *)(text), sizeof(text) - 1

// Whole, and byte by byte: the same verdict, and together the same bytes before the breach.
static const char *walk(const unsigned char *bytes, size_t len, size_t *good)
{
    struct lsig_frames whole = {0};
    struct lsig_frames parts = {0};
    const char *verdict = lsig_frames_walk(&whole, bytes, len, good);
    const char *part_verdict = NULL;
    size_t at = 0;
    while (at < len && part_verdict == NULL) {
        size_t one;
        part_verdict = lsig_frames_walk(&parts, bytes + at, 1, &one);
        if (part_verdict == NULL && one == 0) {
            break; // behind a close frame
        }
        at += 1;
    }
    if (verdict != part_verdict) {
        fail_msg("whole: %s, in parts: %s", verdict, part_verdict);
    }
    return verdict;
}

static const struct {
    const unsigned char *bytes;
    size_t len;
} good_ones[] = {
    {BYTES("\x81\x80" KEY)},
    {BYTES("\x81\x82" KEY "ab")},
    {BYTES("\x82\x82" KEY "ab")},
    {BYTES("\x01\x81" KEY "a\x00\x81" KEY "b\x80\x81" KEY "c\x81\x80" KEY)},
    {BYTES("\x01\x81" KEY "a\x89\x80" KEY "\x8a\x81" KEY "p\x80\x80" KEY)},
    {BYTES("\x88\x80" KEY)},
    {BYTES("\x81\xfe\x00\x7e" KEY)},
    {BYTES("\x81\xff\0\0\0\0\0\1\0\0" KEY)},
    {BYTES("\x81\xff\x7f\xff\xff\xff\xff\xff\xff\xff" KEY "and so on")},
};

static void good_frames_pass_whole_and_in_parts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(good_ones) / sizeof(good_ones[0]); i++) {
        size_t good;
        assert_null(walk(good_ones[i].bytes, good_ones[i].len, &good));
        assert_int_equal(good, good_ones[i].len);
    }
}

static const struct {
    const unsigned char *bytes;
    size_t len;
    size_t good;
    const char *breach;
} bad_ones[] = {
    {BYTES("\xc1\x80" KEY), 0, "reserved bits without an extension"},
    {BYTES("\xa1\x80" KEY), 0, "reserved bits without an extension"},
    {BYTES("\x91\x80" KEY), 0, "reserved bits without an extension"},
    {BYTES("\x83\x80" KEY), 0, "a reserved opcode"},
    {BYTES("\x87\x80" KEY), 0, "a reserved opcode"},
    {BYTES("\x8b\x80" KEY), 0, "a reserved opcode"},
    {BYTES("\x8f\x80" KEY), 0, "a reserved opcode"},
    {BYTES("\x09\x80" KEY), 0, "a control frame in fragments"},
    {BYTES("\x80\x80" KEY), 0, "a continuation of nothing"},
    {BYTES("\x81\x81" KEY "a\x80\x80" KEY), 7, "a continuation of nothing"},
    {BYTES("\x01\x81" KEY "a\x81\x80" KEY), 7, "a new message inside of another"},
    {BYTES("\x01\x81" KEY "a\x02\x80" KEY), 7, "a new message inside of another"},
    {BYTES("\x81\x02"
           "ab"),
     0, "a frame without a mask"},
    {BYTES("\x89\x80" KEY "\x88\x02\x03\xe8"), 6, "a frame without a mask"},
    {BYTES("\x89\xfe\x00\x7e" KEY), 0, "a control frame above 125 bytes"},
    {BYTES("\x81\xfe\x00\x7d" KEY), 0, "a length that is not the shortest"},
    {BYTES("\x81\xff\0\0\0\0\0\0\xff\xff" KEY), 0, "a length that is not the shortest"},
    {BYTES("\x81\xff\x80\0\0\0\0\0\0\0" KEY), 0, "a length above 2^63"},
};

static void a_frame_that_breaks_a_rule_is_named_and_what_came_before_it_is_kept(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(bad_ones) / sizeof(bad_ones[0]); i++) {
        size_t good;
        const char *breach = walk(bad_ones[i].bytes, bad_ones[i].len, &good);
        assert_non_null(breach);
        assert_string_equal(breach, bad_ones[i].breach);
        assert_int_equal(good, bad_ones[i].good);
    }
}

static void what_follows_a_close_frame_is_not_looked_at(void **state)
{
    (void)state;
    size_t good;
    assert_null(walk(BYTES("\x88\x82" KEY "ab\xff\xff\xff"), &good));
    assert_int_equal(good, 8);
}

static void check_pings(const char *text, size_t len, const char *left, size_t left_len)
{
    unsigned char bytes[128];
    struct lsig_frames frames = {0};
    size_t good;
    memcpy(bytes, text, len);
    assert_null(lsig_frames_walk(&frames, bytes, len, &good));
    struct lsig_frames before = {0};
    size_t kept = lsig_frames_keep_last_ping(before, bytes, good, frames.pings);
    assert_int_equal(kept, left_len);
    assert_memory_equal(bytes, left, left_len);
}

#define PING(data) "\x89\x81" KEY data
#define KEPT(text, left) check_pings(text, sizeof(text) - 1, left, sizeof(left) - 1)

static void of_several_pings_the_last_stays_and_everything_else_too(void **state)
{
    (void)state;
    KEPT(PING("a"), PING("a"));
    KEPT(PING("a") PING("b") PING("c"), PING("c"));
    KEPT("\x81\x81" KEY "x" PING("a") "\x81\x81" KEY "y" PING("b") "\x81\x81" KEY "z",
         "\x81\x81" KEY "x\x81\x81" KEY "y" PING("b") "\x81\x81" KEY "z");
    KEPT(PING("a") "\x89\x83" KEY "b", "\x89\x83" KEY "b"); // the rest of it is on its way
    KEPT(PING("a") PING("b") "\x81", PING("b") "\x81");
}

static void a_ping_that_began_before_these_bytes_stays(void **state)
{
    (void)state;
    struct lsig_frames frames = {0};
    unsigned char bytes[] = KEY "a" PING("b") PING("c");
    size_t good;
    assert_null(lsig_frames_walk(&frames, BYTES("\x89\x81"), &good));
    struct lsig_frames before = frames;
    assert_null(lsig_frames_walk(&frames, bytes, sizeof(bytes) - 1, &good));
    size_t kept = lsig_frames_keep_last_ping(before, bytes, good, frames.pings);
    assert_int_equal(kept, 12);
    assert_memory_equal(bytes, KEY "a" PING("c"), 12);
}

// Not a bound, since machines differ: shown for docs/reliability.md.
static void the_walk_of_a_message_costs_little(void **state)
{
    (void)state;
    enum { ROUNDS = 200000, SIZE = 258 };
    unsigned char bytes[SIZE] = {0x81, 0xfe, 0, 250};
    struct lsig_frames frames = {0};
    struct timespec start;
    struct timespec end;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &start);
    for (int i = 0; i < ROUNDS; i++) {
        size_t good;
        assert_null(lsig_frames_walk(&frames, bytes, SIZE, &good));
    }
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
    double nanoseconds =
        (double)(end.tv_sec - start.tv_sec) * 1e9 + (double)(end.tv_nsec - start.tv_nsec);
    printf("figure: %.0f ns to walk a frame\n", nanoseconds / ROUNDS);
    assert_int_equal(frames.left, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_frames_pass_whole_and_in_parts),
        cmocka_unit_test(a_frame_that_breaks_a_rule_is_named_and_what_came_before_it_is_kept),
        cmocka_unit_test(what_follows_a_close_frame_is_not_looked_at),
        cmocka_unit_test(of_several_pings_the_last_stays_and_everything_else_too),
        cmocka_unit_test(a_ping_that_began_before_these_bytes_stays),
        cmocka_unit_test(the_walk_of_a_message_costs_little),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
