#include "flow/operate.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "codec/json.h"
#include "flow/attend.h"
#include "flow/operate_answer.h"
#include "flow/operate_broadcast.h"
#include "flow/operate_policy.h"
#include "flow/operate_view.h"
#include "flow/revoke.h"
#include "flow/timeline_view.h"

struct lsig_operate {
    struct lsig_flow *flow;
    const char *version;
    struct lsig_operate_hooks hooks;
    struct lsig_broadcasts *broadcasts;
    int64_t started_ms; // monotonic
    int64_t drain_ms;   // monotonic; 0: not asked for
};

struct lsig_operate *lsig_operate_new(struct lsig_flow *flow,
                                      const char *version,
                                      const struct lsig_operate_hooks *hooks)
{
    struct lsig_operate *operate = lsig_alloc(sizeof(*operate));
    operate->flow = flow;
    operate->version = version;
    operate->hooks = *hooks;
    operate->broadcasts = lsig_broadcasts_new(flow);
    operate->started_ms = flow->now.mono_ms;
    return operate;
}

void lsig_operate_free(struct lsig_operate *operate)
{
    if (operate == NULL) {
        return;
    }
    lsig_broadcasts_free(operate->broadcasts);
    free(operate);
}

struct lsig_flow *lsig_operate_flow(const struct lsig_operate *operate)
{
    return operate->flow;
}

// --- answers

static int no_such_room(struct lsig_buf *out, const struct lsig_operate_request *request)
{
    return lsig_operate_refuse(out, 404, "nobody is in a room %s", request->room_id);
}

// The room of the request, if it has members.
static struct lsig_room *find_room(const struct lsig_operate *operate,
                                   const struct lsig_operate_request *request)
{
    struct lsig_room *room = lsig_hub_find(operate->flow->hub, lsig_span_of(request->room_id));
    return room != NULL && room->member_count > 0 ? room : NULL;
}

static size_t limit_of(const struct lsig_operate_request *request)
{
    return (size_t)(request->limit > 0 ? request->limit : LSIG_OPERATE_LIMIT);
}

static int print_status(const struct lsig_operate *operate, struct lsig_buf *out)
{
    const struct lsig_flow *flow = operate->flow;
    const struct lsig_metrics *metrics = flow->metrics;
    bool draining = operate->drain_ms > 0 || operate->hooks.draining(operate->hooks.arg);
    lsig_json_open(out, NULL, '{');
    lsig_json_string(out, "version", operate->version);
    lsig_json_integer(out, "uptime_s", (flow->now.mono_ms - operate->started_ms) / 1000);
    lsig_json_integer(out, "policy_version", (int64_t)lsig_script_version(flow->script));
    lsig_json_integer(out, "connections", metrics->connections_open);
    lsig_json_integer(out, "rooms", (int64_t)lsig_hub_room_count(flow->hub));
    lsig_json_integer(out, "members", (int64_t)lsig_hub_member_count(flow->hub));
    lsig_json_integer(out, "away", metrics->away);
    lsig_json_integer(out, "memory_bytes", operate->hooks.memory_bytes(operate->hooks.arg));
    lsig_json_integer(out, "outbox_bytes", metrics->outbox_bytes);
    lsig_json_integer(out, "kept_bytes", metrics->kept_bytes);
    lsig_json_integer(out, "loop_gap_max_ms", metrics->loop_gap_max_ms);
    lsig_json_integer(out, "log_dropped", lsig_log_dropped());
    lsig_json_boolean(out, "draining", draining);
    lsig_json_close(out, '}');
    return 200;
}

static int show_room(const struct lsig_operate *operate,
                     const struct lsig_operate_request *request,
                     struct lsig_buf *out)
{
    const struct lsig_room *room = find_room(operate, request);
    if (room == NULL) {
        return no_such_room(out, request);
    }
    lsig_operate_print_room(out, room, limit_of(request), request->addresses);
    return 200;
}

static int show_user(const struct lsig_operate *operate,
                     const struct lsig_operate_request *request,
                     struct lsig_buf *out)
{
    bool found = lsig_operate_print_user(out, operate->flow, lsig_span_of(request->user_id),
                                         request->addresses);
    return found ? 200 : lsig_operate_refuse(out, 404, "%s is in no room", request->user_id);
}

static int show_call(const struct lsig_operate *operate,
                     const struct lsig_operate_request *request,
                     struct lsig_buf *out)
{
    const struct lsig_flow *flow = operate->flow;
    struct lsig_span id = lsig_span_of(request->room_id);
    if (flow->timelines == NULL) {
        return lsig_operate_refuse(out, 409, "this server records no calls: TIMELINE_ENTRIES is 0");
    }
    const struct lsig_timeline *timeline = lsig_timelines_find(flow->timelines, id);
    if (timeline == NULL) {
        return lsig_operate_refuse(
            out, 404,
            "nothing is known of a call in %s: rooms are forgotten %d minutes after they "
            "closed, and when the server starts",
            request->room_id, LSIG_TIMELINE_KEEP_MS / 60000);
    }
    lsig_timeline_print(out, flow, timeline);
    return 200;
}

// --- sending away

// Ends the clients of one member, or with NULL of all, and says how many there were.
static size_t
end_clients(const struct lsig_room *room, const struct lsig_member *member, const char *text)
{
    // Ending one may change the room's array: all are found first. Ending one frees no other.
    size_t count = 0;
    struct lsig_client **clients =
        lsig_alloc((room->connection_count + 1) * sizeof(struct lsig_client *));
    for (uint32_t i = 0; i < room->connection_count; i++) {
        struct lsig_client *client = lsig_client_of(room->connections[i]);
        bool meant = member == NULL || room->connections[i]->member == member;
        if (meant && lsig_client_is_member(client)) {
            clients[count++] = client;
        }
    }
    for (size_t i = 0; i < count; i++) {
        lsig_attend_end(clients[i], LSIG_KICKED, text);
    }
    free(clients);
    return count;
}

static int kick(const struct lsig_operate *operate,
                const struct lsig_operate_request *request,
                struct lsig_buf *out)
{
    const struct lsig_room *room = find_room(operate, request);
    if (room == NULL) {
        return no_such_room(out, request);
    }
    const struct lsig_member *member = lsig_room_member(room, lsig_span_of(request->user_id));
    if (member == NULL) {
        return lsig_operate_refuse(out, 404, "%s is not in room %s", request->user_id,
                                   request->room_id);
    }
    const char *text = request->reason[0] != '\0' ? request->reason : lsig_status_text(LSIG_KICKED);
    size_t closed = end_clients(room, member, text);
    lsig_json_open(out, NULL, '{');
    lsig_json_string(out, "room_id", request->room_id);
    lsig_json_string(out, "user_id", request->user_id);
    lsig_json_integer(out, "connections", (int64_t)closed);
    lsig_json_close(out, '}');
    return 200;
}

static int close_room(const struct lsig_operate *operate,
                      const struct lsig_operate_request *request,
                      struct lsig_buf *out)
{
    const struct lsig_room *room = find_room(operate, request);
    if (room == NULL) {
        return no_such_room(out, request);
    }
    uint32_t members = room->member_count;
    size_t closed = end_clients(
        room, NULL, request->reason[0] != '\0' ? request->reason : "the room was closed");
    lsig_json_open(out, NULL, '{');
    lsig_json_string(out, "room_id", request->room_id);
    lsig_json_integer(out, "members", members);
    lsig_json_integer(out, "connections", (int64_t)closed);
    lsig_json_close(out, '}');
    return 200;
}

// --- tokens

static int revoke_token(const struct lsig_operate *operate,
                        const struct lsig_operate_request *request,
                        struct lsig_buf *out,
                        size_t *ended)
{
    struct lsig_flow *flow = operate->flow;
    struct lsig_claims claims;
    struct lsig_refusal refusal;
    enum lsig_status status = lsig_token_check(flow->keyring, lsig_span_of(request->token),
                                               flow->now.wall_ms / 1000, &claims, &refusal);
    if (status == LSIG_TOKEN_EXPIRED) {
        return lsig_operate_refuse(out, 400, "the token has expired already");
    }
    if (status != LSIG_OK) {
        return lsig_operate_refuse(out, 400, "this is no token of this server: %s",
                                   refusal.message);
    }
    bool named = claims.jti[0] != '\0';
    if (named) {
        status = lsig_revoke_token(flow, lsig_span_of(claims.jti), claims.exp, ended);
    }
    char user[LSIG_TOKEN_NAME_SIZE];
    memcpy(user, claims.sub, sizeof(user));
    lsig_claims_clear(&claims);
    if (!named) {
        return lsig_operate_refuse(out, 400,
                                   "the token has no jti to know it by; revoke its user, %s", user);
    }
    return status == LSIG_OK ? 200
           : status == LSIG_BUSY
               ? lsig_operate_refuse(out, 503, "the database does not keep up; try again")
           : status == LSIG_TOO_BIG ? lsig_operate_refuse(out, 503,
                                                          "too many revocations are remembered; "
                                                          "revoke by time")
                                    : lsig_operate_refuse(out, 400, "%s", lsig_status_text(status));
}

static int revoke_others(const struct lsig_operate *operate,
                         const struct lsig_operate_request *request,
                         struct lsig_buf *out,
                         size_t *ended)
{
    struct lsig_flow *flow = operate->flow;
    bool user = (request->fields & LSIG_OPERATE_BIT(USER)) != 0;
    enum lsig_status status = user ? lsig_revoke_user(flow, lsig_span_of(request->user_id), ended)
                                   : lsig_revoke_before(flow, request->before_s, ended);
    switch (status) {
    case LSIG_OK:
        return 200;
    case LSIG_BUSY:
        return lsig_operate_refuse(out, 503, "the database does not keep up; try again");
    case LSIG_TOO_BIG:
        return lsig_operate_refuse(out, 503, "too many revocations are remembered; revoke by time");
    default:
        return lsig_operate_refuse(
            out, 400, user ? "there is no such user id" : "before: it is in the future");
    }
}

static int revoke(const struct lsig_operate *operate,
                  const struct lsig_operate_request *request,
                  struct lsig_buf *out)
{
    size_t ended = 0;
    if (operate->flow->revoke == NULL) {
        return lsig_operate_refuse(out, 503, "this server keeps no revocations");
    }
    bool token = (request->fields & LSIG_OPERATE_BIT(TOKEN)) != 0;
    int status = token ? revoke_token(operate, request, out, &ended)
                       : revoke_others(operate, request, out, &ended);
    if (status == 200) {
        lsig_json_open(out, NULL, '{');
        lsig_json_boolean(out, "revoked", true);
        lsig_json_integer(out, "connections", (int64_t)ended);
        lsig_json_close(out, '}');
    }
    return status;
}

// --- the process

static int answer_true(struct lsig_buf *out, const char *name)
{
    lsig_json_open(out, NULL, '{');
    lsig_json_boolean(out, name, true);
    lsig_json_close(out, '}');
    return 200;
}

static int drain(struct lsig_operate *operate, struct lsig_buf *out)
{
    if (operate->drain_ms == 0 && !operate->hooks.draining(operate->hooks.arg)) {
        operate->drain_ms = operate->flow->now.mono_ms + LSIG_OPERATE_DRAIN_MS;
    }
    return answer_true(out, "draining");
}

static bool is_loading(const struct lsig_operate_request *request)
{
    return request->command == LSIG_OPERATE_RELOAD || request->command == LSIG_OPERATE_POLICY_LOAD;
}

static int load(const struct lsig_operate *operate,
                const struct lsig_operate_request *request,
                struct lsig_operate_wait *wait,
                struct lsig_buf *out)
{
    if (operate->hooks.draining(operate->hooks.arg)) {
        return lsig_operate_refuse(out, 503, "the server is shutting down");
    }
    if (request->command == LSIG_OPERATE_POLICY_LOAD) {
        return lsig_operate_policy_load(operate->flow, request, wait, out);
    }
    operate->hooks.reload(operate->hooks.arg);
    return lsig_operate_policy_reload(operate->flow, wait, out);
}

static const char *level_name(enum lsig_log_level level)
{
    static const char *const names[] = {"debug", "info", "warning", "error"};
    return names[level];
}

static int set_log(const struct lsig_operate_request *request, struct lsig_buf *out)
{
    lsig_log_set_level(request->level);
    lsig_json_open(out, NULL, '{');
    lsig_json_string(out, "level", level_name(request->level));
    lsig_json_close(out, '}');
    return 200;
}

// --- running

void lsig_operate_log(const struct lsig_operate_request *request, const char *who, int status)
{
    // Looking is no action, unless it is at what people do or where they are.
    bool looks = request->command <= LSIG_OPERATE_USER && !request->addresses;
    struct lsig_log_field all[] = {
        LSIG_LOG_TEXT("who", who),
        LSIG_LOG_TEXT("command", lsig_operate_command_word(request->command)),
        LSIG_LOG_TEXT("room", request->all ? "(all)" : request->room_id),
        LSIG_LOG_TEXT("user", request->user_id),
        LSIG_LOG_TEXT("type", request->type),
        LSIG_LOG_TEXT("reason", request->reason),
        LSIG_LOG_TEXT("log_level",
                      request->command == LSIG_OPERATE_LOG ? level_name(request->level) : ""),
        LSIG_LOG_TEXT("folder", request->folder),
        LSIG_LOG_NUMBER("version", request->version),
        LSIG_LOG_NUMBER("before", request->before_s),
        LSIG_LOG_NUMBER("status", status),
    };
    size_t count = 0;
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        if (all[i].text.data != NULL ? all[i].text.len > 0 : all[i].number != 0) {
            all[count++] = all[i];
        }
    }
    lsig_log_write(looks ? LSIG_DEBUG : LSIG_INFO, "operator", all, count);
}

static int
run(struct lsig_operate *operate, const struct lsig_operate_request *request, struct lsig_buf *out)
{
    switch (request->command) {
    case LSIG_OPERATE_STATUS:
        return print_status(operate, out);
    case LSIG_OPERATE_ROOMS:
        lsig_operate_print_rooms(out, operate->flow, limit_of(request));
        return 200;
    case LSIG_OPERATE_ROOM:
        return show_room(operate, request, out);
    case LSIG_OPERATE_USER:
        return show_user(operate, request, out);
    case LSIG_OPERATE_CALL:
        return show_call(operate, request, out);
    case LSIG_OPERATE_KICK:
        return kick(operate, request, out);
    case LSIG_OPERATE_CLOSE:
        return close_room(operate, request, out);
    case LSIG_OPERATE_BROADCAST:
        return lsig_broadcasts_add(operate->broadcasts, request, out);
    case LSIG_OPERATE_REVOKE:
        return revoke(operate, request, out);
    case LSIG_OPERATE_DRAIN:
        return drain(operate, out);
    case LSIG_OPERATE_POLICY_LIST:
        return lsig_operate_policy_list(operate->flow, out);
    case LSIG_OPERATE_POLICY_USE:
        return lsig_operate_policy_use(operate->flow, request, out);
    case LSIG_OPERATE_POLICY_ROLLBACK:
        return lsig_operate_policy_rollback(operate->flow, request, out);
    case LSIG_OPERATE_POLICY_DISCARD:
        return lsig_operate_policy_discard(operate->flow, request, out);
    case LSIG_OPERATE_LOG:
        return set_log(request, out);
    case LSIG_OPERATE_RELOAD:
    case LSIG_OPERATE_POLICY_LOAD:
    case LSIG_OPERATE_WATCH:
    case LSIG_OPERATE_COMMAND_COUNT:
        break;
    }
    abort();
}

int lsig_operate_run(struct lsig_operate *operate,
                     const struct lsig_operate_request *request,
                     const char *who,
                     struct lsig_operate_wait *wait,
                     struct lsig_buf *answer)
{
    // A quieter log would not show who has made it so.
    bool before = request->command == LSIG_OPERATE_LOG && request->level > LSIG_INFO;
    if (before) {
        lsig_operate_log(request, who, 200);
    }
    int status =
        is_loading(request) ? load(operate, request, wait, answer) : run(operate, request, answer);
    if (lsig_buf_status(answer) != LSIG_OK) {
        lsig_buf_reset(answer);
        status =
            lsig_operate_refuse(answer, 413, "the answer is too long; ask for less with limit");
    }
    if (!before) {
        lsig_operate_log(request, who, status);
    }
    return status;
}

int64_t lsig_operate_due_ms(const struct lsig_operate *operate)
{
    if (lsig_broadcasts_due(operate->broadcasts)) {
        return 0;
    }
    int64_t left = operate->drain_ms - operate->flow->now.mono_ms;
    return operate->drain_ms == 0 ? -1 : left > 0 ? left : 0;
}

int64_t lsig_operate_tick(struct lsig_operate *operate)
{
    lsig_broadcasts_tick(operate->broadcasts);
    if (operate->drain_ms > 0 && operate->flow->now.mono_ms >= operate->drain_ms) {
        operate->drain_ms = 0;
        operate->hooks.drain(operate->hooks.arg);
    }
    return lsig_operate_due_ms(operate);
}
