#include "flow/relay.h"

#include "flow/announce.h"

// The two forms of one message, each made when the first receiver of its dialect is met.
struct forms {
    struct lsig_body *bodies[LSIG_DIALECT_COUNT];
    struct lsig_frame frame;
};

static void deliver(struct lsig_flow *flow, struct forms *forms, struct lsig_connection *to)
{
    enum lsig_dialect dialect = (enum lsig_dialect)to->dialect;
    if (forms->bodies[dialect] == NULL) {
        forms->bodies[dialect] = lsig_frame_print(&forms->frame, dialect);
    }
    flow->sink.send(lsig_client_of(to), forms->bodies[dialect]);
}

static bool hears(const struct lsig_client *sender,
                  const struct lsig_rule *rule,
                  const struct lsig_connection *to)
{
    if (to->member == sender->member) {
        return to != &sender->connection && rule->to != LSIG_TO_OTHERS && to->dialect == LSIG_V1;
    }
    return rule->to != LSIG_TO_ROLES || (rule->to_roles & LSIG_ROLE_BIT(to->member->role)) != 0;
}

static void
to_everybody(struct lsig_client *sender, const struct lsig_rule *rule, struct forms *forms)
{
    const struct lsig_room *room = sender->room;
    for (uint32_t i = 0; i < room->connection_count; i++) {
        if (hears(sender, rule, room->connections[i])) {
            deliver(sender->flow, forms, room->connections[i]);
        }
    }
}

// A sender who names himself reaches only those of his connections that would hear him anyway.
static bool is_addressed(const struct lsig_client *sender,
                         const struct lsig_rule *rule,
                         const struct lsig_connection *to)
{
    return to->member != sender->member || hears(sender, rule, to);
}

static void to_member(struct lsig_client *sender,
                      const struct lsig_rule *rule,
                      const struct lsig_route *route,
                      struct forms *forms)
{
    if (route->connection != NULL) {
        if (is_addressed(sender, rule, route->connection)) {
            deliver(sender->flow, forms, route->connection);
        }
        return;
    }
    for (struct lsig_connection *at = route->member->connections; at != NULL; at = at->next) {
        if (is_addressed(sender, rule, at)) {
            deliver(sender->flow, forms, at);
        }
    }
}

void lsig_relay(struct lsig_client *sender,
                const struct lsig_rule *rule,
                const struct lsig_envelope *envelope,
                const struct lsig_route *route)
{
    struct lsig_flow *flow = sender->flow;
    flow->metrics->messages_relayed += 1;
    if (rule->to == LSIG_TO_SERVER) {
        return;
    }
    struct forms forms = {
        .frame =
            {
                .type = lsig_span_of(rule->name),
                .payload = envelope->payload,
                .sender_id = lsig_span_of(sender->member->id),
                .sender_peer_id = {sender->connection.peer_id, LSIG_PEER_ID_SIZE - 1},
                .room_id = lsig_span_of(sender->room->id),
                .timestamp = envelope->timestamp.data != NULL ? envelope->timestamp
                                                              : lsig_span_of(flow->now_iso),
            },
    };
    lsig_announce_settle(flow, sender->member);
    if (route->everybody) {
        to_everybody(sender, rule, &forms);
    } else {
        if (rule->one_connection && route->member != sender->member) {
            lsig_room_note_spoken(&sender->connection, route->member);
        }
        to_member(sender, rule, route, &forms);
    }
    for (int i = 0; i < LSIG_DIALECT_COUNT; i++) {
        lsig_body_unref(forms.bodies[i]);
    }
}
