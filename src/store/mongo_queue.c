#include "store/mongo_queue.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/metrics.h"
#include "store/mongo_database.h"
#include "store/mongo_indexes.h"
#include "store/mongo_pool.h"

// A thread, and the jobs that wait for it.
struct worker {
    struct lsig_mongo_queue *queue;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    struct lsig_store_job *first;
    struct lsig_store_job **end;
    bool stop;
};

enum breaker { CLOSED, OPEN, HALF_OPEN };

struct lsig_mongo_queue {
    mongoc_client_pool_t *pool;
    char *name;
    struct lsig_mongo_shared shared;
    atomic_bool away; // for the threads: not CLOSED
    struct worker *workers;
    size_t worker_count;
    size_t account_workers; // the first ones
    pthread_mutex_t mutex;  // of the jobs that have run
    struct lsig_store_job *done;
    struct lsig_store_job **done_end;
    // The loop's thread only.
    uv_async_t async;
    uv_timer_t timer;
    uv_work_t work;
    struct lsig_metrics *metrics;
    size_t waiting[LSIG_LANE_COUNT];
    size_t outstanding; // of all lanes, and probes
    enum breaker breaker;
    int failures;            // in a row
    enum lsig_status health; // of the last job that was run
    bool probing;
    uint64_t probed_ms;
    bool closing;
    bool ending;
    int handles;
    void (*on_freed)(void *arg);
    void *on_freed_arg;
};

static uint64_t now_ms(void)
{
    return uv_hrtime() / 1000000;
}

// ---- on the threads ----

static void run_on_client(struct lsig_mongo_queue *queue, struct lsig_store_job *job)
{
    uint64_t began = now_ms();
    struct lsig_mongo_database database = {
        .client = mongoc_client_pool_pop(queue->pool),
        .shared = &queue->shared,
    };
    job->run(job, &database);
    mongoc_client_pool_push(queue->pool, database.client);
    job->took_ms = (int64_t)(now_ms() - began);
    job->unreachable = job->status == LSIG_INTERNAL_ERROR && database.unreachable;
    if (job->status == LSIG_INTERNAL_ERROR) {
        memcpy(job->error, database.error, sizeof(job->error));
    }
}

static void run_probe(struct lsig_store_job *job, void *arg)
{
    struct lsig_mongo_database *database = arg;
    job->status = lsig_mongo_database_command(database, BCON_NEW("ping", BCON_INT32(1)));
    if (job->status == LSIG_OK && !atomic_load(&database->shared->index_tried)) {
        (void)lsig_mongo_indexes_make(database); // says so where it cannot
    }
}

static void refuse(struct lsig_store_job *job)
{
    job->refused = true;
    job->status = LSIG_INTERNAL_ERROR;
    snprintf(job->error, sizeof(job->error), "MongoDB is away");
}

static void put_done(struct lsig_mongo_queue *queue, struct lsig_store_job *job)
{
    job->next = NULL;
    pthread_mutex_lock(&queue->mutex);
    *queue->done_end = job;
    queue->done_end = &job->next;
    pthread_mutex_unlock(&queue->mutex);
    uv_async_send(&queue->async);
}

// NULL at the end.
static struct lsig_store_job *take(struct worker *worker)
{
    pthread_mutex_lock(&worker->mutex);
    while (worker->first == NULL && !worker->stop) {
        pthread_cond_wait(&worker->wake, &worker->mutex);
    }
    struct lsig_store_job *job = worker->first;
    if (job != NULL) {
        worker->first = job->next;
        if (worker->first == NULL) {
            worker->end = &worker->first;
        }
    }
    pthread_mutex_unlock(&worker->mutex);
    return job;
}

static void *work(void *arg)
{
    struct worker *worker = arg;
    struct lsig_store_job *job;
    while ((job = take(worker)) != NULL) {
        if (job->run != run_probe && atomic_load(&worker->queue->away)) {
            refuse(job);
        } else {
            run_on_client(worker->queue, job);
        }
        put_done(worker->queue, job);
    }
    return NULL;
}

// ---- the breaker, on the loop's thread ----

static void give(struct worker *worker, struct lsig_store_job *job)
{
    worker->queue->outstanding++;
    job->next = NULL;
    pthread_mutex_lock(&worker->mutex);
    *worker->end = job;
    worker->end = &job->next;
    pthread_cond_signal(&worker->wake);
    pthread_mutex_unlock(&worker->mutex);
}

static void finish_probe(struct lsig_store_job *job)
{
    free(job);
}

static void probe(struct lsig_mongo_queue *queue, struct worker *worker)
{
    struct lsig_store_job *job = lsig_alloc(sizeof(*job));
    job->run = run_probe;
    job->finish = finish_probe;
    job->lane = LSIG_LANE_COUNT;
    queue->probing = true;
    queue->probed_ms = now_ms();
    give(worker, job);
}

static void on_pause_over(uv_timer_t *timer)
{
    struct lsig_mongo_queue *queue = timer->data;
    queue->breaker = HALF_OPEN;
    probe(queue, &queue->workers[0]);
}

static void pause_calls(struct lsig_mongo_queue *queue)
{
    queue->breaker = OPEN;
    if (!queue->closing) {
        uv_timer_start(&queue->timer, on_pause_over, LSIG_MONGO_PAUSE_MS, 0);
    }
}

static void open_breaker(struct lsig_mongo_queue *queue, const struct lsig_store_job *job)
{
    lsig_log(LSIG_ERROR, "mongodb-away", LSIG_LOG_TEXT("error", job->error),
             LSIG_LOG_NUMBER("waiting", queue->outstanding));
    atomic_store(&queue->away, true);
    queue->metrics->mongodb_away = 1;
    pause_calls(queue);
}

static void close_breaker(struct lsig_mongo_queue *queue)
{
    lsig_log(LSIG_INFO, "mongodb-back",
             LSIG_LOG_NUMBER("dropped", queue->metrics->mongodb_dropped));
    uv_timer_stop(&queue->timer);
    queue->breaker = CLOSED;
    queue->metrics->mongodb_away = 0;
    atomic_store(&queue->away, false);
}

// What the outcome of a job says of the database.
static void judge(struct lsig_mongo_queue *queue, const struct lsig_store_job *job)
{
    bool is_probe = job->run == run_probe;
    queue->health = job->status == LSIG_INTERNAL_ERROR ? LSIG_INTERNAL_ERROR : LSIG_OK;
    if (job->status == LSIG_INTERNAL_ERROR) {
        queue->metrics->mongodb_failures++;
        if (queue->breaker == CLOSED) {
            lsig_log(LSIG_ERROR, "database-failed", LSIG_LOG_TEXT("error", job->error));
        }
    }
    if (!job->unreachable) {
        queue->failures = 0;
        if (queue->breaker != CLOSED) {
            close_breaker(queue);
        }
        return;
    }
    queue->failures++;
    if (queue->breaker == CLOSED && (is_probe || queue->failures >= LSIG_MONGO_FAILURES_MAX ||
                                     job->took_ms >= LSIG_MONGO_SLOW_MS)) {
        open_breaker(queue, job);
    } else if (queue->breaker == HALF_OPEN && is_probe) {
        pause_calls(queue);
    }
}

// ---- jobs, on the loop's thread ----

static void end(struct lsig_mongo_queue *queue);

static void end_job(struct lsig_mongo_queue *queue, struct lsig_store_job *job)
{
    queue->outstanding--;
    if (job->run == run_probe) {
        queue->probing = false;
    } else {
        queue->waiting[job->lane]--;
        queue->metrics->mongodb_waiting--;
    }
    if (job->refused) {
        queue->metrics->mongodb_dropped++;
    } else {
        judge(queue, job);
    }
    job->finish(job);
}

static void on_done(uv_async_t *async)
{
    struct lsig_mongo_queue *queue = async->data;
    pthread_mutex_lock(&queue->mutex);
    struct lsig_store_job *job = queue->done;
    queue->done = NULL;
    queue->done_end = &queue->done;
    pthread_mutex_unlock(&queue->mutex);
    while (job != NULL) {
        struct lsig_store_job *next = job->next;
        end_job(queue, job);
        job = next;
    }
    if (queue->closing && queue->outstanding == 0) {
        end(queue);
    }
}

static enum lsig_status check(const void *self, enum lsig_store_lane lane, size_t max)
{
    const struct lsig_mongo_queue *queue = self;
    if (queue->closing) {
        return LSIG_DRAINING;
    }
    if (queue->waiting[lane] >= max) {
        queue->metrics->mongodb_dropped++;
        return LSIG_BUSY;
    }
    return LSIG_OK;
}

static void add(void *self, enum lsig_store_lane lane, struct lsig_store_job *job)
{
    struct lsig_mongo_queue *queue = self;
    assert(!queue->closing);
    job->lane = lane;
    queue->waiting[lane]++;
    queue->metrics->mongodb_waiting++;
    if (queue->breaker != CLOSED) {
        queue->outstanding++;
        refuse(job);
        put_done(queue, job);
        return;
    }
    queue->metrics->mongodb_calls++;
    bool accounts = lane == LSIG_LANE_ACCOUNTS;
    size_t first = accounts ? 0 : queue->account_workers;
    size_t count = accounts ? queue->account_workers : queue->worker_count - queue->account_workers;
    give(&queue->workers[first + job->order % count], job);
}

struct lsig_store_queue lsig_mongo_queue_jobs(struct lsig_mongo_queue *queue)
{
    return (struct lsig_store_queue){queue, check, add};
}

void lsig_mongo_queue_run(struct lsig_mongo_queue *queue, struct lsig_store_job *job)
{
    run_on_client(queue, job);
}

enum lsig_status lsig_mongo_queue_ping(struct lsig_mongo_queue *queue)
{
    if (queue->breaker != CLOSED) {
        return LSIG_INTERNAL_ERROR;
    }
    if (!queue->closing && !queue->probing && now_ms() - queue->probed_ms >= LSIG_MONGO_PROBE_MS) {
        probe(queue, &queue->workers[0]);
    }
    return queue->health;
}

// ---- opening and closing ----

// Signals are the loop's.
static void start_threads(struct lsig_mongo_queue *queue)
{
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (size_t i = 0; i < queue->worker_count; i++) {
        struct worker *worker = &queue->workers[i];
        worker->queue = queue;
        worker->end = &worker->first;
        pthread_mutex_init(&worker->mutex, NULL);
        pthread_cond_init(&worker->wake, NULL);
        if (pthread_create(&worker->thread, NULL, work, worker) != 0) {
            abort();
        }
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

enum lsig_status lsig_mongo_queue_open(struct lsig_mongo_queue **queue_out,
                                       struct uv_loop_s *loop,
                                       const struct lsig_mongo_options *options,
                                       char error[LSIG_MONGO_ERROR_SIZE])
{
    int64_t pool_max = 0;
    int64_t pool_min = 0;
    *queue_out = NULL;
    mongoc_client_pool_t *pool = lsig_mongo_pool_open(options, &pool_max, &pool_min, error);
    if (pool == NULL) {
        return LSIG_INTERNAL_ERROR;
    }
    struct lsig_mongo_queue *queue = lsig_alloc(sizeof(*queue));
    queue->pool = pool;
    queue->name = lsig_strdup(options->database);
    queue->shared.name = queue->name;
    queue->metrics = options->metrics;
    queue->done_end = &queue->done;
    queue->health = LSIG_OK;
    pthread_mutex_init(&queue->mutex, NULL);
    pthread_mutex_init(&queue->shared.index_mutex, NULL);
    uv_async_init(loop, &queue->async, on_done);
    uv_timer_init(loop, &queue->timer);
    queue->async.data = queue;
    queue->timer.data = queue;
    queue->handles = 2;
    queue->worker_count = (size_t)pool_max;
    queue->account_workers = (queue->worker_count + 3) / 4;
    queue->workers = lsig_alloc(queue->worker_count * sizeof(queue->workers[0]));
    start_threads(queue);
    for (size_t i = 0; i < queue->worker_count && (int64_t)i < pool_min; i++) {
        probe(queue, &queue->workers[i]);
    }
    *queue_out = queue;
    return LSIG_OK;
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct lsig_mongo_queue *queue = handle->data;
    if (--queue->handles > 0) {
        return;
    }
    void (*on_freed)(void *arg) = queue->on_freed;
    void *arg = queue->on_freed_arg;
    pthread_mutex_destroy(&queue->mutex);
    pthread_mutex_destroy(&queue->shared.index_mutex);
    free(queue->workers);
    free(queue->name);
    free(queue);
    if (on_freed != NULL) {
        on_freed(arg);
    }
}

static void on_ended(uv_work_t *uv_work, int result)
{
    struct lsig_mongo_queue *queue = uv_work->data;
    (void)result;
    uv_close((uv_handle_t *)&queue->async, on_handle_closed);
    uv_close((uv_handle_t *)&queue->timer, on_handle_closed);
}

// Closing connections, and the driver's own threads, may take as long as a connection.
static void end_threads(uv_work_t *uv_work)
{
    struct lsig_mongo_queue *queue = uv_work->data;
    for (size_t i = 0; i < queue->worker_count; i++) {
        struct worker *worker = &queue->workers[i];
        pthread_mutex_lock(&worker->mutex);
        worker->stop = true;
        pthread_cond_signal(&worker->wake);
        pthread_mutex_unlock(&worker->mutex);
        pthread_join(worker->thread, NULL);
        pthread_mutex_destroy(&worker->mutex);
        pthread_cond_destroy(&worker->wake);
    }
    mongoc_client_pool_destroy(queue->pool);
}

static void end(struct lsig_mongo_queue *queue)
{
    if (queue->ending) {
        return;
    }
    queue->ending = true;
    queue->work.data = queue;
    if (uv_queue_work(queue->async.loop, &queue->work, end_threads, on_ended) != 0) {
        abort();
    }
}

void lsig_mongo_queue_free(struct lsig_mongo_queue *queue, void (*on_freed)(void *arg), void *arg)
{
    assert(!queue->closing);
    queue->closing = true;
    queue->on_freed = on_freed;
    queue->on_freed_arg = arg;
    uv_timer_stop(&queue->timer);
    if (queue->outstanding == 0) {
        end(queue);
    }
}
