#include "codec/scan.h"

#include <assert.h>
#include <endian.h>
#include <limits.h>

#include "codec/number.h"
#include "codec/scanner.h"
#include "codec/utf8.h"

static bool fail(struct lsig_scanner *scanner, const char *at, const char *wrong)
{
    if (scanner->wrong == NULL) {
        scanner->wrong = wrong;
        scanner->wrong_at = at;
    }
    return false;
}

// The first byte from `at` on that means something inside of a string: a quote, a backslash, a
// control character or anything beyond ASCII. Eight bytes at a time: the lowest flag that is set is
// exact, those above it may be echoes of a borrow.
static inline const char *skip_plain(const char *at, const char *end)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    while (end - at >= 8) {
        uint64_t word;
        memcpy(&word, at, sizeof(word));
        word = le64toh(word);
        uint64_t quote = (word ^ (ones * '"')) - ones;
        uint64_t backslash = (word ^ (ones * '\\')) - ones;
        uint64_t control = word - ones * 0x20;
        uint64_t flags = (quote | backslash | control | word) & (ones * 0x80);
        if (flags != 0) {
            return at + __builtin_ctzll(flags) / 8;
        }
        at += 8;
    }
    for (; at < end; at++) {
        unsigned char c = (unsigned char)*at;
        if (c < 0x20 || c >= 0x80 || c == '"' || c == '\\') {
            break;
        }
    }
    return at;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// The code unit of a \uXXXX at `at`, or -1.
static int read_unit(const char *at, const char *end)
{
    if (end - at < 6 || at[0] != '\\' || at[1] != 'u') {
        return -1;
    }
    int unit = 0;
    for (int i = 2; i < 6; i++) {
        int digit = hex_digit(at[i]);
        if (digit < 0) {
            return -1;
        }
        unit = unit * 16 + digit;
    }
    return unit;
}

// Takes one escape; scanner->at stands on the backslash.
static bool take_escape(struct lsig_scanner *scanner)
{
    const char *at = scanner->at;
    if (scanner->end - at < 2) {
        return fail(scanner, at, "the text ends inside of a string");
    }
    if (at[1] != 'u') {
        switch (at[1]) {
        case '"':
        case '\\':
        case '/':
        case 'b':
        case 'f':
        case 'n':
        case 'r':
        case 't':
            scanner->at += 2;
            return true;
        default:
            return fail(scanner, at,
                        "unknown escape; expected one of \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\u");
        }
    }
    int unit = read_unit(at, scanner->end);
    if (unit < 0) {
        return fail(scanner, at, "expected four hexadecimal digits after \\u");
    }
    if (unit == 0) {
        return fail(scanner, at, "\\u0000 is not accepted");
    }
    scanner->at += 6;
    if (unit < 0xd800 || unit > 0xdfff) {
        return true;
    }
    int low = unit < 0xdc00 ? read_unit(scanner->at, scanner->end) : -1;
    if (low < 0xdc00 || low > 0xdfff) {
        return fail(scanner, at, "a surrogate without its other half");
    }
    scanner->at += 6;
    return true;
}

// Takes a string; scanner->at stands on the opening quote. *inside (may be NULL) gets what is
// between the quotes.
static bool take_string(struct lsig_scanner *scanner, struct lsig_span *inside)
{
    const char *first = scanner->at + 1;
    scanner->at = first;
    for (;;) {
        const char *at = skip_plain(scanner->at, scanner->end);
        scanner->at = at;
        if (at == scanner->end) {
            return fail(scanner, at, "the text ends inside of a string");
        }
        if (*at == '"') {
            if (inside != NULL) {
                *inside = (struct lsig_span){first, (size_t)(at - first)};
            }
            scanner->at = at + 1;
            return true;
        }
        if (*at == '\\') {
            if (!take_escape(scanner)) {
                return false;
            }
        } else if ((unsigned char)*at < 0x20) {
            return fail(scanner, at, "a control character in a string; write it as an escape");
        } else {
            size_t len = lsig_utf8_len(at, scanner->end);
            if (len == 0) {
                return fail(scanner, at, "bytes that are not UTF-8");
            }
            scanner->at = at + len;
        }
    }
}

static bool take_number(struct lsig_scanner *scanner)
{
    struct lsig_span number;
    const char *wrong = lsig_number_scan(scanner->at, scanner->end, &number);
    scanner->at += number.len;
    return wrong == NULL || fail(scanner, scanner->at, wrong);
}

static bool take_word(struct lsig_scanner *scanner, const char *word, size_t len)
{
    if ((size_t)(scanner->end - scanner->at) < len || memcmp(scanner->at, word, len) != 0) {
        return fail(scanner, scanner->at, "expected a value");
    }
    scanner->at += len;
    return true;
}

static bool go_deeper(struct lsig_scanner *scanner)
{
    if (scanner->depth == LSIG_SCAN_DEPTH_MAX) {
        return fail(scanner, scanner->at, "nested deeper than 32");
    }
    scanner->depth += 1;
    scanner->at += 1;
    return true;
}

static bool count_value(struct lsig_scanner *scanner)
{
    if (scanner->values == scanner->values_max) {
        return fail(scanner, scanner->at, "more than 1,024 members and elements");
    }
    scanner->values += 1;
    return true;
}

// Takes what stands between two entries of an object or array, or in front of the first. False at
// the end of it or when something is wrong.
static bool
next_entry(struct lsig_scanner *scanner, size_t *count, char close, const char *expected)
{
    int c = lsig_scanner_peek(scanner);
    if (c == close) {
        scanner->at += 1;
        scanner->depth -= 1;
        return false;
    }
    if (*count > 0) {
        if (c != ',') {
            return fail(scanner, scanner->at, expected);
        }
        scanner->at += 1;
    }
    *count += 1;
    return count_value(scanner);
}

bool lsig_scanner_open(struct lsig_scanner *scanner)
{
    return lsig_scanner_peek(scanner) == '{' ? go_deeper(scanner)
                                             : fail(scanner, scanner->at, "expected an object");
}

bool lsig_scanner_member(struct lsig_scanner *scanner, size_t *count, struct lsig_span *key)
{
    if (scanner->wrong != NULL || !next_entry(scanner, count, '}', "expected ',' or '}'")) {
        return false;
    }
    if (lsig_scanner_peek(scanner) != '"') {
        return fail(scanner, scanner->at, "expected a key in double quotes");
    }
    if (!take_string(scanner, key)) {
        return false;
    }
    if (lsig_scanner_peek(scanner) != ':') {
        return fail(scanner, scanner->at, "expected ':'");
    }
    scanner->at += 1;
    return true;
}

static bool take_object(struct lsig_scanner *scanner)
{
    struct lsig_span key;
    size_t count = 0;
    if (!go_deeper(scanner)) {
        return false;
    }
    while (lsig_scanner_member(scanner, &count, &key)) {
        if (!lsig_scanner_value(scanner, NULL)) {
            return false;
        }
    }
    return scanner->wrong == NULL;
}

static bool take_array(struct lsig_scanner *scanner)
{
    size_t count = 0;
    if (!go_deeper(scanner)) {
        return false;
    }
    while (next_entry(scanner, &count, ']', "expected ',' or ']'")) {
        if (!lsig_scanner_value(scanner, NULL)) {
            return false;
        }
    }
    return scanner->wrong == NULL;
}

static bool take_any(struct lsig_scanner *scanner, int first)
{
    switch (first) {
    case '"':
        return take_string(scanner, NULL);
    case '{':
        return take_object(scanner);
    case '[':
        return take_array(scanner);
    case 't':
        return take_word(scanner, "true", 4);
    case 'f':
        return take_word(scanner, "false", 5);
    case 'n':
        return take_word(scanner, "null", 4);
    case '-':
        return take_number(scanner);
    default:
        return first >= '0' && first <= '9' ? take_number(scanner)
                                            : fail(scanner, scanner->at, "expected a value");
    }
}

// Calls itself through objects and arrays, LSIG_SCAN_DEPTH_MAX deep at most.
bool lsig_scanner_value(struct lsig_scanner *scanner, struct lsig_span *value)
{
    if (scanner->wrong != NULL) {
        return false;
    }
    int first = lsig_scanner_peek(scanner);
    const char *from = scanner->at;
    if (!take_any(scanner, first)) {
        return false;
    }
    if (value != NULL) {
        *value = (struct lsig_span){from, (size_t)(scanner->at - from)};
    }
    return true;
}

void lsig_scanner_init(struct lsig_scanner *scanner, struct lsig_span text)
{
    const char *start = text.data != NULL ? text.data : "";
    *scanner = (struct lsig_scanner){
        .start = start, .at = start, .end = start + text.len, .values_max = LSIG_SCAN_VALUES_MAX};
}

int lsig_scanner_peek(struct lsig_scanner *scanner)
{
    for (; scanner->at < scanner->end; scanner->at++) {
        char c = *scanner->at;
        if (c != ' ' && c != '\n' && c != '\r' && c != '\t') {
            return (unsigned char)c;
        }
    }
    return -1;
}

// The first byte that breaks UTF-8, or NULL.
static const char *find_bad_utf8(const char *at, const char *end)
{
    while (at < end) {
        uint64_t word;
        if (end - at >= 8) {
            memcpy(&word, at, sizeof(word));
            if ((word & UINT64_C(0x8080808080808080)) == 0) {
                at += 8;
                continue;
            }
        }
        size_t len = lsig_utf8_len(at, end);
        if (len == 0) {
            return at;
        }
        at += len;
    }
    return NULL;
}

enum lsig_status lsig_scanner_finish(struct lsig_scanner *scanner, struct lsig_scan_error *error)
{
    if (scanner->wrong == NULL && lsig_scanner_peek(scanner) >= 0) {
        fail(scanner, scanner->at, "expected nothing more behind the value");
    }
    if (scanner->wrong == NULL) {
        return LSIG_OK;
    }
    // What the scanner accepts is UTF-8 throughout; where it stopped, the rest has not been seen.
    const char *bad = find_bad_utf8(scanner->start, scanner->end);
    if (error != NULL) {
        const char *at = bad != NULL ? bad : scanner->wrong_at;
        error->offset = (size_t)(at - scanner->start);
        error->what = bad != NULL ? "bytes that are not UTF-8" : scanner->wrong;
    }
    return bad != NULL ? LSIG_BAD_UTF8 : LSIG_INVALID_JSON;
}

enum lsig_status lsig_scan_check(struct lsig_span text, struct lsig_scan_error *error)
{
    struct lsig_scanner scanner;
    lsig_scanner_init(&scanner, text);
    (void)lsig_scanner_value(&scanner, NULL);
    return lsig_scanner_finish(&scanner, error);
}

enum lsig_status lsig_scan_check_own(struct lsig_span text, struct lsig_scan_error *error)
{
    struct lsig_scanner scanner;
    lsig_scanner_init(&scanner, text);
    scanner.values_max = UINT_MAX;
    (void)lsig_scanner_value(&scanner, NULL);
    return lsig_scanner_finish(&scanner, error);
}
