#include "script/lib_verdict.h"

#include <stdio.h>
#include <string.h>

#include <lauxlib.h>
#include <lua.h>

#include "script/args.h"
#include "script/hook.h"
#include "script/json_table.h"

enum { SEATS_MAX = 10000 };

static bool deny_code_ok(const char *code, size_t len)
{
    return len > 0 && len < LSIG_REFUSAL_CODE_SIZE && code[0] >= 'A' && code[0] <= 'Z' &&
           strspn(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == len;
}

// Details at index, if there are any, as a JSON object.
static void read_details(lua_State *L, int index, struct lsig_refusal *refusal)
{
    if (lua_isnoneornil(L, index)) {
        return;
    }
    luaL_checktype(L, index, LUA_TTABLE);
    luaL_checkstack(L, LSIG_JSON_TABLE_STACK, "sig.deny");
    struct lsig_buf json;
    lsig_buf_init(&json, LSIG_REFUSAL_DETAILS_SIZE - 1);
    const char *problem = lsig_json_table_print(L, index, &json);
    if (problem == NULL && (json.data == NULL || json.data[0] != '{')) {
        problem = "it is a list: name its fields";
    }
    if (problem == NULL && json.data != NULL) {
        snprintf(refusal->details, sizeof(refusal->details), "%s", json.data);
    }
    lsig_buf_clear(&json);
    if (problem != NULL) {
        luaL_error(L, "sig.deny: details: %s (at most %d bytes of JSON)", problem,
                   LSIG_REFUSAL_DETAILS_SIZE - 1);
    }
}

static void read_text(lua_State *L, int index, const char *function, struct lsig_refusal *refusal)
{
    size_t len;
    const char *text = luaL_optlstring(L, index, "", &len);
    if (len >= LSIG_REFUSAL_MESSAGE_SIZE) {
        luaL_error(L, "%s: the text has more than %d bytes", function,
                   LSIG_REFUSAL_MESSAGE_SIZE - 1);
    }
    if (len > 0) {
        snprintf(refusal->message, sizeof(refusal->message), "%s", text);
    }
}

// sig.deny(code [, text [, details]])
static int sig_deny(lua_State *L)
{
    size_t len;
    const char *code = luaL_checklstring(L, 1, &len);
    struct lsig_hook_run *run = lsig_hook_check_running(L, "sig.deny");
    if (!deny_code_ok(code, len)) {
        return luaL_error(
            L, "sig.deny: a code is like ROOM_LOCKED: capital letters, digits and _, at most %d",
            LSIG_REFUSAL_CODE_SIZE - 1);
    }
    struct lsig_refusal refusal;
    lsig_refuse(&refusal, LSIG_POLICY_DENIED);
    snprintf(refusal.code, sizeof(refusal.code), "%s", code);
    read_text(L, 2, "sig.deny", &refusal);
    read_details(L, 3, &refusal);
    return lsig_hook_push_denial(L, run, &refusal);
}

// sig.close(code [, text]): the connection is closed.
static int sig_close(lua_State *L)
{
    lua_Integer code = luaL_checkinteger(L, 1);
    struct lsig_hook_run *run = lsig_hook_check_running(L, "sig.close");
    if (code != 1000 && code != 1008 && (code < 4000 || code > 4999)) {
        return luaL_error(
            L, "sig.close: a code is 1000, 1008 or 4000 to 4999 (RFC 6455 section 7.4.2), not %d",
            (int)code);
    }
    struct lsig_refusal refusal;
    lsig_refuse(&refusal, LSIG_POLICY_DENIED);
    read_text(L, 2, "sig.close", &refusal);
    refusal.close_code = (int)code;
    return lsig_hook_push_denial(L, run, &refusal);
}

static int sig_handled(lua_State *L)
{
    lsig_hook_check_running(L, "sig.handled");
    return lsig_hook_push_verdict(L, LSIG_VERDICT_HANDLED);
}

static int sig_accept(lua_State *L)
{
    lsig_hook_check_running(L, "sig.accept");
    return lsig_hook_push_verdict(L, LSIG_VERDICT_ACCEPT);
}

// sig.seat { max = N }: in a join hook; the smallest of all policies holds.
static int sig_seat(lua_State *L)
{
    static const char *const known[] = {"max"};
    struct lsig_hook_run *run = lsig_hook_check_running(L, "sig.seat");
    luaL_checktype(L, 1, LUA_TTABLE);
    struct lsig_args args = {L, 1, "sig.seat"};
    lsig_args_check_names(&args, known, 1);
    double max = lsig_args_number(&args, "max", -1);
    if (run->event.kind != LSIG_HOOK_JOIN) {
        return luaL_error(L, "sig.seat: only in a join hook");
    }
    if (max < 0 || max > SEATS_MAX || max != (double)(uint32_t)max) {
        return luaL_error(L, "sig.seat: max is a whole number from 0 to %d", SEATS_MAX);
    }
    uint32_t seats = (uint32_t)max;
    if (!run->result.seat_said || seats < run->result.seat_max) {
        run->result.seat_said = true;
        run->result.seat_max = seats;
    }
    return 0;
}

static const luaL_Reg sig_functions[] = {{"deny", sig_deny},       {"close", sig_close},
                                         {"handled", sig_handled}, {"accept", sig_accept},
                                         {"seat", sig_seat},       {NULL, NULL}};

static const char *const watched[] = {"deny", "close", "handled", "accept"};

const struct lsig_sandbox_watch lsig_lib_verdict_watch = {
    watched, sizeof(watched) / sizeof(watched[0]), lsig_hook_note_verdict};

void lsig_lib_verdict_register(lua_State *L)
{
    luaL_register(L, NULL, sig_functions);
}
