// account_standing.h - whether the account behind a token still stands by it: it is active, has the
// token's token_version, and, with AUTH_REQUIRE_ACCOUNT, is there at all.
//
// The database is asked without waiting. What it said holds for LSIG_STANDING_FRESH_S, and refuses
// before the upgrade. A WebSocket whose account is not known that freshly is let in, and when the
// answer is bad it gets TOKEN_INVALID and 4401, a database's read later. Tokens that say no
// token_version are not asked about, unless AUTH_REQUIRE_ACCOUNT is on.
//
// Bounded: LSIG_STANDINGS_MAX users, the one looked at longest ago forgotten first;
// LSIG_STANDING_ASKED_MAX reads under way, the others wait; LSIG_STANDING_TOKENS_MAX different
// tokens of a user that wait for the same answer, a further one is refused. When the database
// fails, tokens are good, since their signature is; with AUTH_REQUIRE_ACCOUNT they are not.
#pragma once

#include "auth/token.h"
#include "flow/flow.h"
#include "store/account_store.h"

enum {
    LSIG_STANDINGS_MAX = 16384,
    LSIG_STANDING_ASKED_MAX = 256,
    LSIG_STANDING_TOKENS_MAX = 8,
    LSIG_STANDING_FRESH_S = 10,
};

struct lsig_standings;

// It goes into flow->standings; while that is NULL every account stands by its tokens.
struct lsig_standings *lsig_standings_new(struct lsig_flow *flow, struct lsig_account_store store);
// The server shuts down: nothing more is asked, and no client is ended any more.
void lsig_standings_close(struct lsig_standings *standings); // NULL is fine
// After the store has been freed. NULL is fine.
void lsig_standings_free(struct lsig_standings *standings);

// About once a second: what the database had no room for is asked again.
void lsig_standings_tick(struct lsig_flow *flow);

// Whether the account has a say in these claims.
bool lsig_standing_matters(const struct lsig_settings *settings, const struct lsig_claims *claims);
// What it says: NULL when it stands by the token, else why not, for people. account NULL: there is
// none of that name.
const char *lsig_standing_reason(const struct lsig_settings *settings,
                                 const struct lsig_claims *claims,
                                 const struct lsig_account *account);
// For a WebSocket: LSIG_OK, also when the answer is to come, or LSIG_TOKEN_INVALID.
LSIG_MUST_USE enum lsig_status lsig_standing_check(const struct lsig_flow *flow,
                                                   const struct lsig_claims *claims,
                                                   struct lsig_refusal *refusal);
// Whether the answer that came since was bad for the token that the client has shown.
bool lsig_standing_refuses_client(const struct lsig_client *client);
