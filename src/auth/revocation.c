#include "auth/revocation.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/map.h"

struct token {
    uint64_t key; // also the map's
    int64_t end_s;
    size_t place; // in the heap
};

struct user {
    int64_t up_to_s;
    size_t len;
    char name[];
};

struct lsig_revocations {
    struct lsig_map tokens;
    struct token **heap; // by end, the first to end on top
    size_t heap_size;
    struct lsig_map users;
    int64_t before_s;
    size_t tokens_max;
    size_t users_max;
};

struct lsig_revocations *lsig_revocations_new(void)
{
    struct lsig_revocations *revocations = lsig_alloc(sizeof(*revocations));
    lsig_map_init(&revocations->tokens);
    lsig_map_init(&revocations->users);
    lsig_revocations_allow(revocations, LSIG_REVOCATION_TOKENS_MAX, LSIG_REVOCATION_USERS_MAX);
    return revocations;
}

void lsig_revocations_allow(struct lsig_revocations *revocations,
                            size_t tokens_max,
                            size_t users_max)
{
    revocations->tokens_max = tokens_max;
    revocations->users_max = users_max;
}

void lsig_revocations_free(struct lsig_revocations *revocations)
{
    if (revocations == NULL) {
        return;
    }
    size_t cursor = 0;
    void *value;
    while ((value = lsig_map_next(&revocations->users, &cursor)) != NULL) {
        free(value);
    }
    for (size_t i = 0; i < revocations->tokens.count; i++) {
        free(revocations->heap[i]);
    }
    free(revocations->heap);
    lsig_map_clear(&revocations->tokens);
    lsig_map_clear(&revocations->users);
    free(revocations);
}

// --- the heap of tokens, by their end

static void put(struct lsig_revocations *revocations, size_t place, struct token *token)
{
    revocations->heap[place] = token;
    token->place = place;
}

static void sift_up(struct lsig_revocations *revocations, struct token *token)
{
    size_t place = token->place;
    while (place > 0 && revocations->heap[(place - 1) / 2]->end_s > token->end_s) {
        put(revocations, place, revocations->heap[(place - 1) / 2]);
        place = (place - 1) / 2;
    }
    put(revocations, place, token);
}

static void sift_down(struct lsig_revocations *revocations, struct token *token, size_t count)
{
    size_t place = token->place;
    for (;;) {
        size_t child = 2 * place + 1;
        if (child + 1 < count &&
            revocations->heap[child + 1]->end_s < revocations->heap[child]->end_s) {
            child += 1;
        }
        if (child >= count || revocations->heap[child]->end_s >= token->end_s) {
            break;
        }
        put(revocations, place, revocations->heap[child]);
        place = child;
    }
    put(revocations, place, token);
}

static struct lsig_span key_of(const struct token *token)
{
    return (struct lsig_span){(const char *)&token->key, sizeof(token->key)};
}

static void forget_ended(struct lsig_revocations *revocations, int64_t now_s)
{
    while (revocations->tokens.count > 0 && revocations->heap[0]->end_s <= now_s) {
        struct token *ended = revocations->heap[0];
        lsig_map_remove(&revocations->tokens, key_of(ended));
        size_t count = revocations->tokens.count;
        if (count > 0) {
            put(revocations, 0, revocations->heap[count]);
            sift_down(revocations, revocations->heap[0], count);
        }
        free(ended);
    }
}

enum lsig_status lsig_revocations_add_token(struct lsig_revocations *revocations,
                                            uint64_t key,
                                            int64_t end_s,
                                            int64_t now_s)
{
    assert(key != 0);
    forget_ended(revocations, now_s);
    if (end_s <= now_s) {
        return LSIG_OK;
    }
    struct token *token =
        lsig_map_find(&revocations->tokens, (struct lsig_span){(const char *)&key, sizeof(key)});
    if (token != NULL) {
        if (end_s > token->end_s) {
            token->end_s = end_s;
            sift_down(revocations, token, revocations->tokens.count);
        }
        return LSIG_OK;
    }
    size_t count = revocations->tokens.count;
    if (count >= revocations->tokens_max) {
        return LSIG_TOO_BIG;
    }
    if (count == revocations->heap_size) {
        revocations->heap_size = count == 0 ? 16 : count * 2;
        revocations->heap =
            lsig_realloc(revocations->heap, revocations->heap_size * sizeof(struct token *));
    }
    token = lsig_alloc(sizeof(*token));
    *token = (struct token){.key = key, .end_s = end_s, .place = count};
    lsig_map_add(&revocations->tokens, key_of(token), token);
    sift_up(revocations, token);
    return LSIG_OK;
}

// --- users and times

enum lsig_status lsig_revocations_add_user(struct lsig_revocations *revocations,
                                           struct lsig_span user,
                                           int64_t up_to_s)
{
    struct user *known = lsig_map_find(&revocations->users, user);
    if (known != NULL) {
        known->up_to_s = up_to_s > known->up_to_s ? up_to_s : known->up_to_s;
        return LSIG_OK;
    }
    if (up_to_s < revocations->before_s) {
        return LSIG_OK; // covered
    }
    if (revocations->users.count >= revocations->users_max) {
        return LSIG_TOO_BIG;
    }
    known = lsig_alloc(sizeof(*known) + user.len);
    known->up_to_s = up_to_s;
    known->len = user.len;
    memcpy(known->name, user.data, user.len);
    lsig_map_add(&revocations->users, (struct lsig_span){known->name, known->len}, known);
    return LSIG_OK;
}

void lsig_revocations_add_time(struct lsig_revocations *revocations, int64_t before_s)
{
    if (before_s <= revocations->before_s) {
        return;
    }
    revocations->before_s = before_s;
    struct lsig_map left;
    lsig_map_init(&left);
    size_t cursor = 0;
    struct user *user;
    while ((user = lsig_map_next(&revocations->users, &cursor)) != NULL) {
        if (user->up_to_s < before_s) {
            free(user);
        } else {
            lsig_map_add(&left, (struct lsig_span){user->name, user->len}, user);
        }
    }
    lsig_map_clear(&revocations->users);
    revocations->users = left;
}

bool lsig_revocations_cover(const struct lsig_revocations *revocations,
                            uint64_t key,
                            struct lsig_span user,
                            int64_t iat_s)
{
    if (iat_s < revocations->before_s) {
        return true;
    }
    const struct user *known = lsig_map_find(&revocations->users, user);
    if (known != NULL && iat_s <= known->up_to_s) {
        return true;
    }
    return key != 0 && lsig_map_find(&revocations->tokens,
                                     (struct lsig_span){(const char *)&key, sizeof(key)}) != NULL;
}

int64_t lsig_revocations_first_good(const struct lsig_revocations *revocations,
                                    struct lsig_span user,
                                    int64_t now_s)
{
    const struct user *known = lsig_map_find(&revocations->users, user);
    int64_t first_s = now_s > revocations->before_s ? now_s : revocations->before_s;
    return known != NULL && known->up_to_s >= first_s ? known->up_to_s + 1 : first_s;
}

size_t lsig_revocations_token_count(const struct lsig_revocations *revocations)
{
    return revocations->tokens.count;
}

size_t lsig_revocations_user_count(const struct lsig_revocations *revocations)
{
    return revocations->users.count;
}

int64_t lsig_revocations_time(const struct lsig_revocations *revocations)
{
    return revocations->before_s;
}
