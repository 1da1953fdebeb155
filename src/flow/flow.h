// flow.h - what the lines that messages and members walk have in common: the parts they ask, and
// the sink they write to.
#pragma once

#include <stdint.h>

#include "auth/keyring.h"
#include "base/body.h"
#include "base/clock.h"
#include "base/map.h"
#include "base/metrics.h"
#include "codec/settings.h"
#include "flow/client.h"
#include "room/hub.h"
#include "script/script.h"

// How the flow reaches sockets; net fills it in, so that nothing includes upwards.
struct lsig_sink {
    // Queues a body to a client that is not CLOSING. Takes a reference of its own. May find the
    // client too slow and close it, but never calls back into the flow before the next turn of the
    // loop.
    void (*send)(struct lsig_client *client, struct lsig_body *body);
    // Sends what is queued, then a close frame. The flow hears of the end by lsig_attend_close.
    void (*close)(struct lsig_client *client, int code, const char *reason);
    // Stops reading from the socket, or goes on. Frames that have been read already may still come.
    void (*pause)(struct lsig_client *client, bool paused);
    // The client gets the socket of `fresh`, which is in no room and gets the client's own old one,
    // if there is any, to be closed with 4409.
    void (*take_over)(struct lsig_client *client, struct lsig_client *fresh);
    // Before anything is sent on a new socket: what follows the frame `seq` waits to be sent again
    // (compat, which has no seq: what has not been sent yet). Returns how many frames that are; -1,
    // and nothing waits any more, when not all of them were kept.
    int64_t (*rewind)(struct lsig_client *client, uint64_t seq);
    // Queues a body in front of everything that waits, without a `seq`.
    void (*send_first)(struct lsig_client *client, struct lsig_body *body);
};

struct lsig_tell_later; // a hook that is asked in the next turn of the loop (tell.c)

struct lsig_flow {
    const struct lsig_settings *settings;
    const struct lsig_keyring *keyring;
    struct lsig_metrics *metrics;
    struct lsig_script *script;
    struct lsig_hub *hub;
    struct lsig_sink sink;
    int64_t started_ms;       // monotonic
    int64_t connection_count; // that users have, with their sockets (door.c)
    int64_t away_count;       // that users have lost and may resume
    int64_t swept_ms;         // when buckets and kept rooms were last looked through; monotonic
    struct lsig_time now;     // of this turn of the loop
    char now_iso[LSIG_CLOCK_ISO_SIZE];  // now.wall_ms
    struct lsig_map shared_buckets;     // of users, addresses and rooms (limits.c)
    struct lsig_map user_connections;   // how many each user has (door.c)
    struct lsig_client *resumable;      // have queued frames that wait for the next turn (line.c)
    struct lsig_tell_later *tell_first; // oldest first
    struct lsig_tell_later *tell_last;
    struct lsig_observer *observers;    // observer.h
    struct lsig_announcements *pending; // rooms whose announcements are merged (announce.c)
    struct lsig_revoke *revoke;         // tokens dead before their end (revoke.h); NULL: none
    struct lsig_standings *standings;   // accounts behind tokens (account_standing.h); NULL: not
                                        // looked at
    struct lsig_tickets *tickets;       // one-time tickets (ticket.h); NULL: there are none
    struct lsig_timelines *timelines;   // what happened in rooms (timeline.h); NULL: not recorded
};

void lsig_flow_init(
    struct lsig_flow *flow); // the pointers have been set by the caller; net fills in the sink
void lsig_flow_clear(struct lsig_flow *flow); // no client may be left
// Once per turn of the loop, before input is handled.
void lsig_flow_set_time(struct lsig_flow *flow, struct lsig_time now);
// Work that is due by time. Returns in how many milliseconds it wants to be called again.
int64_t lsig_flow_tick(struct lsig_flow *flow);
// When, by the monotonic clock, there is work that lsig_flow_tick does not know of yet; -1: none.
int64_t lsig_flow_due_ms(const struct lsig_flow *flow);
