#include "auth/key_list.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/key_file.h"
#include "auth/token_text.h"
#include "base/alloc.h"
#include "codec/nearest.h"
#include "codec/scan.h"

enum {
    SENTENCE_MAX = 1024, // bytes of what is said about one key
    SHOWN_MAX = 140,     // bytes of what is quoted
    PATH_SIZE = 8400,    // a folder and a path below it
    ALGORITHM_SIZE = 20, // more than any name has
};

enum member { KID, ALG, PEM, FILE_PATH, SECRET, MEMBER_COUNT };

static const char *const member_names[MEMBER_COUNT] = {"kid", "alg", "pem", "file", "secret"};

// The file while it is read, and the key in it that is looked at.
struct reading {
    const char *path;
    struct lsig_key_list *list;
    struct lsig_buf *notes;
    size_t number;        // from 1; 0: none yet
    struct lsig_span kid; // as it stands in the file; data NULL: unknown
    bool holds_secret;    // the file itself
    bool failed;
};

static void begin_line(struct reading *reading, bool is_warning)
{
    lsig_buf_append_format(reading->notes, "%s: %s", reading->path, is_warning ? "warning: " : "");
    if (reading->number > 0) {
        lsig_buf_append_format(reading->notes, "key %zu", reading->number);
        struct lsig_span kid = reading->kid;
        if (kid.data != NULL && kid.len <= SHOWN_MAX) {
            lsig_buf_append_format(reading->notes, " (kid %.*s)", LSIG_SPAN_ARG(kid));
        }
        lsig_buf_append_text(reading->notes, ": ");
    }
}

__attribute__((format(printf, 2, 3))) static bool
complain(struct reading *reading, const char *format, ...)
{
    char text[PATH_SIZE + SENTENCE_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    begin_line(reading, false);
    lsig_buf_append_format(reading->notes, "%s\n", text);
    reading->failed = true;
    return false;
}

// ---- one key ----

static void complain_of_member(struct reading *reading, struct lsig_span name)
{
    static const char *const jwk[] = {"kty", "n", "e", "x", "y", "crv", "k", "x5c", "use"};
    for (size_t i = 0; i < sizeof(jwk) / sizeof(jwk[0]); i++) {
        if (lsig_scan_key_is(name, lsig_span_of(jwk[i]))) {
            complain(reading, "`%s` is of a JWK, which is not read: give the key as pem or file",
                     jwk[i]);
            return;
        }
    }
    char written[SHOWN_MAX];
    snprintf(written, sizeof(written), "%.*s", LSIG_SPAN_ARG(name));
    const char *nearest = lsig_nearest_find(written, member_names, MEMBER_COUNT);
    complain(reading, "there is no member `%s`; %s%s", written,
             nearest != NULL ? "did you mean " : "a key has kid, alg and one of pem, file, secret",
             nearest != NULL ? nearest : "");
}

static bool read_members(struct reading *reading,
                         struct lsig_span object,
                         struct lsig_span values[MEMBER_COUNT])
{
    if (lsig_scan_type(object) != LSIG_JSON_OBJECT) {
        return complain(reading, "it is no object: write {\"kid\":…,\"alg\":…,\"file\":…}");
    }
    size_t cursor = 0;
    struct lsig_span name;
    struct lsig_span value;
    bool fine = true;
    while (lsig_scan_member(object, &cursor, &name, &value)) {
        size_t i = 0;
        while (i < MEMBER_COUNT && !lsig_scan_key_is(name, lsig_span_of(member_names[i]))) {
            i++;
        }
        if (i == MEMBER_COUNT) {
            complain_of_member(reading, name);
            fine = false;
        } else if (values[i].data != NULL) {
            fine = complain(reading, "`%s` stands twice: keep one", member_names[i]);
        } else if (lsig_scan_type(value) != LSIG_JSON_STRING) {
            fine = complain(reading, "`%s` is no string", member_names[i]);
        } else {
            values[i] = value;
        }
    }
    return fine;
}

static bool read_kid(struct reading *reading, struct lsig_span value, char kid[LSIG_KEY_KID_SIZE])
{
    size_t len = 0;
    if (value.data == NULL) {
        return complain(reading, "it has no kid: write the one that its tokens have in their "
                                 "header");
    }
    if (!lsig_token_text_unescape(value, kid, LSIG_KEY_KID_SIZE, &len) || len == 0) {
        return complain(reading, "the kid must have 1 to %d bytes", LSIG_KEY_KID_MAX);
    }
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)kid[i] < ' ' || kid[i] == 0x7f) {
            return complain(reading, "the kid has a control character");
        }
    }
    if (lsig_key_list_find(reading->list, (struct lsig_span){kid, len}) != NULL) {
        return complain(reading, "this kid stands at a key before it: give each key its own");
    }
    return true;
}

static bool
read_algorithm(struct reading *reading, struct lsig_span value, enum lsig_algorithm *algorithm)
{
    static const char *const names[LSIG_ALGORITHM_COUNT] = {
#define X(name, family, bits) #name,
        LSIG_ALGORITHMS(X)
#undef X
    };
    char text[ALGORITHM_SIZE] = "";
    size_t len = 0;
    if (value.data == NULL) {
        return complain(reading, "it has no alg: write the one that its tokens are signed with");
    }
    bool is_short = lsig_token_text_unescape(value, text, sizeof(text), &len);
    if (is_short && lsig_algorithm_find((struct lsig_span){text, len}, algorithm)) {
        return true;
    }
    // What is long may be a key in the wrong place: it is not quoted.
    const char *nearest = is_short ? lsig_nearest_find(text, names, LSIG_ALGORITHM_COUNT) : NULL;
    if (nearest != NULL) {
        return complain(reading, "there is no alg \"%s\"; did you mean %s?", text, nearest);
    }
    return complain(reading,
                    "there is no such alg%s%s: write one of HS256, HS384, HS512, RS256, RS384, "
                    "RS512, ES256, ES384, ES512",
                    is_short ? " as " : "", text);
}

// Where the file of a key is: beside the keys file, unless its path is absolute.
static bool read_path(struct reading *reading, const char *path, char out[PATH_SIZE])
{
    if (strstr(path, "-----BEGIN") != NULL) {
        return complain(reading, "`file` holds a PEM text: name it `pem`");
    }
    for (const char *c = path; *c != '\0'; c++) {
        if ((unsigned char)*c < ' ' || *c == 0x7f) {
            return complain(reading, "`file` has a control character: write a path");
        }
    }
    const char *slash = strrchr(reading->path, '/');
    int folder = path[0] == '/' || slash == NULL ? 0 : (int)(slash - reading->path) + 1;
    int len = snprintf(out, PATH_SIZE, "%.*s%s", folder, reading->path, path);
    if (path[0] == '\0' || len < 0 || len >= PATH_SIZE) {
        return complain(reading, "`file` must be the path of a file");
    }
    return true;
}

static struct lsig_key *open_file(struct reading *reading,
                                  enum lsig_algorithm algorithm,
                                  const char *path,
                                  struct lsig_buf *problem)
{
    struct lsig_buf warning;
    lsig_buf_init(&warning, SENTENCE_MAX);
    struct lsig_key *key = lsig_key_file_open(path, algorithm, LSIG_KEY_CHECKS, &warning, problem);
    if (warning.len > 0) {
        begin_line(reading, true);
        lsig_buf_append_format(reading->notes, "%s: %s\n", path, warning.data);
    }
    lsig_buf_clear(&warning);
    return key;
}

// The key of an entry whose members are there and of the right type. NULL: told.
static struct lsig_key *make_key(struct reading *reading,
                                 enum lsig_algorithm algorithm,
                                 enum member source,
                                 struct lsig_span value)
{
    char path[PATH_SIZE];
    char *text = lsig_alloc(value.len + 1); // what an escape stands for is never longer
    size_t len = 0;
    bool fits = lsig_token_text_unescape(value, text, value.len + 1, &len);
    struct lsig_buf problem;
    lsig_buf_init(&problem, SENTENCE_MAX + PATH_SIZE);
    struct lsig_key *key = NULL;
    if (source == FILE_PATH) {
        if (fits && read_path(reading, text, path)) {
            key = open_file(reading, algorithm, path, &problem);
        }
    } else if (fits) {
        struct lsig_span span = {text, len};
        reading->holds_secret = reading->holds_secret || lsig_key_text_is_private(algorithm, span);
        key = lsig_key_new(algorithm, span, LSIG_KEY_CHECKS, &problem);
    }
    if (problem.len > 0) {
        complain(reading, "%s", problem.data);
    }
    lsig_buf_clear(&problem);
    explicit_bzero(text, len);
    free(text);
    return key;
}

static bool is_alone(struct reading *reading, const struct lsig_key *key)
{
    for (size_t i = 0; i < reading->list->count; i++) {
        const struct lsig_key *other = reading->list->keys[i];
        if (other->algorithm != key->algorithm && lsig_key_is_same(other, key)) {
            return complain(reading,
                            "it is the same key as that of kid \"%s\", which is for %s: a key is "
                            "for one alg only, make another one",
                            other->kid, lsig_algorithm_name(other->algorithm));
        }
    }
    return true;
}

static void read_key(struct reading *reading, struct lsig_span object)
{
    struct lsig_span values[MEMBER_COUNT] = {{NULL, 0}};
    char kid[LSIG_KEY_KID_SIZE] = "";
    enum lsig_algorithm algorithm = LSIG_HS256;
    if (!read_members(reading, object, values)) {
        return;
    }
    reading->kid = values[KID];
    if (!read_kid(reading, values[KID], kid) || !read_algorithm(reading, values[ALG], &algorithm)) {
        return;
    }
    enum member source = FILE_PATH;
    int sources = 0;
    for (enum member i = PEM; i <= SECRET; i++) {
        if (values[i].data != NULL) {
            source = i;
            sources++;
        }
    }
    enum member fit = lsig_algorithm_is_hmac(algorithm) ? SECRET : PEM;
    if (sources != 1 || (source != FILE_PATH && source != fit)) {
        complain(reading, "%s: for %s write either %s or file",
                 sources == 0   ? "it has no key"
                 : sources == 1 ? "what it has is no key for its alg"
                                : "it has more than one key",
                 lsig_algorithm_name(algorithm), member_names[fit]);
        return;
    }
    struct lsig_key *key = make_key(reading, algorithm, source, values[source]);
    if (key == NULL || !is_alone(reading, key)) {
        lsig_key_free(key);
        return;
    }
    memcpy(key->kid, kid, sizeof(kid));
    reading->list->keys[reading->list->count++] = key;
}

// ---- the file ----

static void read_keys(struct reading *reading, struct lsig_span array)
{
    size_t cursor = 0;
    struct lsig_span element;
    while (lsig_scan_element(array, &cursor, &element)) {
        if (reading->number == LSIG_KEY_LIST_MAX) {
            reading->number = 0;
            complain(reading, "there are more than %d keys: take out those that are not in use",
                     LSIG_KEY_LIST_MAX);
            return;
        }
        reading->number++;
        reading->kid = (struct lsig_span){NULL, 0};
        read_key(reading, element);
    }
    reading->number = 0;
}

static void read_file(struct reading *reading, struct lsig_span text)
{
    struct lsig_scan_error error;
    if (lsig_scan_check(text, &error) != LSIG_OK) {
        size_t line = 1;
        for (size_t i = 0; i < error.offset; i++) {
            line += text.data[i] == '\n' ? 1 : 0;
        }
        complain(reading, "line %zu is not JSON: %s", line, error.what);
        return;
    }
    struct lsig_span object = text;
    while (strchr(" \t\r\n", object.data[0]) != NULL) {
        object.data++;
        object.len--;
    }
    struct lsig_span keys = {NULL, 0};
    size_t cursor = 0;
    struct lsig_span name;
    struct lsig_span value;
    bool fine = lsig_scan_type(object) == LSIG_JSON_OBJECT;
    while (fine && lsig_scan_member(object, &cursor, &name, &value)) {
        fine = lsig_scan_key_is(name, lsig_span_of("keys")) && keys.data == NULL;
        keys = value;
    }
    if (!fine || keys.data == NULL || lsig_scan_type(keys) != LSIG_JSON_ARRAY) {
        complain(reading, "it has to hold {\"keys\":[…]} and nothing else");
        return;
    }
    read_keys(reading, keys);
}

enum lsig_status
lsig_key_list_read(struct lsig_key_list *list, const char *path, struct lsig_buf *notes)
{
    struct reading reading = {.path = path, .list = list, .notes = notes};
    struct lsig_key_file file;
    struct lsig_buf said;
    *list = (struct lsig_key_list){0};
    lsig_buf_init(&said, PATH_SIZE + SENTENCE_MAX);
    if (!lsig_key_file_read(&file, path, LSIG_KEY_LIST_FILE_MAX, &said)) {
        lsig_buf_append_format(notes, "JWT_KEYS_FILE: %s\n", said.data);
        lsig_buf_clear(&said);
        return LSIG_INVALID_MESSAGE;
    }
    read_file(&reading, (struct lsig_span){file.bytes, file.len});
    reading.number = 0;
    lsig_key_file_warn(&file, reading.holds_secret, &said);
    if (said.len > 0) {
        begin_line(&reading, true);
        lsig_buf_append_format(notes, "%s\n", said.data);
    }
    lsig_buf_clear(&said);
    lsig_key_file_clear(&file);
    if (reading.failed) {
        lsig_key_list_clear(list);
        return LSIG_INVALID_MESSAGE;
    }
    return LSIG_OK;
}

void lsig_key_list_clear(struct lsig_key_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        lsig_key_free(list->keys[i]);
    }
    *list = (struct lsig_key_list){0};
}

const struct lsig_key *lsig_key_list_find(const struct lsig_key_list *list, struct lsig_span kid)
{
    for (size_t i = 0; i < list->count; i++) {
        if (lsig_span_is(kid, list->keys[i]->kid)) {
            return list->keys[i];
        }
    }
    return NULL;
}
