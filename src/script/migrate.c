#include "script/migrate.h"

#include <stdio.h>

#include <lauxlib.h>
#include <lua.h>

#include "base/log.h"
#include "room/state_shape.h"
#include "script/budget.h"
#include "script/context.h"
#include "script/state_declaration.h"
#include "script/state_image.h"
#include "script/versions.h"

enum { TEXT_SIZE = 600, COLLECT_US = 40000 };

struct migration {
    struct lsig_policy *policy;                  // whose functions run, in its machine
    const struct lsig_state_declaration *steps;  // where they are declared
    const struct lsig_state_declaration *target; // what the outcome has the form of
    struct lsig_room *room;
    struct lsig_state *state;
    struct lsig_state_image before;
    struct lsig_state_image after;
    char text[TEXT_SIZE]; // what went wrong
};

// --- the steps, in Lua

static const char *step_name(const struct migration *migration)
{
    return migration->target->version > migration->state->version ? "up" : "down";
}

// The function of the step that starts at the version `at` is left on the stack.
static void push_step(lua_State *L, const struct migration *migration, int64_t at)
{
    bool up = migration->target->version > at;
    int64_t from = up ? at : at - 1;
    const struct lsig_state_step *step = lsig_state_declaration_step(migration->steps, from);
    int function = step == NULL ? 0 : (up ? step->up : step->down);
    if (function == 0) {
        luaL_error(L, "%s: sig.room_state has no migrate[%d].%s", migration->steps->where,
                   (int)from, step_name(migration));
    }
    lua_rawgeti(L, LUA_REGISTRYINDEX, function);
}

// Called protected.
static int run_steps(lua_State *L)
{
    struct migration *migration = lua_touserdata(L, 1);
    char problem[LSIG_STATE_IMAGE_PROBLEM_SIZE];
    int64_t at = migration->state->version;
    lsig_state_image_push(L, &migration->before); // [migration, table]
    while (at != migration->target->version) {
        push_step(L, migration, at);
        lua_insert(L, 2);
        lua_call(L, 1, 1);
        if (!lua_istable(L, 2)) {
            return luaL_error(L, "%s: migrate.%s from version %d returned a %s, not a table",
                              migration->steps->where, step_name(migration), (int)at,
                              luaL_typename(L, 2));
        }
        at += migration->target->version > at ? 1 : -1;
    }
    if (!lsig_state_image_read(&migration->after, L, 2, migration->target, &migration->before,
                               problem)) {
        return luaL_error(L, "%s: what migrate.%s returned: %s", migration->steps->where,
                          step_name(migration), problem);
    }
    return 0;
}

static bool call_steps(struct migration *migration)
{
    struct lsig_policy *policy = migration->policy;
    struct lsig_budget *budget = policy->budget;
    lua_State *L = policy->vm.L;
    int top = lua_gettop(L);
    budget->told_ms = policy->cpu_us / 1000;
    lsig_budget_enter(budget, L, policy->cpu_us, true);
    policy->migrating = true;
    int failed = lua_cpcall(L, run_steps, migration);
    policy->migrating = false;
    lsig_budget_leave(budget);
    if (budget->exceeded) {
        snprintf(migration->text, TEXT_SIZE, "%s", budget->text);
        policy->options->metrics->hook_cpu_exceeded++;
    } else if (failed != 0) {
        bool text = lua_type(L, -1) == LUA_TSTRING;
        snprintf(migration->text, TEXT_SIZE, "%s", text ? lua_tostring(L, -1) : "an error");
    }
    lua_settop(L, top);
    if (policy->vm.exhausted) {
        int cycles = 0;
        if (!lsig_vm_collect(&policy->vm, COLLECT_US, &cycles)) {
            lsig_renew_go_on(policy); // the rest in slices
        }
        policy->vm.exhausted = false;
    }
    return failed == 0 && !budget->exceeded;
}

// --- one state

static bool put_after(struct migration *migration)
{
    struct lsig_state *state = migration->state;
    if (lsig_state_image_put(&migration->after, state) == LSIG_OK) {
        return true;
    }
    enum lsig_status status = lsig_state_image_put(&migration->before, state);
    (void)status; // it was there
    snprintf(migration->text, TEXT_SIZE,
             "%s: what migrate.%s returned has more bytes than a room may remember "
             "(POLICY_STATE_BYTES)",
             migration->steps->where, step_name(migration));
    return false;
}

static void
log_outcome(const struct migration *migration, uint64_t version, int64_t from, bool done)
{
    const struct lsig_state_declaration *target = migration->target;
    if (done) {
        lsig_log(LSIG_INFO, "state-migrated", LSIG_LOG_TEXT("room", migration->room->id),
                 LSIG_LOG_TEXT("policy", target->policy), LSIG_LOG_NUMBER("version", version),
                 LSIG_LOG_NUMBER("from", from), LSIG_LOG_NUMBER("to", target->version));
    } else {
        lsig_log(LSIG_ERROR, "migrate-failed", LSIG_LOG_TEXT("room", migration->room->id),
                 LSIG_LOG_TEXT("policy", target->policy), LSIG_LOG_NUMBER("version", version),
                 LSIG_LOG_NUMBER("from", from), LSIG_LOG_NUMBER("to", target->version),
                 LSIG_LOG_TEXT("error", migration->text));
    }
}

static void refuse(const struct migration *migration,
                   const struct lsig_policy *policy,
                   struct lsig_refusal *refusal)
{
    const struct lsig_state_declaration *target = migration->target;
    lsig_refuse_with(refusal, LSIG_POLICY_ERROR,
                     "what a policy remembers of this room could not be migrated");
    lsig_refusal_add_text(refusal, "policy", target->policy);
    lsig_refusal_add_number(refusal, "version", (double)policy->version);
    lsig_refusal_add_text(refusal, "room", migration->room->id);
    lsig_refusal_add_number(refusal, "from", (double)migration->state->version);
    lsig_refusal_add_number(refusal, "to", (double)target->version);
}

// Says whose functions do it. False: nobody's can, and text says why.
static bool find_steps(struct migration *migration, struct lsig_policy *policy)
{
    const struct lsig_state_declaration *target = migration->target;
    migration->policy = policy;
    migration->steps = target;
    if (target->version > migration->state->version || policy->script == NULL) {
        return true;
    }
    migration->policy =
        lsig_versions_with_state(policy->script, target->policy, migration->state->version);
    migration->steps = migration->policy != NULL
                           ? lsig_state_declaration_find(migration->policy, target->policy)
                           : NULL;
    if (migration->steps == NULL) {
        snprintf(
            migration->text, TEXT_SIZE,
            "%s: the policy version that made the state (its version %d) is no longer there to "
            "take it back: load it again, or roll back and drop the state",
            target->where, (int)migration->state->version);
    }
    return migration->steps != NULL;
}

static bool migrate(struct lsig_policy *policy, struct migration *migration)
{
    struct lsig_state *state = migration->state;
    int64_t from = state->version;
    lsig_state_fill(state); // a step sees empty containers too
    lsig_state_image_take(&migration->before, state);
    bool done = find_steps(migration, policy) && call_steps(migration) && put_after(migration);
    if (done) {
        state->version = migration->target->version;
        lsig_state_declaration_apply(migration->target, state);
        state->prepared = policy->version;
    } else {
        policy->options->metrics->hook_errors++;
        lsig_versions_count_error(policy);
    }
    log_outcome(migration, policy->version, from, done);
    lsig_state_image_clear(&migration->before);
    lsig_state_image_clear(&migration->after);
    return done;
}

// Whether a way back is there for all steps.
static bool leads_back(const struct migration *migration)
{
    for (int64_t at = migration->target->version; at < migration->state->version; at++) {
        const struct lsig_state_step *step = lsig_state_declaration_step(migration->steps, at);
        if (step == NULL || step->down == 0) {
            return false;
        }
    }
    return true;
}

// A rollback was told to drop states that it cannot use. Whether this is one.
static bool is_to_be_dropped(struct lsig_policy *policy, struct migration *migration)
{
    const struct lsig_state_declaration *target = migration->target;
    const struct lsig_state *state = migration->state;
    if (!policy->drops_state || state->version < target->version) {
        return false;
    }
    if (state->version > target->version) {
        return !find_steps(migration, policy) || !leads_back(migration);
    }
    for (size_t i = 0; i < target->container_count; i++) {
        const struct lsig_state_container *container = &target->containers[i];
        const struct lsig_state_field *field =
            lsig_state_field_find(state, lsig_span_of(container->name));
        if (field != NULL && lsig_state_field_kind(field) != container->kind) {
            return true;
        }
    }
    return false;
}

static void drop_state(const struct lsig_policy *policy, struct lsig_state *state)
{
    lsig_log(LSIG_WARNING, "state-dropped", LSIG_LOG_TEXT("room", state->room->id),
             LSIG_LOG_TEXT("policy", state->policy), LSIG_LOG_NUMBER("version", policy->version),
             LSIG_LOG_NUMBER("from", state->version));
    lsig_state_drop(state);
}

static enum lsig_status
prepare_state(struct lsig_policy *policy, struct lsig_state *state, struct lsig_refusal *refusal)
{
    const struct lsig_state_declaration *target =
        lsig_state_declaration_find(policy, state->policy);
    if (target == NULL) {
        state->prepared = policy->version; // stays, for a version that knows it
        return LSIG_OK;
    }
    struct migration migration = {.target = target, .room = state->room, .state = state};
    if (is_to_be_dropped(policy, &migration)) {
        drop_state(policy, state);
        return LSIG_OK;
    }
    if (target->version == state->version) {
        lsig_state_declaration_apply(target, state);
        state->prepared = policy->version;
        return LSIG_OK;
    }
    if (migrate(policy, &migration)) {
        return LSIG_OK;
    }
    refuse(&migration, policy, refusal);
    return LSIG_POLICY_ERROR;
}

static bool in_force(const struct lsig_policy *policy)
{
    return policy->script == NULL || policy->version == lsig_script_version(policy->script);
}

enum lsig_status lsig_migrate_prepare(struct lsig_policy *policy,
                                      struct lsig_room *room,
                                      struct lsig_refusal *refusal)
{
    if (!in_force(policy)) {
        return LSIG_OK;
    }
    enum lsig_status status = LSIG_OK;
    struct lsig_state *state = room->states;
    while (state != NULL && status == LSIG_OK) {
        struct lsig_state *next = state->next;
        if (state->prepared != policy->version) {
            status = prepare_state(policy, state, refusal);
        }
        state = next;
    }
    return status;
}

// --- looking ahead

static bool same_kinds(const struct lsig_state_declaration *newer,
                       const struct lsig_state_declaration *older,
                       struct lsig_buf *why)
{
    bool same = true;
    for (size_t i = 0; i < newer->container_count; i++) {
        const struct lsig_state_container *one = &newer->containers[i];
        const struct lsig_state_container *other =
            lsig_state_declaration_container(older, lsig_span_of(one->name));
        if (other != NULL && other->kind != one->kind) {
            same = false;
            lsig_buf_append_format(why,
                                   "%s: the state of %s: %s is a %s here and a %s in the other "
                                   "version, under the same number %d\n",
                                   newer->where, newer->policy, one->name,
                                   lsig_state_kind_name(one->kind),
                                   lsig_state_kind_name(other->kind), (int)newer->version);
        }
    }
    return same;
}

static bool steps_lead(const struct lsig_state_declaration *newer,
                       const struct lsig_state_declaration *older,
                       struct lsig_buf *why)
{
    bool lead = true;
    bool down = newer->version > older->version;
    const struct lsig_state_declaration *steps = down ? newer : older;
    int64_t first = down ? older->version : newer->version;
    for (int64_t from = first; from < steps->version; from++) {
        const struct lsig_state_step *step = lsig_state_declaration_step(steps, from);
        if (step == NULL || (down && step->down == 0)) {
            lead = false;
            lsig_buf_append_format(why, "%s: the state of %s: there is no migrate[%d].%s\n",
                                   steps->where, steps->policy, (int)from, down ? "down" : "up");
            break; // versions may be far apart
        }
    }
    return lead;
}

bool lsig_migrate_can_return(const struct lsig_policy *newer,
                             const struct lsig_policy *older,
                             struct lsig_buf *why)
{
    bool can = true;
    for (size_t i = 0; i < newer->state_count; i++) {
        const struct lsig_state_declaration *from = newer->states[i];
        const struct lsig_state_declaration *to = lsig_state_declaration_find(older, from->policy);
        if (to != NULL) {
            can = (from->version == to->version ? same_kinds(from, to, why)
                                                : steps_lead(from, to, why)) &&
                  can;
        }
    }
    return can;
}
