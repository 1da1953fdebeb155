#include "script/lib_type.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>
#include <lua.h>

#include "base/alloc.h"
#include "codec/envelope.h"
#include "script/args.h"
#include "script/lib_schema.h"
#include "script/policy.h"
#include "script/sandbox.h"

enum { WHAT_SIZE = LSIG_TYPE_MAX + 32 };

static const char *const field_names[] = {"from", "to",    "absent",     "payload",
                                          "rate", "alias", "connection", "keep"};

bool lsig_lib_type_name_ok(struct lsig_span name)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.:";
    return name.len > 0 && name.len <= LSIG_TYPE_MAX && strlen(name.data) == name.len &&
           strspn(name.data, letters) == name.len;
}

static struct lsig_span check_type_name(lua_State *L, int index, const char *function)
{
    struct lsig_span name;
    name.data = luaL_checklstring(L, index, &name.len);
    if (!lsig_lib_type_name_ok(name)) {
        luaL_error(L, "%s: a type has 1 to %d letters, digits and _ - . :", function,
                   LSIG_TYPE_MAX);
    }
    return name;
}

void lsig_lib_type_free(struct lsig_policy_type *type)
{
    for (size_t i = 0; i < type->alias_count; i++) {
        free(type->aliases[i]);
    }
    free(type->aliases);
    free(type->hooks.items);
    lsig_schema_free(type->rule.payload);
    free(type->rule.name);
    free(type->where);
    free(type);
}

static unsigned role_bit(const struct lsig_args *args, const char *field, struct lsig_span name)
{
    static const char *const names[] = {"host", "moderator", "participant", "observer"};
    char what[WHAT_SIZE + 16];
    enum lsig_role role;
    if (lsig_role_parse(&role, name)) {
        return LSIG_ROLE_BIT(role);
    }
    snprintf(what, sizeof(what), "%s: %s", args->what, field);
    return (unsigned)lsig_args_unknown(args->L, what, name.data, names,
                                       sizeof(names) / sizeof(names[0]));
}

static void read_from(struct lsig_rule *rule, const struct lsig_args *args)
{
    lua_State *L = args->L;
    int count = lsig_args_push_texts(args, "from");
    if (count < 0) {
        return;
    }
    unsigned from = 0;
    for (int i = 1; i <= count; i++) {
        struct lsig_span name = lsig_args_text_of(L, i);
        if (lsig_span_is(name, "server")) {
            if (count > 1) {
                luaL_error(L, "%s: from is roles and \"waiting\", or \"server\" alone", args->what);
            }
            break;
        }
        from |= lsig_span_is(name, "waiting") ? LSIG_WAITING_BIT : role_bit(args, "from", name);
    }
    rule->from = from;
    lua_pop(L, 1);
}

static void read_to(struct lsig_rule *rule, const struct lsig_args *args)
{
    static const struct {
        const char *name;
        enum lsig_to to;
    } words[] = {{"room", LSIG_TO_ROOM},
                 {"others", LSIG_TO_OTHERS},
                 {"target", LSIG_TO_TARGET},
                 {"server", LSIG_TO_SERVER}};
    lua_State *L = args->L;
    int count = lsig_args_push_texts(args, "to");
    if (count < 0) {
        return;
    }
    rule->to_roles = 0;
    for (int i = 1; i <= count; i++) {
        struct lsig_span name = lsig_args_text_of(L, i);
        bool known = false;
        if (name.len > 5 && memcmp(name.data, "role:", 5) == 0) {
            rule->to = LSIG_TO_ROLES;
            rule->to_roles |= role_bit(args, "to", (struct lsig_span){name.data + 5, name.len - 5});
            continue;
        }
        for (size_t k = 0; k < sizeof(words) / sizeof(words[0]); k++) {
            if (count == 1 && lsig_span_is(name, words[k].name)) {
                rule->to = words[k].to;
                known = true;
            }
        }
        if (!known) {
            luaL_error(L,
                       "%s: to is one of \"room\", \"others\", \"target\", \"server\", or a list "
                       "of \"role:host\" and so on, not \"%s\"",
                       args->what, name.data);
        }
    }
    lua_pop(L, 1);
}

// The two-valued fields: whether `field` is `yes` rather than `no`.
static bool read_choice(
    const struct lsig_args *args, const char *field, const char *yes, const char *no, bool missing)
{
    struct lsig_span text = lsig_args_text(args, field);
    if (text.data == NULL) {
        return missing;
    }
    if (!lsig_span_is(text, yes) && !lsig_span_is(text, no)) {
        luaL_error(args->L, "%s: %s is \"%s\" or \"%s\", not \"%s\"", args->what, field, yes, no,
                   text.data);
    }
    return lsig_span_is(text, yes);
}

static void read_rates(struct lsig_policy_type *type, const struct lsig_args *args)
{
    lua_State *L = args->L;
    struct lsig_rule *rule = &type->rule;
    int count = lsig_args_push_texts(args, "rate");
    if (count < 0) {
        return;
    }
    if (count > LSIG_RULE_RATES_MAX) {
        luaL_error(L, "%s: more than %d rates", args->what, LSIG_RULE_RATES_MAX);
    }
    struct lsig_rule_rate rates[LSIG_RULE_RATES_MAX];
    for (int i = 1; i <= count; i++) {
        struct lsig_span text = lsig_args_text_of(L, i);
        const char *problem = "";
        rates[i - 1] = (struct lsig_rule_rate){.slot = 0};
        if (!lsig_rate_spec_parse(&rates[i - 1].spec, text, true, &problem)) {
            luaL_error(L, "%s: rate \"%s\": %s", args->what, text.data, problem);
        }
    }
    type->policy->rate_count += (size_t)count - rule->rate_count;
    if (type->policy->rate_count > LSIG_RATE_SLOTS_MAX) {
        luaL_error(L, "%s: more than %d rates in all", args->what, LSIG_RATE_SLOTS_MAX);
    }
    rule->rate_count = (size_t)count;
    rule->own_connection_rate = false;
    for (int i = 0; i < count; i++) {
        rule->rates[i] = rates[i];
        rule->own_connection_rate |= rates[i].spec.scope == LSIG_PER_CONNECTION;
    }
    lua_pop(L, 1);
}

static void read_aliases(struct lsig_policy_type *type, const struct lsig_args *args)
{
    lua_State *L = args->L;
    int count = lsig_args_push_texts(args, "alias");
    if (count < 0) {
        return;
    }
    if (count > LSIG_POLICY_ALIASES_MAX) {
        luaL_error(L, "%s: more than %d aliases", args->what, LSIG_POLICY_ALIASES_MAX);
    }
    for (int i = 1; i <= count; i++) {
        if (!lsig_lib_type_name_ok(lsig_args_text_of(L, i))) {
            luaL_error(L, "%s: alias \"%s\" is no name of a type", args->what,
                       lsig_args_text_of(L, i).data);
        }
    }
    for (size_t i = 0; i < type->alias_count; i++) {
        free(type->aliases[i]);
    }
    type->alias_count = 0;
    type->aliases = lsig_realloc(type->aliases, (size_t)count * sizeof(*type->aliases));
    for (int i = 1; i <= count; i++) {
        struct lsig_span alias = lsig_args_text_of(L, i);
        type->aliases[type->alias_count++] = lsig_strndup(alias.data, alias.len);
    }
    lua_pop(L, 1);
}

// A payload may always name its target (protocol: the names that the envelope reads), also where
// nothing else is allowed.
static void allow_targets(struct lsig_schema *payload)
{
    static const char *const targets[] = {"target_user_id", "target_id", "targetUserId",
                                          "receiver_id", "recipient_user_id"};
    if (payload->extra || payload->types != LSIG_JSON_OBJECT) {
        return;
    }
    for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
        struct lsig_schema *target = lsig_schema_new(LSIG_JSON_STRING | LSIG_JSON_NULL);
        target->optional = true;
        if (!lsig_schema_add_field(payload, lsig_span_of(targets[i]), target)) {
            lsig_schema_free(target); // declared by the policy itself
        }
    }
}

static void read_payload(struct lsig_rule *rule, const struct lsig_args *args)
{
    lua_State *L = args->L;
    lua_pushliteral(L, "payload");
    lua_rawget(L, args->table);
    if (!lua_isnil(L, -1)) {
        lsig_lib_schema_check_whole(L, lua_gettop(L), "payload");
        struct lsig_schema *payload = lsig_lib_schema_build(L, lua_gettop(L));
        lsig_schema_free(rule->payload);
        rule->payload = payload;
        allow_targets(payload);
    }
    lua_pop(L, 1);
    if (rule->payload != NULL && rule->payload->types != LSIG_JSON_OBJECT) {
        luaL_error(L, "%s: payload is a sig.object", args->what);
    }
}

// "none", "latest", "latest per user" or "log N".
static void read_keep(struct lsig_rule *rule, const struct lsig_args *args)
{
    static const char *const words[] = {"none", "latest", "latest per user"};
    struct lsig_span text = lsig_args_text(args, "keep");
    if (text.data == NULL) {
        return;
    }
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (lsig_span_is(text, words[i])) {
            rule->keep = (enum lsig_keep)i;
            return;
        }
    }
    char *end = NULL;
    long count = strncmp(text.data, "log ", 4) == 0 ? strtol(text.data + 4, &end, 10) : 0;
    if (count < 1 || count > LSIG_KEPT_LOG_MAX || end == NULL || *end != '\0') {
        luaL_error(args->L,
                   "%s: keep is \"none\", \"latest\", \"latest per user\" or \"log N\" with N "
                   "from 1 to %d, not \"%s\"",
                   args->what, LSIG_KEPT_LOG_MAX, text.data);
    }
    rule->keep = LSIG_KEEP_LOG;
    rule->keep_max = (uint32_t)count;
}

// Changes the fields of the type that the table at index names.
static void read_fields(lua_State *L, struct lsig_policy_type *type, int table)
{
    char what[WHAT_SIZE];
    snprintf(what, sizeof(what), "sig.type \"%s\"", type->rule.name);
    struct lsig_args args = {L, table, what};
    lsig_args_check_names(&args, field_names, sizeof(field_names) / sizeof(field_names[0]));
    struct lsig_rule *rule = &type->rule;
    read_from(rule, &args);
    read_to(rule, &args);
    rule->absent_broadcasts =
        read_choice(&args, "absent", "broadcast", "error", rule->absent_broadcasts);
    rule->one_connection = read_choice(&args, "connection", "one", "all", rule->one_connection);
    read_payload(rule, &args);
    read_rates(type, &args);
    read_aliases(type, &args);
    read_keep(rule, &args);
}

static struct lsig_policy_type *find_declared(const struct lsig_policy *policy,
                                              struct lsig_span name)
{
    for (size_t i = 0; i < policy->type_count; i++) {
        if (lsig_span_is(name, policy->types[i]->rule.name)) {
            return policy->types[i];
        }
    }
    return NULL;
}

// sig.type "name" was called: notes the name, so that a missing table is found out.
static void add_type(lua_State *L, struct lsig_policy *policy, struct lsig_span name)
{
    const struct lsig_policy_type *before = find_declared(policy, name);
    if (before != NULL) {
        luaL_error(L, "sig.type \"%s\" is declared at %s already; sig.type.extend changes it",
                   name.data, before->where);
    }
    if (policy->type_count >= LSIG_POLICY_TYPES_MAX) {
        luaL_error(L, "more than %d types", LSIG_POLICY_TYPES_MAX);
    }
    char where[LSIG_POLICY_WHERE_SIZE];
    lsig_policy_print_where(L, where);
    struct lsig_policy_type *type = lsig_alloc(sizeof(*type));
    type->policy = policy;
    type->where = lsig_strdup(where);
    type->rule.name = lsig_strndup(name.data, name.len);
    type->rule.from = LSIG_ROLES_ALL;
    type->rule.to = LSIG_TO_ROOM;
    policy->types =
        lsig_realloc(policy->types, (policy->type_count + 1) * sizeof(struct lsig_policy_type *));
    policy->types[policy->type_count++] = type;
}

static int read_table(lua_State *L, struct lsig_span name, int table, bool extends)
{
    struct lsig_policy *policy = lsig_policy_check_loading(L, "sig.type");
    luaL_checktype(L, table, LUA_TTABLE);
    struct lsig_policy_type *type = find_declared(policy, name);
    if (!extends && type->complete) {
        return luaL_error(L, "sig.type \"%s\" has its table already", name.data);
    }
    read_fields(L, type, table);
    type->complete = true;
    return 0;
}

// upvalues: the name, whether it extends
static int take_table(lua_State *L)
{
    struct lsig_span name;
    name.data = lua_tolstring(L, lua_upvalueindex(1), &name.len);
    lua_settop(L, 1);
    return read_table(L, name, 1, lua_toboolean(L, lua_upvalueindex(2)));
}

// Reads the table that follows the name at index, or returns what takes it: `sig.type "name" { … }`
// is two calls.
static int read_or_wait(lua_State *L, struct lsig_span name, int index, bool extends)
{
    lua_settop(L, index + 1);
    if (!lua_isnil(L, index + 1)) {
        return read_table(L, name, index + 1, extends);
    }
    lua_pushvalue(L, index);
    lua_pushboolean(L, extends);
    lua_pushcclosure(L, take_table, 2);
    return 1;
}

static int type_call(lua_State *L) // what is called stands at 1
{
    struct lsig_policy *policy = lsig_policy_check_loading(L, "sig.type");
    struct lsig_span name = check_type_name(L, 2, "sig.type");
    add_type(L, policy, name);
    return read_or_wait(L, name, 2, false);
}

static int type_extend(lua_State *L)
{
    const struct lsig_policy *policy = lsig_policy_check_loading(L, "sig.type.extend");
    struct lsig_span name = check_type_name(L, 1, "sig.type.extend");
    const struct lsig_policy_type *type = find_declared(policy, name);
    if (type == NULL || !type->complete) {
        return luaL_error(
            L, "sig.type.extend \"%s\": no such type is declared yet; sig.use its policy first",
            name.data);
    }
    return read_or_wait(L, name, 1, true);
}

static const luaL_Reg type_functions[] = {{"extend", type_extend}, {NULL, NULL}};

void lsig_lib_type_register(lua_State *L)
{
    lua_newtable(L);
    luaL_register(L, NULL, type_functions);
    lsig_sandbox_protect(L, "sig.type"); // [proxy]
    lua_getmetatable(L, -1);
    lua_pushcfunction(L, type_call);
    lua_setfield(L, -2, "__call");
    lua_pop(L, 1);
    lua_setfield(L, -2, "type");
}
