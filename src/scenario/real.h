// real.h - tests against a server that runs: the same questions, over sockets.
//
// The world of such a test has no rooms of its own: its clients are connections, and its time is
// everybody's. In process everything that an action leads to has happened when it returns. Here
// that is sought where it matters: before somebody else acts and before it is said that nothing
// came, everything is waited for that was sent before (lsig_real_settle); what has to come is
// waited for.
//
// The server and its users are there for others, too: each test gives the names of its rooms and
// users an ending of its own (real_names.h).
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "scenario/real_names.h"

struct lsig_asking;
struct lsig_keyring;
struct lsig_player;
struct lsig_world;
struct lsig_world_base;

enum {
    LSIG_REAL_WAIT_MS = 2000,    // for what has to come; the longest time that is let pass at once
    LSIG_REAL_ANSWER_MS = 10000, // for what the server owes an answer to
    LSIG_REAL_TEST_MS = 3000,    // that one test lets pass in all; more needs virtual time
    LSIG_REAL_BODY_MAX = 1024 * 1024,
};

// --- what somebody with sockets fills in

struct lsig_real_request {
    const char *method;         // NULL: an upgrade to a WebSocket
    const char *path;           // with its query, as it goes over the wire
    const char *const *headers; // "Name: value" each, NULL behind the last
    struct lsig_span body;      // data NULL: none
};

// Of a request, or in place of an upgrade. The buffers are initialized and cleared by the caller.
struct lsig_real_answer {
    int status;           // 0: none came, and `fault` says why
    struct lsig_buf head; // "name: value\r\n" lines
    struct lsig_buf body;
    char fault[200];
};

enum lsig_real_kind { LSIG_REAL_NOTHING, LSIG_REAL_HEARD, LSIG_REAL_PONGED, LSIG_REAL_ENDED };

struct lsig_real_news {
    enum lsig_real_kind kind;
    struct lsig_span text; // of the message, the pong, or the reason of the close
    int code;              // ENDED: of the close; 1006: there was none
};

// A server that runs. A link is a WebSocket to it.
struct lsig_real {
    void *self;
    const struct lsig_keyring *keyring; // the server takes what this one signs
    // NULL: the answer says why.
    void *(*open)(void *self,
                  const struct lsig_real_request *request,
                  struct lsig_real_answer *answer);
    bool (*send)(void *link, struct lsig_span bytes, bool binary); // false: it is gone
    bool (*ping)(void *link, struct lsig_span payload);
    bool (*close)(void *link, int code); // says it; ENDED follows
    void (*hush)(void *link);            // nothing is read of it any more, nothing answered
    void (*free)(void *link, bool abruptly);
    struct lsig_real_news (*next)(void *link); // without waiting; valid until the next call
    void (*wait)(void *self, int64_t ms);      // or until something may have come over any link
    void (*request)(void *self,
                    const struct lsig_real_request *request,
                    struct lsig_real_answer *answer);
};

// --- a test's end of it

// A client's connection.
struct lsig_real_line {
    void *link;
    bool cut;                    // the client has vanished
    bool said;                   // it has sent something since all was settled
    size_t heard;                // frames that the player had heard when it was asked by message
    bool ponged;                 // the ping of this round has been answered
    bool answered;               // the question by message likewise
    struct lsig_real_line *next; // of those that nobody has any more
};

struct lsig_real_stage {
    const struct lsig_real *port;
    struct lsig_real_names names;
    bool hooks_wait;
    struct lsig_real_line *left;     // lines that vanished and were replaced
    const struct lsig_player *actor; // whose doings may not have been handled yet; NULL: all have
    uint64_t round;                  // of pings
    int64_t passed_ms;               // that the test has let pass
};

// hooks_wait: what was sent may be handled later than it came.
struct lsig_real_stage *lsig_real_stage_new(const struct lsig_real *port, bool hooks_wait);
// Says good-bye for all clients of the world, and frees.
void lsig_real_stage_end(struct lsig_world *world);

// Takes what has come, and lets time pass: so much, or until `enough` (may be NULL) says so. False:
// the real time is used up.
bool lsig_real_pass(struct lsig_world *world, int64_t ms, bool (*enough)(void *arg), void *arg);
// The same for a question; false, and failed.
bool lsig_real_ask_pass(struct lsig_asking *asking,
                        int64_t ms,
                        bool (*enough)(void *arg),
                        void *arg);
// Waits until the server has handled all that was sent before, and what it sent then is here.
// False, and failed: it does not answer.
bool lsig_real_settle(struct lsig_asking *asking);
// The player is about to do something: settles if somebody else has done something before.
bool lsig_real_take_turn(struct lsig_asking *asking);
// A frame of the player, who is connected, with names as the server has them. It may go out later,
// with those that follow.
void lsig_real_send(struct lsig_player *player, struct lsig_span frame, bool binary);
// A token of these claims, likewise; freed by the caller. NULL: none can be made of them.
char *lsig_real_sign(struct lsig_world *world,
                     const struct lsig_keyring *keyring,
                     struct lsig_span claims);
// A request, likewise; the answer has names as the test has them. False, and failed: none came.
bool lsig_real_fetch(struct lsig_asking *asking,
                     const struct lsig_real_request *request,
                     struct lsig_real_answer *answer);
// Ends the player's connection.
void lsig_real_hang_up(struct lsig_player *player, bool abruptly);
// The test cannot be held against a running server, and ends here. False, for the question.
bool lsig_real_skip(struct lsig_asking *asking, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

// --- questions: real_connect.c, real_expect.c

bool lsig_real_client(struct lsig_asking *asking);
bool lsig_real_joins(struct lsig_asking *asking);
bool lsig_real_resumes(struct lsig_asking *asking);
bool lsig_real_sends(struct lsig_asking *asking);
bool lsig_real_sends_raw(struct lsig_asking *asking);
bool lsig_real_sends_binary(struct lsig_asking *asking);
bool lsig_real_refreshes(struct lsig_asking *asking);
bool lsig_real_vanishes(struct lsig_asking *asking);
bool lsig_real_drops(struct lsig_asking *asking);
bool lsig_real_leaves(struct lsig_asking *asking);
bool lsig_real_advance(struct lsig_asking *asking);
bool lsig_real_expects_error(struct lsig_asking *asking);
bool lsig_real_receives(struct lsig_asking *asking);
bool lsig_real_receives_nothing(struct lsig_asking *asking);
bool lsig_real_is_refused(struct lsig_asking *asking);
bool lsig_real_is_closed(struct lsig_asking *asking);
