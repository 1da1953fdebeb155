#include "command_describe_core.h"

#include <stdio.h>
#include <string.h>

#include "codec/json.h"

// JSON with ' in place of ".
static void
add(struct lsig_buf *buf, const char *name, const char *text, const char *behind, const char *more)
{
    struct lsig_buf json;
    lsig_buf_init(&json, 1 << 16);
    const char *const parts[] = {text, behind, more};
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        for (const char *at = parts[i]; *at != '\0'; at++) {
            lsig_buf_append(&json, *at == '\'' ? "\"" : at, 1);
        }
    }
    lsig_json_raw(buf, name, lsig_buf_span(&json));
    lsig_buf_clear(&json);
}

#define TEXT "{'type':'string'}"
#define NUMBER "{'type':'integer'}"
#define FLAG "{'type':'boolean'}"
#define OBJECT(required, properties)                                                               \
    "{'type':'object','required':[" required "],'properties':{" properties "}}"
#define JSON_OF(schema) "'content':{'application/json':{'schema':" schema "}}"
#define ANSWER(schema) "'responses':{'200':{'description':'It is done.'," JSON_OF(schema) "}"
#define BODY(schema) "'requestBody':{'required':true," JSON_OF(schema) "},"
#define REFUSAL(status) ",'" status "':{'$ref':'#/components/responses/" status "'}"
#define OPEN "'security':[],"
#define ALWAYS REFUSAL("429") REFUSAL("503") "}}"

#define TOKENS                                                                                     \
    OBJECT("'access_token','refresh_token','token_type','expires_in','refresh_expires_in',"        \
           "'issued_at','expires_at','is_verified','role','username','email'",                     \
           "'access_token':" TEXT ",'refresh_token':" TEXT ",'token_type':{'const':'bearer'},"     \
           "'expires_in':" NUMBER ",'refresh_expires_in':" NUMBER ",'issued_at':" NUMBER           \
           ",'expires_at':" NUMBER ",'is_verified':" FLAG ",'role':" TEXT ",'username':" TEXT      \
           ",'email':" TEXT)
#define STATUS OBJECT("'status'", "'status':" TEXT)
#define READY ANSWER(STATUS) REFUSAL("503") "}}"

static const struct {
    const char *path;
    const char *method;
    const char *head; // the operation, up to its responses
    const char *responses;
} operations[] = {
    {"/", "get",
     "{'operationId':'root','summary':'The page, or for who wants JSON what this is.'," OPEN,
     "'responses':{'200':{'description':'The page.','content':{'text/html':{},"
     "'application/json':{'schema':" OBJECT(
         "'message','version','status'",
         "'message':" TEXT ",'version':" TEXT
         ",'status':{'const':'running'}") "}}}" REFUSAL("429") "}}"},
    {"/auth/guest", "post",
     "{'operationId':'guest','summary':'A token of an hour for somebody without an account; where "
     "GUESTS is on.'," OPEN BODY(OBJECT("'name'", "'name':{'type':'string','minLength':1}")),
     ANSWER(OBJECT("'access_token','token_type','expires_in','issued_at','expires_at','username'",
                   "'access_token':" TEXT ",'token_type':{'const':'bearer'},'expires_in':" NUMBER
                   ",'issued_at':" NUMBER ",'expires_at':" NUMBER ",'username':" TEXT))
         REFUSAL("404") REFUSAL("413") REFUSAL("422") ALWAYS},
    {"/auth/login", "post",
     "{'operationId':'login','summary':'Tokens for a name or e-mail and a password.'," OPEN
     "'requestBody':{'required':true,'content':{'application/"
     "json':{'schema':{'type':'object','required':['password'],'properties':{'username':" TEXT
     ",'email':" TEXT ",'password':" TEXT "},"
     "'anyOf':[{'required':['username']},{'required':['email']}]}},"
     "'application/x-www-form-urlencoded':{'schema':" OBJECT(
         "'username','password'", "'username':" TEXT ",'password':" TEXT) "}}},",
     ANSWER(TOKENS) REFUSAL("401") REFUSAL("403") REFUSAL("413") REFUSAL("422") ALWAYS},
    {"/auth/logout", "post",
     "{'operationId':'logout','summary':'Ends the token everywhere, and the refresh tokens that "
     "came with it.',",
     ANSWER(OBJECT("'success'", "'success':{'const':true}")) REFUSAL("401") REFUSAL("413") ALWAYS},
    {"/auth/refresh", "post",
     "{'operationId':'refresh','summary':'New tokens for a refresh token, which is used up by "
     "that.'," OPEN BODY(OBJECT("'refresh_token'", "'refresh_token':" TEXT)),
     ANSWER(TOKENS) REFUSAL("401") REFUSAL("403") REFUSAL("413") REFUSAL("422") ALWAYS},
    {"/auth/register", "post",
     "{'operationId':'register','summary':'An account, and a token for it; where AUTH_REGISTRATION "
     "is on.'," OPEN BODY(
         OBJECT("'username','email','password'",
                "'username':{'type':'string','pattern':'^[A-Za-z0-9_-]{3,50}$'},'email':{'type':'"
                "string','format':'email'},'password':{'type':'string','minLength':8}")),
     ANSWER(OBJECT("'access_token','token_type','issued_at','expires_at','is_verified'",
                   "'access_token':" TEXT ",'token_type':{'const':'bearer'},'issued_at':" NUMBER
                   ",'expires_at':" NUMBER ",'is_verified':" FLAG
                   ",'two_fa_enabled':{'const':false},'client_side_encryption':{'const':false}"))
         REFUSAL("400") REFUSAL("403") REFUSAL("413") REFUSAL("422") ALWAYS},
    {"/auth/validate-token", "get",
     "{'operationId':'validate_token','summary':'What the token says; one that is not good is told "
     "so, with status 200.',",
     ANSWER(OBJECT("'token'",
                   "'token':{'enum':['valid','invalid']},'reason':" TEXT ",'username':" TEXT
                   ",'email':{'type':['string','null']},'role':{'type':['string','null']},'is_"
                   "verified':{'type':['boolean','null']},'issued_at':" NUMBER
                   ",'expires_at':" NUMBER)) REFUSAL("401") ALWAYS},
    {"/health", "get",
     "{'operationId':'health','summary':'Whether the server and what it leans on are well.'," OPEN,
     ANSWER(OBJECT("'status','database','redis','api'",
                   "'status':" TEXT ",'database':" TEXT ",'redis':" TEXT ",'api':" TEXT))
         REFUSAL("503") "}}"},
    {"/healthz", "get", "{'operationId':'healthz','summary':'The same.'," OPEN,
     ANSWER(OBJECT("'status','database','redis','api'",
                   "'status':" TEXT ",'database':" TEXT ",'redis':" TEXT ",'api':" TEXT))
         REFUSAL("503") "}}"},
    {"/live", "get", "{'operationId':'live','summary':'The process answers.'," OPEN, READY},
    {"/metrics", "get", "{'operationId':'metrics','summary':'Figures for Prometheus.'," OPEN,
     "'responses':{'200':{'description':'Text exposition format.','content':{'text/plain':{}}}}}"},
    {"/ready", "get",
     "{'operationId':'ready','summary':'Clients may come: it does not stop, and its database "
     "answers.'," OPEN,
     READY},
    {"/readyz", "get", "{'operationId':'readyz','summary':'The same.'," OPEN, READY},
    {"/webrtc/config", "get",
     "{'operationId':'webrtc_config','summary':'What an RTCPeerConnection is made with.',",
     ANSWER(OBJECT("'ice_servers','ice_transport_policy','bundle_policy','rtcp_mux_policy'",
                   "'ice_servers':{'type':'array','items':" OBJECT(
                       "'urls'",
                       "'urls':{'type':'array','items':" TEXT "},'username':" TEXT
                       ",'credential':" TEXT) "},"
                                              "'ice_transport_policy':" TEXT
                                              ",'bundle_policy':" TEXT ",'rtcp_mux_policy':" TEXT))
         REFUSAL("401") ALWAYS},
    {"/webrtc/ticket", "post",
     "{'operationId':'ticket','summary':'Stands in for the token in one WebSocket URL, for 30 "
     "seconds.',"
     "'requestBody':{'required':false," JSON_OF(
         "{'type':'object','properties':{'room_id':{'type':'string','description':'Good for this "
         "room alone.'}}}") "},",
     ANSWER(OBJECT("'ticket','expires_in'", "'ticket':" TEXT ",'expires_in':" NUMBER))
         REFUSAL("401") REFUSAL("413") REFUSAL("422") ALWAYS},
};

void lsig_describe_core_paths(struct lsig_buf *buf)
{
    for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
        lsig_json_open(buf, operations[i].path, '{');
        add(buf, operations[i].method, operations[i].head, "'tags':['lunasig'],",
            operations[i].responses);
        lsig_json_close(buf, '}');
    }
}

#define DETAIL                                                                                     \
    OBJECT("'detail'",                                                                             \
           "'detail':" TEXT ",'code':{'type':'string','description':'Of a policy.'},'details':{}")
#define COMPLAINTS                                                                                 \
    OBJECT("'detail'",                                                                             \
           "'detail':{'anyOf':[" TEXT ",{'type':'array','items':" OBJECT(                          \
               "'type','loc','msg','input'",                                                       \
               "'type':" TEXT                                                                      \
               ",'loc':{'type':'array','items':{'type':['string','integer']}},'msg':" TEXT         \
               ",'input':{}") "}]}")

static const struct {
    const char *status;
    const char *description;
    const char *rest;
} responses[] = {
    {"400", "The room id is none, or what is asked for makes no sense.", "'," JSON_OF(DETAIL) "}"},
    {"401", "There is no token, or it is not good.",
     "',"
     "'headers':{'WWW-Authenticate':{'schema':" TEXT "}}," JSON_OF(DETAIL) "}"},
    {"403", "Not for this user.", "'," JSON_OF(DETAIL) "}"},
    {"404", "There is no such thing.", "'," JSON_OF(DETAIL) "}"},
    {"409", "It is allowed, and does not fit how things stand: a bound is reached.",
     "'," JSON_OF(DETAIL) "}"},
    {"413", "The body is too large.", "'," JSON_OF(DETAIL) "}"},
    {"422", "The query or the body has not its shape; which part is told.",
     "'," JSON_OF(COMPLAINTS) "}"},
    {"429", "Too many requests; Retry-After says when to come again.",
     "',"
     "'headers':{'Retry-After':{'schema':" NUMBER "}}," JSON_OF(DETAIL) "}"},
    {"503", "Not now: the server stops, is too busy, or its database is away.",
     "'," JSON_OF("{'type':'object'}") "}"},
};

void lsig_describe_core_components(struct lsig_buf *buf)
{
    add(buf, "securitySchemes", "{'bearer':{'type':'http','scheme':'bearer','bearerFormat':'JWT'}}",
        "", "");
    lsig_json_open(buf, "responses", '{');
    for (size_t i = 0; i < sizeof(responses) / sizeof(responses[0]); i++) {
        add(buf, responses[i].status, "{'description':'", responses[i].description,
            responses[i].rest);
    }
    lsig_json_close(buf, '}');
}

void lsig_describe_core_schemas(struct lsig_buf *buf)
{
    static const char *const schemas[][2] = {
        {"id", "{'type':'integer','minimum':1,'description':'From a lunasig.v1 client: rises "
               "within the session; `ack` names it.'}"},
        {"sender_id", "{'type':'string','description':'From the server: the user who sends it.'}"},
        {"sender_peer_id",
         "{'type':'string','description':'From the server: the connection that sends it.'}"},
        {"seq", "{'type':'integer','minimum':1,'description':'From the server, in lunasig.v1: "
                "rises by one; a resume names the last one.'}"},
        {"target_id", "{'type':'string','minLength':1,'maxLength':128,'description':'A user, or in "
                      "lunasig.v1 a peer_id; without one everybody.'}"},
        {"timestamp", "{'type':'string','description':'From the server: ISO 8601.'}"},
    };
    for (size_t i = 0; i < sizeof(schemas) / sizeof(schemas[0]); i++) {
        add(buf, schemas[i][0], schemas[i][1], "", "");
    }
}
