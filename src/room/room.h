// room.h - one room: who is in it, through which connections, and who is host. Pure state: no I/O,
// no clock, no Lua.
//
// A member is a user in a room; a connection is one socket of that user. Rooms and members are
// counted references: whoever waits (a suspended hook) holds one and finds `present` false when it
// looks again. Strings are the struct's own.
//
// A member may wait to be let in. He has his place and his seat, and finds himself by his id; but
// the room says nothing to him, does not show him, and he neither is nor becomes host.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/heap.h"
#include "base/map.h"
#include "base/span.h"
#include "base/status.h"
#include "codec/frame.h"
#include "room/role.h"

struct lsig_room;
struct lsig_hub;
struct lsig_journal;
struct lsig_kept;
struct lsig_props;
struct lsig_state;
struct lsig_timer;

enum {
    LSIG_PEER_ID_SIZE = 17,
    LSIG_USER_ID_MAX = 128,
    LSIG_ROOM_ID_MAX = 100,
    LSIG_FORMER_MAX = 1000
};

struct lsig_member {
    uint32_t refs;
    bool present;            // has entered and not left
    bool away;               // present, and all its connections are away
    bool waiting : 1;        // to be let in
    bool told_to_wait : 1;   // what policies have said; `waiting` follows when that is performed
    uint8_t role;            // enum lsig_role
    struct lsig_room *room;  // valid while the member is referenced
    char *id;                // 1 to LSIG_USER_ID_MAX bytes, the token's `sub`
    char *username;          // the same memory as id where they are equal
    char *claims;            // JSON object of the verified token, or NULL
    int64_t joined_ms;       // wall clock
    struct lsig_props *attr; // props.h; NULL: none
    struct lsig_props *data;
    struct lsig_connection *connections; // newest first
    uint32_t connection_count;
    struct lsig_member *previous; // in the room, by time of joining
    struct lsig_member *next;
};

// A connection in a room. net embeds it in its own session, so that a room costs no second
// allocation per socket.
struct lsig_connection {
    struct lsig_member *member;   // NULL: not in a room
    struct lsig_connection *next; // of the same member
    uint64_t join_seq; // of two connections the one with the higher is polite (perfect negotiation)
    uint32_t index;    // in the room's array
    uint8_t dialect;   // enum lsig_dialect
    bool away;         // its socket is lost, its session is kept
    char peer_id[LSIG_PEER_ID_SIZE];
    struct lsig_spoken
        *spoken; // whom it spoke to last, for targets with several connections; made on demand
};

struct lsig_room {
    uint32_t refs;
    uint32_t member_count; // with those who wait
    struct lsig_hub *hub;
    char *id;
    uint64_t revision;         // +1 for each change of the list of members or connections
    uint64_t join_seq;         // the last one given
    uint64_t spoken_turn;      // counts notes of who spoke to whom
    struct lsig_member *first; // longest present
    struct lsig_member *last;
    struct lsig_directory *directory;     // of larger rooms; NULL: the lists are walked
    struct lsig_connection **connections; // all of them, in no order
    uint32_t connection_count;
    uint32_t connection_capacity;
    struct lsig_map formers; // struct lsig_former by user id: who was here, and with which role
    struct lsig_former *oldest_former;
    struct lsig_former *newest_former;
    int64_t empty_since_ms;      // monotonic; set when the last member left; -1: nobody has entered
    bool kept;                   // in the hub's list of rooms kept while empty
    bool timed;                  // in the hub's list of empty rooms with timers
    uint32_t waiting_count;      // members who wait to be let in
    struct lsig_room *kept_next; // in either list, oldest first
    struct lsig_room *kept_previous;
    struct lsig_state *states;   // what policies remember (state.h)
    struct lsig_timer *timers;   // timers.h
    struct lsig_kept *kept_list; // messages for those who come later (kept.h)
    size_t state_bytes;          // of states and timers, against bounds.state_bytes
    uint32_t timer_count;
    uint32_t member_peak;         // the most that were in at once
    struct lsig_heap_item ranked; // while it has members (ranking.h)
    void *announcements;          // flow's pending announcements of a large compat room; NULL: none
};

struct lsig_member *
lsig_member_new(struct lsig_room *room, struct lsig_span id, struct lsig_span username);
struct lsig_member *lsig_member_ref(struct lsig_member *member);
void lsig_member_unref(
    struct lsig_member *member); // NULL is fine; gives back the room's reference with the last one
struct lsig_room *lsig_room_ref(struct lsig_room *room);
void lsig_room_unref(struct lsig_room *room); // NULL is fine

struct lsig_member *lsig_room_member(const struct lsig_room *room,
                                     struct lsig_span user_id); // present ones only
struct lsig_connection *lsig_room_peer(const struct lsig_room *room, struct lsig_span peer_id);
// Whether the user was a member of this room and left (as far as the room remembers:
// LSIG_FORMER_MAX users).
bool lsig_room_is_former(const struct lsig_room *room, struct lsig_span user_id);
struct lsig_member *lsig_room_host(const struct lsig_room *room); // NULL: none
// How many are in: members who need not wait.
static inline uint32_t lsig_room_inside_count(const struct lsig_room *room)
{
    return room->member_count - room->waiting_count;
}
// Whether what is said to the room reaches the connection. Where nobody waits, one compare.
static inline bool lsig_room_reaches(const struct lsig_room *room,
                                     const struct lsig_connection *connection)
{
    return room->waiting_count == 0 || !connection->member->waiting;
}

// Enters: `member` is fresh, or present already when the connection is a further one of it. The
// first member of an empty room is host; a role that the room remembers returns, a former host's as
// moderator while there is another host. One who is told to wait takes a seat all the same, so that
// he can be let in at any time; until then the room goes on remembering of him what it did. Takes a
// reference of member. LSIG_ROOM_FULL when a seat is needed and members_max are taken.
LSIG_MUST_USE enum lsig_status lsig_room_enter(struct lsig_room *room,
                                               struct lsig_member *member,
                                               struct lsig_connection *connection,
                                               uint32_t members_max,
                                               struct lsig_time now);

struct lsig_departure {
    struct lsig_member *left; // NULL: the member has other connections here. Otherwise the caller
                              // gets its reference.
    struct lsig_member *heir; // became host by this departure; NULL: nobody did. Not a reference.
};
// Takes the connection out of its room. When the host has left, the longest-present moderator, else
// participant, becomes host; of one role those who are away come last.
struct lsig_departure lsig_room_leave(struct lsig_connection *connection, struct lsig_time now);

// Policies say that the member has to wait, or need not any more; he may not have entered yet. Of
// one who is there nothing changes until admit or hold.
void lsig_room_tell_to_wait(struct lsig_member *member, bool wait, struct lsig_journal *journal);
// Lets in one who waits: from now on he is in the room as if he had just come, host where there is
// none.
void lsig_room_admit(struct lsig_member *member, struct lsig_time now);
// One who is in has to wait, as if he had left. Returns the heir of a host, or NULL.
struct lsig_member *lsig_room_hold(struct lsig_member *member);

// The connection's socket was lost, or is there again. True when its member thereby became away, or
// is back: the revision has risen then. A connection that enters or leaves tells by itself
// (member->away is kept right).
bool lsig_room_set_away(struct lsig_connection *connection, bool away);

// Takes a member's place in a room again after a restart: as it was, with its own role, time of
// joining (member->role, joined_ms, waiting and told_to_wait are set by the caller) and without a
// change of host. The
// connection has its peer_id and join_seq; the room's revision does not rise.
void lsig_room_restore(struct lsig_room *room,
                       struct lsig_member *member,
                       struct lsig_connection *connection);

// Gives a present member another role; nobody is told. What the room then has of hosts (none,
// several) is the caller's business.
void lsig_room_set_role(struct lsig_member *member,
                        enum lsig_role role,
                        struct lsig_journal *journal);
// The role that somebody who is not here has left with, or would return with.
bool lsig_room_remembered_role(const struct lsig_room *room,
                               struct lsig_span user_id,
                               enum lsig_role *role);
// Remembers that role for somebody who is not here. False: LSIG_FORMER_MAX others with a role are
// remembered.
bool lsig_room_remember_role(struct lsig_room *room,
                             struct lsig_span user_id,
                             enum lsig_role role,
                             struct lsig_journal *journal);

// Notes that `from` spoke to the member; asked by lsig_room_spoken_to.
void lsig_room_note_spoken(struct lsig_connection *from, const struct lsig_member *to);
// Of the user's several connections the one that last spoke to `to`, else the newest; one that is
// away only if all are.
struct lsig_connection *lsig_room_spoken_to(const struct lsig_member *user,
                                            const struct lsig_member *to);
