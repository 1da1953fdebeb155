// What rooms and their state look like from outside.
#include <stdio.h>

#include "codec/json.h"
#include "codec/scan.h"
#include "room/props.h"
#include "room/state.h"
#include "scenario/ask.h"

enum { NAME_SIZE = 200 };

static bool read_name(struct lsig_asking *asking, size_t argument, char out[NAME_SIZE])
{
    struct lsig_span value = asking->arguments[argument];
    out[0] = '\0';
    if (value.data != NULL) {
        lsig_match_text(value, out, NAME_SIZE);
    }
    return out[0] != '\0';
}

// On the node that the options at `options` name; unless they do, on the first.
static const struct lsig_room *find_room(struct lsig_asking *asking, size_t options)
{
    struct lsig_node *node = asking->world->nodes;
    char name[NAME_SIZE];
    if (!read_name(asking, 0, name)) {
        lsig_ask_fail(asking, "write the id of a room");
        return NULL;
    }
    bool named = lsig_ask_option(asking, options, "node").data != NULL;
    if (named ? !lsig_ask_read_node(asking, options, &node) : !lsig_ask_check_node(asking)) {
        return NULL;
    }
    return lsig_hub_find(node->flow.hub, lsig_span_of(name));
}

// A name that is no C string yet, as a member of an open object.
static void print_name(struct lsig_buf *out, struct lsig_span name)
{
    lsig_buf_append_text(out, out->data[out->len - 1] == '{' ? "\"" : ",\"");
    lsig_json_escape(out, name);
    lsig_buf_append_text(out, "\":");
}

static void print_props(struct lsig_buf *out, const char *title, const struct lsig_props *props)
{
    size_t cursor = 0;
    struct lsig_span name;
    struct lsig_span value;
    lsig_json_open(out, title, '{');
    while (props != NULL && lsig_props_next(props, &cursor, &name, &value)) {
        print_name(out, name);
        lsig_buf_append_span(out, value);
    }
    lsig_json_close(out, '}');
}

static void print_member(struct lsig_buf *out, const struct lsig_member *member)
{
    lsig_json_open(out, NULL, '{');
    lsig_json_string(out, "id", member->id);
    lsig_json_string(out, "username", member->username);
    lsig_json_string(out, "role", lsig_role_name((enum lsig_role)member->role));
    lsig_json_boolean(out, "away", member->away);
    lsig_json_boolean(out, "waiting", member->waiting);
    lsig_json_integer(out, "connections", member->connection_count);
    print_props(out, "attr", member->attr);
    print_props(out, "data", member->data);
    lsig_json_close(out, '}');
}

bool lsig_ask_room(struct lsig_asking *asking)
{
    struct lsig_buf *out = asking->answer;
    const struct lsig_room *room = find_room(asking, 1);
    if (room == NULL) {
        return out->len == 0; // none of that id: nil
    }
    const struct lsig_member *host = lsig_room_host(room);
    lsig_json_open(out, NULL, '{');
    lsig_json_string(out, "id", room->id);
    lsig_json_integer(out, "count", lsig_room_inside_count(room));
    if (host != NULL) {
        lsig_json_string(out, "host", host->id);
    }
    lsig_json_open(out, "members", '[');
    for (const struct lsig_member *at = room->first; at != NULL; at = at->next) {
        print_member(out, at);
    }
    lsig_json_close(out, ']');
    lsig_json_close(out, '}');
    return true;
}

static void print_entries(struct lsig_buf *out, const struct lsig_state_field *field, bool map)
{
    bool keys = lsig_state_field_kind(field) == LSIG_STATE_SET;
    size_t cursor = 0;
    struct lsig_span key;
    struct lsig_span value;
    lsig_buf_append_text(out, map ? "{" : "[");
    while (lsig_state_next(field, &cursor, &key, &value)) {
        if (map) {
            print_name(out, key);
            lsig_buf_append_span(out, value);
        } else if (keys) {
            lsig_json_text(out, NULL, key);
        } else {
            lsig_json_raw(out, NULL, value);
        }
    }
    lsig_buf_append_text(out, map ? "}" : "]");
}

static void print_field(struct lsig_buf *out, const struct lsig_state_field *field)
{
    print_name(out, lsig_state_field_name(field));
    switch (lsig_state_field_kind(field)) {
    case LSIG_STATE_COUNTER:
        lsig_buf_append_format(out, "%lld", (long long)lsig_state_number(field));
        break;
    case LSIG_STATE_VALUE:
        lsig_buf_append_span(out, lsig_state_value(field).data != NULL ? lsig_state_value(field)
                                                                       : lsig_span_of("null"));
        break;
    case LSIG_STATE_MAP:
        print_entries(out, field, true);
        break;
    case LSIG_STATE_SET:
    case LSIG_STATE_LIST:
        print_entries(out, field, false);
        break;
    }
}

bool lsig_ask_state(struct lsig_asking *asking)
{
    struct lsig_buf *out = asking->answer;
    char policy[NAME_SIZE];
    bool named = asking->arguments[1].data != NULL &&
                 lsig_scan_type(asking->arguments[1]) == LSIG_JSON_STRING;
    const struct lsig_room *room = find_room(asking, named ? 2 : 1);
    if (room == NULL) {
        return out->len == 0;
    }
    if (!named || !read_name(asking, 1, policy)) {
        snprintf(policy, sizeof(policy), "%s", asking->question->policy);
    }
    const struct lsig_state *state = lsig_state_find(room, lsig_span_of(policy));
    lsig_json_open(out, NULL, '{');
    for (size_t i = 0; state != NULL && i < state->field_count; i++) {
        print_field(out, state->fields[i]);
    }
    lsig_json_close(out, '}');
    return true;
}
