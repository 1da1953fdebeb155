// gate.h - what is checked of a message before any hook or receiver sees it.
#pragma once

#include "codec/envelope.h"
#include "flow/flow.h"

// Who gets a message. Found at the gate, and again after a hook has waited.
struct lsig_route {
    bool everybody;                     // as the rule's `to` says
    struct lsig_member *member;         // else: all connections of this member …
    struct lsig_connection *connection; // … or this one alone
};

// The type is declared, clients may send it, the sender's role may, or he who waits. The rule is
// valid for this turn of the loop.
LSIG_MUST_USE enum lsig_status lsig_gate_check_type(const struct lsig_client *client,
                                                    const struct lsig_envelope *envelope,
                                                    const struct lsig_rule **rule,
                                                    struct lsig_refusal *refusal);
// The payload has the shape of its type: leniently in compat, strictly in lunasig.v1.
LSIG_MUST_USE enum lsig_status lsig_gate_check_payload(const struct lsig_client *client,
                                                       const struct lsig_rule *rule,
                                                       const struct lsig_envelope *envelope,
                                                       struct lsig_refusal *refusal);
// Where it goes (protocol section 4). LSIG_STILL_WAITING: to somebody who waits.
LSIG_MUST_USE enum lsig_status lsig_gate_find_route(const struct lsig_client *client,
                                                    const struct lsig_rule *rule,
                                                    struct lsig_span target,
                                                    struct lsig_route *route,
                                                    struct lsig_refusal *refusal);
