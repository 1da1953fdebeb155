#include "script/pattern.h"

#include <string.h>

#include <lauxlib.h>
#include <lua.h>

#include "script/budget.h"

enum {
    ROUND_STEPS = 1000, // between two looks at the budget
    OPEN = -1,          // the length of a capture that is not closed yet
    POSITION = -2       // the length of (), which captures a position
};

static const char *match_rest(struct lsig_pattern *m, const char *at, const char *item);

// Off the fast path: a round of steps is used up.
static void end_round(struct lsig_pattern *m)
{
    m->steps += ROUND_STEPS - m->left;
    m->left = ROUND_STEPS;
    lsig_budget_poll(m->L);
    if (m->steps >= LSIG_PATTERN_STEPS_MAX) {
        luaL_error(m->L,
                   "%s: the pattern took more than %d steps; one with fewer of * + - ?, or a "
                   "shorter text, takes fewer",
                   m->function, LSIG_PATTERN_STEPS_MAX);
    }
}

static inline void spend(struct lsig_pattern *m, int steps)
{
    m->left -= steps;
    if (m->left <= 0) {
        end_round(m);
    }
}

// --- one byte

static bool is_between(unsigned char byte, unsigned char first, unsigned char last)
{
    return byte >= first && byte <= last;
}

static bool is_letter(unsigned char byte)
{
    return is_between(byte | 0x20, 'a', 'z');
}

static bool is_digit(unsigned char byte)
{
    return is_between(byte, '0', '9');
}

// Whether the byte is of a class, such as 'a' of %a: ASCII, whatever the locale. A letter that
// names no class, and any other byte, stands for itself.
static bool is_of_class(unsigned char byte, unsigned char name)
{
    bool is;
    switch (name | 0x20) {
    case 'a':
        is = is_letter(byte);
        break;
    case 'c':
        is = byte < ' ' || byte == 127;
        break;
    case 'd':
        is = is_digit(byte);
        break;
    case 'g':
        is = is_between(byte, '!', '~');
        break;
    case 'l':
        is = is_between(byte, 'a', 'z');
        break;
    case 'p':
        is = is_between(byte, '!', '~') && !is_letter(byte) && !is_digit(byte);
        break;
    case 's':
        is = byte == ' ' || is_between(byte, '\t', '\r');
        break;
    case 'u':
        is = is_between(byte, 'A', 'Z');
        break;
    case 'w':
        is = is_letter(byte) || is_digit(byte);
        break;
    case 'x':
        is = is_digit(byte) || is_between(byte | 0x20, 'a', 'f');
        break;
    case 'z':
        is = byte == 0;
        break;
    default:
        return byte == name;
    }
    return is == ((name & 0x20) != 0);
}

// Where the item that begins at `item` ends: a byte, an escape, a set.
static const char *item_end(const struct lsig_pattern *m, const char *item)
{
    const char *at = item + 1;
    if (*item == '%') {
        if (at == m->pattern_end) {
            luaL_error(m->L, "malformed pattern (ends with '%%')");
        }
        return at + 1;
    }
    if (*item != '[') {
        return at;
    }
    at += at < m->pattern_end && *at == '^';
    // A ] that comes first is one of the set.
    do {
        if (at < m->pattern_end && *at == '%') {
            at++;
        }
        at++;
        if (at >= m->pattern_end) {
            luaL_error(m->L, "malformed pattern (missing ']')");
        }
    } while (*at != ']');
    return at + 1;
}

// The set stands from `set` (its [) to end (behind its ]).
static bool is_of_set(unsigned char byte, const char *set, const char *end)
{
    const char *at = set + 1;
    const char *last = end - 1;
    bool found = *at != '^';
    at += !found;
    while (at < last) {
        if (*at == '%') {
            if (is_of_class(byte, (unsigned char)at[1])) {
                return found;
            }
            at += 2;
        } else if (last - at > 2 && at[1] == '-') {
            if (is_between(byte, (unsigned char)at[0], (unsigned char)at[2])) {
                return found;
            }
            at += 3;
        } else if ((unsigned char)*at++ == byte) {
            return found;
        }
    }
    return !found;
}

static inline bool
is_of_item(struct lsig_pattern *m, unsigned char byte, const char *item, const char *end)
{
    switch (*item) {
    case '.':
        return true;
    case '%':
        return is_of_class(byte, (unsigned char)item[1]);
    case '[':
        spend(m, (int)(end - item));
        return is_of_set(byte, item, end);
    default:
        return (unsigned char)*item == byte;
    }
}

// --- what may repeat

// As often as possible, at least `least` times (0 or 1), then less.
static const char *match_most(
    struct lsig_pattern *m, const char *at, const char *item, const char *end, ptrdiff_t least)
{
    const char *first = at + least;
    while (at < m->text_end && is_of_item(m, (unsigned char)*at, item, end)) {
        spend(m, 1);
        at++;
    }
    for (; at >= first; at--) {
        const char *matched = match_rest(m, at, end + 1);
        if (matched != NULL) {
            return matched;
        }
    }
    return NULL;
}

static const char *
match_fewest(struct lsig_pattern *m, const char *at, const char *item, const char *end)
{
    for (;;) {
        const char *matched = match_rest(m, at, end + 1);
        if (matched != NULL) {
            return matched;
        }
        if (at == m->text_end || !is_of_item(m, (unsigned char)*at, item, end)) {
            return NULL;
        }
        at++;
    }
}

// --- captures

static const char *match_open(struct lsig_pattern *m, const char *at, const char *item)
{
    bool position = item < m->pattern_end && *item == ')';
    if (m->level == LSIG_PATTERN_CAPTURES_MAX) {
        luaL_error(m->L, "too many captures");
    }
    m->captures[m->level].start = at;
    m->captures[m->level].len = position ? POSITION : OPEN;
    m->level++;
    const char *matched = match_rest(m, at, item + position);
    if (matched == NULL) {
        m->level--;
    }
    return matched;
}

static const char *match_close(struct lsig_pattern *m, const char *at, const char *item)
{
    int index = m->level - 1;
    while (index >= 0 && m->captures[index].len != OPEN) {
        index--;
    }
    if (index < 0) {
        luaL_error(m->L, "invalid pattern capture");
    }
    m->captures[index].len = at - m->captures[index].start;
    const char *matched = match_rest(m, at, item);
    if (matched == NULL) {
        m->captures[index].len = OPEN;
    }
    return matched;
}

// %1 to %9: what that capture holds, once more.
static const char *match_again(struct lsig_pattern *m, const char *at, char digit)
{
    int index = digit - '1';
    if (index < 0 || index >= m->level || m->captures[index].len == OPEN) {
        luaL_error(m->L, "invalid capture index");
    }
    ptrdiff_t len = m->captures[index].len;
    if (len == POSITION || m->text_end - at < len) {
        return NULL;
    }
    spend(m, (int)(len / 16)); // memcmp is fast
    return memcmp(m->captures[index].start, at, (size_t)len) == 0 ? at + len : NULL;
}

// --- items that are no single byte

// %bxy; `pair` is behind the b.
static const char *match_balance(struct lsig_pattern *m, const char *at, const char *pair)
{
    if (m->pattern_end - pair < 2) {
        luaL_error(m->L, "unbalanced pattern");
    }
    if (at == m->text_end || *at != pair[0]) {
        return NULL;
    }
    int open = 1;
    for (at++; at < m->text_end; at++) {
        spend(m, 1);
        if (*at == pair[1]) {
            open--;
            if (open == 0) {
                return at + 1;
            }
        } else if (*at == pair[0]) {
            open++;
        }
    }
    return NULL;
}

// %f[set]; `set` is behind the f. Both ends of the text count as a zero byte.
static bool is_frontier(struct lsig_pattern *m, const char *at, const char *set, const char **end)
{
    if (set == m->pattern_end || *set != '[') {
        luaL_error(m->L, "missing '[' after '%%f' in pattern");
    }
    *end = item_end(m, set);
    spend(m, (int)(*end - set));
    unsigned char before = at == m->text ? 0 : (unsigned char)at[-1];
    unsigned char here = at == m->text_end ? 0 : (unsigned char)*at;
    return !is_of_set(before, set, *end) && is_of_set(here, set, *end);
}

// An item of one byte with what follows it. True: *at and *item have moved on by it, else *at is
// the result of the whole rest.
static bool match_item(struct lsig_pattern *m, const char **at, const char **item)
{
    const char *end = item_end(m, *item);
    char repeat = '\0';
    if (end < m->pattern_end) {
        repeat = *end;
    }
    if (repeat == '*' || repeat == '+') {
        *at = match_most(m, *at, *item, end, repeat == '+');
        return false;
    }
    if (repeat == '-') {
        *at = match_fewest(m, *at, *item, end);
        return false;
    }
    bool is = *at < m->text_end && is_of_item(m, (unsigned char)**at, *item, end);
    if (repeat == '?') {
        const char *matched = is ? match_rest(m, *at + 1, end + 1) : NULL;
        if (matched != NULL) {
            *at = matched;
            return false;
        }
        *item = end + 1;
        return true;
    }
    *at = is ? *at + 1 : NULL;
    *item = end;
    return is;
}

// %b, %f, %1. False: the item is none of these, and nothing was done.
static bool match_escape(struct lsig_pattern *m, const char **at, const char **item)
{
    if (m->pattern_end - *item < 2) {
        return false;
    }
    const char *behind = *item + 2;
    char name = (*item)[1];
    if (name == 'b') {
        *at = match_balance(m, *at, behind);
        *item = behind + 2;
        return true;
    }
    if (name == 'f') {
        *at = is_frontier(m, *at, behind, item) ? *at : NULL;
        return true;
    }
    if (is_digit((unsigned char)name)) {
        *at = match_again(m, *at, name);
        *item = behind;
        return true;
    }
    return false;
}

// Matches what the pattern has from `item` on. Returns the end of the match, or NULL.
static const char *match_rest(struct lsig_pattern *m, const char *at, const char *item)
{
    if (++m->depth > LSIG_PATTERN_DEPTH_MAX) {
        luaL_error(m->L, "pattern too complex");
    }
    spend(m, 1);
    bool goes_on = true;
    while (goes_on && at != NULL && item < m->pattern_end) {
        spend(m, 1);
        if (*item == '(') {
            at = match_open(m, at, item + 1);
            break;
        }
        if (*item == ')') {
            at = match_close(m, at, item + 1);
            break;
        }
        if (*item == '$' && item + 1 == m->pattern_end) {
            at = at == m->text_end ? at : NULL;
            break;
        }
        if (*item != '%' || !match_escape(m, &at, &item)) {
            goes_on = match_item(m, &at, &item);
        }
    }
    m->depth--;
    return at;
}

// --- from outside

void lsig_pattern_init(struct lsig_pattern *pattern,
                       lua_State *L,
                       const char *function,
                       struct lsig_span text,
                       struct lsig_span source,
                       bool anchors)
{
    const char *zero = memchr(source.data, '\0', source.len);
    pattern->L = L;
    pattern->function = function;
    pattern->text = text.data;
    pattern->text_end = text.data + text.len;
    pattern->anchored = anchors && source.len > 0 && source.data[0] == '^';
    pattern->pattern = source.data + pattern->anchored;
    pattern->pattern_end = zero != NULL ? zero : source.data + source.len;
    pattern->steps = 0;
    pattern->left = ROUND_STEPS;
    pattern->depth = 0;
    pattern->level = 0;
}

const char *lsig_pattern_match(struct lsig_pattern *pattern, const char *at)
{
    pattern->level = 0;
    return match_rest(pattern, at, pattern->pattern);
}

void lsig_pattern_push_capture(struct lsig_pattern *pattern,
                               int index,
                               const char *start,
                               const char *end)
{
    lua_State *L = pattern->L;
    if (index >= pattern->level) {
        if (index != 0) {
            luaL_error(L, "invalid capture index");
        }
        lua_pushlstring(L, start, (size_t)(end - start)); // all of the match
        return;
    }
    ptrdiff_t len = pattern->captures[index].len;
    if (len == OPEN) {
        luaL_error(L, "unfinished capture");
    }
    if (len == POSITION) {
        lua_pushinteger(L, pattern->captures[index].start - pattern->text + 1);
    } else {
        lua_pushlstring(L, pattern->captures[index].start, (size_t)len);
    }
}

int lsig_pattern_push_captures(struct lsig_pattern *pattern,
                               const char *start,
                               const char *end,
                               bool whole)
{
    int count = pattern->level == 0 && whole ? 1 : pattern->level;
    luaL_checkstack(pattern->L, count, "too many captures");
    for (int i = 0; i < count; i++) {
        lsig_pattern_push_capture(pattern, i, start, end);
    }
    return count;
}

bool lsig_pattern_is_special(struct lsig_span source)
{
    static const char special[] = "^$*+?.([%-";
    for (size_t i = 0; i < source.len; i++) {
        if (source.data[i] != '\0' && strchr(special, source.data[i]) != NULL) {
            return true;
        }
    }
    return false;
}
