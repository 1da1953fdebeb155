#include "scenario/world.h"

#include <assert.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "scenario/real.h"
#include "scenario/witness.h"
#include "script/lib_test.h"
#include "script/test_words.h"

enum { IDLE_MS = 5000 }; // a step while no node lives

// A Monday at noon. Both clocks begin at a whole second, so that a second ends on both at once.
static const struct lsig_time beginning = {.mono_ms = 1000000, .wall_ms = 1767614400000};

struct lsig_world *lsig_world_new(const struct lsig_world_base *base,
                                  const char *test,
                                  const struct lsig_world_options *options)
{
    const struct lsig_settings *settings =
        options->settings != NULL ? options->settings : base->settings;
    struct lsig_world *world = lsig_alloc(sizeof(*world));
    world->base = base;
    world->settings = settings;
    world->script = base->script;
    world->metrics = base->metrics;
    world->now = base->now;
    world->documents = base->documents;
    world->end_us = base->end_us;
    world->ending = base->ending;
    world->test = test;
    world->test_where = options->where;
    world->captures.script = base->script;
    world->seed = options->seed;
    world->random_state = ~(uint64_t)options->seed; // other bytes than those of sig.random
    world->random = lsig_random_repeat(&world->random_state);
    *world->now = beginning;
    if (options->date_ms != 0) {
        world->now->wall_ms = options->date_ms;
    }
    if (base->real != NULL) {
        world->stage = lsig_real_stage_new(base->real, lsig_test_words_wait(base->script));
        *world->now = lsig_clock_now();
    }
    world->began_ms = world->now->mono_ms;
    lsig_node_new_first(world);
    lsig_witness_begin(world);
    if (world->stage == NULL) { // else the policies at work are those of the running server
        struct lsig_hook_event event = {.kind = LSIG_HOOK_START};
        lsig_script_tell(world->script, &event);
        lsig_world_settle(world);
    }
    return world;
}

void lsig_world_close(struct lsig_world *world)
{
    world->story.closed = true;
    if (world->stage != NULL) {
        lsig_real_stage_end(world);
    }
    for (struct lsig_node *node = world->nodes; node != NULL; node = node->next) {
        if (!node->dead) {
            lsig_node_end(node);
        }
    }
    lsig_lib_test_end_waits(world->script);
    world->documents->fault = LSIG_DOCUMENTS_UP;
    while (lsig_documents_turn(world->documents)) { // nobody waits for it any more
    }
    lsig_witness_end(world);
}

void lsig_world_free(struct lsig_world *world)
{
    while (world->players != NULL) {
        struct lsig_player *player = world->players;
        world->players = player->next;
        lsig_player_free(player);
    }
    lsig_documents_clear(world->documents);
    while (world->nodes != NULL) {
        struct lsig_node *node = world->nodes;
        world->nodes = node->next;
        lsig_node_free(node);
    }
    lsig_witness_clear(world);
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

static int64_t earlier(int64_t one, int64_t other)
{
    return one < 0 || (other >= 0 && other < one) ? other : one;
}

static bool wire_is_due(const struct lsig_node *node)
{
    for (const struct lsig_wire *wire = node->wires; wire != NULL; wire = wire->next) {
        if (wire->close_code != 0 || wire->holds) {
            return true;
        }
    }
    return false;
}

// Whether the machine that the test runs in has lost its node.
static bool is_orphaned(const struct lsig_world *world)
{
    assert(world->nodes != NULL);
    return world->nodes->script != world->script;
}

// One turn of all loops. Returns in how many milliseconds the next one is due; 0: now.
static int64_t turn(struct lsig_world *world)
{
    for (struct lsig_node *node = world->nodes; node != NULL; node = node->next) {
        for (struct lsig_wire *wire = node->wires, *next; wire != NULL; wire = next) {
            next = wire->next;
            lsig_wire_end_turn(wire);
        }
    }
    bool due = lsig_documents_turn(world->documents);
    int64_t next_ms = -1;
    for (struct lsig_node *node = world->nodes; node != NULL; node = node->next) {
        if (!node->dead) {
            next_ms = earlier(next_ms, lsig_flow_tick(&node->flow));
        }
    }
    if (is_orphaned(world)) {
        lsig_script_tick(world->script, world->now->mono_ms);
        int64_t script_ms = lsig_script_due_ms(world->script);
        next_ms = script_ms < 0 ? next_ms : earlier(next_ms, script_ms - world->now->mono_ms);
    }
    due = due || lsig_documents_is_due(world->documents);
    for (struct lsig_node *node = world->nodes; node != NULL && !due; node = node->next) {
        due = wire_is_due(node);
    }
    return due ? 0 : next_ms < 0 ? IDLE_MS : next_ms;
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
    return world->stage != NULL ? lsig_real_pass(world, 0, NULL, NULL) : run_turns(world) >= 0;
}

static void check_wires(struct lsig_node *node)
{
    for (struct lsig_wire *wire = node->wires, *next; wire != NULL; wire = next) {
        next = wire->next;
        lsig_wire_check_time(wire);
    }
}

// The step to what is due first, of at least a millisecond.
static int64_t next_step(const struct lsig_world *world, int64_t flow_ms, int64_t left_ms)
{
    int64_t step_ms = flow_ms < left_ms ? flow_ms : left_ms;
    for (const struct lsig_node *node = world->nodes; node != NULL; node = node->next) {
        for (const struct lsig_wire *wire = node->wires; wire != NULL; wire = wire->next) {
            int64_t due_ms = lsig_wire_due_ms(wire);
            if (due_ms >= 0 && due_ms - world->now->mono_ms < step_ms) {
                step_ms = due_ms - world->now->mono_ms;
            }
        }
    }
    return step_ms > 0 ? step_ms : 1;
}

bool lsig_world_pass(struct lsig_world *world, int64_t ms, bool (*enough)(void *arg), void *arg)
{
    int64_t until_ms = world->now->mono_ms + ms;
    if (world->stage != NULL) {
        return lsig_real_pass(world, ms, enough, arg);
    }
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
        for (struct lsig_node *node = world->nodes; node != NULL; node = node->next) {
            if (!node->dead) {
                lsig_flow_set_time(&node->flow, *world->now);
                check_wires(node);
            }
        }
        if (lsig_world_is_late(world)) {
            world->late = true;
            return false;
        }
    }
}

int64_t lsig_world_due_ms(const struct lsig_world *world)
{
    int64_t due_ms = is_orphaned(world) ? lsig_script_due_ms(world->script) : -1;
    for (const struct lsig_node *node = world->nodes; node != NULL; node = node->next) {
        if (!node->dead) {
            due_ms = earlier(due_ms, lsig_flow_due_ms(&node->flow));
        }
    }
    return due_ms < 0 ? -1 : due_ms - world->now->mono_ms;
}
