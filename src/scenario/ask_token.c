#include "scenario/ask_token.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "codec/json.h"
#include "codec/number.h"
#include "codec/scan.h"
#include "flow/door.h"
#include "scenario/real.h"

enum { NAME_SIZE = 200, TIME_SIZE = 64 };

// The same claims give the same token each time: its `jti` is counted.
static char *
sign(struct lsig_world *world, const struct lsig_keyring *keyring, const struct lsig_claims *claims)
{
    struct lsig_span given = {claims->json, claims->json_len};
    struct lsig_buf json;
    char jti[TIME_SIZE];
    char *token = NULL;
    if (world->stage != NULL) {
        return lsig_real_sign(world, keyring, given);
    }
    snprintf(jti, sizeof(jti), "test-%d", ++world->token_count);
    lsig_buf_init(&json, LSIG_TEST_ARGUMENTS_MAX + 2048);
    lsig_buf_append(&json, given.data, given.len - 1);
    if (lsig_match_member(given, "jti").data == NULL) {
        lsig_json_string(&json, "jti", jti);
    }
    lsig_json_close(&json, '}');
    if (lsig_token_sign(keyring, lsig_buf_span(&json), &token) != LSIG_OK) {
        token = NULL;
    }
    lsig_buf_clear(&json);
    return token;
}

static const struct lsig_keyring *keyring_of(const struct lsig_world *world)
{
    return world->stage != NULL ? world->stage->port->keyring : world->nodes->flow.keyring;
}

char *lsig_ask_make_token(struct lsig_player *player)
{
    struct lsig_claims claims;
    if (player->token != NULL) {
        return lsig_strdup(player->token);
    }
    lsig_ask_make_claims(player, &claims);
    char *token = sign(player->world, keyring_of(player->world), &claims);
    lsig_claims_clear(&claims);
    return token;
}

enum lsig_status lsig_ask_check_token(struct lsig_player *player,
                                      struct lsig_claims *claims,
                                      struct lsig_refusal *refusal)
{
    char *token = lsig_ask_make_token(player);
    enum lsig_status status =
        token == NULL
            ? lsig_refuse_with(refusal, LSIG_TOKEN_INVALID, "no token can be made of these claims")
            : lsig_door_check_token(&player->node->flow, lsig_span_of(token), claims, refusal);
    free(token);
    return status;
}

void lsig_ask_print_auth(const char *token,
                         const struct lsig_resume_request *resume,
                         struct lsig_buf *out)
{
    lsig_json_open(out, NULL, '{');
    lsig_json_string(out, "type", "auth");
    lsig_json_open(out, "payload", '{');
    if (token != NULL) {
        lsig_json_string(out, "token", token);
    }
    if (resume != NULL && resume->token.data != NULL) {
        lsig_json_text(out, "resume", resume->token);
        lsig_json_integer(out, "seq", (int64_t)resume->seq);
    }
    lsig_json_close(out, '}');
    lsig_json_close(out, '}');
}

// --- t:token

// A time before now is written with a minus in front.
static bool read_life(struct lsig_asking *asking, struct lsig_player *bearer)
{
    struct lsig_span value = lsig_ask_option(asking, 0, "expires");
    char text[TIME_SIZE];
    char positive[TIME_SIZE];
    if (value.data == NULL) {
        return true;
    }
    if (lsig_scan_type(value) == LSIG_JSON_NUMBER && lsig_number_real(value) < 0) {
        double ms = lsig_number_real(value) * 1000;
        bearer->life_ms = ms > -1e13 ? (int64_t)ms : -(int64_t)1e13;
        return true;
    }
    lsig_match_text(value, text, sizeof(text));
    if (text[0] != '-') {
        return lsig_ask_read_time(asking, value, &bearer->life_ms);
    }
    snprintf(positive, sizeof(positive), "\"%.*s\"", (int)sizeof(positive) - 3, text + 1);
    if (!lsig_ask_read_time(asking, lsig_span_of(positive), &bearer->life_ms)) {
        return false;
    }
    bearer->life_ms = -bearer->life_ms;
    return true;
}

static bool read_user(struct lsig_asking *asking, char out[NAME_SIZE])
{
    struct lsig_span value = lsig_ask_option(asking, 0, "user");
    snprintf(out, NAME_SIZE, "%s", asking->player != NULL ? asking->player->user : "");
    if (value.data != NULL) {
        lsig_match_text(value, out, NAME_SIZE);
    }
    return out[0] != '\0' ||
           lsig_ask_fail(asking, "whose token? t:token { user = \"ann\", expires = \"1h\" }");
}

// Somebody else's key: nobody here has it.
static char *sign_with_other_key(struct lsig_world *world, const struct lsig_claims *claims)
{
    const char *what = NULL;
    struct lsig_keyring_options options = {
        .secret = lsig_span_of("of another server, which this one does not know"),
    };
    struct lsig_keyring *keyring = lsig_keyring_new(&options, &what);
    assert(keyring != NULL);
    char *token = sign(world, keyring, claims);
    lsig_keyring_free(keyring);
    return token;
}

static bool read_key(struct lsig_asking *asking, bool *other)
{
    struct lsig_span value = lsig_ask_option(asking, 0, "key");
    *other = value.data != NULL && lsig_span_is(value, "\"other\"");
    return value.data == NULL || *other ||
           lsig_ask_fail(asking, "key is \"other\" (a key that the server does not have), or left "
                                 "out");
}

// Of the options at 0; the caller frees. NULL: failed.
static char *make_token(struct lsig_asking *asking, struct lsig_player *bearer)
{
    struct lsig_claims claims;
    bool other;
    if (!read_life(asking, bearer) || !read_key(asking, &other)) {
        return NULL;
    }
    lsig_ask_make_claims(bearer, &claims);
    char *token = other ? sign_with_other_key(asking->world, &claims)
                        : sign(asking->world, keyring_of(asking->world), &claims);
    lsig_claims_clear(&claims);
    if (token == NULL) {
        lsig_ask_fail(asking, "no token can be made of these claims");
    }
    return token;
}

// Whom a token is made for: as the player is now, but for what the options say.
static struct lsig_player *make_bearer(struct lsig_asking *asking, const char *user)
{
    struct lsig_player *bearer = lsig_player_new(asking->world, user);
    struct lsig_span claims = lsig_ask_option(asking, 0, "claims");
    if (claims.data != NULL && lsig_scan_type(claims) == LSIG_JSON_OBJECT) {
        bearer->claims = lsig_strndup(claims.data, claims.len);
    } else {
        bearer->claims = lsig_strdup(asking->player != NULL ? asking->player->claims : "{}");
    }
    bearer->life_ms = asking->player != NULL ? asking->player->life_ms
                                             : asking->world->settings->jwt_access_minutes * 60000;
    return bearer;
}

bool lsig_ask_token(struct lsig_asking *asking)
{
    static const char *const known[] = {"user", "claims", "expires", "key"};
    char user[NAME_SIZE];
    if (!lsig_ask_check_options(asking, 0, known, sizeof(known) / sizeof(known[0])) ||
        !read_user(asking, user)) {
        return false;
    }
    struct lsig_player *bearer = make_bearer(asking, user);
    char *token = make_token(asking, bearer);
    if (token != NULL) {
        lsig_json_string(asking->answer, NULL, token);
    }
    free(token);
    lsig_player_free(bearer);
    return token != NULL;
}

// --- refreshes

// The client's next tokens are like this one.
static void take_over(struct lsig_player *player, struct lsig_player *bearer)
{
    char *claims = player->claims;
    player->claims = bearer->claims;
    bearer->claims = claims;
    player->life_ms = bearer->life_ms;
    free(player->token);
    player->token = NULL;
}

bool lsig_ask_refreshes(struct lsig_asking *asking)
{
    static const char *const known[] = {"claims", "expires", "key"};
    struct lsig_buf frame;
    if (!lsig_ask_check_options(asking, 0, known, sizeof(known) / sizeof(known[0])) ||
        !lsig_ask_check_connected(asking)) {
        return false;
    }
    struct lsig_player *bearer = make_bearer(asking, asking->player->user);
    char *token = make_token(asking, bearer);
    bool fine = token != NULL;
    lsig_buf_init(&frame, 2 * LSIG_TOKEN_MAX + LSIG_TEST_ARGUMENTS_MAX);
    if (fine) {
        lsig_ask_print_auth(token, NULL, &frame);
        fine = lsig_ask_send_frame(asking, lsig_buf_span(&frame));
        take_over(asking->player, bearer);
    }
    lsig_buf_clear(&frame);
    free(token);
    lsig_player_free(bearer);
    return fine;
}
