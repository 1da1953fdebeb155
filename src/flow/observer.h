// observer.h - who wants to know what happens in rooms: webhooks, `lunasig ctl watch`.
//
// An observer is told within the turn in which it happens and must neither wait nor change rooms or
// clients. Everything that an event points to is valid during the call. Payloads are not part of
// events: SDP, candidates and chat stay where they belong.
#pragma once

#include "flow/flow.h"

// X(name, wire): wire is the name in webhooks and in watch.
#define LSIG_EVENTS(X)                                                                             \
    X(ROOM_OPENED, "room-opened") /* its first member has joined */                                \
    X(ROOM_CLOSED, "room-closed") /* its last member has left */                                   \
    X(JOINED, "joined")           /* a user became member */                                       \
    X(WAITING, "waiting")         /* he waits to be let in: has joined so, or has to again */      \
    X(ADMITTED, "admitted")       /* he who waited is in */                                        \
    X(LEFT, "left")               /* reason is set */                                              \
    X(AWAY, "away")               /* the last connection of a member was lost */                   \
    X(BACK, "back")                                                                                \
    X(CONNECTED, "connected")       /* one connection, also a further one of a member */           \
    X(DISCONNECTED, "disconnected") /* reason is set */                                            \
    X(ROLE, "role")                 /* the member's role is another one */                         \
    X(MESSAGE, "message")           /* relayed; type, bytes and target are set */                  \
    X(REFUSED, "refused")           /* a message or a join; refusal is set */                      \
    X(RESUMED, "resumed") /* a connection has its socket again; reason: "with loss", or NULL */

enum lsig_event_kind {
#define X(name, wire) LSIG_EVENT_##name,
    LSIG_EVENTS(X)
#undef X
};

struct lsig_event {
    enum lsig_event_kind kind;
    const struct lsig_room *room;
    const struct lsig_member *member;         // NULL: the event is of the room, or of a client that
                                              // has no place yet
    struct lsig_span user;                    // of such a client, as its token says; data NULL: the
                                              // member says, or nobody knows
    const struct lsig_connection *connection; // NULL: of no single one
    const char *reason;
    struct lsig_span type;
    struct lsig_span target; // data NULL: everybody
    size_t bytes;            // of the whole frame as it came
    const struct lsig_refusal *refusal;
    bool handled;      // MESSAGE: a hook has consumed it
    const char *where; // then: the line of the policy that did; else NULL
    uint64_t version;  // and its version
};

struct lsig_observer {
    struct lsig_observer *next; // in flow->observers
    bool wants_messages;        // MESSAGE and REFUSED, which are many
    void (*on_event)(struct lsig_observer *observer, const struct lsig_event *event);
};

const char *lsig_event_name(enum lsig_event_kind kind);
void lsig_observer_add(struct lsig_flow *flow, struct lsig_observer *observer);
void lsig_observer_remove(struct lsig_flow *flow, struct lsig_observer *observer);
// Tells all of them.
void lsig_observe(struct lsig_flow *flow, const struct lsig_event *event);
