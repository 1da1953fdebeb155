// Nodes that come and die, a database that fails, clients that read nothing.
#include <stdio.h>
#include <string.h>

#include "scenario/ask.h"
#include "scenario/real.h"

enum { NAME_SIZE = 160, REPORT_MAX = 64 * 1024 };

// --- which node

// Of a text, or of the member `node` of an object.
static bool read_node_name(struct lsig_asking *asking, struct lsig_span value, char name[NAME_SIZE])
{
    lsig_match_text(value, name, NAME_SIZE);
    return lsig_node_name_ok(lsig_span_of(name)) ||
           lsig_ask_fail(asking, "a node's name is a text of 1 to %d letters, digits, _, . and -",
                         LSIG_NODE_NAME_MAX);
}

static struct lsig_node *find_live(struct lsig_asking *asking, const char *name)
{
    struct lsig_node *node = lsig_node_find(asking->world, lsig_span_of(name));
    if (node == NULL) {
        lsig_ask_fail(asking, "there is no node \"%s\"; t:node { name = \"%s\" } makes it", name,
                      name);
        return NULL;
    }
    if (node->dead) {
        lsig_ask_fail(asking, "the node \"%s\" is dead; t:node { name = \"%s\" } starts it anew",
                      name, name);
        return NULL;
    }
    return node;
}

bool lsig_ask_check_node(struct lsig_asking *asking)
{
    const struct lsig_node *node =
        asking->player != NULL ? asking->player->node : asking->world->nodes;
    return find_live(asking, node->name) != NULL;
}

bool lsig_ask_read_node(struct lsig_asking *asking, size_t argument, struct lsig_node **node)
{
    struct lsig_span value = lsig_ask_option(asking, argument, "node");
    char name[NAME_SIZE];
    if (value.data == NULL) {
        return true;
    }
    if (asking->world->stage != NULL) {
        return lsig_real_skip(asking, "it names a node, and a running server is one");
    }
    if (!read_node_name(asking, value, name)) {
        return false;
    }
    struct lsig_node *found = find_live(asking, name);
    *node = found != NULL ? found : *node;
    return found != NULL;
}

bool lsig_ask_fault_really(struct lsig_asking *asking)
{
    return lsig_real_skip(asking, "%s%s needs a server inside of the test",
                          asking->player != NULL ? "" : "t:", asking->question->operation);
}

// --- t:node, t:drain, t:kill, t:redis

static bool begin_node(struct lsig_asking *asking, const char *name)
{
    struct lsig_world *world = asking->world;
    struct lsig_buf report;
    lsig_buf_init(&report, REPORT_MAX);
    struct lsig_node *node = lsig_node_begin(world, lsig_span_of(name), &report);
    if (node == NULL) {
        lsig_ask_fail(asking, "the policies do not load there: %.*s",
                      LSIG_SPAN_ARG(lsig_buf_span(&report)));
    }
    lsig_buf_clear(&report);
    return node != NULL;
}

bool lsig_ask_node(struct lsig_asking *asking)
{
    static const char *const known[] = {"name"};
    struct lsig_world *world = asking->world;
    struct lsig_span value = lsig_ask_option(asking, 0, "name");
    char name[NAME_SIZE];
    size_t count = 0;
    if (value.data == NULL) {
        return lsig_ask_fail(asking, "write its name: t:node { name = \"n2\" }");
    }
    if (!lsig_ask_check_options(asking, 0, known, 1) || !read_node_name(asking, value, name)) {
        return false;
    }
    const struct lsig_node *same = lsig_node_find(world, lsig_span_of(name));
    if (same != NULL && !same->dead) {
        return lsig_ask_fail(asking, "there is a node \"%s\" already", name);
    }
    for (const struct lsig_node *at = world->nodes; at != NULL; at = at->next) {
        count++;
    }
    if (same == NULL && count == LSIG_NODES_MAX) {
        return lsig_ask_fail(asking, "a test has at most %d nodes", LSIG_NODES_MAX);
    }
    lsig_story_add(&world->story, lsig_world_ms(world), "-- the node %s begins --", name);
    return begin_node(asking, name) && lsig_ask_pass(asking, 0, NULL, NULL);
}

bool lsig_ask_drain(struct lsig_asking *asking)
{
    struct lsig_world *world = asking->world;
    char name[NAME_SIZE] = LSIG_NODE_FIRST;
    if (asking->arguments[0].data != NULL && !read_node_name(asking, asking->arguments[0], name)) {
        return false;
    }
    struct lsig_node *node = find_live(asking, name);
    if (node == NULL) {
        return false;
    }
    if (node->draining) {
        return lsig_ask_fail(asking, "the node \"%s\" drains already", name);
    }
    lsig_story_add(&world->story, lsig_world_ms(world), "-- the node %s drains --", name);
    lsig_node_drain(node);
    return lsig_ask_pass(asking, 0, NULL, NULL);
}

bool lsig_ask_kill(struct lsig_asking *asking)
{
    struct lsig_world *world = asking->world;
    char name[NAME_SIZE];
    if (asking->arguments[0].data == NULL) {
        return lsig_ask_fail(asking, "which one? t:kill \"n2\"");
    }
    if (!read_node_name(asking, asking->arguments[0], name)) {
        return false;
    }
    struct lsig_node *node = find_live(asking, name);
    if (node == NULL) {
        return false;
    }
    lsig_story_add(&world->story, lsig_world_ms(world), "-- the node %s dies --", name);
    lsig_node_kill(node);
    return lsig_ask_pass(asking, 0, NULL, NULL);
}

bool lsig_ask_redis(struct lsig_asking *asking)
{
    return lsig_ask_fail(asking, "nodes are not linked over Redis: the rooms of each are its own, "
                                 "so there is nothing that could break; t:kill ends a node, and "
                                 "t:store \"down\" takes their database away");
}

// --- t:store

bool lsig_ask_store(struct lsig_asking *asking)
{
    static const char *const names[] = {
        [LSIG_DOCUMENTS_UP] = "up",
        [LSIG_DOCUMENTS_DOWN] = "down",
        [LSIG_DOCUMENTS_SLOW] = "slow",
    };
    struct lsig_world *world = asking->world;
    size_t count = sizeof(names) / sizeof(names[0]);
    char name[NAME_SIZE] = "";
    size_t i = 0;
    if (asking->arguments[0].data != NULL) {
        lsig_match_text(asking->arguments[0], name, sizeof(name));
    }
    while (i < count && strcmp(names[i], name) != 0) {
        i++;
    }
    if (i == count) {
        return lsig_ask_fail(asking, "the store is \"up\" (as at first), \"down\" (each call fails "
                                     "at once) or \"slow\" (calls wait until it is up or down)");
    }
    world->documents->fault = (enum lsig_documents_fault)i;
    lsig_story_add(&world->story, lsig_world_ms(world), "-- the store is %s --", name);
    return lsig_ask_pass(asking, 0, NULL, NULL);
}

// --- a client that reads nothing

bool lsig_ask_stalls(struct lsig_asking *asking)
{
    if (!lsig_ask_check_connected(asking)) {
        return false;
    }
    asking->player->wire->stalled = true;
    lsig_story_add(&asking->world->story, lsig_world_ms(asking->world), "%s stops reading",
                   asking->player->name);
    return true;
}

bool lsig_ask_reads(struct lsig_asking *asking)
{
    if (!lsig_ask_check_connected(asking)) {
        return false;
    }
    if (!asking->player->wire->stalled) {
        return lsig_ask_fail(asking, "it reads already: stalls comes before");
    }
    lsig_story_add(&asking->world->story, lsig_world_ms(asking->world), "%s reads again",
                   asking->player->name);
    lsig_wire_read(asking->player->wire);
    return lsig_ask_pass(asking, 0, NULL, NULL);
}
