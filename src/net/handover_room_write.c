#include "codec/json.h"
#include "net/handover_line.h"
#include "net/handover_room.h"
#include "room/former.h"
#include "room/kept.h"
#include "room/props.h"
#include "room/state.h"
#include "room/state_shape.h"
#include "room/timers.h"

bool lsig_handover_room_matters(const struct lsig_room *room)
{
    if (room->member_count > 0 || room->state_bytes > 0 || room->kept_list != NULL) {
        return true;
    }
    for (const struct lsig_former *at = room->oldest_former; at != NULL; at = at->newer) {
        if (at->role != LSIG_PARTICIPANT) {
            return true;
        }
    }
    return false;
}

static void write_formers(const struct lsig_room *room, FILE *file)
{
    struct lsig_buf line;
    for (const struct lsig_former *at = room->oldest_former; at != NULL; at = at->newer) {
        lsig_handover_line_open(&line, "former");
        lsig_json_text(&line, "id", (struct lsig_span){at->id, at->id_len});
        lsig_json_integer(&line, "role", at->role);
        lsig_json_boolean(&line, "was_here", at->was_here);
        lsig_handover_line_close(&line, file);
    }
}

static void write_kept(const struct lsig_room *room, FILE *file)
{
    struct lsig_buf line;
    const struct lsig_kept_message *at = lsig_kept_oldest(room);
    for (; at != NULL; at = at->newer) {
        lsig_handover_line_open(&line, "kept");
        lsig_json_integer(&line, "keep", at->keep);
        lsig_json_string(&line, "type", at->type);
        lsig_json_string(&line, "user_id", at->user_id);
        lsig_json_string(&line, "peer_id", at->peer_id);
        lsig_json_string(&line, "timestamp", at->timestamp);
        lsig_json_string(&line, "payload", at->payload);
        lsig_handover_line_close(&line, file);
    }
}

// Values are texts here: they may be as deep and wide as they like.
static void write_field(const struct lsig_state_field *field, FILE *file)
{
    struct lsig_buf line;
    size_t cursor = 0;
    struct lsig_span key;
    struct lsig_span value;
    if (lsig_state_count(field) == 0) {
        return;
    }
    lsig_handover_line_open(&line, "field");
    lsig_json_text(&line, "name", lsig_state_field_name(field));
    lsig_json_integer(&line, "field_kind", lsig_state_field_kind(field));
    lsig_json_integer(&line, "max", lsig_state_field_max(field));
    lsig_json_integer(&line, "number", lsig_state_number(field));
    lsig_handover_line_close(&line, file);
    while (lsig_state_next(field, &cursor, &key, &value)) {
        lsig_handover_line_open(&line, "entry");
        lsig_json_text(&line, "key", key);
        lsig_json_text(&line, "value", value);
        lsig_handover_line_close(&line, file);
    }
}

static void write_states(const struct lsig_room *room, FILE *file)
{
    struct lsig_buf line;
    for (struct lsig_state *at = room->states; at != NULL; at = at->next) {
        lsig_state_fill(at); // a policy that takes it up may have to migrate it
        lsig_handover_line_open(&line, "state");
        lsig_json_string(&line, "policy", at->policy);
        lsig_json_integer(&line, "version", at->version);
        lsig_handover_line_close(&line, file);
        for (size_t i = 0; i < at->field_count; i++) {
            write_field(at->fields[i], file);
        }
    }
}

static void write_timers(const struct lsig_room *room, int64_t now_ms, FILE *file)
{
    struct lsig_buf line;
    for (const struct lsig_timer *at = room->timers; at != NULL; at = at->next) {
        lsig_handover_line_open(&line, "timer");
        lsig_json_string(&line, "name", at->name);
        lsig_json_integer(&line, "left_ms", at->due.due > now_ms ? at->due.due - now_ms : 0);
        lsig_json_string(&line, "arg", at->arg);
        lsig_handover_line_close(&line, file);
    }
}

void lsig_handover_room_write(const struct lsig_room *room, int64_t now_ms, FILE *file)
{
    write_formers(room, file);
    write_kept(room, file);
    write_states(room, file);
    write_timers(room, now_ms, file);
}

static void write_props(const struct lsig_props *props, const char *kind, FILE *file)
{
    struct lsig_buf line;
    size_t cursor = 0;
    struct lsig_span name;
    struct lsig_span value;
    while (lsig_props_next(props, &cursor, &name, &value)) {
        lsig_handover_line_open(&line, kind);
        lsig_json_text(&line, "name", name);
        lsig_json_text(&line, "value", value);
        lsig_handover_line_close(&line, file);
    }
}

void lsig_handover_props_write(const struct lsig_member *member, FILE *file)
{
    write_props(member->attr, "attr", file);
    write_props(member->data, "data", file);
}
