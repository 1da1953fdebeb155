#include "flow/introduce.h"

#include <assert.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "flow/door.h"
#include "flow/line.h"
#include "flow/observer.h"
#include "script/request.h"
#include "script/request_copy.h"

enum { TOKEN_TEXT_MAX = 256 };

struct lsig_introduction {
    struct lsig_claims claims; // a copy
    struct lsig_resume_request request;
    char token[TOKEN_TEXT_MAX]; // request.token points here
    lsig_introduce_done done;
};

static void introduction_free(struct lsig_introduction *introduction)
{
    lsig_claims_clear(&introduction->claims);
    explicit_bzero(introduction->token, sizeof(introduction->token));
    free(introduction);
}

static void forget_request(struct lsig_client *client)
{
    lsig_request_free(client->request);
    client->request = NULL;
}

static void keep(struct lsig_client *client,
                 const struct lsig_claims *claims,
                 const struct lsig_resume_request *request,
                 lsig_introduce_done done)
{
    struct lsig_introduction *introduction = lsig_alloc(sizeof(*introduction));
    introduction->claims = *claims;
    introduction->claims.json = lsig_strndup(claims->json, claims->json_len);
    introduction->request = *request;
    if (request->token.data != NULL) {
        // One that is too long is none of ours, and stays that.
        size_t len = request->token.len < TOKEN_TEXT_MAX ? request->token.len : 0;
        memcpy(introduction->token, request->token.data, len);
        introduction->request.token = (struct lsig_span){introduction->token, len};
    }
    introduction->done = done;
    client->introduction = introduction;
}

static void refuse(struct lsig_client *client,
                   const struct lsig_claims *claims,
                   const struct lsig_refusal *refusal)
{
    struct lsig_refusal own = *refusal;
    if (own.close_code == 0) {
        own.close_code = lsig_status_close_code(LSIG_TOKEN_INVALID);
    }
    lsig_door_give_place(client->flow, lsig_span_of(claims->sub));
    lsig_observe(client->flow, &(struct lsig_event){.kind = LSIG_EVENT_REFUSED,
                                                    .room = client->room,
                                                    .user = lsig_span_of(claims->sub),
                                                    .connection = &client->connection,
                                                    .type = lsig_span_of("auth"),
                                                    .refusal = &own});
    lsig_line_refuse(client, &own);
}

static void on_auth_hooks_done(void *arg, enum lsig_status status, struct lsig_hook_result *result)
{
    struct lsig_client *client = arg;
    struct lsig_introduction *introduction = client->introduction;
    assert(introduction != NULL);
    client->run = NULL;
    client->introduction = NULL;
    forget_request(client);
    if (client->state == LSIG_CLIENT_CLOSING) {
        lsig_door_give_place(client->flow, lsig_span_of(introduction->claims.sub));
    } else if (status != LSIG_OK) {
        refuse(client, &introduction->claims, &result->refusal);
    } else {
        introduction->done(client, &introduction->claims, &introduction->request);
    }
    introduction_free(introduction);
    if (client->flow != NULL) { // it may have given its socket to one that resumes
        lsig_line_resume(client);
    }
}

void lsig_introduce(struct lsig_client *client,
                    const struct lsig_claims *claims,
                    const struct lsig_resume_request *request,
                    lsig_introduce_done done)
{
    struct lsig_flow *flow = client->flow;
    if (!lsig_script_has_hooks(flow->script, LSIG_HOOK_AUTH)) {
        forget_request(client);
        done(client, claims, request);
        return;
    }
    if (client->request != NULL) {
        client->request->claims = claims->json;
    }
    struct lsig_hook_event event = {.kind = LSIG_HOOK_AUTH,
                                    .room = client->room,
                                    .request = client->request,
                                    .json = {claims->json, claims->json_len}};
    struct lsig_hook_result result;
    lsig_hook_result_init(&result);
    client->state = LSIG_CLIENT_JOINING;
    client->deadline_s = claims->exp + flow->settings->jwt_leeway_s;
    enum lsig_status status =
        lsig_script_call(flow->script, &event, &result, on_auth_hooks_done, client, &client->run);
    if (status == LSIG_WAITING) {
        keep(client, claims, request, done);
        if (client->request != NULL) {
            client->request->claims = client->introduction->claims.json;
        }
    } else {
        client->run = NULL;
        forget_request(client);
        if (status == LSIG_OK) {
            done(client, claims, request);
        } else {
            refuse(client, claims, &result.refusal);
        }
    }
    lsig_hook_result_clear(&result);
}

void lsig_introduce_forget(struct lsig_client *client)
{
    forget_request(client);
    if (client->introduction != NULL) {
        lsig_door_give_place(client->flow, lsig_span_of(client->introduction->claims.sub));
        introduction_free(client->introduction);
        client->introduction = NULL;
    }
}
