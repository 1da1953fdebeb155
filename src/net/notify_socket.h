// notify_socket.h - telling the service manager how the process is (sd_notify(3), without its
// library).
//
// The manager names a datagram socket in NOTIFY_SOCKET: a path, or with @ in front an abstract
// name. With WATCHDOG_USEC (and WATCHDOG_PID, if it is there, ours) it is told twice in that time
// that the loop turns, and restarts a process whose loop has stopped. Without NOTIFY_SOCKET nobody
// is told, and NULL takes the place of the struct everywhere.
#pragma once

#include <uv.h>

struct lsig_notify_socket;

// NULL: there is nobody to tell, or NOTIFY_SOCKET cannot be used, which the log says.
struct lsig_notify_socket *lsig_notify_socket_open(uv_loop_t *loop);
// Closing ends when the loop has run out.
void lsig_notify_socket_close(struct lsig_notify_socket *notify);

// Serving, at the start and behind a reload; status is one line for people.
void lsig_notify_socket_ready(struct lsig_notify_socket *notify, const char *status);
void lsig_notify_socket_reloading(struct lsig_notify_socket *notify); // ended by a ready
void lsig_notify_socket_stopping(struct lsig_notify_socket *notify);
