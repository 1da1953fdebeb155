#include "script/effects.h"

#include <stdlib.h>

#include "base/alloc.h"

struct lsig_effect *lsig_effects_add(struct lsig_effects *effects, enum lsig_effect_kind kind)
{
    struct lsig_effect *effect = lsig_alloc(sizeof(*effect));
    effect->kind = kind;
    *(effects->last != NULL ? effects->last : &effects->first) = effect;
    effects->last = &effect->next;
    effects->count += 1;
    return effect;
}

static void effect_free(struct lsig_effect *effect)
{
    lsig_member_unref(effect->member);
    lsig_member_unref(effect->except);
    lsig_member_unref(effect->from);
    lsig_room_unref(effect->room);
    free(effect->type);
    free(effect->text);
    free(effect->code);
    free(effect);
}

static struct lsig_effect *take_all(struct lsig_effects *effects)
{
    struct lsig_effect *first = effects->first;
    effects->first = NULL;
    effects->last = NULL;
    return first;
}

void lsig_effects_perform(struct lsig_effects *effects, const struct lsig_performer *performer)
{
    struct lsig_effect *effect = take_all(effects);
    while (effect != NULL) {
        struct lsig_effect *next = effect->next;
        if (performer->perform != NULL) {
            performer->perform(performer->self, effect);
        }
        effect_free(effect);
        effect = next;
    }
}

void lsig_effects_drop(struct lsig_effects *effects)
{
    struct lsig_effect *effect = take_all(effects);
    while (effect != NULL) {
        struct lsig_effect *next = effect->next;
        effect_free(effect);
        effects->count -= 1;
        effect = next;
    }
}
