#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/log.h"
#include "codec/number.h"
#include "codec/scan.h"
#include "flow/resume.h"
#include "net/handover.h"
#include "net/session.h"
#include "net/session_sink.h"
#include "room/former.h"

enum { PATH_SIZE = 4352 };

// What is being read; each line goes on from the one before.
struct reading {
    struct lsig_net *net;
    struct lsig_room *room;       // a reference
    struct lsig_member *member;   // a reference
    struct lsig_session *session; // away already
    bool skipped;                 // the last connection may not come back: its frames neither
    uint32_t kept;                // frames of it that had been sent
    uint64_t seq;
    bool head;
    int64_t count;
};

static struct lsig_span field(struct lsig_span line, const char *name)
{
    size_t cursor = 0;
    struct lsig_span key;
    struct lsig_span value;
    while (lsig_scan_member(line, &cursor, &key, &value)) {
        if (lsig_span_is(key, name)) {
            return value;
        }
    }
    return (struct lsig_span){NULL, 0};
}

static int64_t integer(struct lsig_span line, const char *name)
{
    int64_t number = 0;
    struct lsig_span value = field(line, name);
    if (value.data == NULL || lsig_scan_type(value) != LSIG_JSON_NUMBER ||
        !lsig_number_integer(value, &number)) {
        return 0;
    }
    return number;
}

// The caller's, NUL-terminated; NULL: not there, or no string.
static char *text(struct lsig_span line, const char *name, size_t *len)
{
    struct lsig_span value = field(line, name);
    if (value.data == NULL || lsig_scan_type(value) != LSIG_JSON_STRING) {
        return NULL;
    }
    char *out = lsig_alloc(value.len);
    size_t size = 0;
    bool fits = lsig_scan_unescape((struct lsig_span){value.data + 1, value.len - 2}, out,
                                   value.len - 1, &size);
    assert(fits);
    out[size] = '\0';
    if (len != NULL) {
        *len = size;
    }
    return out;
}

static bool hex(struct lsig_span line, const char *name, void *out, size_t len)
{
    struct lsig_span value = field(line, name);
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

static void end_member(struct reading *reading)
{
    end_connection(reading);
    lsig_member_unref(reading->member);
    reading->member = NULL;
}

static void end_room(struct reading *reading)
{
    end_member(reading);
    lsig_room_unref(reading->room);
    reading->room = NULL;
}

static bool read_head(struct reading *reading, struct lsig_span line)
{
    const struct lsig_flow *flow = reading->net->options.flow;
    int64_t age_ms = flow->now.wall_ms - integer(line, "saved_at");
    reading->head = true;
    return integer(line, "version") == LSIG_HANDOVER_VERSION && age_ms >= 0 &&
           age_ms <= flow->settings->resume_window_s * 1000;
}

static bool read_room(struct reading *reading, struct lsig_span line)
{
    end_room(reading);
    char *id = text(line, "id", NULL);
    bool ok = id != NULL && lsig_hub_room_id_ok(lsig_span_of(id));
    if (ok) {
        reading->room = lsig_hub_open(reading->net->options.flow->hub, lsig_span_of(id));
        reading->room->revision = (uint64_t)integer(line, "revision");
        reading->room->join_seq = (uint64_t)integer(line, "join_seq");
    }
    free(id);
    return ok;
}

static bool role_ok(int64_t role)
{
    return role >= 0 && role < LSIG_ROLE_COUNT;
}

static bool read_former(struct reading *reading, struct lsig_span line)
{
    size_t len = 0;
    char *id = text(line, "id", &len);
    int64_t role = integer(line, "role");
    bool ok =
        reading->room != NULL && id != NULL && len > 0 && len <= LSIG_USER_ID_MAX && role_ok(role);
    if (ok && lsig_former_find(reading->room, (struct lsig_span){id, len}) == NULL) {
        lsig_former_add(reading->room, (struct lsig_span){id, len}, (enum lsig_role)role);
    }
    free(id);
    return ok;
}

static bool read_member(struct reading *reading, struct lsig_span line)
{
    end_member(reading);
    size_t len = 0;
    char *id = text(line, "id", &len);
    char *username = text(line, "username", NULL);
    int64_t role = integer(line, "role");
    bool ok = reading->room != NULL && id != NULL && len > 0 && len <= LSIG_USER_ID_MAX &&
              username != NULL && role_ok(role) &&
              lsig_room_member(reading->room, lsig_span_of(id)) == NULL;
    if (ok) {
        reading->member = lsig_member_new(reading->room, lsig_span_of(id), lsig_span_of(username));
        reading->member->role = (uint8_t)role;
        reading->member->joined_ms = integer(line, "joined_ms");
        reading->member->claims = text(line, "claims", NULL);
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
    struct lsig_span peer_id = field(line, "peer_id");
    int64_t dialect = integer(line, "dialect");
    bool ok = reading->member != NULL && peer_id.len == LSIG_PEER_ID_SIZE + 1 && dialect >= 0 &&
              dialect < LSIG_DIALECT_COUNT &&
              hex(line, "resume_digest", client->resume_digest, sizeof(client->resume_digest)) &&
              hex(line, "token_key", &client->token_key, sizeof(client->token_key));
    if (ok) {
        memcpy(client->connection.peer_id, peer_id.data + 1, LSIG_PEER_ID_SIZE - 1);
        client->connection.join_seq = (uint64_t)integer(line, "join_seq");
        client->connection.dialect = (uint8_t)dialect;
        session->dialect = (uint8_t)dialect;
        client->previous_good =
            hex(line, "resume_previous", client->resume_previous, sizeof(client->resume_previous));
        client->token_iat = integer(line, "token_iat");
        client->deadline_s = integer(line, "deadline_s");
        client->last_id = integer(line, "last_id");
    }
    reading->skipped =
        ok && !lsig_resume_revive(net->options.flow, client, reading->room, reading->member);
    if (!ok || reading->skipped) {
        lsig_session_free(session);
        return ok;
    }
    struct lsig_span lossy = field(line, "lossy");
    session->outbox.lossy = lossy.data != NULL && lossy.data[0] == 't';
    reading->kept = (uint32_t)integer(line, "kept");
    reading->seq = (uint64_t)integer(line, "seq");
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
    char *bytes = text(line, "text", &len);
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
        {"\"head\"", read_head},     {"\"room\"", read_room},   {"\"former\"", read_former},
        {"\"member\"", read_member}, {"\"frame\"", read_frame}, {"\"connection\"", read_connection},
    };
    if (lsig_scan_check(line, NULL) != LSIG_OK || lsig_scan_type(line) != LSIG_JSON_OBJECT) {
        return false;
    }
    struct lsig_span kind = field(line, "kind");
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (kind.data != NULL && lsig_span_is(kind, kinds[i].kind)) {
            return (reading->head || kinds[i].read == read_head) && kinds[i].read(reading, line);
        }
    }
    return false;
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
