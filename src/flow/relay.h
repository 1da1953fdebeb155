// relay.h - one message to its receivers.
#pragma once

#include "codec/envelope.h"
#include "flow/gate.h"

// To where the route says, with the client's own payload, unless hooks have put others in their
// place (result: NULL, or what they left). The room keeps it if its type says so and everybody was
// to have it.
void lsig_relay(struct lsig_client *sender,
                const struct lsig_rule *rule,
                const struct lsig_envelope *envelope,
                const struct lsig_route *route,
                const struct lsig_hook_result *result);
