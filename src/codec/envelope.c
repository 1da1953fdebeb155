#include "codec/envelope.h"

#include <stdio.h>

#include "codec/number.h"
#include "codec/scan.h"
#include "codec/scanner.h"

// What the core reads. The targets stand in the order in which they decide.
enum top_key {
    TOP_TARGET_ID,
    TOP_TARGET,
    TOP_TO,
    TOP_TYPE,
    TOP_PAYLOAD,
    TOP_ID,
    TOP_TIMESTAMP,
    TOP_SENDER_ID,
    TOP_ROOM_ID,
    TOP_COUNT,
};
#define NAME(text)                                                                                 \
    {                                                                                              \
        (text), sizeof(text) - 1                                                                   \
    }
static const struct lsig_span top_names[TOP_COUNT] = {
    [TOP_TARGET_ID] = NAME("target_id"),
    [TOP_TARGET] = NAME("target"),
    [TOP_TO] = NAME("to"),
    [TOP_TYPE] = NAME("type"),
    [TOP_PAYLOAD] = NAME("payload"),
    [TOP_ID] = NAME("id"),
    [TOP_TIMESTAMP] = NAME("timestamp"),
    [TOP_SENDER_ID] = NAME("sender_id"),
    [TOP_ROOM_ID] = NAME("room_id"),
};

enum { TOP_TARGETS = 3, PAYLOAD_TARGETS = 5 };
static const struct lsig_span payload_names[PAYLOAD_TARGETS] = {
    NAME("target_user_id"), NAME("target_id"), NAME("targetUserId"), NAME("receiver_id"),
    NAME("recipient_user_id")};

// The values that were found, as they came; data NULL: not there.
struct parts {
    struct lsig_span top[TOP_COUNT];
    struct lsig_span in_payload[PAYLOAD_TARGETS];
    const char *repeated; // the first key of ours that was there twice; NULL: none
    size_t repeated_at;
};

// Where to note the value of a key that the core reads, or NULL for all others.
static struct lsig_span *
find_place(struct parts *parts, struct lsig_span *places, struct lsig_span key, size_t offset)
{
    bool top = places == parts->top;
    const struct lsig_span *names = top ? top_names : payload_names;
    size_t count = top ? TOP_COUNT : PAYLOAD_TARGETS;
    bool escaped = memchr(key.data, '\\', key.len) != NULL;
    for (size_t i = 0; i < count; i++) {
        if (escaped ? lsig_scan_key_is(key, names[i]) : lsig_span_equal(key, names[i])) {
            if (places[i].data != NULL && parts->repeated == NULL) {
                parts->repeated = names[i].data;
                parts->repeated_at = offset;
            }
            return &places[i];
        }
    }
    return NULL;
}

// Takes the members of an object; those of `payload` are looked at too.
static void
take_members(struct lsig_scanner *scanner, struct parts *parts, struct lsig_span *places)
{
    struct lsig_span key;
    size_t count = 0;
    if (!lsig_scanner_open(scanner)) {
        return;
    }
    while (lsig_scanner_member(scanner, &count, &key)) {
        struct lsig_span *place =
            find_place(parts, places, key, (size_t)(key.data - 1 - scanner->start));
        if (place == &parts->top[TOP_PAYLOAD] && lsig_scanner_peek(scanner) == '{') {
            const char *from = scanner->at;
            take_members(scanner, parts, parts->in_payload);
            *place = (struct lsig_span){from, (size_t)(scanner->at - from)};
        } else if (!lsig_scanner_value(scanner, place)) {
            return;
        }
    }
}

static enum lsig_status refuse_field(struct lsig_refusal *refusal,
                                     enum lsig_status status,
                                     const char *prefix,
                                     const char *name,
                                     const char *expected)
{
    char field[64];
    snprintf(field, sizeof(field), "%s%s", prefix, name);
    lsig_refuse_with(refusal, status, "%s: %s", field, expected);
    lsig_refusal_add_text(refusal, "field", field);
    return status;
}

static bool is_type(struct lsig_span value, enum lsig_json_type type)
{
    return value.data != NULL && lsig_scan_type(value) == type;
}

static struct lsig_span inside_of(struct lsig_span string)
{
    return (struct lsig_span){string.data + 1, string.len - 2};
}

static enum lsig_status
check_id(struct lsig_envelope *envelope, struct lsig_span value, struct lsig_refusal *refusal)
{
    if (value.data == NULL || is_type(value, LSIG_JSON_NULL)) {
        return LSIG_OK;
    }
    if (!is_type(value, LSIG_JSON_NUMBER) || !lsig_number_integer(value, &envelope->id) ||
        envelope->id <= 0) {
        return refuse_field(refusal, LSIG_INVALID_MESSAGE, "", "id", "expected a positive integer");
    }
    return LSIG_OK;
}

static enum lsig_status check_target(struct lsig_envelope *envelope,
                                     const struct parts *parts,
                                     struct lsig_refusal *refusal)
{
    for (size_t i = 0; i < TOP_TARGETS + PAYLOAD_TARGETS; i++) {
        bool top = i < TOP_TARGETS;
        struct lsig_span value = top ? parts->top[i] : parts->in_payload[i - TOP_TARGETS];
        if (value.data == NULL || is_type(value, LSIG_JSON_NULL)) {
            continue;
        }
        const char *prefix = top ? "" : "payload.";
        const char *name = (top ? top_names[i] : payload_names[i - TOP_TARGETS]).data;
        if (!is_type(value, LSIG_JSON_STRING)) {
            return refuse_field(refusal, LSIG_INVALID_MESSAGE, prefix, name,
                                "expected a string or null");
        }
        size_t len;
        if (!lsig_scan_unescape(inside_of(value), envelope->target_scratch, LSIG_TARGET_MAX,
                                &len)) {
            return refuse_field(refusal, LSIG_INVALID_MESSAGE, prefix, name,
                                "expected at most 128 bytes");
        }
        if (len == 0) {
            return refuse_field(refusal, LSIG_INVALID_MESSAGE, prefix, name,
                                "a target is not empty");
        }
        envelope->target = (struct lsig_span){envelope->target_scratch, len};
        return LSIG_OK;
    }
    return LSIG_OK;
}

static enum lsig_status
check_type(struct lsig_envelope *envelope, struct lsig_span value, struct lsig_refusal *refusal)
{
    size_t len;
    if (!lsig_scan_unescape(inside_of(value), envelope->type_scratch, LSIG_TYPE_MAX, &len)) {
        return refuse_field(refusal, LSIG_UNKNOWN_TYPE, "", "type", "expected at most 64 bytes");
    }
    envelope->type = (struct lsig_span){envelope->type_scratch, len};
    return LSIG_OK;
}

static enum lsig_status
check_parts(struct lsig_envelope *envelope, const struct parts *parts, struct lsig_refusal *refusal)
{
    if (parts->repeated != NULL) {
        lsig_refuse_with(refusal, LSIG_INVALID_JSON, "at byte %zu: the key %s is there twice",
                         parts->repeated_at, parts->repeated);
        lsig_refusal_add_number(refusal, "offset", (double)parts->repeated_at);
        return LSIG_INVALID_JSON;
    }
    if (!is_type(parts->top[TOP_TYPE], LSIG_JSON_STRING)) {
        return refuse_field(refusal, LSIG_INVALID_MESSAGE, "", "type", "a string is required");
    }
    if (!is_type(parts->top[TOP_PAYLOAD], LSIG_JSON_OBJECT)) {
        return refuse_field(refusal, LSIG_INVALID_MESSAGE, "", "payload", "an object is required");
    }
    envelope->payload = parts->top[TOP_PAYLOAD];
    if (is_type(parts->top[TOP_TIMESTAMP], LSIG_JSON_STRING)) {
        envelope->timestamp = inside_of(parts->top[TOP_TIMESTAMP]);
    }
    enum lsig_status status = check_id(envelope, parts->top[TOP_ID], refusal);
    if (status == LSIG_OK) {
        status = check_target(envelope, parts, refusal);
    }
    if (status == LSIG_OK) {
        status = check_type(envelope, parts->top[TOP_TYPE], refusal);
    }
    return status;
}

enum lsig_status lsig_envelope_parse(struct lsig_envelope *envelope,
                                     struct lsig_span frame,
                                     struct lsig_refusal *refusal)
{
    envelope->frame = frame;
    envelope->type = envelope->payload = envelope->target = envelope->timestamp =
        (struct lsig_span){0};
    envelope->id = 0;
    struct parts parts = {0};
    struct lsig_scanner scanner;
    lsig_scanner_init(&scanner, frame);
    bool object = lsig_scanner_peek(&scanner) == '{';
    if (object) {
        take_members(&scanner, &parts, parts.top);
    } else {
        (void)lsig_scanner_value(&scanner, NULL);
    }
    struct lsig_scan_error error;
    enum lsig_status status = lsig_scanner_finish(&scanner, &error);
    if (status != LSIG_OK) {
        lsig_refuse_with(refusal, status, "at byte %zu: %s", error.offset, error.what);
        lsig_refusal_add_number(refusal, "offset", (double)error.offset);
        return status;
    }
    if (!object) {
        return lsig_refuse_with(refusal, LSIG_INVALID_MESSAGE,
                                "expected an object with type and payload");
    }
    return check_parts(envelope, &parts, refusal);
}
