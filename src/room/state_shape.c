#include "room/state_shape.h"

#include <stdlib.h>

#include "base/alloc.h"

struct lsig_state_shape *lsig_state_shape_new(size_t count)
{
    struct lsig_state_shape *shape =
        lsig_alloc(sizeof(*shape) + count * sizeof(struct lsig_state_shape_field));
    shape->refs = 1;
    shape->count = count;
    return shape;
}

void lsig_state_shape_unref(struct lsig_state_shape *shape)
{
    if (shape == NULL || --shape->refs > 0) {
        return;
    }
    for (size_t i = 0; i < shape->count; i++) {
        free(shape->fields[i].name);
    }
    free(shape);
}

void lsig_state_take_shape(struct lsig_state *state, struct lsig_state_shape *shape)
{
    shape->refs += 1;
    lsig_state_shape_unref(state->shape);
    state->shape = shape;
}

void lsig_state_fill(struct lsig_state *state)
{
    for (size_t i = 0; state->shape != NULL && i < state->shape->count; i++) {
        const struct lsig_state_shape_field *field = &state->shape->fields[i];
        if (lsig_state_field_find(state, lsig_span_of(field->name)) == NULL) {
            (void)lsig_state_field_open(state, lsig_span_of(field->name), field->kind,
                                        LSIG_STATE_ITEMS_MAX);
        }
    }
}
