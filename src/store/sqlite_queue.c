#include "store/sqlite_queue.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

#include "base/alloc.h"
#include "base/log.h"
#include "store/sqlite_records.h"
#include "store/sqlite_store.h"

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
    struct lsig_store_job *running; // NULL: nothing is on the pool
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

static void run_job(uv_work_t *work)
{
    struct lsig_sqlite_queue *queue = work->data;
    struct lsig_store_job *job = queue->running;
    job->run(job, queue->records);
    if (job->status == LSIG_INTERNAL_ERROR) {
        snprintf(job->error, sizeof(job->error), "%s", lsig_sqlite_records_error(queue->records));
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

static void on_job_done(uv_work_t *work, int result);

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
    if (uv_queue_work(queue->loop, &queue->work, run_job, on_job_done) != 0) {
        abort();
    }
}

static struct lsig_store_job *take(struct lane *lane)
{
    struct lsig_store_job *job = lane->first;
    if (job != NULL) {
        lane->first = job->next;
        if (lane->first == NULL) {
            lane->end = &lane->first;
        }
        lane->waiting--;
    }
    return job;
}

static void start_next(struct lsig_sqlite_queue *queue)
{
    enum lsig_store_lane other =
        queue->turn == LSIG_LANE_ACCOUNTS ? LSIG_LANE_DOCUMENTS : LSIG_LANE_ACCOUNTS;
    struct lsig_store_job *job = take(&queue->lanes[queue->turn]);
    if (job != NULL) {
        queue->turn = other;
    } else {
        job = take(&queue->lanes[other]);
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

static void on_job_done(uv_work_t *work, int result)
{
    assert(result == 0); // nobody cancels
    (void)result;
    struct lsig_sqlite_queue *queue = work->data;
    struct lsig_store_job *job = queue->running;
    if (job->run == run_close) {
        close_down(queue);
        return;
    }
    queue->running = NULL;
    queue->health = LSIG_OK;
    if (job->status == LSIG_INTERNAL_ERROR) {
        queue->health = LSIG_INTERNAL_ERROR;
        lsig_log(LSIG_ERROR, "database-failed", LSIG_LOG_TEXT("error", job->error));
    }
    start_next(queue);
    job->finish(job);
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
