// dispatch.h - the hooks of a message, and the wait of one.
#pragma once

#include "codec/envelope.h"
#include "flow/gate.h"

// A message whose hook waits: its bytes are kept, since the socket's buffer is used again
// meanwhile.
struct lsig_message {
    char *bytes;
    struct lsig_envelope envelope; // points into bytes
};

// Asks the hooks of the message's type. LSIG_OK: go on. LSIG_WAITING: client->run and
// client->message are set, and lsig_line_on_verdict comes later. Anything else is the end of the
// message, with result's refusal filled. result is initialised, and the caller's.
LSIG_MUST_USE enum lsig_status lsig_dispatch(struct lsig_client *client,
                                             const struct lsig_rule *rule,
                                             const struct lsig_envelope *envelope,
                                             struct lsig_hook_result *result);
void lsig_dispatch_drop(
    struct lsig_client *client); // the client has gone: its waiting hook goes on without it
