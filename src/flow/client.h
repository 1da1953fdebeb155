// client.h - one client as the flow knows it: between its socket (net) and its place in a room
// (room).
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "auth/resume.h"
#include "base/body.h"
#include "room/room.h"

struct lsig_flow;
struct lsig_message;
struct lsig_hook_run;
struct lsig_introduction;
struct lsig_limits;
struct lsig_script_request;

enum lsig_client_state {
    LSIG_CLIENT_UNKNOWN, // lunasig.v1 without a token yet: only `auth` is understood
    LSIG_CLIENT_JOINING, // a join hook waits
    LSIG_CLIENT_PRESENT, // in the room
    LSIG_CLIENT_AWAY,    // in the room; its socket was lost, what it should hear is kept (resume.h)
    LSIG_CLIENT_CLOSING, // a close is under way: nothing is read or sent any more
};

enum { LSIG_CLIENT_QUEUE_MAX = 64, LSIG_CLIENT_RESUME_BYTES = 65536 };

// A frame that came while a hook of the same client waits.
struct lsig_queued {
    struct lsig_queued *next;
    uint32_t len;
    char bytes[];
};

// Embedded by net in its session; the connection comes first, so that a pointer to one is a pointer
// to the other.
struct lsig_client {
    struct lsig_connection connection;
    struct lsig_flow *flow;
    struct lsig_room *room;                 // a reference from open to close
    struct lsig_member *member;             // a reference from open to close; NULL while UNKNOWN
    struct lsig_hook_run *run;              // of the join hook or of `message`; NULL: none waits
    struct lsig_hook_run *rate_run;         // of a rate_exceeded hook that waits
    struct lsig_introduction *introduction; // asked about by an auth hook (introduce.h)
    struct lsig_script_request *request;    // its handshake, kept while an auth hook may ask for it
    struct lsig_message *message;           // suspended in its hooks
    struct lsig_queued *queued;             // oldest first, at most LSIG_CLIENT_QUEUE_MAX
    struct lsig_queued *queued_last;
    struct lsig_client *resume_next; // in flow->resumable
    struct lsig_client *user_next;   // of the same user, in any room (door.h)
    struct lsig_client *user_previous;
    struct lsig_limits *limits; // made with the first message
    uint64_t entered_revision;  // of the room: announcements up to it are not for this client
    uint64_t token_key;         // of its access token's jti (lsig_token_key); 0: it has none
    int64_t token_iat;          // unix seconds; 0: the token does not say
    int64_t last_id;            // of its messages, the last that was accepted (lunasig.v1)
    int64_t away_until_ms;      // while AWAY; monotonic
    int64_t ice_until_s; // unix seconds: when its TURN credentials end; 0: it has none that do
    unsigned char resume_digest[LSIG_RESUME_DIGEST_SIZE]; // where resumable is set
    // The token that it returned with; good until it is heard of, since the room-state with the
    // next one may be lost on the way.
    unsigned char resume_previous[LSIG_RESUME_DIGEST_SIZE];
    int64_t deadline_s; // unix seconds: the token's end with the leeway; while UNKNOWN, the wait
                        // for one
    uint8_t state;      // enum lsig_client_state
    uint8_t queued_count;
    bool paused;         // reading has been stopped
    bool resume_due;     // in flow->resumable
    bool resumable;      // it has a resume token, and has not been sent away
    bool resume_asked;   // it asked to, but nobody was there to be resumed
    bool previous_good;  // resume_previous
    bool expiring_told;  // `token-expiring` has been sent
    bool has_place;      // counts among its user's connections (door.h)
    const char *address; // net's; for rates per address
};

// Whether it is in its room, with or without a socket.
static inline bool lsig_client_is_member(const struct lsig_client *client)
{
    return client->state == LSIG_CLIENT_PRESENT || client->state == LSIG_CLIENT_AWAY;
}

static inline struct lsig_client *lsig_client_of(struct lsig_connection *connection)
{
    return (struct lsig_client *)connection;
}
