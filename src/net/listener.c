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
#include "net/request_head.h"

enum { BACKLOG = 4096, ACCEPTS_PER_TURN = 256 };

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
};

struct lsig_listener {
    struct lsig_net *net;
    uv_poll_t poll;
    int fd;
    int spare_fd; // given up to accept and refuse when descriptors run out
    int port;
    struct arrival *first;
    struct arrival *last;
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
static void refuse(struct lsig_net *net, int fd, int status)
{
    char body[96];
    int body_len = snprintf(body, sizeof(body), "{\"detail\":\"%s\"}", status_text(status));
    char answer[512];
    int len = snprintf(answer, sizeof(answer),
                       "HTTP/1.1 %d %s\r\nContent-Type: application/json\r\n"
                       "Content-Length: %d\r\nConnection: close\r\n%s%s\r\n%s",
                       status, status_text(status), body_len,
                       status == 429 || status == 503 ? "Retry-After: 5\r\n" : "",
                       status == 405 ? "Allow: GET, HEAD, POST, OPTIONS\r\n" : "", body);
    net->options.metrics->connections_refused += 1;
    // What was sent is read away first: closing over unread bytes would reset the connection and
    // lose the answer.
    char drain[LSIG_HEAD_MAX];
    (void)!recv(fd, drain, sizeof(drain), MSG_DONTWAIT);
    (void)!send(fd, answer, (size_t)len, MSG_NOSIGNAL | MSG_DONTWAIT);
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
    *(arrival->previous != NULL ? &arrival->previous->next : &listener->first) = arrival->next;
    *(arrival->next != NULL ? &arrival->next->previous : &listener->last) = arrival->previous;
    int fd = arrival->fd;
    uv_close((uv_handle_t *)&arrival->poll, on_arrival_closed);
    return fd;
}

static void give_back(struct lsig_net *net, const struct caller *caller)
{
    if (caller->counted) {
        lsig_admission_give_address(&net->admission, caller->address);
    }
    lsig_admission_give_descriptor(&net->admission);
}

static void hand_over(struct lsig_net *net, int fd, const struct caller *caller)
{
    int normal = 1;
    setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &normal, sizeof(normal));
    struct lsig_socket *socket = lsig_alloc(sizeof(*socket));
    socket->net = net;
    socket->counted = caller->counted;
    memcpy(socket->address, caller->address, sizeof(socket->address));
    struct lws *wsi = lws_adopt_socket_vhost(net->vhost, fd);
    if (wsi == NULL) {
        give_back(net, caller);
        free(socket);
        return;
    }
    lws_set_opaque_user_data(wsi, socket);
}

// 0: wait, *seen bytes are there. Else the connection is done with here: a status, or -1 for no
// answer.
static int examine(int fd, size_t *seen)
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
    return lsig_request_head_check((struct lsig_span){head, (size_t)len});
}

static void conclude(struct lsig_net *net, int fd, const struct caller *caller, int verdict)
{
    if (verdict == 200) {
        hand_over(net, fd, caller);
        return;
    }
    if (verdict > 0) {
        refuse(net, fd, verdict);
    } else {
        close(fd);
    }
    give_back(net, caller);
}

static void on_arrival_readable(uv_poll_t *poll, int status, int events)
{
    (void)events;
    struct arrival *arrival = poll->data;
    struct lsig_net *net = arrival->listener->net;
    size_t seen;
    int verdict = status < 0 ? -1 : examine(arrival->fd, &seen);
    if (verdict == 0 && seen == 0) {
        return;
    }
    if (verdict == 0) {
        // Wakes again when there is more than what we looked at; without it the loop would spin on
        // a half-sent head.
        int wanted = (int)seen + 1;
        int had = 1;
        socklen_t size = sizeof(had);
        getsockopt(arrival->fd, SOL_SOCKET, SO_RCVLOWAT, &had, &size);
        if (had == wanted) {
            verdict = -1; // readable, but nothing new: the other side has closed its half
        } else {
            setsockopt(arrival->fd, SOL_SOCKET, SO_RCVLOWAT, &wanted, sizeof(wanted));
            return;
        }
    }
    struct caller caller = arrival->caller;
    conclude(net, arrival_end(arrival), &caller, verdict);
}

static void arrival_begin(struct lsig_listener *listener, int fd, const struct caller *caller)
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
        give_back(net, caller);
        return;
    }
    arrival->poll.data = arrival;
    arrival->previous = listener->last;
    *(listener->last != NULL ? &listener->last->next : &listener->first) = arrival;
    listener->last = arrival;
    uv_poll_start(&arrival->poll, UV_READABLE, on_arrival_readable);
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
    struct caller caller;
    lsig_address_print(caller.address, from);
    caller.counted = !lsig_address_in_list(caller.address, settings->trusted_proxies);
    if (!lsig_admission_take_descriptor(&net->admission)) {
        refuse(net, fd, 503);
        return;
    }
    if (caller.counted && !lsig_admission_take_address(&net->admission, caller.address)) {
        lsig_admission_give_descriptor(&net->admission);
        refuse(net, fd, 429);
        return;
    }
    size_t seen;
    int verdict = examine(fd, &seen);
    if (verdict == 0) {
        arrival_begin(listener, fd, &caller);
    } else {
        conclude(net, fd, &caller, verdict);
    }
}

// Out of descriptors: without an answer the connection would stay in the backlog and the loop would
// spin on it.
static void refuse_with_spare(struct lsig_listener *listener)
{
    close(listener->spare_fd);
    int fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
        refuse(listener->net, fd, 503);
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

static int open_socket(const struct addrinfo *info, int *error)
{
    int on = 1;
    int fd = socket(info->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        *error = errno;
        return -1;
    }
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(fd, info->ai_addr, info->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0) {
        return fd;
    }
    *error = errno;
    close(fd);
    return -1;
}

static int open_address(const struct lsig_settings *settings, struct lsig_buf *report)
{
    char port[16];
    snprintf(port, sizeof(port), "%d", (int)settings->port);
    struct addrinfo hints = {.ai_flags = AI_PASSIVE, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    // At the start only, before anything is served: may block.
    int failed = getaddrinfo(settings->host, port, &hints, &found);
    if (failed != 0) {
        lsig_buf_append_format(report, "HOST: cannot resolve \"%s\": %s\n", settings->host,
                               gai_strerror(failed));
        return -1;
    }
    int error = 0;
    int fd = open_socket(found, &error);
    freeaddrinfo(found);
    if (fd < 0) {
        lsig_buf_append_format(
            report, "cannot listen on %s port %s: %s%s\n", settings->host, port, strerror(error),
            error == EADDRINUSE ? "; stop the other program or set PORT to another number" : "");
    }
    return fd;
}

static int port_of(int fd)
{
    struct sockaddr_storage own;
    socklen_t size = sizeof(own);
    char port[NI_MAXSERV] = "0";
    if (getsockname(fd, (struct sockaddr *)&own, &size) == 0) {
        (void)!getnameinfo((struct sockaddr *)&own, size, NULL, 0, port, sizeof(port),
                           NI_NUMERICSERV);
    }
    return (int)strtol(port, NULL, 10);
}

struct lsig_listener *lsig_listener_new(struct lsig_net *net, struct lsig_buf *report)
{
    int fd = open_address(net->options.settings, report);
    if (fd < 0) {
        return NULL;
    }
    struct lsig_listener *listener = lsig_alloc(sizeof(*listener));
    listener->net = net;
    listener->fd = fd;
    listener->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    listener->port = port_of(fd);
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
    struct lsig_net *net = arrival->listener->net;
    struct caller caller = arrival->caller;
    conclude(net, arrival_end(arrival), &caller, status);
}

void lsig_listener_check_time(struct lsig_listener *listener)
{
    int64_t now_ms = mono_ms();
    while (listener->first != NULL && listener->first->deadline_ms <= now_ms) {
        arrival_give_up(listener->first, 408);
    }
}

static void on_listener_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void lsig_listener_free(struct lsig_listener *listener)
{
    if (listener == NULL) {
        return;
    }
    while (listener->first != NULL) {
        arrival_give_up(listener->first, 503);
    }
    uv_close((uv_handle_t *)&listener->poll, on_listener_closed);
    close(listener->fd);
    close(listener->spare_fd);
}
