#include "auth/password.h"

#include <assert.h>
#include <crypt.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <uv.h>

#include "base/alloc.h"
#include "base/random.h"

enum {
    THREADS_MAX = 16,
    COST_MIN = 4,
    COST_MAX = 16,
    BCRYPT_INPUT_MAX = 72,
    BCRYPT_SALT_LEN = 29, // $2b$12$ and 22 characters
    BCRYPT_LEN = 60,
    SALT_BYTES = 16,
    THREAD_NICE = 5, // the loop goes first where cores are few
};

struct job {
    struct job *next;
    bool check;
    char password[BCRYPT_INPUT_MAX + 1];
    char
        hash[BCRYPT_LEN + 1]; // check: what to compare with; hash: first the salt, then the outcome
    bool possible;            // check: the stored hash was a bcrypt hash
    bool match;
    bool failed;
    struct lsig_password_call call;
};

struct queue {
    struct job *first;
    struct job **end; // of the list: where the next one goes
    size_t count;
};

struct lsig_passwords {
    pthread_mutex_t lock; // guards waiting, done, stopping
    pthread_cond_t changed;
    struct queue waiting;
    struct queue done;
    bool stopping;
    pthread_t threads[THREADS_MAX];
    unsigned thread_count;
    unsigned cost;
    size_t accepted; // jobs without their callback yet; the loop's thread only
    struct lsig_metrics *metrics;
    uv_async_t finished;
    char dummy[BCRYPT_LEN + 1];
};

static const char bcrypt_alphabet[] =
    "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

static void queue_init(struct queue *queue)
{
    queue->first = NULL;
    queue->end = &queue->first;
    queue->count = 0;
}

static void queue_push(struct queue *queue, struct job *job)
{
    job->next = NULL;
    *queue->end = job;
    queue->end = &job->next;
    queue->count++;
}

static struct job *queue_pop(struct queue *queue)
{
    struct job *job = queue->first;
    if (job == NULL) {
        return NULL;
    }
    queue->first = job->next;
    queue->count--;
    if (queue->first == NULL) {
        queue->end = &queue->first;
    }
    return job;
}

static void job_free(struct job *job)
{
    explicit_bzero(job, sizeof(*job));
    free(job);
}

// ---- on the threads ----

static void job_run(struct job *job, struct crypt_data *scratch)
{
    const char *outcome = crypt_rn(job->password, job->hash, scratch, (int)sizeof(*scratch));
    job->failed = outcome == NULL || strlen(outcome) != BCRYPT_LEN;
    if (!job->failed && job->check) {
        // Without the salt, whose last character older libraries wrote with bits to spare.
        job->match = CRYPTO_memcmp(outcome + BCRYPT_SALT_LEN, job->hash + BCRYPT_SALT_LEN,
                                   BCRYPT_LEN - BCRYPT_SALT_LEN) == 0 &&
                     job->possible;
    } else if (!job->failed) {
        memcpy(job->hash, outcome, BCRYPT_LEN + 1);
    }
    explicit_bzero(job->password, sizeof(job->password));
    explicit_bzero(scratch, sizeof(*scratch));
}

static void *work(void *arg)
{
    struct lsig_passwords *passwords = arg;
    (void)setpriority(PRIO_PROCESS, (id_t)gettid(), THREAD_NICE);
    struct crypt_data *scratch = lsig_alloc(sizeof(*scratch));
    pthread_mutex_lock(&passwords->lock);
    while (!passwords->stopping) {
        struct job *job = queue_pop(&passwords->waiting);
        if (job == NULL) {
            pthread_cond_wait(&passwords->changed, &passwords->lock);
            continue;
        }
        pthread_mutex_unlock(&passwords->lock);
        job_run(job, scratch);
        pthread_mutex_lock(&passwords->lock);
        queue_push(&passwords->done, job);
        uv_async_send(&passwords->finished);
    }
    pthread_mutex_unlock(&passwords->lock);
    free(scratch);
    return NULL;
}

// ---- on the loop's thread ----

static void count_accepted(struct lsig_passwords *passwords, size_t accepted)
{
    passwords->accepted = accepted;
    if (passwords->metrics != NULL) {
        passwords->metrics->passwords_waiting = (int64_t)accepted;
    }
}

// Calls back for every job of the list, which may push new ones meanwhile.
static void call_back(struct lsig_passwords *passwords, struct job *job, bool draining)
{
    while (job != NULL) {
        struct job *next = job->next;
        struct lsig_password_result result = {
            .status = draining      ? LSIG_DRAINING
                      : job->failed ? LSIG_INTERNAL_ERROR
                                    : LSIG_OK,
        };
        if (result.status == LSIG_OK) {
            result.match = job->match;
            result.hash = job->check ? NULL : job->hash;
        }
        count_accepted(passwords, passwords->accepted - 1);
        job->call.on_done(job->call.arg, &result);
        job_free(job);
        job = next;
    }
}

static void on_finished(uv_async_t *async)
{
    struct lsig_passwords *passwords = async->data;
    pthread_mutex_lock(&passwords->lock);
    struct job *done = passwords->done.first;
    queue_init(&passwords->done);
    pthread_mutex_unlock(&passwords->lock);
    call_back(passwords, done, false);
}

static void make_salt(unsigned cost, char out[BCRYPT_LEN + 1])
{
    char random[SALT_BYTES];
    lsig_random_bytes(random, sizeof(random));
    if (crypt_gensalt_rn("$2b$", cost, random, sizeof(random), out, BCRYPT_LEN + 1) == NULL) {
        abort(); // the library was built without bcrypt: nothing of this would work
    }
    explicit_bzero(random, sizeof(random));
}

// A salt and 31 random characters where the hash stands: 184 bits that no password is going to
// meet.
static void make_dummy(unsigned cost, char out[BCRYPT_LEN + 1])
{
    make_salt(cost, out);
    unsigned char random[BCRYPT_LEN - BCRYPT_SALT_LEN];
    lsig_random_bytes(random, sizeof(random));
    for (size_t i = 0; i < sizeof(random); i++) {
        out[BCRYPT_SALT_LEN + i] = bcrypt_alphabet[random[i] % 64];
    }
    out[BCRYPT_LEN] = '\0';
}

static void start_threads(struct lsig_passwords *passwords, unsigned threads)
{
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); // signals are the loop's
    for (unsigned i = 0; i < threads; i++) {
        if (pthread_create(&passwords->threads[i], NULL, work, passwords) != 0) {
            abort();
        }
        passwords->thread_count++;
        (void)pthread_setname_np(passwords->threads[i], "lsig-password");
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

struct lsig_passwords *lsig_passwords_new(struct uv_loop_s *loop,
                                          unsigned threads,
                                          unsigned cost,
                                          struct lsig_metrics *metrics)
{
    assert(threads >= 1 && threads <= THREADS_MAX);
    assert(cost >= COST_MIN && cost <= COST_MAX);
    struct lsig_passwords *passwords = lsig_alloc(sizeof(*passwords));
    queue_init(&passwords->waiting);
    queue_init(&passwords->done);
    passwords->cost = cost;
    passwords->metrics = metrics;
    make_dummy(cost, passwords->dummy);
    pthread_mutex_init(&passwords->lock, NULL);
    pthread_cond_init(&passwords->changed, NULL);
    if (uv_async_init(loop, &passwords->finished, on_finished) != 0) {
        abort();
    }
    passwords->finished.data = passwords;
    start_threads(passwords, threads);
    return passwords;
}

static void on_closed(uv_handle_t *handle)
{
    struct lsig_passwords *passwords = handle->data;
    pthread_mutex_destroy(&passwords->lock);
    pthread_cond_destroy(&passwords->changed);
    free(passwords);
}

void lsig_passwords_free(struct lsig_passwords *passwords)
{
    if (passwords == NULL) {
        return;
    }
    pthread_mutex_lock(&passwords->lock);
    passwords->stopping = true;
    pthread_cond_broadcast(&passwords->changed);
    pthread_mutex_unlock(&passwords->lock);
    for (unsigned i = 0; i < passwords->thread_count; i++) {
        pthread_join(passwords->threads[i], NULL);
    }
    call_back(passwords, passwords->done.first, true);
    call_back(passwords, passwords->waiting.first, true);
    assert(passwords->accepted == 0);
    uv_close((uv_handle_t *)&passwords->finished, on_closed);
}

// Takes the job over, or frees it.
static enum lsig_status push(struct lsig_passwords *passwords, struct job *job)
{
    pthread_mutex_lock(&passwords->lock);
    enum lsig_status status = LSIG_OK;
    if (passwords->stopping) {
        status = LSIG_DRAINING;
    } else if (passwords->waiting.count == LSIG_PASSWORDS_WAITING_MAX) {
        status = LSIG_BUSY;
    } else {
        queue_push(&passwords->waiting, job);
        pthread_cond_signal(&passwords->changed);
    }
    pthread_mutex_unlock(&passwords->lock);
    if (status != LSIG_OK) {
        job_free(job);
        return status;
    }
    count_accepted(passwords, passwords->accepted + 1);
    return LSIG_OK;
}

static struct job *job_new(struct lsig_span password, struct lsig_password_call call)
{
    assert(call.on_done != NULL);
    struct job *job = lsig_alloc(sizeof(*job));
    size_t len = password.len < BCRYPT_INPUT_MAX ? password.len : BCRYPT_INPUT_MAX;
    if (len > 0) {
        memcpy(job->password, password.data, len);
    }
    job->call = call;
    return job;
}

static bool has_nul(struct lsig_span password)
{
    return password.len > 0 && memchr(password.data, '\0', password.len) != NULL;
}

enum lsig_status lsig_passwords_hash(struct lsig_passwords *passwords,
                                     struct lsig_span password,
                                     struct lsig_password_call call)
{
    if (password.len > BCRYPT_INPUT_MAX || has_nul(password)) {
        return LSIG_INVALID_MESSAGE;
    }
    struct job *job = job_new(password, call);
    make_salt(passwords->cost, job->hash);
    return push(passwords, job);
}

// $2b$12$ and 53 characters, of a cost that ends in reasonable time.
static bool is_bcrypt(const char *hash)
{
    if (strlen(hash) != BCRYPT_LEN || strncmp(hash, "$2", 2) != 0 || hash[3] != '$' ||
        hash[6] != '$' || (hash[2] != 'a' && hash[2] != 'b' && hash[2] != 'y')) {
        return false;
    }
    if (hash[4] < '0' || hash[4] > '9' || hash[5] < '0' || hash[5] > '9') {
        return false;
    }
    if (strspn(hash + 7, bcrypt_alphabet) != BCRYPT_LEN - 7) {
        return false;
    }
    int cost = 10 * (hash[4] - '0') + hash[5] - '0';
    return cost >= COST_MIN && cost <= COST_MAX;
}

enum lsig_status lsig_passwords_check(struct lsig_passwords *passwords,
                                      struct lsig_span password,
                                      const char *hash,
                                      struct lsig_password_call call)
{
    if (password.len > LSIG_PASSWORD_INPUT_MAX || has_nul(password)) {
        return LSIG_INVALID_MESSAGE;
    }
    struct job *job = job_new(password, call);
    job->check = true;
    job->possible = is_bcrypt(hash);
    memcpy(job->hash, job->possible ? hash : passwords->dummy, BCRYPT_LEN + 1);
    return push(passwords, job);
}

const char *lsig_passwords_dummy(const struct lsig_passwords *passwords)
{
    return passwords->dummy;
}
