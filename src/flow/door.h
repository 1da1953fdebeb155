// door.h - who may connect: the verdict before the upgrade, from what memory knows.
#pragma once

#include "auth/token.h"
#include "flow/flow.h"

// Checks a token for a WebSocket. LSIG_OK with *claims filled (to be cleared), or
// LSIG_TOKEN_EXPIRED / LSIG_TOKEN_INVALID.
LSIG_MUST_USE enum lsig_status lsig_door_check_token(const struct lsig_flow *flow,
                                                     struct lsig_span token,
                                                     struct lsig_claims *claims,
                                                     struct lsig_refusal *refusal);
// Takes one of the user's connections (WEBSOCKET_CONNECTION_LIMIT, over all rooms): false at the
// bound.
bool lsig_door_take_place(struct lsig_flow *flow, struct lsig_span user_id);
void lsig_door_give_place(struct lsig_flow *flow, struct lsig_span user_id);
