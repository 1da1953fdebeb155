#include "script/state_declaration.h"

#include <stdlib.h>
#include <string.h>

#include "codec/schema.h"
#include "room/state_shape.h"
#include "script/policy.h"

const char *lsig_state_kind_name(enum lsig_state_kind kind)
{
    switch (kind) {
    case LSIG_STATE_SET:
        return "set";
    case LSIG_STATE_MAP:
        return "map";
    case LSIG_STATE_LIST:
        return "list";
    case LSIG_STATE_COUNTER:
        return "counter";
    case LSIG_STATE_VALUE:
        break;
    }
    return "value";
}

struct lsig_state_declaration *lsig_state_declaration_find(const struct lsig_policy *policy,
                                                           const char *name)
{
    for (size_t i = 0; i < policy->state_count; i++) {
        if (strcmp(policy->states[i]->policy, name) == 0) {
            return policy->states[i];
        }
    }
    return NULL;
}

const struct lsig_state_container *
lsig_state_declaration_container(const struct lsig_state_declaration *declaration,
                                 struct lsig_span name)
{
    for (size_t i = 0; i < declaration->container_count; i++) {
        if (lsig_span_is(name, declaration->containers[i].name)) {
            return &declaration->containers[i];
        }
    }
    return NULL;
}

const struct lsig_state_step *
lsig_state_declaration_step(const struct lsig_state_declaration *declaration, int64_t from)
{
    for (size_t i = 0; i < declaration->step_count; i++) {
        if (declaration->steps[i].from == from) {
            return &declaration->steps[i];
        }
    }
    return NULL;
}

void lsig_state_declaration_apply(const struct lsig_state_declaration *declaration,
                                  struct lsig_state *state)
{
    for (size_t i = 0; i < declaration->container_count; i++) {
        const struct lsig_state_container *container = &declaration->containers[i];
        struct lsig_span name = lsig_span_of(container->name);
        if (lsig_state_field_find(state, name) != NULL) {
            (void)lsig_state_field_open(state, name, container->kind, container->max);
        }
    }
    lsig_state_take_shape(state, declaration->shape);
}

// The final name of the policy of the file that the declaration stands in; NULL: it is not known.
static const char *final_name(const struct lsig_policy *policy,
                              const struct lsig_state_declaration *declaration)
{
    size_t len = strcspn(declaration->where, ":");
    for (size_t i = 0; i < policy->file_count; i++) {
        const struct lsig_policy_file *file = &policy->files[i];
        if (strlen(file->chunk) == len && strncmp(file->chunk, declaration->where, len) == 0) {
            return file->policy;
        }
    }
    return NULL;
}

bool lsig_state_declaration_check_all(const struct lsig_policy *policy, struct lsig_buf *report)
{
    bool good = true;
    for (size_t i = 0; i < policy->state_count; i++) {
        const struct lsig_state_declaration *declaration = policy->states[i];
        const char *name = final_name(policy, declaration);
        if (name != NULL && strcmp(name, declaration->policy) != 0) {
            good = false;
            lsig_buf_append_format(report,
                                   "%s: sig.room_state: sig.policy { name = \"%s\" } goes before "
                                   "it, because the state is kept under that name\n",
                                   declaration->where, name);
        }
    }
    return good;
}

void lsig_state_declaration_free_all(struct lsig_policy *policy)
{
    for (size_t i = 0; i < policy->state_count; i++) {
        struct lsig_state_declaration *declaration = policy->states[i];
        for (size_t at = 0; at < declaration->container_count; at++) {
            free(declaration->containers[at].name);
            free(declaration->containers[at].initial);
            lsig_schema_free(declaration->containers[at].value);
        }
        free(declaration->containers);
        lsig_state_shape_unref(declaration->shape);
        free(declaration->steps);
        free(declaration->policy);
        free(declaration->where);
        free(declaration);
    }
    free(policy->states);
    policy->states = NULL;
    policy->state_count = 0;
}
