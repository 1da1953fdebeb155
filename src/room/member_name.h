// member_name.h - how a member is called, where a policy has another rule for names than the
// issuer of his token.
#pragma once

#include "base/span.h"

enum { LSIG_MEMBER_NAME_MAX = 512 }; // bytes: 128 characters of UTF-8

struct lsig_journal;
struct lsig_member;

// 1 to LSIG_MEMBER_NAME_MAX bytes of text, copied; the old name ends. Only before the member has
// entered: others know him by the name that he came with.
void lsig_member_name_set(struct lsig_member *member,
                          struct lsig_span name,
                          struct lsig_journal *journal);
