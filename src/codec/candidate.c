#include "codec/candidate.h"

#include "codec/grammar.h"

enum { FOUNDATION_MAX = 32, COMPONENT_MAX = 256, WORD_MAX = 256, PORT_MAX = 65535 };

// The parts of the line, which have one space between them.
struct parts {
    struct lsig_span whole;
    struct lsig_span rest;
    struct lsig_span part; // the last one that was taken
    bool ended;            // there was nothing left to take
};

static void take_part(struct parts *parts)
{
    parts->ended = parts->ended || parts->rest.data == NULL;
    bool last = parts->ended || memchr(parts->rest.data, ' ', parts->rest.len) == NULL;
    parts->part = parts->ended ? (struct lsig_span){parts->whole.data + parts->whole.len, 0}
                               : lsig_grammar_take(&parts->rest, ' ');
    if (last) {
        parts->rest = (struct lsig_span){NULL, 0};
    }
}

static enum lsig_status
refuse(const struct parts *parts, struct lsig_candidate_error *error, const char *expected)
{
    error->at = (size_t)(parts->part.data - parts->whole.data);
    error->expected = expected;
    return LSIG_INVALID_MESSAGE;
}

static bool is_name_character(char c)
{
    return lsig_grammar_is_letter(c) || lsig_grammar_is_digit(c) || c == '-' || c == '.' ||
           c == '_';
}

static bool is_ipv6_character(char c)
{
    return lsig_grammar_is_hex(c) || c == ':' || c == '.';
}

// Four numbers up to 255.
static bool is_ipv4(struct lsig_span text)
{
    for (int i = 0; i < 4; i++) {
        if (!lsig_grammar_number(lsig_grammar_take(&text, '.'), 0, 255)) {
            return false;
        }
        if (text.len == 0 && i < 3) {
            return false;
        }
    }
    return text.len == 0;
}

static bool is_ipv4_character(char c)
{
    return lsig_grammar_is_digit(c) || c == '.';
}

// An address or a name (browsers hide host addresses behind names that end with .local).
static bool is_address(struct lsig_span text)
{
    enum { IPV6_MIN = 2, IPV6_MAX = 45, NAME_MAX_BYTES = 253 };
    if (memchr(text.data, ':', text.len) != NULL) {
        return lsig_grammar_all(text, is_ipv6_character, IPV6_MIN, IPV6_MAX);
    }
    if (lsig_grammar_all(text, is_ipv4_character, 1, NAME_MAX_BYTES)) {
        return is_ipv4(text);
    }
    return lsig_grammar_all(text, is_name_character, 1, NAME_MAX_BYTES);
}

static bool is_foundation(struct lsig_span text)
{
    return lsig_grammar_all(text, lsig_grammar_is_ice, 1, FOUNDATION_MAX);
}

static bool is_component(struct lsig_span text)
{
    return lsig_grammar_number(text, 1, COMPONENT_MAX);
}

static bool is_token(struct lsig_span text)
{
    return lsig_grammar_all(text, lsig_grammar_is_token, 1, WORD_MAX);
}

static bool is_priority(struct lsig_span text)
{
    return lsig_grammar_number(text, 1, UINT32_MAX) && text.len <= 10;
}

static bool is_port(struct lsig_span text)
{
    return lsig_grammar_number(text, 0, PORT_MAX);
}

static bool is_typ(struct lsig_span text)
{
    return lsig_span_is(text, "typ");
}

static const struct {
    bool (*is)(struct lsig_span text);
    const char *expected;
} fixed[] = {
    {is_foundation, "a foundation of 1 to 32 letters, digits, + or /"},
    {is_component, "a component from 1 to 256"},
    {is_token, "a transport such as udp"},
    {is_priority, "a priority from 1 to 4294967295"},
    {is_address, "an IP address or a host name"},
    {is_port, "a port from 0 to 65535"},
    {is_typ, "the word typ"},
    {is_token, "a type such as host, srflx, prflx or relay"},
};

// Pairs of words: raddr ADDRESS rport PORT, then extensions.
static enum lsig_status check_pairs(struct parts *parts, struct lsig_candidate_error *error)
{
    for (int count = 0; parts->rest.data != NULL; count++) {
        take_part(parts);
        struct lsig_span name = parts->part;
        if (count == LSIG_CANDIDATE_EXTENSIONS_MAX) {
            return refuse(parts, error, "at most 64 extensions");
        }
        if (!is_token(name)) {
            return refuse(parts, error, "the name of an extension, with one space before it");
        }
        take_part(parts);
        if (lsig_span_is(name, "raddr") && !is_address(parts->part)) {
            return refuse(parts, error, "an IP address or a host name behind raddr");
        }
        if (lsig_span_is(name, "rport") && !is_port(parts->part)) {
            return refuse(parts, error, "a port from 0 to 65535 behind rport");
        }
        if (parts->ended || !lsig_grammar_all(parts->part, lsig_grammar_is_visible, 1, WORD_MAX)) {
            return refuse(parts, error,
                          "a value of 1 to 256 visible characters for each extension");
        }
    }
    return LSIG_OK;
}

enum lsig_status lsig_candidate_check(struct lsig_span text, struct lsig_candidate_error *error)
{
    static const char prefix[] = "candidate:";
    if (text.len == 0) {
        return LSIG_OK;
    }
    struct parts parts = {.whole = text, .rest = text};
    if (text.len > 2 && memcmp(text.data, "a=", 2) == 0) {
        parts.rest.data += 2;
        parts.rest.len -= 2;
    }
    parts.part = parts.rest;
    if (parts.rest.len < sizeof(prefix) - 1 ||
        memcmp(parts.rest.data, prefix, sizeof(prefix) - 1) != 0) {
        return refuse(&parts, error, "candidate: at the beginning");
    }
    parts.rest.data += sizeof(prefix) - 1;
    parts.rest.len -= sizeof(prefix) - 1;
    for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++) {
        take_part(&parts);
        if (!fixed[i].is(parts.part)) {
            return refuse(&parts, error, fixed[i].expected);
        }
    }
    return check_pairs(&parts, error);
}
