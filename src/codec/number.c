#include "codec/number.h"

#include <stdlib.h>

#include "base/alloc.h"

enum {
    INTEGER_DIGITS_SAFE = 18,  // any so many digits fit in 64 bits
    REAL_DIGITS_SAFE = 308,    // 10 to this power is still a double
    EXPONENT_MAX = 1000000000, // larger ones are cut: no text is long enough to make up for it
};

// 2^1024 - 2^970: the smallest number that rounds to infinity. It is whole and has REAL_DIGITS_SAFE
// + 1 digits.
static const char real_limit[] = "17976931348623158079372897140530341507993413271003782693617377898"
                                 "0444968292764750946649017977587"
                                 "20709633028641669288791094655554785194040263065748867150582068190"
                                 "8902000708383676273854845817711"
                                 "53176447573027006985557136695962284291481986083493647529271907416"
                                 "8444365510704342711559699508093"
                                 "042880177904174497792";

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static const char *skip_digits(const char *at, const char *end)
{
    while (at < end && is_digit(*at)) {
        at++;
    }
    return at;
}

// The parts of a number: digits before the point, digits behind it, exponent.
struct parts {
    bool negative;
    struct lsig_span whole;
    struct lsig_span fraction;
    struct lsig_span exponent; // digits only; data NULL: none
    bool exponent_negative;
};

// What is wrong, or NULL; *at moves behind what was read.
static const char *read_parts(const char **at, const char *end, struct parts *parts)
{
    const char *p = *at;
    *parts = (struct parts){0};
    if (*p == '-') {
        parts->negative = true;
        p++;
    }
    const char *first = p;
    p = p < end && *p == '0' ? p + 1 : skip_digits(p, end);
    parts->whole = (struct lsig_span){first, (size_t)(p - first)};
    *at = p;
    if (parts->whole.len == 0) {
        return "expected a digit";
    }
    if (p < end && *first == '0' && is_digit(*p)) {
        return "a number does not start with 0";
    }
    if (p < end && *p == '.') {
        first = p + 1;
        p = skip_digits(first, end);
        parts->fraction = (struct lsig_span){first, (size_t)(p - first)};
        *at = p;
        if (p == first) {
            return "expected a digit";
        }
    }
    if (p < end && (*p == 'e' || *p == 'E')) {
        p++;
        if (p < end && (*p == '+' || *p == '-')) {
            parts->exponent_negative = *p == '-';
            p++;
        }
        first = p;
        p = skip_digits(first, end);
        parts->exponent = (struct lsig_span){first, (size_t)(p - first)};
        *at = p;
        if (p == first) {
            return "expected a digit";
        }
    }
    return NULL;
}

static bool integer_fits(const struct parts *parts)
{
    if (parts->whole.len != INTEGER_DIGITS_SAFE + 1) {
        return parts->whole.len <= INTEGER_DIGITS_SAFE;
    }
    const char *limit = parts->negative ? "9223372036854775808" : "9223372036854775807";
    return memcmp(parts->whole.data, limit, parts->whole.len) <= 0;
}

static int64_t read_exponent(const struct parts *parts)
{
    int64_t exponent = 0;
    for (size_t i = 0; i < parts->exponent.len; i++) {
        exponent = exponent * 10 + (parts->exponent.data[i] - '0');
        if (exponent > EXPONENT_MAX) {
            exponent = EXPONENT_MAX;
        }
    }
    return parts->exponent_negative ? -exponent : exponent;
}

// Exact and without strtod, which would want a copy: only the digits near the limit have to be
// compared.
static bool real_fits(const struct parts *parts)
{
    if (parts->exponent.data == NULL && parts->whole.len <= REAL_DIGITS_SAFE) {
        return true;
    }
    size_t digits = parts->whole.len + parts->fraction.len;
    size_t first = 0; // the first digit that counts
    while (first < digits &&
           (first < parts->whole.len ? parts->whole.data[first]
                                     : parts->fraction.data[first - parts->whole.len]) == '0') {
        first++;
    }
    if (first == digits) {
        return true;
    }
    int64_t power = (int64_t)parts->whole.len - 1 - (int64_t)first + read_exponent(parts);
    if (power != REAL_DIGITS_SAFE) {
        return power < REAL_DIGITS_SAFE;
    }
    for (size_t i = 0; i < sizeof(real_limit) - 1; i++) {
        size_t from = first + i;
        char digit = '0';
        if (from < parts->whole.len) {
            digit = parts->whole.data[from];
        } else if (from < digits) {
            digit = parts->fraction.data[from - parts->whole.len];
        }
        if (digit != real_limit[i]) {
            return digit < real_limit[i];
        }
    }
    return false;
}

const char *lsig_number_scan(const char *at, const char *end, struct lsig_span *number)
{
    struct parts parts;
    const char *from = at;
    const char *wrong = read_parts(&at, end, &parts);
    *number = (struct lsig_span){from, (size_t)(at - from)};
    if (wrong != NULL) {
        return wrong;
    }
    bool real = parts.fraction.data != NULL || parts.exponent.data != NULL;
    if (real ? real_fits(&parts) : integer_fits(&parts)) {
        return NULL;
    }
    number->len = 0;
    return real ? "a number that no double can hold" : "a number that 64 bits cannot hold";
}

double lsig_number_real(struct lsig_span number)
{
    char small[64];
    if (number.len < sizeof(small)) {
        memcpy(small, number.data, number.len);
        small[number.len] = '\0';
        return strtod(small, NULL);
    }
    char *copy = lsig_strndup(number.data, number.len);
    double value = strtod(copy, NULL);
    free(copy);
    return value;
}

bool lsig_number_integer(struct lsig_span number, int64_t *value)
{
    bool negative = number.len > 0 && number.data[0] == '-';
    if (number.len - negative > INTEGER_DIGITS_SAFE + 1) {
        return false; // more digits can only be those of a real
    }
    int64_t result = 0;
    for (size_t i = negative ? 1 : 0; i < number.len; i++) {
        if (!is_digit(number.data[i])) {
            return false;
        }
        // Downwards, where there is room for one more than upwards; the scanner has seen that it
        // fits.
        result = result * 10 - (number.data[i] - '0');
    }
    *value = negative ? result : -result;
    return true;
}
