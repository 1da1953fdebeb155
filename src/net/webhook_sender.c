#include "net/webhook_sender.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#include "auth/webhook_signature.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "net/webhook_post.h"

enum { REASON_SIZE = 96 };

struct item {
    struct item *next;
    char *id;
    size_t len;
    char body[];
};

enum outcome { DELIVERED, REFUSED, UNAVAILABLE };

struct lsig_webhook_sender {
    pthread_mutex_t lock; // guards what follows, up to stopping
    pthread_cond_t changed;
    struct item *first; // oldest
    struct item **end;
    int64_t queued; // items in the list
    struct lsig_webhook_counts counts;
    bool stopping;
    struct lsig_webhook_sender_options options;
    struct lsig_webhook_post *post;
    struct lsig_webhook_keys keys;
    pthread_t thread;
    // The thread's alone:
    bool failing;           // as the last attempt went
    bool failing_told;      // in the log
    int64_t failing_at_ms;  // when it was told last; monotonic
    int64_t failing_events; // that were lost since
};

static void item_free(struct item *item)
{
    free(item->id);
    free(item);
}

// --- the queue, with the lock held

static struct item *pop(struct lsig_webhook_sender *sender)
{
    struct item *item = sender->first;
    sender->first = item->next;
    if (sender->first == NULL) {
        sender->end = &sender->first;
    }
    sender->queued--;
    return item;
}

static void drop_oldest(struct lsig_webhook_sender *sender)
{
    item_free(pop(sender));
    sender->counts.waiting--;
    sender->counts.dropped++;
}

// --- on the thread

static void count(struct lsig_webhook_sender *sender, int64_t *counter)
{
    pthread_mutex_lock(&sender->lock);
    *counter += 1;
    sender->counts.waiting--;
    pthread_mutex_unlock(&sender->lock);
    sender->options.on_change(sender->options.arg);
}

static bool is_stopping(struct lsig_webhook_sender *sender)
{
    pthread_mutex_lock(&sender->lock);
    bool stopping = sender->stopping;
    pthread_mutex_unlock(&sender->lock);
    return stopping;
}

// Ends early when the sender stops.
static void pause_for(struct lsig_webhook_sender *sender, int64_t ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += ms % 1000 * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&sender->lock);
    int late = 0;
    while (!sender->stopping && late == 0) {
        late = pthread_cond_timedwait(&sender->changed, &sender->lock, &until);
    }
    pthread_mutex_unlock(&sender->lock);
}

static int64_t least(int64_t one, int64_t other)
{
    return one < other ? one : other;
}

static int64_t pause_after(const struct lsig_webhook_sender *sender,
                           int64_t attempt,
                           const struct lsig_webhook_answer *answer)
{
    int64_t pause_ms = sender->options.pause_ms;
    for (int64_t i = 1; i < attempt && pause_ms < LSIG_WEBHOOK_PAUSE_MAX_MS; i++) {
        pause_ms *= 2;
    }
    pause_ms = least(pause_ms, LSIG_WEBHOOK_PAUSE_MAX_MS);
    uint32_t random;
    lsig_random_bytes(&random, sizeof(random));
    pause_ms = pause_ms / 2 + random % (pause_ms / 2 + 1);
    int64_t asked_ms = least(answer->retry_after_s, LSIG_WEBHOOK_RETRY_AFTER_MAX_S) * 1000;
    return asked_ms > pause_ms ? asked_ms : pause_ms;
}

static enum outcome judge(const struct lsig_webhook_answer *answer)
{
    int status = answer->status;
    if (status >= 200 && status <= 299) {
        return DELIVERED;
    }
    return status == 0 || status == 408 || status == 429 || status >= 500 ? UNAVAILABLE : REFUSED;
}

static void tell_failing(struct lsig_webhook_sender *sender,
                         const struct lsig_webhook_answer *answer)
{
    int64_t now_ms = lsig_clock_now().mono_ms;
    sender->failing = true;
    if (sender->failing_at_ms != 0 && now_ms < sender->failing_at_ms + LSIG_WEBHOOK_TELL_AGAIN_MS) {
        return;
    }
    sender->failing_at_ms = now_ms;
    sender->failing_told = true;
    sender->failing_events = 0;
    lsig_log(LSIG_WARNING, "webhook-failing",
             LSIG_LOG_TEXT("host", lsig_webhook_post_host(sender->post)),
             LSIG_LOG_NUMBER("status", answer->status),
             LSIG_LOG_TEXT("reason", answer->fault != NULL ? answer->fault : "see the status"));
}

// Once for each change, not for each event.
static void note_state(struct lsig_webhook_sender *sender,
                       enum outcome outcome,
                       const struct lsig_webhook_answer *answer)
{
    if (outcome != DELIVERED && !sender->failing) {
        tell_failing(sender, answer);
    } else if (outcome == DELIVERED && sender->failing) {
        sender->failing = false;
        if (sender->failing_told) {
            sender->failing_told = false;
            lsig_log(LSIG_INFO, "webhook-working",
                     LSIG_LOG_TEXT("host", lsig_webhook_post_host(sender->post)),
                     LSIG_LOG_NUMBER("failed", sender->failing_events));
        }
    }
}

static void attempt(struct lsig_webhook_sender *sender,
                    const struct item *item,
                    struct lsig_webhook_answer *answer)
{
    char signature[LSIG_WEBHOOK_SIGNATURE_SIZE];
    struct lsig_webhook_request request = {
        .id = item->id,
        .timestamp_s = lsig_clock_now().wall_ms / 1000, // of the attempt, against replays
        .signature = signature,
        .body = {item->body, item->len},
    };
    lsig_webhook_sign(signature, &sender->keys, item->id, request.timestamp_s, request.body);
    lsig_webhook_post_send(sender->post, &request, answer);
}

// False: the sender stops, and there is no use in trying more.
static bool deliver(struct lsig_webhook_sender *sender, const struct item *item)
{
    for (int64_t tries = 1;; tries++) {
        struct lsig_webhook_answer answer;
        attempt(sender, item, &answer);
        enum outcome outcome = judge(&answer);
        bool stopping = is_stopping(sender);
        if (outcome == UNAVAILABLE && stopping) {
            count(sender, &sender->counts.dropped);
            return false;
        }
        note_state(sender, outcome, &answer);
        if (outcome == DELIVERED) {
            count(sender, &sender->counts.delivered);
            return true;
        }
        bool last = outcome == REFUSED || tries == sender->options.attempts;
        if (last) {
            sender->failing_events++;
            count(sender, &sender->counts.failed);
        }
        if (outcome == UNAVAILABLE) {
            pause_for(sender, pause_after(sender, tries, &answer));
        }
        if (last) {
            return true;
        }
    }
}

// NULL: the end.
static struct item *wait_for_item(struct lsig_webhook_sender *sender)
{
    pthread_mutex_lock(&sender->lock);
    while (sender->first == NULL && !sender->stopping) {
        pthread_cond_wait(&sender->changed, &sender->lock);
    }
    struct item *item = sender->first != NULL ? pop(sender) : NULL;
    pthread_mutex_unlock(&sender->lock);
    return item;
}

static void *run(void *arg)
{
    struct lsig_webhook_sender *sender = arg;
    bool on = true;
    struct item *item;
    while (on && (item = wait_for_item(sender)) != NULL) {
        on = deliver(sender, item);
        item_free(item);
    }
    return NULL;
}

// --- on the caller's thread

static void start(struct lsig_webhook_sender *sender)
{
    sigset_t all;
    sigset_t before;
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&sender->lock, NULL);
    pthread_cond_init(&sender->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); // signals are the loop's
    if (pthread_create(&sender->thread, NULL, run, sender) != 0) {
        abort();
    }
    (void)pthread_setname_np(sender->thread, "lsig-webhook");
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

struct lsig_webhook_sender *
lsig_webhook_sender_new(const struct lsig_webhook_sender_options *options, struct lsig_buf *report)
{
    assert(options->waiting_max >= 1 && options->attempts >= 1 && options->pause_ms >= 1);
    struct lsig_webhook_sender *sender = lsig_alloc(sizeof(*sender));
    const char *wrong = lsig_webhook_keys_init(&sender->keys, options->secrets);
    if (wrong != NULL) {
        lsig_buf_append_format(report, "WEBHOOK_SECRET: %s\n", wrong);
        free(sender);
        return NULL;
    }
    lsig_webhook_post_begin();
    sender->post = lsig_webhook_post_new(options->url, options->timeout_ms, report);
    if (sender->post == NULL) {
        lsig_webhook_post_end();
        lsig_webhook_keys_clear(&sender->keys);
        free(sender);
        return NULL;
    }
    sender->options = *options;
    sender->options.url = NULL; // the caller's, and not needed any more
    sender->options.secrets = NULL;
    sender->end = &sender->first;
    start(sender);
    return sender;
}

void lsig_webhook_sender_push(struct lsig_webhook_sender *sender,
                              const char *id,
                              struct lsig_span body)
{
    struct item *item = lsig_alloc(sizeof(*item) + body.len);
    item->id = lsig_strdup(id);
    item->len = body.len;
    memcpy(item->body, body.data, body.len);
    pthread_mutex_lock(&sender->lock);
    *sender->end = item;
    sender->end = &item->next;
    sender->queued++;
    sender->counts.waiting++;
    if (sender->queued > sender->options.waiting_max) {
        drop_oldest(sender);
    }
    pthread_cond_signal(&sender->changed);
    pthread_mutex_unlock(&sender->lock);
}

struct lsig_webhook_counts lsig_webhook_sender_counts(struct lsig_webhook_sender *sender)
{
    pthread_mutex_lock(&sender->lock);
    struct lsig_webhook_counts counts = sender->counts;
    pthread_mutex_unlock(&sender->lock);
    return counts;
}

struct lsig_webhook_counts lsig_webhook_sender_free(struct lsig_webhook_sender *sender,
                                                    int64_t flush_ms)
{
    lsig_webhook_post_end_at(sender->post, lsig_clock_now().mono_ms + flush_ms);
    pthread_mutex_lock(&sender->lock);
    sender->stopping = true;
    pthread_cond_signal(&sender->changed);
    pthread_mutex_unlock(&sender->lock);
    pthread_join(sender->thread, NULL);
    while (sender->first != NULL) {
        drop_oldest(sender);
    }
    struct lsig_webhook_counts counts = sender->counts;
    lsig_webhook_post_free(sender->post);
    lsig_webhook_post_end();
    lsig_webhook_keys_clear(&sender->keys);
    pthread_mutex_destroy(&sender->lock);
    pthread_cond_destroy(&sender->changed);
    free(sender);
    return counts;
}
