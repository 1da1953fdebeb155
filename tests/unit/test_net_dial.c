#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "net/dial.h"

enum { HEAD_SIZE = 8192, DEADLINE_MS = 10000, FRAME_SIZE = 128 * 1024 };

// A server of one connection: what a test's function does there, in a thread.
struct fixture {
    int listener;
    int peer;
    char url[64];
    char head[HEAD_SIZE]; // of the request
    void (*serve)(struct fixture *f);
    pthread_t thread;
    bool serves;
    struct lsig_dialer *dialer;
    struct lsig_dial_answer answer;
    unsigned char frame[FRAME_SIZE]; // that the server has read, unmasked
    size_t frame_len;
    int opcode;
    int last_error;
};

// --- the server's side

static void read_head(struct fixture *f)
{
    size_t len = 0;
    while (len + 1 < sizeof(f->head) && strstr(f->head, "\r\n\r\n") == NULL) {
        ssize_t got = read(f->peer, f->head + len, 1);
        assert_true(got == 1);
        f->head[++len] = '\0';
    }
}

static void write_bytes(struct fixture *f, const void *bytes, size_t len)
{
    assert_int_equal(send(f->peer, bytes, len, MSG_NOSIGNAL), (ssize_t)len);
}

static void write_text(struct fixture *f, const char *text)
{
    write_bytes(f, text, strlen(text));
}

static void accept_upgrade(struct fixture *f)
{
    char text[256];
    unsigned char digest[SHA_DIGEST_LENGTH];
    char accept[64];
    const char *key = strstr(f->head, "Sec-WebSocket-Key: ") + strlen("Sec-WebSocket-Key: ");
    int len = snprintf(text, sizeof(text), "%.24s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key);
    SHA1((const unsigned char *)text, (size_t)len, digest);
    EVP_EncodeBlock((unsigned char *)accept, digest, sizeof(digest));
    snprintf(text, sizeof(text),
             "HTTP/1.1 101 Fine\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: %s\r\n\r\n", accept);
    write_text(f, text);
}

static bool read_bytes(struct fixture *f, unsigned char *out, size_t len)
{
    while (len > 0) {
        ssize_t got = read(f->peer, out, len);
        f->last_error = got < 0 ? errno : 0;
        if (got <= 0) {
            return false;
        }
        out += got;
        len -= (size_t)got;
    }
    return true;
}

// A masked frame of the client, unmasked.
static void read_frame(struct fixture *f)
{
    unsigned char head[8];
    unsigned char mask[4];
    assert_true(read_bytes(f, head, 2));
    f->opcode = head[0] & 0x0f;
    assert_int_equal(head[0] & 0x80, 0x80);
    assert_int_equal(head[1] & 0x80, 0x80);
    f->frame_len = head[1] & 0x7f;
    size_t more = f->frame_len == 126 ? 2 : f->frame_len == 127 ? 8 : 0;
    if (more > 0) {
        assert_true(read_bytes(f, head, more));
        f->frame_len = 0;
        for (size_t i = 0; i < more; i++) {
            f->frame_len = f->frame_len << 8 | head[i];
        }
    }
    assert_true(f->frame_len < FRAME_SIZE && read_bytes(f, mask, 4));
    assert_true(read_bytes(f, f->frame, f->frame_len));
    for (size_t i = 0; i < f->frame_len; i++) {
        f->frame[i] ^= mask[i % 4];
    }
    f->frame[f->frame_len] = '\0';
}

static void *serve(void *arg)
{
    struct fixture *f = arg;
    f->peer = accept(f->listener, NULL, NULL);
    read_head(f);
    f->serve(f);
    close(f->peer);
    return NULL;
}

// --- the test's side

static int set_up(void **state)
{
    struct fixture *f = lsig_alloc(sizeof(*f));
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    struct lsig_buf report;
    f->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(f->listener, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(f->listener, 8), 0);
    assert_int_equal(getsockname(f->listener, (struct sockaddr *)&address, &len), 0);
    snprintf(f->url, sizeof(f->url), "ws://127.0.0.1:%d/base/", ntohs(address.sin_port));
    lsig_buf_init(&report, 1000);
    f->dialer = lsig_dialer_new(f->url, &report);
    assert_non_null(f->dialer);
    lsig_buf_init(&f->answer.head, LSIG_DIAL_ANSWER_MAX);
    lsig_buf_init(&f->answer.body, LSIG_DIAL_ANSWER_MAX);
    *state = f;
    return 0;
}

static void finish(struct fixture *f)
{
    if (f->serves) {
        pthread_join(f->thread, NULL);
        f->serves = false;
    }
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    finish(f);
    lsig_dialer_free(f->dialer);
    lsig_buf_clear(&f->answer.head);
    lsig_buf_clear(&f->answer.body);
    close(f->listener);
    free(f);
    return 0;
}

static void begin(struct fixture *f, void (*function)(struct fixture *f))
{
    f->serve = function;
    f->serves = true;
    assert_int_equal(pthread_create(&f->thread, NULL, serve, f), 0);
}

static struct lsig_dial *dial(struct fixture *f)
{
    static const char *const headers[] = {"Authorization: Bearer abc", NULL};
    const struct lsig_dial_request request = {.path = "/room?x=1", .headers = headers};
    return lsig_dial_open(f->dialer, &request, &f->answer);
}

static struct lsig_dial_news await(struct fixture *f, struct lsig_dial *it)
{
    int64_t until_ms = lsig_clock_now().mono_ms + DEADLINE_MS;
    struct lsig_dial_news news = lsig_dial_next(it);
    while (news.kind == LSIG_DIAL_NOTHING) {
        assert_true(lsig_clock_now().mono_ms < until_ms);
        lsig_dialer_wait(f->dialer, 1000);
        news = lsig_dial_next(it);
    }
    return news;
}

static void assert_news(struct lsig_dial_news news, enum lsig_dial_kind kind, const char *text)
{
    assert_int_equal(news.kind, kind);
    assert_true(lsig_span_is(news.text, text));
}

// --- upgrades

static void answer_with_fragments(struct fixture *f)
{
    accept_upgrade(f);
    write_bytes(f, "\x01\x03hel", 5);
    write_bytes(f, "\x89\x02yo", 4); // a ping between them
    write_bytes(f, "\x80\x02lo", 4);
    read_frame(f);
}

static void a_message_comes_whole_and_a_ping_is_answered_on_the_way(void **state)
{
    struct fixture *f = *state;
    begin(f, answer_with_fragments);
    struct lsig_dial *it = dial(f);
    assert_non_null(it);
    assert_news(await(f, it), LSIG_DIAL_HEARD, "hello");
    finish(f);
    assert_int_equal(f->opcode, LSIG_DIAL_PONG);
    assert_string_equal(f->frame, "yo");
    assert_non_null(strstr(f->head, "GET /base/room?x=1 HTTP/1.1\r\n"));
    assert_non_null(strstr(f->head, "\r\nAuthorization: Bearer abc\r\n"));
    assert_non_null(strstr(f->head, "\r\nHost: 127.0.0.1:"));
    lsig_dial_free(it, false);
}

static void answer_with_much_behind_it(struct fixture *f)
{
    static char frames[100 * 1000];
    const int on = 1;
    setsockopt(f->peer, IPPROTO_TCP, TCP_CORK, &on, sizeof(on)); // with the head
    accept_upgrade(f);
    for (size_t i = 0; i + 4 <= sizeof(frames); i += 4) {
        memcpy(frames + i, "\x81\x02hi", 4);
    }
    write_bytes(f, frames, sizeof(frames));
}

static void frames_that_follow_the_head_at_once_are_heard(void **state)
{
    struct fixture *f = *state;
    begin(f, answer_with_much_behind_it);
    struct lsig_dial *it = dial(f);
    assert_non_null(it);
    for (int i = 0; i < 25000; i++) {
        assert_news(await(f, it), LSIG_DIAL_HEARD, "hi");
    }
    lsig_dial_free(it, false);
}

static void answer_403(struct fixture *f)
{
    write_text(f, "HTTP/1.0 403 Forbidden\r\nX-Why: so\r\ncontent-length: 16\r\n\r\n{\"code\":");
    write_text(f, "\"CLOSED\"} and more");
}

static void a_refused_upgrade_has_status_and_body(void **state)
{
    struct fixture *f = *state;
    begin(f, answer_403);
    assert_null(dial(f));
    assert_int_equal(f->answer.status, 403);
    assert_string_equal(f->answer.body.data, "{\"code\":\"CLOSED\"");
    assert_non_null(strstr(f->answer.head.data, "X-Why: so\r\n"));
}

static void answer_without_accept(struct fixture *f)
{
    write_text(f, "HTTP/1.1 101 Fine\r\nSec-WebSocket-Accept: AAAA\r\n\r\n");
}

static void an_upgrade_that_does_not_know_the_key_is_none(void **state)
{
    struct fixture *f = *state;
    begin(f, answer_without_accept);
    assert_null(dial(f));
    assert_int_equal(f->answer.status, 0);
    assert_non_null(strstr(f->answer.fault, "Sec-WebSocket-Accept"));
}

static void hang_up(struct fixture *f)
{
    (void)f;
}

static void a_server_that_hangs_up_has_not_answered(void **state)
{
    struct fixture *f = *state;
    begin(f, hang_up);
    assert_null(dial(f));
    assert_int_equal(f->answer.status, 0);
    assert_non_null(strstr(f->answer.fault, "does not answer"));
}

static void where_nobody_listens_the_fault_says_so(void **state)
{
    struct fixture *f = *state;
    shutdown(f->listener, SHUT_RDWR);
    assert_null(dial(f));
    assert_non_null(strstr(f->answer.fault, "connect"));
}

// --- frames out

static char big[70000];

static void read_three(struct fixture *f)
{
    static const size_t lens[] = {3, 300, sizeof(big)};
    accept_upgrade(f);
    for (size_t i = 0; i < 3; i++) {
        read_frame(f);
        assert_int_equal(f->opcode, LSIG_DIAL_TEXT);
        assert_int_equal(f->frame_len, lens[i]);
        assert_memory_equal(f->frame, big, lens[i]);
    }
    write_bytes(f, "\x8a\x01!", 3);
}

static void messages_of_each_size_arrive_in_order_with_the_next_look(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof(big); i++) {
        big[i] = (char)('a' + i % 26);
    }
    begin(f, read_three);
    struct lsig_dial *it = dial(f);
    assert_true(lsig_dial_send(it, LSIG_DIAL_TEXT, (struct lsig_span){big, 3}));
    assert_true(lsig_dial_send(it, LSIG_DIAL_TEXT, (struct lsig_span){big, 300}));
    assert_true(lsig_dial_send(it, LSIG_DIAL_TEXT, (struct lsig_span){big, sizeof(big)}));
    assert_news(await(f, it), LSIG_DIAL_PONGED, "!");
    lsig_dial_free(it, false);
}

// --- ends

static void close_with_4403(struct fixture *f)
{
    accept_upgrade(f);
    write_bytes(f, "\x81\x01x\x88\x08\x11\x33kicked", 13);
    read_frame(f);
}

static void a_close_says_code_and_reason_behind_what_came_before_and_is_answered(void **state)
{
    struct fixture *f = *state;
    begin(f, close_with_4403);
    struct lsig_dial *it = dial(f);
    assert_news(await(f, it), LSIG_DIAL_HEARD, "x");
    struct lsig_dial_news news = await(f, it);
    assert_news(news, LSIG_DIAL_ENDED, "kicked");
    assert_int_equal(news.code, 4403);
    finish(f);
    assert_int_equal(f->opcode, LSIG_DIAL_CLOSE);
    assert_memory_equal(f->frame, "\x11\x33", 2);
    assert_false(lsig_dial_send(it, LSIG_DIAL_TEXT, lsig_span_of("late")));
    assert_int_equal(lsig_dial_next(it).kind, LSIG_DIAL_NOTHING);
    lsig_dial_free(it, false);
}

static void only_accept(struct fixture *f)
{
    accept_upgrade(f);
}

static void an_end_without_a_close_is_1006(void **state)
{
    struct fixture *f = *state;
    begin(f, only_accept);
    struct lsig_dial *it = dial(f);
    assert_int_equal(await(f, it).code, LSIG_DIAL_LOST);
    lsig_dial_free(it, false);
}

static void write_masked(struct fixture *f)
{
    accept_upgrade(f);
    write_bytes(f, "\x81\x81zzzzx", 7);
    read_bytes(f, f->frame, 1);
}

static void a_masked_frame_of_a_server_ends_it(void **state)
{
    struct fixture *f = *state;
    begin(f, write_masked);
    struct lsig_dial *it = dial(f);
    struct lsig_dial_news news = await(f, it);
    assert_int_equal(news.kind, LSIG_DIAL_ENDED);
    assert_int_equal(news.code, 1002);
    lsig_dial_free(it, false);
}

static void read_the_end(struct fixture *f)
{
    accept_upgrade(f);
    read_frame(f); // the ping
    assert_false(read_bytes(f, f->frame, 1));
}

static void an_abrupt_end_is_a_reset_and_an_ordinary_one_is_none(void **state)
{
    struct fixture *f = *state;
    for (int abruptly = 0; abruptly < 2; abruptly++) {
        begin(f, read_the_end);
        struct lsig_dial *it = dial(f);
        assert_true(lsig_dial_send(it, LSIG_DIAL_PING, lsig_span_of("?")));
        lsig_dial_free(it, abruptly != 0);
        finish(f);
        assert_int_equal(f->last_error, abruptly != 0 ? ECONNRESET : 0);
        memset(f->head, 0, sizeof(f->head));
    }
}

static void write_one(struct fixture *f)
{
    accept_upgrade(f);
    write_bytes(f, "\x81\x01x", 3);
}

static void one_that_is_hushed_hears_nothing(void **state)
{
    struct fixture *f = *state;
    begin(f, write_one);
    struct lsig_dial *it = dial(f);
    lsig_dial_hush(it);
    finish(f);
    lsig_dialer_wait(f->dialer, 0);
    assert_int_equal(lsig_dial_next(it).kind, LSIG_DIAL_NOTHING);
    lsig_dial_free(it, true);
}

// --- requests

static void answer_request(struct fixture *f)
{
    char body[6] = "";
    assert_true(read_bytes(f, (unsigned char *)body, 5));
    assert_string_equal(body, "hello");
    write_text(f, "HTTP/1.1 404 Not Found\r\nX-A: b\r\nContent-Length: 4\r\n\r\nnone");
}

static void a_request_gets_status_head_and_body(void **state)
{
    struct fixture *f = *state;
    static const char *const headers[] = {"X-Test: 1", NULL};
    const struct lsig_dial_request request = {
        .method = "PUT", .path = "/a?b=c", .headers = headers, .body = lsig_span_of("hello")};
    begin(f, answer_request);
    lsig_dialer_request(f->dialer, &request, &f->answer);
    assert_int_equal(f->answer.status, 404);
    assert_string_equal(f->answer.body.data, "none");
    assert_non_null(strstr(f->answer.head.data, "X-A: b\r\n"));
    assert_non_null(strstr(f->head, "PUT /base/a?b=c HTTP/1.1\r\n"));
    assert_non_null(strstr(f->head, "X-Test: 1\r\n"));
}

static void what_is_no_address_of_a_server_is_told(void **state)
{
    static const char *const bad[] = {"",        "nonsense",     "ftp://a",
                                      "http://", "http://a?b=c", "ws:/x y"};
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct lsig_buf report;
        lsig_buf_init(&report, 1000);
        struct lsig_dialer *dialer = lsig_dialer_new(bad[i], &report);
        if (dialer != NULL) {
            fail_msg("taken: %s", bad[i]);
        }
        assert_non_null(strstr(report.data, "is no address of a server"));
        lsig_buf_clear(&report);
    }
}

#define DIAL_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        DIAL_TEST(a_message_comes_whole_and_a_ping_is_answered_on_the_way),
        DIAL_TEST(frames_that_follow_the_head_at_once_are_heard),
        DIAL_TEST(a_refused_upgrade_has_status_and_body),
        DIAL_TEST(an_upgrade_that_does_not_know_the_key_is_none),
        DIAL_TEST(a_server_that_hangs_up_has_not_answered),
        DIAL_TEST(where_nobody_listens_the_fault_says_so),
        DIAL_TEST(messages_of_each_size_arrive_in_order_with_the_next_look),
        DIAL_TEST(a_close_says_code_and_reason_behind_what_came_before_and_is_answered),
        DIAL_TEST(an_end_without_a_close_is_1006),
        DIAL_TEST(a_masked_frame_of_a_server_ends_it),
        DIAL_TEST(an_abrupt_end_is_a_reset_and_an_ordinary_one_is_none),
        DIAL_TEST(one_that_is_hushed_hears_nothing),
        DIAL_TEST(a_request_gets_status_head_and_body),
        cmocka_unit_test(what_is_no_address_of_a_server_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
