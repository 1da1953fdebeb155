#include "flow/gate.h"

#include <stdio.h>

// Whatever the role of one who waits: he sends what is declared for those who wait.
static enum lsig_status check_waiting(const struct lsig_rule *rule, struct lsig_refusal *refusal)
{
    if ((rule->from & LSIG_WAITING_BIT) != 0) {
        return LSIG_OK;
    }
    lsig_refuse(refusal, LSIG_STILL_WAITING);
    lsig_refusal_add_text(refusal, "type", rule->name);
    return LSIG_STILL_WAITING;
}

enum lsig_status lsig_gate_check_type(const struct lsig_client *client,
                                      const struct lsig_envelope *envelope,
                                      const struct lsig_rule **rule,
                                      struct lsig_refusal *refusal)
{
    *rule = lsig_script_rule(client->flow->script, envelope->type);
    if (*rule == NULL) {
        return lsig_refuse(refusal, LSIG_UNKNOWN_TYPE);
    }
    if ((*rule)->from == 0) {
        lsig_refuse(refusal, LSIG_FORBIDDEN_TYPE);
        lsig_refusal_add_text(refusal, "type", (*rule)->name);
        return LSIG_FORBIDDEN_TYPE;
    }
    if (client->member->waiting) {
        return check_waiting(*rule, refusal);
    }
    if (((*rule)->from & LSIG_ROLE_BIT(client->member->role)) == 0) {
        lsig_refuse(refusal, LSIG_PERMISSION_DENIED);
        lsig_refusal_add_text(refusal, "type", (*rule)->name);
        lsig_refusal_add_text(refusal, "role",
                              lsig_role_name((enum lsig_role)client->member->role));
        return LSIG_PERMISSION_DENIED;
    }
    return LSIG_OK;
}

enum lsig_status lsig_gate_check_payload(const struct lsig_client *client,
                                         const struct lsig_rule *rule,
                                         const struct lsig_envelope *envelope,
                                         struct lsig_refusal *refusal)
{
    if (rule->payload == NULL) {
        return LSIG_OK;
    }
    bool strict = client->connection.dialect == LSIG_V1;
    return lsig_schema_check(rule->payload, envelope->payload, strict, refusal);
}

static enum lsig_status absent_target(const struct lsig_client *client,
                                      const struct lsig_rule *rule,
                                      struct lsig_span target,
                                      struct lsig_route *route,
                                      struct lsig_refusal *refusal)
{
    // Clients of the original name targets that are no members and rely on everybody being told.
    bool broadcast = client->connection.dialect == LSIG_COMPAT && rule->absent_broadcasts &&
                     !lsig_room_is_former(client->room, target);
    if (broadcast) {
        route->everybody = true;
        return LSIG_OK;
    }
    char name[LSIG_TARGET_MAX + 1];
    snprintf(name, sizeof(name), "%.*s", LSIG_SPAN_ARG(target));
    lsig_refuse(refusal, LSIG_TARGET_NOT_FOUND);
    lsig_refusal_add_text(refusal, "target", name);
    return LSIG_TARGET_NOT_FOUND;
}

// Nothing goes to a member who waits, whoever names him or his connection.
static enum lsig_status check_let_in(const struct lsig_route *route, struct lsig_refusal *refusal)
{
    if (!route->member->waiting) {
        return LSIG_OK;
    }
    lsig_refuse_with(refusal, LSIG_STILL_WAITING, "who this is for has not been let in yet");
    lsig_refusal_add_text(refusal, "user_id", route->member->id);
    return LSIG_STILL_WAITING;
}

enum lsig_status lsig_gate_find_route(const struct lsig_client *client,
                                      const struct lsig_rule *rule,
                                      struct lsig_span target,
                                      struct lsig_route *route,
                                      struct lsig_refusal *refusal)
{
    *route = (struct lsig_route){0};
    if (target.data == NULL || rule->to == LSIG_TO_ROLES || rule->to == LSIG_TO_SERVER) {
        if (rule->to == LSIG_TO_TARGET) {
            return lsig_refuse_with(refusal, LSIG_INVALID_MESSAGE, "%s needs a target", rule->name);
        }
        route->everybody = true;
        return LSIG_OK;
    }
    bool v1 = client->connection.dialect == LSIG_V1;
    // A peer first: its id is random, while a user may choose a name that looks like one.
    if (v1) {
        route->connection = lsig_room_peer(client->room, target);
        if (route->connection != NULL) {
            route->member = route->connection->member;
            return check_let_in(route, refusal);
        }
    }
    route->member = lsig_room_member(client->room, target);
    if (route->member == NULL) {
        return absent_target(client, rule, target, route, refusal);
    }
    if (!v1 && rule->one_connection) {
        route->connection = lsig_room_spoken_to(route->member, client->member);
    }
    return check_let_in(route, refusal);
}
