// node.h - one of the servers of a test: rooms, policies and sockets of its own.
//
// Nodes share the clock, the tokens, the database and what is counted. Rooms are each node's own:
// the core has no link between nodes. The first one, n1, is always there and has the machine that
// the tests themselves run in; every other one has a machine of its own, loaded from the same
// bundle when it begins.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/span.h"
#include "flow/flow.h"
#include "flow/observer.h"

struct lsig_route_requests;
struct lsig_wire;
struct lsig_world;
struct lsig_world_base;

enum {
    LSIG_NODES_MAX = 8,
    LSIG_NODE_NAME_MAX = 32, // bytes: A-Z a-z 0-9 _ . -
};

#define LSIG_NODE_FIRST "n1"

struct lsig_node {
    struct lsig_node *next; // of the world, in the order in which they began
    struct lsig_world *world;
    char name[LSIG_NODE_NAME_MAX + 1];
    bool dead;                  // it has nothing any more but its name
    bool draining;              // it is about to end, and takes nobody any more
    struct lsig_script *script; // the base's, or its own
    struct lsig_flow flow;
    struct lsig_observer decisions;     // for the story: which line of a policy refused
    struct lsig_wire *wires;            // its sockets, and those that are away
    struct lsig_route_requests *routes; // what policies answer over HTTP; NULL: not asked yet
};

bool lsig_node_name_ok(struct lsig_span name);
struct lsig_node *lsig_node_find(const struct lsig_world *world, struct lsig_span name); // or NULL
// The world's first node, in the base's machine. The start hooks are not told yet.
struct lsig_node *lsig_node_new_first(struct lsig_world *world);
// Another node, or one that is dead anew: with a machine of its own, whose start hooks have been
// told. The name is good, and no live node has it. NULL: the report says why it does not begin.
struct lsig_node *
lsig_node_begin(struct lsig_world *world, struct lsig_span name, struct lsig_buf *report);
// It begins its orderly end, as by SIGTERM: its clients hear of it, and their connections close at
// the end of the turn. They stay away.
void lsig_node_drain(struct lsig_node *node);
// It ends as by a power cut: its sockets break, and nobody on it hears of anything any more. Hooks
// of its own that wait come to nothing.
void lsig_node_kill(struct lsig_node *node);
// The orderly end of one that lives: all its clients leave.
void lsig_node_end(struct lsig_node *node);
void lsig_node_free(struct lsig_node *node); // has ended, or is dead; frees its machine
