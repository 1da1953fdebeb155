#include "flow/relay.h"

#include "flow/announce.h"
#include "room/kept.h"

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
    if (!lsig_room_reaches(sender->room, to)) {
        return false;
    }
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

// To those whom a hook has named instead.
static void
to_redirected(struct lsig_client *sender, const struct lsig_redirect *redirect, struct forms *forms)
{
    const struct lsig_room *room = sender->room;
    unsigned roles = redirect->kind == LSIG_REDIRECT_ROLES ? redirect->roles : LSIG_ROLES_ALL;
    if (redirect->kind != LSIG_REDIRECT_MEMBERS) {
        for (uint32_t i = 0; i < room->connection_count; i++) {
            struct lsig_connection *to = room->connections[i];
            if (to->member != sender->member && (roles & LSIG_ROLE_BIT(to->member->role)) != 0 &&
                lsig_room_reaches(room, to)) {
                deliver(sender->flow, forms, to);
            }
        }
        return;
    }
    struct lsig_span rest = lsig_buf_span(&redirect->ids);
    while (rest.len > 0) {
        struct lsig_span id = lsig_span_of(rest.data);
        const struct lsig_member *member = lsig_room_member(room, id);
        bool reached = member != NULL && !member->waiting;
        struct lsig_connection *at = reached ? member->connections : NULL;
        for (; at != NULL; at = at->next) {
            deliver(sender->flow, forms, at);
        }
        rest.data += id.len + 1;
        rest.len -= id.len + 1;
    }
}

static void
keep(const struct lsig_client *sender, const struct lsig_rule *rule, const struct lsig_frame *frame)
{
    struct lsig_kept_source source = {
        .type = frame->type,
        .user_id = frame->sender_id,
        .peer_id = frame->sender_peer_id,
        .timestamp = frame->timestamp,
        .payload = frame->payload,
    };
    lsig_kept_add(sender->room, rule->keep, rule->keep_max, &source);
}

static void to_route(struct lsig_client *sender,
                     const struct lsig_rule *rule,
                     const struct lsig_route *route,
                     struct forms *forms)
{
    if (route->everybody) {
        to_everybody(sender, rule, forms);
        return;
    }
    if (rule->one_connection && route->member != sender->member) {
        lsig_room_note_spoken(&sender->connection, route->member);
    }
    to_member(sender, rule, route, forms);
}

void lsig_relay(struct lsig_client *sender,
                const struct lsig_rule *rule,
                const struct lsig_envelope *envelope,
                const struct lsig_route *route,
                const struct lsig_hook_result *result)
{
    struct lsig_flow *flow = sender->flow;
    bool redirected = result != NULL && result->redirect.kind != LSIG_REDIRECT_NONE;
    flow->metrics->messages_relayed += 1;
    if (rule->to == LSIG_TO_SERVER && !redirected) {
        return;
    }
    struct forms forms = {
        .frame =
            {
                .type = lsig_span_of(rule->name),
                .payload = result != NULL && result->json.len > 0 ? lsig_buf_span(&result->json)
                                                                  : envelope->payload,
                .sender_id = lsig_span_of(sender->member->id),
                .sender_peer_id = {sender->connection.peer_id, LSIG_PEER_ID_SIZE - 1},
                .room_id = lsig_span_of(sender->room->id),
                .timestamp = envelope->timestamp.data != NULL ? envelope->timestamp
                                                              : lsig_span_of(flow->now_iso),
            },
    };
    lsig_announce_settle(flow, sender->member);
    if (redirected) {
        to_redirected(sender, &result->redirect, &forms);
    } else {
        to_route(sender, rule, route, &forms);
    }
    if (rule->keep != LSIG_KEEP_NONE && !redirected && route->everybody) {
        keep(sender, rule, &forms.frame);
    }
    for (int i = 0; i < LSIG_DIALECT_COUNT; i++) {
        lsig_body_unref(forms.bodies[i]);
    }
}
