// resume.h - clients whose socket is lost: they stay away for RESUME_WINDOW_S, and take up again
// where they were.
//
// A lost client keeps its place in the room, its peer_id, its limits, and what it should have heard
// (net/outbox.h has the bounds). lunasig.v1 returns with its resume token, also while its old
// socket still looks open; a compat client that is away returns by coming as the same user into the
// same room. A resume token is 128 random bits, kept as a hash, good for one return (and until the
// client is heard on its new socket, because what brings it the next one may be lost), and only
// together with a good access token of the same user for the same room. It dies when the client
// says good-bye or is sent away.
#pragma once

#include "auth/token.h"
#include "flow/flow.h"

// What a client asks for when it comes. token.data NULL: an ordinary join.
struct lsig_resume_request {
    struct lsig_span token;
    uint64_t seq; // of the last frame that it has got (lunasig.v1); 0: none
};

// The client that may be taken over by somebody who comes with these; room may be NULL. NULL: none.
struct lsig_client *lsig_resume_find(const struct lsig_room *room,
                                     enum lsig_dialect dialect,
                                     const struct lsig_claims *claims,
                                     const struct lsig_resume_request *request);
// lsig_door_take_place for somebody who comes with these: one who takes up a session whose old
// socket still looks open gets that one's place.
bool lsig_resume_take_place(struct lsig_flow *flow,
                            const struct lsig_room *room,
                            enum lsig_dialect dialect,
                            const struct lsig_claims *claims,
                            const struct lsig_resume_request *request);
// Makes `old` the client of fresh's socket, and tells it and the room. fresh, for which a place of
// the user has been taken (door.h), is empty afterwards.
void lsig_resume_take_over(struct lsig_client *old,
                           struct lsig_client *fresh,
                           const struct lsig_claims *claims,
                           const struct lsig_resume_request *request);
// The client's socket has ended without a word. True: it stays in the room, AWAY, and the socket is
// no longer its. False: it has to leave (it is in no room, was sent away, or as many of this user
// are away as may be connected).
bool lsig_resume_keep(struct lsig_client *client);
// The client that is away no longer counts as such: it returns, or has been away for too long.
void lsig_resume_forget(struct lsig_client *client);
// A client that was away when the server stopped is away again: `client` is zeroed but for what it
// keeps over a restart (peer_id, join_seq and dialect of its connection; last_id, resume_digest,
// token_key, token_iat, deadline_s). room and member as they are restored; the window begins anew.
// False, and nothing is changed: as many of this user are away as may be.
bool lsig_resume_revive(struct lsig_flow *flow,
                        struct lsig_client *client,
                        struct lsig_room *room,
                        struct lsig_member *member);
