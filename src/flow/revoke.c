#include "flow/revoke.h"

#include <assert.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/log.h"
#include "flow/attend.h"

enum { FAMILY_TOKENS_MAX = LSIG_REFRESH_USED_MAX + 100 }; // what one family may bring with it

// A revocation on its way to the database.
struct unsaved {
    struct unsaved *next;
    struct lsig_revoke *revoke;
    struct lsig_revocation revocation;
};

struct lsig_revoke {
    struct lsig_revocations *revocations;
    struct lsig_account_store store;
    int64_t leeway_s;
    struct unsaved *failed; // the database did not take them
    size_t unsaved_count;   // these, and those that the store has been given
};

// --- opening and closing

static enum lsig_status
remember(struct lsig_revoke *revoke, const struct lsig_revocation *revocation, int64_t now_s)
{
    switch (revocation->kind) {
    case LSIG_REVOKED_TOKEN:
        return lsig_revocations_add_token(revoke->revocations, revocation->key, revocation->at,
                                          now_s);
    case LSIG_REVOKED_USER:
        return lsig_revocations_add_user(revoke->revocations, lsig_span_of(revocation->user),
                                         revocation->at);
    case LSIG_REVOKED_TIME:
        lsig_revocations_add_time(revoke->revocations, revocation->at);
        return LSIG_OK;
    }
    abort();
}

static void on_loaded(void *arg, const struct lsig_revocation *revocation)
{
    struct lsig_revoke *revoke = arg;
    enum lsig_status status = remember(revoke, revocation, 0);
    assert(status == LSIG_OK); // no bound while loading
}

enum lsig_status
lsig_revoke_new(struct lsig_revoke **out, struct lsig_account_store store, int64_t leeway_s)
{
    struct lsig_revoke *revoke = lsig_alloc(sizeof(*revoke));
    revoke->revocations = lsig_revocations_new();
    revoke->store = store;
    revoke->leeway_s = leeway_s;
    // What was kept may be a family more than fits; it is not refused, further ones are.
    lsig_revocations_allow(revoke->revocations, SIZE_MAX, SIZE_MAX);
    enum lsig_status status =
        store.load_revocations(store.self, lsig_clock_now().wall_ms / 1000, on_loaded, revoke);
    lsig_revocations_allow(revoke->revocations, LSIG_REVOCATION_TOKENS_MAX,
                           LSIG_REVOCATION_USERS_MAX);
    if (status != LSIG_OK) {
        lsig_revoke_free(revoke);
        *out = NULL;
        return LSIG_INTERNAL_ERROR;
    }
    *out = revoke;
    return LSIG_OK;
}

void lsig_revoke_free(struct lsig_revoke *revoke)
{
    if (revoke == NULL) {
        return;
    }
    while (revoke->failed != NULL) {
        struct unsaved *next = revoke->failed->next;
        free(revoke->failed);
        revoke->failed = next;
        revoke->unsaved_count -= 1;
    }
    assert(revoke->unsaved_count == 0); // the store has answered for all that it was given
    lsig_revocations_free(revoke->revocations);
    free(revoke);
}

// --- keeping

static void put_aside(struct unsaved *unsaved)
{
    struct unsaved **end = &unsaved->revoke->failed;
    while (*end != NULL) {
        end = &(*end)->next;
    }
    unsaved->next = NULL;
    *end = unsaved;
}

static void on_saved(void *arg, enum lsig_status status, const struct lsig_account *unused)
{
    (void)unused;
    struct unsaved *unsaved = arg;
    if (status == LSIG_OK) {
        unsaved->revoke->unsaved_count -= 1;
        free(unsaved);
        return;
    }
    lsig_log(LSIG_ERROR, "revocation-not-saved",
             LSIG_LOG_TEXT("advice", "it is in force, and is tried again; a restart would lose it"),
             LSIG_LOG_NUMBER("unsaved", unsaved->revoke->unsaved_count));
    put_aside(unsaved);
}

static bool give(struct unsaved *unsaved, int64_t now_s)
{
    struct lsig_account_store *store = &unsaved->revoke->store;
    return store->save_revocation(store->self, &unsaved->revocation, now_s,
                                  (struct lsig_account_call){on_saved, unsaved}) == LSIG_OK;
}

static void keep(struct lsig_flow *flow, const struct lsig_revocation *revocation)
{
    struct unsaved *unsaved = lsig_alloc(sizeof(*unsaved));
    unsaved->revoke = flow->revoke;
    unsaved->revocation = *revocation;
    flow->revoke->unsaved_count += 1;
    if (!give(unsaved, flow->now.wall_ms / 1000)) {
        put_aside(unsaved);
    }
}

void lsig_revoke_tick(struct lsig_flow *flow)
{
    struct lsig_revoke *revoke = flow->revoke;
    while (revoke != NULL && revoke->failed != NULL) {
        struct unsaved *unsaved = revoke->failed;
        revoke->failed = unsaved->next;
        if (!give(unsaved, flow->now.wall_ms / 1000)) {
            unsaved->next = revoke->failed;
            revoke->failed = unsaved;
            return;
        }
    }
}

// --- asking

static bool covers(const struct lsig_flow *flow, uint64_t key, const char *user, int64_t iat)
{
    return flow->revoke != NULL &&
           lsig_revocations_cover(flow->revoke->revocations, key, lsig_span_of(user), iat);
}

bool lsig_revoke_covers(const struct lsig_flow *flow, const struct lsig_claims *claims)
{
    return covers(flow, lsig_token_key(claims), claims->sub, claims->iat);
}

bool lsig_revoke_covers_client(const struct lsig_client *client)
{
    return covers(client->flow, client->token_key, client->member->id, client->token_iat);
}

bool lsig_revoke_covers_time(const struct lsig_flow *flow, const char *user_id, int64_t issued_s)
{
    return covers(flow, 0, user_id, issued_s);
}

int64_t lsig_revoke_first_good(const struct lsig_flow *flow, const char *user_id, int64_t now_s)
{
    return flow->revoke == NULL ? now_s
                                : lsig_revocations_first_good(flow->revoke->revocations,
                                                              lsig_span_of(user_id), now_s);
}

bool lsig_revoke_has_room(const struct lsig_revoke *revoke, enum lsig_revocation_kind kind)
{
    size_t tokens = lsig_revocations_token_count(revoke->revocations);
    size_t users = lsig_revocations_user_count(revoke->revocations);
    return kind == LSIG_REVOKED_USER ? users < LSIG_REVOCATION_USERS_MAX
                                     : tokens + FAMILY_TOKENS_MAX <= LSIG_REVOCATION_TOKENS_MAX;
}

// --- ending what is alive

// user.data NULL: of all users.
static size_t end_covered(struct lsig_flow *flow, struct lsig_span user)
{
    // Ending a client may change rooms and the hub: all are found first. Ending one frees no other.
    struct lsig_client **clients = NULL;
    size_t count = 0;
    size_t size = 0;
    size_t cursor = 0;
    struct lsig_room *room;
    while ((room = lsig_hub_next(flow->hub, &cursor)) != NULL) {
        for (uint32_t i = 0; i < room->connection_count; i++) {
            struct lsig_client *client = lsig_client_of(room->connections[i]);
            if (!lsig_client_is_member(client) ||
                (user.data != NULL && !lsig_span_is(user, client->member->id)) ||
                !lsig_revoke_covers_client(client)) {
                continue;
            }
            if (count == size) {
                size = size == 0 ? 16 : size * 2;
                clients = lsig_realloc(clients, size * sizeof(struct lsig_client *));
            }
            clients[count++] = client;
        }
    }
    for (size_t i = 0; i < count; i++) {
        lsig_attend_end(clients[i], LSIG_TOKEN_INVALID, "the token was revoked");
    }
    free(clients);
    return count;
}

static enum lsig_status
revoke_and_keep(struct lsig_flow *flow, const struct lsig_revocation *revocation, size_t *ended)
{
    static const char *const kinds[] = {"token", "user", "time"};
    if (flow->revoke->unsaved_count >= LSIG_REVOKE_UNSAVED_MAX) {
        return LSIG_BUSY;
    }
    enum lsig_status status = remember(flow->revoke, revocation, flow->now.wall_ms / 1000);
    if (status != LSIG_OK) {
        return status;
    }
    keep(flow, revocation);
    bool is_user = revocation->kind == LSIG_REVOKED_USER;
    size_t count = end_covered(flow, lsig_span_of(is_user ? revocation->user : NULL));
    lsig_log(LSIG_INFO, "revoked", LSIG_LOG_TEXT("what", kinds[revocation->kind]),
             LSIG_LOG_TEXT("user", revocation->user), LSIG_LOG_NUMBER("ended", count));
    if (ended != NULL) {
        *ended = count;
    }
    return LSIG_OK;
}

enum lsig_status
lsig_revoke_token(struct lsig_flow *flow, struct lsig_span jti, int64_t exp, size_t *ended)
{
    struct lsig_claims claims = {.token_version = -1};
    if (jti.len == 0 || jti.len > LSIG_TOKEN_NAME_MAX || memchr(jti.data, '\0', jti.len) != NULL ||
        exp < 0) {
        return LSIG_INVALID_MESSAGE;
    }
    memcpy(claims.jti, jti.data, jti.len);
    int64_t now_s = flow->now.wall_ms / 1000;
    struct lsig_revocation revocation = {
        .kind = LSIG_REVOKED_TOKEN,
        .key = lsig_token_key(&claims),
        .at = exp > 0 ? lsig_revoke_end(flow->revoke, exp) : now_s + LSIG_REVOCATION_UNKNOWN_S,
    };
    return revoke_and_keep(flow, &revocation, ended);
}

enum lsig_status lsig_revoke_user(struct lsig_flow *flow, struct lsig_span user_id, size_t *ended)
{
    struct lsig_revocation revocation = {.kind = LSIG_REVOKED_USER, .at = flow->now.wall_ms / 1000};
    if (user_id.len == 0 || user_id.len >= sizeof(revocation.user) ||
        memchr(user_id.data, '\0', user_id.len) != NULL) {
        return LSIG_INVALID_MESSAGE;
    }
    memcpy(revocation.user, user_id.data, user_id.len);
    return revoke_and_keep(flow, &revocation, ended);
}

enum lsig_status lsig_revoke_before(struct lsig_flow *flow, int64_t time_s, size_t *ended)
{
    struct lsig_revocation revocation = {.kind = LSIG_REVOKED_TIME, .at = time_s};
    if (time_s <= 0 || time_s > flow->now.wall_ms / 1000) {
        return LSIG_INVALID_MESSAGE;
    }
    return revoke_and_keep(flow, &revocation, ended);
}

int64_t lsig_revoke_end(const struct lsig_revoke *revoke, int64_t exp)
{
    return exp + revoke->leeway_s + 1; // exp may have had a fraction
}

size_t lsig_revoke_on_stored(struct lsig_flow *flow,
                             struct lsig_span user_id,
                             const struct lsig_revocation *revocation,
                             const struct lsig_access_mark *marks,
                             size_t mark_count)
{
    int64_t now_s = flow->now.wall_ms / 1000;
    bool fits = revocation == NULL || remember(flow->revoke, revocation, now_s) == LSIG_OK;
    for (size_t i = 0; i < mark_count && fits; i++) {
        fits = lsig_revocations_add_token(flow->revoke->revocations, marks[i].key, marks[i].end,
                                          now_s) == LSIG_OK;
    }
    size_t ended = 0;
    if (fits) {
        ended = end_covered(flow, user_id);
    } else if (lsig_revoke_user(flow, user_id, &ended) != LSIG_OK) {
        lsig_log(LSIG_ERROR, "revocation-not-in-force",
                 LSIG_LOG_TEXT("advice", "too many are remembered; lunasig ctl revoke by time"),
                 LSIG_LOG_SPAN("user", user_id));
    }
    return ended;
}
