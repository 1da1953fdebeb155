#include "script/lib_sig.h"

#include <lauxlib.h>
#include <lua.h>

#include "script/await.h"
#include "script/context.h"
#include "script/duration.h"
#include "script/lib_declare.h"
#include "script/lib_json.h"
#include "script/lib_log.h"
#include "script/lib_metric.h"
#include "script/lib_mongo.h"
#include "script/lib_random.h"
#include "script/lib_route.h"
#include "script/lib_schema.h"
#include "script/lib_state.h"
#include "script/lib_state_declare.h"
#include "script/lib_stats.h"
#include "script/lib_store.h"
#include "script/lib_test.h"
#include "script/lib_type.h"
#include "script/lib_verdict.h"
#include "script/sandbox.h"

// Waits; see await.h.
static int sig_sleep(lua_State *L)
{
    double ms = lsig_duration_read(L, 1);
    if (ms < 0) {
        return lsig_await_refuse(
            L, "sig.sleep: write a time like \"100ms\", \"2s\", \"5min\" or a number of seconds");
    }
    return lsig_await_sleep(L, "sig.sleep", ms);
}

// Unix seconds with a fraction.
static int sig_now(lua_State *L)
{
    const struct lsig_policy *policy = lsig_policy_of(L);
    lua_pushnumber(L, (double)lsig_script_now(policy->options).wall_ms / 1000);
    return 1;
}

static const luaL_Reg sig_functions[] = {{"now", sig_now}, {NULL, NULL}};

void lsig_lib_sig_push(lua_State *L)
{
    lua_newtable(L);
    luaL_register(L, NULL, sig_functions);
    lua_pushcfunction(L, sig_sleep);
    lsig_await_wrap(L);
    lua_setfield(L, -2, "sleep");
    lua_pushlightuserdata(L, NULL);
    lua_setfield(L, -2, "null");
    lsig_lib_declare_register(L);
    lsig_lib_verdict_register(L);
    lsig_lib_json_register(L);
    lsig_lib_log_register(L);
    lsig_lib_metric_register(L);
    lsig_lib_mongo_register(L);
    lsig_lib_random_register(L);
    lsig_lib_route_register(L);
    lsig_lib_schema_register(L);
    lsig_lib_state_declare_register(L);
    lsig_lib_state_register(L);
    lsig_lib_stats_register(L);
    lsig_lib_store_register(L);
    lsig_lib_test_register(L);
    lsig_lib_type_register(L);
    lsig_sandbox_protect_watched(L, "sig", &lsig_lib_verdict_watch);
}
