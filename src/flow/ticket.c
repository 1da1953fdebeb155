#include "flow/ticket.h"

#include <assert.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "flow/door.h"

struct ticket {
    struct ticket *older; // of all
    struct ticket *newer;
    int64_t until_ms; // monotonic
    struct holder *holder;
    struct lsig_claims claims;
    char room_id[LSIG_ROOM_ID_MAX + 1]; // "": any
    unsigned char digest[LSIG_REFRESH_DIGEST_SIZE];
};

// A user with tickets.
struct holder {
    size_t count;
    size_t len;
    char id[];
};

struct lsig_tickets {
    struct lsig_map by_digest;
    struct lsig_map holders;
    struct ticket *oldest; // all live for the same time: the oldest ends first
    struct ticket *newest;
    size_t bytes;
};

static struct lsig_span digest_of(const struct ticket *ticket)
{
    return (struct lsig_span){(const char *)ticket->digest, sizeof(ticket->digest)};
}

struct lsig_tickets *lsig_tickets_new(void)
{
    struct lsig_tickets *tickets = lsig_alloc(sizeof(*tickets));
    lsig_map_init(&tickets->by_digest);
    lsig_map_init(&tickets->holders);
    return tickets;
}

static void link_newest(struct lsig_tickets *tickets, struct ticket *ticket)
{
    ticket->older = tickets->newest;
    *(ticket->older != NULL ? &ticket->older->newer : &tickets->oldest) = ticket;
    tickets->newest = ticket;
    tickets->bytes += ticket->claims.json_len;
    lsig_map_add(&tickets->by_digest, digest_of(ticket), ticket);
}

static void forget(struct lsig_tickets *tickets, struct ticket *ticket)
{
    *(ticket->older != NULL ? &ticket->older->newer : &tickets->oldest) = ticket->newer;
    *(ticket->newer != NULL ? &ticket->newer->older : &tickets->newest) = ticket->older;
    tickets->bytes -= ticket->claims.json_len;
    lsig_map_remove(&tickets->by_digest, digest_of(ticket));
    struct holder *holder = ticket->holder;
    holder->count -= 1;
    if (holder->count == 0) {
        lsig_map_remove(&tickets->holders, (struct lsig_span){holder->id, holder->len});
        free(holder);
    }
    lsig_claims_clear(&ticket->claims);
    explicit_bzero(ticket, sizeof(*ticket));
    free(ticket);
}

void lsig_tickets_free(struct lsig_tickets *tickets)
{
    if (tickets == NULL) {
        return;
    }
    while (tickets->oldest != NULL) {
        forget(tickets, tickets->oldest);
    }
    lsig_map_clear(&tickets->by_digest);
    lsig_map_clear(&tickets->holders);
    free(tickets);
}

size_t lsig_tickets_count(const struct lsig_tickets *tickets)
{
    return tickets->by_digest.count;
}

static void forget_ended(struct lsig_tickets *tickets, int64_t mono_ms)
{
    while (tickets->oldest != NULL && tickets->oldest->until_ms <= mono_ms) {
        forget(tickets, tickets->oldest);
    }
}

static struct holder *holder_of(struct lsig_tickets *tickets, const char *user_id)
{
    struct lsig_span id = lsig_span_of(user_id);
    struct holder *holder = lsig_map_find(&tickets->holders, id);
    if (holder == NULL) {
        holder = lsig_alloc(sizeof(*holder) + id.len);
        holder->len = id.len;
        memcpy(holder->id, id.data, id.len);
        lsig_map_add(&tickets->holders, (struct lsig_span){holder->id, id.len}, holder);
    }
    return holder;
}

static void forget_oldest_of(struct lsig_tickets *tickets, const struct holder *holder)
{
    struct ticket *at = tickets->oldest;
    while (at->holder != holder) {
        at = at->newer;
    }
    forget(tickets, at);
}

enum lsig_status lsig_ticket_make(struct lsig_flow *flow,
                                  const struct lsig_claims *claims,
                                  struct lsig_span room_id,
                                  char out[LSIG_TICKET_SIZE])
{
    struct lsig_tickets *tickets = flow->tickets;
    assert(room_id.len <= LSIG_ROOM_ID_MAX);
    forget_ended(tickets, flow->now.mono_ms);
    struct holder *holder = lsig_map_find(&tickets->holders, lsig_span_of(claims->sub));
    if (holder != NULL && holder->count == LSIG_TICKETS_PER_USER_MAX) {
        forget_oldest_of(tickets, holder);
    }
    if (tickets->by_digest.count >= LSIG_TICKETS_MAX ||
        tickets->bytes + claims->json_len > LSIG_TICKETS_BYTES_MAX) {
        return LSIG_BUSY;
    }
    struct lsig_refresh secret;
    lsig_refresh_init(&secret);
    struct ticket *ticket = lsig_alloc(sizeof(*ticket));
    ticket->until_ms = flow->now.mono_ms + (int64_t)LSIG_TICKET_S * 1000;
    ticket->holder = holder_of(tickets, claims->sub);
    ticket->holder->count += 1;
    ticket->claims = *claims;
    ticket->claims.json = lsig_strndup(claims->json, claims->json_len);
    if (room_id.data != NULL) {
        memcpy(ticket->room_id, room_id.data, room_id.len);
    }
    memcpy(ticket->digest, secret.digest, sizeof(ticket->digest));
    link_newest(tickets, ticket);
    memcpy(out, secret.token, LSIG_TICKET_SIZE);
    lsig_refresh_clear(&secret);
    return LSIG_OK;
}

enum lsig_status lsig_ticket_take(struct lsig_flow *flow,
                                  struct lsig_span text,
                                  struct lsig_span room_id,
                                  struct lsig_claims *claims,
                                  struct lsig_refusal *refusal)
{
    unsigned char digest[LSIG_REFRESH_DIGEST_SIZE];
    struct lsig_tickets *tickets = flow->tickets;
    if (tickets == NULL) {
        return lsig_refuse_with(refusal, LSIG_TOKEN_INVALID, "there is no such ticket");
    }
    forget_ended(tickets, flow->now.mono_ms);
    lsig_refresh_print_digest(text, digest);
    struct ticket *ticket = lsig_map_find(&tickets->by_digest,
                                          (struct lsig_span){(const char *)digest, sizeof(digest)});
    if (ticket == NULL) {
        return lsig_refuse_with(refusal, LSIG_TOKEN_INVALID, "there is no such ticket");
    }
    bool fits = ticket->room_id[0] == '\0' || lsig_span_is(room_id, ticket->room_id);
    *claims = ticket->claims;
    claims->json = lsig_strndup(ticket->claims.json, ticket->claims.json_len);
    forget(tickets, ticket);
    if (!fits) {
        lsig_claims_clear(claims);
        return lsig_refuse_with(refusal, LSIG_TOKEN_INVALID, "the ticket is for another room");
    }
    return lsig_door_check_claims(flow, claims, refusal);
}
