#include "codec/rate_spec.h"

#include <assert.h>

enum { NUMBER_DIGITS_MAX = 9 }; // so that neither a unit nor the burst factor of ten can overflow

static const char *const scope_names[LSIG_RATE_SCOPE_COUNT] = {
    [LSIG_PER_CONNECTION] = "connection",
    [LSIG_PER_USER] = "user",
    [LSIG_PER_IP] = "ip",
    [LSIG_PER_ROOM] = "room",
};

static void skip_blanks(struct lsig_span *rest)
{
    while (rest->len > 0 && (rest->data[0] == ' ' || rest->data[0] == '\t')) {
        rest->data++;
        rest->len--;
    }
}

static bool take(struct lsig_span *rest, const char *word)
{
    size_t len = strlen(word);
    if (rest->len < len || memcmp(rest->data, word, len) != 0) {
        return false;
    }
    rest->data += len;
    rest->len -= len;
    return true;
}

// A word has to end where it ends: `5/minute` is no `5/min`.
static bool take_word(struct lsig_span *rest, const char *word)
{
    struct lsig_span before = *rest;
    if (!take(rest, word)) {
        return false;
    }
    if (rest->len > 0 && rest->data[0] != ' ' && rest->data[0] != '\t' && rest->data[0] != '/') {
        *rest = before;
        return false;
    }
    return true;
}

static bool take_number(struct lsig_span *rest, int64_t *number, const char **what)
{
    skip_blanks(rest);
    int digits = 0;
    *number = 0;
    while (rest->len > 0 && rest->data[0] >= '0' && rest->data[0] <= '9') {
        if (++digits > NUMBER_DIGITS_MAX) {
            *what = "a number of a rate has at most 9 digits";
            return false;
        }
        *number = *number * 10 + (rest->data[0] - '0');
        rest->data++;
        rest->len--;
    }
    if (digits == 0) {
        *what = "write a whole number first, e.g. 10, 10/s burst 100, 256 KiB/s burst 2 MiB";
        return false;
    }
    skip_blanks(rest);
    if (take_word(rest, "KiB")) {
        *number *= 1024;
    } else if (take_word(rest, "MiB")) {
        *number *= INT64_C(1024) * 1024;
    }
    return true;
}

static bool take_period(struct lsig_span *rest, int64_t *period_ms)
{
    *period_ms = 1000;
    skip_blanks(rest);
    if (!take(rest, "/")) {
        return true;
    }
    if (take_word(rest, "min")) {
        *period_ms = 60000;
    } else if (take_word(rest, "h")) {
        *period_ms = 3600000;
    } else {
        return take_word(rest, "s");
    }
    return true;
}

static bool take_scope(struct lsig_span *rest, enum lsig_rate_scope *scope)
{
    skip_blanks(rest);
    for (int i = 0; i < LSIG_RATE_SCOPE_COUNT; i++) {
        if (take_word(rest, scope_names[i])) {
            *scope = (enum lsig_rate_scope)i;
            return true;
        }
    }
    return false;
}

bool lsig_rate_spec_parse(struct lsig_rate_spec *spec,
                          struct lsig_span text,
                          bool scope_allowed,
                          const char **what)
{
    struct lsig_span rest = text;
    struct lsig_rate_spec parsed = {.scope = LSIG_PER_CONNECTION};
    if (!take_number(&rest, &parsed.count, what)) {
        return false;
    }
    if (!take_period(&rest, &parsed.period_ms)) {
        *what = "write the period as /s, /min or /h";
        return false;
    }
    parsed.burst = parsed.count * 10;
    skip_blanks(&rest);
    if (take_word(&rest, "burst")) {
        if (!take_number(&rest, &parsed.burst, what)) {
            *what = "write a whole number of at most 9 digits after burst, e.g. 10/s burst 100";
            return false;
        }
        if (parsed.burst == 0 && parsed.count > 0) {
            *what = "a burst of 0 lets nothing through; write at least 1, or the rate 0 to switch "
                    "the limit off";
            return false;
        }
    }
    skip_blanks(&rest);
    if (take_word(&rest, "per")) {
        if (!scope_allowed) {
            *what = "this rate has its own scope; leave `per` out";
            return false;
        }
        if (!take_scope(&rest, &parsed.scope)) {
            *what = "write per connection, per user, per ip or per room";
            return false;
        }
    }
    skip_blanks(&rest);
    if (rest.len > 0) {
        *what = "write a rate as N[KiB|MiB][/s|/min|/h] [burst N], e.g. 10/s burst 100";
        return false;
    }
    *spec = parsed;
    return true;
}

const char *lsig_rate_scope_name(enum lsig_rate_scope scope)
{
    assert(scope < LSIG_RATE_SCOPE_COUNT);
    return scope_names[scope];
}
