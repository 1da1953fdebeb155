#include "flow/notice.h"

struct lsig_body *lsig_notice_print(const struct lsig_flow *flow,
                                    const struct lsig_room *room,
                                    const char *type,
                                    struct lsig_span payload,
                                    enum lsig_dialect dialect)
{
    struct lsig_frame frame = {
        .type = lsig_span_of(type),
        .payload = payload,
        .room_id = lsig_span_of(room->id),
        .timestamp = lsig_span_of(flow->now_iso),
    };
    return lsig_frame_print(&frame, dialect);
}

void lsig_notice_send(struct lsig_client *client, const char *type, struct lsig_span payload)
{
    struct lsig_body *body = lsig_notice_print(client->flow, client->room, type, payload,
                                               (enum lsig_dialect)client->connection.dialect);
    client->flow->sink.send(client, body);
    lsig_body_unref(body);
}

void lsig_notice_broadcast(struct lsig_flow *flow,
                           struct lsig_room *room,
                           enum lsig_dialect dialect,
                           const struct lsig_connection *except,
                           struct lsig_body *body)
{
    for (uint32_t i = 0; i < room->connection_count; i++) {
        struct lsig_connection *connection = room->connections[i];
        if (connection->dialect == dialect && connection != except &&
            lsig_room_reaches(room, connection)) {
            flow->sink.send(lsig_client_of(connection), body);
        }
    }
}
