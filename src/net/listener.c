#include "net/listener.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/log.h"
#include "net/context.h"
#include "net/frame_watch.h"
#include "net/heads.h"
#include "net/listen_socket.h"
#include "net/request_head.h"
#include "net/tls_hello.h"

enum {
    ACCEPTS_PER_TURN = 256,
    // A handshake costs up to a millisecond (signing with an RSA key of 2,048 bits).
    HANDSHAKES_PER_TURN = 16,
};

// Who connected. A trusted proxy stands for many and has no place of its own: its clients are
// counted by the address that it forwards, once that is known (handshake.c).
struct caller {
    char address[LSIG_ADDRESS_SIZE];
    bool counted;
};

// A connection whose head is not there yet.
struct arrival {
    uv_poll_t poll;
    struct lsig_listener *listener;
    struct arrival *next; // oldest first: all have the same time
    struct arrival *previous;
    int fd;
    int64_t deadline_ms;
    struct caller caller;
    bool parked;  // its ClientHello is there; it waits for a place
    bool resting; // not looked at before the next second
};

struct lsig_listener {
    struct lsig_net *net;
    bool tls;
    bool admin;
    uv_poll_t poll;
    int fd;
    int spare_fd; // given up to accept and refuse when descriptors run out
    int port;
    struct arrival *first;
    struct arrival *last;
    int parked;
    uv_timer_t next_turn; // makes the loop come back for more handshakes
};

static int64_t mono_ms(void)
{
    return lsig_clock_now().mono_ms;
}

static const char *status_text(int status)
{
    switch (status) {
    case 405:
        return "Method Not Allowed";
    case 408:
        return "Request Timeout";
    case 414:
        return "URI Too Long";
    case 429:
        return "Too Many Requests";
    case 431:
        return "Request Header Fields Too Large";
    case 501:
        return "Not Implemented";
    case 503:
        return "Service Unavailable";
    case 505:
        return "HTTP Version Not Supported";
    default:
        return "Bad Request";
    }
}

// Says no without a parser: one write into a socket that has sent little or nothing.
static void refuse(const struct lsig_listener *listener, int fd, int status)
{
    char body[96];
    bool plain = !listener->tls;
    int body_len =
        snprintf(body, sizeof(body), "{\"detail\":\"%s\"}",
                 plain ? status_text(status) : "This port speaks TLS: use https:// or wss://");
    char answer[512];
    int len = snprintf(answer, sizeof(answer),
                       "HTTP/1.1 %d %s\r\nContent-Type: application/json\r\n"
                       "Content-Length: %d\r\nConnection: close\r\n%s%s\r\n%s",
                       status, status_text(status), body_len,
                       status == 429 || status == 503 ? "Retry-After: 5\r\n" : "",
                       status == 405 ? "Allow: GET, HEAD, POST, OPTIONS\r\n" : "", body);
    listener->net->options.metrics->connections_refused += 1;
    // What was sent is read away first: closing over unread bytes would reset the connection and
    // lose the answer.
    char drain[LSIG_HEAD_MAX];
    (void)!recv(fd, drain, sizeof(drain), MSG_DONTWAIT);
    if (plain || status == 400) { // whoever speaks TLS would not understand it
        (void)!send(fd, answer, (size_t)len, MSG_NOSIGNAL | MSG_DONTWAIT);
    }
    shutdown(fd, SHUT_WR);
    (void)!recv(fd, drain, sizeof(drain), MSG_DONTWAIT);
    close(fd);
}

static void on_arrival_closed(uv_handle_t *handle)
{
    free(handle->data);
}

// Takes the arrival out; its descriptor is the caller's.
static int arrival_end(struct arrival *arrival)
{
    struct lsig_listener *listener = arrival->listener;
    listener->parked -= arrival->parked ? 1 : 0;
    *(arrival->previous != NULL ? &arrival->previous->next : &listener->first) = arrival->next;
    *(arrival->next != NULL ? &arrival->next->previous : &listener->last) = arrival->previous;
    int fd = arrival->fd;
    uv_close((uv_handle_t *)&arrival->poll, on_arrival_closed);
    return fd;
}

// The admin API has places of its own: it answers also when the others are all taken.
static struct lsig_admission *admission_of(const struct lsig_listener *listener)
{
    return listener->admin ? &listener->net->admin_admission : &listener->net->admission;
}

static void give_back(const struct lsig_listener *listener, const struct caller *caller)
{
    if (caller->counted) {
        lsig_admission_give_address(admission_of(listener), caller->address);
    }
    lsig_admission_give_descriptor(admission_of(listener));
}

// The address whose places it takes; NULL: of somebody who stands for many.
static const char *counted_address(const struct caller *caller)
{
    return caller->counted ? caller->address : NULL;
}

// Of TLS connections the place among the heads has been taken; the deadline is theirs.
static void hand_over(const struct lsig_listener *listener,
                      int fd,
                      const struct caller *caller,
                      int64_t deadline_ms)
{
    // Without this flag libwebsockets speaks no TLS, also where the vhost has a certificate.
    lws_adoption_type kind =
        LWS_ADOPT_SOCKET | LWS_ADOPT_HTTP | (listener->tls ? LWS_ADOPT_ALLOW_SSL : 0);
    struct lsig_net *net = listener->net;
    int normal = 1;
    setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &normal, sizeof(normal));
    struct lsig_socket *socket = lsig_alloc(sizeof(*socket));
    socket->net = net;
    socket->counted = caller->counted;
    memcpy(socket->address, caller->address, sizeof(socket->address));
    socket->admin = listener->admin;
    lws_sock_file_fd_type own = {.sockfd = fd};
    struct lws *wsi = lws_adopt_descriptor_vhost(net->vhost, kind, own, NULL, NULL);
    if (wsi == NULL) {
        if (listener->tls) {
            lsig_heads_give(&net->heads, counted_address(caller));
        }
        give_back(listener, caller);
        free(socket);
        return;
    }
    lws_set_opaque_user_data(wsi, socket);
    lsig_frame_watch_add(socket, fd);
    if (listener->tls) {
        lsig_heads_begin(socket, wsi, deadline_ms);
    }
}

// 0: wait, *seen bytes are there. Else the connection is done with here: a status, or -1 for no
// answer.
static int examine(const struct lsig_listener *listener, int fd, size_t *seen)
{
    char head[LSIG_HEAD_MAX];
    *seen = 0;
    ssize_t len = recv(fd, head, sizeof(head), MSG_PEEK | MSG_DONTWAIT);
    if (len < 0 && (errno == EAGAIN || errno == EINTR)) {
        return 0;
    }
    if (len <= 0) {
        return -1;
    }
    *seen = (size_t)len;
    struct lsig_span bytes = {head, (size_t)len};
    return listener->tls ? lsig_tls_hello_check(bytes) : lsig_request_head_check(bytes);
}

static void
conclude(const struct lsig_listener *listener, int fd, const struct caller *caller, int verdict)
{
    if (verdict == 200) {
        hand_over(listener, fd, caller, 0);
        return;
    }
    if (verdict > 0) {
        refuse(listener, fd, verdict);
    } else {
        close(fd);
    }
    give_back(listener, caller);
}

static void arrival_park(struct arrival *arrival)
{
    arrival->parked = true;
    arrival->listener->parked += 1;
    arrival->listener->net->heads.freed = true; // there may be place already
    uv_poll_stop(&arrival->poll);
}

static void on_next_turn(uv_timer_t *timer)
{
    (void)timer;
}

void lsig_listener_admit(struct lsig_listener *listener)
{
    struct lsig_net *net = listener->net;
    int left = HANDSHAKES_PER_TURN;
    int pleas = HANDSHAKES_PER_TURN;
    if (listener->parked == 0 || !net->heads.freed) {
        return;
    }
    net->heads.freed = false;
    struct arrival *next;
    for (struct arrival *at = listener->first; at != NULL; at = next) {
        next = at->next;
        if (!at->parked) {
            continue;
        }
        if (!lsig_heads_take(&net->heads, counted_address(&at->caller))) {
            if (pleas > 0) {
                pleas -= 1;
                lsig_heads_make_room(net, counted_address(&at->caller));
            }
            continue;
        }
        if (left == 0) {
            lsig_heads_give(&net->heads, counted_address(&at->caller));
            uv_timer_start(&listener->next_turn, on_next_turn, 1, 0);
            return;
        }
        left -= 1;
        struct caller caller = at->caller;
        int64_t deadline_ms = at->deadline_ms;
        hand_over(listener, arrival_end(at), &caller, deadline_ms);
    }
}

static bool half_closed(int fd)
{
    struct tcp_info info;
    socklen_t size = sizeof(info);
    return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0 ||
           info.tcpi_state != TCP_ESTABLISHED;
}

// Wakes again when there is more than the bytes that were seen; without it the loop would spin on a
// half-sent head. False: it was woken and nothing is new, because the other side has closed its
// half, or because the kernel is short of memory for sockets; the arrival rests then.
static bool wait_for_more(struct arrival *arrival, size_t seen)
{
    int wanted = (int)seen + 1;
    int had = 1;
    socklen_t size = sizeof(had);
    getsockopt(arrival->fd, SOL_SOCKET, SO_RCVLOWAT, &had, &size);
    if (had == wanted) {
        arrival->resting = true;
        uv_poll_stop(&arrival->poll);
        return false;
    }
    setsockopt(arrival->fd, SOL_SOCKET, SO_RCVLOWAT, &wanted, sizeof(wanted));
    return true;
}

static void on_arrival_readable(uv_poll_t *poll, int status, int events)
{
    (void)events;
    struct arrival *arrival = poll->data;
    const struct lsig_listener *listener = arrival->listener;
    size_t seen;
    int verdict = status < 0 ? -1 : examine(listener, arrival->fd, &seen);
    if (verdict == 0 && seen == 0) {
        return;
    }
    if (verdict == 200 && listener->tls) {
        arrival_park(arrival);
        return;
    }
    if (verdict == 0 && (wait_for_more(arrival, seen) || !half_closed(arrival->fd))) {
        return;
    }
    struct caller caller = arrival->caller;
    conclude(listener, arrival_end(arrival), &caller, verdict);
}

static void
arrival_begin(struct lsig_listener *listener, int fd, const struct caller *caller, bool parked)
{
    struct lsig_net *net = listener->net;
    struct arrival *arrival = lsig_alloc(sizeof(*arrival));
    arrival->listener = listener;
    arrival->fd = fd;
    arrival->deadline_ms = mono_ms() + net->options.settings->handshake_timeout_s * 1000;
    arrival->caller = *caller;
    if (uv_poll_init(net->options.loop, &arrival->poll, fd) != 0) {
        free(arrival);
        close(fd);
        give_back(listener, caller);
        return;
    }
    arrival->poll.data = arrival;
    arrival->previous = listener->last;
    *(listener->last != NULL ? &listener->last->next : &listener->first) = arrival;
    listener->last = arrival;
    if (parked) {
        arrival_park(arrival);
    } else {
        uv_poll_start(&arrival->poll, UV_READABLE, on_arrival_readable);
    }
}

static void accepted(struct lsig_listener *listener, int fd, const struct sockaddr_storage *from)
{
    struct lsig_net *net = listener->net;
    const struct lsig_settings *settings = net->options.settings;
    int on = 1;
    // A peer that vanishes is noticed as fast as by pings, also when data is under way (tcp(7)).
    unsigned int silent_ms = (unsigned int)((settings->ping_s + settings->pong_s) * 1000);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &silent_ms, sizeof(silent_ms));
    struct lsig_admission *admission = admission_of(listener);
    struct caller caller;
    lsig_address_print(caller.address, from);
    caller.counted = !lsig_address_in_list(caller.address, settings->trusted_proxies);
    if (!lsig_admission_take_descriptor(admission)) {
        refuse(listener, fd, 503);
        return;
    }
    if (caller.counted && !lsig_admission_take_address(admission, caller.address)) {
        lsig_admission_give_descriptor(admission);
        refuse(listener, fd, 429);
        return;
    }
    size_t seen;
    int verdict = examine(listener, fd, &seen);
    bool parked = verdict == 200 && listener->tls;
    if (verdict == 0 || parked) {
        arrival_begin(listener, fd, &caller, parked);
    } else {
        conclude(listener, fd, &caller, verdict);
    }
}

// Out of descriptors: without an answer the connection would stay in the backlog and the loop would
// spin on it.
static void refuse_with_spare(struct lsig_listener *listener)
{
    close(listener->spare_fd);
    int fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
        refuse(listener, fd, 503);
    }
    listener->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void on_listener_readable(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    struct lsig_listener *listener = poll->data;
    for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
        struct sockaddr_storage from;
        socklen_t size = sizeof(from);
        int fd =
            accept4(listener->fd, (struct sockaddr *)&from, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            accepted(listener, fd, &from);
        } else if (errno == EMFILE || errno == ENFILE) {
            refuse_with_spare(listener);
        } else if (errno != EINTR && errno != ECONNABORTED) {
            return;
        }
    }
}

struct lsig_listener *lsig_listener_new(struct lsig_net *net, bool admin, struct lsig_buf *report)
{
    const struct lsig_settings *settings = net->options.settings;
    int fd = admin ? lsig_listen_socket_open(settings->admin_host, (int)settings->admin_port,
                                             "ADMIN_", report)
                   : lsig_listen_socket_open(settings->host, (int)settings->port, "", report);
    if (fd < 0) {
        return NULL;
    }
    struct lsig_listener *listener = lsig_alloc(sizeof(*listener));
    listener->net = net;
    listener->tls = net->tls != NULL && !admin;
    listener->admin = admin;
    listener->fd = fd;
    listener->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    listener->port = lsig_listen_socket_port(fd);
    uv_timer_init(net->options.loop, &listener->next_turn);
    listener->next_turn.data = listener;
    uv_poll_init(net->options.loop, &listener->poll, fd);
    listener->poll.data = listener;
    uv_poll_start(&listener->poll, UV_READABLE, on_listener_readable);
    return listener;
}

int lsig_listener_port(const struct lsig_listener *listener)
{
    return listener->port;
}

static void arrival_give_up(struct arrival *arrival, int status)
{
    const struct lsig_listener *listener = arrival->listener;
    struct caller caller = arrival->caller;
    conclude(listener, arrival_end(arrival), &caller, status);
}

void lsig_listener_check_time(struct lsig_listener *listener)
{
    int64_t now_ms = mono_ms();
    while (listener->first != NULL && listener->first->deadline_ms <= now_ms) {
        arrival_give_up(listener->first, 408);
    }
    for (struct arrival *at = listener->first; at != NULL; at = at->next) {
        if (at->resting && !at->parked) {
            at->resting = false;
            uv_poll_start(&at->poll, UV_READABLE, on_arrival_readable);
        }
    }
}

static void on_timer_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void on_poll_closed(uv_handle_t *handle)
{
    struct lsig_listener *listener = handle->data;
    uv_close((uv_handle_t *)&listener->next_turn, on_timer_closed);
}

void lsig_listener_free(struct lsig_listener *listener)
{
    if (listener == NULL) {
        return;
    }
    while (listener->first != NULL) {
        arrival_give_up(listener->first, 503);
    }
    uv_close((uv_handle_t *)&listener->poll, on_poll_closed);
    close(listener->fd);
    close(listener->spare_fd);
}
