// What policies cost per message: the whole way from a frame to one receiver, without sockets.
//
//   bench_hooks [MESSAGES [NAME]]    default 200,000 a round; the best of nine rounds of each is
//   shown
//
// no hook      the type is declared, no hook looks at it
// timeline     the same, and what happens in rooms is recorded (TIMELINE_ENTRIES)
// 20 policies  20 more policies are loaded that have hooks of other types
// empty hook   a hook does nothing
// hook         a hook reads the type, the sender and one field of the payload
// hook, get    the same with message:get
#include <time.h>
#include <unistd.h>

#include "flow/timeline.h"
#include "test_flow_fixture.h"

enum { ROUNDS = 9, FORGET_EVERY = 1000 };

#define CANDIDATE                                                                                  \
    "{\"type\":\"say\",\"payload\":{\"candidate\":\"candidate:842163049 1 udp 1677729535 "         \
    "203.0.113.7 46154 typ srflx raddr 10.0.0.1 rport 46154 generation 0 ufrag EEtu\","            \
    "\"sdpMid\":\"0\",\"sdpMLineIndex\":0,\"n\":1}}"

#define READS                                                                                      \
    "sig.on('message:say', function(room, member, message) "                                       \
    "if message.type == 'x' or member.id == 'x' or message.payload.n == 2 then "                   \
    "return sig.deny('NO') end end)"

#define GETS                                                                                       \
    "sig.on('message:say', function(room, member, message) "                                       \
    "if message.type == 'x' or member.id == 'x' or message:get 'n' == 2 then "                     \
    "return sig.deny('NO') end end)"

#define EMPTY "sig.on('message:say', function(room, member, message) end)"

#define OTHERS                                                                                     \
    "for i = 1, 20 do sig.type('other-' .. i, {}) "                                                \
    "sig.on('message:other-' .. i, function() return sig.deny('NO') end) end "

struct variant {
    const char *name;
    const char *lua;
    double best_us;
    bool timeline;
};

static void forget(struct peer *peer)
{
    for (size_t i = 0; i < peer->frame_count; i++) {
        lsig_body_unref(peer->frames[i]);
    }
    peer->frame_count = 0;
    peer->heard = 0;
}

// Processor time of this thread: others may be busy beside it.
static double cpu_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static double round_us(struct peer *from, struct peer *to, int messages)
{
    struct lsig_span frame = lsig_span_of(CANDIDATE);
    double started = cpu_us();
    for (int i = 0; i < messages; i++) {
        lsig_line_on_frame(&from->client, frame);
        if (i % FORGET_EVERY == 0) {
            forget(to);
        }
    }
    double us = (cpu_us() - started) / messages;
    forget(to);
    return us;
}

static void measure(struct variant *variant, int messages)
{
    struct fixture *f;
    assert_int_equal(fixture_setup((void **)&f), 0);
    f->settings.message_rate.count = 0;
    f->settings.byte_rate.count = 0;
    fixture_use(f, variant->lua);
    struct lsig_timelines *timelines = variant->timeline ? lsig_timelines_open(&f->flow) : NULL;
    struct peer *ann = fixture_join(f, "ann", LSIG_V1);
    struct peer *bob = fixture_join(f, "bob", LSIG_V1);
    double us = round_us(ann, bob, messages);
    variant->best_us = variant->best_us == 0 || us < variant->best_us ? us : variant->best_us;
    assert_int_equal(f->metrics.hook_errors, 0);
    assert_int_equal(f->metrics.messages_relayed, messages);
    lsig_timelines_close(timelines);
    assert_int_equal(fixture_teardown((void **)&f), 0);
}

int main(int argc, char **argv)
{
    int messages = argc > 1 ? atoi(argv[1]) : 200000;
    struct variant variants[] = {{"no hook", "", 0, false},         {"timeline", "", 0, true},
                                 {"20 policies", OTHERS, 0, false}, {"empty hook", EMPTY, 0, false},
                                 {"hook", READS, 0, false},         {"hook, get", GETS, 0, false}};
    for (int round = 0; round < ROUNDS; round++) { // in turn, so that a busy moment hits all alike
        for (size_t i = 0; i < sizeof(variants) / sizeof(variants[0]); i++) {
            if (argc < 3 || strcmp(argv[2], variants[i].name) == 0) {
                measure(&variants[i], messages);
            }
        }
    }
    for (size_t i = 0; i < sizeof(variants) / sizeof(variants[0]); i++) {
        printf("%-12s %7.3f us a message, %+.3f\n", variants[i].name, variants[i].best_us,
               variants[i].best_us - variants[0].best_us);
    }
    return 0;
}
