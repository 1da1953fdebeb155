#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "net/webhook_sender.h"

#define SECRET "0123456789abcdef0123456789abcdef"
#define OK "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

enum { DEADLINE_MS = 20000, PAUSE_MS = 2, REQUEST_MAX = 8192 };

// An address that the test itself serves, request by request; and what the sender has counted.
struct fixture {
    int listener;
    int peer; // -1: no connection
    char url[64];
    char request[REQUEST_MAX];
    struct lsig_webhook_sender_options options;
    struct lsig_webhook_sender *sender;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int64_t changes;
};

static void on_change(void *arg)
{
    struct fixture *f = arg;
    pthread_mutex_lock(&f->lock);
    f->changes++;
    pthread_cond_signal(&f->changed);
    pthread_mutex_unlock(&f->lock);
}

static int set_up(void **state)
{
    struct fixture *f = lsig_alloc(sizeof(*f));
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    f->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(f->listener, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(f->listener, 8), 0);
    assert_int_equal(getsockname(f->listener, (struct sockaddr *)&address, &len), 0);
    snprintf(f->url, sizeof(f->url), "http://127.0.0.1:%d/hook", ntohs(address.sin_port));
    f->peer = -1;
    pthread_mutex_init(&f->lock, NULL);
    pthread_cond_init(&f->changed, NULL);
    f->options = (struct lsig_webhook_sender_options){
        .url = f->url,
        .secrets = SECRET,
        .waiting_max = 10,
        .timeout_ms = DEADLINE_MS,
        .attempts = 3,
        .pause_ms = PAUSE_MS,
        .on_change = on_change,
        .arg = f,
    };
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    if (f->sender != NULL) {
        lsig_webhook_sender_free(f->sender, 0);
    }
    if (f->peer >= 0) {
        close(f->peer);
    }
    if (f->listener >= 0) {
        close(f->listener);
    }
    free(f);
    return 0;
}

static void start(struct fixture *f)
{
    struct lsig_buf report;
    lsig_buf_init(&report, 1024);
    f->sender = lsig_webhook_sender_new(&f->options, &report);
    assert_non_null(f->sender);
    lsig_buf_clear(&report);
}

static void refuse_connections(struct fixture *f)
{
    close(f->listener);
    f->listener = -1;
}

static void push(struct fixture *f, int n)
{
    char text[32];
    snprintf(text, sizeof(text), "{\"n\":%d}", n);
    lsig_webhook_sender_push(f->sender, "a-1", lsig_span_of(text));
}

// Waits until so many events have been delivered, or have failed.
static void wait_for(struct fixture *f, int64_t ended)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += DEADLINE_MS / 1000;
    pthread_mutex_lock(&f->lock);
    while (f->changes < ended) {
        assert_int_equal(pthread_cond_timedwait(&f->changed, &f->lock, &until), 0);
    }
    pthread_mutex_unlock(&f->lock);
}

static void ready(int fd)
{
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    assert_int_equal(poll(&wait, 1, DEADLINE_MS), 1);
}

// Reads one request, over the connection there is or a new one. Returns its `n`.
static int take(struct fixture *f)
{
    size_t len = 0;
    for (;;) {
        if (f->peer < 0) {
            ready(f->listener);
            f->peer = accept(f->listener, NULL, NULL);
            assert_true(f->peer >= 0);
        }
        ready(f->peer);
        ssize_t got = recv(f->peer, f->request + len, sizeof(f->request) - 1 - len, 0);
        if (got <= 0) {
            assert_int_equal(len, 0);
            close(f->peer);
            f->peer = -1;
            continue;
        }
        len += (size_t)got;
        f->request[len] = '\0';
        const char *body = strstr(f->request, "\r\n\r\n{\"n\":");
        if (body != NULL && strchr(body, '}') != NULL) {
            return atoi(body + 9);
        }
    }
}

static void answer(struct fixture *f, const char *text)
{
    assert_int_equal(send(f->peer, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

static void assert_counts(struct fixture *f, int64_t delivered, int64_t failed, int64_t dropped)
{
    struct lsig_webhook_counts counts = lsig_webhook_sender_counts(f->sender);
    assert_int_equal(counts.delivered, delivered);
    assert_int_equal(counts.failed, failed);
    assert_int_equal(counts.dropped, dropped);
}

static void events_come_in_order_over_one_connection(void **state)
{
    struct fixture *f = *state;
    start(f);
    for (int n = 1; n <= 5; n++) {
        push(f, n);
    }
    assert_int_equal(take(f), 1);
    int peer = f->peer;
    for (int n = 2; n <= 5; n++) {
        answer(f, OK);
        assert_int_equal(take(f), n);
        assert_int_equal(f->peer, peer);
    }
    answer(f, OK);
    wait_for(f, 5);
    assert_counts(f, 5, 0, 0);
}

static void what_fails_is_tried_again_before_the_next_one(void **state)
{
    struct fixture *f = *state;
    static const char *const statuses[] = {"500 No", "429 Later", "408 Late", "503 Busy"};
    f->options.attempts = 5;
    start(f);
    push(f, 1);
    push(f, 2);
    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
        char text[128];
        snprintf(text, sizeof(text), "HTTP/1.1 %s\r\nContent-Length: 0\r\n\r\n", statuses[i]);
        assert_int_equal(take(f), 1);
        answer(f, text);
    }
    assert_int_equal(take(f), 1);
    answer(f, OK);
    assert_int_equal(take(f), 2);
    answer(f, OK);
    wait_for(f, 2);
    assert_counts(f, 2, 0, 0);
}

static void what_is_refused_is_not_tried_again(void **state)
{
    struct fixture *f = *state;
    static const char *const statuses[] = {
        "400 Bad", "401 Who", "404 Where", "410 Gone", "302 There\r\nLocation: /other", "304 Old"};
    int count = (int)(sizeof(statuses) / sizeof(statuses[0]));
    start(f);
    for (int n = 0; n < count; n++) {
        push(f, n);
    }
    for (int n = 0; n < count; n++) {
        char text[128];
        snprintf(text, sizeof(text), "HTTP/1.1 %s\r\nContent-Length: 0\r\n\r\n", statuses[n]);
        assert_int_equal(take(f), n);
        answer(f, text);
    }
    wait_for(f, count);
    assert_counts(f, 0, count, 0);
}

static void an_address_that_is_not_there_is_given_up_after_the_attempts(void **state)
{
    struct fixture *f = *state;
    refuse_connections(f);
    start(f);
    push(f, 1);
    push(f, 2);
    wait_for(f, 2);
    assert_counts(f, 0, 2, 0);
}

static void a_retry_after_makes_the_pause_longer(void **state)
{
    struct fixture *f = *state;
    start(f);
    push(f, 1);
    take(f);
    int64_t before = lsig_clock_now().mono_ms;
    answer(f, "HTTP/1.1 503 Busy\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n");
    take(f);
    assert_true(lsig_clock_now().mono_ms - before >= 900);
    answer(f, OK);
    wait_for(f, 1);
}

static void at_the_bound_the_oldest_is_dropped(void **state)
{
    struct fixture *f = *state;
    f->options.waiting_max = 2;
    start(f);
    push(f, 1);
    assert_int_equal(take(f), 1); // it is being delivered: 2 and 3 are dropped
    for (int n = 2; n <= 5; n++) {
        push(f, n);
    }
    assert_counts(f, 0, 0, 2);
    assert_int_equal(lsig_webhook_sender_counts(f->sender).waiting, 3);
    answer(f, OK);
    assert_int_equal(take(f), 4);
    answer(f, OK);
    assert_int_equal(take(f), 5);
    answer(f, OK);
    wait_for(f, 3);
    assert_counts(f, 3, 0, 2);
    assert_int_equal(lsig_webhook_sender_counts(f->sender).waiting, 0);
}

static void an_endless_answer_counts_by_its_status(void **state)
{
    struct fixture *f = *state;
    static char much[65536];
    memset(much, 'x', sizeof(much) - 1);
    start(f);
    push(f, 1);
    take(f);
    answer(f, "HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n");
    while (send(f->peer, much, sizeof(much) - 1, MSG_NOSIGNAL) > 0) {
    }
    wait_for(f, 1);
    assert_counts(f, 1, 0, 0);
}

static void a_hung_address_holds_the_end_for_the_flush_and_no_longer(void **state)
{
    struct fixture *f = *state;
    start(f);
    push(f, 1);
    push(f, 2);
    take(f); // and no answer
    int64_t before = lsig_clock_now().mono_ms;
    struct lsig_webhook_counts counts = lsig_webhook_sender_free(f->sender, 100);
    int64_t took = lsig_clock_now().mono_ms - before;
    f->sender = NULL;
    assert_in_range(took, 100, 2000);
    assert_int_equal(counts.dropped, 2);
    assert_int_equal(counts.waiting, 0);
}

static void an_address_that_fails_does_not_hold_the_end(void **state)
{
    struct fixture *f = *state;
    refuse_connections(f);
    f->options.attempts = 20;
    f->options.pause_ms = 30000;
    start(f);
    push(f, 1);
    int64_t before = lsig_clock_now().mono_ms;
    struct lsig_webhook_counts counts = lsig_webhook_sender_free(f->sender, 10000);
    f->sender = NULL;
    assert_in_range(lsig_clock_now().mono_ms - before, 0, 5000);
    assert_int_equal(counts.dropped, 1);
}

static void *serve_all(void *arg)
{
    struct fixture *f = arg;
    for (int n = 1; n <= 3; n++) {
        assert_int_equal(take(f), n);
        answer(f, OK);
    }
    return NULL;
}

static void what_waits_is_delivered_before_the_end(void **state)
{
    struct fixture *f = *state;
    pthread_t server;
    start(f);
    for (int n = 1; n <= 3; n++) {
        push(f, n);
    }
    assert_int_equal(pthread_create(&server, NULL, serve_all, f), 0);
    struct lsig_webhook_counts counts = lsig_webhook_sender_free(f->sender, DEADLINE_MS);
    f->sender = NULL;
    pthread_join(server, NULL);
    assert_int_equal(counts.delivered, 3);
    assert_int_equal(counts.dropped, 0);
}

static void what_is_no_address_is_told_without_the_address(void **state)
{
    struct fixture *f = *state;
    struct lsig_buf report;
    lsig_buf_init(&report, 1024);
    f->options.url = "http://ann:secret@:x/";
    assert_null(lsig_webhook_sender_new(&f->options, &report));
    assert_non_null(strstr(report.data, "WEBHOOK_URL: this is no address"));
    assert_null(strstr(report.data, "secret"));
    lsig_buf_clear(&report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define SENDER_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        SENDER_TEST(events_come_in_order_over_one_connection),
        SENDER_TEST(what_fails_is_tried_again_before_the_next_one),
        SENDER_TEST(what_is_refused_is_not_tried_again),
        SENDER_TEST(an_address_that_is_not_there_is_given_up_after_the_attempts),
        SENDER_TEST(a_retry_after_makes_the_pause_longer),
        SENDER_TEST(at_the_bound_the_oldest_is_dropped),
        SENDER_TEST(an_endless_answer_counts_by_its_status),
        SENDER_TEST(a_hung_address_holds_the_end_for_the_flush_and_no_longer),
        SENDER_TEST(an_address_that_fails_does_not_hold_the_end),
        SENDER_TEST(what_waits_is_delivered_before_the_end),
        SENDER_TEST(what_is_no_address_is_told_without_the_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
