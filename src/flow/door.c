#include "flow/door.h"

#include <assert.h>
#include <stdlib.h>

#include "base/alloc.h"

// How many connections one user has, over all rooms.
struct user_places {
    int64_t count;
    size_t id_len;
    char id[];
};

enum lsig_status lsig_door_check_token(const struct lsig_flow *flow,
                                       struct lsig_span token,
                                       struct lsig_claims *claims,
                                       struct lsig_refusal *refusal)
{
    return lsig_token_check(flow->keyring, token, flow->now.wall_ms / 1000, claims, refusal);
}

bool lsig_door_take_place(struct lsig_flow *flow, struct lsig_span user_id)
{
    int64_t max = flow->settings->user_connections_max;
    struct user_places *places = lsig_map_find(&flow->user_connections, user_id);
    if (places == NULL) {
        places = lsig_alloc(sizeof(*places) + user_id.len);
        places->id_len = user_id.len;
        memcpy(places->id, user_id.data, user_id.len);
        lsig_map_add(&flow->user_connections, (struct lsig_span){places->id, user_id.len}, places);
    }
    if (max > 0 && places->count >= max) {
        return false;
    }
    places->count += 1;
    return true;
}

void lsig_door_give_place(struct lsig_flow *flow, struct lsig_span user_id)
{
    struct user_places *places = lsig_map_find(&flow->user_connections, user_id);
    assert(places != NULL && places->count > 0);
    places->count -= 1;
    if (places->count == 0) {
        lsig_map_remove(&flow->user_connections, user_id);
        free(places);
    }
}
