#include "net/notify_socket.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"

// A manager that does not read holds the loop no longer than this.
enum { SEND_MS = 40, TEXT_MAX = 512 };

struct lsig_notify_socket {
    int fd;
    struct sockaddr_un address;
    socklen_t address_size;
    uv_timer_t watchdog;
};

static void complain(const char *why)
{
    lsig_log(LSIG_WARNING, "notify-socket-refused", LSIG_LOG_TEXT("why", why),
             LSIG_LOG_TEXT("advice", "NOTIFY_SOCKET is set by systemd; unset it elsewhere"));
}

static bool read_address(struct lsig_notify_socket *notify, const char *name)
{
    size_t len = strlen(name);
    if ((name[0] != '/' && name[0] != '@') || len < 2) {
        complain("NOTIFY_SOCKET is neither a path nor an abstract name");
        return false;
    }
    if (len >= sizeof(notify->address.sun_path)) {
        complain("NOTIFY_SOCKET is longer than the address of a socket can be");
        return false;
    }
    notify->address.sun_family = AF_UNIX;
    memcpy(notify->address.sun_path, name, len);
    // An abstract name begins with NUL and ends where the address does: unix(7).
    bool abstract = name[0] == '@';
    if (abstract) {
        notify->address.sun_path[0] = '\0';
    }
    size_t size = offsetof(struct sockaddr_un, sun_path) + len + (abstract ? 0 : 1);
    notify->address_size = (socklen_t)size;
    return true;
}

static void say(struct lsig_notify_socket *notify, const char *text)
{
    if (sendto(notify->fd, text, strlen(text), MSG_NOSIGNAL,
               (const struct sockaddr *)&notify->address, notify->address_size) < 0) {
        lsig_log(LSIG_WARNING, "notify-failed", LSIG_LOG_TEXT("why", strerror(errno)));
    }
}

static void on_watchdog(uv_timer_t *timer)
{
    say(timer->data, "WATCHDOG=1");
}

// Microseconds between two signs of life that are asked of this process; 0: none are.
static uint64_t watchdog_us(void)
{
    const char *pid = getenv("WATCHDOG_PID");
    const char *text = getenv("WATCHDOG_USEC");
    if (text == NULL || (pid != NULL && strtoll(pid, NULL, 10) != getpid())) {
        return 0;
    }
    char *end;
    errno = 0;
    uint64_t us = strtoull(text, &end, 10);
    return errno == 0 && *end == '\0' && text[0] != '-' ? us : 0;
}

struct lsig_notify_socket *lsig_notify_socket_open(uv_loop_t *loop)
{
    const char *name = getenv("NOTIFY_SOCKET");
    if (name == NULL || name[0] == '\0') {
        return NULL;
    }
    struct lsig_notify_socket *notify = lsig_alloc(sizeof(*notify));
    if (!read_address(notify, name)) {
        free(notify);
        return NULL;
    }
    notify->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (notify->fd < 0) {
        complain(strerror(errno));
        free(notify);
        return NULL;
    }
    struct timeval patience = {.tv_usec = SEND_MS * 1000L};
    setsockopt(notify->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    uv_timer_init(loop, &notify->watchdog);
    notify->watchdog.data = notify;
    uv_unref((uv_handle_t *)&notify->watchdog);
    uint64_t us = watchdog_us();
    if (us > 0) {
        uint64_t half_ms = us / 2000 > 0 ? us / 2000 : 1;
        uv_timer_start(&notify->watchdog, on_watchdog, half_ms, half_ms);
    }
    return notify;
}

static void on_closed(uv_handle_t *handle)
{
    struct lsig_notify_socket *notify = handle->data;
    close(notify->fd);
    free(notify);
}

void lsig_notify_socket_close(struct lsig_notify_socket *notify)
{
    if (notify != NULL) {
        uv_close((uv_handle_t *)&notify->watchdog, on_closed);
    }
}

void lsig_notify_socket_ready(struct lsig_notify_socket *notify, const char *status)
{
    char text[TEXT_MAX];
    if (notify != NULL) {
        snprintf(text, sizeof(text), "READY=1\nSTATUS=%s", status);
        say(notify, text);
    }
}

void lsig_notify_socket_reloading(struct lsig_notify_socket *notify)
{
    char text[TEXT_MAX];
    if (notify != NULL) {
        // The manager tells by the time which reload it is.
        snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%" PRId64 "\nSTATUS=Reloading",
                 lsig_clock_mono_us());
        say(notify, text);
    }
}

void lsig_notify_socket_stopping(struct lsig_notify_socket *notify)
{
    if (notify != NULL) {
        say(notify, "STOPPING=1\nSTATUS=Closing connections");
    }
}
