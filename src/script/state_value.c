#include "script/state_value.h"

#include <stdio.h>
#include <string.h>

#include <lauxlib.h>
#include <lua.h>

#include "codec/json.h"
#include "codec/schema.h"
#include "codec/utf8.h"
#include "room/state.h"
#include "script/json_push.h"
#include "script/json_table.h"

#define ROOT "payload" // what a schema calls the outermost value

void lsig_state_value_push(lua_State *L, struct lsig_span json)
{
    if (json.data[0] == 'n') {
        lua_pushlightuserdata(L, NULL);
    } else {
        lsig_json_push(L, json);
    }
}

// The refusal's text with the schema's name of the outermost value taken away.
static bool check_schema(const struct lsig_schema *schema,
                         struct lsig_span json,
                         char problem[LSIG_STATE_PROBLEM_SIZE])
{
    struct lsig_refusal refusal;
    if (schema == NULL || lsig_schema_check(schema, json, true, &refusal) == LSIG_OK) {
        return true;
    }
    const char *text = refusal.message;
    bool named = strncmp(text, ROOT, strlen(ROOT)) == 0;
    snprintf(problem, LSIG_STATE_PROBLEM_SIZE, "%s%.*s", named ? "" : ": ",
             LSIG_REFUSAL_MESSAGE_SIZE - 1, named ? text + strlen(ROOT) : text);
    return false;
}

bool lsig_state_value_print(lua_State *L,
                            int index,
                            const struct lsig_schema *schema,
                            struct lsig_buf *buf,
                            char problem[LSIG_STATE_PROBLEM_SIZE])
{
    const char *text =
        lua_isnoneornil(L, index) ? "a value is missing" : lsig_json_table_print(L, index, buf);
    if (text == NULL) {
        return check_schema(schema, lsig_buf_span(buf), problem);
    }
    snprintf(problem, LSIG_STATE_PROBLEM_SIZE, ": %s", text);
    if (lua_type(L, index) == LUA_TUSERDATA) {
        snprintf(problem, LSIG_STATE_PROBLEM_SIZE,
                 ": a handle cannot be kept: give its id, or what :copy() gives");
    }
    return false;
}

static const char *key_problem(struct lsig_span key)
{
    if (key.len == 0 || key.len > LSIG_STATE_KEY_MAX) {
        return "a key has 1 to 256 bytes";
    }
    const char *end = key.data + key.len;
    for (const char *at = key.data; at < end;) {
        size_t len = lsig_utf8_len(at, end);
        if (len == 0 || *at == '\0') {
            return "a key is UTF-8 text without NUL";
        }
        at += len;
    }
    return NULL;
}

bool lsig_state_value_read_key(lua_State *L,
                               int index,
                               const struct lsig_schema *schema,
                               struct lsig_span *key,
                               char problem[LSIG_STATE_PROBLEM_SIZE])
{
    enum { JSON_MAX = 6 * LSIG_STATE_KEY_MAX + 2 }; // each byte may become \u0000
    if (lua_type(L, index) != LUA_TSTRING) {
        bool number = lua_type(L, index) == LUA_TNUMBER;
        snprintf(problem, LSIG_STATE_PROBLEM_SIZE, ": a key is a text, not a %s%s",
                 luaL_typename(L, index), number ? " (write tostring(…))" : "");
        return false;
    }
    key->data = lua_tolstring(L, index, &key->len);
    const char *text = key_problem(*key);
    if (text != NULL) {
        snprintf(problem, LSIG_STATE_PROBLEM_SIZE, ": %s", text);
        return false;
    }
    if (schema == NULL) {
        return true;
    }
    struct lsig_buf json;
    lsig_buf_init(&json, JSON_MAX);
    lsig_json_text(&json, NULL, *key);
    bool fits = check_schema(schema, lsig_buf_span(&json), problem);
    lsig_buf_clear(&json);
    return fits;
}
