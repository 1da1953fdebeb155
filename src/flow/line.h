// line.h - the way of one message: envelope, limits, gate, dispatch, relay; and the one place where
// a refusal becomes an `error` frame or a close.
#pragma once

#include "flow/gate.h"

// A whole text frame has come. Frames of a client whose hook waits are queued
// (LSIG_CLIENT_QUEUE_MAX, then reading stops).
void lsig_line_on_frame(struct lsig_client *client, struct lsig_span frame);
// The hooks of client->message have ended.
void lsig_line_on_verdict(struct lsig_client *client,
                          enum lsig_status status,
                          const struct lsig_hook_result *result);
// Works off what was queued; called when the client no longer waits. After LSIG_CLIENT_RESUME_BYTES
// the rest waits for the next turn of the loop, so that receivers are not flooded within one.
void lsig_line_resume(struct lsig_client *client);
void lsig_line_resume_due(struct lsig_flow *flow); // those whose rest waited
// Frees what is queued; the client has gone.
void lsig_line_forget(struct lsig_client *client);
// Tells the client: an `error` frame, and a close if the refusal has a close code.
void lsig_line_refuse(struct lsig_client *client, const struct lsig_refusal *refusal);
