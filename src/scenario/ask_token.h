// ask_token.h - the tokens of a test's clients: made and signed as a server's are, and checked by
// its own rules.
#pragma once

#include "auth/token.h"
#include "scenario/ask.h"

// What the client shows: the token that the test gave it, or one that is made now of its claims.
// "": none. NULL: it cannot be made (a claim has the wrong shape). The caller frees.
char *lsig_ask_make_token(struct lsig_player *player);
// Before an upgrade: LSIG_OK with *claims (to be cleared), or why not.
enum lsig_status lsig_ask_check_token(struct lsig_player *player,
                                      struct lsig_claims *claims,
                                      struct lsig_refusal *refusal);
// The frame `auth` with a token, and what the client wants to take up again.
void lsig_ask_print_auth(const char *token,
                         const struct lsig_resume_request *resume,
                         struct lsig_buf *out);
