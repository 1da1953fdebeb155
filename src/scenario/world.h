// world.h - servers without sockets and without a clock of their own, for one test: the same rooms,
// limits, lines and policies (node.h), between virtual clients, in virtual time.
//
// Time stands still unless lsig_world_pass moves it, and then in steps: to everything that is due
// on the way. It begins on a Monday at noon UTC, so that a test gives the same every time.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/log.h"
#include "base/random.h"
#include "flow/flow.h"
#include "scenario/documents.h"
#include "scenario/match.h"
#include "scenario/node.h"
#include "scenario/player.h"
#include "scenario/story.h"
#include "scenario/wire.h"
#include "scenario/witness.h"

enum {
    LSIG_WORLD_TURNS_MAX = 20000, // without time passing: more never end
    LSIG_WORLD_ERRORS_MAX = 50,
    LSIG_WORLD_ERROR_SIZE = 400,
    LSIG_WORLD_EXPECTED_MAX = 20,
    LSIG_WORLD_HEARD_MAX = 64 * 1024 * 1024, // bytes of all frames that clients have heard
};

struct lsig_real;
struct lsig_real_stage;

// What all tests of a bundle share; outlives the worlds.
struct lsig_world_base {
    const struct lsig_settings *settings;
    const struct lsig_keyring *keyring;
    struct lsig_script *script;
    const struct lsig_script_options *machine; // what the script was made with: for other nodes
    struct lsig_metrics *metrics;              // what the script counts in
    struct lsig_time *now;                     // what the script sees as the time
    struct lsig_documents *documents;          // what the script sees as the database
    const struct lsig_real *real; // the running server that is tested in its place; NULL: none
    int64_t end_us;               // real time, of the monotonic clock: whatever goes on stops then
    const atomic_bool *ending;    // likewise, when it is set; NULL: never is
};

// What one test wants; outlives its world.
struct lsig_world_options {
    const char *where;                    // the test's declaration: "policy.lua:12"
    const struct lsig_settings *settings; // NULL: the base's
    int64_t date_ms;                      // Unix time at which it begins; 0: the Monday
    uint32_t seed;                        // of peer ids, resume tokens, and other nodes' policies
};

// A hook that failed.
struct lsig_world_error {
    char where[80]; // "policy.lua:12", as far as the error says
    char text[LSIG_WORLD_ERROR_SIZE];
};

struct lsig_world {
    const struct lsig_world_base *base;
    const struct lsig_settings *settings;
    struct lsig_script *script; // that the test runs in: the first node's
    struct lsig_metrics *metrics;
    struct lsig_time *now;
    struct lsig_documents *documents;
    int64_t end_us;
    const atomic_bool *ending;
    int64_t began_ms; // monotonic, virtual
    bool late;        // the real time is used up
    bool endless;     // LSIG_WORLD_TURNS_MAX
    uint32_t seed;
    uint64_t random_state;
    struct lsig_random_source random;
    struct lsig_node *nodes;       // the first is the one that was there at first
    struct lsig_real_stage *stage; // in place of wires, to a running server (real.h); NULL: none
    char skipped[200];             // why a running server cannot be tested so; "": it can
    struct lsig_player *players;
    int player_count;
    size_t heard_bytes;
    struct lsig_story story;
    struct lsig_captures captures;
    int token_count; // tokens that were made
    struct lsig_witness witness;
    struct lsig_log_taker log;
    const struct lsig_log_taker *log_before;
    const char *test_where;
    const char *test;   // its name: what its own function logs as a failure is no hook's
    char failed_at[80]; // where the test asked what failed last: "policy.lua:12"
    char own_error[LSIG_WORLD_ERROR_SIZE]; // what its own function failed with; "": nothing
    struct lsig_world_error errors[LSIG_WORLD_ERRORS_MAX];
    size_t error_count;
    char *expected[LSIG_WORLD_EXPECTED_MAX]; // patterns that errors may match
    bool expected_came[LSIG_WORLD_EXPECTED_MAX];
    size_t expected_count;
};

// The thread's log is the world's until it is closed. `start` hooks have been told.
struct lsig_world *lsig_world_new(const struct lsig_world_base *base,
                                  const char *test,
                                  const struct lsig_world_options *options);
// All clients leave, suspended hooks end; then everything is freed by lsig_world_free.
void lsig_world_close(struct lsig_world *world);
void lsig_world_free(struct lsig_world *world);

int64_t lsig_world_ms(const struct lsig_world *world);   // since the test began
bool lsig_world_is_late(const struct lsig_world *world); // whatever goes on stops
// Does what is to be done now. False: it never ends, or the real time is used up.
bool lsig_world_settle(struct lsig_world *world);
// Lets this much time pass, or less: until `enough` (may be NULL) says so. False as above.
bool lsig_world_pass(struct lsig_world *world, int64_t ms, bool (*enough)(void *arg), void *arg);
// Whether something would go on if time passed; in how many milliseconds at most. -1: nothing.
int64_t lsig_world_due_ms(const struct lsig_world *world);
struct lsig_player *lsig_world_player(const struct lsig_world *world, int number); // NULL: none
