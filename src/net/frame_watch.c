#include "net/frame_watch.h"

#include <errno.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "base/log.h"
#include "net/session.h"
#include "net/session_sink.h"
#include "net/session_write.h"

enum {
    TABLE_MIN = 256,
    PROTOCOL_ERROR = 1002,   // RFC 6455 section 7.4.1
    READS_PER_CALL_MAX = 64, // of what nobody wants any more
};

// A connection with a part of a TLS record that has left the socket and not been read: no poll
// tells of it.
struct held {
    const struct lsig_socket *socket;
    SSL *ssl;
    int fd;
};

struct lsig_frame_watch {
    struct lsig_net *net;
    struct lsig_socket **sockets; // by descriptor; NULL: not ours
    int size;
    int *breached; // descriptors, since the last turn
    int breached_count;
    int breached_size;
    struct held *held; // connections
    int held_count;
    int held_size;
    bool warned;
};

// The one way from recv() to its server: of the thread whose loop reads.
static _Thread_local struct lsig_frame_watch *own;

static struct lsig_socket *find(int fd)
{
    return own != NULL && fd >= 0 && fd < own->size ? own->sockets[fd] : NULL;
}

// --- reading

struct source {
    int fd;
    SSL *ssl; // NULL: plain
};

static ssize_t read_source(const struct source *source, void *bytes, size_t len, bool peek)
{
    if (source->ssl == NULL) {
        return recvfrom(source->fd, bytes, len, peek ? MSG_PEEK : 0, NULL, NULL);
    }
    size_t got = 0;
    int ok = peek ? SSL_peek_ex(source->ssl, bytes, len, &got)
                  : SSL_read_ex(source->ssl, bytes, len, &got);
    if (ok > 0) {
        return (ssize_t)got;
    }
    return SSL_get_error(source->ssl, ok) == SSL_ERROR_ZERO_RETURN ? 0 : -1;
}

// Makes the name of an Upgrade header another one, unless its value is `websocket`.
static void hide_other_upgrades(char *head, size_t len)
{
    static const char name[] = "\nUpgrade:";
    static const char known[] = "websocket\r";
    char *end = head + len;
    char *line = head;
    while ((line = memchr(line, '\n', (size_t)(end - line))) != NULL) {
        char *value = line + sizeof(name) - 1;
        if (value >= end || strncasecmp(line, name, sizeof(name) - 1) != 0) {
            line += 1;
            continue;
        }
        while (value < end && (*value == ' ' || *value == '\t')) {
            value += 1;
        }
        size_t left = (size_t)(end - value);
        if (left < sizeof(known) - 1 || strncasecmp(value, known, sizeof(known) - 1) != 0) {
            line[1] = 'X';
        }
        line = value;
    }
}

static void note_held(const struct lsig_socket *socket, const struct source *source)
{
    for (int i = 0; i < own->held_count; i++) {
        if (own->held[i].socket == socket) {
            return;
        }
    }
    if (own->held_count == own->held_size) {
        own->held_size = own->held_size * 2 + 16;
        own->held = lsig_realloc(own->held, (size_t)own->held_size * sizeof(*own->held));
    }
    own->held[own->held_count++] =
        (struct held){.socket = socket, .ssl = source->ssl, .fd = source->fd};
}

// One read ends where a head ends.
static ssize_t
read_request(struct lsig_socket *socket, const struct source *source, void *bytes, size_t len)
{
    ssize_t there = read_source(source, bytes, len, true);
    char *end = there > 0 ? memmem(bytes, (size_t)there, "\r\n\r\n", 4) : NULL;
    size_t wanted = end != NULL ? (size_t)(end + 4 - (char *)bytes) : len;
    ssize_t got = read_source(source, bytes, wanted, false);
    socket->watch.seen = socket->watch.seen || got > 0;
    if (source->ssl != NULL && SSL_pending(source->ssl) > 0) {
        note_held(socket, source);
    }
    if (got > 0 && end != NULL && *(char *)bytes >= 'A' && *(char *)bytes <= 'Z') {
        hide_other_upgrades(bytes, (size_t)got);
    }
    return got;
}

static void note_breach(struct lsig_socket *socket, const char *breach)
{
    if (own->breached_count == own->breached_size) {
        own->breached_size = own->breached_size * 2 + 16;
        own->breached =
            lsig_realloc(own->breached, (size_t)own->breached_size * sizeof(*own->breached));
    }
    own->breached[own->breached_count++] = socket->watch.fd;
    socket->watch.breach = breach;
}

static ssize_t
read_frames(struct lsig_socket *socket, const struct source *source, void *bytes, size_t len)
{
    struct lsig_watch *watch = &socket->watch;
    for (int i = 0; i < READS_PER_CALL_MAX; i++) {
        ssize_t got = read_source(source, bytes, len, false);
        if (got <= 0) {
            return got;
        }
        if (watch->deaf) {
            continue;
        }
        size_t good;
        struct lsig_frames before = watch->frames;
        const char *breach = lsig_frames_walk(&watch->frames, bytes, (size_t)got, &good);
        if (breach != NULL) {
            note_breach(socket, breach);
        }
        watch->deaf = good < (size_t)got;
        if (watch->frames.pings > 1) {
            good = lsig_frames_keep_last_ping(before, bytes, good, watch->frames.pings);
        }
        if (good > 0) {
            return (ssize_t)good;
        }
    }
    errno = EAGAIN;
    return -1;
}

static ssize_t
read_watched(struct lsig_socket *socket, const struct source *source, void *bytes, size_t len)
{
    return socket->watch.websocket ? read_frames(socket, source, bytes, len)
                                   : read_request(socket, source, bytes, len);
}

// POSIX recv(), in front of the one of the C library.
ssize_t recv(int fd, void *bytes, size_t len, int flags)
{
    struct lsig_socket *socket = flags == 0 ? find(fd) : NULL;
    if (socket == NULL) {
        return recvfrom(fd, bytes, len, flags, NULL, NULL);
    }
    return read_watched(socket, &(struct source){.fd = fd}, bytes, len);
}

// SSL_read(3), in front of the one of OpenSSL.
int SSL_read(SSL *ssl, void *bytes, int len)
{
    struct source source = {.fd = SSL_get_fd(ssl), .ssl = ssl};
    struct lsig_socket *socket = find(source.fd);
    if (len < 0) {
        return -1;
    }
    return (int)(socket != NULL ? read_watched(socket, &source, bytes, (size_t)len)
                                : read_source(&source, bytes, (size_t)len, false));
}

// --- who is watched

void lsig_frame_watch_open(struct lsig_net *net)
{
    own = lsig_alloc(sizeof(*own));
    own->net = net;
}

void lsig_frame_watch_close(struct lsig_net *net)
{
    if (own != NULL && own->net == net) {
        free(own->sockets);
        free(own->breached);
        free(own->held);
        free(own);
        own = NULL;
    }
}

void lsig_frame_watch_add(struct lsig_socket *socket, int fd)
{
    socket->watch.fd = fd;
    if (own == NULL) {
        return;
    }
    if (fd >= own->size) {
        int size = own->size == 0 ? TABLE_MIN : own->size * 2;
        size = size > fd ? size : fd + 1;
        own->sockets = lsig_realloc(own->sockets, (size_t)size * sizeof(struct lsig_socket *));
        memset(own->sockets + own->size, 0,
               (size_t)(size - own->size) * sizeof(struct lsig_socket *));
        own->size = size;
    }
    own->sockets[fd] = socket;
}

void lsig_frame_watch_begin(struct lsig_socket *socket)
{
    socket->watch.websocket = socket->watch.seen;
    if (!socket->watch.seen && own != NULL && !own->warned) {
        own->warned = true;
        lsig_log(LSIG_WARNING, "frame-watch-blind",
                 LSIG_LOG_TEXT("advice", "libwebsockets reads past recv() and SSL_read() of this "
                                         "program: unmasked frames are let through"));
    }
}

void lsig_frame_watch_remove(struct lsig_socket *socket)
{
    if (find(socket->watch.fd) == socket) {
        own->sockets[socket->watch.fd] = NULL;
    }
}

// --- closing

// Nothing that still comes is looked at, an answer neither: TCP ends behind the close frame. What
// has come is read away first, since a close over unread bytes resets the connection, and the other
// side may lose the frame.
static void end_socket(const struct lsig_net *net, struct lws *wsi, int fd)
{
    char drain[4096];
    if (net->tls != NULL) {
        (void)SSL_shutdown(lws_get_ssl(wsi));
    }
    shutdown(fd, SHUT_WR);
    for (int i = 0; i < READS_PER_CALL_MAX && recv(fd, drain, sizeof(drain), MSG_DONTWAIT) > 0;
         i++) {
    }
    lws_set_timeout(wsi, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_ASYNC);
}

static void settle(struct lsig_net *net, const struct lsig_socket *socket)
{
    struct lsig_session *session = socket->session;
    if (session == NULL || !session->open || session->close_code != 0) {
        return;
    }
    net->options.metrics->protocol_errors += 1;
    session->client.state = LSIG_CLIENT_CLOSING;
    lsig_session_sink.close(&session->client, PROTOCOL_ERROR, socket->watch.breach);
    lsig_session_flush(session);
    if (session->close_sent && !lws_partial_buffered(session->wsi)) {
        end_socket(net, session->wsi, socket->watch.fd);
    }
}

// As if the socket were readable; what is not wanted yet waits for a later turn, since only an
// event changes that.
static void serve_held(struct lsig_net *net)
{
    int count = own->held_count;
    int kept = 0;
    bool read = false;
    for (int i = 0; i < count; i++) {
        struct held held = own->held[i];
        int before = find(held.fd) == held.socket ? SSL_pending(held.ssl) : 0;
        if (before > 0) {
            struct lws_pollfd readable = {
                .fd = held.fd, .events = LWS_POLLIN, .revents = LWS_POLLIN};
            (void)lws_service_fd(net->lws, &readable);
        }
        int after = before > 0 && find(held.fd) == held.socket ? SSL_pending(held.ssl) : 0;
        if (after > 0) {
            own->held[kept++] = held;
        }
        read = read || after < before;
    }
    own->held_count = kept;
    if (read) {
        lws_cancel_service(net->lws); // to look at what it has put aside
    }
}

void lsig_frame_watch_settle(struct lsig_net *net)
{
    if (own == NULL) {
        return;
    }
    serve_held(net);
    for (int i = 0; i < own->breached_count; i++) {
        const struct lsig_socket *socket = find(own->breached[i]);
        if (socket != NULL && socket->watch.breach != NULL) {
            settle(net, socket);
        }
    }
    own->breached_count = 0;
}
