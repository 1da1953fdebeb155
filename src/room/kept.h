// kept.h - messages that a room keeps for those who come later (`keep` of a type): they are part of
// the room-state of a joiner.
//
// Bounded by bounds.keep_bytes of the room: the oldest are dropped. What is kept per user goes when
// the user leaves.
#pragma once

#include "room/room.h"

enum { LSIG_KEPT_LOG_MAX = 1000 }; // the largest N of `log N`

enum lsig_keep { LSIG_KEEP_NONE, LSIG_KEEP_LATEST, LSIG_KEEP_LATEST_PER_USER, LSIG_KEEP_LOG };

struct lsig_kept_message {
    struct lsig_kept_message *newer;
    struct lsig_kept_message *older;
    enum lsig_keep keep;
    char *type;
    char *user_id; // of the sender; NULL: the server's own
    char *peer_id; // of the sender's connection; NULL: none
    char *timestamp;
    char *payload; // JSON
    size_t bytes;
};

struct lsig_kept; // room->kept; NULL: nothing is kept

struct lsig_kept_source {
    struct lsig_span type;
    struct lsig_span user_id; // data NULL: the server's own
    struct lsig_span peer_id; // data NULL: none
    struct lsig_span timestamp;
    struct lsig_span payload;
};
// Keeps a copy, and drops what it replaces: for LATEST the one of that type, for LATEST_PER_USER
// the one of that type and user, for LOG all but the newest log_max of that type.
void lsig_kept_add(struct lsig_room *room,
                   enum lsig_keep keep,
                   uint32_t log_max,
                   const struct lsig_kept_source *source);
const struct lsig_kept_message *lsig_kept_oldest(const struct lsig_room *room); // then by ->newer
size_t lsig_kept_bytes(const struct lsig_room *room);
void lsig_kept_drop_user(struct lsig_room *room, struct lsig_span user_id); // LATEST_PER_USER ones
void lsig_kept_drop_type(struct lsig_room *room, struct lsig_span type);
void lsig_kept_clear(struct lsig_room *room);
