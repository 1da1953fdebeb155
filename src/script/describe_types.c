#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "codec/json.h"
#include "codec/schema_print.h"
#include "script/context.h"
#include "script/describe.h"
#include "script/policy.h"

enum { REFERENCE_SIZE = 200 };

struct types {
    const struct lsig_policy_type **items;
    size_t count;
};

static int compare(const void *one, const void *other)
{
    const struct lsig_policy_type *const *a = one;
    const struct lsig_policy_type *const *b = other;
    return strcmp((*a)->rule.name, (*b)->rule.name);
}

// By name; items to be freed.
static struct types types_of(const struct lsig_script *script)
{
    const struct lsig_policy *policy = script->current;
    struct types types = {NULL, policy != NULL ? policy->type_count : 0};
    types.items = lsig_alloc((types.count + 1) * sizeof(types.items[0]));
    if (types.count > 0) {
        memcpy(types.items, policy->types, types.count * sizeof(types.items[0]));
        qsort(types.items, types.count, sizeof(types.items[0]), compare);
    }
    return types;
}

static void print_reference(struct lsig_buf *buf, const char *name, const char *to, const char *of)
{
    char reference[REFERENCE_SIZE];
    snprintf(reference, sizeof(reference), "%s%s", to, of);
    lsig_json_open(buf, name, '{');
    lsig_json_string(buf, "$ref", reference);
    lsig_json_close(buf, '}');
}

void lsig_describe_channel(const struct lsig_script *script, struct lsig_buf *buf)
{
    struct types types = types_of(script);
    for (size_t i = 0; i < types.count; i++) {
        const char *name = types.items[i]->rule.name;
        print_reference(buf, name, "#/components/messages/", name);
    }
    free(types.items);
}

static void print_operation(struct lsig_buf *buf, const char *type, bool receives)
{
    char name[REFERENCE_SIZE];
    snprintf(name, sizeof(name), "%s %s", receives ? "take" : "tell", type);
    lsig_json_open(buf, name, '{');
    lsig_json_string(buf, "action", receives ? "receive" : "send");
    print_reference(buf, "channel", "#/channels/", "room");
    lsig_json_open(buf, "messages", '[');
    print_reference(buf, NULL, "#/channels/room/messages/", type);
    lsig_json_close(buf, ']');
    lsig_json_close(buf, '}');
}

void lsig_describe_operations(const struct lsig_script *script, struct lsig_buf *buf)
{
    struct types types = types_of(script);
    for (size_t i = 0; i < types.count; i++) {
        const struct lsig_rule *rule = &types.items[i]->rule;
        if (rule->from != 0) {
            print_operation(buf, rule->name, true);
        }
        if (rule->from == 0 || rule->to != LSIG_TO_SERVER) {
            print_operation(buf, rule->name, false);
        }
    }
    free(types.items);
}

static void print_roles(struct lsig_buf *buf, const char *name, unsigned roles)
{
    lsig_json_open(buf, name, '[');
    for (int role = 0; role < LSIG_ROLE_COUNT; role++) {
        if ((roles & LSIG_ROLE_BIT(role)) != 0) {
            lsig_json_string(buf, NULL, lsig_role_name((enum lsig_role)role));
        }
    }
    if ((roles & LSIG_WAITING_BIT) != 0) {
        lsig_json_string(buf, NULL, "waiting");
    }
    lsig_json_close(buf, ']');
}

static void print_receivers(struct lsig_buf *buf, const struct lsig_rule *rule)
{
    static const char *const names[] = {
        [LSIG_TO_ROOM] = "room",
        [LSIG_TO_OTHERS] = "others",
        [LSIG_TO_TARGET] = "target",
        [LSIG_TO_SERVER] = "server",
    };
    if (rule->to == LSIG_TO_ROLES) {
        print_roles(buf, "x-lunasig-to", rule->to_roles);
    } else {
        lsig_json_string(buf, "x-lunasig-to", names[rule->to]);
    }
}

// The whole frame, as a client sends it or hears it.
static void print_frame(struct lsig_buf *buf, const struct lsig_rule *rule)
{
    lsig_json_open(buf, "payload", '{');
    lsig_json_string(buf, "type", "object");
    lsig_json_open(buf, "properties", '{');
    lsig_json_open(buf, "type", '{');
    lsig_json_string(buf, "const", rule->name);
    lsig_json_close(buf, '}');
    if (rule->payload != NULL) {
        lsig_schema_print(buf, "payload", rule->payload);
    } else {
        lsig_json_open(buf, "payload", '{');
        lsig_json_string(buf, "type", "object");
        lsig_json_close(buf, '}');
    }
    print_reference(buf, "seq", "#/components/schemas/", "seq");
    print_reference(buf, "timestamp", "#/components/schemas/", "timestamp");
    if (rule->from != 0) {
        print_reference(buf, "id", "#/components/schemas/", "id");
        print_reference(buf, "target_id", "#/components/schemas/", "target_id");
        print_reference(buf, "sender_id", "#/components/schemas/", "sender_id");
        print_reference(buf, "sender_peer_id", "#/components/schemas/", "sender_peer_id");
    }
    lsig_json_close(buf, '}');
    lsig_json_open(buf, "required", '[');
    lsig_json_string(buf, NULL, "type");
    lsig_json_string(buf, NULL, "payload");
    lsig_json_close(buf, ']');
    lsig_json_close(buf, '}');
}

static void print_extensions(struct lsig_buf *buf, const struct lsig_policy_type *type)
{
    const struct lsig_rule *rule = &type->rule;
    if (rule->from != 0) {
        print_roles(buf, "x-lunasig-from", rule->from);
        print_receivers(buf, rule);
    }
    if (rule->rate_count > 0) {
        lsig_json_open(buf, "x-lunasig-rate", '[');
        for (size_t i = 0; i < rule->rate_count; i++) {
            lsig_describe_rate(buf, &rule->rates[i].spec);
        }
        lsig_json_close(buf, ']');
    }
    if (type->alias_count > 0) {
        lsig_json_open(buf, "x-lunasig-compat-names", '[');
        for (size_t i = 0; i < type->alias_count; i++) {
            lsig_json_string(buf, NULL, type->aliases[i]);
        }
        lsig_json_close(buf, ']');
    }
    if (rule->keep != LSIG_KEEP_NONE) {
        lsig_json_string(buf, "x-lunasig-keep", rule->keep == LSIG_KEEP_LOG ? "log" : "latest");
    }
}

void lsig_describe_messages(const struct lsig_script *script, struct lsig_buf *buf)
{
    struct types types = types_of(script);
    for (size_t i = 0; i < types.count; i++) {
        const struct lsig_policy_type *type = types.items[i];
        lsig_json_open(buf, type->rule.name, '{');
        lsig_json_string(buf, "name", type->rule.name);
        lsig_json_string(buf, "contentType", "application/json");
        print_frame(buf, &type->rule);
        print_extensions(buf, type);
        lsig_json_close(buf, '}');
    }
    free(types.items);
}
