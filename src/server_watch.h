// server_watch.h - waiting for Lua files to change, for who does the same again then.
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct lsig_server_watch;

// The folders below which files are watched, and of a path to a file the one that it lies in; the
// library NULL: none. What changes from here on is told by the next wait.
struct lsig_server_watch *
lsig_server_watch_open(const char *const *paths, size_t count, const char *library);
// Prints the text to standard error and waits. False: SIGINT or SIGTERM came; they are taken while
// it waits, and elsewhere do what they did.
bool lsig_server_watch_wait(struct lsig_server_watch *watch, const char *text);
void lsig_server_watch_close(struct lsig_server_watch *watch);
