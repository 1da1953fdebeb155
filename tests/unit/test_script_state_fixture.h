// test_script_state_fixture.h - running a few lines of Lua in a hook of a policy that has declared
// something.
#pragma once

#include "room/state.h"
#include "test_script_fixture.h"

enum { SAID_MAX = 250 };

// Loads `declare` with a join hook that runs `body`; what that returns, or its error, becomes the
// message of the refusal. The changes of the hook stay, also when the body fails.
static inline void fixture_load_body(struct fixture *f, const char *declare, const char *body)
{
    struct lsig_buf text;
    lsig_buf_init(&text, 65536);
    lsig_buf_append_format(&text,
                           "%s sig.on('join', function(room, member) "
                           "local ok, said = pcall(function() %s end) "
                           "return sig.deny('SAID', tostring(said):sub(1, %d)) end)",
                           declare, body, SAID_MAX);
    fixture_use(f, text.data);
    lsig_buf_clear(&text);
}

static inline struct lsig_member *fixture_joiner(struct fixture *f)
{
    if (f->members[FIXTURE_MEMBERS - 1] == NULL) {
        fixture_member(f, FIXTURE_MEMBERS - 1, "zoe", NULL);
    }
    return f->members[FIXTURE_MEMBERS - 1];
}

// Runs `body` in a join hook behind `declare`: what it returns, or its error, has to hold `wanted`.
static inline void
fixture_tells(struct fixture *f, const char *declare, const char *body, const char *wanted)
{
    fixture_load_body(f, declare, body);
    enum lsig_status status = fixture_event(f, LSIG_HOOK_JOIN, fixture_joiner(f), NULL, NULL);
    if (status != LSIG_POLICY_DENIED || strstr(f->refusal.message, wanted) == NULL) {
        fail_msg("%s\n  said: %s %s\n  wanted: %s", body, f->refusal.message, f->refusal.details,
                 wanted);
    }
}
