// directory.h - finds members and peers of a room by their ids.
//
// Most rooms have two members, and are walked; a room that grows gets maps, and loses them when it
// has shrunk again. Called by room.c after it has changed the room's own lists.
#pragma once

#include "room/room.h"

enum { LSIG_DIRECTORY_FROM = 9, LSIG_DIRECTORY_UNTIL = 4 }; // connections: maps are made, dropped

struct lsig_member *lsig_directory_member(const struct lsig_room *room, struct lsig_span user_id);
struct lsig_connection *lsig_directory_peer(const struct lsig_room *room, struct lsig_span peer_id);
// The connection is in the room's array; its member may be new to the room, too.
void lsig_directory_add(struct lsig_room *room, struct lsig_connection *connection);
void lsig_directory_remove_peer(struct lsig_room *room, struct lsig_connection *connection);
void lsig_directory_remove_member(struct lsig_room *room, struct lsig_member *member);
