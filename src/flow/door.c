#include "flow/door.h"

#include <assert.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "flow/account_standing.h"
#include "flow/revoke.h"

// How many connections one user has, over all rooms.
struct user_places {
    int64_t count;
    int64_t away;                // connections that were lost and are kept
    struct lsig_client *clients; // those in rooms
    size_t id_len;
    char id[];
};

static enum lsig_status check_revoked(const struct lsig_flow *flow,
                                      struct lsig_claims *claims,
                                      struct lsig_refusal *refusal)
{
    if (!lsig_revoke_covers(flow, claims)) {
        return LSIG_OK;
    }
    lsig_claims_clear(claims);
    return lsig_refuse_with(refusal, LSIG_TOKEN_INVALID, "the token was revoked");
}

static enum lsig_status check_account(const struct lsig_flow *flow,
                                      struct lsig_claims *claims,
                                      struct lsig_refusal *refusal)
{
    enum lsig_status status = lsig_standing_check(flow, claims, refusal);
    if (status != LSIG_OK) {
        lsig_claims_clear(claims);
    }
    return status;
}

enum lsig_status lsig_door_check_bearer(const struct lsig_flow *flow,
                                        struct lsig_span token,
                                        struct lsig_claims *claims,
                                        struct lsig_refusal *refusal)
{
    enum lsig_status status =
        lsig_token_check(flow->keyring, token, flow->now.wall_ms / 1000, claims, refusal);
    return status == LSIG_OK ? check_revoked(flow, claims, refusal) : status;
}

enum lsig_status lsig_door_check_token(const struct lsig_flow *flow,
                                       struct lsig_span token,
                                       struct lsig_claims *claims,
                                       struct lsig_refusal *refusal)
{
    enum lsig_status status = lsig_door_check_bearer(flow, token, claims, refusal);
    return status == LSIG_OK ? check_account(flow, claims, refusal) : status;
}

enum lsig_status lsig_door_check_claims(const struct lsig_flow *flow,
                                        struct lsig_claims *claims,
                                        struct lsig_refusal *refusal)
{
    if (claims->exp + lsig_keyring_leeway_s(flow->keyring) <= flow->now.wall_ms / 1000) {
        lsig_claims_clear(claims);
        return lsig_refuse(refusal, LSIG_TOKEN_EXPIRED);
    }
    enum lsig_status status = check_revoked(flow, claims, refusal);
    return status == LSIG_OK ? check_account(flow, claims, refusal) : status;
}

bool lsig_door_is_refused(const struct lsig_client *client)
{
    return lsig_revoke_covers_client(client) || lsig_standing_refuses_client(client);
}

static struct user_places *places_of(struct lsig_flow *flow, struct lsig_span user_id)
{
    struct user_places *places = lsig_map_find(&flow->user_connections, user_id);
    if (places == NULL) {
        places = lsig_alloc(sizeof(*places) + user_id.len);
        places->id_len = user_id.len;
        memcpy(places->id, user_id.data, user_id.len);
        lsig_map_add(&flow->user_connections, (struct lsig_span){places->id, user_id.len}, places);
    }
    return places;
}

static void forget_empty(struct lsig_flow *flow, struct user_places *places)
{
    if (places->count == 0 && places->away == 0 && places->clients == NULL) {
        lsig_map_remove(&flow->user_connections, (struct lsig_span){places->id, places->id_len});
        free(places);
    }
}

bool lsig_door_take_place(struct lsig_flow *flow, struct lsig_span user_id)
{
    int64_t max = flow->settings->user_connections_max;
    struct user_places *places = places_of(flow, user_id);
    if (max > 0 && places->count >= max) {
        return false;
    }
    places->count += 1;
    flow->connection_count += 1;
    return true;
}

void lsig_door_give_place(struct lsig_flow *flow, struct lsig_span user_id)
{
    struct user_places *places = lsig_map_find(&flow->user_connections, user_id);
    assert(places != NULL && places->count > 0);
    places->count -= 1;
    flow->connection_count -= 1;
    forget_empty(flow, places);
}

bool lsig_door_take_away(struct lsig_flow *flow, struct lsig_span user_id)
{
    int64_t max = flow->settings->user_connections_max;
    struct user_places *places = places_of(flow, user_id);
    if (max > 0 && places->away >= max) {
        forget_empty(flow, places);
        return false;
    }
    places->away += 1;
    flow->away_count += 1;
    return true;
}

void lsig_door_give_away(struct lsig_flow *flow, struct lsig_span user_id)
{
    struct user_places *places = lsig_map_find(&flow->user_connections, user_id);
    assert(places != NULL && places->away > 0);
    places->away -= 1;
    flow->away_count -= 1;
    forget_empty(flow, places);
}

void lsig_door_add_client(struct lsig_client *client)
{
    struct user_places *places = places_of(client->flow, lsig_span_of(client->member->id));
    client->user_next = places->clients;
    if (client->user_next != NULL) {
        client->user_next->user_previous = client;
    }
    places->clients = client;
}

void lsig_door_remove_client(struct lsig_client *client)
{
    struct lsig_flow *flow = client->flow;
    struct user_places *places =
        lsig_map_find(&flow->user_connections, lsig_span_of(client->member->id));
    assert(places != NULL);
    *(client->user_previous != NULL ? &client->user_previous->user_next : &places->clients) =
        client->user_next;
    if (client->user_next != NULL) {
        client->user_next->user_previous = client->user_previous;
    }
    client->user_next = NULL;
    client->user_previous = NULL;
    forget_empty(flow, places);
}

const struct lsig_client *lsig_door_clients(const struct lsig_flow *flow, struct lsig_span user_id)
{
    const struct user_places *places = lsig_map_find(&flow->user_connections, user_id);
    return places != NULL ? places->clients : NULL;
}

int64_t lsig_door_connections(const struct lsig_flow *flow, struct lsig_span user_id)
{
    const struct user_places *places = lsig_map_find(&flow->user_connections, user_id);
    return places != NULL ? places->count : 0;
}
