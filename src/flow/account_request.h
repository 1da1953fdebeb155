// account_request.h - what the steps of an account request share; inside of flow/account*.c only.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auth/account.h"
#include "auth/account_body.h"
#include "auth/lockout.h"
#include "auth/refresh.h"
#include "auth/token.h"
#include "base/buf.h"
#include "flow/account.h"
#include "flow/account_rates.h"
#include "store/account_store.h"

enum {
    LSIG_ACCOUNT_ANSWER_MAX = 32768, // bytes; two tokens, two names and some words
    LSIG_ACCOUNT_ADDRESS_MAX = 128,
    LSIG_ACCOUNT_DAY_S = 86400,
};

struct lsig_accounts {
    struct lsig_accounts_parts parts;
    struct lsig_lockout *lockout;
    struct lsig_rate_table *rates;
    size_t open; // requests
    bool closed;
};

struct lsig_account_request {
    struct lsig_accounts *accounts;
    void (*on_answer)(void *arg, const struct lsig_account_answer *answer);
    void *arg;
    bool opening;  // lsig_account_open has not returned
    bool answered; // while opening
    bool abandoned;
    bool known; // login, refresh: `account` is filled
    size_t password_len;
    char *password; // wiped
    struct lsig_account account;
    char name[LSIG_EMAIL_SIZE]; // login: as it came, then the account's; guest: the new name
    char address[LSIG_ACCOUNT_ADDRESS_MAX + 1];
    struct lsig_refresh refresh;                          // for the client
    char *access_token;                                   // likewise; wiped
    int64_t issued_at;                                    // of it
    unsigned char shown_digest[LSIG_REFRESH_DIGEST_SIZE]; // refresh: of what came
    struct lsig_logout logout;
    struct lsig_claims claims; // validate, logout
};

// Each of these ends the request: nothing of it may be touched afterwards, save while it is being
// opened. Takes the body over.
void lsig_account_request_answer(struct lsig_account_request *request,
                                 int status,
                                 struct lsig_buf *body,
                                 int64_t retry_after_s);
void lsig_account_request_refuse(struct lsig_account_request *request,
                                 int status,
                                 const char *detail,
                                 int64_t retry_after_s);
void lsig_account_request_fail(struct lsig_account_request *request,
                               enum lsig_status status);              // 503
void lsig_account_request_free(struct lsig_account_request *request); // without an answer
// Whether the next step may be taken; ends the request if not.
bool lsig_account_request_check(struct lsig_account_request *request);

void lsig_account_request_wipe(struct lsig_account_request *request); // the password
int64_t lsig_account_request_now_s(void);
int64_t lsig_account_request_life_s(const struct lsig_accounts *accounts); // of an access token
// An access token; NULL for a name that breaks the rules of tokens (an imported record).
char *lsig_account_request_make_token(const struct lsig_accounts *accounts,
                                      const struct lsig_token_claims *claims);
void lsig_account_request_free_token(char *token); // wipes; NULL is fine

// Makes both tokens of request->account: access_token, refresh and issued_at are set, and in *row
// what the store keeps of them. False as above.
bool lsig_account_request_issue(struct lsig_account_request *request,
                                struct lsig_refresh_token *row);
void lsig_account_request_answer_tokens(struct lsig_account_request *request); // 200 with them
// Refuses with 429 when the address has asked too often; true: it has not.
bool lsig_account_request_take_rate(struct lsig_account_request *request,
                                    enum lsig_account_rate which);

// The first step, with the fields username, email, password. Either writes complaints, or goes on
// with the request or ends it.
void lsig_account_register_begin(struct lsig_account_request *request,
                                 const struct lsig_account_field *fields,
                                 struct lsig_buf *complaints);
void lsig_account_login_begin(struct lsig_account_request *request,
                              const struct lsig_account_field *fields,
                              struct lsig_buf *complaints);
// With the field refresh_token.
void lsig_account_refresh_begin(struct lsig_account_request *request,
                                const struct lsig_account_field *fields,
                                struct lsig_buf *complaints);
void lsig_account_logout_begin(struct lsig_account_request *request,
                               const struct lsig_account_input *input,
                               struct lsig_buf *complaints);
