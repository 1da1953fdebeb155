// player.h - a client of a test: what a browser would be.
//
// It has a socket or none (wire.h), keeps what it has heard in order, and what it needs to resume.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/body.h"
#include "codec/frame.h"

struct lsig_real_line;
struct lsig_node;
struct lsig_wire;
struct lsig_world;

enum {
    LSIG_PLAYER_FRAMES_MAX = 20000, // heard by one client; more fail the test
    LSIG_PLAYER_NAME_SIZE = 160,
    LSIG_PLAYER_TOKEN_SIZE = 128,
    LSIG_PLAYER_TEXT_SIZE = 128,
};

// How it shows its token.
enum lsig_player_auth {
    LSIG_PLAYER_UPGRADE, // with the request for the upgrade
    LSIG_PLAYER_MESSAGE, // in its first message
    LSIG_PLAYER_SILENT,  // not by itself
};

struct lsig_heard {
    char *text; // the frame as it came over the wire
    size_t len;
    int64_t at_ms; // since the test began
};

struct lsig_player {
    struct lsig_player *next; // of the world
    struct lsig_world *world;
    struct lsig_node *node; // that it connects to
    int number;
    enum lsig_dialect dialect;
    char name[LSIG_PLAYER_NAME_SIZE]; // for people: the user, "bob(2)" for his second client
    char *user;
    char *address;
    char *claims;    // JSON object: what its token says besides; never NULL
    int64_t life_ms; // of its token
    enum lsig_player_auth auth;
    char *token;                 // that it shows; "": none; NULL: one that is made of its claims
    struct lsig_wire *wire;      // its socket; NULL: none. May be cut off.
    struct lsig_real_line *line; // in its place, to a running server (real.h); NULL: none
    char *room_id;               // that it came to; NULL: to none yet
    char resume_token[LSIG_PLAYER_TOKEN_SIZE]; // of the newest room-state; "": none
    uint64_t seq;                              // of the last frame (lunasig.v1)
    struct lsig_heard *heard;
    size_t heard_count;
    size_t heard_capacity;
    size_t read;  // frames that the test has looked at
    bool flooded; // more came than is kept, and the test has failed
    int closed;   // the close code that came; 0: none
    char close_text[LSIG_PLAYER_TEXT_SIZE];
    int refused;         // the HTTP status in place of the upgrade; 0: none
    bool refusal_open;   // the test has not said that it expects the refusal
    char refused_at[80]; // where it asked for what was refused
    char refusal_code[64];
    char refusal_text[LSIG_PLAYER_TEXT_SIZE];
};

struct lsig_player *lsig_player_new(struct lsig_world *world, const char *user);
void lsig_player_free(struct lsig_player *player); // has no wire
// Has a connection that is not cut off.
bool lsig_player_is_connected(const struct lsig_player *player);
// A frame comes; seq 0: without one.
void lsig_player_hear(struct lsig_player *player, const struct lsig_body *body, uint64_t seq);
// The same, as it came over the wire.
void lsig_player_hear_text(struct lsig_player *player, struct lsig_span frame);
void lsig_player_on_close(struct lsig_player *player, int code, const char *text);
struct lsig_span lsig_player_frame(const struct lsig_player *player, size_t at);
