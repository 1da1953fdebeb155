#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/log.h"
#include "codec/json.h"
#include "net/handover.h"
#include "net/handover_line.h"
#include "net/handover_room.h"
#include "net/session.h"

enum { PATH_SIZE = 4352 };

bool lsig_handover_path(const struct lsig_net *net, char *out, size_t size)
{
    int len = snprintf(out, size, "%s/sessions", net->options.settings->data_dir);
    return len > 0 && (size_t)len < size;
}

static void write_frame(const struct lsig_body *body, FILE *file)
{
    struct lsig_buf line;
    lsig_handover_line_open(&line, "frame");
    lsig_json_text(&line, "text", (struct lsig_span){body->data, body->len});
    lsig_handover_line_close(&line, file);
}

static void write_hex(struct lsig_buf *out, const char *name, const void *bytes, size_t len)
{
    char text[2 * 32 + 1];
    for (size_t i = 0; i < len; i++) {
        snprintf(text + 2 * i, 3, "%02x", ((const unsigned char *)bytes)[i]);
    }
    lsig_json_string(out, name, text);
}

static void write_connection(const struct lsig_session *session, FILE *file)
{
    const struct lsig_client *client = &session->client;
    const struct lsig_outbox *outbox = &session->outbox;
    struct lsig_buf line;
    lsig_handover_line_open(&line, "connection");
    lsig_json_string(&line, "peer_id", client->connection.peer_id);
    lsig_json_integer(&line, "join_seq", (int64_t)client->connection.join_seq);
    lsig_json_integer(&line, "dialect", client->connection.dialect);
    write_hex(&line, "resume_digest", client->resume_digest, sizeof(client->resume_digest));
    if (client->previous_good) {
        write_hex(&line, "resume_previous", client->resume_previous,
                  sizeof(client->resume_previous));
    }
    write_hex(&line, "token_key", &client->token_key, sizeof(client->token_key));
    lsig_json_integer(&line, "token_iat", client->token_iat);
    lsig_json_integer(&line, "deadline_s", client->deadline_s);
    lsig_json_integer(&line, "last_id", client->last_id);
    lsig_json_integer(&line, "seq", (int64_t)outbox->seq);
    lsig_json_integer(&line, "kept", outbox->kept);
    lsig_json_boolean(&line, "lossy", outbox->lossy);
    lsig_handover_line_close(&line, file);
    for (uint32_t i = 0; i < outbox->kept + outbox->waiting; i++) {
        write_frame(lsig_outbox_at(outbox, i), file);
    }
}

static void write_member(const struct lsig_member *member, FILE *file)
{
    struct lsig_buf line;
    lsig_handover_line_open(&line, "member");
    lsig_json_string(&line, "id", member->id);
    lsig_json_string(&line, "username", member->username);
    lsig_json_integer(&line, "role", member->role);
    lsig_json_integer(&line, "joined_ms", member->joined_ms);
    lsig_json_string(&line, "claims", member->claims);
    if (member->waiting) {
        lsig_json_boolean(&line, "waiting", true);
    }
    lsig_handover_line_close(&line, file);
    lsig_handover_props_write(member, file);
    // Newest first in the list; each that is restored goes in front.
    for (uint32_t left = member->connection_count; left > 0; left--) {
        const struct lsig_connection *at = member->connections;
        for (uint32_t i = 1; i < left; i++) {
            at = at->next;
        }
        write_connection((const struct lsig_session *)at, file);
    }
}

static void write_room(const struct lsig_room *room, int64_t now_ms, FILE *file)
{
    bool empty = room->member_count == 0 && room->empty_since_ms >= 0;
    struct lsig_buf line;
    lsig_handover_line_open(&line, "room");
    lsig_json_string(&line, "id", room->id);
    lsig_json_integer(&line, "revision", (int64_t)room->revision);
    lsig_json_integer(&line, "join_seq", (int64_t)room->join_seq);
    lsig_json_integer(&line, "empty_ms", empty ? now_ms - room->empty_since_ms : 0);
    lsig_handover_line_close(&line, file);
    lsig_handover_room_write(room, now_ms, file);
    for (const struct lsig_member *at = room->first; at != NULL; at = at->next) {
        write_member(at, file);
    }
}

static void write_all(const struct lsig_net *net, FILE *file)
{
    struct lsig_time now = lsig_clock_now();
    struct lsig_buf line;
    lsig_handover_line_open(&line, "head");
    lsig_json_integer(&line, "version", LSIG_HANDOVER_VERSION);
    lsig_json_integer(&line, "saved_at", now.wall_ms);
    lsig_handover_line_close(&line, file);
    size_t cursor = 0;
    const struct lsig_room *room;
    while ((room = lsig_hub_next(net->options.flow->hub, &cursor)) != NULL) {
        if (lsig_handover_room_matters(room)) {
            write_room(room, now.mono_ms, file);
        }
    }
}

static bool has_anything(const struct lsig_net *net)
{
    size_t cursor = 0;
    const struct lsig_room *room;
    while ((room = lsig_hub_next(net->options.flow->hub, &cursor)) != NULL) {
        if (lsig_handover_room_matters(room)) {
            return true;
        }
    }
    return net->away != NULL;
}

void lsig_handover_write(struct lsig_net *net)
{
    char path[PATH_SIZE];
    char aside[PATH_SIZE + 8];
    if (!has_anything(net) || !lsig_handover_path(net, path, sizeof(path))) {
        return;
    }
    snprintf(aside, sizeof(aside), "%s.new", path);
    unlink(aside);
    int fd = open(aside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
    bool ok = file != NULL;
    if (ok) {
        write_all(net, file);
        ok = ferror(file) == 0;
        ok = fclose(file) == 0 && ok;
        ok = ok && rename(aside, path) == 0;
    } else if (fd >= 0) {
        close(fd);
    }
    if (ok) {
        lsig_log(LSIG_INFO, "sessions-saved", LSIG_LOG_TEXT("file", path),
                 LSIG_LOG_NUMBER("away", net->options.metrics->away));
        return;
    }
    lsig_log(LSIG_ERROR, "sessions-lost", LSIG_LOG_TEXT("file", path),
             LSIG_LOG_TEXT("error", strerror(errno)),
             LSIG_LOG_TEXT("advice", "members will have to join anew"));
    unlink(aside);
}
