// The codec against jansson: both accept and refuse the same texts, up to the limits that scan.h
// documents, and read the same out of them. Any input is fine.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/body.h"
#include "codec/envelope.h"
#include "codec/frame.h"
#include "codec/scan.h"
#include "codec/schema.h"
#include "oracle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static json_t *load(struct lsig_span text, size_t flags)
{
    return json_loadb(text.data, text.len, JSON_DECODE_ANY | flags, NULL);
}

static enum lsig_status check_scanner(struct lsig_span text, const json_t *tree)
{
    struct lsig_scan_error error = {0, NULL};
    enum lsig_status status = lsig_scan_check(text, &error);
    EXPECT((status == LSIG_BAD_UTF8) == !oracle_is_utf8(text));
    if (status == LSIG_OK) {
        EXPECT(tree != NULL && !oracle_exceeds_limits(text));
    } else {
        EXPECT(status == LSIG_BAD_UTF8 || status == LSIG_INVALID_JSON);
        EXPECT(error.what != NULL && error.offset <= text.len);
        // jansson 2.14 loses a NUL byte behind a number or a word: `[1<NUL>]` is no JSON, and here
        // it is not taken for any.
        bool nul = error.offset < text.len && text.data[error.offset] == '\0';
        EXPECT(tree == NULL || nul || oracle_exceeds_limits(text));
    }
    return status;
}

static void check_refusal(const struct lsig_refusal *refusal, enum lsig_status status)
{
    EXPECT(refusal->status == status);
    EXPECT(refusal->message[0] != '\0');
    EXPECT(oracle_is_utf8(lsig_span_of(refusal->message)));
    EXPECT(refusal->details[0] == '\0' ||
           lsig_scan_check(lsig_span_of(refusal->details), NULL) == LSIG_OK);
}

static bool is_text(const json_t *value, struct lsig_span text)
{
    return json_is_string(value) &&
           lsig_span_equal((struct lsig_span){json_string_value(value), json_string_length(value)},
                           text);
}

// Prints the frame that goes out and reads it again. The sender is whatever the input begins with.
static void
check_frame(const struct lsig_envelope *envelope, const json_t *tree, enum lsig_dialect dialect)
{
    struct lsig_span sender = {envelope->frame.data, envelope->frame.len % 40};
    struct lsig_span timestamp = envelope->timestamp;
    if (timestamp.data == NULL) {
        timestamp = lsig_span_of("2026-11-22T20:15:04.120+00:00");
    }
    const struct lsig_frame frame = {
        .type = envelope->type,
        .payload = envelope->payload,
        .sender_id = sender,
        .sender_peer_id = {NULL, 0},
        .room_id = lsig_span_of("a\"b\\\n\x01\x7f\xc3\xa9"),
        .timestamp = timestamp,
    };
    struct lsig_body *body = lsig_frame_print(&frame, dialect);
    json_t *out = load((struct lsig_span){body->data, body->len}, JSON_ALLOW_NUL);
    EXPECT(json_object_size(out) == (dialect == LSIG_V1 ? 6 : 5));
    EXPECT(is_text(json_object_get(out, "type"), envelope->type));
    EXPECT(json_equal(json_object_get(out, "payload"), json_object_get(tree, "payload")));
    EXPECT(!oracle_is_utf8(sender) || is_text(json_object_get(out, "sender_id"), sender));
    EXPECT(is_text(json_object_get(out, "room_id"), frame.room_id));
    EXPECT(dialect == LSIG_COMPAT || json_is_null(json_object_get(out, "sender_peer_id")));
    const json_t *sent = json_object_get(tree, "timestamp");
    EXPECT(json_is_string(sent) ? json_equal(sent, json_object_get(out, "timestamp"))
                                : is_text(json_object_get(out, "timestamp"), timestamp));
    json_decref(out);
    lsig_body_unref(body);
}

static struct lsig_schema *add(struct lsig_schema *object, const char *name, unsigned types)
{
    struct lsig_schema *field = lsig_schema_new(types);
    EXPECT(lsig_schema_add_field(object, lsig_span_of(name), field));
    return field;
}

// A shape with something of everything.
static struct lsig_schema *make_schema(void)
{
    struct lsig_schema *root = lsig_schema_new(LSIG_JSON_OBJECT);
    struct lsig_schema *sdp = add(root, "sdp", LSIG_JSON_STRING);
    sdp->lenient_types |= LSIG_JSON_OBJECT;
    sdp->max = 100;
    struct lsig_schema *type = add(root, "type", LSIG_JSON_STRING);
    type->optional = true;
    EXPECT(lsig_schema_add_choice(type, lsig_span_of("offer")));
    EXPECT(lsig_schema_add_choice(type, lsig_span_of("answer")));
    struct lsig_schema *line = add(root, "sdpMLineIndex", LSIG_JSON_NUMBER | LSIG_JSON_NULL);
    line->integer = true;
    line->optional = true;
    line->min = 0;
    line->max = 65535;
    struct lsig_schema *queue = add(root, "queue", LSIG_JSON_ARRAY);
    queue->optional = true;
    queue->max = 3;
    queue->item = lsig_schema_new(LSIG_JSON_OBJECT);
    queue->item->extra = true;
    add(queue->item, "username", LSIG_JSON_STRING)->min = 1;
    add(queue->item, "raised", LSIG_JSON_BOOLEAN)->optional = true;
    return root;
}

static void check_schema(struct lsig_span payload)
{
    struct lsig_refusal refusal;
    struct lsig_schema *schema = make_schema();
    enum lsig_status strict = lsig_schema_check(schema, payload, true, &refusal);
    if (strict != LSIG_OK) {
        check_refusal(&refusal, strict);
    }
    enum lsig_status lenient = lsig_schema_check(schema, payload, false, &refusal);
    if (lenient != LSIG_OK) {
        check_refusal(&refusal, lenient);
    }
    // What passes the strict check passes the lenient one.
    EXPECT(strict != LSIG_OK || lenient == LSIG_OK);
    lsig_schema_free(schema);
}

static void
check_envelope(struct lsig_span text, const json_t *tree, bool unique, enum lsig_status scanned)
{
    struct lsig_envelope envelope;
    struct lsig_refusal refusal;
    enum lsig_status status = lsig_envelope_parse(&envelope, text, &refusal);
    if (status != LSIG_OK) {
        check_refusal(&refusal, status);
    }
    if (scanned != LSIG_OK) {
        EXPECT(status == scanned);
        return;
    }
    if (status == LSIG_INVALID_JSON) {
        EXPECT(!unique); // a key that the core reads was there twice
        return;
    }
    struct oracle_envelope expected = oracle_read_envelope(tree);
    EXPECT(status == expected.status);
    if (status != LSIG_OK) {
        return;
    }
    EXPECT(lsig_span_is(envelope.type, expected.type));
    EXPECT((envelope.target.data == NULL) == (expected.target == NULL));
    EXPECT(expected.target == NULL || lsig_span_is(envelope.target, expected.target));
    EXPECT((envelope.timestamp.data == NULL) == (expected.timestamp == NULL));
    EXPECT(envelope.id == expected.id);
    check_frame(&envelope, tree, LSIG_COMPAT);
    check_frame(&envelope, tree, LSIG_V1);
    check_schema(envelope.payload);
}

static struct lsig_span trim(struct lsig_span text)
{
    const char *white = " \t\r\n";
    while (text.len > 0 && strchr(white, text.data[0]) != NULL) {
        text.data++;
        text.len--;
    }
    while (text.len > 0 && strchr(white, text.data[text.len - 1]) != NULL) {
        text.len--;
    }
    return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = oracle_copy(data, size);
    struct lsig_span text = {copy, size};
    json_t *tree = load(text, 0);
    json_t *strict = load(text, JSON_REJECT_DUPLICATES);
    enum lsig_status status = check_scanner(text, tree);
    if (status == LSIG_OK) {
        oracle_compare(trim(text), tree, strict != NULL);
    }
    check_envelope(text, tree, strict != NULL, status);
    json_decref(tree);
    json_decref(strict);
    free(copy);
    return 0;
}
