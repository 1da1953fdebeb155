// account_fixture.h - what the tests of flow/account share: a loop, a store in a temporary folder,
// and requests put to both.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

#include "auth/token.h"
#include "codec/scan.h"
#include "flow/account.h"
#include "flow/revoke.h"
#include "store/sqlite_store.h"

#define PASSWORD "SecurePass123!"
#define WRONG "{\"username\":\"ann\",\"password\":\"WrongPass123!\"}"
#define ANN "{\"username\":\"Ann\",\"email\":\"Ann@Example.org\",\"password\":\"" PASSWORD "\"}"

enum { DEADLINE_MS = 60000, COST = 4 };

struct fixture {
    char data[64];
    uv_loop_t loop;
    uv_timer_t deadline;
    struct lsig_metrics metrics;
    struct lsig_settings settings;
    struct lsig_keyring *keyring;
    struct lsig_passwords *passwords;
    struct lsig_sqlite_store *store;
    struct lsig_accounts *accounts;
    struct lsig_flow flow; // without clients
    bool store_freed;
    // The last answer.
    int answers;
    int status;
    int64_t retry_after_s;
    char body[16384];
    int by_status[600];
};

int set_up(void **state);
void shut_down(struct fixture *fixture);
int tear_down(void **state);
struct lsig_account_request *open_from(struct fixture *fixture,
                                       enum lsig_account_action action,
                                       const char *content_type,
                                       const char *body,
                                       const char *address);
int ask_from(struct fixture *fixture,
             enum lsig_account_action action,
             const char *content_type,
             const char *body,
             const char *address);
int ask(struct fixture *fixture, enum lsig_account_action action, const char *body);
struct lsig_account_request *open_with(struct fixture *fixture,
                                       enum lsig_account_action action,
                                       const char *token,
                                       const char *body);
int log_out(struct fixture *fixture, const char *token, const char *body);
int refresh(struct fixture *fixture, const char *token);
int log_in(struct fixture *fixture, const char *name, const char *password);
void body_has(struct fixture *fixture, const char *text);
void body_is(struct fixture *fixture, const char *text);
void keys_are(struct fixture *fixture, const char *expected);
const char *member(struct fixture *fixture, const char *name);
struct lsig_claims claims_of(struct fixture *fixture);
// All of it is closed and opened again, on the same files.
void restart(struct fixture *fixture);
int64_t query(struct fixture *fixture, const char *sql); // its first value; -1 where there is none
void import(struct fixture *fixture, struct lsig_account account);
