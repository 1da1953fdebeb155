// test_flow_fixture.h - a flow with everything below it real, and in place of sockets a sink that
// notes what every client hears.
//
// Time stands still unless a test moves it; the loop is run only where a hook sleeps.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/alloc.h"
#include "codec/scan.h"
#include "flow/announce.h"
#include "flow/attend.h"
#include "flow/door.h"
#include "flow/limits.h"
#include "flow/line.h"
#include "flow/perform.h"

enum { PEERS = 160, LIFE_S = 3600 };

// A client with its place in a pretended socket.
struct peer {
    struct lsig_client client; // first: the sink gets a pointer to it
    struct lsig_body **frames; // all that it was ever sent
    size_t frame_count;
    size_t heard; // how many of them the test has looked at
    int close_code;
    struct peer *took_over; // whose socket it has now
    int64_t rewound;        // the seq that it was rewound to
    int64_t replays;        // what a rewind answers
    int sent_first;
    int pauses;
    int resumes; // with an empty queue each time: the sink sees to it
    bool used;
};

struct fixture {
    uv_loop_t loop;
    char folder[64];
    struct lsig_metrics metrics;
    struct lsig_settings settings;
    struct lsig_flow flow;
    struct lsig_time now;
    struct peer peers[PEERS];
    bool script_freed;
};

int fixture_setup(void **state);
int fixture_teardown(void **state);
// Puts a policy in force: the stock ones for calls and chat, the types of this fixture, and `lua`
// (may be ""). Also a second time, over the one in force.
//   say: to the room; shout: to others; whisper: to its target; staff: to hosts and
//   moderators; note: to the server; boss: only the host sends it; shaped: {n: integer}
void fixture_use(struct fixture *f, const char *lua);

// A client of the user enters room r1, or another one; it has a good token.
struct peer *fixture_join(struct fixture *f, const char *user, enum lsig_dialect dialect);
struct peer *
fixture_join_room(struct fixture *f, const char *room, const char *user, enum lsig_dialect dialect);
// A client of the user comes to room r1 and asks to resume with this token (NULL: it does not ask).
struct peer *fixture_return(struct fixture *f,
                            const char *user,
                            enum lsig_dialect dialect,
                            const char *resume_token,
                            uint64_t seq);
// The socket of the client is lost; whether the client stays, away.
bool fixture_lose(struct peer *peer);
// The resume token of the newest room-state that the client got. Valid until the next call.
const char *fixture_resume_token(const struct peer *peer);
// A lunasig.v1 client without a token.
struct peer *fixture_connect(struct fixture *f, const char *room);
char *fixture_token(struct fixture *f, const char *user, int64_t life_s); // to be freed
void fixture_leave(struct peer *peer, const char *reason);

// A frame of the client; {"type":TYPE,"payload":{"n":N}} and, where a target is given, at the top.
void fixture_frame(struct peer *peer, const char *text);
void fixture_send(struct peer *peer, const char *type, int n);
void fixture_send_to(struct peer *peer, const char *type, int n, const char *target);

// What the client has heard since the last look, in short, with blanks between:
//   room-state(MEMBERS) user-joined(USER) user-left(USER REASON) role-updated(USER ROLE)
//   peer-joined(USER) peer-left(USER) error(CODE), and of others TYPE(SENDER N)
// Valid until the next call.
const char *fixture_heard(struct peer *peer);
#define assert_heard(peer, wanted) assert_string_equal(fixture_heard(peer), wanted)
void fixture_forget_all(struct fixture *f); // everything heard so far counts as looked at
// The newest frame that has this type, whole. Valid until the next call.
const char *fixture_last(const struct peer *peer, const char *type);
#define assert_has(text, part) assert_non_null(strstr(text, part))
#define assert_has_not(text, part) assert_null(strstr(text, part))

void fixture_pass(struct fixture *f, int64_t ms);    // time goes on
int64_t fixture_tick(struct fixture *f, int64_t ms); // and the flow does what is due
// Lets the time of the flow go on until no hook is suspended.
void fixture_settle(struct fixture *f);

#define FLOW_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
