#include "scenario/world.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "flow/perform.h"
#include "scenario/witness.h"
#include "script/lib_test.h"

// A Monday at noon. Both clocks begin at a whole second, so that a second ends on both at once.
static const struct lsig_time beginning = {.mono_ms = 1000000, .wall_ms = 1767614400000};

struct lsig_world *lsig_world_new(const struct lsig_world_base *base, const char *test)
{
    const struct lsig_settings *settings = base->settings;
    struct lsig_room_bounds bounds = {
        .state_bytes = (size_t)settings->policy_state_bytes,
        .keep_bytes = (size_t)settings->policy_keep_bytes,
        .timers_max = (uint32_t)settings->policy_timers_max,
    };
    struct lsig_world *world = lsig_alloc(sizeof(*world));
    world->settings = settings;
    world->script = base->script;
    world->metrics = base->metrics;
    world->now = base->now;
    world->documents = base->documents;
    world->end_us = base->end_us;
    world->ending = base->ending;
    world->test = test;
    world->captures.script = base->script;
    world->flow = (struct lsig_flow){
        .settings = settings,
        .keyring = base->keyring,
        .metrics = base->metrics,
        .script = base->script,
        .hub = lsig_hub_new(),
        .sink = lsig_wire_sink,
    };
    *world->now = beginning;
    world->began_ms = beginning.mono_ms;
    lsig_hub_set_bounds(world->flow.hub, &bounds);
    lsig_flow_init(&world->flow);
    lsig_flow_set_time(&world->flow, *world->now);
    lsig_perform_install(&world->flow);
    lsig_witness_begin(world);
    struct lsig_hook_event event = {.kind = LSIG_HOOK_START};
    lsig_script_tell(world->script, &event);
    lsig_world_settle(world);
    return world;
}

void lsig_world_close(struct lsig_world *world)
{
    world->story.closed = true;
    while (world->wires != NULL) {
        lsig_wire_end(world->wires);
    }
    lsig_lib_test_end_waits(world->script);
    while (lsig_documents_turn(world->documents)) { // nobody waits for it any more
    }
    lsig_witness_end(world);
}

void lsig_world_free(struct lsig_world *world)
{
    static const struct lsig_performer nobody = {NULL, NULL};
    lsig_script_set_performer(world->script, &nobody);
    while (world->players != NULL) {
        struct lsig_player *player = world->players;
        world->players = player->next;
        lsig_player_free(player);
    }
    lsig_documents_clear(world->documents);
    lsig_flow_clear(&world->flow);
    lsig_hub_free(world->flow.hub);
    lsig_captures_clear(&world->captures);
    for (size_t i = 0; i < world->expected_count; i++) {
        free(world->expected[i]);
    }
    free(world);
}

struct lsig_player *lsig_world_player(const struct lsig_world *world, int number)
{
    struct lsig_player *player = world->players;
    while (player != NULL && player->number != number) {
        player = player->next;
    }
    return player;
}

// --- time

int64_t lsig_world_ms(const struct lsig_world *world)
{
    return world->now->mono_ms - world->began_ms;
}

// One turn of the loop. Returns in how many milliseconds the next one is due; 0: now.
static int64_t turn(struct lsig_world *world)
{
    for (struct lsig_wire *wire = world->wires, *next; wire != NULL; wire = next) {
        next = wire->next;
        lsig_wire_end_turn(wire);
    }
    bool answered = lsig_documents_turn(world->documents);
    int64_t next_ms = lsig_flow_tick(&world->flow);
    if (answered || world->documents->calls != NULL) {
        return 0;
    }
    for (const struct lsig_wire *wire = world->wires; wire != NULL; wire = wire->next) {
        if (wire->close_code != 0 || wire->holds) {
            return 0;
        }
    }
    return next_ms;
}

bool lsig_world_is_late(const struct lsig_world *world)
{
    return lsig_clock_mono_us() >= world->end_us ||
           (world->ending != NULL && atomic_load(world->ending));
}

// Turns until nothing is due now; in how many milliseconds something is, or -1 as settle's false.
static int64_t run_turns(struct lsig_world *world)
{
    for (int i = 0; i < LSIG_WORLD_TURNS_MAX; i++) {
        int64_t next_ms = turn(world);
        if (next_ms > 0) {
            return next_ms;
        }
        if (lsig_world_is_late(world)) {
            world->late = true;
            return -1;
        }
    }
    world->endless = true;
    return -1;
}

bool lsig_world_settle(struct lsig_world *world)
{
    return run_turns(world) >= 0;
}

static void check_wires(struct lsig_world *world)
{
    for (struct lsig_wire *wire = world->wires, *next; wire != NULL; wire = next) {
        next = wire->next;
        lsig_wire_check_time(wire);
    }
}

// The step to what is due first, of at least a millisecond.
static int64_t next_step(const struct lsig_world *world, int64_t flow_ms, int64_t left_ms)
{
    int64_t step_ms = flow_ms < left_ms ? flow_ms : left_ms;
    for (const struct lsig_wire *wire = world->wires; wire != NULL; wire = wire->next) {
        int64_t due_ms = lsig_wire_due_ms(wire);
        if (due_ms >= 0 && due_ms - world->now->mono_ms < step_ms) {
            step_ms = due_ms - world->now->mono_ms;
        }
    }
    return step_ms > 0 ? step_ms : 1;
}

bool lsig_world_pass(struct lsig_world *world, int64_t ms, bool (*enough)(void *arg), void *arg)
{
    int64_t until_ms = world->now->mono_ms + ms;
    for (;;) {
        int64_t flow_ms = run_turns(world);
        if (flow_ms < 0) {
            return false;
        }
        if ((enough != NULL && enough(arg)) || world->now->mono_ms >= until_ms) {
            return true;
        }
        int64_t step_ms = next_step(world, flow_ms, until_ms - world->now->mono_ms);
        world->now->mono_ms += step_ms;
        world->now->wall_ms += step_ms;
        lsig_flow_set_time(&world->flow, *world->now);
        check_wires(world);
        if (lsig_world_is_late(world)) {
            world->late = true;
            return false;
        }
    }
}

int64_t lsig_world_due_ms(const struct lsig_world *world)
{
    int64_t due_ms = lsig_flow_due_ms(&world->flow);
    return due_ms < 0 ? -1 : due_ms - world->now->mono_ms;
}
