#include "scenario/node.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "flow/perform.h"
#include "flow/route_request.h"
#include "scenario/wire.h"
#include "scenario/world.h"
#include "script/lib_test.h"

bool lsig_node_name_ok(struct lsig_span name)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                  "0123456789_.-";
    for (size_t i = 0; i < name.len; i++) {
        if (name.data[i] == '\0' || strchr(letters, name.data[i]) == NULL) {
            return false;
        }
    }
    return name.len > 0 && name.len <= LSIG_NODE_NAME_MAX;
}

struct lsig_node *lsig_node_find(const struct lsig_world *world, struct lsig_span name)
{
    struct lsig_node *node = world->nodes;
    while (node != NULL && !lsig_span_is(name, node->name)) {
        node = node->next;
    }
    return node;
}

// The line of the policy goes before the frame that tells the client.
static void on_event(struct lsig_observer *observer, const struct lsig_event *event)
{
    const struct lsig_node *node =
        (const struct lsig_node *)((const char *)observer - offsetof(struct lsig_node, decisions));
    if (event->kind != LSIG_EVENT_REFUSED || event->refusal->where[0] == '\0') {
        return;
    }
    struct lsig_span user = event->member != NULL ? lsig_span_of(event->member->id) : event->user;
    lsig_story_add(&node->world->story, lsig_world_ms(node->world), "%s refuses %.*s%s%.*s: %s",
                   event->refusal->where, LSIG_SPAN_ARG(user), event->type.len > 0 ? " " : "",
                   LSIG_SPAN_ARG(event->type), event->refusal->code);
}

static void start_flow(struct lsig_node *node)
{
    struct lsig_world *world = node->world;
    const struct lsig_settings *settings = world->settings;
    struct lsig_room_bounds bounds = {
        .state_bytes = (size_t)settings->policy_state_bytes,
        .keep_bytes = (size_t)settings->policy_keep_bytes,
        .timers_max = (uint32_t)settings->policy_timers_max,
    };
    node->flow = (struct lsig_flow){
        .settings = settings,
        .keyring = world->base->keyring,
        .metrics = world->metrics,
        .script = node->script,
        .hub = lsig_hub_new(),
        .sink = lsig_wire_sink,
    };
    lsig_hub_set_bounds(node->flow.hub, &bounds);
    lsig_hub_set_random(node->flow.hub, &world->random);
    lsig_flow_init(&node->flow);
    lsig_flow_set_time(&node->flow, *world->now);
    node->flow.started_ms = node->flow.now.mono_ms;
    lsig_perform_install(&node->flow);
    node->decisions = (struct lsig_observer){.wants_messages = true, .on_event = on_event};
    lsig_observer_add(&node->flow, &node->decisions);
    node->dead = false;
    node->draining = false;
}

static struct lsig_node *add(struct lsig_world *world, struct lsig_span name)
{
    struct lsig_node *node = lsig_alloc(sizeof(*node));
    struct lsig_node **link = &world->nodes;
    while (*link != NULL) {
        link = &(*link)->next;
    }
    *link = node;
    node->world = world;
    node->dead = true;
    snprintf(node->name, sizeof(node->name), "%.*s", LSIG_SPAN_ARG(name));
    return node;
}

struct lsig_node *lsig_node_new_first(struct lsig_world *world)
{
    struct lsig_node *node = add(world, lsig_span_of(LSIG_NODE_FIRST));
    node->script = world->script;
    start_flow(node);
    return node;
}

// A machine of its own. NULL: the report says why not.
static struct lsig_script *load_machine(const struct lsig_world *world, struct lsig_buf *report)
{
    struct lsig_script_options options = *world->base->machine;
    options.test_port = NULL; // its tests run in the first one's
    struct lsig_script *script = lsig_script_new(&options);
    if (lsig_script_load(script, report) != LSIG_OK) {
        lsig_script_free(script, NULL, NULL);
        return NULL;
    }
    return script;
}

struct lsig_node *
lsig_node_begin(struct lsig_world *world, struct lsig_span name, struct lsig_buf *report)
{
    struct lsig_hook_event event = {.kind = LSIG_HOOK_START};
    struct lsig_script *script = load_machine(world, report);
    if (script == NULL) {
        return NULL;
    }
    struct lsig_node *node = lsig_node_find(world, name);
    node = node != NULL ? node : add(world, name);
    uint32_t number = 0; // two nodes do not draw the same
    for (const struct lsig_node *at = world->nodes; at != node; at = at->next) {
        number++;
    }
    lsig_lib_test_seed(script, world->seed + number);
    node->script = script;
    start_flow(node);
    lsig_script_tell(script, &event);
    return node;
}

// --- the end

static void clear_flow(struct lsig_node *node)
{
    static const struct lsig_performer nobody = {NULL, NULL, NULL};
    lsig_script_set_performer(node->script, &nobody);
    lsig_route_requests_free(node->routes);
    node->routes = NULL;
    lsig_observer_remove(&node->flow, &node->decisions);
    lsig_flow_clear(&node->flow);
    lsig_hub_free(node->flow.hub);
    node->flow.hub = NULL;
    node->dead = true;
}

static void free_machine(struct lsig_node *node)
{
    if (node->script != NULL && node->script != node->world->script) {
        lsig_script_free(node->script, NULL, NULL);
    }
    node->script = NULL;
}

// As lsig_session_drain_all of net/session_time.h.
void lsig_node_drain(struct lsig_node *node)
{
    node->draining = true;
    for (struct lsig_wire *wire = node->wires; wire != NULL; wire = wire->next) {
        if (wire->player != NULL && wire->close_code == 0) {
            lsig_attend_drain(&wire->client);
            wire->client.state = LSIG_CLIENT_CLOSING;
            lsig_wire_sink.close(&wire->client, lsig_status_close_code(LSIG_DRAINING),
                                 "the server is shutting down");
        }
    }
}

void lsig_node_kill(struct lsig_node *node)
{
    static const struct lsig_performer nobody = {NULL, NULL, NULL};
    lsig_script_set_performer(node->script, &nobody);
    for (struct lsig_wire *wire = node->wires; wire != NULL; wire = wire->next) {
        lsig_wire_break(wire);
    }
    while (node->wires != NULL) {
        lsig_wire_forget(node->wires);
    }
    lsig_lib_test_end_hooks(node->script);
    clear_flow(node);
    free_machine(node);
}

void lsig_node_end(struct lsig_node *node)
{
    while (node->wires != NULL) {
        lsig_wire_end(node->wires);
    }
    lsig_lib_test_end_waits(node->script);
}

void lsig_node_free(struct lsig_node *node)
{
    if (!node->dead) {
        clear_flow(node);
    }
    free_machine(node);
    free(node);
}
