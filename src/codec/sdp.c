#include "codec/sdp.h"

#include "codec/candidate.h"
#include "codec/grammar.h"

enum {
    UFRAG_MIN = 4,
    PASSWORD_MIN = 22,
    CREDENTIAL_MAX = 256, // of both
    TOKEN_MAX = 256,
    PORT_MAX = 65535,
};

static const size_t ANY = SIZE_MAX;

// What has been seen of a description.
struct walk {
    size_t line;     // number
    size_t versions; // lines of each kind before the first m=
    size_t origins;
    size_t names;
    size_t times;
    bool media; // an m= has come
    const char *expected;
};

static bool refuse(struct walk *walk, const char *expected)
{
    walk->expected = expected;
    return false;
}

static bool is_visible(struct lsig_span text)
{
    return lsig_grammar_all(text, lsig_grammar_is_visible, 1, ANY);
}

static bool is_token(struct lsig_span text)
{
    return lsig_grammar_all(text, lsig_grammar_is_token, 1, TOKEN_MAX);
}

static bool is_digits(struct lsig_span text)
{
    return lsig_grammar_all(text, lsig_grammar_is_digit, 1, TOKEN_MAX);
}

// o=<username> <sess-id> <sess-version> <nettype> <addrtype> <unicast-address>
static bool check_origin(struct walk *walk, struct lsig_span value)
{
    static const char expected[] = "o=USER ID VERSION NETTYPE ADDRTYPE ADDRESS";
    for (int i = 0; i < 6; i++) {
        struct lsig_span word = lsig_grammar_take(&value, ' ');
        if (i == 1 || i == 2 ? !is_digits(word) : !is_visible(word)) {
            return refuse(walk, expected);
        }
    }
    return value.len == 0 || refuse(walk, expected);
}

// t=<start> <stop>
static bool check_time(struct walk *walk, struct lsig_span value)
{
    struct lsig_span start = lsig_grammar_take(&value, ' ');
    return (is_digits(start) && is_digits(value)) || refuse(walk, "t=START STOP, two numbers");
}

// m=<media> <port>[/<count>] <proto> <fmt> ...
static bool check_media(struct walk *walk, struct lsig_span value)
{
    struct lsig_span media = lsig_grammar_take(&value, ' ');
    struct lsig_span count = lsig_grammar_take(&value, ' ');
    struct lsig_span port = lsig_grammar_take(&count, '/');
    struct lsig_span protocol = lsig_grammar_take(&value, ' ');
    bool slash = port.data + port.len < count.data;
    if (!is_token(media)) {
        return refuse(walk, "m= with a media type such as audio");
    }
    if (!lsig_grammar_number(port, 0, PORT_MAX) ||
        (slash && !lsig_grammar_number(count, 1, PORT_MAX))) {
        return refuse(walk, "m= with a port from 0 to 65535 behind the media type");
    }
    while (protocol.len > 0) {
        bool more = memchr(protocol.data, '/', protocol.len) != NULL;
        if (!is_token(lsig_grammar_take(&protocol, '/')) || (more && protocol.len == 0)) {
            return refuse(walk, "m= with a protocol such as UDP/TLS/RTP/SAVPF behind the port");
        }
    }
    bool formats = value.len > 0;
    while (formats && value.len > 0) {
        bool more = memchr(value.data, ' ', value.len) != NULL;
        formats = is_token(lsig_grammar_take(&value, ' ')) && (!more || value.len > 0);
    }
    return formats || refuse(walk, "m= with at least one format behind the protocol, and one space "
                                   "between each");
}

// c=<nettype> <addrtype> <connection-address>
static bool check_connection(struct walk *walk, struct lsig_span value)
{
    struct lsig_span network = lsig_grammar_take(&value, ' ');
    struct lsig_span address = lsig_grammar_take(&value, ' ');
    return (is_token(network) && is_token(address) && is_visible(value)) ||
           refuse(walk, "c=NETTYPE ADDRTYPE ADDRESS");
}

// b=<bwtype>:<bandwidth>
static bool check_bandwidth(struct walk *walk, struct lsig_span value)
{
    struct lsig_span type = lsig_grammar_take(&value, ':');
    return (is_token(type) && is_digits(value)) || refuse(walk, "b=TYPE:NUMBER");
}

// <hash-func> <fingerprint>: two hexadecimal digits for each byte, colons between them
static bool check_fingerprint(struct walk *walk, struct lsig_span value)
{
    static const struct {
        const char *name;
        size_t bytes;
    } hashes[] = {{"sha-1", 20},   {"sha-224", 28}, {"sha-256", 32},
                  {"sha-384", 48}, {"sha-512", 64}, {"md5", 16}};
    struct lsig_span hash = lsig_grammar_take(&value, ' ');
    size_t bytes = 0;
    bool good = is_token(hash) && value.len > 0;
    while (good && value.len > 0) {
        bool more = memchr(value.data, ':', value.len) != NULL;
        good = lsig_grammar_all(lsig_grammar_take(&value, ':'), lsig_grammar_is_hex, 2, 2) &&
               (!more || value.len > 0);
        bytes++;
    }
    for (size_t i = 0; good && i < sizeof(hashes) / sizeof(hashes[0]); i++) {
        good = !lsig_span_is(hash, hashes[i].name) || bytes == hashes[i].bytes;
    }
    return good || refuse(walk, "a=fingerprint: with a hash and its bytes as HH:HH:…");
}

static bool check_attribute(struct walk *walk, struct lsig_span line, struct lsig_span value)
{
    struct lsig_span name = lsig_grammar_take(&value, ':');
    if (!is_token(name)) {
        return refuse(walk, "a=NAME or a=NAME:VALUE");
    }
    if (lsig_span_is(name, "ice-ufrag")) {
        return lsig_grammar_all(value, lsig_grammar_is_ice, UFRAG_MIN, CREDENTIAL_MAX) ||
               refuse(walk, "a=ice-ufrag: with 4 to 256 letters, digits, + or /");
    }
    if (lsig_span_is(name, "ice-pwd")) {
        return lsig_grammar_all(value, lsig_grammar_is_ice, PASSWORD_MIN, CREDENTIAL_MAX) ||
               refuse(walk, "a=ice-pwd: with 22 to 256 letters, digits, + or /");
    }
    if (lsig_span_is(name, "fingerprint")) {
        return check_fingerprint(walk, value);
    }
    struct lsig_candidate_error error;
    if (lsig_span_is(name, "candidate") && lsig_candidate_check(line, &error) != LSIG_OK) {
        return refuse(walk, error.expected);
    }
    return true;
}

// What stands before the first m= has its order up to t=.
static bool check_session_line(struct walk *walk, char type)
{
    switch (type) {
    case 'v':
        return walk->versions++ == 0 || refuse(walk, "v= only once");
    case 'o':
        return (walk->line == 2 && walk->origins++ == 0) ||
               refuse(walk, "o= only as the second line");
    case 's':
        return (walk->line == 3 && walk->names++ == 0) || refuse(walk, "s= only as the third line");
    case 't':
        walk->times++;
        return true;
    case 'm':
        walk->media = true;
        return walk->times > 0 || refuse(walk, "t= before the first m=");
    default:
        return true;
    }
}

static bool check_place(struct walk *walk, char type)
{
    static const char *const first[] = {"v=0 as the first line", "o= as the second line",
                                        "s= as the third line"};
    if (walk->line <= 3 && type != "vos"[walk->line - 1]) {
        return refuse(walk, first[walk->line - 1]);
    }
    if (!walk->media) {
        return strchr("vosiuepcbtrzkam", type) != NULL ? check_session_line(walk, type)
                                                       : refuse(walk, "a known kind of line");
    }
    return strchr("micbka", type) != NULL ||
           refuse(walk, "m=, i=, c=, b=, k= or a= in a media description");
}

static bool is_text(char c)
{
    return c != '\0' && c != '\r' && c != '\n';
}

static bool check_line(struct walk *walk, struct lsig_span line)
{
    bool shaped =
        line.len >= 2 && line.data[0] >= 'a' && line.data[0] <= 'z' && line.data[1] == '=';
    struct lsig_span value = {shaped ? line.data + 2 : line.data, shaped ? line.len - 2 : 0};
    if (!shaped || !lsig_grammar_all(value, is_text, 1, ANY)) {
        return refuse(walk, walk->line == 1 ? "v=0 as the first line"
                                            : "a line of the form x=value, ended by CRLF");
    }
    if (!check_place(walk, line.data[0])) {
        return false;
    }
    switch (line.data[0]) {
    case 'v':
        return lsig_span_is(value, "0") || refuse(walk, "v=0 as the first line");
    case 'o':
        return check_origin(walk, value);
    case 't':
        return check_time(walk, value);
    case 'm':
        return check_media(walk, value);
    case 'c':
        return check_connection(walk, value);
    case 'b':
        return check_bandwidth(walk, value);
    case 'a':
        return check_attribute(walk, line, value);
    default:
        return true;
    }
}

enum lsig_status lsig_sdp_check(struct lsig_span text, struct lsig_sdp_error *error)
{
    struct walk walk = {.line = 0};
    struct lsig_span rest = text;
    bool good = true;
    while (good && rest.len > 0) {
        struct lsig_span line = lsig_grammar_take(&rest, '\n');
        line.len -= line.len > 0 && line.data[line.len - 1] == '\r' ? 1 : 0;
        walk.line++;
        good = check_line(&walk, line);
    }
    if (good && text.len > 0 && walk.times == 0) {
        walk.line++;
        good = refuse(&walk, walk.line == 2   ? "o= as the second line"
                             : walk.line == 3 ? "s= as the third line"
                                              : "a t= line");
    }
    if (!good) {
        *error = (struct lsig_sdp_error){walk.line, walk.expected};
        return LSIG_INVALID_MESSAGE;
    }
    return LSIG_OK;
}
