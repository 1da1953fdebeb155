// send.h - messages of the server's own: room:send and member:send.
#pragma once

#include "script/hook.h"

enum { LSIG_SEND_PAYLOAD_MAX = 256 * 1024 };

// Stages a message to the room, or to one member: type and payload stand at first and first + 1 of
// the stack, options behind them. Raises.
int lsig_send_stage(struct lua_State *L,
                    struct lsig_hook_run *run,
                    struct lsig_room *room,
                    struct lsig_member *member,
                    int first);
// A set of LSIG_ROLE_BIT from `"host"` or a list of names at index. Raises.
unsigned lsig_send_read_roles(struct lua_State *L, int index, const char *function);
enum lsig_role lsig_send_read_role(struct lua_State *L, int index, const char *function);
