// ticket.h - one-time tickets: what a client shows in a URL in place of its access token.
//
// 256 random bits, kept as their SHA-256 together with the claims of the token that asked for it.
// Good for LSIG_TICKET_S seconds, for one handshake, and never longer than the token. A user's
// ninth ticket takes the place of his oldest; at the bounds of all users a new one is refused, so
// that nobody can push out the tickets of others.
#pragma once

#include "auth/refresh.h"
#include "auth/token.h"
#include "flow/flow.h"

enum {
    LSIG_TICKET_S = 30,
    LSIG_TICKETS_PER_USER_MAX = 8,
    LSIG_TICKETS_MAX = 16384,
    LSIG_TICKETS_BYTES_MAX = 32 * 1024 * 1024, // of claims as JSON
    LSIG_TICKET_SIZE = LSIG_REFRESH_TOKEN_SIZE,
};

struct lsig_tickets;

struct lsig_tickets *lsig_tickets_new(void);          // it goes into flow->tickets
void lsig_tickets_free(struct lsig_tickets *tickets); // NULL is fine
size_t lsig_tickets_count(const struct lsig_tickets *tickets);

// A ticket of the bearer of these claims (copied), for one room, or with room_id.data NULL for any.
// LSIG_BUSY at a bound: try again in LSIG_TICKET_S at the latest.
LSIG_MUST_USE enum lsig_status lsig_ticket_make(struct lsig_flow *flow,
                                                const struct lsig_claims *claims,
                                                struct lsig_span room_id,
                                                char out[LSIG_TICKET_SIZE]);
// Uses a ticket up, whatever the outcome: LSIG_OK with *claims filled (to be cleared),
// LSIG_TOKEN_INVALID (unknown, used, too old, of another room, revoked), LSIG_TOKEN_EXPIRED.
LSIG_MUST_USE enum lsig_status lsig_ticket_take(struct lsig_flow *flow,
                                                struct lsig_span ticket,
                                                struct lsig_span room_id,
                                                struct lsig_claims *claims,
                                                struct lsig_refusal *refusal);
