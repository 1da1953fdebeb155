#include "script/lib_store_ask.h"

#include <stdio.h>
#include <stdlib.h>

#include <lauxlib.h>
#include <lua.h>

#include "base/alloc.h"
#include "base/random.h"
#include "codec/scan.h"
#include "script/await.h"
#include "script/context.h"
#include "script/json_push.h"
#include "script/json_table.h"
#include "script/policy.h"

enum { ERROR_SIZE = 400 };

// A call that the store has taken; freed by its callback.
struct request {
    struct lsig_await *await;
    enum lsig_store_operation operation;
    const char *function;
};

// --- the answer

struct answer {
    enum lsig_store_operation operation;
    enum lsig_status status;
    const struct lsig_document_outcome *outcome;
};

static void push_list(lua_State *L, const struct lsig_document_outcome *outcome)
{
    lua_createtable(L, (int)outcome->count, 0);
    for (size_t i = 0; i < outcome->count; i++) {
        lua_createtable(L, 0, 2);
        lua_pushlstring(L, outcome->documents[i].key.data, outcome->documents[i].key.len);
        lua_setfield(L, -2, "key");
        lsig_json_push(L, outcome->documents[i].json);
        lua_setfield(L, -2, "value");
        lua_rawseti(L, -2, (int)i + 1);
    }
    if (outcome->count == 0) {
        lsig_json_table_mark_array(L);
    }
}

static int push_answer(lua_State *L, void *arg)
{
    const struct answer *answer = arg;
    luaL_checkstack(L, 8, "sig.store");
    switch (answer->operation) {
    case LSIG_STORE_GET:
        if (answer->status == LSIG_OK) {
            lsig_json_push(L, answer->outcome->documents[0].json);
        } else {
            lua_pushnil(L);
        }
        break;
    case LSIG_STORE_PUT:
    case LSIG_STORE_REMOVE:
        lua_pushboolean(L, answer->status == LSIG_OK);
        break;
    case LSIG_STORE_LIST:
        push_list(L, answer->outcome);
        break;
    case LSIG_STORE_COUNT:
    case LSIG_STORE_INCR:
        lua_pushnumber(L, (double)answer->outcome->number);
        break;
    }
    return 1;
}

// Whoever wrote into the database by hand may have left what is no JSON.
static const struct lsig_document *find_damaged(const struct lsig_document_outcome *outcome)
{
    for (size_t i = 0; i < outcome->count; i++) {
        if (lsig_scan_check(outcome->documents[i].json, NULL) != LSIG_OK) {
            return &outcome->documents[i];
        }
    }
    return NULL;
}

static void on_done(void *arg, enum lsig_status status, const struct lsig_document_outcome *outcome)
{
    struct request *request = arg;
    struct answer answer = {request->operation, status, outcome};
    char error[ERROR_SIZE] = "";
    const struct lsig_document *damaged = find_damaged(outcome);
    if (status == LSIG_INTERNAL_ERROR) {
        snprintf(error, sizeof(error), "%s: the database failed: %s", request->function,
                 outcome->error);
    } else if (status == LSIG_TOO_BIG) {
        snprintf(error, sizeof(error), "%s: the counter would be above 2^53", request->function);
    } else if (damaged != NULL) {
        snprintf(error, sizeof(error), "%s: the document of '%.*s' is no JSON: it is damaged",
                 request->function, LSIG_SPAN_ARG(damaged->key));
    }
    lsig_await_finish(request->await, error[0] != '\0' ? error : NULL, push_answer, &answer);
    free(request);
}

// --- asking the store

static void call_store(const struct lsig_document_store *store,
                       const struct lsig_store_question *question,
                       struct lsig_document_call call)
{
    switch (question->operation) {
    case LSIG_STORE_GET:
        store->get(store->self, &question->name, call);
        break;
    case LSIG_STORE_PUT:
        store->put(store->self, &question->name, &question->write, call);
        break;
    case LSIG_STORE_REMOVE:
        store->remove(store->self, &question->name, call);
        break;
    case LSIG_STORE_LIST:
        store->list(store->self, &question->query, call);
        break;
    case LSIG_STORE_COUNT:
        store->count(store->self, &question->name, call);
        break;
    case LSIG_STORE_INCR:
        store->incr(store->self, &question->name, &question->change, call);
        break;
    }
}

int lsig_lib_store_ask(const struct lsig_store_question *question)
{
    lua_State *L = question->L;
    const struct lsig_document_store *store = lsig_policy_of(L)->options->documents;
    if (store == NULL) {
        return lsig_await_refuse(L, "%s: there is no store here", question->function);
    }
    enum lsig_status status = store->ready(store->self);
    if (status != LSIG_OK) {
        return lsig_await_refuse(L,
                                 status == LSIG_BUSY
                                     ? "%s: too many calls wait for the store already"
                                     : "%s: the server is shutting down",
                                 question->function);
    }
    struct lsig_await *await = lsig_await_begin(L, question->function, NULL, NULL);
    if (await == NULL) {
        return lsig_await_refused(L);
    }
    struct request *request = lsig_alloc(sizeof(*request));
    *request = (struct request){await, question->operation, question->function};
    call_store(store, question, (struct lsig_document_call){on_done, request});
    return lsig_await_yield(L);
}

// --- questions about a collection

static const char *missing(lua_State *L)
{
    return lsig_policy_of(L)->options->documents != NULL ? NULL : "there is no store here";
}

static enum lsig_status ready(lua_State *L)
{
    const struct lsig_document_store *store = lsig_policy_of(L)->options->documents;
    return store->ready(store->self);
}

static void ask(lua_State *L, const struct lsig_query_asking *asking, struct lsig_query_call call)
{
    const struct lsig_script_options *options = lsig_policy_of(L)->options;
    struct lsig_document_question question = {
        .query = asking->query,
        .now_ms = lsig_script_now(options).wall_ms,
        .expires_ms = asking->expires_ms,
    };
    lsig_random_fill_hex(options->random, question.key, (sizeof(question.key) - 1) / 2);
    options->documents->ask(options->documents->self, &question, call);
}

const struct lsig_query_side lsig_lib_store_side = {
    .names = {"sig.store:find_one", "sig.store:find", "sig.store:count", "sig.store:insert",
              "sig.store:update", "sig.store:upsert", "sig.store:delete"},
    .example = "local notes = sig.store.notes notes",
    .kind = LSIG_USERDATA_COLLECTION,
    .own = true,
    .missing = missing,
    .ready = ready,
    .ask = ask,
};
