// event.h - what policies are asked about: the kinds of hooks, what each gets and what it may
// answer.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/span.h"
#include "codec/envelope.h"
#include "codec/refusal.h"
#include "room/room.h"
#include "script/rule.h"

struct lsig_policy_hook;
struct lsig_script_request;

// X(NAME, "name", arguments, waits, refuses)
//   arguments: what the function gets, a letter each: r room, m member, g message, q request,
//     c claims, t text, n number, j a JSON value, x the test's own object
//   waits: whether it may wait
//   refuses: whether it can refuse; where it can, an error in it refuses, unless on_error = "allow"
#define LSIG_HOOKS(X)                                                                              \
    X(CONNECT, "connect", "q", false, true)                                                        \
    X(AUTH, "auth", "qc", true, true)                                                              \
    X(JOIN, "join", "rm", true, true)                                                              \
    X(JOINED, "joined", "rm", true, false)                                                         \
    X(WAITING, "waiting", "rm", true, false)                                                       \
    X(LEAVE, "leave", "rmt", true, false)                                                          \
    X(AWAY, "away", "rm", true, false)                                                             \
    X(BACK, "back", "rm", true, false)                                                             \
    X(RESUME, "resume", "rm", true, false)                                                         \
    X(MESSAGE, "message", "rmg", true, true)                                                       \
    X(RATE_EXCEEDED, "rate_exceeded", "rmtn", true, true)                                          \
    X(TOKEN_EXPIRING, "token_expiring", "mn", true, false)                                         \
    X(ICE_SERVERS, "ice_servers", "mjq", false, false)                                             \
    X(ROOM_OPEN, "room_open", "r", true, false)                                                    \
    X(ROOM_CLOSE, "room_close", "r", true, false)                                                  \
    X(TIMER, "timer:NAME", "rj", true, false)                                                      \
    X(START, "start", "", true, false)                                                             \
    X(STOP, "stop", "", false, false)                                                              \
    X(ROUTE, "route", "qr", true, true) /* declared by sig.route */                                \
    X(TEST, "test", "x", true, false)   /* declared by sig.test */

enum lsig_hook_kind {
#define X(name, text, arguments, waits, refuses) LSIG_HOOK_##name,
    LSIG_HOOKS(X)
#undef X
        LSIG_HOOK_KIND_COUNT
};

const char *lsig_hook_kind_name(enum lsig_hook_kind kind);
const char *lsig_hook_kind_arguments(enum lsig_hook_kind kind);
bool lsig_hook_kind_waits(enum lsig_hook_kind kind);
bool lsig_hook_kind_refuses(enum lsig_hook_kind kind);

struct lsig_hook_event {
    enum lsig_hook_kind kind;
    // References are taken by the run. Of a member its room is the room, unless another is named.
    struct lsig_room *room;
    struct lsig_member *member;   // a joining member is not present yet
    const struct lsig_rule *rule; // MESSAGE
    bool names_peers;             // MESSAGE: its target may be a peer_id
    // In place until the run is done or dropped:
    const struct lsig_envelope *message;       // MESSAGE
    const struct lsig_script_request *request; // CONNECT, AUTH, ROUTE; ICE_SERVERS over HTTP
    // Copied by a run that needs them after the call:
    const char *text;                    // LEAVE: the reason; TIMER: its name; RATE_EXCEEDED: the
                                         // rule
    double number;                       // RATE_EXCEEDED: how often; TOKEN_EXPIRING: seconds
    struct lsig_span json;               // AUTH: the claims; TIMER: its argument; ICE_SERVERS: the
                                         // list
    const struct lsig_policy_hook *only; // ROUTE, TEST: the one function
};

// To whom a message goes instead of where its type and target say.
enum lsig_redirect_kind {
    LSIG_REDIRECT_NONE,
    LSIG_REDIRECT_ROOM,    // everybody but the sender
    LSIG_REDIRECT_ROLES,   // members with one of `roles`
    LSIG_REDIRECT_MEMBERS, // those of `ids` who are there
};

struct lsig_redirect {
    enum lsig_redirect_kind kind;
    unsigned roles;      // set of LSIG_ROLE_BIT
    struct lsig_buf ids; // user ids, each with its NUL
};

struct lsig_hook_result {
    struct lsig_refusal refusal; // for LSIG_POLICY_DENIED, LSIG_POLICY_ERROR and so on; of
                                 // LSIG_HANDLED where and version alone
    struct lsig_buf json;        // MESSAGE: the payload in place of the client's; ICE_SERVERS: the
                                 // list; ROUTE: the body. Empty: as it was, nothing
    struct lsig_redirect redirect; // MESSAGE
    bool seat_said;                // JOIN: a policy has said how many members the room may have
    uint32_t seat_max;
    int http_status;         // ROUTE; 0: 200
    struct lsig_buf headers; // ROUTE: "name: value\r\n" lines
};

enum {
    LSIG_RESULT_JSON_MAX = 1024 * 1024,
    LSIG_RESULT_IDS_MAX = 64 * 1024,
    LSIG_RESULT_HEADERS_MAX = 4096,
};

void lsig_hook_result_init(struct lsig_hook_result *result);
void lsig_hook_result_clear(struct lsig_hook_result *result);
