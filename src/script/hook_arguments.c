#include <lauxlib.h>
#include <lua.h>

#include "script/handle.h"
#include "script/hook.h"
#include "script/json_push.h"
#include "script/json_table.h"
#include "script/request.h"

// The handle of that kind that all hooks of the run share.
static void push_handle(
    lua_State *L, struct lsig_hook_run *run, int anchor, enum lsig_userdata_kind kind, void *thing)
{
    lsig_run_push_anchor(L, run); // [anchor]
    lua_rawgeti(L, -1, anchor);
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        lsig_handle_push(L, kind, run, thing);
        lua_pushvalue(L, -1);
        lua_rawseti(L, -3, anchor);
    }
    lua_remove(L, -2);
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
    lua_rawgeti(L, LUA_REGISTRYINDEX, lsig_run_hook(run)->function);
    int count = 0;
    while (letters[count] != '\0') {
        push_argument(L, run, letters[count]);
        count++;
    }
    return count;
}
