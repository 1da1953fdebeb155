// account.h - the line that an account request walks: register, login, guest, validate, refresh,
// logout.
//
// Joins auth/ (rules, tokens, passwords) and store/ (records). Knows no sockets: bytes come in, a
// status and a JSON text go out through one callback, and net writes them. Everything runs on the
// loop's thread.
//
//   register  rules -> hash -> create -> access token
//   login     find -> lockout -> compare (a dummy for unknown names) -> record -> access token and
//             refresh token
//   guest     name -> access token of one hour
//   validate  token -> find -> what is known of its bearer
//   refresh   refresh token -> find -> state of the account -> rotate -> both tokens anew
//   confirm   token -> find, if the account has a say in it -> its claims
//   logout    access token -> kept as revoked, with its family -> sockets ended
#pragma once

#include <stdint.h>

#include "auth/keyring.h"
#include "auth/password.h"
#include "base/metrics.h"
#include "base/span.h"
#include "codec/settings.h"
#include "store/account_store.h"

enum {
    LSIG_ACCOUNT_BODY_MAX = 16384, // bytes of a request's body; net answers 413 above it
    LSIG_ACCOUNT_GUEST_S = 3600,   // life of a guest's token
};

// All of them outlive the struct.
struct lsig_accounts_parts {
    const struct lsig_settings *settings;
    const struct lsig_keyring *keyring;
    struct lsig_flow *flow; // with `revoke`: what is revoked, and whose sockets end with it
    struct lsig_passwords *passwords;
    struct lsig_account_store store;
};

struct lsig_accounts;

struct lsig_accounts *lsig_accounts_new(const struct lsig_accounts_parts *parts);
// The server shuts down: new requests, and the next step of those that are under way, are answered
// 503. Order of a shutdown: lsig_accounts_close, lsig_passwords_free, the store's free and its
// on_freed, lsig_accounts_free.
void lsig_accounts_close(struct lsig_accounts *accounts);
void lsig_accounts_free(
    struct lsig_accounts *accounts); // no request may be under way (asserted); NULL is fine

enum lsig_account_action {
    LSIG_ACCOUNT_REGISTER, // POST /auth/register
    LSIG_ACCOUNT_LOGIN,    // POST /auth/login
    LSIG_ACCOUNT_GUEST,    // POST /auth/guest
    LSIG_ACCOUNT_VALIDATE, // GET /auth/validate-token
    LSIG_ACCOUNT_REFRESH,  // POST /auth/refresh
    LSIG_ACCOUNT_LOGOUT,   // POST /auth/logout
    LSIG_ACCOUNT_CONFIRM,  // for another request with a Bearer: 200 with claims and no body, or 401
};

// Valid until open returns.
struct lsig_account_input {
    enum lsig_account_action action;
    struct lsig_span
        content_type; // application/json (also when missing) or application/x-www-form-urlencoded
    struct lsig_span body;    // validate: not looked at
    struct lsig_span token;   // validate, logout, confirm: the bearer's token, not missing
    struct lsig_span address; // of the client, as text: lockout and rates count by it
};

// Valid during the callback. Answers hold secrets: send them with Cache-Control: no-store, and
// never log them.
struct lsig_account_answer {
    int status;                       // HTTP
    struct lsig_span body;            // JSON
    int64_t retry_after_s;            // Retry-After; 0: none
    const struct lsig_claims *claims; // confirm: of the token, with status 200; else NULL
};

struct lsig_account_request;

// Begins a request. NULL: on_answer has been called already, before this returned. Else a handle
// that is good until on_answer is called, or until lsig_account_abandon. on_answer is called
// exactly once, unless abandoned.
//
// Statuses:
//   200
//   400  register: a weak password, a name or e-mail that is taken, a reserved name (guest_…);
//        guest: a name that is taken
//   401  login: unknown name or wrong password, whatever the state of the account: nobody learns of
//        it without the password; refresh: a token that is unknown, used or too old, or an account
//        that is not active, locked, not verified where it has to be, or has another token_version;
//        logout, confirm: a token that is not good (any more)
//   403  login: five failures of a name from an address (Retry-After; the right password is refused
//        too); with the right password an account that is not active, is locked (locked_until,
//        Retry-After) or, with AUTH_REQUIRE_VERIFIED, is not verified; register: AUTH_REGISTRATION
//        is off
//   404  guest: GUESTS is off
//   422  the shape of the body, or a content type that is neither JSON (also when missing) nor, for
//        login, a form
//   429  with Retry-After: register, guest, refresh, too often from one address (account_rates.h)
//   503  with Retry-After: the queue of hashes or of the store is full, the database failed, as
//        much is revoked as can be remembered, or the server shuts down; nothing was changed
// A refresh token that is used a second time ends its family: every later refresh token of that
// login, and every access token that was given out with one of them (LSIG_REFRESH_USED_MAX), with
// the sockets that these opened. Logout does the same to the family of its access token, and to the
// one of the refresh token in its body.
// With AUTH_REQUIRE_VERIFIED on, register answers access_token, issued_at and expires_at null: the
// account cannot be used yet.
struct lsig_account_request *
lsig_account_open(struct lsig_accounts *accounts,
                  const struct lsig_account_input *input,
                  void (*on_answer)(void *arg, const struct lsig_account_answer *answer),
                  void *arg);
// The client has gone: no callback; what is under way ends by itself and frees the request.
void lsig_account_abandon(struct lsig_account_request *request);
