#include "auth/account.h"

#include <stddef.h>
#include <string.h>

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_name_character(char c)
{
    return is_upper(c) || is_lower(c) || is_digit(c) || c == '_' || c == '-';
}

static void copy_lower(char *out, struct lsig_span text)
{
    for (size_t i = 0; i < text.len; i++) {
        out[i] = text.data[i];
        if (is_upper(out[i])) {
            out[i] = (char)(out[i] - 'A' + 'a');
        }
    }
    out[text.len] = '\0';
}

bool lsig_account_parse_username(char out[LSIG_USERNAME_SIZE], struct lsig_span text)
{
    if (text.len < LSIG_USERNAME_MIN || text.len > LSIG_USERNAME_MAX) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        if (!is_name_character(text.data[i])) {
            return false;
        }
    }
    copy_lower(out, text);
    return true;
}

// Labels of letters, digits and inner hyphens, at least two of them.
static bool is_domain(struct lsig_span domain)
{
    size_t label = 0;
    size_t dots = 0;
    for (size_t i = 0; i < domain.len; i++) {
        char c = domain.data[i];
        if (c == '.') {
            if (label == 0 || domain.data[i - 1] == '-') {
                return false;
            }
            label = 0;
            dots++;
        } else if (c == '_' || !is_name_character(c) || (c == '-' && label == 0)) {
            return false;
        } else {
            label++;
        }
    }
    return dots > 0 && label > 0 && domain.data[domain.len - 1] != '-';
}

bool lsig_account_parse_email(char out[LSIG_EMAIL_SIZE], struct lsig_span text)
{
    if (text.len == 0 || text.len > LSIG_EMAIL_MAX) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (c <= ' ' || c > '~' || strchr("()<>[],;:\\\"", c) != NULL) {
            return false;
        }
    }
    const char *at = memchr(text.data, '@', text.len);
    if (at == NULL || at == text.data) {
        return false;
    }
    size_t local_len = (size_t)(at - text.data);
    struct lsig_span domain = {at + 1, text.len - local_len - 1};
    if (!is_domain(domain)) { // a second @ is no part of a domain
        return false;
    }
    copy_lower(out, text);
    return true;
}

const char *lsig_account_check_password(struct lsig_span password)
{
    if (password.len < LSIG_PASSWORD_MIN) {
        return "Password must have at least 8 characters";
    }
    if (password.len > LSIG_PASSWORD_MAX) {
        return "Password must have at most 72 bytes";
    }
    bool upper = false;
    bool lower = false;
    bool digit = false;
    bool symbol = false;
    for (size_t i = 0; i < password.len; i++) {
        char c = password.data[i];
        if (c == '\0') {
            return "Password must not contain a NUL character";
        }
        upper = upper || is_upper(c);
        lower = lower || is_lower(c);
        digit = digit || is_digit(c);
        bool plain = is_upper(c) || is_lower(c) || is_digit(c);
        symbol = symbol || (!plain && ((unsigned char)c > ' ' && c != 0x7f));
    }
    if (!upper || !lower || !digit || !symbol) {
        return "Password must have an upper-case and a lower-case letter, a digit and a symbol";
    }
    return NULL;
}

bool lsig_account_is_reserved(const char *username)
{
    return strncmp(username, "guest_", 6) == 0;
}

static struct lsig_span trim(struct lsig_span text)
{
    while (text.len > 0 && (unsigned char)text.data[0] <= ' ') {
        text.data++;
        text.len--;
    }
    while (text.len > 0 && (unsigned char)text.data[text.len - 1] <= ' ') {
        text.len--;
    }
    return text;
}

bool lsig_account_print_guest(char out[LSIG_GUEST_SIZE], struct lsig_span text)
{
    struct lsig_span name = trim(text);
    if (name.len == 0) {
        return false;
    }
    memcpy(out, "guest_", 6);
    size_t len = 6;
    for (size_t i = 0; i < name.len && len < 6 + LSIG_GUEST_NAME_MAX; i++) {
        char c = name.data[i];
        if (((unsigned char)c & 0xc0) == 0x80) {
            continue; // the rest of a character that has its `_` already
        }
        if (!is_name_character(c)) {
            c = '_';
        }
        out[len++] = c;
    }
    out[len] = '\0';
    return true;
}
