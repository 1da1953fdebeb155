#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/log.h"
#include "codec/scan.h"
#include "flow/resume.h"
#include "net/handover.h"
#include "net/handover_line.h"
#include "net/handover_room.h"
#include "net/session.h"
#include "net/session_sink.h"
#include "room/former.h"
#include "room/kept.h"

enum { PATH_SIZE = 4352 };

// What is being read; each line goes on from the one before.
struct reading {
    struct lsig_net *net;
    struct lsig_handover_place place; // with a reference of its room and its member each
    struct lsig_session *session;     // away already
    bool skipped;                     // the last connection may not come back: its frames neither
    uint32_t kept;                    // frames of it that had been sent
    uint64_t seq;
    bool head;
    bool stale; // too old for sessions: who was away has left, rooms remember what they remember
    int64_t count;
};

static bool hex(struct lsig_span line, const char *name, void *out, size_t len)
{
    struct lsig_span value = lsig_handover_line_field(line, name);
    if (value.data == NULL || value.len != 2 * len + 2) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        unsigned byte;
        if (sscanf(value.data + 1 + 2 * i, "%2x", &byte) != 1) {
            return false;
        }
        ((unsigned char *)out)[i] = (unsigned char)byte;
    }
    return true;
}

// The frames of a connection are complete: those that had been sent count as sent again.
static void end_connection(struct reading *reading)
{
    struct lsig_session *session = reading->session;
    if (session == NULL) {
        return;
    }
    lsig_outbox_mark_sent(&session->outbox, reading->kept, reading->seq);
    lsig_session_bound_kept(session);
    reading->session = NULL;
}

// Somebody none of whose connections may come back has left.
static void remember_gone(struct lsig_room *room, const struct lsig_member *member)
{
    struct lsig_span id = lsig_span_of(member->id);
    lsig_kept_drop_user(room, id);
    if (member->waiting) {
        return; // he never was in
    }
    if (lsig_former_find(room, id) == NULL && lsig_room_member(room, id) == NULL) {
        lsig_former_add(room, id,
                        member->role == LSIG_HOST ? LSIG_MODERATOR : (enum lsig_role)member->role);
    }
}

static void end_member(struct reading *reading)
{
    struct lsig_member *member = reading->place.member;
    end_connection(reading);
    if (member != NULL && !member->present) {
        remember_gone(reading->place.room, member);
    }
    lsig_member_unref(member);
    reading->place.member = NULL;
}

static void end_room(struct reading *reading)
{
    end_member(reading);
    lsig_room_unref(reading->place.room);
    reading->place.room = NULL;
    reading->place.state = NULL;
    reading->place.field = NULL;
}

static bool read_head(struct reading *reading, struct lsig_span line)
{
    const struct lsig_flow *flow = reading->net->options.flow;
    int64_t age_ms = flow->now.wall_ms - lsig_handover_line_integer(line, "saved_at");
    reading->head = true;
    reading->stale = age_ms > flow->settings->resume_window_s * 1000;
    reading->place.now_ms = flow->now.mono_ms;
    return lsig_handover_line_integer(line, "version") == LSIG_HANDOVER_VERSION && age_ms >= 0 &&
           age_ms <= LSIG_KEPT_MS;
}

// How long the room had been empty: its hour goes on. Nothing is changed of one with members, or
// that timers keep already: a damaged file may name a room twice.
static void note_empty(struct reading *reading, int64_t empty_ms)
{
    struct lsig_room *room = reading->place.room;
    int64_t now_ms = reading->place.now_ms;
    if (room->member_count == 0 && !room->timed) {
        bool past = empty_ms >= 0 && empty_ms <= now_ms;
        room->empty_since_ms = past ? now_ms - empty_ms : now_ms;
    }
}

static bool read_room(struct reading *reading, struct lsig_span line)
{
    end_room(reading);
    char *id = lsig_handover_line_text(line, "id", NULL);
    bool ok = id != NULL && lsig_hub_room_id_ok(lsig_span_of(id));
    if (ok) {
        reading->place.room = lsig_hub_open(reading->net->options.flow->hub, lsig_span_of(id));
        reading->place.room->revision = (uint64_t)lsig_handover_line_integer(line, "revision");
        reading->place.room->join_seq = (uint64_t)lsig_handover_line_integer(line, "join_seq");
        note_empty(reading, lsig_handover_line_integer(line, "empty_ms"));
    }
    free(id);
    return ok;
}

static bool role_ok(int64_t role)
{
    return role >= 0 && role < LSIG_ROLE_COUNT;
}

// Policies read them as Lua values, without another look. NULL: there are none.
static char *take_claims(struct lsig_span line)
{
    size_t len = 0;
    char *claims = lsig_handover_line_text(line, "claims", &len);
    struct lsig_span text = {claims, len};
    if (claims != NULL &&
        (lsig_scan_check_own(text, NULL) != LSIG_OK || lsig_scan_type(text) != LSIG_JSON_OBJECT)) {
        free(claims);
        return NULL;
    }
    return claims;
}

static bool read_member(struct reading *reading, struct lsig_span line)
{
    end_member(reading);
    size_t len = 0;
    char *id = lsig_handover_line_text(line, "id", &len);
    char *username = lsig_handover_line_text(line, "username", NULL);
    int64_t role = lsig_handover_line_integer(line, "role");
    bool ok = reading->place.room != NULL && id != NULL && len > 0 && len <= LSIG_USER_ID_MAX &&
              username != NULL && role_ok(role) &&
              lsig_room_member(reading->place.room, lsig_span_of(id)) == NULL;
    if (ok) {
        bool waiting = lsig_handover_line_true(line, "waiting");
        // A file that says both is damaged: who is here is not remembered, unless he waits.
        struct lsig_former *former = lsig_former_find(reading->place.room, lsig_span_of(id));
        if (former != NULL && !waiting) {
            lsig_former_remove(reading->place.room, former);
        }
        reading->place.member =
            lsig_member_new(reading->place.room, lsig_span_of(id), lsig_span_of(username));
        reading->place.member->role = (uint8_t)role;
        reading->place.member->waiting = waiting;
        reading->place.member->told_to_wait = waiting;
        reading->place.member->joined_ms = lsig_handover_line_integer(line, "joined_ms");
        reading->place.member->claims = take_claims(line);
    }
    free(id);
    free(username);
    return ok;
}

static bool read_connection(struct reading *reading, struct lsig_span line)
{
    end_connection(reading);
    struct lsig_net *net = reading->net;
    struct lsig_session *session = lsig_session_new(net, NULL);
    struct lsig_client *client = &session->client;
    struct lsig_span peer_id = lsig_handover_line_field(line, "peer_id");
    int64_t dialect = lsig_handover_line_integer(line, "dialect");
    bool ok = reading->place.member != NULL && peer_id.len == LSIG_PEER_ID_SIZE + 1 &&
              dialect >= 0 && dialect < LSIG_DIALECT_COUNT &&
              hex(line, "resume_digest", client->resume_digest, sizeof(client->resume_digest)) &&
              hex(line, "token_key", &client->token_key, sizeof(client->token_key));
    if (ok) {
        memcpy(client->connection.peer_id, peer_id.data + 1, LSIG_PEER_ID_SIZE - 1);
        client->connection.join_seq = (uint64_t)lsig_handover_line_integer(line, "join_seq");
        client->connection.dialect = (uint8_t)dialect;
        session->dialect = (uint8_t)dialect;
        client->previous_good =
            hex(line, "resume_previous", client->resume_previous, sizeof(client->resume_previous));
        client->token_iat = lsig_handover_line_integer(line, "token_iat");
        client->deadline_s = lsig_handover_line_integer(line, "deadline_s");
        client->last_id = lsig_handover_line_integer(line, "last_id");
    }
    reading->skipped =
        ok && (reading->stale || !lsig_resume_revive(net->options.flow, client, reading->place.room,
                                                     reading->place.member));
    if (!ok || reading->skipped) {
        lsig_session_free(session);
        return ok;
    }
    struct lsig_span lossy = lsig_handover_line_field(line, "lossy");
    session->outbox.lossy = lossy.data != NULL && lossy.data[0] == 't';
    reading->kept = (uint32_t)lsig_handover_line_integer(line, "kept");
    reading->seq = (uint64_t)lsig_handover_line_integer(line, "seq");
    lsig_session_link(&net->away, session);
    reading->session = session;
    reading->count += 1;
    return true;
}

static bool read_frame(struct reading *reading, struct lsig_span line)
{
    if (reading->skipped) {
        return true;
    }
    size_t len = 0;
    char *bytes = lsig_handover_line_text(line, "text", &len);
    bool ok = reading->session != NULL && bytes != NULL && len >= 2 && bytes[0] == '{';
    if (ok) {
        struct lsig_body *body = lsig_body_of((struct lsig_span){bytes, len});
        lsig_outbox_push(&reading->session->outbox, body);
        lsig_body_unref(body);
        explicit_bzero(bytes, len);
    }
    free(bytes);
    return ok;
}

static bool read_line(struct reading *reading, struct lsig_span line)
{
    static const struct {
        const char *kind;
        bool (*read)(struct reading *reading, struct lsig_span line);
    } kinds[] = {
        {"\"head\"", read_head},     {"\"room\"", read_room},
        {"\"member\"", read_member}, {"\"connection\"", read_connection},
        {"\"frame\"", read_frame},
    };
    if (lsig_scan_check(line, NULL) != LSIG_OK || lsig_scan_type(line) != LSIG_JSON_OBJECT) {
        return false;
    }
    struct lsig_span kind = lsig_handover_line_field(line, "kind");
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (kind.data != NULL && lsig_span_is(kind, kinds[i].kind)) {
            return (reading->head || kinds[i].read == read_head) && kinds[i].read(reading, line);
        }
    }
    bool known;
    return kind.data != NULL && reading->head &&
           lsig_handover_room_read(&reading->place, kind, line, &known);
}

static void read_all(struct reading *reading, FILE *file, const char *path)
{
    char *line = NULL;
    size_t size = 0;
    ssize_t len;
    int64_t number = 0;
    bool ok = true;
    while (ok && (len = getline(&line, &size, file)) > 0) {
        number += 1;
        ok = line[len - 1] == '\n' && read_line(reading, (struct lsig_span){line, (size_t)len - 1});
        explicit_bzero(line, (size_t)len);
    }
    free(line);
    end_room(reading);
    if (reading->place.dropped > 0) {
        lsig_log(LSIG_WARNING, "remembered-dropped", LSIG_LOG_TEXT("file", path),
                 LSIG_LOG_NUMBER("values", reading->place.dropped),
                 LSIG_LOG_TEXT("reason", "above a bound of this server, or not JSON"));
    }
    if (!ok) {
        lsig_log(LSIG_WARNING, "sessions-dropped", LSIG_LOG_TEXT("file", path),
                 LSIG_LOG_NUMBER("line", number),
                 LSIG_LOG_TEXT("reason", number == 1 ? "too old, or of another version"
                                                     : "this line cannot be read"));
    }
}

void lsig_handover_read(struct lsig_net *net)
{
    char path[PATH_SIZE];
    lsig_hub_expire(net->options.flow->hub, net->options.flow->now); // rooms begin at this time
    if (!lsig_handover_path(net, path, sizeof(path))) {
        return;
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) {
        return;
    }
    unlink(path); // good for one start: a server that falls over it does not do so again
    FILE *file = fdopen(fd, "r");
    struct reading reading = {.net = net};
    if (file == NULL) {
        close(fd);
        return;
    }
    read_all(&reading, file, path);
    fclose(file);
    lsig_log(LSIG_INFO, "sessions-restored", LSIG_LOG_NUMBER("away", reading.count),
             LSIG_LOG_NUMBER("rooms", (int64_t)lsig_hub_room_count(net->options.flow->hub)));
}
