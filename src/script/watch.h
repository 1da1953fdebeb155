// watch.h - tells when Lua files below some folders have changed.
//
// The system reports changes (inotify); where it does not, the folders are looked at once a second.
// After LSIG_WATCH_QUIET_MS without a change, or LSIG_WATCH_LONGEST_MS of them, the names, sizes
// and times of all *.lua files are compared with those before: an editor's temporary files make no
// difference. Folders that come later are found; hidden ones and links to folders are passed over.
// At most LSIG_WATCH_FOLDERS_MAX folders and LSIG_WATCH_FILES_MAX files; what is beyond is not
// watched, which is logged once. Looking blocks the loop for some microseconds for each file.
#pragma once

#include <stddef.h>

struct uv_loop_s;
struct lsig_watch;

enum {
    LSIG_WATCH_QUIET_MS = 100,
    LSIG_WATCH_LONGEST_MS = 1000,
    LSIG_WATCH_POLL_MS = 1000,
    LSIG_WATCH_FOLDERS_MAX = 256,
    LSIG_WATCH_FILES_MAX = 5000,
    LSIG_WATCH_ROOTS_MAX = 2,
};

// The paths (NULL is passed over) are copied.
struct lsig_watch *lsig_watch_open(struct uv_loop_s *loop,
                                   const char *const roots[LSIG_WATCH_ROOTS_MAX],
                                   void (*on_change)(void *arg),
                                   void *arg);
// Freed when the loop has run out. NULL is fine.
void lsig_watch_close(struct lsig_watch *watch);
