// wire.h - what stands in a test for a socket and its session (net/session.h): frames pass at once,
// and a far end that goes away does so as the test says.
//
// What a client that was lost has missed is kept within the bounds of the settings, and what waits
// for one that reads nothing likewise, as net's outbox does. What the network itself holds on the
// way to such a client is nothing here.
#pragma once

#include "flow/attend.h"
#include "flow/client.h"
#include "flow/flow.h"

struct lsig_node;
struct lsig_player;

enum { LSIG_WIRE_LOST = 1006 }; // RFC 6455 section 7.4.1: never sent, the socket just ends

struct lsig_wire {
    struct lsig_client client; // first: the sink gets a pointer to it
    struct lsig_node *node;
    struct lsig_player *player; // the far end; NULL: the socket is gone
    bool cut;                   // nothing passes any more, and the server has not noticed
    bool stalled;               // the far end reads nothing: frames wait, pings too
    bool holds;                 // frames wait until the end of the turn: another goes first
    bool lossy;                 // something that waited was dropped
    struct lsig_body *first;    // goes out before all others; NULL: none
    struct lsig_body **frames;  // those that were sent and are kept, then those that wait
    size_t frame_count;
    size_t frame_capacity;
    size_t sent;          // of them
    size_t frame_bytes;   // of all of them
    size_t waiting_bytes; // of those that wait, counted as net's outbox does
    uint64_t seq;         // of the last one that was sent
    int64_t heard_ms;     // when the far end was last heard
    int close_code;       // 0: none is under way
    char *close_text;
    const char *end_reason; // for user-left
    struct lsig_wire *next; // of the node
    struct lsig_wire *previous;
};

extern const struct lsig_sink lsig_wire_sink;

struct lsig_wire *lsig_wire_open(struct lsig_node *node, struct lsig_player *player);
// The far end is gone, for this reason of user-left ("timeout": without a word, so that it may
// resume). The wire is freed, or stays away.
void lsig_wire_lose(struct lsig_wire *wire, const char *reason);
// The far end reads again: what waits passes, in its order.
void lsig_wire_read(struct lsig_wire *wire);
// The end of a turn: what was held goes out, and a close that was asked for happens. The wire may
// be gone afterwards.
void lsig_wire_end_turn(struct lsig_wire *wire);
// What is due by time.
void lsig_wire_check_time(struct lsig_wire *wire);
// When that is, by the monotonic clock; -1: never.
int64_t lsig_wire_due_ms(const struct lsig_wire *wire);
// The world ends: the client leaves.
void lsig_wire_end(struct lsig_wire *wire);
// The node dies: the far end sees its connection break. To be forgotten next: it frees the wire,
// and nobody hears of it.
void lsig_wire_break(struct lsig_wire *wire);
void lsig_wire_forget(struct lsig_wire *wire);
