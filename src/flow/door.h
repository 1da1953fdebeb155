// door.h - who may connect: the verdict before the upgrade, from what memory knows.
#pragma once

#include "auth/token.h"
#include "flow/flow.h"

// Checks a token for a WebSocket: everything that token.h says, revocation, and the account behind
// it as far as memory knows (account_standing.h: the rest follows). LSIG_OK with *claims filled (to
// be cleared), or LSIG_TOKEN_EXPIRED / LSIG_TOKEN_INVALID.
LSIG_MUST_USE enum lsig_status lsig_door_check_token(const struct lsig_flow *flow,
                                                     struct lsig_span token,
                                                     struct lsig_claims *claims,
                                                     struct lsig_refusal *refusal);
// The same for a request, without the account: who wants to know more asks the database
// (account.h).
LSIG_MUST_USE enum lsig_status lsig_door_check_bearer(const struct lsig_flow *flow,
                                                      struct lsig_span token,
                                                      struct lsig_claims *claims,
                                                      struct lsig_refusal *refusal);
// The part of it that changes with time, for claims that were good once: the end, revocation, the
// account. On a refusal claims are cleared.
LSIG_MUST_USE enum lsig_status lsig_door_check_claims(const struct lsig_flow *flow,
                                                      struct lsig_claims *claims,
                                                      struct lsig_refusal *refusal);
// Whether the token of a client that has been let through was revoked since, or its account refuses
// it. To be asked before it enters a room; those in rooms are ended by themselves.
bool lsig_door_is_refused(const struct lsig_client *client);
// Takes one of the user's connections (WEBSOCKET_CONNECTION_LIMIT, over all rooms): false at the
// bound.
bool lsig_door_take_place(struct lsig_flow *flow, struct lsig_span user_id);
void lsig_door_give_place(struct lsig_flow *flow, struct lsig_span user_id);
// The same for connections that were lost and are kept: they do not count among the above, but
// there may be as many of them, because what is kept costs memory.
bool lsig_door_take_away(struct lsig_flow *flow, struct lsig_span user_id);
void lsig_door_give_away(struct lsig_flow *flow, struct lsig_span user_id);
// A client that is in a room from now on, or is about to leave it, among those of its user.
void lsig_door_add_client(struct lsig_client *client);
void lsig_door_remove_client(struct lsig_client *client);
// The user's clients in rooms, the newest first, by user_next; NULL: there are none. Those that are
// away are among them.
const struct lsig_client *lsig_door_clients(const struct lsig_flow *flow, struct lsig_span user_id);
// The connections that lsig_door_take_place counts.
int64_t lsig_door_connections(const struct lsig_flow *flow, struct lsig_span user_id);
