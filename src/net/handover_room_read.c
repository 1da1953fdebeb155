#include <stdlib.h>
#include <string.h>

#include "codec/scan.h"
#include "net/handover_line.h"
#include "net/handover_room.h"
#include "room/former.h"
#include "room/kept.h"
#include "room/props.h"
#include "room/state.h"
#include "room/timers.h"

enum { PROPS_BYTES_MAX = 1024 * 1024 }; // they were bounded when they were set

static const int64_t left_ms_max = (int64_t)1 << 52;

struct text {
    char *bytes; // NULL: none
    size_t len;
};

static struct text take(struct lsig_span line, const char *name)
{
    struct text text = {NULL, 0};
    text.bytes = lsig_handover_line_text(line, name, &text.len);
    return text;
}

static struct lsig_span span_of(struct text text)
{
    return (struct lsig_span){text.bytes, text.len};
}

static bool within(struct text text, size_t max)
{
    return text.bytes != NULL && text.len > 0 && text.len <= max;
}

static void count(struct lsig_handover_place *place, enum lsig_status status)
{
    place->dropped += status != LSIG_OK;
}

static bool read_former(struct lsig_handover_place *place, struct lsig_span line)
{
    struct text id = take(line, "id");
    int64_t role = lsig_handover_line_integer(line, "role");
    bool ok = place->room != NULL && within(id, LSIG_USER_ID_MAX) && role >= 0 &&
              role < LSIG_ROLE_COUNT && lsig_room_member(place->room, span_of(id)) == NULL;
    if (ok && lsig_former_find(place->room, span_of(id)) == NULL) {
        lsig_former_add(place->room, span_of(id), (enum lsig_role)role)->was_here =
            lsig_handover_line_true(line, "was_here");
    }
    free(id.bytes);
    return ok;
}

// Values go to clients as they are, and into Lua without another look: they have to be JSON.
static bool is_json(struct text text)
{
    return text.bytes != NULL && lsig_scan_check_own(span_of(text), NULL) == LSIG_OK;
}

static bool read_kept(struct lsig_handover_place *place, struct lsig_span line)
{
    struct text type = take(line, "type");
    struct text user_id = take(line, "user_id");
    struct text peer_id = take(line, "peer_id");
    struct text timestamp = take(line, "timestamp");
    struct text payload = take(line, "payload");
    int64_t keep = lsig_handover_line_integer(line, "keep");
    struct lsig_kept_source source = {span_of(type), span_of(user_id), span_of(peer_id),
                                      span_of(timestamp), span_of(payload)};
    bool ok = place->room != NULL && type.bytes != NULL && timestamp.bytes != NULL &&
              payload.bytes != NULL && keep > LSIG_KEEP_NONE && keep <= LSIG_KEEP_LOG;
    if (ok && is_json(payload)) {
        lsig_kept_add(place->room, (enum lsig_keep)keep, LSIG_KEPT_LOG_MAX, &source);
    } else if (ok) {
        place->dropped += 1;
    }
    free(type.bytes);
    free(user_id.bytes);
    free(peer_id.bytes);
    free(timestamp.bytes);
    free(payload.bytes);
    return ok;
}

static bool read_state(struct lsig_handover_place *place, struct lsig_span line)
{
    struct text policy = take(line, "policy");
    bool ok = place->room != NULL && policy.bytes != NULL;
    place->field = NULL;
    place->state = NULL;
    if (ok) {
        place->state = lsig_state_open(place->room, span_of(policy),
                                       lsig_handover_line_integer(line, "version"));
    }
    free(policy.bytes);
    return ok;
}

static bool read_field(struct lsig_handover_place *place, struct lsig_span line)
{
    struct text name = take(line, "name");
    int64_t kind = lsig_handover_line_integer(line, "field_kind");
    int64_t max = lsig_handover_line_integer(line, "max");
    int64_t number = lsig_handover_line_integer(line, "number");
    bool ok = place->state != NULL && name.bytes != NULL && kind >= 0 && kind <= LSIG_STATE_VALUE &&
              max >= 0 && max <= LSIG_STATE_ITEMS_MAX;
    if (ok) {
        place->field = lsig_state_field_open(place->state, span_of(name),
                                             (enum lsig_state_kind)kind, (uint32_t)max);
        ok = place->field != NULL;
    }
    if (ok && kind == LSIG_STATE_COUNTER) {
        count(place, lsig_state_set_number(place->field, number, NULL));
    }
    free(name.bytes);
    return ok;
}

static enum lsig_status
add_entry(struct lsig_state_field *field, struct lsig_span key, struct lsig_span value)
{
    switch (lsig_state_field_kind(field)) {
    case LSIG_STATE_SET:
    case LSIG_STATE_MAP:
        return lsig_state_put(field, key, value, NULL);
    case LSIG_STATE_LIST:
        return lsig_state_push(field, value, NULL);
    default:
        return lsig_state_set_value(field, value, NULL);
    }
}

static bool read_entry(struct lsig_handover_place *place, struct lsig_span line)
{
    struct text key = take(line, "key");
    struct text value = take(line, "value");
    struct lsig_state_field *field = place->field;
    enum lsig_state_kind kind =
        field != NULL ? lsig_state_field_kind(field) : LSIG_STATE_COUNTER; // which has no entries
    bool keyed = kind == LSIG_STATE_SET || kind == LSIG_STATE_MAP;
    bool valued = kind != LSIG_STATE_SET;
    bool ok = kind != LSIG_STATE_COUNTER && (!keyed || within(key, LSIG_STATE_KEY_MAX)) &&
              valued == (value.bytes != NULL);
    if (ok && valued && !is_json(value)) {
        place->dropped += 1;
    } else if (ok) {
        count(place, add_entry(field, span_of(key), span_of(value)));
    }
    free(key.bytes);
    free(value.bytes);
    return ok;
}

static bool read_timer(struct lsig_handover_place *place, struct lsig_span line)
{
    struct text name = take(line, "name");
    struct text arg = take(line, "arg");
    int64_t left_ms = lsig_handover_line_integer(line, "left_ms");
    bool ok = place->room != NULL && within(name, LSIG_TIMER_NAME_MAX) && left_ms >= 0 &&
              left_ms <= left_ms_max;
    if (ok && arg.bytes != NULL && !is_json(arg)) {
        place->dropped += 1;
    } else if (ok) {
        count(place, lsig_timer_set(place->room, span_of(name), place->now_ms + left_ms,
                                    span_of(arg), NULL));
    }
    free(name.bytes);
    free(arg.bytes);
    return ok;
}

static bool
read_prop(struct lsig_member *member, struct lsig_props **props, struct lsig_span line, bool *fits)
{
    struct text name = take(line, "name");
    struct text value = take(line, "value");
    bool ok =
        member != NULL && within(name, LSIG_PROP_NAME_MAX) && value.bytes != NULL && value.len > 0;
    if (ok) {
        *fits = is_json(value) && lsig_props_set(props, span_of(name), span_of(value),
                                                 PROPS_BYTES_MAX, NULL) == LSIG_OK;
    }
    free(name.bytes);
    free(value.bytes);
    return ok;
}

static bool read_attr(struct lsig_handover_place *place, struct lsig_span line)
{
    bool fits = true;
    struct lsig_member *member = place->member;
    bool ok = member != NULL && read_prop(member, &member->attr, line, &fits);
    place->dropped += !fits;
    return ok;
}

static bool read_data(struct lsig_handover_place *place, struct lsig_span line)
{
    bool fits = true;
    struct lsig_member *member = place->member;
    bool ok = member != NULL && read_prop(member, &member->data, line, &fits);
    place->dropped += !fits;
    return ok;
}

bool lsig_handover_room_read(struct lsig_handover_place *place,
                             struct lsig_span kind,
                             struct lsig_span line,
                             bool *known)
{
    static const struct {
        const char *kind;
        bool (*read)(struct lsig_handover_place *place, struct lsig_span line);
    } kinds[] = {
        {"\"former\"", read_former}, {"\"kept\"", read_kept},   {"\"state\"", read_state},
        {"\"field\"", read_field},   {"\"entry\"", read_entry}, {"\"timer\"", read_timer},
        {"\"attr\"", read_attr},     {"\"data\"", read_data},
    };
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (lsig_span_is(kind, kinds[i].kind)) {
            *known = true;
            return kinds[i].read(place, line);
        }
    }
    *known = false;
    return false;
}
