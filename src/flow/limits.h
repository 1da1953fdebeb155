// limits.h - how much a client may send: bytes, messages, rates of message types, bad frames.
#pragma once

#include "flow/flow.h"
#include "room/bucket.h"

// Each check answers LSIG_OK or LSIG_RATE_LIMIT_EXCEEDED with the refusal filled (rule and
// retry_after); LSIG_FLOODING when refusals have gone on for ten seconds without a pause of one
// second. *silent: the client has been told of this rule within this second.
LSIG_MUST_USE enum lsig_status lsig_limits_check_bytes(struct lsig_client *client,
                                                       size_t bytes,
                                                       struct lsig_refusal *refusal,
                                                       bool *silent);
LSIG_MUST_USE enum lsig_status lsig_limits_check_message(struct lsig_client *client,
                                                         const struct lsig_rule *rule,
                                                         struct lsig_refusal *refusal,
                                                         bool *silent);
// How many messages in a row were refused for a rate, without a pause of one second.
int64_t lsig_limits_times(const struct lsig_client *client);
// Counts a bad frame: LSIG_OK, or LSIG_TOO_MANY_BAD_FRAMES with the last one of a minute
// (WEBSOCKET_BAD_FRAMES).
LSIG_MUST_USE enum lsig_status lsig_limits_check_bad_frame(struct lsig_client *client);
// Where the client's messages are counted by one of the rates of a type; rate NULL: all of them.
// NULL: nothing has been counted there.
const struct lsig_bucket *lsig_limits_find(const struct lsig_client *client,
                                           const struct lsig_rule_rate *rate);
// The same by the name of a user, an address or a room, as the rate's scope says.
const struct lsig_bucket *lsig_limits_find_shared(const struct lsig_flow *flow,
                                                  const struct lsig_rule_rate *rate,
                                                  struct lsig_span owner);
void lsig_limits_free(struct lsig_limits *limits); // NULL is fine
void lsig_limits_sweep(
    struct lsig_flow *flow); // forgets buckets of users, addresses and rooms that are empty again
void lsig_limits_clear(struct lsig_flow *flow); // all of them
