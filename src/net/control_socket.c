#include "net/control_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/alloc.h"

enum { MODE = 0660, BACKLOG = 16 };

static const char advice[] = "set CONTROL_SOCKET to another path, or to none";

enum lsig_status lsig_control_path(const struct lsig_settings *settings,
                                   char path[LSIG_CONTROL_PATH_SIZE])
{
    bool own = settings->control_socket[0] != '\0';
    path[0] = '\0';
    if (own && strcmp(settings->control_socket, "none") == 0) {
        return LSIG_NOT_FOUND;
    }
    int len =
        snprintf(path, LSIG_CONTROL_PATH_SIZE, "%s%s",
                 own ? settings->control_socket : settings->data_dir, own ? "" : "/control.sock");
    return len < LSIG_CONTROL_PATH_SIZE ? LSIG_OK : LSIG_TOO_BIG;
}

static struct sockaddr_un address_of(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, path, strlen(path));
    return address;
}

static bool complain(struct lsig_buf *report, const char *path, const char *what)
{
    lsig_buf_append_format(report, "control socket %s: %s; %s\n", path, what, advice);
    return false;
}

// Whether nobody listens at the socket that is there.
static bool is_stale(const char *path, struct lsig_buf *report)
{
    struct sockaddr_un address = address_of(path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return complain(report, path, strerror(errno));
    }
    int failed = connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0 ? errno : 0;
    struct ucred peer = {0};
    socklen_t size = sizeof(peer);
    if (failed == 0) {
        getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size);
    }
    close(fd);
    if (failed == ECONNREFUSED || failed == ENOENT) {
        return true;
    }
    char text[96];
    if (failed == 0) {
        snprintf(text, sizeof(text), "another server (process %d) uses it", (int)peer.pid);
    } else if (failed == EAGAIN) {
        snprintf(text, sizeof(text), "another server uses it");
    } else {
        snprintf(text, sizeof(text), "%s", strerror(failed));
    }
    return complain(report, path, text);
}

static bool make_place(const char *path, struct lsig_buf *report)
{
    struct stat found;
    if (lstat(path, &found) != 0) {
        return errno == ENOENT || complain(report, path, strerror(errno));
    }
    if (!S_ISSOCK(found.st_mode)) {
        return complain(report, path, "there is a file of that name, which is no socket");
    }
    if (!is_stale(path, report)) {
        return false;
    }
    return unlink(path) == 0 || errno == ENOENT || complain(report, path, strerror(errno));
}

static int make_socket(struct lsig_control_file *file, struct lsig_buf *report)
{
    struct sockaddr_un address = address_of(file->path);
    struct stat made;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    // Linux gives the file the mode that the socket has, less the umask: at no time is it open to
    // everybody.
    bool fine = fd >= 0 && fchmod(fd, MODE) == 0 &&
                bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
                chmod(file->path, MODE) == 0 && lstat(file->path, &made) == 0 &&
                listen(fd, BACKLOG) == 0;
    if (!fine) {
        complain(report, file->path, strerror(errno));
        if (fd >= 0) {
            close(fd);
        }
        return -1;
    }
    file->device = made.st_dev;
    file->inode = made.st_ino;
    return fd;
}

// Two servers that start at once must not take each other's socket for a stale one.
static int lock_folder(const char *path)
{
    char copy[LSIG_CONTROL_PATH_SIZE];
    memcpy(copy, path, strlen(path) + 1);
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        while (flock(fd, LOCK_EX) != 0 && errno == EINTR) {
        }
    }
    return fd;
}

int lsig_control_socket_open(struct lsig_control_file *file, struct lsig_buf *report)
{
    int lock = lock_folder(file->path);
    int fd = make_place(file->path, report) ? make_socket(file, report) : -1;
    if (lock >= 0) {
        close(lock);
    }
    return fd;
}

void lsig_control_socket_remove(const struct lsig_control_file *file)
{
    struct stat found;
    if (lstat(file->path, &found) == 0 && found.st_dev == file->device &&
        found.st_ino == file->inode) {
        unlink(file->path);
    }
}

static bool is_in_group(int fd, gid_t primary, gid_t wanted)
{
    socklen_t size = 0;
    bool found = primary == wanted;
    if (found || getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &size) == 0 || errno != ERANGE) {
        return found;
    }
    gid_t *groups = lsig_alloc(size);
    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) == 0) {
        for (size_t i = 0; i < size / sizeof(groups[0]); i++) {
            found = found || groups[i] == wanted;
        }
    }
    free(groups);
    return found;
}

bool lsig_control_peer_ok(int fd,
                          const struct lsig_control_file *file,
                          char who[LSIG_CONTROL_WHO_SIZE])
{
    struct ucred peer;
    struct stat found;
    socklen_t size = sizeof(peer);
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) {
        snprintf(who, LSIG_CONTROL_WHO_SIZE, "unknown");
        return false;
    }
    snprintf(who, LSIG_CONTROL_WHO_SIZE, "uid %u pid %d", (unsigned)peer.uid, (int)peer.pid);
    return peer.uid == 0 || peer.uid == geteuid() ||
           (lstat(file->path, &found) == 0 && is_in_group(fd, peer.gid, found.st_gid));
}
