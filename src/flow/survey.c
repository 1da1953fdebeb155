#include "flow/survey.h"

#include <stdio.h>

#include "flow/door.h"
#include "flow/limits.h"

enum { CLIENTS_MAX = 100 }; // of one user, that are looked at

static void figures(void *self, struct lsig_survey_figures *out)
{
    const struct lsig_flow *flow = self;
    *out = (struct lsig_survey_figures){
        .connections = flow->connection_count,
        .away = flow->away_count,
        .messages_relayed = flow->metrics->messages_relayed,
        .uptime_ms = flow->now.mono_ms - flow->started_ms,
        .rooms = lsig_hub_room_count(flow->hub),
        .members = lsig_hub_member_count(flow->hub),
        .ranking = lsig_hub_ranking(flow->hub),
    };
}

static bool has_mongodb(void *self)
{
    const struct lsig_flow *flow = self;
    return flow->settings->mongodb_url[0] != '\0';
}

// --- rates

static struct lsig_survey_rate *
add(struct lsig_survey_rates *rates, const char *what, const struct lsig_rate_spec *spec)
{
    struct lsig_survey_rate *rate = &rates->items[rates->count++];
    *rate = (struct lsig_survey_rate){.spec = *spec, .remaining = spec->burst};
    snprintf(rate->rule, sizeof(rate->rule), "%.64s per %s", what,
             lsig_rate_scope_name(spec->scope));
    return rate;
}

// The least of what has been seen of it counts.
static void note(struct lsig_survey_rate *rate, const struct lsig_bucket *bucket, int64_t mono_ms)
{
    struct lsig_bucket_view view = lsig_bucket_look(bucket, &rate->spec, mono_ms);
    if (view.reset_ms >= rate->reset_ms) {
        rate->remaining = view.remaining;
        rate->retry_ms = view.retry_ms;
        rate->reset_ms = view.reset_ms;
    }
}

static void add_connections(const struct lsig_flow *flow,
                            struct lsig_span user_id,
                            struct lsig_survey_rates *rates)
{
    int64_t max = flow->settings->user_connections_max;
    if (max == 0) {
        return;
    }
    struct lsig_rate_spec spec = {.count = max, .burst = max, .scope = LSIG_PER_USER};
    struct lsig_survey_rate *rate = add(rates, "connections", &spec);
    int64_t left = max - lsig_door_connections(flow, user_id);
    rate->remaining = left > 0 ? left : 0;
}

static void add_messages(const struct lsig_flow *flow,
                         const struct lsig_client *clients,
                         struct lsig_survey_rates *rates)
{
    const struct lsig_rate_spec *spec = &flow->settings->message_rate;
    if (spec->count == 0) {
        return;
    }
    struct lsig_rate_spec own = *spec;
    own.scope = LSIG_PER_CONNECTION;
    struct lsig_survey_rate *rate = add(rates, "messages", &own);
    int seen = 0;
    for (const struct lsig_client *at = clients; at != NULL && seen < CLIENTS_MAX;
         at = at->user_next, seen++) {
        note(rate, lsig_limits_find(at, NULL), flow->now.mono_ms);
    }
}

static void add_rate(const struct lsig_flow *flow,
                     const struct lsig_client *clients,
                     struct lsig_span user_id,
                     const struct lsig_rule *rule,
                     const struct lsig_rule_rate *of,
                     struct lsig_survey_rates *rates)
{
    bool own = of->spec.scope == LSIG_PER_CONNECTION;
    if (of->spec.count == 0 || (own && flow->settings->message_rate.count == 0)) {
        return;
    }
    struct lsig_survey_rate *rate = add(rates, rule->name, &of->spec);
    if (of->spec.scope == LSIG_PER_USER) { // also while he is not here
        note(rate, lsig_limits_find_shared(flow, of, user_id), flow->now.mono_ms);
        return;
    }
    int seen = 0;
    for (const struct lsig_client *at = clients; at != NULL && seen < CLIENTS_MAX;
         at = at->user_next, seen++) {
        note(rate, lsig_limits_find(at, of), flow->now.mono_ms);
    }
}

static bool
rates(void *self, struct lsig_span user_id, struct lsig_span type, struct lsig_survey_rates *out)
{
    const struct lsig_flow *flow = self;
    const struct lsig_client *clients = lsig_door_clients(flow, user_id);
    const struct lsig_rule *rule = lsig_script_rule(flow->script, type);
    out->count = 0;
    if (rule == NULL && lsig_span_is(type, "connection")) {
        add_connections(flow, user_id, out);
        return true;
    }
    if (rule == NULL && !lsig_span_is(type, "message")) {
        return false;
    }
    if (rule == NULL || !rule->own_connection_rate) {
        add_messages(flow, clients, out);
    }
    for (size_t i = 0; rule != NULL && i < rule->rate_count; i++) {
        add_rate(flow, clients, user_id, rule, &rule->rates[i], out);
    }
    return true;
}

const struct lsig_survey lsig_survey_of_flow = {figures, has_mongodb, rates};
