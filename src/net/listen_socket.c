#include "net/listen_socket.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 4096 };

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

int lsig_listen_socket_open(const char *host, int port, const char *prefix, struct lsig_buf *report)
{
    char service[16];
    snprintf(service, sizeof(service), "%d", port);
    struct addrinfo hints = {.ai_flags = AI_PASSIVE, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    int failed = getaddrinfo(host, service, &hints, &found);
    if (failed != 0) {
        lsig_buf_append_format(report, "%sHOST: cannot resolve \"%s\": %s\n", prefix, host,
                               gai_strerror(failed));
        return -1;
    }
    int error = 0;
    int fd = open_socket(found, &error);
    freeaddrinfo(found);
    if (fd < 0) {
        lsig_buf_append_format(report, "cannot listen on %s port %d: %s", host, port,
                               strerror(error));
        if (error == EADDRINUSE) {
            lsig_buf_append_format(
                report, "; stop the other program or set %sPORT to another number", prefix);
        }
        lsig_buf_append_text(report, "\n");
    }
    return fd;
}

int lsig_listen_socket_port(int fd)
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
