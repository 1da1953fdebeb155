#include "flow/timeline_recent.h"

static size_t place_of(const struct lsig_member *member)
{
    uintptr_t address = (uintptr_t)member;
    return (address >> 5 ^ address >> 11) % LSIG_RECENTS;
}

const struct lsig_recent *lsig_recents_find(const struct lsig_recents *recents,
                                            const struct lsig_timeline *timeline,
                                            uint32_t turn,
                                            const struct lsig_event *event)
{
    const struct lsig_recent *recent = &recents->items[place_of(event->member)];
    struct lsig_span type = {recent->texts, recent->type_len};
    struct lsig_span target = {recent->texts + recent->type_len, recent->target_len};
    bool same = recent->timeline == timeline && recent->member == event->member &&
                recent->turn == turn && lsig_span_equal(type, event->type) &&
                recent->targeted == (event->target.data != NULL) &&
                (!recent->targeted || lsig_span_equal(target, event->target));
    return same ? recent : NULL;
}

void lsig_recents_note(struct lsig_recents *recents,
                       const struct lsig_event *event,
                       const struct lsig_recent *recent)
{
    size_t target_len = event->target.data != NULL ? event->target.len : 0;
    if (event->type.len + target_len > LSIG_RECENT_TEXT_MAX) {
        return;
    }
    struct lsig_recent *place = &recents->items[place_of(event->member)];
    *place = *recent;
    place->member = event->member;
    place->targeted = event->target.data != NULL;
    place->type_len = (uint8_t)event->type.len;
    place->target_len = (uint8_t)target_len;
    memcpy(place->texts, event->type.data, event->type.len);
    if (target_len > 0) {
        memcpy(place->texts + event->type.len, event->target.data, target_len);
    }
}

void lsig_recents_forget(struct lsig_recents *recents, const struct lsig_timeline *timeline)
{
    for (size_t i = 0; i < LSIG_RECENTS; i++) {
        if (recents->items[i].timeline == timeline) {
            recents->items[i].timeline = NULL;
        }
    }
}
