// attend.h - the line a member walks: open, join hooks, enter, leave.
#pragma once

#include "auth/token.h"
#include "flow/flow.h"
#include "flow/resume.h"

enum {
    LSIG_AUTH_WAIT_S = 5,
    LSIG_ATTEND_LOST = 1006, // the sink closes a client that was away for too long
};

// A WebSocket is open. client is zeroed but for its address; room_id is well formed. With claims, a
// place of the user has been taken (door.h) and is the client's from here on; claims NULL: an
// `auth` message has to come within LSIG_AUTH_WAIT_S. When a client that was lost returns by this
// socket, the sink's take_over gives it to that one, and this client is empty afterwards.
void lsig_attend_open(struct lsig_flow *flow,
                      struct lsig_client *client,
                      struct lsig_span room_id,
                      enum lsig_dialect dialect,
                      const struct lsig_claims *claims,
                      const struct lsig_resume_request *request);
// The first message of a client without a token was `auth` and its token is good. The client may be
// empty afterwards, as above.
void lsig_attend_on_token(struct lsig_client *client,
                          const struct lsig_claims *claims,
                          const struct lsig_resume_request *request);
// What is due by time: a token that ends or did not come, a client that has been away for too long.
// Called about once a second for each.
void lsig_attend_check_time(struct lsig_client *client);
// The server stops: tells a lunasig.v1 client when to come back. Its socket is closed by the
// caller.
void lsig_attend_drain(struct lsig_client *client);
// Ends a client for a reason of ours: kicked, revoked (TOKEN_INVALID), closed by an operator. It
// gets an `error` and a close with the code of `why`, and cannot resume.
void lsig_attend_end(struct lsig_client *client, enum lsig_status why, const char *text);
// The client is gone for good (or never opened: a zeroed one is fine); see lsig_resume_keep for a
// socket that is lost. Everybody who has to hears of it; the client is empty afterwards. reason:
// bye, timeout, kicked, replaced, expired, closed.
void lsig_attend_close(struct lsig_client *client, const char *reason);
// The same at the end of the server for one that is away, and where a server dies for any: nobody
// hears of it, because it has not left. What is announced on the way is nobody's to hear either.
void lsig_attend_forget(struct lsig_client *client);
