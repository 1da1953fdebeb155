#include "script/lib_stats.h"

#include <lauxlib.h>
#include <lua.h>

#include "script/context.h"
#include "script/json_table.h"
#include "script/policy.h"
#include "script/survey.h"

// Raises where there is nobody to ask: at the top level of a file.
static const struct lsig_performer *check_asked(lua_State *L, const char *function)
{
    const struct lsig_policy *policy = lsig_policy_of(L);
    const struct lsig_script *script = policy->loading ? NULL : policy->script;
    if (script == NULL || script->performer.survey == NULL) {
        luaL_error(L, "%s is for hooks and routes: while files are loaded there is no server",
                   function);
        return NULL;
    }
    return &script->performer;
}

static void set_number(lua_State *L, const char *name, double number)
{
    lua_pushnumber(L, number);
    lua_setfield(L, -2, name);
}

static void push_sizes(lua_State *L, const struct lsig_ranking *ranking)
{
    lua_createtable(L, 0, LSIG_ROOM_SIZE_COUNT);
    for (int size = 0; size < LSIG_ROOM_SIZE_COUNT; size++) {
        set_number(L, lsig_ranking_size_name((enum lsig_room_size)size),
                   (double)ranking->by_size[size]);
    }
}

static void push_top(lua_State *L, const struct lsig_ranking *ranking)
{
    const struct lsig_room *top[LSIG_RANKING_TOP_MAX];
    size_t count = lsig_ranking_top(ranking, top);
    lua_createtable(L, (int)count, 0);
    for (size_t i = 0; i < count; i++) {
        lua_createtable(L, 0, 2);
        lua_pushstring(L, top[i]->id);
        lua_setfield(L, -2, "room_id");
        set_number(L, "members", top[i]->member_count);
        lua_rawseti(L, -2, (int)i + 1);
    }
    if (count == 0) {
        lsig_json_table_mark_array(L);
    }
}

// stats()
static int sig_stats(lua_State *L)
{
    struct lsig_survey_figures figures;
    const struct lsig_performer *performer = check_asked(L, "sig.stats");
    performer->survey->figures(performer->self, &figures);
    int64_t uptime_s = figures.uptime_ms / 1000;
    lua_createtable(L, 0, 8);
    set_number(L, "rooms", (double)figures.rooms);
    set_number(L, "members", (double)figures.members);
    set_number(L, "connections", (double)figures.connections);
    set_number(L, "away", (double)figures.away);
    set_number(L, "messages_relayed", (double)figures.messages_relayed);
    set_number(L, "uptime_seconds", (double)uptime_s);
    push_sizes(L, figures.ranking);
    lua_setfield(L, -2, "rooms_by_size");
    push_top(L, figures.ranking);
    lua_setfield(L, -2, "top_rooms");
    return 1;
}

// components()
static int sig_components(lua_State *L)
{
    const struct lsig_performer *performer = check_asked(L, "sig.components");
    const struct lsig_document_store *store = lsig_policy_of(L)->options->documents;
    bool alive = store == NULL || store->ping == NULL || store->ping(store->self) == LSIG_OK;
    bool own = !performer->survey->has_mongodb(performer->self);
    lua_createtable(L, 0, 2);
    lua_pushstring(L, !alive ? "unreachable" : own ? "embedded" : "connected");
    lua_setfield(L, -2, "mongodb");
    lua_pushliteral(L, "embedded"); // this version never asks one
    lua_setfield(L, -2, "redis");
    return 1;
}

// --- rates

static void set_rate(lua_State *L, const struct lsig_survey_rate *rate)
{
    lua_pushstring(L, rate->rule);
    lua_setfield(L, -2, "rule");
    lua_pushstring(L, lsig_rate_scope_name(rate->spec.scope));
    lua_setfield(L, -2, "per");
    set_number(L, "limit", (double)rate->spec.count);
    if (rate->spec.period_ms > 0) {
        set_number(L, "period", (double)rate->spec.period_ms / 1000);
    }
    set_number(L, "burst", (double)rate->spec.burst);
    set_number(L, "remaining", (double)rate->remaining);
    set_number(L, "retry_after", (double)rate->retry_ms / 1000);
    set_number(L, "reset_after", (double)rate->reset_ms / 1000);
}

// The one that holds up first: of those with the least left, the one that takes longest.
static const struct lsig_survey_rate *tightest(const struct lsig_survey_rates *rates)
{
    const struct lsig_survey_rate *best = &rates->items[0];
    for (size_t i = 1; i < rates->count; i++) {
        const struct lsig_survey_rate *rate = &rates->items[i];
        if (rate->remaining < best->remaining ||
            (rate->remaining == best->remaining && rate->retry_ms > best->retry_ms)) {
            best = rate;
        }
    }
    return best;
}

// rate(user_id, type)
static int sig_rate(lua_State *L)
{
    struct lsig_span user_id;
    struct lsig_span type;
    struct lsig_survey_rates rates;
    const struct lsig_performer *performer = check_asked(L, "sig.rate");
    user_id.data = luaL_checklstring(L, 1, &user_id.len);
    type.data = luaL_checklstring(L, 2, &type.len);
    if (!performer->survey->rates(performer->self, user_id, type, &rates)) {
        lua_pushnil(L);
        return 1;
    }
    lua_createtable(L, 0, 9);
    if (rates.count > 0) {
        set_rate(L, tightest(&rates));
    }
    lua_createtable(L, (int)rates.count, 0);
    for (size_t i = 0; i < rates.count; i++) {
        lua_createtable(L, 0, 8);
        set_rate(L, &rates.items[i]);
        lua_rawseti(L, -2, (int)i + 1);
    }
    if (rates.count == 0) {
        lsig_json_table_mark_array(L);
    }
    lua_setfield(L, -2, "rules");
    return 1;
}

static const luaL_Reg stats_functions[] = {
    {"stats", sig_stats}, {"components", sig_components}, {"rate", sig_rate}, {NULL, NULL}};

void lsig_lib_stats_register(lua_State *L)
{
    luaL_register(L, NULL, stats_functions);
}
