// attend.h - the line a member walks: open, join hooks, enter, leave.
#pragma once

#include "auth/token.h"
#include "flow/flow.h"

enum { LSIG_AUTH_WAIT_S = 5 };

// A WebSocket is open. client is zeroed but for its address; room_id is well formed. With claims, a
// place of the user has been taken (door.h) and is the client's from here on; claims NULL: an
// `auth` message has to come within LSIG_AUTH_WAIT_S.
void lsig_attend_open(struct lsig_flow *flow,
                      struct lsig_client *client,
                      struct lsig_span room_id,
                      enum lsig_dialect dialect,
                      const struct lsig_claims *claims);
// The first message of a client without a token was `auth` and its token is good.
void lsig_attend_on_token(struct lsig_client *client, const struct lsig_claims *claims);
// Closes a client whose token has ended, or that did not bring one in time. Called about once a
// second for each.
void lsig_attend_check_time(struct lsig_client *client);
// The socket has ended (or never opened: a zeroed client is fine). Everybody who has to hears of
// it; the client is empty afterwards. reason: bye, timeout, kicked, replaced, expired, closed.
void lsig_attend_close(struct lsig_client *client, const char *reason);
