// operate_view.h - what operators see of rooms: JSON objects. Names, roles and numbers; never
// tokens, messages or credentials, and addresses only where they are asked for.
#pragma once

#include "base/buf.h"
#include "flow/flow.h"

// {"rooms":[{"room_id","members","connections","away","revision"}],"count"}: the largest first, at
// most `limit`; count is of all rooms with members.
void lsig_operate_print_rooms(struct lsig_buf *out, const struct lsig_flow *flow, size_t limit);
// {"room_id","revision","member_count","connection_count","members":[MEMBER]}, longest present
// first, at most `limit`. MEMBER is {"user_id","username","role","joined_at","away","connections":
// [{"peer_id","dialect","away","join_seq"}]}, with "address" (null: away) where asked for.
void lsig_operate_print_room(struct lsig_buf *out,
                             const struct lsig_room *room,
                             size_t limit,
                             bool addresses);
// {"user_id","rooms":[{"room_id", and what a MEMBER has}]}. False, nothing printed: in no room.
bool lsig_operate_print_user(struct lsig_buf *out,
                             const struct lsig_flow *flow,
                             struct lsig_span user_id,
                             bool addresses);
