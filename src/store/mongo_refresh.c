#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/mongo_accounts.h"
#include "store/mongo_database.h"

enum { KIND_TOKEN, KIND_USER, KIND_TIME }; // in the database: never changed

enum { NAME_SIZE = LSIG_ACCOUNT_NAME_SIZE + 8 };

// ---- revocations ----

// _id is the kind's letter and the name, so that there is one of each.
static enum lsig_status
keep(struct lsig_mongo_database *database, int kind, const char *name, int64_t at)
{
    char id[NAME_SIZE];
    snprintf(id, sizeof(id), "%c/%s", "tua"[kind], name);
    enum lsig_status status = LSIG_EXISTS;
    // Of two that make it at once, one is told that it exists.
    for (int attempt = 0; attempt < 2 && status == LSIG_EXISTS; attempt++) {
        status = lsig_mongo_database_update(
            database, LSIG_MONGO_REVOCATIONS, BCON_NEW("_id", BCON_UTF8(id)),
            BCON_NEW("$max", "{", "at", BCON_INT64(at), "}", "$setOnInsert", "{", "kind",
                     BCON_INT32(kind), "name", BCON_UTF8(name), "}"),
            true);
    }
    return status == LSIG_OK ? LSIG_OK : LSIG_INTERNAL_ERROR;
}

static enum lsig_status forget(struct lsig_mongo_database *database, int kind, int64_t up_to)
{
    enum lsig_status status = lsig_mongo_database_remove(
        database, LSIG_MONGO_REVOCATIONS,
        BCON_NEW("kind", BCON_INT32(kind), "at", "{", "$lte", BCON_INT64(up_to), "}"));
    return status == LSIG_NOT_FOUND ? LSIG_OK : status;
}

static enum lsig_status keep_token(struct lsig_mongo_database *database, uint64_t key, int64_t end)
{
    char name[17];
    snprintf(name, sizeof(name), "%016" PRIx64, key);
    return keep(database, KIND_TOKEN, name, end);
}

static enum lsig_status remove_logins(struct lsig_mongo_database *database, bson_t *filter)
{
    enum lsig_status status = lsig_mongo_database_remove(database, LSIG_MONGO_LOGINS, filter);
    return status == LSIG_NOT_FOUND ? LSIG_OK : status;
}

enum lsig_status lsig_mongo_revocation_save(struct lsig_mongo_database *database,
                                            const struct lsig_revocation *revocation,
                                            int64_t now)
{
    enum lsig_status status = LSIG_INTERNAL_ERROR;
    switch (revocation->kind) {
    case LSIG_REVOKED_TOKEN:
        status = keep_token(database, revocation->key, revocation->at);
        break;
    case LSIG_REVOKED_USER:
        status = keep(database, KIND_USER, revocation->user, revocation->at);
        if (status == LSIG_OK) {
            status = remove_logins(database, BCON_NEW("username", BCON_UTF8(revocation->user)));
        }
        break;
    case LSIG_REVOKED_TIME:
        status = keep(database, KIND_TIME, "", revocation->at);
        if (status == LSIG_OK) {
            status = remove_logins(
                database, BCON_NEW("created_at", "{", "$lt", BCON_INT64(revocation->at), "}"));
        }
        if (status == LSIG_OK) {
            status = forget(database, KIND_USER, revocation->at - 1);
        }
        break;
    }
    return status == LSIG_OK ? forget(database, KIND_TOKEN, now) : status;
}

struct loading {
    int64_t now;
    void (*on_revocation)(void *arg, const struct lsig_revocation *one);
    void *arg;
};

static bool load_one(void *arg, const bson_t *document)
{
    struct loading *loading = arg;
    int64_t kind = lsig_mongo_database_integer(document, "kind");
    struct lsig_revocation one = {.at = lsig_mongo_database_integer(document, "at")};
    one.kind = kind == KIND_TOKEN  ? LSIG_REVOKED_TOKEN
               : kind == KIND_USER ? LSIG_REVOKED_USER
                                   : LSIG_REVOKED_TIME;
    (void)lsig_mongo_database_text(document, "name", one.user, sizeof(one.user));
    one.key = kind == KIND_TOKEN ? strtoull(one.user, NULL, 16) : 0;
    if (kind != KIND_TOKEN || one.at > loading->now) {
        loading->on_revocation(loading->arg, &one);
    }
    return true;
}

enum lsig_status
lsig_mongo_revocation_load(struct lsig_mongo_database *database,
                           int64_t now,
                           void (*on_revocation)(void *arg, const struct lsig_revocation *one),
                           void *arg)
{
    struct loading loading = {now, on_revocation, arg};
    return lsig_mongo_database_each(database, LSIG_MONGO_REVOCATIONS, bson_new(), NULL, load_one,
                                    &loading);
}

// ---- logins ----

static void append_hash(bson_t *document, const unsigned char hash[LSIG_REFRESH_HASH_SIZE])
{
    BSON_APPEND_BINARY(document, "hash", BSON_SUBTYPE_BINARY, hash, LSIG_REFRESH_HASH_SIZE);
}

// The members of a token: of `hash` at the top of the document, or of one in `used`.
static void append_token(bson_t *document, const struct lsig_refresh_token *token)
{
    append_hash(document, token->hash);
    BSON_APPEND_INT64(document, "issued_at", token->created_at);
    BSON_APPEND_INT64(document, "expires_at", token->expires_at);
    BSON_APPEND_INT64(document, "access_key", (int64_t)token->access_key);
    BSON_APPEND_INT64(document, "access_end", token->access_end);
}

static void read_token(const bson_t *document, struct lsig_refresh_token *token)
{
    struct lsig_span hash = lsig_mongo_database_bytes(document, "hash");
    if (hash.len == LSIG_REFRESH_HASH_SIZE) {
        memcpy(token->hash, hash.data, hash.len);
    }
    token->created_at = lsig_mongo_database_integer(document, "issued_at");
    token->expires_at = lsig_mongo_database_integer(document, "expires_at");
    token->used_at = lsig_mongo_database_integer(document, "used_at");
    token->access_key = (uint64_t)lsig_mongo_database_integer(document, "access_key");
    token->access_end = lsig_mongo_database_integer(document, "access_end");
}

// What all tokens of a login share.
static void read_login(const bson_t *document, struct lsig_refresh_token *token)
{
    (void)lsig_mongo_database_text(document, "username", token->username, sizeof(token->username));
    (void)lsig_mongo_database_text(document, "_id", token->family, sizeof(token->family));
    token->token_version = lsig_mongo_database_integer(document, "token_version");
}

// The tokens of a login: first the good one, then the used ones, the oldest first.
struct tokens {
    bson_iter_t used;
    const bson_t *document;
    bool begun;
};

static bool next_token(struct tokens *tokens, struct lsig_refresh_token *token)
{
    *token = (struct lsig_refresh_token){.username = ""};
    read_login(tokens->document, token);
    bson_iter_t at;
    if (!tokens->begun) {
        tokens->begun = true;
        read_token(tokens->document, token);
        if (!bson_iter_init_find(&at, tokens->document, "used") || !BSON_ITER_HOLDS_ARRAY(&at) ||
            !bson_iter_recurse(&at, &tokens->used)) {
            tokens->document = NULL;
        }
        return true;
    }
    const uint8_t *bytes;
    uint32_t len;
    bson_t one;
    if (!bson_iter_next(&tokens->used) || !BSON_ITER_HOLDS_DOCUMENT(&tokens->used)) {
        return false;
    }
    bson_iter_document(&tokens->used, &len, &bytes);
    if (!bson_init_static(&one, bytes, len)) {
        return false;
    }
    read_token(&one, token);
    return true;
}

static bool next_of(struct tokens *tokens, struct lsig_refresh_token *token)
{
    return tokens->document != NULL && next_token(tokens, token);
}

static int64_t end_of(const struct lsig_refresh_token *token)
{
    return token->access_end > token->expires_at ? token->access_end : token->expires_at;
}

static bool find_in(const bson_t *document,
                    const unsigned char hash[LSIG_REFRESH_HASH_SIZE],
                    struct lsig_refresh_token *token)
{
    struct tokens tokens = {.document = document};
    while (next_of(&tokens, token)) {
        if (memcmp(token->hash, hash, LSIG_REFRESH_HASH_SIZE) == 0) {
            return true;
        }
    }
    return false;
}

// The login that a token, used or not, belongs to; LSIG_NOT_FOUND also when it ended at `now`.
static enum lsig_status find_login(struct lsig_mongo_database *database,
                                   const unsigned char hash[LSIG_REFRESH_HASH_SIZE],
                                   int64_t now,
                                   struct lsig_refresh_token *token,
                                   bson_t *login)
{
    bson_t *filter = bson_new();
    append_hash(filter, hash);
    enum lsig_status status =
        lsig_mongo_database_find(database, LSIG_MONGO_LOGINS, filter, NULL, login);
    if (status == LSIG_NOT_FOUND) {
        filter = bson_new();
        BSON_APPEND_BINARY(filter, "used.hash", BSON_SUBTYPE_BINARY, hash, LSIG_REFRESH_HASH_SIZE);
        status = lsig_mongo_database_find(database, LSIG_MONGO_LOGINS, filter, NULL, login);
    }
    if (status == LSIG_OK && (!find_in(login, hash, token) || token->expires_at <= now)) {
        bson_destroy(login);
        status = LSIG_NOT_FOUND;
    }
    return status;
}

struct surplus {
    bson_t *ids;
    int count;
};

static bool add_surplus(void *arg, const bson_t *document)
{
    struct surplus *surplus = arg;
    char index[16];
    char family[LSIG_REFRESH_FAMILY_SIZE];
    snprintf(index, sizeof(index), "%d", surplus->count++);
    (void)lsig_mongo_database_text(document, "_id", family, sizeof(family));
    BSON_APPEND_UTF8(surplus->ids, index, family);
    return true;
}

static enum lsig_status
remove_old(struct lsig_mongo_database *database, const char *username, int64_t now)
{
    enum lsig_status status =
        remove_logins(database, BCON_NEW("gone_at", "{", "$lte", BCON_INT64(now), "}"));
    if (status != LSIG_OK) {
        return status;
    }
    bson_t ids = BSON_INITIALIZER;
    struct surplus surplus = {&ids, 0};
    status = lsig_mongo_database_each(
        database, LSIG_MONGO_LOGINS, BCON_NEW("username", BCON_UTF8(username)),
        BCON_NEW("projection", "{", "_id", BCON_INT32(1), "}", "sort", "{", "expires_at",
                 BCON_INT32(-1), "order", BCON_INT32(-1), "}", "skip",
                 BCON_INT64(LSIG_MONGO_LOGINS_MAX)),
        add_surplus, &surplus);
    if (status == LSIG_OK && surplus.count > 0) {
        status = remove_logins(database, BCON_NEW("_id", "{", "$in", BCON_ARRAY(&ids), "}"));
    }
    bson_destroy(&ids);
    return status;
}

enum lsig_status lsig_mongo_refresh_save(struct lsig_mongo_database *database,
                                         const struct lsig_refresh_token *token)
{
    struct lsig_account account;
    enum lsig_status status = lsig_mongo_accounts_find(database, token->username, &account);
    explicit_bzero(&account, sizeof(account)); // a hash
    if (status != LSIG_OK) {
        return status;
    }
    bson_t *login = bson_new();
    bson_oid_t order;
    bson_oid_init(&order, NULL); // later ones are greater
    BSON_APPEND_UTF8(login, "_id", token->family);
    BSON_APPEND_UTF8(login, "username", token->username);
    BSON_APPEND_INT64(login, "token_version", token->token_version);
    BSON_APPEND_INT64(login, "created_at", token->created_at);
    BSON_APPEND_INT64(login, "gone_at", end_of(token));
    BSON_APPEND_OID(login, "order", &order);
    append_token(login, token);
    status = lsig_mongo_database_insert(database, LSIG_MONGO_LOGINS, login);
    if (status != LSIG_OK) {
        return LSIG_INTERNAL_ERROR; // also where there is one already: both names are random
    }
    return remove_old(database, token->username, token->created_at);
}

enum lsig_status lsig_mongo_refresh_find(struct lsig_mongo_database *database,
                                         struct lsig_refresh_token *token,
                                         struct lsig_account *account)
{
    unsigned char hash[LSIG_REFRESH_HASH_SIZE];
    bson_t login;
    memcpy(hash, token->hash, sizeof(hash));
    enum lsig_status status = find_login(database, hash, token->created_at, token, &login);
    if (status != LSIG_OK) {
        return status;
    }
    bson_destroy(&login);
    return lsig_mongo_accounts_find(database, token->username, account);
}

// Revokes what is good yet of the access tokens of a login, and tells it.
static enum lsig_status revoke_access(struct lsig_mongo_database *database,
                                      const bson_t *login,
                                      int64_t now,
                                      struct lsig_access_marks *marks)
{
    struct tokens tokens = {.document = login};
    struct lsig_refresh_token token;
    enum lsig_status status = LSIG_OK;
    while (status == LSIG_OK && next_of(&tokens, &token)) {
        bool told = token.access_key == 0 || token.access_end <= now;
        for (size_t i = 0; i < marks->count && !told; i++) {
            told = marks->items[i].key == token.access_key;
        }
        if (!told) {
            lsig_access_marks_add(marks, token.access_key, token.access_end);
            status = keep_token(database, token.access_key, token.access_end);
        }
    }
    return status;
}

// The access tokens first: a failure in between is met by the same call again. Then the document as
// it was in the end, since a rotation may have come in between.
static enum lsig_status remove_family(struct lsig_mongo_database *database,
                                      const bson_t *login,
                                      int64_t now,
                                      struct lsig_access_marks *marks)
{
    char family[LSIG_REFRESH_FAMILY_SIZE];
    (void)lsig_mongo_database_text(login, "_id", family, sizeof(family));
    enum lsig_status status = revoke_access(database, login, now, marks);
    if (status != LSIG_OK) {
        return status;
    }
    bson_t last;
    status = lsig_mongo_database_change(database, LSIG_MONGO_LOGINS,
                                        BCON_NEW("_id", BCON_UTF8(family)), NULL, false, &last);
    if (status == LSIG_OK) {
        status = revoke_access(database, &last, now, marks);
        bson_destroy(&last);
    }
    return status == LSIG_NOT_FOUND ? LSIG_OK : status;
}

// Of the used ones, the oldest goes when it has ended or there are too many: one comes with each
// rotation, and one goes.
static enum lsig_status
remove_oldest_used(struct lsig_mongo_database *database, const bson_t *before, int64_t now)
{
    struct tokens tokens = {.document = before};
    struct lsig_refresh_token token;
    int64_t oldest_end = INT64_MAX;
    char family[LSIG_REFRESH_FAMILY_SIZE];
    int used = -1;
    for (; next_of(&tokens, &token); used++) {
        oldest_end = used == 0 ? end_of(&token) : oldest_end;
    }
    if (used < LSIG_REFRESH_USED_MAX && oldest_end > now) {
        return LSIG_OK;
    }
    (void)lsig_mongo_database_text(before, "_id", family, sizeof(family));
    return lsig_mongo_database_update(database, LSIG_MONGO_LOGINS,
                                      BCON_NEW("_id", BCON_UTF8(family)),
                                      BCON_NEW("$pop", "{", "used", BCON_INT32(-1), "}"), false);
}

// The one change that is a rotation. *before is the login as it was; LSIG_NOT_FOUND when this is
// not the good token of any, or has ended.
static enum lsig_status use_token(struct lsig_mongo_database *database,
                                  const struct lsig_refresh_token *old,
                                  const struct lsig_refresh_token *next,
                                  bson_t *before)
{
    bson_t *filter = bson_new();
    append_hash(filter, old->hash);
    bson_t *update = bson_new();
    bson_t part;
    bson_t used;
    BSON_APPEND_DOCUMENT_BEGIN(update, "$set", &part);
    append_token(&part, next);
    bson_append_document_end(update, &part);
    BSON_APPEND_DOCUMENT_BEGIN(update, "$push", &part);
    BSON_APPEND_DOCUMENT_BEGIN(&part, "used", &used);
    append_token(&used, old);
    BSON_APPEND_INT64(&used, "used_at", next->created_at);
    bson_append_document_end(&part, &used);
    bson_append_document_end(update, &part);
    BSON_APPEND_DOCUMENT_BEGIN(update, "$max", &part);
    BSON_APPEND_INT64(&part, "gone_at", end_of(next));
    bson_append_document_end(update, &part);
    return lsig_mongo_database_change(database, LSIG_MONGO_LOGINS, filter, update, false, before);
}

enum lsig_status lsig_mongo_refresh_rotate(struct lsig_mongo_database *database,
                                           const unsigned char hash[LSIG_REFRESH_HASH_SIZE],
                                           struct lsig_refresh_token *next,
                                           struct lsig_access_marks *marks)
{
    int64_t now = next->created_at;
    struct lsig_refresh_token old;
    bson_t login;
    enum lsig_status status = find_login(database, hash, now, &old, &login);
    if (status != LSIG_OK) {
        return status;
    }
    bson_t before;
    status = old.used_at > 0 ? LSIG_NOT_FOUND : use_token(database, &old, next, &before);
    memcpy(next->username, old.username, sizeof(next->username));
    memcpy(next->family, old.family, sizeof(next->family));
    next->token_version = old.token_version;
    if (status == LSIG_OK) {
        (void)remove_oldest_used(database, &before, now); // the rotation is done
        bson_destroy(&before);
    } else if (status == LSIG_EXISTS) {
        status = LSIG_INTERNAL_ERROR;      // the next hash is taken
    } else if (status == LSIG_NOT_FOUND) { // it was used before, or a moment ago
        status = remove_family(database, &login, now, marks);
        status = status == LSIG_OK ? LSIG_TOKEN_INVALID : status;
    }
    bson_destroy(&login);
    return status;
}

// Of the login that gave out this access token, if it is the user's.
static enum lsig_status find_by_access(struct lsig_mongo_database *database,
                                       const struct lsig_logout *logout,
                                       const char *field,
                                       bson_t *login)
{
    return lsig_mongo_database_find(database, LSIG_MONGO_LOGINS,
                                    BCON_NEW(field, BCON_INT64((int64_t)logout->revocation.key),
                                             "username", BCON_UTF8(logout->username)),
                                    NULL, login);
}

enum lsig_status lsig_mongo_refresh_log_out(struct lsig_mongo_database *database,
                                            const struct lsig_logout *logout,
                                            struct lsig_access_marks *marks)
{
    bson_t login;
    enum lsig_status status =
        lsig_mongo_revocation_save(database, &logout->revocation, logout->now);
    if (status == LSIG_OK && logout->revocation.kind == LSIG_REVOKED_TOKEN) {
        status = find_by_access(database, logout, "access_key", &login);
        if (status == LSIG_NOT_FOUND) {
            status = find_by_access(database, logout, "used.access_key", &login);
        }
        if (status == LSIG_OK) {
            status = remove_family(database, &login, logout->now, marks);
            bson_destroy(&login);
        }
        status = status == LSIG_NOT_FOUND ? LSIG_OK : status;
    }
    if (status == LSIG_OK && logout->has_hash) {
        struct lsig_refresh_token token;
        status = find_login(database, logout->hash, logout->now, &token, &login);
        if (status == LSIG_OK) {
            if (strcmp(token.username, logout->username) == 0) {
                status = remove_family(database, &login, logout->now, marks);
            }
            bson_destroy(&login);
        }
        status = status == LSIG_NOT_FOUND ? LSIG_OK : status;
    }
    return status;
}
