// account_rules_calls.h - what both files of the rules share.
#pragma once

#include "account_rules.h"

struct lsig_account_call account_call_of(struct account_rules *rules);
struct lsig_refresh_call account_refresh_call_of(struct account_rules *rules);
enum lsig_status account_wait_for(struct account_rules *rules, enum lsig_status accepted);
void account_ann_and_bob(struct account_rules *rules);
void account_restart(struct account_rules *rules);
