// timeline_view.h - a room's timeline as a JSON object, for operators.
#pragma once

#include "base/buf.h"
#include "flow/timeline.h"

// {"room_id","time_ms","members","policy_version","lost","entries":[ENTRY],"pairs":[PAIR]}: lost
// counts older entries that were overwritten; time_ms is now (unix milliseconds).
// ENTRY, the oldest first: {"at","time_ms","event"} and where there is one "user_id", "target",
// "type", "renegotiation", "role", "reason", "count" with "span_ms", and of what was refused or
// handled "code", "message", "where", "version". event: as in observer.h, or "handled". "to" is
// "server" or "role:host,…" where a message without a target is not for everybody.
// PAIR: {"from","to" (null: everybody),"offers","answers","candidates_sent",
// "candidates_received"} and where there is one "first" and "last" (of several offers), each
// {"at","time_ms","answer_ms"}, "unanswered_ms" of the last offer, "answers_without_offer",
// "left": true.
void lsig_timeline_print(struct lsig_buf *out,
                         const struct lsig_flow *flow,
                         const struct lsig_timeline *timeline);
