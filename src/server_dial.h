// server_dial.h - a server that runs somewhere, as tests of it want it (scenario/real.h), over
// net/dial.h.
#pragma once

#include "base/buf.h"
#include "codec/settings.h"
#include "scenario/real.h"

struct lsig_dialer;
struct lsig_keyring;

struct lsig_server_dial {
    struct lsig_real port; // for struct lsig_world_base; lives as long as this
    struct lsig_dialer *dialer;
    struct lsig_keyring *keyring;
};

// Tokens are signed with JWT_SECRET_KEY of the settings, or with the development secret that a
// server has made in DATA_DIR. Asks the server at url whether it is there. False, with a line in
// *report and nothing to close: there is no secret, no such address, or nobody answers there.
bool lsig_server_dial_open(struct lsig_server_dial *dial,
                           const struct lsig_settings *settings,
                           const char *url,
                           struct lsig_buf *report);
void lsig_server_dial_close(struct lsig_server_dial *dial); // a zeroed one is fine
