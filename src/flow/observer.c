#include "flow/observer.h"

#include <assert.h>

const char *lsig_event_name(enum lsig_event_kind kind)
{
    static const char *const names[] = {
#define X(name, wire) wire,
        LSIG_EVENTS(X)
#undef X
    };
    return names[kind];
}

void lsig_observer_add(struct lsig_flow *flow, struct lsig_observer *observer)
{
    observer->next = flow->observers;
    flow->observers = observer;
}

void lsig_observer_remove(struct lsig_flow *flow, struct lsig_observer *observer)
{
    struct lsig_observer **link = &flow->observers;
    while (*link != observer) {
        assert(*link != NULL);
        link = &(*link)->next;
    }
    *link = observer->next;
}

void lsig_observe(struct lsig_flow *flow, const struct lsig_event *event)
{
    bool of_message = event->kind == LSIG_EVENT_MESSAGE || event->kind == LSIG_EVENT_REFUSED;
    struct lsig_observer *next;
    for (struct lsig_observer *at = flow->observers; at != NULL; at = next) {
        next = at->next; // it may remove itself
        if (!of_message || at->wants_messages) {
            at->on_event(at, event);
        }
    }
}
