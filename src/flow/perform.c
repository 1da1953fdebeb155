#include "flow/perform.h"

#include "flow/admit.h"
#include "flow/announce.h"
#include "flow/line.h"
#include "flow/survey.h"
#include "room/kept.h"

// One message in the forms of both dialects, each made when its first receiver is met.
struct message {
    struct lsig_flow *flow;
    struct lsig_frame frame;
    struct lsig_body *bodies[LSIG_DIALECT_COUNT];
};

static void deliver(struct message *message, struct lsig_connection *to)
{
    enum lsig_dialect dialect = (enum lsig_dialect)to->dialect;
    if (lsig_client_of(to)->state == LSIG_CLIENT_CLOSING) {
        return;
    }
    if (message->bodies[dialect] == NULL) {
        message->bodies[dialect] = lsig_frame_print(&message->frame, dialect);
    }
    message->flow->sink.send(lsig_client_of(to), message->bodies[dialect]);
}

static bool hears(const struct lsig_effect *effect, const struct lsig_connection *connection)
{
    const struct lsig_member *member = connection->member;
    return lsig_room_reaches(effect->room, connection) && member != effect->except &&
           (effect->roles == 0 || (effect->roles & LSIG_ROLE_BIT(member->role)) != 0);
}

static void keep(const struct lsig_flow *flow, const struct lsig_effect *effect)
{
    const struct lsig_rule *rule = lsig_script_rule(flow->script, lsig_span_of(effect->type));
    bool to_all = effect->member == NULL && effect->roles == 0 && effect->except == NULL;
    if (rule == NULL || rule->keep == LSIG_KEEP_NONE || !to_all) {
        return;
    }
    struct lsig_kept_source source = {
        .type = lsig_span_of(effect->type),
        .timestamp = lsig_span_of(flow->now_iso),
        .payload = lsig_span_of(effect->text),
    };
    if (effect->from != NULL) {
        source.user_id = lsig_span_of(effect->from->id);
    }
    lsig_kept_add(effect->room, rule->keep, rule->keep_max, &source);
}

static void perform_send(struct lsig_flow *flow, const struct lsig_effect *effect)
{
    struct message message = {
        .flow = flow,
        .frame =
            {
                .type = lsig_span_of(effect->type),
                .payload = lsig_span_of(effect->text),
                .room_id = lsig_span_of(effect->room->id),
                .timestamp = lsig_span_of(flow->now_iso),
            },
    };
    if (effect->from != NULL) {
        message.frame.sender_id = lsig_span_of(effect->from->id);
        if (effect->from->present) {
            lsig_announce_settle(flow, effect->from);
        }
    }
    if (effect->member != NULL) {
        for (struct lsig_connection *at = effect->member->connections; at != NULL; at = at->next) {
            deliver(&message, at);
        }
    } else {
        for (uint32_t i = 0; i < effect->room->connection_count; i++) {
            if (hears(effect, effect->room->connections[i])) {
                deliver(&message, effect->room->connections[i]);
            }
        }
    }
    keep(flow, effect);
    for (int i = 0; i < LSIG_DIALECT_COUNT; i++) {
        lsig_body_unref(message.bodies[i]);
    }
}

static void perform_end(const struct lsig_effect *effect)
{
    bool kicked = effect->close_code == lsig_status_close_code(LSIG_KICKED);
    enum lsig_status why = kicked ? LSIG_KICKED : LSIG_POLICY_DENIED;
    struct lsig_refusal refusal;
    if (effect->text[0] != '\0') {
        lsig_refuse_with(&refusal, why, "%s", effect->text);
    } else {
        lsig_refuse(&refusal, why);
    }
    refusal.close_code = effect->close_code;
    for (struct lsig_connection *at = effect->member->connections; at != NULL; at = at->next) {
        lsig_line_refuse(lsig_client_of(at), &refusal);
    }
}

static void perform(void *self, const struct lsig_effect *effect)
{
    struct lsig_flow *flow = self;
    switch (effect->kind) {
    case LSIG_EFFECT_SEND:
        perform_send(flow, effect);
        break;
    case LSIG_EFFECT_ROLE:
        if (effect->member->present && !effect->member->waiting) {
            lsig_announce_role(flow, effect->member, effect->text);
        }
        break;
    case LSIG_EFFECT_WAITING:
        lsig_admit_follow(flow, effect->member);
        break;
    case LSIG_EFFECT_END:
        perform_end(effect);
        break;
    }
}

void lsig_perform_install(struct lsig_flow *flow)
{
    struct lsig_performer performer = {perform, flow, &lsig_survey_of_flow};
    lsig_script_set_performer(flow->script, &performer);
}
