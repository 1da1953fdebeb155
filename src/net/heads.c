#include "net/heads.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

enum {
    HEADS_MAX = LSIG_HEADS_MAX,
    HEADS_PER_ADDRESS_MAX = HEADS_MAX / 4,
    KEPT_MS = 15000,
    GRACE_MS = 2000, // a head that is not there by then makes room for others
    ENDING_MAX = 16,
};

struct lsig_head {
    struct lsig_heads *heads;
    const struct lsig_socket *socket;
    struct lws *wsi;
    struct lsig_head *next;
    struct lsig_head *previous;
    int64_t begun_ms;
    int64_t deadline_ms;
    bool counted; // per address
    bool ending;
};

void lsig_heads_init(struct lsig_heads *heads)
{
    *heads =
        (struct lsig_heads){.places = {.max = HEADS_MAX, .address_max = HEADS_PER_ADDRESS_MAX}};
    lsig_map_init(&heads->places.addresses);
}

void lsig_heads_clear(struct lsig_heads *heads)
{
    assert(heads->first == NULL);
    lsig_admission_clear(&heads->places);
}

bool lsig_heads_take(struct lsig_heads *heads, const char *address)
{
    if (!lsig_admission_take_descriptor(&heads->places)) {
        return false;
    }
    if (address != NULL && !lsig_admission_take_address(&heads->places, address)) {
        lsig_admission_give_descriptor(&heads->places);
        return false;
    }
    return true;
}

void lsig_heads_give(struct lsig_heads *heads, const char *address)
{
    if (address != NULL) {
        lsig_admission_give_address(&heads->places, address);
    }
    lsig_admission_give_descriptor(&heads->places);
    heads->freed = true;
}

void lsig_heads_begin(struct lsig_socket *socket, struct lws *wsi, int64_t deadline_ms)
{
    struct lsig_heads *heads = &socket->net->heads;
    struct lsig_head *head = lsig_alloc(sizeof(*head));
    assert(socket->head == NULL);
    head->heads = heads;
    head->socket = socket;
    head->wsi = wsi;
    head->begun_ms = socket->net->options.flow->now.mono_ms;
    head->deadline_ms = deadline_ms;
    head->counted = socket->counted;
    head->next = heads->first;
    if (head->next != NULL) {
        head->next->previous = head;
    }
    heads->first = head;
    socket->head = head;
}

void lsig_heads_end(struct lsig_socket *socket)
{
    struct lsig_head *head = socket->head;
    if (head == NULL) {
        return;
    }
    struct lsig_heads *heads = head->heads;
    *(head->previous != NULL ? &head->previous->next : &heads->first) = head->next;
    if (head->next != NULL) {
        head->next->previous = head->previous;
    }
    heads->ending -= head->ending ? 1 : 0;
    lsig_heads_give(heads, head->counted ? socket->address : NULL);
    socket->head = NULL;
    free(head);
}

bool lsig_heads_keep(struct lsig_socket *socket, struct lws *wsi)
{
    struct lsig_net *net = socket->net;
    if (!lsig_heads_take(&net->heads, socket->counted ? socket->address : NULL)) {
        return false;
    }
    lsig_heads_begin(socket, wsi, net->options.flow->now.mono_ms + KEPT_MS);
    return true;
}

static void close_head(struct lsig_net *net, struct lsig_head *head)
{
    if (!head->ending) {
        head->ending = true;
        net->heads.ending += 1;
        net->options.metrics->connections_refused += 1;
    }
    lws_set_timeout(head->wsi, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_ASYNC);
    lws_cancel_service(net->lws); // it looks at its times when there is traffic only
}

static bool of_address(const struct lsig_head *head, const char *address)
{
    return head->counted && strcmp(head->socket->address, address) == 0;
}

void lsig_heads_make_room(struct lsig_net *net, const char *address)
{
    int same = 0;
    for (const struct lsig_head *at = net->heads.first; at != NULL; at = at->next) {
        same += address != NULL && of_address(at, address);
    }
    bool own = same >= HEADS_PER_ADDRESS_MAX;
    struct lsig_head *oldest = NULL;
    for (struct lsig_head *at = net->heads.first; at != NULL; at = at->next) {
        if (!at->ending && (!own || of_address(at, address)) &&
            (oldest == NULL || at->begun_ms < oldest->begun_ms)) {
            oldest = at;
        }
    }
    if (oldest != NULL && net->heads.ending < ENDING_MAX &&
        net->options.flow->now.mono_ms - oldest->begun_ms >= GRACE_MS) {
        close_head(net, oldest);
    }
}

void lsig_heads_check_times(struct lsig_net *net)
{
    net->heads.freed = true; // some may be old enough to make room by now
    for (struct lsig_head *at = net->heads.first; at != NULL; at = at->next) {
        if (net->options.flow->now.mono_ms >= at->deadline_ms) {
            close_head(net, at);
        }
    }
}
