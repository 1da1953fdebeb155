#include "codec/settings_value.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "codec/jwt_secret.h"
#include "codec/rate_spec.h"
#include "codec/webhook_secret.h"

enum { SHOWN_MAX = 60 }; // bytes

static const char how_to_make_a_key[] = "make one with: openssl rand -hex 32";

// The value as messages show it: short, printable, in quotes.
static void show(struct lsig_buf *out, const char *text)
{
    lsig_buf_append_text(out, "\"");
    size_t len = strlen(text);
    for (size_t i = 0; i < len && i < SHOWN_MAX; i++) {
        bool printable = text[i] >= ' ' && text[i] <= '~';
        lsig_buf_append(out, printable ? &text[i] : "?", 1);
    }
    lsig_buf_append_text(out, len > SHOWN_MAX ? "…\"" : "\"");
}

static bool parse_whole(const char *text, int64_t *number, const char **rest)
{
    if (text[0] < '0' || text[0] > '9') {
        return false;
    }
    char *end;
    errno = 0;
    *number = strtoll(text, &end, 10);
    *rest = end;
    return errno == 0;
}

static bool parse_integer(const struct lsig_setting_row *row, const char *text, int64_t *number)
{
    const char *rest;
    return parse_whole(text, number, &rest) && *rest == '\0' && *number >= row->min &&
           *number <= row->max;
}

static bool parse_bytes(const struct lsig_setting_row *row, const char *text, int64_t *number)
{
    static const struct {
        const char *name;
        int shift;
    } units[] = {{"", 0}, {"KiB", 10}, {"MiB", 20}, {"GiB", 30}};
    const char *rest;
    if (!parse_whole(text, number, &rest)) {
        return false;
    }
    while (*rest == ' ') {
        rest++;
    }
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (strcasecmp(rest, units[i].name) == 0) {
            if (*number > row->max >> units[i].shift) {
                return false;
            }
            *number <<= units[i].shift;
            return *number >= row->min;
        }
    }
    return false;
}

static bool parse_boolean(const char *text, bool *value)
{
    static const char *const words[] = {"on", "off", "true", "false", "yes", "no", "1", "0"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcasecmp(text, words[i]) == 0) {
            *value = i % 2 == 0;
            return true;
        }
    }
    return false;
}

// The word of the row that is text but for capitals, to be freed; or NULL.
static char *find_choice(const struct lsig_setting_row *row, const char *text)
{
    size_t len = strlen(text);
    for (const char *word = row->text; *word != '\0';) {
        size_t word_len = strcspn(word, "|");
        if (word_len == len && strncasecmp(word, text, len) == 0) {
            return lsig_strndup(word, len);
        }
        word += word_len + (word[word_len] == '|' ? 1 : 0);
    }
    return NULL;
}

static bool is_network(struct lsig_span item)
{
    char address[INET6_ADDRSTRLEN + 4];
    if (item.len >= sizeof(address)) {
        return false;
    }
    memcpy(address, item.data, item.len);
    address[item.len] = '\0';
    int64_t bits = -1;
    char *slash = strchr(address, '/');
    if (slash != NULL) {
        const char *rest;
        *slash = '\0';
        if (!parse_whole(slash + 1, &bits, &rest) || *rest != '\0') {
            return false;
        }
    }
    unsigned char bytes[16];
    return (inet_pton(AF_INET, address, bytes) == 1 && bits <= 32) ||
           (inet_pton(AF_INET6, address, bytes) == 1 && bits <= 128);
}

static bool starts_with(struct lsig_span item, const char *start)
{
    size_t len = strlen(start);
    return item.len > len && strncasecmp(item.data, start, len) == 0;
}

static bool is_origin(struct lsig_span item)
{
    size_t scheme = starts_with(item, "https://") ? 8 : 7;
    if (!starts_with(item, "https://") && !starts_with(item, "http://")) {
        return false;
    }
    return memchr(item.data + scheme, '/', item.len - scheme) == NULL;
}

// The names of flow/observer.h, messages excepted: those are not for webhooks.
static bool is_webhook_event(struct lsig_span item)
{
    static const char *const names[] = {"room-opened", "room-closed",  "joined", "waiting",
                                        "admitted",    "left",         "away",   "back",
                                        "connected",   "disconnected", "role"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (lsig_span_is(item, names[i])) {
            return true;
        }
    }
    return false;
}

// What is wrong with one item of a list, or NULL.
static const char *check_item(const struct lsig_setting_row *row, struct lsig_span item)
{
    switch (row - lsig_setting_rows) {
    case LSIG_SETTING_INDEX_TRUSTED_PROXIES:
        return is_network(item) ? NULL
                                : "is not an address like 10.0.0.1 or a network like 10.0.0.0/8";
    case LSIG_SETTING_INDEX_CORS_ORIGINS:
        return is_origin(item) ? NULL : "is not an origin like https://example.org, without a path";
    case LSIG_SETTING_INDEX_WEBRTC_STUN_URLS:
        return starts_with(item, "stun:") || starts_with(item, "stuns:")
                   ? NULL
                   : "is not a STUN address like stun:stun.example.org:3478";
    case LSIG_SETTING_INDEX_WEBRTC_TURN_URLS:
        return starts_with(item, "turn:") || starts_with(item, "turns:")
                   ? NULL
                   : "is not a TURN address like turn:turn.example.org:3478";
    case LSIG_SETTING_INDEX_WEBHOOK_EVENTS:
        return is_webhook_event(item) ? NULL
                                      : "is none of room-opened, room-closed, joined, left, away, "
                                        "back, connected, disconnected, role, waiting, admitted";
    default:
        return NULL;
    }
}

static bool
check_list(const struct lsig_setting_row *row, const char *text, struct lsig_buf *problem)
{
    struct lsig_span item;
    for (size_t cursor = 0; lsig_settings_list_next(text, &cursor, &item);) {
        const char *wrong = check_item(row, item);
        if (wrong != NULL) {
            char *copy = lsig_strndup(item.data, item.len);
            show(problem, copy);
            free(copy);
            lsig_buf_append_format(problem, " %s", wrong);
            return false;
        }
    }
    return true;
}

static bool check_jwt_key(const char *text, struct lsig_buf *problem)
{
    if (text[0] == '\0') {
        return true; // none: one is made in the data folder
    }
    switch (lsig_jwt_secret_check(lsig_span_of(text))) {
    case LSIG_SECRET_FINE:
        return true;
    case LSIG_SECRET_EXAMPLE:
        lsig_buf_append_text(problem, "this is the example from a guide, which everybody knows");
        break;
    case LSIG_SECRET_PEM:
        lsig_buf_append_text(problem,
                             "this is a PEM key, not a secret; it belongs into JWT_KEYS_FILE");
        break;
    case LSIG_SECRET_REPEATED:
        lsig_buf_append_text(problem, "this is one letter repeated");
        break;
    case LSIG_SECRET_SHORT:
        lsig_buf_append_format(problem, "the key has %zu bytes, it needs at least %d", strlen(text),
                               LSIG_JWT_SECRET_MIN);
        break;
    }
    lsig_buf_append_format(problem, "; %s", how_to_make_a_key);
    return false;
}

// Neither is shown: an address may have a password in it.
static bool check_webhook(ptrdiff_t index, const char *text, struct lsig_buf *problem)
{
    const char *wrong = NULL;
    if (index == LSIG_SETTING_INDEX_WEBHOOK_URL) {
        struct lsig_span url = lsig_span_of(text);
        bool fine = starts_with(url, "https://") || starts_with(url, "http://");
        wrong =
            fine || url.len == 0 ? NULL : "this is no address that begins with https:// or http://";
    } else {
        struct lsig_webhook_key key;
        struct lsig_span secret;
        int count = 0;
        for (size_t cursor = 0; wrong == NULL && lsig_settings_list_next(text, &cursor, &secret);) {
            wrong = ++count > LSIG_WEBHOOK_SECRETS_MAX ? "there are more than two secrets"
                                                       : lsig_webhook_secret_parse(secret, &key);
        }
        explicit_bzero(&key, sizeof(key));
    }
    if (wrong != NULL) {
        lsig_buf_append_text(problem, wrong);
    }
    if (wrong != NULL && index == LSIG_SETTING_INDEX_WEBHOOK_SECRET) {
        lsig_buf_append_text(problem, "; make one with: echo whsec_$(openssl rand -base64 32)");
    }
    return wrong == NULL;
}

static bool
check_text(const struct lsig_setting_row *row, const char *text, struct lsig_buf *problem)
{
    size_t len = strlen(text);
    // The key's own checks say more than "control character" where somebody pastes a PEM file.
    ptrdiff_t index = row - lsig_setting_rows;
    bool is_key =
        index == LSIG_SETTING_INDEX_JWT_SECRET_KEY || index == LSIG_SETTING_INDEX_ADMIN_KEY;
    if (is_key && !check_jwt_key(text, problem)) {
        return false;
    }
    if ((int64_t)len < row->min || (int64_t)len > row->max) {
        lsig_buf_append_format(problem,
                               "the value has %zu bytes, it must have from %" PRId64 " to %" PRId64,
                               len, row->min, row->max);
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)text[i] < ' ' || text[i] == 0x7f) {
            lsig_buf_append_text(problem,
                                 "the value has a control character or a line break in it");
            return false;
        }
    }
    if (index == LSIG_SETTING_INDEX_WEBHOOK_URL || index == LSIG_SETTING_INDEX_WEBHOOK_SECRET) {
        return check_webhook(index, text, problem);
    }
    return row->type != LSIG_SETTING_IS_LIST || check_list(row, text, problem);
}

static void
explain_number(const struct lsig_setting_row *row, const char *text, struct lsig_buf *problem)
{
    show(problem, text);
    if (row->type == LSIG_SETTING_IS_BYTES) {
        lsig_buf_append_text(problem, " is not a number of bytes from ");
        lsig_setting_print_bytes(row->min, problem);
        lsig_buf_append_text(problem, " to ");
        lsig_setting_print_bytes(row->max, problem);
        return;
    }
    lsig_buf_append_format(problem, " is not a whole number%s from %" PRId64 " to %" PRId64,
                           row->type == LSIG_SETTING_IS_SECONDS ? " of seconds" : "", row->min,
                           row->max);
}

static bool store_choice(char **field,
                         const struct lsig_setting_row *row,
                         const char *text,
                         struct lsig_buf *problem)
{
    *field = find_choice(row, text);
    if (*field != NULL) {
        return true;
    }
    show(problem, text);
    lsig_buf_append_text(problem, " is none of ");
    for (const char *word = row->text; *word != '\0'; word++) {
        lsig_buf_append(problem, *word == '|' ? ", " : word, *word == '|' ? 2 : 1);
    }
    if (row - lsig_setting_rows == LSIG_SETTING_INDEX_JWT_ALGORITHM) {
        lsig_buf_append_text(problem, ", which is for JWT_SECRET_KEY alone; keys of other "
                                      "algorithms go into JWT_KEYS_FILE");
    }
    return false;
}

static bool store_text(char **field,
                       const struct lsig_setting_row *row,
                       const char *text,
                       struct lsig_buf *problem)
{
    if (row - lsig_setting_rows == LSIG_SETTING_INDEX_CORS_ORIGINS && strcmp(text, "*") == 0) {
        text = ""; // what others write for "any"
    }
    if (!check_text(row, text, problem)) {
        return false;
    }
    *field = lsig_strdup(text);
    return true;
}

bool lsig_setting_parse(struct lsig_settings *settings,
                        const struct lsig_setting_row *row,
                        const char *text,
                        struct lsig_buf *problem)
{
    void *field = (char *)settings + row->offset;
    int64_t number;
    const char *what = NULL;
    switch (row->type) {
    case LSIG_SETTING_IS_TEXT:
    case LSIG_SETTING_IS_SECRET:
    case LSIG_SETTING_IS_LIST:
    case LSIG_SETTING_IS_PATH:
        assert(*(char **)field == NULL);
        return store_text(field, row, text, problem);
    case LSIG_SETTING_IS_CHOICE:
        assert(*(char **)field == NULL);
        return store_choice(field, row, text, problem);
    case LSIG_SETTING_IS_INTEGER:
    case LSIG_SETTING_IS_SECONDS:
    case LSIG_SETTING_IS_BYTES:
        if (row->type == LSIG_SETTING_IS_BYTES ? parse_bytes(row, text, &number)
                                               : parse_integer(row, text, &number)) {
            *(int64_t *)field = number;
            return true;
        }
        explain_number(row, text, problem);
        return false;
    case LSIG_SETTING_IS_BOOLEAN:
        if (parse_boolean(text, field)) {
            return true;
        }
        show(problem, text);
        lsig_buf_append_text(problem, " is neither on nor off");
        return false;
    case LSIG_SETTING_IS_RATE:
        if (lsig_rate_spec_parse(field, lsig_span_of(text), false, &what)) {
            return true;
        }
        show(problem, text);
        lsig_buf_append_format(problem, " is not a rate: %s", what);
        return false;
    }
    return false;
}

void lsig_setting_print_bytes(int64_t bytes, struct lsig_buf *out)
{
    static const char *const units[] = {"", " KiB", " MiB", " GiB"};
    size_t unit = 0;
    while (unit < 3 && bytes != 0 && bytes % 1024 == 0) {
        bytes /= 1024;
        unit++;
    }
    lsig_buf_append_format(out, "%" PRId64 "%s", bytes, units[unit]);
}

static void print_rate(const struct lsig_setting_row *row,
                       const struct lsig_rate_spec *rate,
                       struct lsig_buf *out)
{
    const char *period = rate->period_ms == 1000 ? "s" : rate->period_ms == 60000 ? "min" : "h";
    if (rate->count == 0) {
        lsig_buf_append_text(out, "0");
    } else if (strstr(row->default_text, "iB") != NULL) { // a rate of bytes
        lsig_setting_print_bytes(rate->count, out);
        lsig_buf_append_format(out, "/%s burst ", period);
        lsig_setting_print_bytes(rate->burst, out);
    } else {
        lsig_buf_append_format(out, "%" PRId64 "/%s burst %" PRId64, rate->count, period,
                               rate->burst);
    }
}

void lsig_setting_print(const struct lsig_settings *settings,
                        const struct lsig_setting_row *row,
                        struct lsig_buf *out)
{
    const void *field = (const char *)settings + row->offset;
    switch (row->type) {
    case LSIG_SETTING_IS_SECRET:
        lsig_buf_append_text(out, (*(char *const *)field)[0] == '\0' ? "" : "********");
        break;
    case LSIG_SETTING_IS_TEXT:
    case LSIG_SETTING_IS_LIST:
    case LSIG_SETTING_IS_PATH:
    case LSIG_SETTING_IS_CHOICE:
        lsig_buf_append_text(out, *(char *const *)field);
        break;
    case LSIG_SETTING_IS_INTEGER:
    case LSIG_SETTING_IS_SECONDS:
        lsig_buf_append_format(out, "%" PRId64, *(const int64_t *)field);
        break;
    case LSIG_SETTING_IS_BYTES:
        lsig_setting_print_bytes(*(const int64_t *)field, out);
        break;
    case LSIG_SETTING_IS_BOOLEAN:
        lsig_buf_append_text(out, *(const bool *)field ? "on" : "off");
        break;
    case LSIG_SETTING_IS_RATE:
        print_rate(row, field, out);
        break;
    }
}
