#include <lauxlib.h>
#include <lua.h>

#include "script/handle.h"
#include "script/hook.h"
#include "script/json_push.h"
#include "script/json_table.h"
#include "script/request.h"

enum { ANCHOR = 2 }; // where it stands on the stack of start_hook, behind its argument

// The handle of that kind that all hooks of the run share. The anchor stands at ANCHOR.
static void push_handle(
    lua_State *L, struct lsig_hook_run *run, int slot, enum lsig_userdata_kind kind, void *thing)
{
    if (lsig_run_is_anchored(run, slot)) {
        lua_rawgeti(L, ANCHOR, slot);
        return;
    }
    lsig_handle_push(L, kind, run, thing);
    lua_pushvalue(L, -1);
    lsig_run_set_anchored(L, run, ANCHOR, slot);
}

static void push_argument(lua_State *L, struct lsig_hook_run *run, char letter)
{
    const struct lsig_hook_event *event = &run->event;
    switch (letter) {
    case 'r':
        if (event->room != NULL) {
            push_handle(L, run, LSIG_ANCHOR_ROOM, LSIG_USERDATA_ROOM, event->room);
        } else {
            lua_pushnil(L);
        }
        break;
    case 'm':
        if (event->member != NULL) {
            push_handle(L, run, LSIG_ANCHOR_MEMBER, LSIG_USERDATA_MEMBER, event->member);
        } else {
            lua_pushnil(L);
        }
        break;
    case 'g':
        push_handle(L, run, LSIG_ANCHOR_MESSAGE, LSIG_USERDATA_MESSAGE, NULL);
        break;
    case 'q':
        if (event->request != NULL) {
            push_handle(L, run, LSIG_ANCHOR_REQUEST, LSIG_USERDATA_REQUEST, NULL);
        } else {
            lua_pushnil(L);
        }
        break;
    case 'c':
        lsig_json_push(L, event->json);
        break;
    case 't':
        lua_pushstring(L, event->text);
        break;
    case 'n':
        lua_pushnumber(L, event->number);
        break;
    case 'j':
        // What an earlier hook has made of it, where it has.
        lsig_json_push(L,
                       run->result.json.len > 0 ? lsig_buf_span(&run->result.json) : event->json);
        break;
    default:
        lsig_handle_push(L, LSIG_USERDATA_TEST, run, NULL);
    }
}

int lsig_hook_push_call(lua_State *L, struct lsig_hook_run *run)
{
    const char *letters = lsig_hook_kind_arguments(run->event.kind);
    luaL_checkstack(L, LSIG_JSON_TABLE_STACK, "hook");
    lsig_run_push_anchor(L, run);
    lua_rawgeti(L, LUA_REGISTRYINDEX, lsig_run_hook(run)->function);
    int count = 0;
    while (letters[count] != '\0') {
        push_argument(L, run, letters[count]);
        count++;
    }
    return count;
}
