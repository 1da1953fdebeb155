#include "flow/limits.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "room/bucket.h"

enum {
    TOLD_AGAIN_MS = 1000,       // one `error` per rule and second
    FLOOD_PAUSE_MS = 1000,      // a pause this long and the count of a flood begins anew
    FLOOD_CLOSE_MS = 10 * 1000, // refused for so long: close
    BAD_FRAMES_MS = 60 * 1000,
    SHARED_BUCKETS_MAX = 65536,
    SHARED_KEY_SIZE = LSIG_USER_ID_MAX + 32,
};

struct meter {
    struct lsig_bucket bucket;
    int64_t told_ms; // when the client was last told
};

struct lsig_limits {
    struct meter bytes;
    struct meter messages;
    int64_t refused_since_ms;
    int64_t refused_last_ms;
    int64_t refused_count; // since refused_since_ms
    int64_t bad_since_ms;
    int64_t bad_count;
    uint32_t slot_count;
    struct meter *slots; // by lsig_rule_rate.slot: rates per connection, and when the client was
                         // told of the others
};

// A bucket that several connections share.
struct shared_bucket {
    struct lsig_bucket bucket;
    uint32_t key_len;
    char key[];
};

static struct lsig_limits *limits_of(struct lsig_client *client)
{
    if (client->limits == NULL) {
        client->limits = lsig_alloc(sizeof(*client->limits));
    }
    return client->limits;
}

void lsig_limits_free(struct lsig_limits *limits)
{
    if (limits == NULL) {
        return;
    }
    free(limits->slots);
    free(limits);
}

static struct meter *slot_meter(struct lsig_limits *limits, uint16_t slot)
{
    assert(slot < LSIG_RATE_SLOTS_MAX);
    if (slot >= limits->slot_count) {
        uint32_t count = (uint32_t)slot + 4;
        limits->slots = lsig_realloc(limits->slots, count * sizeof(limits->slots[0]));
        memset(&limits->slots[limits->slot_count], 0,
               (count - limits->slot_count) * sizeof(limits->slots[0]));
        limits->slot_count = count;
    }
    return &limits->slots[slot];
}

// The client exceeded a rule: says so once a second, and notes for how long this has been going on.
static enum lsig_status refuse_rate(struct lsig_client *client,
                                    struct meter *meter,
                                    int64_t retry_ms,
                                    struct lsig_refusal *refusal,
                                    bool *silent)
{
    struct lsig_limits *limits = client->limits;
    int64_t now_ms = client->flow->now.mono_ms;
    if (limits->refused_last_ms == 0 || now_ms - limits->refused_last_ms > FLOOD_PAUSE_MS) {
        limits->refused_since_ms = now_ms;
        limits->refused_count = 0;
    }
    limits->refused_last_ms = now_ms;
    limits->refused_count += 1;
    if (now_ms - limits->refused_since_ms >= FLOOD_CLOSE_MS) {
        *silent = false;
        return lsig_refuse(refusal, LSIG_FLOODING);
    }
    *silent = meter->told_ms != 0 && now_ms - meter->told_ms < TOLD_AGAIN_MS;
    if (!*silent) {
        meter->told_ms = now_ms;
    }
    int64_t tenths = (retry_ms + 99) / 100;
    lsig_refuse(refusal, LSIG_RATE_LIMIT_EXCEEDED);
    lsig_refusal_add_number(refusal, "retry_after", (double)tenths / 10.0);
    return LSIG_RATE_LIMIT_EXCEEDED;
}

static void
add_limit(struct lsig_refusal *refusal, const char *rule, const struct lsig_rate_spec *spec)
{
    lsig_refusal_add_text(refusal, "rule", rule);
    lsig_refusal_add_number(refusal, "limit", (double)spec->count);
    lsig_refusal_add_number(refusal, "period", (double)spec->period_ms / 1000.0);
    lsig_refusal_add_number(refusal, "burst", (double)spec->burst);
}

enum lsig_status lsig_limits_check_bytes(struct lsig_client *client,
                                         size_t bytes,
                                         struct lsig_refusal *refusal,
                                         bool *silent)
{
    const struct lsig_rate_spec *spec = &client->flow->settings->byte_rate;
    if (spec->count == 0) {
        return LSIG_OK;
    }
    struct meter *meter = &limits_of(client)->bytes;
    int64_t retry_ms;
    if (lsig_bucket_take(&meter->bucket, spec, (int64_t)bytes, client->flow->now.mono_ms,
                         &retry_ms)) {
        return LSIG_OK;
    }
    enum lsig_status status = refuse_rate(client, meter, retry_ms, refusal, silent);
    add_limit(refusal, "bytes per connection", spec);
    return status;
}

static struct lsig_span
shared_key(char key[SHARED_KEY_SIZE], const struct lsig_rule_rate *rate, struct lsig_span owner)
{
    int len = snprintf(key, SHARED_KEY_SIZE, "%u %d %.*s", rate->slot, (int)rate->spec.scope,
                       LSIG_SPAN_ARG(owner));
    return (struct lsig_span){key, len < SHARED_KEY_SIZE ? (size_t)len : SHARED_KEY_SIZE - 1};
}

static struct lsig_span owner_of(const struct lsig_client *client,
                                 const struct lsig_rule_rate *rate)
{
    return lsig_span_of(rate->spec.scope == LSIG_PER_USER ? client->member->id
                        : rate->spec.scope == LSIG_PER_IP ? client->address
                                                          : client->room->id);
}

static struct lsig_bucket *shared_bucket(struct lsig_client *client,
                                         const struct lsig_rule_rate *rate)
{
    struct lsig_flow *flow = client->flow;
    char key[SHARED_KEY_SIZE];
    struct lsig_span span = shared_key(key, rate, owner_of(client, rate));
    struct shared_bucket *shared = lsig_map_find(&flow->shared_buckets, span);
    if (shared == NULL) {
        if (flow->shared_buckets.count >= SHARED_BUCKETS_MAX) {
            return NULL; // the rates of single connections still hold
        }
        shared = lsig_alloc(sizeof(*shared) + span.len);
        shared->key_len = (uint32_t)span.len;
        memcpy(shared->key, span.data, span.len);
        lsig_map_add(&flow->shared_buckets, (struct lsig_span){shared->key, shared->key_len},
                     shared);
    }
    return &shared->bucket;
}

const struct lsig_bucket *lsig_limits_find_shared(const struct lsig_flow *flow,
                                                  const struct lsig_rule_rate *rate,
                                                  struct lsig_span owner)
{
    char key[SHARED_KEY_SIZE];
    const struct shared_bucket *shared =
        lsig_map_find(&flow->shared_buckets, shared_key(key, rate, owner));
    return shared != NULL ? &shared->bucket : NULL;
}

const struct lsig_bucket *lsig_limits_find(const struct lsig_client *client,
                                           const struct lsig_rule_rate *rate)
{
    const struct lsig_limits *limits = client->limits;
    if (rate != NULL && rate->spec.scope != LSIG_PER_CONNECTION) {
        return lsig_limits_find_shared(client->flow, rate, owner_of(client, rate));
    }
    if (limits == NULL) {
        return NULL;
    }
    if (rate == NULL) {
        return &limits->messages.bucket;
    }
    return rate->slot < limits->slot_count ? &limits->slots[rate->slot].bucket : NULL;
}

static enum lsig_status check_rate(struct lsig_client *client,
                                   const struct lsig_rule *rule,
                                   const struct lsig_rule_rate *rate,
                                   struct lsig_refusal *refusal,
                                   bool *silent)
{
    bool own = rate->spec.scope == LSIG_PER_CONNECTION;
    // 0 switches off what is counted per connection; what a policy counts otherwise stays.
    if (own && client->flow->settings->message_rate.count == 0) {
        return LSIG_OK;
    }
    struct meter *meter = slot_meter(limits_of(client), rate->slot);
    struct lsig_bucket *bucket = own ? &meter->bucket : shared_bucket(client, rate);
    int64_t retry_ms;
    if (bucket == NULL ||
        lsig_bucket_take(bucket, &rate->spec, 1, client->flow->now.mono_ms, &retry_ms)) {
        return LSIG_OK;
    }
    enum lsig_status status = refuse_rate(client, meter, retry_ms, refusal, silent);
    char name[96];
    snprintf(name, sizeof(name), "%.64s per %s", rule->name,
             lsig_rate_scope_name(rate->spec.scope));
    add_limit(refusal, name, &rate->spec);
    return status;
}

enum lsig_status lsig_limits_check_message(struct lsig_client *client,
                                           const struct lsig_rule *rule,
                                           struct lsig_refusal *refusal,
                                           bool *silent)
{
    const struct lsig_rate_spec *spec = &client->flow->settings->message_rate;
    if (spec->count > 0 && (rule == NULL || !rule->own_connection_rate)) {
        struct meter *meter = &limits_of(client)->messages;
        int64_t retry_ms;
        if (!lsig_bucket_take(&meter->bucket, spec, 1, client->flow->now.mono_ms, &retry_ms)) {
            enum lsig_status status = refuse_rate(client, meter, retry_ms, refusal, silent);
            add_limit(refusal, "messages per connection", spec);
            return status;
        }
    }
    for (size_t i = 0; rule != NULL && i < rule->rate_count; i++) {
        enum lsig_status status = check_rate(client, rule, &rule->rates[i], refusal, silent);
        if (status != LSIG_OK) {
            return status;
        }
    }
    return LSIG_OK;
}

int64_t lsig_limits_times(const struct lsig_client *client)
{
    return client->limits != NULL ? client->limits->refused_count : 0;
}

enum lsig_status lsig_limits_check_bad_frame(struct lsig_client *client)
{
    struct lsig_limits *limits = limits_of(client);
    int64_t now_ms = client->flow->now.mono_ms;
    if (limits->bad_count == 0 || now_ms - limits->bad_since_ms >= BAD_FRAMES_MS) {
        limits->bad_since_ms = now_ms;
        limits->bad_count = 0;
    }
    limits->bad_count += 1;
    return limits->bad_count >= client->flow->settings->bad_frames_max ? LSIG_TOO_MANY_BAD_FRAMES
                                                                       : LSIG_OK;
}

static void forget_shared(struct lsig_flow *flow, int64_t drained_before_us)
{
    // Removing while walking is not allowed: gather first, a part at a time.
    struct shared_bucket *drained[256];
    size_t count;
    do {
        count = 0;
        size_t cursor = 0;
        struct shared_bucket *at;
        while (count < sizeof(drained) / sizeof(drained[0]) &&
               (at = lsig_map_next(&flow->shared_buckets, &cursor)) != NULL) {
            if (at->bucket.full_until_us <= drained_before_us) {
                drained[count++] = at;
            }
        }
        for (size_t i = 0; i < count; i++) {
            lsig_map_remove(&flow->shared_buckets,
                            (struct lsig_span){drained[i]->key, drained[i]->key_len});
            free(drained[i]);
        }
    } while (count == sizeof(drained) / sizeof(drained[0]));
}

void lsig_limits_sweep(struct lsig_flow *flow)
{
    forget_shared(flow, flow->now.mono_ms * 1000);
}

void lsig_limits_clear(struct lsig_flow *flow)
{
    forget_shared(flow, INT64_MAX);
}
