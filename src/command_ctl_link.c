#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "codec/scan.h"
#include "command_ctl.h"

static bool nobody_there(const char *path, int error)
{
    const char *advice;
    switch (error) {
    case ENOENT:
        advice = "is the server running, and is this its DATA_DIR? Give --data DIR, -c FILE or "
                 "--socket PATH";
        break;
    case ECONNREFUSED:
        advice = "the server that made it is gone; start it with: lunasig serve";
        break;
    case EACCES:
    case EPERM:
        advice = "be root, the user of the server, or in the group of the socket";
        break;
    default:
        advice = "is this the control socket of a Lunasig server?";
        break;
    }
    fprintf(stderr, "lunasig ctl: no server at %s: %s; %s\n", path, strerror(error), advice);
    return false;
}

bool lsig_ctl_connect(struct lsig_ctl_link *link, const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct timeval wait = {.tv_sec = LSIG_CTL_WAIT_S};
    *link = (struct lsig_ctl_link){.fd = -1};
    lsig_buf_init(&link->in, LSIG_CTL_ANSWER_MAX);
    if (strlen(path) >= sizeof(address.sun_path)) {
        return nobody_there(path, ENAMETOOLONG);
    }
    memcpy(address.sun_path, path, strlen(path));
    link->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (link->fd < 0) {
        return nobody_there(path, errno);
    }
    setsockopt(link->fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
    setsockopt(link->fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
    if (connect(link->fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
        int error = errno;
        lsig_ctl_close(link);
        return nobody_there(path, error);
    }
    return true;
}

void lsig_ctl_send(struct lsig_ctl_link *link, struct lsig_span line)
{
    while (line.len > 0) {
        ssize_t put = send(link->fd, line.data, line.len, MSG_NOSIGNAL);
        if (put < 0 && errno != EINTR) {
            return;
        }
        if (put > 0) {
            line.data += put;
            line.len -= (size_t)put;
        }
    }
}

// What has been given out leaves the buffer.
static void drop_taken(struct lsig_ctl_link *link)
{
    if (link->taken > 0) {
        memmove(link->in.data, link->in.data + link->taken, link->in.len - link->taken);
        link->in.len -= link->taken;
        link->taken = 0;
    }
}

struct lsig_span lsig_ctl_read(struct lsig_ctl_link *link, bool wait, const char **why)
{
    struct lsig_span none = {NULL, 0};
    char piece[65536];
    size_t looked = 0;
    drop_taken(link);
    for (;;) {
        const char *end = link->in.len > looked
                              ? memchr(link->in.data + looked, '\n', link->in.len - looked)
                              : NULL;
        if (end != NULL) {
            size_t len = (size_t)(end - link->in.data);
            link->taken = len + 1;
            return (struct lsig_span){link->in.data, len};
        }
        looked = link->in.len;
        ssize_t got = recv(link->fd, piece, sizeof(piece), 0);
        if (got > 0) {
            lsig_buf_append(&link->in, piece, (size_t)got);
            if (link->in.overflowed) {
                *why = "its answer has no end";
                return none;
            }
        } else if (got == 0) {
            *why = "it has hung up";
            return none;
        } else if (errno == EAGAIN && !wait) {
            *why = "it does not answer";
            return none;
        } else if (errno != EAGAIN && errno != EINTR) {
            *why = "the connection broke";
            return none;
        }
    }
}

void lsig_ctl_close(struct lsig_ctl_link *link)
{
    if (link->fd >= 0) {
        close(link->fd);
    }
    link->fd = -1;
    lsig_buf_clear(&link->in);
}

bool lsig_ctl_split(struct lsig_span line, int *status, struct lsig_span *answer)
{
    static const char start[] = "{\"status\":";
    static const char middle[] = ",\"answer\":{";
    size_t head = sizeof(start) - 1 + 3; // three digits
    if (line.len < head + sizeof(middle) || memcmp(line.data, start, sizeof(start) - 1) != 0 ||
        memcmp(line.data + head, middle, sizeof(middle) - 1) != 0 ||
        line.data[line.len - 1] != '}' || line.data[line.len - 2] != '}') {
        return false;
    }
    *status = (int)strtol(line.data + sizeof(start) - 1, NULL, 10);
    size_t from = head + sizeof(middle) - 2;
    *answer = (struct lsig_span){line.data + from, line.len - from - 1};
    return *status >= 100;
}
