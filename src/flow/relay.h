// relay.h - one message to its receivers.
#pragma once

#include "codec/envelope.h"
#include "flow/gate.h"

void lsig_relay(struct lsig_client *sender,
                const struct lsig_rule *rule,
                const struct lsig_envelope *envelope,
                const struct lsig_route *route);
