// What clients send, and how they go.
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "codec/json.h"
#include "codec/scan.h"
#include "flow/line.h"
#include "scenario/ask.h"
#include "scenario/real.h"

enum { FRAME_MAX = 2 * 1024 * 1024 };

// --- sends

bool lsig_ask_check_connected(struct lsig_asking *asking)
{
    const struct lsig_player *player = asking->player;
    if (lsig_player_is_connected(player)) {
        return true;
    }
    if (player->closed != 0) {
        return lsig_ask_fail(asking, "its connection was closed: %d %s", player->closed,
                             player->close_text);
    }
    return lsig_ask_fail(asking, player->room_id != NULL ? "its connection is gone"
                                                         : "it has not joined a room yet");
}

bool lsig_ask_send_frame(struct lsig_asking *asking, struct lsig_span frame)
{
    struct lsig_wire *wire = asking->player->wire;
    lsig_story_add_frame(&asking->world->story, lsig_world_ms(asking->world), asking->player->name,
                         "->", frame);
    if (asking->world->stage != NULL) {
        lsig_real_send(asking->player, frame, false);
        return true;
    }
    wire->heard_ms = asking->world->now->mono_ms;
    if (frame.len > (size_t)asking->world->settings->frame_bytes_max) {
        struct lsig_refusal refusal;
        lsig_refuse(&refusal, LSIG_FRAME_TOO_BIG);
        lsig_line_refuse(&wire->client, &refusal);
    } else {
        lsig_line_on_frame(&wire->client, frame);
    }
    return lsig_ask_pass(asking, 0, NULL, NULL);
}

// sends(type, payload, target) or sends { type =, payload =, target =, id = }
bool lsig_ask_print_message(struct lsig_asking *asking, struct lsig_buf *out)
{
    static const char *const known[] = {"type", "payload", "target", "id", "timestamp"};
    struct lsig_span type = asking->arguments[0];
    struct lsig_span payload = asking->arguments[1];
    struct lsig_span target = asking->arguments[2];
    struct lsig_span id = {NULL, 0};
    struct lsig_span timestamp = {NULL, 0};
    if (type.data != NULL && lsig_scan_type(type) == LSIG_JSON_OBJECT) {
        if (!lsig_ask_check_options(asking, 0, known, sizeof(known) / sizeof(known[0]))) {
            return false;
        }
        payload = lsig_ask_option(asking, 0, "payload");
        target = lsig_ask_option(asking, 0, "target");
        id = lsig_ask_option(asking, 0, "id");
        timestamp = lsig_ask_option(asking, 0, "timestamp");
        type = lsig_ask_option(asking, 0, "type");
    }
    if (type.data == NULL) {
        return lsig_ask_fail(asking, "the type is missing: ann:sends(\"chat-message\", { … })");
    }
    lsig_json_open(out, NULL, '{');
    lsig_json_raw(out, "type", type);
    lsig_json_raw(out, "payload", payload.data != NULL ? payload : lsig_span_of("{}"));
    if (target.data != NULL) {
        lsig_json_raw(out, "target_id", target);
    }
    if (id.data != NULL) {
        lsig_json_raw(out, "id", id);
    }
    if (timestamp.data != NULL) {
        lsig_json_raw(out, "timestamp", timestamp);
    }
    lsig_json_close(out, '}');
    return true;
}

bool lsig_ask_sends(struct lsig_asking *asking)
{
    struct lsig_buf frame;
    lsig_buf_init(&frame, FRAME_MAX);
    bool fine = lsig_ask_check_connected(asking) && lsig_ask_print_message(asking, &frame) &&
                lsig_ask_send_frame(asking, lsig_buf_span(&frame));
    lsig_buf_clear(&frame);
    return fine;
}

static int hex_value(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

// Bytes that are no text: pairs of hexadecimal digits, spaces between them.
static bool read_hex(struct lsig_asking *asking, struct lsig_span value, struct lsig_buf *out)
{
    bool fine = lsig_scan_type(value) == LSIG_JSON_STRING;
    for (size_t i = 1; fine && i + 1 < value.len; i++) {
        if (value.data[i] == ' ') {
            continue;
        }
        int high = hex_value(value.data[i]);
        int low = hex_value(value.data[i + 1]);
        unsigned char byte = (unsigned char)(high * 16 + low);
        fine = high >= 0 && low >= 0;
        lsig_buf_append(out, &byte, 1);
        i++;
    }
    return fine || lsig_ask_fail(asking, "hex has pairs of hexadecimal digits: \"22 ff 22\"");
}

bool lsig_ask_read_raw(struct lsig_asking *asking, struct lsig_buf *out)
{
    static const char *const known[] = {"hex"};
    struct lsig_span value = asking->arguments[0];
    if (value.data != NULL && lsig_scan_type(value) == LSIG_JSON_OBJECT) {
        struct lsig_span hex = lsig_ask_option(asking, 0, "hex");
        return lsig_ask_check_options(asking, 0, known, 1) &&
               read_hex(asking, hex.data != NULL ? hex : lsig_span_of("0"), out);
    }
    if (value.data == NULL || lsig_scan_type(value) != LSIG_JSON_STRING) {
        return lsig_ask_fail(asking,
                             "write the frame as a text, or its bytes as { hex = \"22 ff\" }");
    }
    size_t len = 0;
    char *text = lsig_alloc(value.len);
    bool read = lsig_scan_unescape((struct lsig_span){value.data + 1, value.len - 2}, text,
                                   value.len, &len);
    lsig_buf_append(out, text, len);
    free(text);
    return read;
}

bool lsig_ask_sends_raw(struct lsig_asking *asking)
{
    struct lsig_buf frame;
    lsig_buf_init(&frame, FRAME_MAX);
    bool fine = lsig_ask_check_connected(asking) && lsig_ask_read_raw(asking, &frame) &&
                lsig_ask_send_frame(asking, lsig_buf_span(&frame));
    lsig_buf_clear(&frame);
    return fine;
}

// As net/session.c does it: what it says is not looked at.
bool lsig_ask_sends_binary(struct lsig_asking *asking)
{
    struct lsig_refusal refusal;
    struct lsig_buf frame;
    lsig_buf_init(&frame, FRAME_MAX);
    bool fine = lsig_ask_check_connected(asking) && lsig_ask_read_raw(asking, &frame);
    if (fine) {
        struct lsig_wire *wire = asking->player->wire;
        lsig_story_add(&asking->world->story, lsig_world_ms(asking->world),
                       "%s -> a binary frame of %zu bytes", asking->player->name, frame.len);
        if (asking->world->stage != NULL) {
            lsig_real_send(asking->player, lsig_buf_span(&frame), true);
            lsig_buf_clear(&frame);
            return true;
        }
        wire->heard_ms = asking->world->now->mono_ms;
        lsig_refuse(&refusal, LSIG_BINARY_FRAME);
        lsig_line_refuse(&wire->client, &refusal);
        fine = lsig_ask_pass(asking, 0, NULL, NULL);
    }
    lsig_buf_clear(&frame);
    return fine;
}

// --- goes

bool lsig_ask_vanishes(struct lsig_asking *asking)
{
    if (!lsig_ask_check_connected(asking)) {
        return false;
    }
    asking->player->wire->cut = true;
    lsig_story_add(&asking->world->story, lsig_world_ms(asking->world), "%s vanishes",
                   asking->player->name);
    return true;
}

bool lsig_ask_drops(struct lsig_asking *asking)
{
    if (!lsig_ask_check_connected(asking)) {
        return false;
    }
    lsig_story_add(&asking->world->story, lsig_world_ms(asking->world), "%s loses its connection",
                   asking->player->name);
    lsig_wire_lose(asking->player->wire, "timeout");
    return lsig_ask_pass(asking, 0, NULL, NULL);
}

bool lsig_ask_leaves(struct lsig_asking *asking)
{
    if (!lsig_ask_check_connected(asking)) {
        return false;
    }
    lsig_story_add(&asking->world->story, lsig_world_ms(asking->world), "%s -> close 1000",
                   asking->player->name);
    asking->player->wire->client.resumable = false;
    lsig_wire_lose(asking->player->wire, "bye");
    return lsig_ask_pass(asking, 0, NULL, NULL);
}
