#include "net/dial.h"

#include <assert.h>
#include <errno.h>
#include <libwebsockets.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/random.h"
#include "net/dial_parts.h"

enum { KEY_BYTES = 16, KEY_SIZE = 32, HEAD_MAX = 64 * 1024, PIECE = 16 * 1024, SHA1_BYTES = 20 };

#define GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11" // RFC 6455 section 1.3

// --- bytes

bool lsig_dial_poll(const struct lsig_dial *dial, bool write, int64_t ms)
{
    struct pollfd one = {.fd = dial->socket, .events = write ? POLLIN | POLLOUT : POLLIN};
    return poll(&one, 1, ms > 0 ? (int)ms : 0) > 0;
}

void lsig_dial_fill(struct lsig_dial *dial)
{
    char piece[PIECE];
    size_t len = 0;
    CURLcode result = CURLE_OK;
    while (!dial->ended && result == CURLE_OK) {
        result = curl_easy_recv(dial->easy, piece, sizeof(piece), &len);
        if (result == CURLE_OK && len > 0) {
            lsig_buf_append(&dial->in, piece, len);
        }
        dial->ended = (result == CURLE_OK && len == 0) ||
                      (result != CURLE_OK && result != CURLE_AGAIN) || dial->in.overflowed;
    }
}

bool lsig_dial_write(struct lsig_dial *dial, struct lsig_span bytes)
{
    int64_t until_ms = lsig_clock_now().mono_ms + LSIG_DIAL_WAIT_MS;
    size_t sent = 0;
    while (sent < bytes.len) {
        size_t len = 0;
        CURLcode result = curl_easy_send(dial->easy, bytes.data + sent, bytes.len - sent, &len);
        int64_t left_ms = until_ms - lsig_clock_now().mono_ms;
        if ((result != CURLE_OK && result != CURLE_AGAIN) || left_ms <= 0) {
            return false;
        }
        sent += len;
        if (result == CURLE_AGAIN) {
            lsig_dial_poll(dial, true, left_ms);
            lsig_dial_fill(dial); // it may wait for us to read
        }
    }
    return true;
}

bool lsig_dial_flush(struct lsig_dial *dial)
{
    bool written = lsig_dial_write(dial, lsig_buf_span(&dial->out));
    lsig_buf_reset(&dial->out);
    return written;
}

// --- the handshake (RFC 6455 section 4.1)

static void make_key(char key[KEY_SIZE])
{
    char bytes[KEY_BYTES];
    lsig_random_bytes(bytes, sizeof(bytes));
    int len = lws_b64_encode_string(bytes, sizeof(bytes), key, KEY_SIZE);
    assert(len > 0);
}

static void print_upgrade(struct lsig_buf *out,
                          const struct lsig_dialer *dialer,
                          const struct lsig_dial_request *request,
                          const char *key)
{
    const char *prefix = strstr(dialer->base, "://") + 3;
    prefix += strcspn(prefix, "/");
    lsig_buf_append_format(out,
                           "GET %s%s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\n"
                           "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                           "Sec-WebSocket-Key: %s\r\n",
                           prefix, request->path, dialer->host, key);
    for (const char *const *at = request->headers; at != NULL && *at != NULL; at++) {
        lsig_buf_append_format(out, "%s\r\n", *at);
    }
    lsig_buf_append_text(out, "\r\n");
}

// The value of a line of the head; data NULL: there is none.
static struct lsig_span find_header(struct lsig_span head, const char *name)
{
    size_t name_len = strlen(name);
    const char *end = head.data + head.len;
    for (const char *at = head.data; at != NULL && at < end;) {
        const char *line_end = memchr(at, '\r', (size_t)(end - at));
        size_t len = (size_t)((line_end != NULL ? line_end : end) - at);
        if (len > name_len && at[name_len] == ':' && strncasecmp(at, name, name_len) == 0) {
            struct lsig_span value = {at + name_len + 1, len - name_len - 1};
            while (value.len > 0 && *value.data == ' ') {
                value = (struct lsig_span){value.data + 1, value.len - 1};
            }
            return value;
        }
        at = line_end != NULL ? line_end + 2 : NULL;
    }
    return (struct lsig_span){NULL, 0};
}

// Waits for so many bytes behind those that are taken, or for the end. Whether they are there.
static bool await_bytes(struct lsig_dial *dial, size_t len, int64_t until_ms)
{
    while (dial->in.len - dial->taken < len && !dial->ended) {
        int64_t left_ms = until_ms - lsig_clock_now().mono_ms;
        if (left_ms <= 0) {
            return false;
        }
        lsig_dial_poll(dial, false, left_ms);
        lsig_dial_fill(dial);
    }
    return dial->in.len - dial->taken >= len;
}

// The head of the answer, with its status line; taken from dial->in. data NULL: it does not come.
static struct lsig_span take_head(struct lsig_dial *dial, int64_t until_ms)
{
    size_t wanted = 1;
    bool too_long = false;
    while (!too_long && await_bytes(dial, wanted, until_ms)) {
        const char *end = strstr(dial->in.data, "\r\n\r\n");
        too_long = dial->in.len >= HEAD_MAX; // but for frames that follow it at once
        if (end != NULL) {
            dial->taken = (size_t)(end - dial->in.data) + 4;
            return (struct lsig_span){dial->in.data, dial->taken - 2};
        }
        wanted = dial->in.len + 1;
    }
    return (struct lsig_span){NULL, 0};
}

static bool is_accepted(struct lsig_span head, const char *key)
{
    char text[KEY_SIZE + sizeof(GUID)];
    unsigned char digest[SHA1_BYTES];
    char wanted[KEY_SIZE];
    int len = snprintf(text, sizeof(text), "%s%s", key, GUID);
    lws_SHA1((const unsigned char *)text, (size_t)len, digest);
    lws_b64_encode_string((const char *)digest, SHA1_BYTES, wanted, sizeof(wanted));
    struct lsig_span given = find_header(head, "Sec-WebSocket-Accept");
    return given.data != NULL && lsig_span_is(given, wanted);
}

static void read_refusal(struct lsig_dial *dial,
                         struct lsig_span head,
                         struct lsig_dial_answer *answer,
                         int64_t until_ms)
{
    struct lsig_span length = find_header(head, "Content-Length");
    size_t len = length.data != NULL ? strtoul(length.data, NULL, 10) : 0;
    size_t line = strcspn(head.data, "\r") + 2;
    lsig_buf_append(&answer->head, head.data + line, head.len > line ? head.len - line : 0);
    if (len > 0 && len <= LSIG_DIAL_ANSWER_MAX && await_bytes(dial, len, until_ms)) {
        lsig_buf_append(&answer->body, dial->in.data + dial->taken, len);
    }
}

static bool fail(struct lsig_dial_answer *answer, const char *text)
{
    snprintf(answer->fault, sizeof(answer->fault), "%s", text);
    return false;
}

static bool shake_hands(struct lsig_dial *dial,
                        const struct lsig_dial_request *request,
                        struct lsig_dial_answer *answer)
{
    char key[KEY_SIZE];
    struct lsig_buf out;
    int64_t until_ms = lsig_clock_now().mono_ms + LSIG_DIAL_WAIT_MS;
    lsig_buf_init(&out, HEAD_MAX);
    make_key(key);
    print_upgrade(&out, dial->dialer, request, key);
    bool sent = !out.overflowed && lsig_dial_write(dial, lsig_buf_span(&out));
    lsig_buf_clear(&out);
    struct lsig_span head = sent ? take_head(dial, until_ms) : (struct lsig_span){NULL, 0};
    if (head.data == NULL || sscanf(head.data, "HTTP/1.%*d %d", &answer->status) != 1) {
        answer->status = 0;
        return fail(answer, "the server does not answer the upgrade to a WebSocket");
    }
    if (answer->status != 101) {
        read_refusal(dial, head, answer, until_ms);
        return false;
    }
    if (!is_accepted(head, key)) {
        answer->status = 0;
        return fail(answer, "the answer to the upgrade has no good Sec-WebSocket-Accept");
    }
    return true;
}

// --- a connection

struct lsig_dial *lsig_dial_open(struct lsig_dialer *dialer,
                                 const struct lsig_dial_request *request,
                                 struct lsig_dial_answer *answer)
{
    struct lsig_dial *dial = lsig_alloc(sizeof(*dial));
    dial->dialer = dialer;
    dial->easy = lsig_dialer_handle(dialer, request->path);
    lsig_buf_init(&dial->in, 2 * (size_t)LSIG_DIAL_MESSAGE_MAX);
    lsig_buf_init(&dial->out, 2 * (size_t)LSIG_DIAL_MESSAGE_MAX);
    lsig_buf_init(&dial->message, LSIG_DIAL_MESSAGE_MAX);
    dial->next = dialer->dials;
    dialer->dials = dial;
    curl_easy_setopt(dial->easy, CURLOPT_CONNECT_ONLY, 1L);
    CURLcode result = curl_easy_perform(dial->easy);
    if (result == CURLE_OK) {
        result = curl_easy_getinfo(dial->easy, CURLINFO_ACTIVESOCKET, &dial->socket);
    }
    if (result != CURLE_OK) {
        fail(answer, curl_easy_strerror(result));
    } else if (shake_hands(dial, request, answer)) {
        return dial;
    }
    lsig_dial_free(dial, false);
    return NULL;
}

void lsig_dial_free(struct lsig_dial *dial, bool abruptly)
{
    struct lsig_dial **at = &dial->dialer->dials;
    while (*at != dial) {
        at = &(*at)->next;
    }
    *at = dial->next;
    if (!abruptly && dial->out.len > 0) {
        lsig_dial_flush(dial);
    }
    if (abruptly) {
        const struct linger now = {.l_onoff = 1, .l_linger = 0};
        setsockopt(dial->socket, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    }
    curl_easy_cleanup(dial->easy);
    lsig_buf_clear(&dial->out);
    lsig_buf_clear(&dial->in);
    lsig_buf_clear(&dial->message);
    free(dial);
}

void lsig_dial_hush(struct lsig_dial *dial)
{
    dial->hushed = true;
}

void lsig_dialer_wait(struct lsig_dialer *dialer, int64_t ms)
{
    nfds_t count = 0;
    for (const struct lsig_dial *at = dialer->dials; at != NULL; at = at->next) {
        count += !at->ended && !at->hushed;
    }
    struct pollfd *all = lsig_alloc((count + 1) * sizeof(all[0]));
    nfds_t i = 0;
    for (const struct lsig_dial *at = dialer->dials; at != NULL; at = at->next) {
        if (!at->ended && !at->hushed) {
            all[i++] = (struct pollfd){.fd = at->socket, .events = POLLIN};
        }
    }
    poll(all, count, ms > 0 ? (int)ms : 0);
    free(all);
}
