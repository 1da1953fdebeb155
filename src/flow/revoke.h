// revoke.h - tokens that are dead before their end: by token, by user, by time.
//
// What is revoked is known in memory from the moment on that a call returns; lsig_door_check_token
// asks, so that WebSockets, in-band auth and every request with a Bearer see it at once. It is kept
// in the database as well (through the store's thread, tried again until it is there) and read at
// the start, so that a restart forgets nothing.
//
// Live sockets: those in room->connections are ended here with TOKEN_INVALID and 4401, away ones
// that a room still holds too (lsig_attend_end). A client that is not in a room yet is met when it
// wants to enter: lsig_door_is_refused.
#pragma once

#include "auth/revocation.h"
#include "auth/token.h"
#include "flow/flow.h"
#include "store/account_store.h"

struct lsig_revoke;

enum { LSIG_REVOKE_UNSAVED_MAX = 4096 };

// Reads what the store has: blocks on the disk, for the start only. LSIG_INTERNAL_ERROR when the
// store cannot be read; *revoke is NULL then.
// It goes into flow->revoke; while that is NULL nothing is revoked.
LSIG_MUST_USE enum lsig_status
lsig_revoke_new(struct lsig_revoke **revoke, struct lsig_account_store store, int64_t leeway_s);
// After the store has been freed: no call to it may be under way. NULL is fine.
void lsig_revoke_free(struct lsig_revoke *revoke);
// About once a second: what the database has not taken yet is given to it again.
void lsig_revoke_tick(struct lsig_flow *flow);

// Each of these: LSIG_OK with *ended (may be NULL) how many clients were ended, away ones included;
// also when it was revoked before. LSIG_TOO_BIG when so much is remembered that this does not fit,
// LSIG_BUSY when the database has not taken the last LSIG_REVOKE_UNSAVED_MAX yet,
// LSIG_INVALID_MESSAGE for an argument out of bounds: nothing has been done then. For
// `lunasig ctl revoke` and the like; never from inside of a hook or of an observer.
//
// One token by its `jti` (1 to LSIG_TOKEN_NAME_MAX bytes), kept until exp (unix seconds) and the
// leeway have passed. exp 0: not known; then kept for LSIG_REVOCATION_UNKNOWN_S.
LSIG_MUST_USE enum lsig_status
lsig_revoke_token(struct lsig_flow *flow, struct lsig_span jti, int64_t exp, size_t *ended);
// All tokens of this `sub` that were issued up to this second, those that do not say when
// included; and the refresh tokens of the account of that name. Kept for ever, since tokens made
// elsewhere may live for ever (LSIG_REVOCATION_USERS_MAX; lsig_revoke_before makes room).
LSIG_MUST_USE enum lsig_status
lsig_revoke_user(struct lsig_flow *flow, struct lsig_span user_id, size_t *ended);
// All tokens that were issued before time_s (unix seconds, not in the future), those that do not
// say when included; and all refresh tokens that descend from a login before it. Kept for ever.
LSIG_MUST_USE enum lsig_status
lsig_revoke_before(struct lsig_flow *flow, int64_t time_s, size_t *ended);

// Whether a token that is right in all else was revoked. Without flow->revoke: no.
bool lsig_revoke_covers(const struct lsig_flow *flow, const struct lsig_claims *claims);
// Whether the token that a client has shown was revoked since (its member is set).
bool lsig_revoke_covers_client(const struct lsig_client *client);

// Whether tokens of the user that were issued then are revoked, by user or by time.
bool lsig_revoke_covers_time(const struct lsig_flow *flow, const char *user_id, int64_t issued_s);
// When a new token of the user has to say that it was issued, so that it is good: now_s, or a
// second later where the user was revoked within this one.
int64_t lsig_revoke_first_good(const struct lsig_flow *flow, const char *user_id, int64_t now_s);
// Until when a token with this exp has to be remembered.
int64_t lsig_revoke_end(const struct lsig_revoke *revoke, int64_t exp);
// Whether there is room to remember one more token with its family, or one more user.
bool lsig_revoke_has_room(const struct lsig_revoke *revoke, enum lsig_revocation_kind kind);
// What the store keeps already, by log_out or with a family of refresh tokens: remembered here, and
// its sockets ended. revocation may be NULL. When marks do not fit, all tokens of the user up to
// now are revoked in their place. Returns how many clients were ended.
size_t lsig_revoke_on_stored(struct lsig_flow *flow,
                             struct lsig_span user_id,
                             const struct lsig_revocation *revocation,
                             const struct lsig_access_mark *marks,
                             size_t mark_count);
