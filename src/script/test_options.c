#include "script/test_options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <lauxlib.h>
#include <lua.h>

#include "base/alloc.h"
#include "codec/settings.h"
#include "script/args.h"

enum { NOTES_MAX = 16 * 1024, PROBLEM_SIZE = 400, DATE_SIZE = 32 };

// What the machine of a bundle is made with once, for all of its tests.
static const char *const of_machine[] = {
    "POLICY_DIR",           "LUA_DIR",
    "POLICY_CPU_MS",        "POLICY_WAIT_MS",
    "POLICY_MEMORY_MB",     "POLICY_HOOKS_WAITING_MAX",
    "POLICY_EFFECTS_MAX",   "POLICY_ATTR_BYTES",
    "POLICY_DATA_BYTES",    "POLICY_WATCH",
    "POLICY_VERSIONS_KEPT", "POLICY_ROLLBACK_ERRORS",
    "POLICY_SKIP_TESTS",    "POLICY_TEST_S",
};

// --- settings

static void check_key(lua_State *L, const char *what, const char *key)
{
    const char *nearest;
    if (!lsig_settings_knows(key, &nearest)) {
        luaL_error(L, "%s: settings: there is no setting %s%s%s%s", what, key,
                   nearest != NULL ? "; did you mean " : "", nearest != NULL ? nearest : "",
                   nearest != NULL ? "?" : "");
    }
    for (size_t i = 0; i < sizeof(of_machine) / sizeof(of_machine[0]); i++) {
        if (strcmp(of_machine[i], key) == 0) {
            luaL_error(L,
                       "%s: settings: %s holds for all tests of a bundle: sig.limits sets what a "
                       "policy may use",
                       what, key);
        }
    }
}

// The value on top of the stack as a settings file would have it; in its place.
static const char *print_value(lua_State *L, const char *what, const char *key)
{
    if (lua_isboolean(L, -1)) {
        return lua_toboolean(L, -1) ? "on" : "off";
    }
    if (lua_type(L, -1) != LUA_TSTRING && lua_type(L, -1) != LUA_TNUMBER) {
        luaL_error(L, "%s: settings: %s is a text, a number or a boolean, not a %s", what, key,
                   luaL_typename(L, -1));
    }
    size_t len;
    const char *value = lua_tolstring(L, -1, &len);
    if (strlen(value) != len) {
        luaL_error(L, "%s: settings: %s has a zero byte", what, key);
    }
    return value;
}

// Leaves the values on the stack, so that they stay; returns how many there are.
static size_t read_overrides(lua_State *L,
                             int table,
                             const char *what,
                             struct lsig_setting_override overrides[LSIG_TEST_SETTINGS_MAX])
{
    size_t count = 0;
    luaL_checkstack(L, LSIG_TEST_SETTINGS_MAX + 4, what);
    lua_pushnil(L);                   // [key]
    while (lua_next(L, table) != 0) { // [key, value]
        if (lua_type(L, -2) != LUA_TSTRING) {
            luaL_error(L, "%s: settings: write them as NAME = value", what);
        }
        if (count == LSIG_TEST_SETTINGS_MAX) {
            luaL_error(L, "%s: settings: more than %d", what, LSIG_TEST_SETTINGS_MAX);
        }
        const char *key = lua_tostring(L, -2);
        check_key(L, what, key);
        overrides[count++] =
            (struct lsig_setting_override){key, print_value(L, what, key), "settings"};
        lua_insert(L, -2); // [value, key]
    }
    return count;
}

// NULL: *problem says why, which is one line.
static struct lsig_settings *load_settings(const struct lsig_setting_override *overrides,
                                           size_t count,
                                           char problem[PROBLEM_SIZE])
{
    char *environment[] = {NULL};
    struct lsig_settings_sources sources = {
        .no_files = true,
        .environment = environment,
        .overrides = overrides,
        .override_count = count,
    };
    struct lsig_settings *settings = lsig_alloc(sizeof(*settings));
    struct lsig_buf notes;
    lsig_buf_init(&notes, NOTES_MAX);
    if (lsig_settings_load(settings, &sources, &notes) != LSIG_OK) {
        const char *text = lsig_buf_span(&notes).data;
        snprintf(problem, PROBLEM_SIZE, "%.*s", (int)strcspn(text, "\n"), text);
        lsig_settings_clear(settings);
        free(settings);
        settings = NULL;
    }
    lsig_buf_clear(&notes);
    return settings;
}

// Nothing raises behind it: the settings are the caller's.
static struct lsig_settings *read_settings(lua_State *L, int table, const char *what)
{
    struct lsig_setting_override overrides[LSIG_TEST_SETTINGS_MAX];
    char problem[PROBLEM_SIZE];
    int top = lua_gettop(L);
    lua_getfield(L, table, "settings");
    if (lua_isnil(L, -1)) {
        lua_settop(L, top);
        return NULL;
    }
    if (!lua_istable(L, -1)) {
        luaL_error(L, "%s: settings is a table { NAME = value }, not a %s", what,
                   luaL_typename(L, -1));
    }
    size_t count = read_overrides(L, lua_gettop(L), what, overrides);
    struct lsig_settings *settings = load_settings(overrides, count, problem);
    if (settings == NULL) {
        luaL_error(L, "%s: %s", what, problem);
    }
    lua_settop(L, top);
    return settings;
}

// --- the others

// 0: it is not said.
static int64_t read_date(const struct lsig_args *args)
{
    static const char form[] = "%Y-%m-%dT%H:%M:%SZ";
    struct lsig_span text = lsig_args_text(args, "date");
    if (text.data == NULL) {
        return 0;
    }
    char again[DATE_SIZE] = "";
    struct tm parts = {0};
    const char *end = strptime(text.data, form, &parts);
    time_t seconds = end != NULL && *end == '\0' ? timegm(&parts) : 0;
    if (seconds > 0) {
        strftime(again, sizeof(again), form, &parts);
    }
    // What does not come out as it went in is no date: the 30th of February, or spaces.
    if (strcmp(again, text.data) != 0 || strlen(again) != text.len || parts.tm_year >= 200) {
        luaL_error(args->L,
                   "%s: date is a time in UTC like \"2026-03-01T09:00:00Z\", from 1970 to 2099",
                   args->what);
    }
    return (int64_t)seconds * 1000;
}

static bool read_seed(const struct lsig_args *args, uint32_t *seed)
{
    double number = lsig_args_number(args, "seed", -1);
    lua_getfield(args->L, args->table, "seed");
    bool given = !lua_isnil(args->L, -1);
    lua_pop(args->L, 1);
    if (given && (number < 0 || number > UINT32_MAX || number != (double)(uint32_t)number)) {
        luaL_error(args->L, "%s: seed is a whole number from 0 to 4294967295", args->what);
    }
    *seed = given ? (uint32_t)number : 0;
    return given;
}

struct lsig_test_options *lsig_test_options_read(lua_State *L, int table, const char *what)
{
    static const char *const names[] = {"date", "seed", "settings", "slow", "virtual"};
    struct lsig_args args = {L, table, what};
    struct lsig_test_options read = {.slow = false};
    lsig_args_check_names(&args, names, sizeof(names) / sizeof(names[0]));
    read.slow = lsig_args_boolean(&args, "slow", false);
    read.is_virtual = lsig_args_boolean(&args, "virtual", false);
    read.date_ms = read_date(&args);
    read.seeded = read_seed(&args, &read.seed);
    read.settings = read_settings(L, table, what); // last: nothing raises any more
    struct lsig_test_options *options = lsig_alloc(sizeof(*options));
    *options = read;
    return options;
}

void lsig_test_options_free(struct lsig_test_options *options)
{
    if (options == NULL) {
        return;
    }
    if (options->settings != NULL) {
        lsig_settings_clear(options->settings);
        free(options->settings);
    }
    free(options);
}
