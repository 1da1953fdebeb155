// operate_request.h - one request of an operator, read from JSON.
//
//   {"command":"kick","room_id":"r1","user_id":"ann","reason":"spam"}
//
// Members that the command does not know are refused, and so are members that stand twice.
#pragma once

#include "auth/token.h"
#include "base/log.h"
#include "flow/flow.h"

// What a request may say, as bits. X(NAME, "member")
#define LSIG_OPERATE_FIELDS(X)                                                                     \
    X(COMMAND, "command")       /* the name of a command */                                        \
    X(ROOM, "room_id")          /* 1 to 100 of A-Z a-z 0-9 _ - */                                  \
    X(USER, "user_id")          /* 1 to 128 bytes */                                               \
    X(REASON, "reason")         /* for people; what the client is told */                          \
    X(TYPE, "type")             /* of a message; 1 to 64 bytes */                                  \
    X(PAYLOAD, "payload")       /* JSON object */                                                  \
    X(ALL, "all")               /* true: all rooms */                                              \
    X(TOKEN, "token")           /* an access token */                                              \
    X(BEFORE, "before")         /* unix seconds */                                                 \
    X(LEVEL, "level")           /* debug, info, warning, error */                                  \
    X(LIMIT, "limit")           /* how many to list, 1 to LSIG_OPERATE_LIMIT_MAX */                \
    X(ADDRESSES, "addresses")   /* true: show where clients come from */                           \
    X(FOLDER, "folder")         /* of policies; in POLICY_DIR */                                   \
    X(VERSION, "version")       /* number of a version of the policies */                          \
    X(DROP_STATE, "drop_state") /* true: of rooms, where the version cannot take it up */          \
    X(SKIP_TESTS, "skip_tests") /* true: the bundle's own */

enum lsig_operate_field_index {
#define X(name, member) LSIG_OPERATE_INDEX_##name,
    LSIG_OPERATE_FIELDS(X)
#undef X
        LSIG_OPERATE_FIELD_COUNT
};

#define LSIG_OPERATE_BIT(name) (1u << LSIG_OPERATE_INDEX_##name)

// X(NAME, "word", needs, one_of, may_have): it has all of needs and, unless that is 0, exactly one
// of one_of.
#define LSIG_OPERATE_COMMANDS(X)                                                                   \
    X(STATUS, "status", 0, 0, 0)                                                                   \
    X(ROOMS, "rooms", 0, 0, LSIG_OPERATE_BIT(LIMIT))                                               \
    X(POLICY_LIST, "policy-list", 0, 0, 0)                                                         \
    X(ROOM, "room", LSIG_OPERATE_BIT(ROOM), 0,                                                     \
      LSIG_OPERATE_BIT(LIMIT) | LSIG_OPERATE_BIT(ADDRESSES))                                       \
    X(USER, "user", LSIG_OPERATE_BIT(USER), 0, LSIG_OPERATE_BIT(ADDRESSES))                        \
    X(WATCH, "watch", 0, LSIG_OPERATE_BIT(ROOM) | LSIG_OPERATE_BIT(USER), 0)                       \
    X(CALL, "call", LSIG_OPERATE_BIT(ROOM), 0, 0)                                                  \
    X(KICK, "kick", LSIG_OPERATE_BIT(ROOM) | LSIG_OPERATE_BIT(USER), 0, LSIG_OPERATE_BIT(REASON))  \
    X(CLOSE, "close", LSIG_OPERATE_BIT(ROOM), 0, LSIG_OPERATE_BIT(REASON))                         \
    X(BROADCAST, "broadcast", LSIG_OPERATE_BIT(TYPE) | LSIG_OPERATE_BIT(PAYLOAD),                  \
      LSIG_OPERATE_BIT(ROOM) | LSIG_OPERATE_BIT(ALL), 0)                                           \
    X(REVOKE, "revoke", 0,                                                                         \
      LSIG_OPERATE_BIT(TOKEN) | LSIG_OPERATE_BIT(USER) | LSIG_OPERATE_BIT(BEFORE), 0)              \
    X(DRAIN, "drain", 0, 0, 0)                                                                     \
    X(RELOAD, "reload", 0, 0, 0)                                                                   \
    X(LOG, "log", LSIG_OPERATE_BIT(LEVEL), 0, 0)                                                   \
    X(POLICY_LOAD, "policy-load", 0, 0, LSIG_OPERATE_BIT(FOLDER) | LSIG_OPERATE_BIT(SKIP_TESTS))   \
    X(POLICY_USE, "policy-use", LSIG_OPERATE_BIT(VERSION), 0, LSIG_OPERATE_BIT(DROP_STATE))        \
    X(POLICY_ROLLBACK, "policy-rollback", 0, 0, LSIG_OPERATE_BIT(DROP_STATE))                      \
    X(POLICY_DISCARD, "policy-discard", LSIG_OPERATE_BIT(VERSION), 0, 0)

enum lsig_operate_command {
#define X(name, word, needs, one_of, may_have) LSIG_OPERATE_##name,
    LSIG_OPERATE_COMMANDS(X)
#undef X
        LSIG_OPERATE_COMMAND_COUNT
};

enum {
    LSIG_OPERATE_REQUEST_MAX = 65536, // bytes of the JSON
    LSIG_OPERATE_REASON_MAX = 100,    // bytes; it has to fit into a close frame
    LSIG_OPERATE_TYPE_MAX = 64,
    LSIG_OPERATE_LIMIT = 100, // without limit
    LSIG_OPERATE_LIMIT_MAX = 10000,
    LSIG_OPERATE_DETAIL_SIZE = 256,
    LSIG_OPERATE_FOLDER_MAX = 1000,
};

struct lsig_operate_request {
    unsigned fields; // which of the following are there
    enum lsig_operate_command command;
    char room_id[LSIG_ROOM_ID_MAX + 1];
    char user_id[LSIG_USER_ID_MAX + 1];
    char reason[LSIG_OPERATE_REASON_MAX + 1];
    char type[LSIG_OPERATE_TYPE_MAX + 1];
    struct lsig_span payload; // points into the JSON
    char token[LSIG_TOKEN_MAX + 1];
    int64_t before_s;
    enum lsig_log_level level;
    int64_t limit; // LSIG_OPERATE_LIMIT where there is none
    bool all;
    bool addresses;
    char folder[LSIG_OPERATE_FOLDER_MAX + 1];
    int64_t version;
    bool drop_state;
    bool skip_tests;
};

const char *lsig_operate_command_word(enum lsig_operate_command command);
bool lsig_operate_command_find(enum lsig_operate_command *command, struct lsig_span word);

// Adds what a JSON object says to what is there already (a zeroed request, or one that a path has
// filled in part, and then `json` must not say the same again). False: *detail says why not, for
// people.
bool lsig_operate_request_read(struct lsig_operate_request *request,
                               struct lsig_span json,
                               char detail[LSIG_OPERATE_DETAIL_SIZE]);
// Takes one field from plain text, as from a path or a query. The rest as above.
bool lsig_operate_request_set(struct lsig_operate_request *request,
                              enum lsig_operate_field_index field,
                              struct lsig_span text,
                              char detail[LSIG_OPERATE_DETAIL_SIZE]);
// Whether the command is there and has what it needs, and nothing else.
bool lsig_operate_request_check(const struct lsig_operate_request *request,
                                char detail[LSIG_OPERATE_DETAIL_SIZE]);
void lsig_operate_request_clear(struct lsig_operate_request *request); // wipes the token
