#include "flow/operate_request.h"

#include <stdio.h>

#include "codec/nearest.h"
#include "codec/scan.h"

#define HAS(request, name) (((request)->fields & LSIG_OPERATE_BIT(name)) != 0)

static const char *const members[LSIG_OPERATE_FIELD_COUNT] = {
#define X(name, member) member,
    LSIG_OPERATE_FIELDS(X)
#undef X
};

static const struct {
    const char *word;
    unsigned needs;
    unsigned one_of;
    unsigned may_have;
} commands[LSIG_OPERATE_COMMAND_COUNT] = {
#define X(name, word, needs, one_of, may_have) {word, needs, one_of, may_have},
    LSIG_OPERATE_COMMANDS(X)
#undef X
};

const char *lsig_operate_command_word(enum lsig_operate_command command)
{
    return commands[command].word;
}

bool lsig_operate_command_find(enum lsig_operate_command *command, struct lsig_span word)
{
    for (int i = 0; i < LSIG_OPERATE_COMMAND_COUNT; i++) {
        if (lsig_span_is(word, commands[i].word)) {
            *command = (enum lsig_operate_command)i;
            return true;
        }
    }
    return false;
}

static bool
refuse(char detail[LSIG_OPERATE_DETAIL_SIZE], const char *what, enum lsig_operate_field_index field)
{
    snprintf(detail, LSIG_OPERATE_DETAIL_SIZE, "%s: %s", members[field], what);
    return false;
}

static const char *unknown_command(struct lsig_span text, char out[LSIG_OPERATE_DETAIL_SIZE])
{
    const char *words[LSIG_OPERATE_COMMAND_COUNT];
    char written[LSIG_NEAREST_WORD_MAX + 1];
    for (int i = 0; i < LSIG_OPERATE_COMMAND_COUNT; i++) {
        words[i] = commands[i].word;
    }
    snprintf(written, sizeof(written), "%.*s", LSIG_SPAN_ARG(text));
    const char *nearest = lsig_nearest_find(written, words, LSIG_OPERATE_COMMAND_COUNT);
    snprintf(out, LSIG_OPERATE_DETAIL_SIZE, "there is no command %.40s%s%s", written,
             nearest != NULL ? "; did you mean " : "", nearest != NULL ? nearest : "");
    return out;
}

static bool copy(char *out, size_t max, struct lsig_span text)
{
    if (text.len == 0 || text.len > max || memchr(text.data, '\0', text.len) != NULL) {
        return false;
    }
    memcpy(out, text.data, text.len);
    out[text.len] = '\0';
    return true;
}

static bool has_control_characters(struct lsig_span text)
{
    for (size_t i = 0; i < text.len; i++) {
        if ((unsigned char)text.data[i] < 0x20 || text.data[i] == 0x7f) {
            return true;
        }
    }
    return false;
}

static bool find_level(enum lsig_log_level *level, struct lsig_span text)
{
    static const char *const names[] = {"debug", "info", "warning", "error"};
    for (int i = 0; i < 4; i++) {
        if (lsig_span_is(text, names[i])) {
            *level = (enum lsig_log_level)i;
            return true;
        }
    }
    return false;
}

static bool read_whole(int64_t *number, struct lsig_span text, int64_t max)
{
    int64_t sum = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9' || sum > max) {
            return false;
        }
        sum = sum * 10 + (text.data[i] - '0');
    }
    *number = sum;
    return text.len > 0 && sum > 0 && sum <= max;
}

static bool read_true(bool *value, struct lsig_span text)
{
    *value = lsig_span_is(text, "true");
    return *value || lsig_span_is(text, "false");
}

// What is wrong with the text of a field, or NULL and it is stored. Payloads are not given as text.
static const char *take_text(struct lsig_operate_request *request,
                             enum lsig_operate_field_index field,
                             struct lsig_span text,
                             char detail[LSIG_OPERATE_DETAIL_SIZE])
{
    const int64_t far = INT64_C(1) << 40;
    switch (field) {
    case LSIG_OPERATE_INDEX_COMMAND:
        return lsig_operate_command_find(&request->command, text) ? NULL
                                                                  : unknown_command(text, detail);
    case LSIG_OPERATE_INDEX_ROOM:
        return lsig_hub_room_id_ok(text) && copy(request->room_id, LSIG_ROOM_ID_MAX, text)
                   ? NULL
                   : "a room id has 1 to 100 of A-Z a-z 0-9 _ -";
    case LSIG_OPERATE_INDEX_USER:
        return copy(request->user_id, LSIG_USER_ID_MAX, text) ? NULL
                                                              : "a user id has 1 to 128 bytes";
    case LSIG_OPERATE_INDEX_REASON:
        return !has_control_characters(text) && copy(request->reason, LSIG_OPERATE_REASON_MAX, text)
                   ? NULL
                   : "a reason has 1 to 100 bytes without control characters";
    case LSIG_OPERATE_INDEX_TYPE:
        return copy(request->type, LSIG_OPERATE_TYPE_MAX, text)
                   ? NULL
                   : "a message type has 1 to 64 bytes";
    case LSIG_OPERATE_INDEX_TOKEN:
        return copy(request->token, LSIG_TOKEN_MAX, text) ? NULL : "a token has 1 to 8192 bytes";
    case LSIG_OPERATE_INDEX_LEVEL:
        return find_level(&request->level, text) ? NULL : "write debug, info, warning or error";
    case LSIG_OPERATE_INDEX_BEFORE:
        return read_whole(&request->before_s, text, far) ? NULL : "write whole unix seconds";
    case LSIG_OPERATE_INDEX_LIMIT:
        return read_whole(&request->limit, text, LSIG_OPERATE_LIMIT_MAX)
                   ? NULL
                   : "write a whole number from 1 to 10000";
    case LSIG_OPERATE_INDEX_ALL:
        return lsig_span_is(text, "true") && read_true(&request->all, text) ? NULL : "write true";
    case LSIG_OPERATE_INDEX_ADDRESSES:
        return read_true(&request->addresses, text) ? NULL : "write true or false";
    case LSIG_OPERATE_INDEX_FOLDER:
        return !has_control_characters(text) && copy(request->folder, LSIG_OPERATE_FOLDER_MAX, text)
                   ? NULL
                   : "a folder has 1 to 1000 bytes without control characters";
    case LSIG_OPERATE_INDEX_VERSION:
        return read_whole(&request->version, text, far) ? NULL : "write the number of a version";
    case LSIG_OPERATE_INDEX_DROP_STATE:
        return read_true(&request->drop_state, text) ? NULL : "write true or false";
    case LSIG_OPERATE_INDEX_SKIP_TESTS:
        return read_true(&request->skip_tests, text) ? NULL : "write true or false";
    case LSIG_OPERATE_INDEX_PAYLOAD:
    case LSIG_OPERATE_FIELD_COUNT:
        break;
    }
    return "it cannot be given here";
}

bool lsig_operate_request_set(struct lsig_operate_request *request,
                              enum lsig_operate_field_index field,
                              struct lsig_span text,
                              char detail[LSIG_OPERATE_DETAIL_SIZE])
{
    if ((request->fields & 1u << field) != 0) {
        return refuse(detail, "it is there already", field);
    }
    const char *wrong = take_text(request, field, text, detail);
    if (wrong == detail) {
        return false;
    }
    if (wrong != NULL) {
        return refuse(detail, wrong, field);
    }
    request->fields |= 1u << field;
    return true;
}

// The JSON type that the field has.
static enum lsig_json_type type_of(enum lsig_operate_field_index field)
{
    switch (field) {
    case LSIG_OPERATE_INDEX_PAYLOAD:
        return LSIG_JSON_OBJECT;
    case LSIG_OPERATE_INDEX_BEFORE:
    case LSIG_OPERATE_INDEX_LIMIT:
    case LSIG_OPERATE_INDEX_VERSION:
        return LSIG_JSON_NUMBER;
    case LSIG_OPERATE_INDEX_ALL:
    case LSIG_OPERATE_INDEX_ADDRESSES:
    case LSIG_OPERATE_INDEX_DROP_STATE:
    case LSIG_OPERATE_INDEX_SKIP_TESTS:
        return LSIG_JSON_BOOLEAN;
    default:
        return LSIG_JSON_STRING;
    }
}

static bool take_member(struct lsig_operate_request *request,
                        enum lsig_operate_field_index field,
                        struct lsig_span value,
                        char detail[LSIG_OPERATE_DETAIL_SIZE])
{
    enum lsig_json_type type = type_of(field);
    if (lsig_scan_type(value) != type) {
        return refuse(detail,
                      type == LSIG_JSON_OBJECT    ? "it has to be an object"
                      : type == LSIG_JSON_NUMBER  ? "it has to be a number"
                      : type == LSIG_JSON_BOOLEAN ? "it has to be true or false"
                                                  : "it has to be text",
                      field);
    }
    if (type == LSIG_JSON_OBJECT) {
        if (HAS(request, PAYLOAD)) {
            return refuse(detail, "it is there already", field);
        }
        request->payload = value;
        request->fields |= LSIG_OPERATE_BIT(PAYLOAD);
        return true;
    }
    if (type != LSIG_JSON_STRING) {
        return lsig_operate_request_set(request, field, value, detail);
    }
    char text[LSIG_TOKEN_MAX + 1];
    size_t len = 0;
    struct lsig_span inside = {value.data + 1, value.len - 2};
    bool fits = lsig_scan_unescape(inside, text, sizeof(text), &len);
    bool fine =
        fits ? lsig_operate_request_set(request, field, (struct lsig_span){text, len}, detail)
             : refuse(detail, "it is too long", field);
    explicit_bzero(text, sizeof(text)); // may be a token
    return fine;
}

static bool unknown_member(struct lsig_span key, char detail[LSIG_OPERATE_DETAIL_SIZE])
{
    char written[LSIG_NEAREST_WORD_MAX + 1];
    snprintf(written, sizeof(written), "%.*s", LSIG_SPAN_ARG(key));
    const char *nearest = lsig_nearest_find(written, members, LSIG_OPERATE_FIELD_COUNT);
    snprintf(detail, LSIG_OPERATE_DETAIL_SIZE, "nothing is called %.40s%s%s", written,
             nearest != NULL ? "; did you mean " : "", nearest != NULL ? nearest : "");
    return false;
}

bool lsig_operate_request_read(struct lsig_operate_request *request,
                               struct lsig_span json,
                               char detail[LSIG_OPERATE_DETAIL_SIZE])
{
    struct lsig_scan_error error;
    size_t start = 0;
    while (start < json.len && strchr(" \t\r\n", json.data[start]) != NULL) {
        start++;
    }
    struct lsig_span object = {json.data + start, json.len - start};
    if (lsig_scan_check(json, &error) != LSIG_OK) {
        snprintf(detail, LSIG_OPERATE_DETAIL_SIZE, "this is not JSON, at byte %zu: %s",
                 error.offset, error.what);
        return false;
    }
    if (lsig_scan_type(object) != LSIG_JSON_OBJECT) {
        snprintf(detail, LSIG_OPERATE_DETAIL_SIZE, "write a JSON object");
        return false;
    }
    size_t cursor = 0;
    struct lsig_span key;
    struct lsig_span value;
    while (lsig_scan_member(object, &cursor, &key, &value)) {
        int field = 0;
        while (field < LSIG_OPERATE_FIELD_COUNT &&
               !lsig_scan_key_is(key, lsig_span_of(members[field]))) {
            field++;
        }
        if (field == LSIG_OPERATE_FIELD_COUNT) {
            return unknown_member(key, detail);
        }
        if (!take_member(request, (enum lsig_operate_field_index)field, value, detail)) {
            return false;
        }
    }
    return true;
}

// The names of the fields in the set, as a list for people.
static void print_names(char *out, size_t size, unsigned set, const char *between)
{
    size_t len = 0;
    out[0] = '\0';
    for (int i = 0; i < LSIG_OPERATE_FIELD_COUNT; i++) {
        if ((set & 1u << i) != 0) {
            len +=
                (size_t)snprintf(out + len, size - len, "%s%s", len > 0 ? between : "", members[i]);
        }
    }
}

bool lsig_operate_request_check(const struct lsig_operate_request *request,
                                char detail[LSIG_OPERATE_DETAIL_SIZE])
{
    char names[160];
    if (!HAS(request, COMMAND)) {
        return refuse(detail, "it is missing", LSIG_OPERATE_INDEX_COMMAND);
    }
    const char *word = commands[request->command].word;
    unsigned needs = commands[request->command].needs | LSIG_OPERATE_BIT(COMMAND);
    unsigned one_of = commands[request->command].one_of;
    unsigned surplus = request->fields & ~(needs | one_of | commands[request->command].may_have);
    unsigned chosen = request->fields & one_of;
    if ((needs & ~request->fields) != 0) {
        print_names(names, sizeof(names), needs & ~request->fields, ", ");
        snprintf(detail, LSIG_OPERATE_DETAIL_SIZE, "%s needs %s", word, names);
        return false;
    }
    if (surplus != 0) {
        print_names(names, sizeof(names), surplus, ", ");
        snprintf(detail, LSIG_OPERATE_DETAIL_SIZE, "%s takes no %s", word, names);
        return false;
    }
    if (one_of != 0 && (chosen == 0 || (chosen & (chosen - 1)) != 0)) {
        print_names(names, sizeof(names), one_of, " or ");
        snprintf(detail, LSIG_OPERATE_DETAIL_SIZE, "%s needs one of %s", word, names);
        return false;
    }
    return true;
}

void lsig_operate_request_clear(struct lsig_operate_request *request)
{
    explicit_bzero(request, sizeof(*request));
}
