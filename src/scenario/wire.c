#include "scenario/wire.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "scenario/player.h"
#include "scenario/world.h"

enum { FIRST_CAPACITY = 8, EXPIRING_S = 60 };

// --- frames

// As net's outbox counts: with the slot.
static size_t cost_of(const struct lsig_body *body)
{
    return body->len + sizeof(struct lsig_body *);
}

static void drop_oldest(struct lsig_wire *wire)
{
    wire->frame_bytes -= wire->frames[0]->len;
    wire->waiting_bytes -= wire->sent == 0 ? cost_of(wire->frames[0]) : 0;
    lsig_body_unref(wire->frames[0]);
    wire->frame_count--;
    memmove(wire->frames, wire->frames + 1, wire->frame_count * sizeof(struct lsig_body *));
    if (wire->sent > 0) {
        wire->sent--;
    } else {
        wire->lossy = true;
    }
}

static void drop_all(struct lsig_wire *wire)
{
    while (wire->frame_count > 0) {
        drop_oldest(wire);
    }
    lsig_body_unref(wire->first);
    wire->first = NULL;
}

static void add_frame(struct lsig_wire *wire, struct lsig_body *body)
{
    if (wire->frame_count == wire->frame_capacity) {
        size_t capacity = wire->frame_capacity == 0 ? FIRST_CAPACITY : wire->frame_capacity * 2;
        wire->frames = lsig_realloc(wire->frames, capacity * sizeof(struct lsig_body *));
        wire->frame_capacity = capacity;
    }
    wire->frames[wire->frame_count++] = lsig_body_ref(body);
    wire->frame_bytes += body->len;
    wire->waiting_bytes += cost_of(body);
}

// As net's outbox: when what waits for a client that is away does not fit, nothing is kept.
static void bound(struct lsig_wire *wire)
{
    const struct lsig_settings *settings = wire->node->flow.settings;
    while (wire->frame_count > (size_t)settings->resume_frames_max ||
           wire->frame_bytes > (size_t)settings->resume_bytes_max) {
        if (wire->sent == 0) {
            drop_all(wire);
            wire->lossy = true;
            return;
        }
        drop_oldest(wire);
    }
}

static bool is_v1(const struct lsig_wire *wire)
{
    return wire->client.connection.dialect == LSIG_V1;
}

static void pass(struct lsig_wire *wire, const struct lsig_body *body, uint64_t seq)
{
    if (!wire->cut) {
        lsig_player_hear(wire->player, body, seq);
    }
}

static void flush(struct lsig_wire *wire)
{
    if (wire->stalled) {
        return;
    }
    if (wire->first != NULL) {
        pass(wire, wire->first, 0);
        lsig_body_unref(wire->first);
        wire->first = NULL;
    }
    while (wire->sent < wire->frame_count) {
        const struct lsig_body *body = wire->frames[wire->sent];
        bool asked_for_again = is_v1(wire) && !body->once;
        wire->seq += is_v1(wire);
        pass(wire, body, is_v1(wire) ? wire->seq : 0);
        wire->sent++;
        wire->waiting_bytes -= cost_of(body);
        while (wire->sent > 0 && !asked_for_again) {
            drop_oldest(wire);
        }
    }
    bound(wire);
}

// --- the end

static bool is_lost(const struct lsig_wire *wire)
{
    switch (wire->close_code) {
    case 0:
        return strcmp(wire->end_reason, "timeout") == 0;
    case 1001:
    case LSIG_WIRE_LOST:
    case 4408:
        return true;
    default:
        return false;
    }
}

static const char *reason_of(int code)
{
    return code == 4401                             ? "expired"
           : code == 4403                           ? "kicked"
           : code == 4409                           ? "replaced"
           : code == 4408 || code == LSIG_WIRE_LOST ? "timeout"
                                                    : "closed";
}

static void forget_close(struct lsig_wire *wire)
{
    wire->close_code = 0;
    wire->end_reason = "timeout";
    free(wire->close_text);
    wire->close_text = NULL;
}

static void unlink_wire(struct lsig_wire *wire)
{
    *(wire->previous != NULL ? &wire->previous->next : &wire->node->wires) = wire->next;
    if (wire->next != NULL) {
        wire->next->previous = wire->previous;
    }
}

struct lsig_wire *lsig_wire_open(struct lsig_node *node, struct lsig_player *player)
{
    struct lsig_wire *wire = lsig_alloc(sizeof(*wire));
    wire->node = node;
    wire->player = player;
    wire->end_reason = "timeout";
    wire->heard_ms = node->world->now->mono_ms;
    wire->client.address = player->address;
    wire->next = node->wires;
    if (wire->next != NULL) {
        wire->next->previous = wire;
    }
    node->wires = wire;
    player->wire = wire;
    node->flow.metrics->connections += 1;
    return wire;
}

static void free_wire(struct lsig_wire *wire)
{
    drop_all(wire);
    free(wire->frames);
    free(wire->close_text);
    free(wire);
}

void lsig_wire_end(struct lsig_wire *wire)
{
    unlink_wire(wire);
    if (wire->player != NULL && wire->player->wire == wire) {
        wire->player->wire = NULL;
    }
    lsig_attend_close(&wire->client, wire->end_reason);
    free_wire(wire);
}

void lsig_wire_break(struct lsig_wire *wire)
{
    struct lsig_player *player = wire->player;
    if (player != NULL && player->wire == wire) {
        player->wire = NULL;
        if (!wire->cut) {
            lsig_player_on_close(player, LSIG_WIRE_LOST, "the connection broke");
        }
    }
    wire->player = NULL;
}

void lsig_wire_forget(struct lsig_wire *wire)
{
    unlink_wire(wire);
    lsig_attend_forget(&wire->client);
    free_wire(wire);
}

void lsig_wire_lose(struct lsig_wire *wire, const char *reason)
{
    if (wire->player != NULL && wire->player->wire == wire) {
        wire->player->wire = NULL;
    }
    wire->player = NULL;
    wire->cut = false;
    wire->stalled = false;
    if (reason != NULL) {
        wire->end_reason = reason;
    }
    if (is_lost(wire) && lsig_resume_keep(&wire->client)) {
        forget_close(wire);
        bound(wire);
        return;
    }
    lsig_wire_end(wire);
}

void lsig_wire_read(struct lsig_wire *wire)
{
    wire->stalled = false;
    wire->heard_ms = wire->node->world->now->mono_ms; // it answers the pings that have waited
    if (wire->close_code == 0) {
        flush(wire);
    }
}

void lsig_wire_end_turn(struct lsig_wire *wire)
{
    wire->holds = false;
    if (wire->player != NULL && wire->close_code == 0) {
        flush(wire);
    }
    if (wire->close_code == 0) {
        return;
    }
    if (wire->player == NULL) {
        lsig_wire_end(wire); // it has been away for too long
        return;
    }
    flush(wire);
    if (!wire->cut) {
        lsig_player_on_close(wire->player, wire->close_code, wire->close_text);
    }
    lsig_wire_lose(wire, NULL);
}

// --- time

void lsig_wire_check_time(struct lsig_wire *wire)
{
    const struct lsig_settings *settings = wire->node->flow.settings;
    int64_t silent_ms = wire->node->world->now->mono_ms - wire->heard_ms;
    lsig_attend_check_time(&wire->client);
    if (wire->close_code != 0 || wire->player == NULL) {
        return;
    }
    bool silent = wire->cut || wire->stalled;
    if (silent && silent_ms >= (settings->ping_s + settings->pong_s) * 1000) {
        lsig_wire_lose(wire, "timeout");
    } else if (!silent && silent_ms >= settings->ping_s * 1000) {
        wire->heard_ms = wire->node->world->now->mono_ms; // it answers the ping
    }
}

static int64_t earlier(int64_t one, int64_t other)
{
    return one < 0 || other < one ? other : one;
}

// Unix seconds as a time of the monotonic clock.
static int64_t mono_of(const struct lsig_wire *wire, int64_t wall_s)
{
    const struct lsig_time *now = wire->node->world->now;
    return now->mono_ms + wall_s * 1000 - now->wall_ms;
}

int64_t lsig_wire_due_ms(const struct lsig_wire *wire)
{
    const struct lsig_settings *settings = wire->node->flow.settings;
    const struct lsig_client *client = &wire->client;
    int64_t due_ms = -1;
    if (client->flow == NULL || client->state == LSIG_CLIENT_CLOSING) {
        return due_ms;
    }
    if (client->state == LSIG_CLIENT_AWAY) {
        return client->away_until_ms;
    }
    if (wire->cut || wire->stalled) {
        due_ms = wire->heard_ms + (settings->ping_s + settings->pong_s) * 1000;
    }
    due_ms = earlier(due_ms, mono_of(wire, client->deadline_s));
    if (client->state == LSIG_CLIENT_PRESENT && !client->expiring_told) {
        int64_t told_s = client->deadline_s - settings->jwt_leeway_s - EXPIRING_S;
        due_ms = earlier(due_ms, mono_of(wire, told_s));
    }
    if (client->state == LSIG_CLIENT_PRESENT && client->ice_until_s != 0) {
        due_ms = earlier(due_ms, mono_of(wire, client->ice_until_s - EXPIRING_S));
    }
    return due_ms;
}

// --- the sink

// As net/session_sink.c: kept, if the client may come back for it.
static void keep_for_later(struct lsig_wire *wire, struct lsig_body *body)
{
    bool returns =
        wire->client.resumable && !wire->lossy &&
        (wire->player == NULL || wire->close_code == 1001 || wire->close_code == LSIG_WIRE_LOST);
    if (!returns) {
        wire->lossy = true;
        return;
    }
    add_frame(wire, body);
    if (wire->player == NULL) {
        bound(wire);
    }
}

static void sink_close(struct lsig_client *client, int code, const char *reason)
{
    struct lsig_wire *wire = (struct lsig_wire *)client;
    if (wire->close_code != 0) {
        return;
    }
    wire->close_code = code;
    wire->close_text = lsig_strdup(reason);
    wire->end_reason = reason_of(code);
    client->resumable = client->resumable && is_lost(wire);
}

// As net/session_sink.c.
static void too_slow(struct lsig_wire *wire)
{
    wire->node->flow.metrics->slow_closed += 1;
    drop_all(wire);
    wire->lossy = true;
    wire->client.state = LSIG_CLIENT_CLOSING;
    lsig_log(LSIG_INFO, "too-slow", LSIG_LOG_TEXT("room", wire->client.room->id),
             LSIG_LOG_TEXT("connection", wire->client.connection.peer_id));
    sink_close(&wire->client, lsig_status_close_code(LSIG_TOO_SLOW),
               lsig_status_text(LSIG_TOO_SLOW));
}

static void sink_send(struct lsig_client *client, struct lsig_body *body)
{
    struct lsig_wire *wire = (struct lsig_wire *)client;
    if (wire->player == NULL || wire->close_code != 0) {
        keep_for_later(wire, body);
        return;
    }
    if (client->state == LSIG_CLIENT_CLOSING) {
        return;
    }
    wire->node->flow.metrics->frames_out += 1;
    bool waits = wire->sent < wire->frame_count;
    add_frame(wire, body);
    if (!wire->holds) {
        flush(wire);
    }
    // A single frame may be larger than the bound; a queue of them may not.
    if (wire->stalled && waits &&
        wire->waiting_bytes > (size_t)wire->node->flow.settings->outbox_bytes_max) {
        too_slow(wire);
    }
}

static void sink_pause(struct lsig_client *client, bool paused)
{
    (void)client;
    (void)paused; // what a test sends is there at once
}

static void sink_take_over(struct lsig_client *client, struct lsig_client *new_client)
{
    struct lsig_wire *wire = (struct lsig_wire *)client;
    struct lsig_wire *fresh = (struct lsig_wire *)new_client;
    struct lsig_player *before = wire->player;
    bool cut = wire->cut;
    forget_close(wire);
    wire->player = fresh->player;
    wire->player->wire = wire;
    wire->cut = false;
    wire->stalled = false;
    wire->holds = true;
    wire->heard_ms = wire->node->world->now->mono_ms;
    fresh->player = before;
    fresh->cut = before != NULL && (cut || before == wire->player); // it speaks over the new one
    new_client->state = LSIG_CLIENT_CLOSING;
    sink_close(new_client, lsig_status_close_code(LSIG_REPLACED),
               "the session goes on over another connection");
}

static int64_t sink_rewind(struct lsig_client *client, uint64_t seq)
{
    struct lsig_wire *wire = (struct lsig_wire *)client;
    lsig_body_unref(wire->first);
    wire->first = NULL;
    if (wire->lossy || seq > wire->seq || wire->seq - seq > wire->sent) {
        drop_all(wire);
        wire->lossy = false;
        return -1;
    }
    while (wire->sent > wire->seq - seq) {
        drop_oldest(wire);
    }
    while (wire->sent > 0) { // they wait again
        wire->waiting_bytes += cost_of(wire->frames[--wire->sent]);
    }
    wire->seq = seq;
    return (int64_t)wire->frame_count;
}

static void sink_send_first(struct lsig_client *client, struct lsig_body *body)
{
    struct lsig_wire *wire = (struct lsig_wire *)client;
    wire->first = lsig_body_ref(body);
    wire->node->flow.metrics->frames_out += 1;
}

const struct lsig_sink lsig_wire_sink = {
    .send = sink_send,
    .close = sink_close,
    .pause = sink_pause,
    .take_over = sink_take_over,
    .rewind = sink_rewind,
    .send_first = sink_send_first,
};
