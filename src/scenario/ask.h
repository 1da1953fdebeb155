// ask.h - what the functions of a test ask for, done.
//
// Each question is one function that gets the arguments as JSON and leaves an answer as JSON, or
// why it fails for people: one line, and behind it, if need be, lines that explain it.
#pragma once

#include "base/buf.h"
#include "scenario/world.h"
#include "script/lib_test.h"

enum { LSIG_ASK_ARGUMENTS = 3, LSIG_ASK_TEXT_MAX = 16 * 1024 };

struct lsig_asking {
    struct lsig_world *world;
    struct lsig_player *player; // whom it is asked of; NULL: the test itself
    const struct lsig_test_question *question;
    struct lsig_span arguments[LSIG_ASK_ARGUMENTS]; // JSON; data NULL: not given
    struct lsig_buf *answer;
    int64_t patience_ms; // that passes while something does not come; 0: none
};

// Does it, and what is due after it. False: *answer has the text, world->failure where.
bool lsig_ask(struct lsig_world *world,
              const struct lsig_test_question *question,
              struct lsig_buf *answer);
// A refused join that the test has said nothing about: false, as above.
bool lsig_ask_check_refusals(struct lsig_world *world, struct lsig_buf *answer);

// --- for the files that do it (ask_*.c)

// Puts the text in place of the answer; false.
bool lsig_ask_fail(struct lsig_asking *asking, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
// The member of an object that is the argument; data NULL: it is not given.
struct lsig_span
lsig_ask_option(const struct lsig_asking *asking, size_t argument, const char *name);
// False, and failed: the argument has a member of another name than these.
bool lsig_ask_check_options(struct lsig_asking *asking,
                            size_t argument,
                            const char *const *known,
                            size_t count);
// Reads a time such as "5s", or a number of seconds, into *ms. data NULL: *ms stays. False, and
// failed: it is none.
bool lsig_ask_read_time(struct lsig_asking *asking, struct lsig_span value, int64_t *ms);
// Lets time pass as lsig_world_pass does. False, and failed: it would never end.
bool lsig_ask_pass(struct lsig_asking *asking, int64_t ms, bool (*enough)(void *arg), void *arg);

// The member `node` of the argument, if there is one. False, and failed: no such node lives.
bool lsig_ask_read_node(struct lsig_asking *asking, size_t argument, struct lsig_node **node);
// False, and failed: the node of whoever asks is dead.
bool lsig_ask_check_node(struct lsig_asking *asking);

// What ask_connect.c and real_connect.c share.
bool lsig_ask_read_room(struct lsig_asking *asking);       // of joins, into player->room_id
bool lsig_ask_check_away(struct lsig_asking *asking);      // for resumes
bool lsig_ask_check_connected(struct lsig_asking *asking); // for sends and what ends it
void lsig_ask_begin_coming(struct lsig_asking *asking);    // forgets how it came before
// What its token says: what the test gave it, and what every token has. The caller clears.
void lsig_ask_make_claims(const struct lsig_player *player, struct lsig_claims *claims);
void lsig_ask_refuse_upgrade(struct lsig_player *player,
                             int status,
                             const char *code,
                             const char *text);
bool lsig_ask_answer_welcome(struct lsig_asking *asking, size_t first); // of frames since then
bool lsig_ask_note_refusal(struct lsig_asking *asking, size_t first);
bool lsig_ask_print_message(struct lsig_asking *asking, struct lsig_buf *out); // of sends
bool lsig_ask_read_raw(struct lsig_asking *asking, struct lsig_buf *out);      // of sends_raw
// A text frame of the client, which is connected, and what is due after it.
bool lsig_ask_send_frame(struct lsig_asking *asking, struct lsig_span frame);

// ask_connect.c, ask_send.c, ask_expect.c, ask_view.c, ask_observe.c, ask_request.c, ask_token.c
bool lsig_ask_client(struct lsig_asking *asking);
bool lsig_ask_joins(struct lsig_asking *asking);
bool lsig_ask_resumes(struct lsig_asking *asking);
bool lsig_ask_sends(struct lsig_asking *asking);
bool lsig_ask_sends_raw(struct lsig_asking *asking);
bool lsig_ask_vanishes(struct lsig_asking *asking);
bool lsig_ask_drops(struct lsig_asking *asking);
bool lsig_ask_leaves(struct lsig_asking *asking);
bool lsig_ask_receives(struct lsig_asking *asking);
bool lsig_ask_receives_nothing(struct lsig_asking *asking);
bool lsig_ask_is_refused(struct lsig_asking *asking);
bool lsig_ask_is_closed(struct lsig_asking *asking);
bool lsig_ask_room(struct lsig_asking *asking);
bool lsig_ask_state(struct lsig_asking *asking);
bool lsig_ask_sends_binary(struct lsig_asking *asking);
bool lsig_ask_refreshes(struct lsig_asking *asking);
bool lsig_ask_token(struct lsig_asking *asking);
bool lsig_ask_metric(struct lsig_asking *asking);
bool lsig_ask_expects_metric(struct lsig_asking *asking);
bool lsig_ask_logged(struct lsig_asking *asking);
bool lsig_ask_logged_nothing(struct lsig_asking *asking);
bool lsig_ask_request(struct lsig_asking *asking); // of the test and of a client
// ask_faults.c
bool lsig_ask_node(struct lsig_asking *asking);
bool lsig_ask_drain(struct lsig_asking *asking);
bool lsig_ask_kill(struct lsig_asking *asking);
bool lsig_ask_redis(struct lsig_asking *asking);
bool lsig_ask_store(struct lsig_asking *asking);
bool lsig_ask_stalls(struct lsig_asking *asking);
bool lsig_ask_reads(struct lsig_asking *asking);
bool lsig_ask_fault_really(struct lsig_asking *asking); // all of them, of a running server: skipped
