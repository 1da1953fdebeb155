#include "flow/operate_watch.h"

#include "codec/json.h"
#include "flow/audience.h"

enum { TEXT_MAX = 128 }; // bytes shown of what a client wrote

static bool is(const char *wanted, struct lsig_span text)
{
    return lsig_span_is(text, wanted);
}

static bool is_wanted(const struct lsig_operate_watch *watch, const struct lsig_event *event)
{
    if (watch->room_id[0] != '\0' && !is(watch->room_id, lsig_span_of(event->room->id))) {
        return false;
    }
    return watch->user_id[0] == '\0' ||
           (event->member != NULL && is(watch->user_id, lsig_span_of(event->member->id))) ||
           (event->user.data != NULL && is(watch->user_id, event->user)) ||
           (event->target.data != NULL && is(watch->user_id, event->target));
}

static void print_cut(struct lsig_buf *out, const char *name, struct lsig_span text)
{
    if (text.data != NULL) {
        text.len = text.len < TEXT_MAX ? text.len : TEXT_MAX;
        lsig_json_text(out, name, text);
    }
}

static void
print_event(struct lsig_buf *out, const struct lsig_flow *flow, const struct lsig_event *event)
{
    lsig_json_open(out, NULL, '{');
    lsig_json_string(out, "event", lsig_event_name(event->kind));
    lsig_json_string(out, "at", flow->now_iso);
    lsig_json_string(out, "room_id", event->room->id);
    if (event->member != NULL) {
        lsig_json_string(out, "user_id", event->member->id);
    } else {
        print_cut(out, "user_id", event->user);
    }
    if (event->connection != NULL && event->connection->peer_id[0] != '\0') {
        lsig_json_string(out, "peer_id", event->connection->peer_id);
    }
    bool role = event->kind == LSIG_EVENT_ROLE || event->kind == LSIG_EVENT_JOINED ||
                event->kind == LSIG_EVENT_ADMITTED;
    if (role && event->member != NULL) {
        lsig_json_string(out, "role", lsig_role_name((enum lsig_role)event->member->role));
    }
    if (event->reason != NULL) {
        lsig_json_string(out, "reason", event->reason);
    }
    print_cut(out, "type", event->type);
    print_cut(out, "target", event->target);
    if (event->type.data != NULL && event->target.data == NULL) {
        lsig_audience_print(out, flow, event->type);
    }
    if (event->bytes > 0) {
        lsig_json_integer(out, "bytes", (int64_t)event->bytes);
    }
    if (event->refusal != NULL) {
        lsig_json_string(out, "code", event->refusal->code);
        lsig_json_string(out, "message", event->refusal->message);
    }
    const char *where = event->refusal != NULL ? event->refusal->where : event->where;
    if (event->handled) {
        lsig_json_boolean(out, "handled", true);
    }
    if (where != NULL && where[0] != '\0') {
        uint64_t version = event->refusal != NULL ? event->refusal->version : event->version;
        lsig_json_string(out, "where", where);
        lsig_json_integer(out, "version", (int64_t)version);
    }
    lsig_json_close(out, '}');
    lsig_buf_append(out, "\n", 1);
}

void lsig_operate_watch_catch_up(struct lsig_operate_watch *watch)
{
    struct lsig_buf out;
    if (watch->dropped == 0) {
        return;
    }
    lsig_buf_init(&out, LSIG_OPERATE_WATCH_LINE_MAX);
    lsig_json_open(&out, NULL, '{');
    lsig_json_string(&out, "event", "dropped");
    lsig_json_string(&out, "at", watch->flow->now_iso);
    lsig_json_integer(&out, "count", watch->dropped);
    lsig_json_close(&out, '}');
    lsig_buf_append(&out, "\n", 1);
    if (watch->on_line(watch->arg, lsig_buf_span(&out))) {
        watch->dropped = 0;
    }
    lsig_buf_clear(&out);
}

static void on_event(struct lsig_observer *observer, const struct lsig_event *event)
{
    struct lsig_operate_watch *watch = (struct lsig_operate_watch *)observer;
    if (!is_wanted(watch, event)) {
        return;
    }
    lsig_operate_watch_catch_up(watch);
    struct lsig_buf out;
    lsig_buf_init(&out, LSIG_OPERATE_WATCH_LINE_MAX);
    print_event(&out, watch->flow, event);
    bool taken = watch->dropped == 0 && lsig_buf_status(&out) == LSIG_OK &&
                 watch->on_line(watch->arg, lsig_buf_span(&out));
    watch->dropped += taken ? 0 : 1;
    lsig_buf_clear(&out);
}

void lsig_operate_watch_open(struct lsig_operate_watch *watch,
                             struct lsig_flow *flow,
                             const struct lsig_operate_request *request)
{
    watch->observer = (struct lsig_observer){.wants_messages = true, .on_event = on_event};
    watch->flow = flow;
    memcpy(watch->room_id, request->room_id, sizeof(watch->room_id));
    memcpy(watch->user_id, request->user_id, sizeof(watch->user_id));
    watch->dropped = 0;
    lsig_observer_add(flow, &watch->observer);
}

void lsig_operate_watch_close(struct lsig_operate_watch *watch)
{
    lsig_observer_remove(watch->flow, &watch->observer);
}
