// operate_watch.h - what happens in one room, or to one user, as it happens: lines of JSON for
// `lunasig ctl watch`.
//
// A line says who did what: names, message types, targets, sizes and refusals, never a payload.
//   {"event":"message","at":"2026-…","room_id":"r1","user_id":"ann","peer_id":"…","type":"offer",
//    "target":"bob","bytes":2417}
// Without a target, "to" as in audience.h.
// Of what a policy refused, or consumed ("handled":true), also "where" ("chat.lua:12") and
// "version".
#pragma once

#include "flow/observer.h"
#include "flow/operate_request.h"

enum { LSIG_OPERATE_WATCH_LINE_MAX = 8192 }; // bytes, with the line break

struct lsig_operate_watch {
    struct lsig_observer observer; // first
    struct lsig_flow *flow;
    char room_id[LSIG_ROOM_ID_MAX + 1]; // "": any
    char user_id[LSIG_USER_ID_MAX + 1]; // "": any; also where he is the target
    int64_t dropped;                    // lines for which there was no room, not told yet
    // Takes a line, with its line break. False: there is no room for it now; it is counted. Must
    // not close the watch.
    bool (*on_line)(void *arg, struct lsig_span line);
    void *arg;
};

// Fills a watch that on_line and arg have been set in, and begins. The request is a checked WATCH.
void lsig_operate_watch_open(struct lsig_operate_watch *watch,
                             struct lsig_flow *flow,
                             const struct lsig_operate_request *request);
void lsig_operate_watch_close(struct lsig_operate_watch *watch);
// There is room again: says how many lines were dropped, if any were. Also done before each line.
void lsig_operate_watch_catch_up(struct lsig_operate_watch *watch);
