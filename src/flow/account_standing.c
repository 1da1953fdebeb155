#include "flow/account_standing.h"

#include <assert.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/log.h"
#include "flow/attend.h"

// A token that was let in before the answer.
struct waiting {
    uint64_t key;
    int64_t iat;
    int64_t version;
    bool bad; // the answer was bad for it
};

struct standing {
    struct lsig_standings *standings;
    struct standing *older; // by last use
    struct standing *newer;
    struct standing *next; // in the line of those to be asked about
    int64_t checked_ms;    // monotonic; 0: never
    bool asking;           // in that line, or asked
    bool there;
    bool active;
    int64_t version;
    size_t waiting_count;
    struct waiting waiting[LSIG_STANDING_TOKENS_MAX];
    size_t len;
    char name[];
};

struct lsig_standings {
    struct lsig_flow *flow;
    struct lsig_account_store store;
    struct lsig_map by_name;
    struct standing *oldest;
    struct standing *newest;
    struct standing *line; // to be asked about
    struct standing **line_end;
    size_t asked;
    bool closed;
};

// --- the table

struct lsig_standings *lsig_standings_new(struct lsig_flow *flow, struct lsig_account_store store)
{
    struct lsig_standings *standings = lsig_alloc(sizeof(*standings));
    standings->flow = flow;
    standings->store = store;
    standings->line_end = &standings->line;
    lsig_map_init(&standings->by_name);
    return standings;
}

void lsig_standings_close(struct lsig_standings *standings)
{
    if (standings != NULL) {
        standings->closed = true;
    }
}

static void unlink_standing(struct lsig_standings *standings, struct standing *standing)
{
    *(standing->older != NULL ? &standing->older->newer : &standings->oldest) = standing->newer;
    *(standing->newer != NULL ? &standing->newer->older : &standings->newest) = standing->older;
}

static void link_newest(struct lsig_standings *standings, struct standing *standing)
{
    standing->older = standings->newest;
    standing->newer = NULL;
    *(standing->older != NULL ? &standing->older->newer : &standings->oldest) = standing;
    standings->newest = standing;
}

static void forget(struct lsig_standings *standings, struct standing *standing)
{
    unlink_standing(standings, standing);
    lsig_map_remove(&standings->by_name, (struct lsig_span){standing->name, standing->len});
    free(standing);
}

void lsig_standings_free(struct lsig_standings *standings)
{
    if (standings == NULL) {
        return;
    }
    assert(standings->asked == 0);
    while (standings->oldest != NULL) {
        forget(standings, standings->oldest);
    }
    lsig_map_clear(&standings->by_name);
    free(standings);
}

// NULL when the table is full of users who are being asked about.
static struct standing *standing_of(struct lsig_standings *standings, const char *name)
{
    struct lsig_span span = lsig_span_of(name);
    struct standing *standing = lsig_map_find(&standings->by_name, span);
    if (standing != NULL) {
        unlink_standing(standings, standing);
        link_newest(standings, standing);
        return standing;
    }
    if (standings->by_name.count == LSIG_STANDINGS_MAX) {
        struct standing *oldest = standings->oldest;
        while (oldest != NULL && oldest->asking) {
            oldest = oldest->newer;
        }
        if (oldest == NULL) {
            return NULL;
        }
        forget(standings, oldest);
    }
    standing = lsig_alloc(sizeof(*standing) + span.len);
    standing->standings = standings;
    standing->len = span.len;
    memcpy(standing->name, span.data, span.len);
    lsig_map_add(&standings->by_name, (struct lsig_span){standing->name, span.len}, standing);
    link_newest(standings, standing);
    return standing;
}

// --- what the account says

bool lsig_standing_matters(const struct lsig_settings *settings, const struct lsig_claims *claims)
{
    return claims->token_version >= 0 || settings->auth_require_account;
}

static const char *
reason_of(const struct lsig_settings *settings, const struct standing *standing, int64_t version)
{
    if (!standing->there) {
        return settings->auth_require_account ? "there is no account of this name" : NULL;
    }
    if (!standing->active) {
        return "the account is not active";
    }
    return version >= 0 && version != standing->version ? "the token has been revoked" : NULL;
}

static void note(struct standing *standing, const char *sub, const struct lsig_account *account)
{
    // A foreign `sub` with an @ finds by e-mail: that is another name, not this account's.
    standing->there = account != NULL && strcmp(account->username, sub) == 0;
    standing->active = standing->there && account->is_active;
    standing->version = standing->there ? account->token_version : -1;
}

const char *lsig_standing_reason(const struct lsig_settings *settings,
                                 const struct lsig_claims *claims,
                                 const struct lsig_account *account)
{
    struct standing standing = {.version = -1};
    note(&standing, claims->sub, account);
    return reason_of(settings, &standing, claims->token_version);
}

// --- asking

static bool is_waiting(const struct waiting *waiting, uint64_t key, int64_t iat)
{
    return waiting->key == key && waiting->iat == iat;
}

bool lsig_standing_refuses_client(const struct lsig_client *client)
{
    const struct lsig_standings *standings = client->flow->standings;
    const struct standing *standing =
        standings == NULL ? NULL
                          : lsig_map_find(&standings->by_name, lsig_span_of(client->member->id));
    for (size_t i = 0; standing != NULL && i < standing->waiting_count; i++) {
        const struct waiting *waiting = &standing->waiting[i];
        if (waiting->bad && is_waiting(waiting, client->token_key, client->token_iat)) {
            return true;
        }
    }
    return false;
}

// A user's own connections are few: WEBSOCKET_CONNECTION_LIMIT.
static void end_refused(struct lsig_flow *flow, const struct standing *standing, const char *text)
{
    struct lsig_room *room;
    size_t cursor = 0;
    struct lsig_client **clients = NULL;
    size_t count = 0;
    while ((room = lsig_hub_next(flow->hub, &cursor)) != NULL) {
        struct lsig_span id = {standing->name, standing->len};
        const struct lsig_member *member = lsig_room_member(room, id);
        struct lsig_connection *at = member != NULL ? member->connections : NULL;
        for (; at != NULL; at = at->next) {
            struct lsig_client *client = lsig_client_of(at);
            if (lsig_client_is_member(client) && lsig_standing_refuses_client(client)) {
                clients = lsig_realloc(clients, (count + 1) * sizeof(struct lsig_client *));
                clients[count++] = client;
            }
        }
    }
    for (size_t i = 0; i < count; i++) {
        lsig_attend_end(clients[i], LSIG_TOKEN_INVALID, text);
    }
    free(clients);
}

static void ask_next(struct lsig_standings *standings);

static void on_found(void *arg, enum lsig_status status, const struct lsig_account *account)
{
    struct standing *standing = arg;
    struct lsig_standings *standings = standing->standings;
    const struct lsig_settings *settings = standings->flow->settings;
    standings->asked -= 1;
    standing->asking = false;
    if (standings->closed) {
        return;
    }
    const char *text = NULL;
    bool failed = status != LSIG_OK && status != LSIG_NOT_FOUND;
    if (!failed) {
        char name[LSIG_TOKEN_NAME_SIZE] = "";
        memcpy(name, standing->name, standing->len);
        note(standing, name, account);
        standing->checked_ms = standings->flow->now.mono_ms;
    }
    for (size_t i = 0; i < standing->waiting_count; i++) {
        struct waiting *waiting = &standing->waiting[i];
        const char *reason = !failed ? reason_of(settings, standing, waiting->version)
                             : settings->auth_require_account ? "the account cannot be looked at"
                                                              : NULL;
        waiting->bad = reason != NULL;
        text = reason != NULL ? reason : text;
    }
    if (text != NULL) {
        lsig_log(LSIG_INFO, "account-refuses",
                 LSIG_LOG_SPAN("user", ((struct lsig_span){standing->name, standing->len})),
                 LSIG_LOG_TEXT("reason", text));
        end_refused(standings->flow, standing, text);
    }
    ask_next(standings);
}

static void ask_next(struct lsig_standings *standings)
{
    while (standings->line != NULL && standings->asked < LSIG_STANDING_ASKED_MAX) {
        struct standing *standing = standings->line;
        if (standings->store.find(standings->store.self,
                                  (struct lsig_span){standing->name, standing->len},
                                  (struct lsig_account_call){on_found, standing}) != LSIG_OK) {
            return; // its queue is full: with the next answer, or with the next tick
        }
        standings->line = standing->next;
        standing->next = NULL;
        if (standings->line == NULL) {
            standings->line_end = &standings->line;
        }
        standings->asked += 1;
    }
}

void lsig_standings_tick(struct lsig_flow *flow)
{
    if (flow->standings != NULL && !flow->standings->closed) {
        ask_next(flow->standings);
    }
}

static enum lsig_status refuse(struct lsig_refusal *refusal, const char *reason)
{
    return lsig_refuse_with(refusal, LSIG_TOKEN_INVALID, "%s", reason);
}

enum lsig_status lsig_standing_check(const struct lsig_flow *flow,
                                     const struct lsig_claims *claims,
                                     struct lsig_refusal *refusal)
{
    struct lsig_standings *standings = flow->standings;
    if (standings == NULL || standings->closed || !lsig_standing_matters(flow->settings, claims)) {
        return LSIG_OK;
    }
    struct standing *standing = standing_of(standings, claims->sub);
    if (standing == NULL) {
        return refuse(refusal, "too many accounts are looked at");
    }
    if (!standing->asking) {
        if (standing->checked_ms != 0 &&
            flow->now.mono_ms - standing->checked_ms < (int64_t)LSIG_STANDING_FRESH_S * 1000) {
            const char *reason = reason_of(flow->settings, standing, claims->token_version);
            return reason == NULL ? LSIG_OK : refuse(refusal, reason);
        }
        standing->waiting_count = 0;
    }
    uint64_t key = lsig_token_key(claims);
    size_t i = 0;
    while (i < standing->waiting_count && !is_waiting(&standing->waiting[i], key, claims->iat)) {
        i += 1;
    }
    if (i == LSIG_STANDING_TOKENS_MAX) {
        return refuse(refusal, "too many tokens of this user at once");
    }
    if (i == standing->waiting_count) {
        standing->waiting[i] = (struct waiting){key, claims->iat, claims->token_version, false};
        standing->waiting_count += 1;
    }
    if (!standing->asking) {
        standing->asking = true;
        *standings->line_end = standing;
        standings->line_end = &standing->next;
        ask_next(standings);
    }
    return LSIG_OK;
}
