#include "codec/schema.h"

#include <math.h>
#include <stdlib.h>

#include "base/alloc.h"

struct lsig_schema *lsig_schema_new(unsigned types)
{
    struct lsig_schema *schema = lsig_alloc(sizeof(*schema));
    schema->types = types;
    schema->lenient_types = types;
    schema->min = -INFINITY;
    schema->max = INFINITY;
    return schema;
}

// Calls itself down the tree, which is as deep as its owner made it.
void lsig_schema_free(struct lsig_schema *schema)
{
    if (schema == NULL) {
        return;
    }
    for (size_t i = 0; i < schema->choice_count; i++) {
        free(schema->choices[i]);
    }
    for (size_t i = 0; i < schema->field_count; i++) {
        free(schema->names[i]);
        lsig_schema_free(schema->fields[i]);
    }
    lsig_schema_free(schema->item);
    free(schema->choices);
    free(schema->names);
    free(schema->fields);
    free(schema);
}

bool lsig_schema_add_field(struct lsig_schema *object,
                           struct lsig_span name,
                           struct lsig_schema *field)
{
    size_t count = object->field_count;
    for (size_t i = 0; i < count; i++) {
        if (lsig_span_is(name, object->names[i])) {
            return false;
        }
    }
    if (count == LSIG_SCHEMA_FIELDS_MAX) {
        return false;
    }
    object->names = lsig_realloc(object->names, (count + 1) * sizeof(object->names[0]));
    object->fields = lsig_realloc(object->fields, (count + 1) * sizeof(struct lsig_schema *));
    object->names[count] = lsig_strndup(name.data, name.len);
    object->fields[count] = field;
    object->field_count = count + 1;
    return true;
}

bool lsig_schema_add_choice(struct lsig_schema *string, struct lsig_span choice)
{
    size_t count = string->choice_count;
    if (count == LSIG_SCHEMA_CHOICES_MAX) {
        return false;
    }
    string->choices = lsig_realloc(string->choices, (count + 1) * sizeof(string->choices[0]));
    string->choices[count] = lsig_strndup(choice.data, choice.len);
    string->choice_count = count + 1;
    return true;
}

size_t lsig_schema_depth(const struct lsig_schema *schema)
{
    size_t below = schema->item != NULL ? lsig_schema_depth(schema->item) : 0;
    for (size_t i = 0; i < schema->field_count; i++) {
        size_t depth = lsig_schema_depth(schema->fields[i]);
        below = depth > below ? depth : below;
    }
    return below + 1;
}
