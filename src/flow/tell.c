#include "flow/tell.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "codec/scan.h"
#include "flow/limits.h"
#include "flow/line.h"
#include "room/timers.h"

enum { RULE_NAME_SIZE = 128 };

struct lsig_tell_later {
    struct lsig_tell_later *next;
    enum lsig_hook_kind kind;
    struct lsig_member *member; // a reference
};

void lsig_tell_member(struct lsig_flow *flow, enum lsig_hook_kind kind, struct lsig_member *member)
{
    struct lsig_hook_event event = {.kind = kind, .member = member};
    lsig_script_tell(flow->script, &event);
}

void lsig_tell_later(struct lsig_flow *flow, enum lsig_hook_kind kind, struct lsig_member *member)
{
    if (!lsig_script_has_hooks(flow->script, kind)) {
        return;
    }
    struct lsig_tell_later *later = lsig_alloc(sizeof(*later));
    later->kind = kind;
    later->member = lsig_member_ref(member);
    *(flow->tell_last != NULL ? &flow->tell_last->next : &flow->tell_first) = later;
    flow->tell_last = later;
}

static struct lsig_tell_later *take_later(struct lsig_flow *flow)
{
    struct lsig_tell_later *later = flow->tell_first;
    flow->tell_first = later->next;
    flow->tell_last = later->next != NULL ? flow->tell_last : NULL;
    return later;
}

static void later_free(struct lsig_tell_later *later)
{
    lsig_member_unref(later->member);
    free(later);
}

void lsig_tell_due(struct lsig_flow *flow)
{
    const struct lsig_tell_later *last = flow->tell_last; // these hooks may bring about others
    bool more = last != NULL;
    while (more) {
        struct lsig_tell_later *later = take_later(flow);
        more = later != last;
        bool waits = later->kind == LSIG_HOOK_WAITING;
        if (later->member->present && later->member->waiting == waits) {
            lsig_tell_member(flow, later->kind, later->member);
        }
        later_free(later);
    }
}

void lsig_tell_forget(struct lsig_flow *flow)
{
    while (flow->tell_first != NULL) {
        later_free(take_later(flow));
    }
}

void lsig_tell_left(struct lsig_flow *flow, struct lsig_member *member, const char *reason)
{
    struct lsig_hook_event event = {.kind = LSIG_HOOK_LEAVE, .member = member, .text = reason};
    lsig_script_tell(flow->script, &event);
}

void lsig_tell_room(struct lsig_flow *flow, enum lsig_hook_kind kind, struct lsig_room *room)
{
    struct lsig_hook_event event = {.kind = kind, .room = room};
    lsig_script_tell(flow->script, &event);
}

void lsig_tell_token_expiring(struct lsig_client *client, int64_t seconds)
{
    struct lsig_hook_event event = {
        .kind = LSIG_HOOK_TOKEN_EXPIRING, .member = client->member, .number = (double)seconds};
    lsig_script_tell(client->flow->script, &event);
}

// The refusal's details name the rule.
static void read_rule(const struct lsig_refusal *refusal, char out[RULE_NAME_SIZE])
{
    size_t cursor = 0;
    size_t len = 0;
    struct lsig_span key;
    struct lsig_span value;
    while (lsig_scan_member(lsig_span_of(refusal->details), &cursor, &key, &value)) {
        if (lsig_span_is(key, "rule") && value.len >= 2) {
            struct lsig_span inside = {value.data + 1, value.len - 2};
            (void)lsig_scan_unescape(inside, out, RULE_NAME_SIZE - 1, &len);
        }
    }
    out[len] = '\0';
}

static void on_rate_hook_done(void *arg, enum lsig_status status, struct lsig_hook_result *result)
{
    struct lsig_client *client = arg;
    client->rate_run = NULL;
    if (status == LSIG_POLICY_DENIED) {
        lsig_line_refuse(client, &result->refusal);
    }
}

enum lsig_status lsig_tell_rate_exceeded(struct lsig_client *client, struct lsig_refusal *refusal)
{
    struct lsig_script *script = client->flow->script;
    if (!lsig_script_has_hooks(script, LSIG_HOOK_RATE_EXCEEDED) || client->rate_run != NULL ||
        client->member == NULL) {
        return LSIG_OK;
    }
    char rule[RULE_NAME_SIZE];
    read_rule(refusal, rule);
    struct lsig_hook_event event = {
        .kind = LSIG_HOOK_RATE_EXCEEDED,
        .member = client->member,
        .text = rule,
        .number = (double)lsig_limits_times(client),
    };
    struct lsig_hook_result result;
    lsig_hook_result_init(&result);
    enum lsig_status status =
        lsig_script_call(script, &event, &result, on_rate_hook_done, client, &client->rate_run);
    if (status != LSIG_WAITING) {
        client->rate_run = NULL;
    }
    if (status == LSIG_POLICY_DENIED) {
        *refusal = result.refusal;
    }
    lsig_hook_result_clear(&result);
    // A hook that fails changes nothing: the message is refused as it was.
    return status == LSIG_POLICY_DENIED ? status : LSIG_OK;
}

void lsig_tell_drop(struct lsig_client *client)
{
    if (client->rate_run != NULL) {
        lsig_script_drop(client->rate_run);
        client->rate_run = NULL;
    }
}

void lsig_tell_timers(struct lsig_flow *flow)
{
    struct lsig_timer *timer;
    for (int i = 0; i < LSIG_TELL_TIMERS; i++) {
        timer = lsig_timer_take_due(flow->hub, flow->now.mono_ms);
        if (timer == NULL) {
            return;
        }
        struct lsig_hook_event event = {
            .kind = LSIG_HOOK_TIMER, .room = timer->room, .text = timer->name};
        if (timer->arg != NULL) {
            event.json = lsig_span_of(timer->arg);
        }
        lsig_script_tell(flow->script, &event);
        lsig_timer_free(timer);
    }
}
