#include "room/kept.h"

#include <assert.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "room/hub.h"

enum { MESSAGE_COST = 64 }; // bytes that a message counts besides its texts

struct lsig_kept {
    struct lsig_kept_message *oldest;
    struct lsig_kept_message *newest;
    size_t bytes;
};

static void message_free(struct lsig_kept_message *message)
{
    free(message->type);
    free(message->user_id);
    free(message->peer_id);
    free(message->timestamp);
    free(message->payload);
    free(message);
}

static void drop(struct lsig_room *room, struct lsig_kept_message *message)
{
    struct lsig_kept *kept = room->kept_list;
    *(message->older != NULL ? &message->older->newer : &kept->oldest) = message->newer;
    *(message->newer != NULL ? &message->newer->older : &kept->newest) = message->older;
    kept->bytes -= message->bytes;
    message_free(message);
    if (kept->oldest == NULL) {
        assert(kept->bytes == 0);
        free(kept);
        room->kept_list = NULL;
    }
}

static char *copy(struct lsig_span text)
{
    return text.data != NULL ? lsig_strndup(text.data, text.len) : NULL;
}

static bool same(const char *text, struct lsig_span span)
{
    return text != NULL ? span.data != NULL && lsig_span_is(span, text) : span.data == NULL;
}

// Drops what the message that comes replaces: walked from the newest on, since a log keeps those.
static void make_place(struct lsig_room *room,
                       enum lsig_keep keep,
                       uint32_t log_max,
                       const struct lsig_kept_source *source)
{
    uint32_t seen = 0;
    struct lsig_kept_message *at = room->kept_list != NULL ? room->kept_list->newest : NULL;
    while (at != NULL) {
        struct lsig_kept_message *older = at->older;
        bool of_type = lsig_span_is(source->type, at->type);
        bool goes = of_type;
        if (of_type && keep == LSIG_KEEP_LOG) {
            seen += 1;
            goes = seen >= log_max;
        } else if (of_type && keep == LSIG_KEEP_LATEST_PER_USER) {
            goes = same(at->user_id, source->user_id);
        }
        if (goes) {
            drop(room, at);
        }
        at = room->kept_list != NULL ? older : NULL;
    }
}

static void append(struct lsig_room *room, struct lsig_kept_message *message)
{
    if (room->kept_list == NULL) {
        room->kept_list = lsig_alloc(sizeof(*room->kept_list));
    }
    struct lsig_kept *kept = room->kept_list;
    message->older = kept->newest;
    *(kept->newest != NULL ? &kept->newest->newer : &kept->oldest) = message;
    kept->newest = message;
    kept->bytes += message->bytes;
}

void lsig_kept_add(struct lsig_room *room,
                   enum lsig_keep keep,
                   uint32_t log_max,
                   const struct lsig_kept_source *source)
{
    size_t bytes_max = lsig_hub_bounds(room->hub)->keep_bytes;
    size_t bytes = MESSAGE_COST + source->type.len + source->user_id.len + source->peer_id.len +
                   source->timestamp.len + source->payload.len;
    assert(keep != LSIG_KEEP_NONE);
    make_place(room, keep, log_max, source);
    if (bytes > bytes_max) {
        return; // it alone is too large: what it replaces is out of date all the same
    }
    while (room->kept_list != NULL && room->kept_list->bytes + bytes > bytes_max) {
        drop(room, room->kept_list->oldest);
    }
    struct lsig_kept_message *message = lsig_alloc(sizeof(*message));
    message->keep = keep;
    message->type = copy(source->type);
    message->user_id = copy(source->user_id);
    message->peer_id = copy(source->peer_id);
    message->timestamp = copy(source->timestamp);
    message->payload = copy(source->payload);
    message->bytes = bytes;
    append(room, message);
}

const struct lsig_kept_message *lsig_kept_oldest(const struct lsig_room *room)
{
    return room->kept_list != NULL ? room->kept_list->oldest : NULL;
}

size_t lsig_kept_bytes(const struct lsig_room *room)
{
    return room->kept_list != NULL ? room->kept_list->bytes : 0;
}

static void drop_where(struct lsig_room *room,
                       bool (*goes)(const struct lsig_kept_message *, struct lsig_span),
                       struct lsig_span what)
{
    struct lsig_kept_message *at = room->kept_list != NULL ? room->kept_list->oldest : NULL;
    while (at != NULL) {
        struct lsig_kept_message *newer = at->newer;
        if (goes(at, what)) {
            drop(room, at);
        }
        at = newer;
    }
}

static bool is_of_user(const struct lsig_kept_message *message, struct lsig_span user_id)
{
    return message->keep == LSIG_KEEP_LATEST_PER_USER && same(message->user_id, user_id);
}

static bool is_of_type(const struct lsig_kept_message *message, struct lsig_span type)
{
    return lsig_span_is(type, message->type);
}

void lsig_kept_drop_user(struct lsig_room *room, struct lsig_span user_id)
{
    drop_where(room, is_of_user, user_id);
}

void lsig_kept_drop_type(struct lsig_room *room, struct lsig_span type)
{
    drop_where(room, is_of_type, type);
}

void lsig_kept_clear(struct lsig_room *room)
{
    while (room->kept_list != NULL) {
        drop(room, room->kept_list->oldest);
    }
}
