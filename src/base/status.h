// status.h - the one list of ways in which a step can end.
//
// A step of the line returns a status; the caller of the line turns a refusal into one `error`
// frame or a close, in one place. close_code 0: the connection stays open.
#pragma once

// X(name, close_code, wire_code, text)
#define LSIG_STATUS_LIST(X)                                                                        \
    X(OK, 0, "OK", "success")                                                                      \
    X(WAITING, 0, "WAITING", "a hook waits; the line goes on later")                               \
    X(HANDLED, 0, "HANDLED", "a policy consumed the message")                                      \
    X(INVALID_JSON, 0, "INVALID_JSON", "the frame is not JSON within the limits")                  \
    X(INVALID_MESSAGE, 0, "INVALID_MESSAGE", "the message has not the shape of its type")          \
    X(UNKNOWN_TYPE, 0, "UNKNOWN_TYPE", "no policy declares this message type")                     \
    X(FORBIDDEN_TYPE, 0, "FORBIDDEN_TYPE", "only the server sends this message type")              \
    X(PERMISSION_DENIED, 0, "PERMISSION_DENIED", "this role may not send this message type")       \
    X(TARGET_NOT_FOUND, 0, "TARGET_NOT_FOUND", "the target is not in this room")                   \
    X(STILL_WAITING, 0, "STILL_WAITING", "you have not been let in yet")                           \
    X(RATE_LIMIT_EXCEEDED, 0, "RATE_LIMIT_EXCEEDED", "too many messages")                          \
    X(MESSAGE_TOO_LARGE, 0, "MESSAGE_TOO_LARGE", "the message is above the limit of its type")     \
    X(ROOM_FULL, 1008, "ROOM_FULL", "the room has no free seat")                                   \
    X(ROOM_LOCKED, 1008, "ROOM_LOCKED", "the room is locked")                                      \
    X(TOKEN_EXPIRED, 4401, "TOKEN_EXPIRED", "the token has expired")                               \
    X(TOKEN_INVALID, 4401, "TOKEN_INVALID", "the token is not valid")                              \
    X(POLICY_ERROR, 0, "POLICY_ERROR", "a policy failed while it looked at the message")           \
    X(POLICY_DENIED, 0, "POLICY_DENIED", "a policy refused")                                       \
    X(MALICIOUS_CONTENT, 0, "MALICIOUS_CONTENT", "the content is not acceptable")                  \
    X(FILE_VALIDATION_FAILED, 0, "FILE_VALIDATION_FAILED", "the file is not acceptable")           \
    X(INTERNAL_ERROR, 1011, "INTERNAL_ERROR", "the server failed")                                 \
    X(BINARY_FRAME, 1003, "BINARY_FRAME", "binary frames are not accepted")                        \
    X(BAD_UTF8, 1007, "BAD_UTF8", "the frame is not UTF-8")                                        \
    X(FRAME_TOO_BIG, 1009, "FRAME_TOO_BIG", "the frame is above the limit")                        \
    X(TOO_MANY_BAD_FRAMES, 1008, "TOO_MANY_BAD_FRAMES", "too many bad frames in a minute")         \
    X(DRAINING, 1001, "DRAINING", "the server is shutting down")                                   \
    X(KICKED, 4403, "KICKED", "removed from the room")                                             \
    X(TOO_SLOW, 4408, "TOO_SLOW", "the connection reads too slowly")                               \
    X(REPLACED, 4409, "REPLACED", "another connection took this one's place")                      \
    X(FLOODING, 4429, "FLOODING", "the connection kept exceeding its limits")                      \
    X(NOT_FOUND, 0, "NOT_FOUND", "there is no such thing")                                         \
    X(EXISTS, 0, "EXISTS", "there is one already")                                                 \
    X(BUSY, 0, "BUSY", "a queue is full")                                                          \
    X(TOO_BIG, 0, "TOO_BIG", "a bound was reached")

enum lsig_status {
#define X(name, close_code, wire_code, text) LSIG_##name,
    LSIG_STATUS_LIST(X)
#undef X
        LSIG_STATUS_COUNT
};

#define LSIG_MUST_USE __attribute__((warn_unused_result))

const char *lsig_status_wire_code(enum lsig_status status);
const char *lsig_status_text(enum lsig_status status);
int lsig_status_close_code(enum lsig_status status); // 0: does not close
