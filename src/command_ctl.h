// command_ctl.h - the parts of `lunasig ctl`: the connection to the server, and tables.
#pragma once

#include <stdint.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/span.h"

enum {
    LSIG_CTL_ANSWER_MAX = 16 << 20, // bytes of a line from the server
    LSIG_CTL_WAIT_S = 10,           // for an answer
    LSIG_CTL_WORDS_MAX = 8,
    LSIG_CTL_CELL_MAX = 160, // bytes of a text that is shown, with its NUL
};

// --- the request (command_ctl_build.c)

// What was written on the command line, besides the command.
struct lsig_ctl_order {
    const char *words[LSIG_CTL_WORDS_MAX + 1]; // the command and what it is about
    int count;
    const char *socket;
    const char *limit;
    const char *reason;
    const char *user;
    const char *before;
    bool json;
    bool addresses;
    bool all;
    bool token_stdin;
    bool drop_state;
    bool skip_tests;
    bool follow;
    struct lsig_buf request; // JSON
};

// Prints what is wrong with the command line; false.
bool lsig_ctl_usage(const char *what);
// Each adds the members of one command to the request. False: it cannot be; told.
bool lsig_ctl_build_nothing(struct lsig_ctl_order *order);
bool lsig_ctl_build_rooms(struct lsig_ctl_order *order);
bool lsig_ctl_build_room(struct lsig_ctl_order *order);
bool lsig_ctl_build_user(struct lsig_ctl_order *order);
bool lsig_ctl_build_watch(struct lsig_ctl_order *order);
bool lsig_ctl_build_call(struct lsig_ctl_order *order);
bool lsig_ctl_build_kick(struct lsig_ctl_order *order);
bool lsig_ctl_build_close(struct lsig_ctl_order *order);
bool lsig_ctl_build_broadcast(struct lsig_ctl_order *order);
bool lsig_ctl_build_revoke(struct lsig_ctl_order *order);
bool lsig_ctl_build_log(struct lsig_ctl_order *order);
bool lsig_ctl_build_policy_load(struct lsig_ctl_order *order);
bool lsig_ctl_build_policy_use(struct lsig_ctl_order *order); // also rollback and discard

// --- the connection (command_ctl_link.c)

struct lsig_ctl_link {
    int fd;
    struct lsig_buf in;
    size_t taken; // bytes of `in` that have been given out
};

// False: nobody is there; told on standard error, with what to do.
bool lsig_ctl_connect(struct lsig_ctl_link *link, const char *path);
// Sends one line; a server that has hung up is met by the next read.
void lsig_ctl_send(struct lsig_ctl_link *link, struct lsig_span line);
// The next line without its end, valid until the next call. wait: as long as it takes, else
// LSIG_CTL_WAIT_S. data NULL: there is none; *why is a static text.
struct lsig_span lsig_ctl_read(struct lsig_ctl_link *link, bool wait, const char **why);
void lsig_ctl_close(struct lsig_ctl_link *link);
// The parts of an answer {"status":N,"answer":{…}}; false: it is none.
bool lsig_ctl_split(struct lsig_span line, int *status, struct lsig_span *answer);

// --- what people see (command_ctl_show.c). The JSON comes from the server and is trusted to be
// well formed; texts in it may come from anybody, and are shown without control characters.

// A member of the object, without the quotes of text; data NULL: there is none.
struct lsig_span lsig_ctl_member(struct lsig_span object, const char *name);
// The text of a member; "" where there is none.
void lsig_ctl_text(char cell[LSIG_CTL_CELL_MAX], struct lsig_span object, const char *name);
int64_t lsig_ctl_number(struct lsig_span object, const char *name); // 0 where there is none
bool lsig_ctl_truth(struct lsig_span object, const char *name);
void lsig_ctl_show_status(FILE *out, struct lsig_span answer);
void lsig_ctl_show_rooms(FILE *out, struct lsig_span answer);
void lsig_ctl_show_room(FILE *out, struct lsig_span answer);
void lsig_ctl_show_user(FILE *out, struct lsig_span answer);
void lsig_ctl_show_event(FILE *out, struct lsig_span event);
void lsig_ctl_show_versions(FILE *out, struct lsig_span answer);
// command_ctl_call.c: the timeline of a call, and what happens in it after that.
void lsig_ctl_show_call(FILE *out, struct lsig_span answer);
void lsig_ctl_show_call_event(FILE *out, struct lsig_span event);
// The text of a member, for messages.
void lsig_ctl_print_text(FILE *out, struct lsig_span object, const char *name);
// The texts of a member that is a list, a line each, which may be long.
void lsig_ctl_print_lines(FILE *out, struct lsig_span object, const char *name);
