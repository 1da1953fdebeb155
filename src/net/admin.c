#include "net/admin.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/log.h"
#include "flow/operate.h"
#include "flow/operate_answer.h"
#include "net/admin_key.h"
#include "net/request_head.h"

struct lsig_admin {
    struct lsig_operate *operate;
    struct lsig_admin_key *key;
};

static const char prefix[] = "/admin/v1/";

// {room} is up to the next slash, {user} all the rest.
static const struct route {
    enum lsig_method method; // GET answers HEAD too
    const char *path;
    enum lsig_operate_command command;
    bool all; // rooms
} routes[] = {
    {LSIG_GET, "status", LSIG_OPERATE_STATUS, false},
    {LSIG_GET, "rooms", LSIG_OPERATE_ROOMS, false},
    {LSIG_GET, "rooms/{room}", LSIG_OPERATE_ROOM, false},
    {LSIG_GET, "rooms/{room}/call", LSIG_OPERATE_CALL, false},
    {LSIG_GET, "users/{user}", LSIG_OPERATE_USER, false},
    {LSIG_POST, "rooms/{room}/broadcast", LSIG_OPERATE_BROADCAST, false},
    {LSIG_POST, "rooms/{room}/kick", LSIG_OPERATE_KICK, false},
    {LSIG_POST, "rooms/{room}/close", LSIG_OPERATE_CLOSE, false},
    {LSIG_DELETE, "rooms/{room}/members/{user}", LSIG_OPERATE_KICK, false},
    {LSIG_POST, "broadcast", LSIG_OPERATE_BROADCAST, true},
    {LSIG_POST, "revoke", LSIG_OPERATE_REVOKE, false},
    {LSIG_POST, "log", LSIG_OPERATE_LOG, false},
    {LSIG_POST, "reload", LSIG_OPERATE_RELOAD, false},
    {LSIG_GET, "policy", LSIG_OPERATE_POLICY_LIST, false},
    {LSIG_POST, "policy/load", LSIG_OPERATE_POLICY_LOAD, false},
    {LSIG_POST, "policy/use", LSIG_OPERATE_POLICY_USE, false},
    {LSIG_POST, "policy/rollback", LSIG_OPERATE_POLICY_ROLLBACK, false},
    {LSIG_POST, "policy/discard", LSIG_OPERATE_POLICY_DISCARD, false},
    {LSIG_POST, "drain", LSIG_OPERATE_DRAIN, false},
};

struct lsig_admin *lsig_admin_new(struct lsig_operate *operate, const char *key)
{
    struct lsig_admin *admin = lsig_alloc(sizeof(*admin));
    admin->operate = operate;
    admin->key = lsig_admin_key_new(key);
    return admin;
}

void lsig_admin_free(struct lsig_admin *admin)
{
    if (admin != NULL) {
        lsig_admin_key_free(admin->key);
        free(admin);
    }
}

// Whether the path has the form, with the names in it.
static bool
match(const char *form, const char *path, struct lsig_span *room, struct lsig_span *user)
{
    static const char room_name[] = "{room}";
    static const char user_name[] = "{user}";
    while (*form != '\0') {
        if (strncmp(form, room_name, sizeof(room_name) - 1) == 0) {
            *room = (struct lsig_span){path, strcspn(path, "/")};
            if (room->len == 0) {
                return false;
            }
            path += room->len;
            form += sizeof(room_name) - 1;
        } else if (strcmp(form, user_name) == 0) {
            *user = lsig_span_of(path);
            return user->len > 0;
        } else if (*form++ != *path++) {
            return false;
        }
    }
    return *path == '\0';
}

static bool check_key(struct lsig_http *http, const char *address)
{
    static const char slow_down[] = "{\"detail\":\"Too many wrong keys from this address\"}";
    char text[LSIG_HEAD_MAX];
    int64_t retry_ms = 0;
    struct lsig_span given = lsig_request_bearer(http->wsi, text, sizeof(text));
    if (given.data == NULL) {
        lsig_http_fail(http, 401, "Not authenticated");
        return false;
    }
    enum lsig_status status = lsig_admin_key_check(http->net->admin->key, given, address,
                                                   http->net->options.flow->now.mono_ms, &retry_ms);
    explicit_bzero(text, sizeof(text));
    if (status == LSIG_OK) {
        return true;
    }
    if (status == LSIG_TOKEN_INVALID) {
        lsig_log(LSIG_WARNING, "admin-key-wrong", LSIG_LOG_TEXT("address", address));
        lsig_http_fail(http, 401, "Could not validate credentials");
    } else {
        lsig_http_answer(http, &(struct lsig_response){.status = 429,
                                                       .body = lsig_span_of(slow_down),
                                                       .retry_after_s = (retry_ms + 999) / 1000});
    }
    return false;
}

static bool take_query(struct lsig_http *http,
                       struct lsig_operate_request *request,
                       enum lsig_operate_field_index field,
                       const char *name,
                       char *detail)
{
    char text[64];
    struct lsig_span value = lsig_request_query(http->wsi, name, text, sizeof(text));
    return value.data == NULL || lsig_operate_request_set(request, field, value, detail);
}

static bool read_request(struct lsig_http *http,
                         struct lsig_operate_request *request,
                         const struct route *route,
                         struct lsig_span room,
                         struct lsig_span user)
{
    char detail[LSIG_OPERATE_DETAIL_SIZE] = "";
    struct lsig_span word = lsig_span_of(lsig_operate_command_word(route->command));
    bool fine = lsig_operate_request_set(request, LSIG_OPERATE_INDEX_COMMAND, word, detail) &&
                (room.data == NULL ||
                 lsig_operate_request_set(request, LSIG_OPERATE_INDEX_ROOM, room, detail)) &&
                (user.data == NULL ||
                 lsig_operate_request_set(request, LSIG_OPERATE_INDEX_USER, user, detail)) &&
                (!route->all || lsig_operate_request_set(request, LSIG_OPERATE_INDEX_ALL,
                                                         lsig_span_of("true"), detail)) &&
                take_query(http, request, LSIG_OPERATE_INDEX_LIMIT, "limit", detail) &&
                take_query(http, request, LSIG_OPERATE_INDEX_ADDRESSES, "addresses", detail) &&
                (http->body.len == 0 ||
                 lsig_operate_request_read(request, lsig_buf_span(&http->body), detail)) &&
                lsig_operate_request_check(request, detail);
    if (!fine) {
        lsig_http_fail(http, 400, detail);
    }
    return fine;
}

static void on_answer(void *arg, int status, struct lsig_span object)
{
    lsig_http_answer(arg, &(struct lsig_response){.status = status,
                                                  .body = object,
                                                  .retry_after_s = status == 503 ? 1 : 0,
                                                  .no_store = true});
}

static void run_route(struct lsig_http *http,
                      const struct route *route,
                      struct lsig_span room,
                      struct lsig_span user,
                      const char *address)
{
    char who[LSIG_ADDRESS_SIZE + 8];
    struct lsig_operate_request request = {0};
    snprintf(who, sizeof(who), "admin %s", address);
    if (read_request(http, &request, route, room, user)) {
        struct lsig_buf out;
        lsig_buf_init(&out, LSIG_OPERATE_ANSWER_MAX);
        http->wait.on_answer = on_answer;
        http->wait.arg = http;
        int status = lsig_operate_run(http->net->admin->operate, &request, who, &http->wait, &out);
        if (status != 0) {
            on_answer(http, status, lsig_buf_span(&out));
        }
        lsig_buf_clear(&out);
    }
    lsig_operate_request_clear(&request);
}

static void refuse_method(struct lsig_http *http, const char *path)
{
    static const char body[] = "{\"detail\":\"Method Not Allowed\"}";
    const struct route *found = NULL;
    for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
        struct lsig_span unused;
        found = match(routes[i].path, path, &unused, &unused) ? &routes[i] : found;
    }
    if (found == NULL) {
        lsig_http_fail(http, 404, "Not Found");
        return;
    }
    lsig_http_answer(http,
                     &(struct lsig_response){.status = 405,
                                             .body = lsig_span_of(body),
                                             .allow = found->method == LSIG_GET      ? "GET, HEAD"
                                                      : found->method == LSIG_DELETE ? "DELETE"
                                                                                     : "POST"});
}

void lsig_admin_handle(struct lsig_http *http)
{
    char address[LSIG_ADDRESS_SIZE];
    size_t skipped = sizeof(prefix) - 1;
    lsig_http_address(http, address);
    if (!check_key(http, address)) {
        return;
    }
    if (strncmp(http->path, prefix, skipped) != 0) {
        lsig_http_fail(http, 404, "Not Found");
        return;
    }
    enum lsig_method wanted = http->method == LSIG_HEAD ? LSIG_GET : http->method;
    const char *path = http->path + skipped;
    for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
        struct lsig_span room = {NULL, 0};
        struct lsig_span user = {NULL, 0};
        if (routes[i].method == wanted && match(routes[i].path, path, &room, &user)) {
            run_route(http, &routes[i], room, user, address);
            return;
        }
    }
    refuse_method(http, path);
}
