// control_socket.h - the file of the control socket: where it is, making it, who may use it,
// removing it.
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/status.h"
#include "codec/settings.h"

enum {
    LSIG_CONTROL_PATH_SIZE = 108, // of sockaddr_un, with the NUL
    LSIG_CONTROL_WHO_SIZE = 48,
};

struct lsig_control_file {
    char path[LSIG_CONTROL_PATH_SIZE];
    dev_t device; // of what was made there, so that nothing else is removed
    ino_t inode;
};

// CONTROL_SOCKET, or control.sock in DATA_DIR. LSIG_OK; LSIG_NOT_FOUND for `none`; LSIG_TOO_BIG
// when the path does not fit: *path is its beginning then.
LSIG_MUST_USE enum lsig_status lsig_control_path(const struct lsig_settings *settings,
                                                 char path[LSIG_CONTROL_PATH_SIZE]);
// Makes the socket at file->path with mode 0660, listens, and returns the descriptor. A socket that
// nobody listens at is replaced; one of a server that runs, or any other file, is an error. -1:
// *report says why. May wait a moment for another server that starts. At the start only.
int lsig_control_socket_open(struct lsig_control_file *file, struct lsig_buf *report);
void lsig_control_socket_remove(const struct lsig_control_file *file); // if it is still the same
// Whether the process at the other end may give orders: the server's own user, root, or a member of
// the group that the socket's file has. who: for the log.
bool lsig_control_peer_ok(int fd,
                          const struct lsig_control_file *file,
                          char who[LSIG_CONTROL_WHO_SIZE]);
