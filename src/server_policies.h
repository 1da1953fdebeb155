// server_policies.h - how the settings become the options of the policies.
#pragma once

#include "codec/settings.h"
#include "script/script.h"

// Strings are the settings'. documents is for the caller to set.
struct lsig_script_options lsig_server_policies(const struct lsig_settings *settings,
                                                struct uv_loop_s *loop,
                                                struct lsig_metrics *metrics);
