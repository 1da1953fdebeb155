#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "codec/schema.h"

enum { LENIENT = 0, STRICT = 1 };

static struct lsig_refusal refusal;

static enum lsig_status check(const struct lsig_schema *schema, const char *payload, bool strict)
{
    struct lsig_span value = lsig_span_of(payload);
    assert_int_equal(lsig_scan_check(value, NULL), LSIG_OK); // the test itself has to be right
    memset(&refusal, 0, sizeof(refusal));
    enum lsig_status status = lsig_schema_check(schema, value, strict, &refusal);
    assert_int_equal(refusal.status, status);
    return status;
}

static void
assert_refused(const struct lsig_schema *schema, const char *payload, const char *message)
{
    assert_int_equal(check(schema, payload, STRICT), LSIG_INVALID_MESSAGE);
    assert_string_equal(refusal.message, message);
}

static struct lsig_schema *add(struct lsig_schema *object, const char *name, unsigned types)
{
    struct lsig_schema *field = lsig_schema_new(types);
    assert_true(lsig_schema_add_field(object, lsig_span_of(name), field));
    return field;
}

static unsigned type_of(char letter)
{
    switch (letter) {
    case 's':
        return LSIG_JSON_STRING;
    case 'b':
        return LSIG_JSON_BOOLEAN;
    case 'o':
        return LSIG_JSON_OBJECT;
    case 'a':
        return LSIG_JSON_ARRAY;
    case 'z':
        return LSIG_JSON_NULL;
    default:
        return LSIG_JSON_NUMBER;
    }
}

// A shape in short: NAME[*][:TYPES][=CHOICE|CHOICE] ...; * required; types s n i(nteger) b o a
// z(null), s where none are written.
static struct lsig_schema *make_shape(const char *text)
{
    struct lsig_schema *root = lsig_schema_new(LSIG_JSON_OBJECT);
    char copy[512];
    char *rest = NULL;
    snprintf(copy, sizeof(copy), "%s", text);
    for (char *word = strtok_r(copy, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest)) {
        char *choices = strchr(word, '=');
        char *types = strchr(word, ':');
        if (choices != NULL) {
            *choices++ = '\0';
        }
        if (types != NULL) {
            *types++ = '\0';
        }
        char *star = strchr(word, '*');
        if (star != NULL) {
            *star = '\0';
        }
        unsigned set = 0;
        for (const char *letter = types != NULL ? types : "s"; *letter != '\0'; letter++) {
            set |= type_of(*letter);
        }
        struct lsig_schema *field = add(root, word, set);
        field->optional = star == NULL;
        field->integer = types != NULL && strchr(types, 'i') != NULL;
        char *inner = NULL;
        for (char *choice = choices != NULL ? strtok_r(choices, "|", &inner) : NULL; choice != NULL;
             choice = strtok_r(NULL, "|", &inner)) {
            assert_true(lsig_schema_add_choice(field, lsig_span_of(choice)));
        }
    }
    return root;
}

// The stock shapes (docs: the table of types): a payload that passes both ways, one that only the
// lenient check lets through, one that neither does.
static const struct {
    const char *type;
    const char *shape;
    const char *good;
    const char *lenient_only;
    const char *bad;
} stock[] = {
    {"offer", "sdp* type* target_user_id:sz", "{\"sdp\":\"v=0\",\"type\":\"offer\"}",
     "{\"sdp\":null,\"target_user_id\":null,\"more\":1}", "{\"sdp\":\"v=0\",\"type\":7}"},
    {"ice-candidate", "candidate*:soz sdpMid:sz sdpMLineIndex:iz",
     "{\"candidate\":null,\"sdpMLineIndex\":0}", "{\"sdpMLineIndex\":0.5}",
     "{\"candidate\":\"c\",\"sdpMLineIndex\":\"0\"}"},
    {"media-control",
     "action*=mute|unmute|video_on|video_off media_type*=audio|video|screen-share user_id:sz "
     "timestamp",
     "{\"action\":\"mute\",\"media_type\":\"audio\",\"user_id\":null}", "{\"action\":\"explode\"}",
     "{\"action\":true,\"media_type\":\"audio\"}"},
    {"screen-share-control", "action*=start|stop user_id screen_id quality timestamp",
     "{\"action\":\"start\"}", "{}", "{\"action\":\"start\",\"screen_id\":1}"},
    {"chat-message",
     "message_id user_id username content* timestamp message_type=text|emoji|system reply_to:sz",
     "{\"content\":\"hi\",\"message_type\":\"text\",\"reply_to\":null}",
     "{\"content\":\"hi\",\"message_type\":\"gif\"}", "{\"content\":[\"hi\"]}"},
    {"role-updated", "user_id* role*=host|moderator|participant|observer updated_by*:sz timestamp*",
     "{\"user_id\":\"b\",\"role\":\"host\",\"updated_by\":null,\"timestamp\":\"t\"}",
     "{\"role\":\"king\"}", "{\"user_id\":1}"},
    {"permission-updated", "user_id* permissions*:o updated_by* timestamp*",
     "{\"user_id\":\"b\",\"permissions\":{\"x\":1},\"updated_by\":\"a\",\"timestamp\":\"t\"}", "{}",
     "{\"permissions\":[]}"},
    {"recording-control",
     "action*=start|stop|pause|resume recording_id* user_id format quality include_audio:b "
     "include_video:b timestamp",
     "{\"action\":\"pause\",\"recording_id\":\"r\",\"include_audio\":true}",
     "{\"action\":\"start\"}",
     "{\"action\":\"start\",\"recording_id\":\"r\",\"include_audio\":\"yes\"}"},
    {"recording-status", "recording_id* status* duration:n file_size:i timestamp",
     "{\"recording_id\":\"r\",\"status\":\"on\",\"duration\":1.5,\"file_size\":1e3}",
     "{\"file_size\":1.5}", "{\"duration\":\"1\"}"},
    {"file-share-offer",
     "transfer_id* sender_id file_name* file_size*:i file_type* chunk_size:i total_chunks*:i "
     "target_user_id:sz timestamp",
     "{\"transfer_id\":\"t\",\"file_name\":\"f\",\"file_size\":1,\"file_type\":\"x\",\"total_"
     "chunks\":1}",
     "{\"transfer_id\":\"t\"}", "{\"file_size\":\"1\"}"},
    {"file-share-accept", "transfer_id* user_id timestamp", "{\"transfer_id\":\"t\"}", "{}",
     "{\"transfer_id\":1}"},
    {"file-share-progress",
     "transfer_id* chunks_received*:i total_chunks*:i percentage*:n timestamp",
     "{\"transfer_id\":\"t\",\"chunks_received\":1,\"total_chunks\":2,\"percentage\":50.5}",
     "{\"chunks_received\":0.5}", "{\"percentage\":\"50\"}"},
    {"file-share-complete", "transfer_id* success*:b error:sz timestamp",
     "{\"transfer_id\":\"t\",\"success\":true,\"error\":null}", "{\"success\":null}",
     "{\"success\":1}"},
    {"network-stats",
     "user_id bandwidth_up:n bandwidth_down:n latency:n packet_loss:n jitter:n connection_quality "
     "timestamp",
     "{\"bandwidth_up\":1.5e6,\"packet_loss\":0}", "{\"latency\":null}", "{\"latency\":\"12 ms\"}"},
    {"quality-update",
     "user_id video_resolution video_bitrate:i audio_bitrate:i frame_rate:n reason timestamp",
     "{\"frame_rate\":29.97}", "{\"video_bitrate\":null}", "{\"video_resolution\":720}"},
    {"analytics-event", "event_type* user_id data:o timestamp",
     "{\"event_type\":\"e\",\"data\":{\"any\":[1]}}", "{\"data\":{}}", "{\"data\":\"x\"}"},
    {"participant-update", "participant*:o timestamp", "{\"participant\":{\"user_id\":\"a\"}}",
     "{\"participant\":null}", "{\"participant\":\"a\"}"},
    {"hand-raise", "user_id username raised*:b timestamp", "{\"raised\":false}",
     "{\"raised\":null}", "{\"raised\":0}"},
    {"hand-raise-queue", "queue*:a timestamp", "{\"queue\":[]}", "{}", "{\"queue\":{}}"},
    {"reaction",
     "user_id username "
     "reaction_type*=thumbs_up|thumbs_down|clap|heart|laugh|surprised|thinking|celebrate timestamp",
     "{\"reaction_type\":\"clap\"}", "{\"reaction_type\":\"boo\"}", "{\"reaction_type\":{}}"},
    {"virtual-background-update",
     "user_id background_type*=none|blur|image|video background_url:sz blur_intensity:nz timestamp",
     "{\"background_type\":\"blur\",\"blur_intensity\":7.5}", "{\"background_type\":\"fog\"}",
     "{\"background_type\":\"blur\",\"blur_intensity\":\"7\"}"},
    {"live-stream-stop", "stream_id* stopped_by* duration_seconds*:n timestamp",
     "{\"stream_id\":\"s\",\"stopped_by\":\"a\",\"duration_seconds\":1}", "{}",
     "{\"duration_seconds\":\"1\"}"},
    {"e2ee-key-exchange",
     "sender_user_id recipient_user_id* "
     "key_type*=identity_key|signed_pre_key|one_time_pre_key|ratchet_key public_key* "
     "key_id*:si signature:sz timestamp",
     "{\"recipient_user_id\":\"b\",\"key_type\":\"identity_key\",\"public_key\":\"k\",\"key_id\":"
     "1}",
     "{}", "{\"public_key\":[1,2]}"},
    {"e2ee-ratchet-update",
     "sender_user_id recipient_user_id* chain_key* message_number*:i previous_chain_length*:i "
     "timestamp",
     "{\"recipient_user_id\":\"b\",\"chain_key\":\"k\",\"message_number\":0,\"previous_chain_"
     "length\":0}",
     "{\"message_number\":null}", "{\"message_number\":\"0\"}"},
};

static void stock_shapes_are_checked_in_both_strengths(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(stock) / sizeof(stock[0]); i++) {
        struct lsig_schema *schema = make_shape(stock[i].shape);
        bool held = check(schema, stock[i].good, STRICT) == LSIG_OK &&
                    check(schema, stock[i].good, LENIENT) == LSIG_OK &&
                    check(schema, stock[i].lenient_only, STRICT) == LSIG_INVALID_MESSAGE &&
                    check(schema, stock[i].lenient_only, LENIENT) == LSIG_OK &&
                    check(schema, stock[i].bad, STRICT) == LSIG_INVALID_MESSAGE &&
                    check(schema, stock[i].bad, LENIENT) == LSIG_INVALID_MESSAGE;
        if (!held) {
            fail_msg("%s: %s", stock[i].type, refusal.message);
        }
        lsig_schema_free(schema);
    }
}

static void lenient_types_widen_the_lenient_check_only(void **state)
{
    (void)state;
    struct lsig_schema *schema = lsig_schema_new(LSIG_JSON_OBJECT);
    add(schema, "sdp", LSIG_JSON_STRING)->lenient_types = LSIG_JSON_STRING | LSIG_JSON_OBJECT;
    assert_int_equal(check(schema, "{\"sdp\":{\"type\":\"offer\"}}", LENIENT), LSIG_OK);
    assert_int_equal(check(schema, "{\"sdp\":null}", LENIENT), LSIG_OK);
    assert_int_equal(check(schema, "{\"sdp\":[]}", LENIENT), LSIG_INVALID_MESSAGE);
    assert_string_equal(refusal.message, "payload.sdp: expected a string or an object or null");
    assert_refused(schema, "{\"sdp\":{\"type\":\"offer\"}}", "payload.sdp: expected a string");
    assert_refused(schema, "{\"sdp\":null}", "payload.sdp: expected a string");
    lsig_schema_free(schema);
}

static void a_missing_field_is_named(void **state)
{
    (void)state;
    struct lsig_schema *schema = make_shape("sdp* note");
    assert_refused(schema, "{}", "payload.sdp: this field is required");
    assert_string_equal(refusal.details, "{\"field\":\"payload.sdp\"}");
    assert_int_equal(check(schema, "{\"s\\u0064p\":\"v\"}", STRICT), LSIG_OK);
    lsig_schema_free(schema);
}

static void unknown_fields_pass_only_where_extra_says_so(void **state)
{
    (void)state;
    struct lsig_schema *schema = make_shape("sdp*");
    assert_refused(schema, "{\"sdp\":\"v\",\"evil\":1}",
                   "payload: holds a field that this type does not have");
    assert_int_equal(check(schema, "{\"sdp\":\"v\",\"evil\":1}", LENIENT), LSIG_OK);
    schema->extra = true;
    assert_int_equal(check(schema, "{\"sdp\":\"v\",\"evil\":1,\"evil\":2}", STRICT), LSIG_OK);
    lsig_schema_free(schema);
}

static void a_known_field_that_is_there_twice_is_invalid_json(void **state)
{
    (void)state;
    struct lsig_schema *schema = make_shape("sdp* note");
    assert_int_equal(check(schema, "{\"sdp\":\"v\",\"s\\u0064p\":\"w\"}", STRICT),
                     LSIG_INVALID_JSON);
    assert_int_equal(check(schema, "{\"sdp\":\"v\",\"x\":1,\"sdp\":\"w\"}", LENIENT),
                     LSIG_INVALID_JSON);
    assert_string_equal(refusal.message, "payload.sdp: this key is there twice");
    lsig_schema_free(schema);
}

static void numbers_have_bounds_and_may_have_to_be_whole(void **state)
{
    (void)state;
    struct lsig_schema *schema = lsig_schema_new(LSIG_JSON_OBJECT);
    struct lsig_schema *n = add(schema, "n", LSIG_JSON_NUMBER);
    n->min = -1.5;
    n->max = 10;
    assert_int_equal(check(schema, "{\"n\":-1.5}", STRICT), LSIG_OK);
    assert_int_equal(check(schema, "{\"n\":1e1}", STRICT), LSIG_OK);
    assert_refused(schema, "{\"n\":-1.6}", "payload.n: expected at least -1.5");
    assert_refused(schema, "{\"n\":10.1}", "payload.n: expected at most 10");
    assert_string_equal(refusal.details, "{\"field\":\"payload.n\",\"limit\":10}");
    assert_int_equal(check(schema, "{\"n\":99}", LENIENT), LSIG_OK);
    n->integer = true;
    assert_int_equal(check(schema, "{\"n\":2.0}", STRICT), LSIG_OK);
    assert_refused(schema, "{\"n\":2.5}", "payload.n: expected a whole number");
    assert_refused(schema, "{\"n\":\"2\"}", "payload.n: expected a whole number");
    assert_int_equal(check(schema, "{\"n\":2.5}", LENIENT), LSIG_OK);
    lsig_schema_free(schema);
}

static void strings_are_measured_in_characters(void **state)
{
    (void)state;
    struct lsig_schema *schema = lsig_schema_new(LSIG_JSON_OBJECT);
    struct lsig_schema *s = add(schema, "s", LSIG_JSON_STRING);
    s->min = 3;
    s->max = 3;
    static const char *const good[] = {"abc", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80",
                                       "\\u00e9\\n\\ud83d\\ude00", "\\uD83D\\uDE00\\\\\\\"",
                                       "\\ud7ff\\udbff\\udfffx"};
    static const char *const bad[] = {"",
                                      "ab",
                                      "abcd",
                                      "\\u00e9\\u00e9",
                                      "\\ud83d\\ude00\\ud83d\\ude00",
                                      "\xf0\x9f\x98\x80",
                                      "\\n\\n\\n\\n"};
    char payload[128];
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        snprintf(payload, sizeof(payload), "{\"s\":\"%s\"}", good[i]);
        assert_int_equal(check(schema, payload, STRICT), LSIG_OK);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        snprintf(payload, sizeof(payload), "{\"s\":\"%s\"}", bad[i]);
        assert_int_equal(check(schema, payload, STRICT), LSIG_INVALID_MESSAGE);
        assert_int_equal(check(schema, payload, LENIENT), LSIG_OK);
    }
    assert_refused(schema, "{\"s\":\"abcd\"}", "payload.s: expected at most 3 characters");
    lsig_schema_free(schema);
}

static void choices_are_compared_after_unescaping_and_listed(void **state)
{
    (void)state;
    struct lsig_schema *schema = make_shape("a*=start|stop");
    assert_int_equal(check(schema, "{\"a\":\"st\\u006fp\"}", STRICT), LSIG_OK);
    assert_refused(schema, "{\"a\":\"SECRET\"}", "payload.a: expected one of start, stop");
    assert_refused(schema, "{\"a\":\"\"}", "payload.a: expected one of start, stop");
    lsig_schema_free(schema);
}

static void arrays_check_their_items_and_their_length(void **state)
{
    (void)state;
    struct lsig_schema *schema = lsig_schema_new(LSIG_JSON_OBJECT);
    struct lsig_schema *list = add(schema, "list", LSIG_JSON_ARRAY);
    list->min = 1;
    list->max = 2;
    list->item = make_shape("name* text");
    assert_int_equal(
        check(schema, "{\"list\":[{\"name\":\"a\"},{\"name\":\"b\",\"text\":\"t\"}]}", STRICT),
        LSIG_OK);
    assert_refused(schema, "{\"list\":[]}", "payload.list: expected at least 1 element");
    assert_refused(schema, "{\"list\":[{\"name\":\"a\"},{\"name\":\"b\"},{\"name\":\"c\"}]}",
                   "payload.list: expected at most 2 elements");
    assert_refused(schema, "{\"list\":[{\"name\":\"a\"},{\"name\":\"b\",\"text\":1}]}",
                   "payload.list[1].text: expected a string");
    assert_string_equal(refusal.details, "{\"field\":\"payload.list[1].text\"}");
    assert_refused(schema, "{\"list\":[7]}", "payload.list[0]: expected an object");
    // Lenient: types all the way down, nothing else.
    assert_int_equal(check(schema, "{\"list\":[null,{},{\"x\":1},{\"name\":null}]}", LENIENT),
                     LSIG_OK);
    assert_int_equal(check(schema, "{\"list\":[{\"name\":7}]}", LENIENT), LSIG_INVALID_MESSAGE);
    lsig_schema_free(schema);
}

static void any_value_passes_where_all_types_do(void **state)
{
    (void)state;
    struct lsig_schema *schema = lsig_schema_new(LSIG_JSON_OBJECT);
    add(schema, "any", ~0u);
    static const char *const values[] = {"null",        "true", "1", "\"s\"", "{\"a\":{\"a\":1}}",
                                         "[1,\"x\",[]]"};
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        char payload[64];
        snprintf(payload, sizeof(payload), "{\"any\":%s}", values[i]);
        assert_int_equal(check(schema, payload, STRICT), LSIG_OK);
    }
    lsig_schema_free(schema);
}

static void the_payload_itself_is_checked(void **state)
{
    (void)state;
    struct lsig_schema *schema = lsig_schema_new(LSIG_JSON_STRING);
    assert_refused(schema, "{}", "payload: expected a string");
    assert_int_equal(check(schema, "\"x\"", STRICT), LSIG_OK);
    lsig_schema_free(schema);
}

static void a_refusal_never_repeats_what_came(void **state)
{
    (void)state;
    static const char *const payloads[] = {"{\"a\":\"start\",\"SECRET\":1}", "{\"a\":\"SECRET\"}",
                                           "{\"a\":{\"SECRET\":\"SECRET\"}}",
                                           "{\"a\":[\"SECRET\"]}"};
    struct lsig_schema *schema = make_shape("a*=start|stop");
    for (size_t i = 0; i < sizeof(payloads) / sizeof(payloads[0]); i++) {
        assert_true(check(schema, payloads[i], STRICT) != LSIG_OK);
        assert_null(strstr(refusal.message, "SECRET"));
        assert_null(strstr(refusal.details, "SECRET"));
    }
    lsig_schema_free(schema);
}

static void names_and_choices_have_bounds_and_names_are_there_once(void **state)
{
    (void)state;
    struct lsig_schema *schema = lsig_schema_new(LSIG_JSON_OBJECT);
    struct lsig_schema *field = lsig_schema_new(LSIG_JSON_STRING);
    char name[16];
    for (int i = 0; i < LSIG_SCHEMA_FIELDS_MAX; i++) {
        snprintf(name, sizeof(name), "f%d", i);
        assert_true(
            lsig_schema_add_field(schema, lsig_span_of(name), lsig_schema_new(LSIG_JSON_STRING)));
    }
    assert_false(lsig_schema_add_field(schema, lsig_span_of("more"), field));
    assert_false(lsig_schema_add_field(schema, lsig_span_of("f0"), field));
    assert_int_equal(check(schema, "{\"f63\":1}", LENIENT), LSIG_INVALID_MESSAGE);
    assert_int_equal(check(schema, "{\"f63\":\"\",\"f63\":\"\"}", LENIENT), LSIG_INVALID_JSON);
    for (int i = 0; i < LSIG_SCHEMA_CHOICES_MAX; i++) {
        snprintf(name, sizeof(name), "c%d", i);
        assert_true(lsig_schema_add_choice(field, lsig_span_of(name)));
    }
    assert_false(lsig_schema_add_choice(field, lsig_span_of("more")));
    assert_int_equal(check(field, "\"c63\"", STRICT), LSIG_OK);
    // A list too long for the message is cut, not lost.
    assert_int_equal(check(field, "\"x\"", STRICT), LSIG_INVALID_MESSAGE);
    assert_non_null(strstr(refusal.message, "payload: expected one of c0, c1,"));
    lsig_schema_free(field);
    lsig_schema_free(schema);
    lsig_schema_free(NULL);
}

static void depth_counts_fields_and_items(void **state)
{
    (void)state;
    struct lsig_schema *schema = lsig_schema_new(LSIG_JSON_OBJECT);
    assert_int_equal(lsig_schema_depth(schema), 1);
    add(schema, "a", LSIG_JSON_STRING);
    struct lsig_schema *list = add(schema, "b", LSIG_JSON_ARRAY);
    add(schema, "c", LSIG_JSON_STRING);
    assert_int_equal(lsig_schema_depth(schema), 2);
    list->item = lsig_schema_new(LSIG_JSON_OBJECT);
    add(list->item, "d", LSIG_JSON_STRING);
    assert_int_equal(lsig_schema_depth(schema), 4);
    lsig_schema_free(schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stock_shapes_are_checked_in_both_strengths),
        cmocka_unit_test(lenient_types_widen_the_lenient_check_only),
        cmocka_unit_test(a_missing_field_is_named),
        cmocka_unit_test(unknown_fields_pass_only_where_extra_says_so),
        cmocka_unit_test(a_known_field_that_is_there_twice_is_invalid_json),
        cmocka_unit_test(numbers_have_bounds_and_may_have_to_be_whole),
        cmocka_unit_test(strings_are_measured_in_characters),
        cmocka_unit_test(choices_are_compared_after_unescaping_and_listed),
        cmocka_unit_test(arrays_check_their_items_and_their_length),
        cmocka_unit_test(any_value_passes_where_all_types_do),
        cmocka_unit_test(the_payload_itself_is_checked),
        cmocka_unit_test(a_refusal_never_repeats_what_came),
        cmocka_unit_test(names_and_choices_have_bounds_and_names_are_there_once),
        cmocka_unit_test(depth_counts_fields_and_items),
    };
    return cmocka_run_group_tests_name("codec/schema", tests, NULL, NULL);
}
