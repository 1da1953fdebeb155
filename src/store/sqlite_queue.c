#include "store/sqlite_queue.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

#include "base/alloc.h"
#include "base/log.h"
#include "store/sqlite_records.h"
#include "store/sqlite_store.h"

enum {
    GROUP_MAX = 32, // documents' jobs of one transaction
    GROUP_MS = 10,  // no further one begins later: others wait, too
};

struct lane {
    struct lsig_store_job *first; // waiting
    struct lsig_store_job **end;
    size_t waiting;
};

// The loop's thread owns all of it; the thread of the pool that runs a job has `running` and
// `records` meanwhile.
struct lsig_sqlite_queue {
    uv_loop_t *loop;
    uv_work_t work;
    struct lsig_sqlite_records *records;
    struct lsig_store_job *running; // and those after it: on the pool; NULL: nothing is
    struct lsig_store_job *left;    // of the group that ran: what its time did not suffice for
    struct lane lanes[LSIG_LANE_COUNT];
    enum lsig_store_lane turn; // who comes first when both wait
    enum lsig_status health;   // of the last job
    uint64_t started_ms;       // of the running job
    uint64_t probed_ms;
    bool closing;
    void (*on_freed)(void *arg);
    void *on_freed_arg;
};

static uint64_t now_ms(void)
{
    return uv_hrtime() / 1000000;
}

// ---- on a thread of the pool ----

static void note_error(struct lsig_sqlite_queue *queue, struct lsig_store_job *job)
{
    snprintf(job->error, sizeof(job->error), "%s", lsig_sqlite_records_error(queue->records));
}

static void run_job(struct lsig_sqlite_queue *queue, struct lsig_store_job *job)
{
    job->run(job, queue->records);
    if (job->status == LSIG_INTERNAL_ERROR) {
        note_error(queue, job);
    }
}

// What waits for the disk waits once for all of them.
static void run_group(struct lsig_sqlite_queue *queue)
{
    uint64_t until = now_ms() + GROUP_MS;
    struct lsig_store_job **job = &queue->running;
    lsig_sqlite_records_begin_group(queue->records);
    do {
        run_job(queue, *job);
        job = &(*job)->next;
    } while (*job != NULL && now_ms() <= until);
    queue->left = *job;
    *job = NULL;
    if (lsig_sqlite_records_end_group(queue->records) == LSIG_OK) {
        return;
    }
    for (struct lsig_store_job *each = queue->running; each != NULL; each = each->next) {
        each->status = LSIG_INTERNAL_ERROR;
        note_error(queue, each);
    }
}

static void run_jobs(uv_work_t *work)
{
    struct lsig_sqlite_queue *queue = work->data;
    if (queue->running->next == NULL) {
        run_job(queue, queue->running);
    } else {
        run_group(queue);
    }
}

static void run_probe(struct lsig_store_job *job, void *records)
{
    job->status = lsig_sqlite_records_probe(records);
}

static void run_close(struct lsig_store_job *job, void *records)
{
    lsig_sqlite_records_close(records);
    job->status = LSIG_OK;
}

// ---- on the loop's thread ----

static void on_jobs_done(uv_work_t *work, int result);

static void finish_probe(struct lsig_store_job *job)
{
    free(job);
}

static struct lsig_store_job *own_job_new(void (*run)(struct lsig_store_job *job, void *records))
{
    struct lsig_store_job *job = lsig_alloc(sizeof(*job));
    job->run = run;
    job->finish = finish_probe;
    return job;
}

static void start(struct lsig_sqlite_queue *queue, struct lsig_store_job *job)
{
    queue->running = job;
    queue->started_ms = now_ms();
    if (uv_queue_work(queue->loop, &queue->work, run_jobs, on_jobs_done) != 0) {
        abort();
    }
}

// The first ones, at most `max`, in their order. NULL: none waits.
static struct lsig_store_job *take(struct lane *lane, size_t max)
{
    struct lsig_store_job *first = lane->first;
    struct lsig_store_job **end = &first;
    while (*end != NULL && max > 0) {
        end = &(*end)->next;
        lane->waiting--;
        max--;
    }
    lane->first = *end;
    if (lane->first == NULL) {
        lane->end = &lane->first;
    }
    *end = NULL;
    return first;
}

static void put_back(struct lane *lane, struct lsig_store_job *first)
{
    struct lsig_store_job **end = &first;
    while (*end != NULL) {
        end = &(*end)->next;
        lane->waiting++;
    }
    if (lane->first == NULL && first != NULL) {
        lane->end = end;
    }
    *end = lane->first;
    lane->first = first;
}

static struct lsig_store_job *take_from(struct lsig_sqlite_queue *queue, enum lsig_store_lane lane)
{
    return take(&queue->lanes[lane], lane == LSIG_LANE_DOCUMENTS ? GROUP_MAX : 1);
}

static void start_next(struct lsig_sqlite_queue *queue)
{
    enum lsig_store_lane other =
        queue->turn == LSIG_LANE_ACCOUNTS ? LSIG_LANE_DOCUMENTS : LSIG_LANE_ACCOUNTS;
    struct lsig_store_job *job = take_from(queue, queue->turn);
    if (job != NULL) {
        queue->turn = other;
    } else {
        job = take_from(queue, other);
    }
    if (job == NULL && queue->closing) {
        job = own_job_new(run_close);
    }
    if (job != NULL) {
        start(queue, job);
    }
}

static void close_down(struct lsig_sqlite_queue *queue)
{
    void (*on_freed)(void *arg) = queue->on_freed;
    void *arg = queue->on_freed_arg;
    free(queue->running);
    free(queue);
    if (on_freed != NULL) {
        on_freed(arg);
    }
}

static void note_health(struct lsig_sqlite_queue *queue, const struct lsig_store_job *job)
{
    const struct lsig_store_job *failed = NULL;
    for (; job != NULL; job = job->next) {
        failed = job->status == LSIG_INTERNAL_ERROR ? job : NULL;
    }
    queue->health = LSIG_OK;
    if (failed != NULL) {
        queue->health = LSIG_INTERNAL_ERROR;
        lsig_log(LSIG_ERROR, "database-failed", LSIG_LOG_TEXT("error", failed->error));
    }
}

static void on_jobs_done(uv_work_t *work, int result)
{
    assert(result == 0); // nobody cancels
    (void)result;
    struct lsig_sqlite_queue *queue = work->data;
    struct lsig_store_job *job = queue->running;
    if (job->run == run_close) {
        close_down(queue);
        return;
    }
    put_back(&queue->lanes[LSIG_LANE_DOCUMENTS], queue->left);
    queue->left = NULL;
    queue->running = NULL;
    note_health(queue, job);
    start_next(queue);
    while (job != NULL) {
        struct lsig_store_job *next = job->next;
        job->finish(job);
        job = next;
    }
}

struct lsig_sqlite_queue *lsig_sqlite_queue_new(struct uv_loop_s *loop,
                                                struct lsig_sqlite_records *records)
{
    struct lsig_sqlite_queue *queue = lsig_alloc(sizeof(*queue));
    queue->loop = loop;
    queue->work.data = queue;
    queue->records = records;
    for (int i = 0; i < LSIG_LANE_COUNT; i++) {
        queue->lanes[i].end = &queue->lanes[i].first;
    }
    queue->health = LSIG_OK;
    queue->probed_ms = now_ms();
    return queue;
}

static enum lsig_status check(const void *self, enum lsig_store_lane lane, size_t max)
{
    const struct lsig_sqlite_queue *queue = self;
    return queue->closing ? LSIG_DRAINING : queue->lanes[lane].waiting >= max ? LSIG_BUSY : LSIG_OK;
}

static void add(void *self, enum lsig_store_lane lane, struct lsig_store_job *job)
{
    struct lsig_sqlite_queue *queue = self;
    assert(!queue->closing);
    if (queue->running == NULL) {
        start(queue, job);
        return;
    }
    struct lane *to = &queue->lanes[lane];
    *to->end = job;
    to->end = &job->next;
    to->waiting++;
}

struct lsig_store_queue lsig_sqlite_queue_jobs(struct lsig_sqlite_queue *queue)
{
    return (struct lsig_store_queue){queue, check, add};
}

struct lsig_sqlite_records *lsig_sqlite_queue_records(struct lsig_sqlite_queue *queue)
{
    assert(queue->running == NULL && !queue->closing);
    return queue->records;
}

enum lsig_status lsig_sqlite_queue_ping(struct lsig_sqlite_queue *queue)
{
    uint64_t now = now_ms();
    if (queue->running != NULL) {
        return now - queue->started_ms > LSIG_SQLITE_STORE_STUCK_MS ? LSIG_INTERNAL_ERROR
                                                                    : queue->health;
    }
    if (!queue->closing && now - queue->probed_ms >= LSIG_SQLITE_STORE_PROBE_MS) {
        queue->probed_ms = now;
        start(queue, own_job_new(run_probe));
    }
    return queue->health;
}

void lsig_sqlite_queue_free(struct lsig_sqlite_queue *queue, void (*on_freed)(void *arg), void *arg)
{
    assert(!queue->closing);
    queue->closing = true;
    queue->on_freed = on_freed;
    queue->on_freed_arg = arg;
    if (queue->running == NULL) {
        start_next(queue);
    }
}
