// server.h - builds the house: makes each part, wires it, runs the loop, takes it down again.
#pragma once

#include "base/buf.h"
#include "codec/settings.h"

// Exit statuses, as documented for the command line.
enum { LSIG_SERVER_OK = 0, LSIG_SERVER_POLICY_REFUSED = 1, LSIG_SERVER_NOT_STARTED = 3 };

// Serves until SIGINT or SIGTERM; SIGHUP loads the policy, the page and JWT_KEYS_FILE anew. Empty
// folders in the settings are completed. What went wrong before it could serve is printed to
// standard error.
int lsig_server_run(struct lsig_settings *settings);
// Reads JWT_KEYS_FILE and loads the policy of the settings without serving. Returns one of the
// statuses; *report has a line per message for people, or, with 0, what was loaded.
int lsig_server_check(struct lsig_settings *settings, struct lsig_buf *report);
// Loads the policy of the settings without serving, and shows it when it is good; the status and
// *report as of check.
struct lsig_script;
int lsig_server_show(struct lsig_settings *settings,
                     struct lsig_buf *report,
                     void (*on_loaded)(void *arg, const struct lsig_script *script),
                     void *arg);
