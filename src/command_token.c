#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/keyring.h"
#include "auth/secret.h"
#include "auth/token.h"
#include "base/clock.h"
#include "command.h"

enum {
    MINUTES_MAX = 525600,
    INPUT_MAX = LSIG_TOKEN_MAX + 64
}; // a year; bytes, with white space around the token

// The keyring of the settings, with the development secret where no key is set. NULL: told, *status
// is the exit status.
static struct lsig_keyring *open_keyring(const struct lsig_settings *settings, int *status)
{
    struct lsig_secret secret = {0};
    const char *text = settings->jwt_secret_key;
    if (text[0] == '\0') {
        if (lsig_secret_open(&secret, settings->data_dir) != LSIG_OK) {
            fprintf(stderr, "lunasig token: %s\n", secret.error);
            lsig_secret_clear(&secret);
            *status = LSIG_EXIT_START;
            return NULL;
        }
        text = secret.text;
        if (secret.made) {
            fprintf(stderr, "JWT_SECRET_KEY is not set: a secret for development was made in %s\n",
                    settings->data_dir);
        }
    }
    const struct lsig_keyring_options options = {
        .secret = lsig_span_of(text),
        .issuer = settings->jwt_issuer,
        .audience = settings->jwt_audience,
        .leeway_s = settings->jwt_leeway_s,
    };
    const char *what = NULL;
    struct lsig_keyring *keyring = lsig_keyring_new(&options, &what);
    lsig_secret_clear(&secret);
    if (keyring == NULL) {
        fprintf(stderr, "lunasig token: %s\n", what);
        *status = LSIG_EXIT_USAGE;
    }
    return keyring;
}

static int print_token(const struct lsig_keyring *keyring, const char *user, int64_t minutes)
{
    int64_t now_s = lsig_clock_now().wall_ms / 1000;
    const struct lsig_token_claims claims = {
        .sub = user,
        .iat = now_s,
        .exp = now_s + minutes * 60,
        .token_version = -1,
    };
    char *token = NULL;
    if (lsig_token_make(keyring, &claims, &token) != LSIG_OK) {
        fprintf(stderr,
                "lunasig token: --user must have 1 to %d bytes of UTF-8 without control characters "
                "and braces\n",
                LSIG_TOKEN_NAME_MAX);
        return LSIG_EXIT_USAGE;
    }
    bool fine = puts(token) >= 0 && fflush(stdout) == 0;
    explicit_bzero(token, strlen(token));
    free(token);
    return fine ? LSIG_EXIT_OK : LSIG_EXIT_FAILED;
}

static int make(const struct lsig_settings *settings, const char *user, const char *minutes_text)
{
    int64_t minutes = settings->jwt_access_minutes;
    if (user == NULL) {
        fputs("lunasig token: make needs --user NAME\nSee: lunasig token --help\n", stderr);
        return LSIG_EXIT_USAGE;
    }
    if (minutes_text != NULL) {
        char *end;
        minutes = strtol(minutes_text, &end, 10);
        if (end == minutes_text || *end != '\0' || minutes < 1 || minutes > MINUTES_MAX) {
            fprintf(stderr,
                    "lunasig token: --minutes must be a whole number from 1 to %d\nSee: lunasig "
                    "token --help\n",
                    MINUTES_MAX);
            return LSIG_EXIT_USAGE;
        }
    }
    int status = LSIG_EXIT_OK;
    struct lsig_keyring *keyring = open_keyring(settings, &status);
    if (keyring != NULL) {
        status = print_token(keyring, user, minutes);
    }
    lsig_keyring_free(keyring);
    return status;
}

static struct lsig_span trim(struct lsig_span text)
{
    static const char blanks[] = " \t\r\n";
    while (text.len > 0 && strchr(blanks, text.data[0]) != NULL) {
        text.data++;
        text.len--;
    }
    while (text.len > 0 && strchr(blanks, text.data[text.len - 1]) != NULL) {
        text.len--;
    }
    return text;
}

static int print_claims(const struct lsig_keyring *keyring, struct lsig_span token)
{
    struct lsig_claims claims = {0};
    struct lsig_refusal refusal = {0};
    if (lsig_token_check(keyring, token, lsig_clock_now().wall_ms / 1000, &claims, &refusal) !=
        LSIG_OK) {
        fprintf(stderr, "refused: %s: %s\n", refusal.code, refusal.message);
        return LSIG_EXIT_FAILED;
    }
    bool fine = printf("%.*s\n", (int)claims.json_len, claims.json) >= 0 && fflush(stdout) == 0;
    lsig_claims_clear(&claims);
    return fine ? LSIG_EXIT_OK : LSIG_EXIT_FAILED;
}

static int check(const struct lsig_settings *settings)
{
    char input[INPUT_MAX];
    size_t len = fread(input, 1, sizeof(input), stdin);
    struct lsig_span token = trim((struct lsig_span){input, len});
    if (token.len == 0) {
        fputs("lunasig token: check reads the token from standard input, and there is none\n",
              stderr);
        return LSIG_EXIT_USAGE;
    }
    int status = LSIG_EXIT_OK;
    struct lsig_keyring *keyring = open_keyring(settings, &status);
    if (keyring != NULL) {
        status = print_claims(keyring, token);
    }
    lsig_keyring_free(keyring);
    explicit_bzero(input, sizeof(input));
    return status;
}

static int token(const struct lsig_command *command, int argc, char **argv)
{
    static const char *const verbs[] = {"make", "check"};
    const char *user = NULL;
    const char *minutes = NULL;
    const struct lsig_command_flag flags[] = {
        {.name = "--data", .key = "DATA_DIR"},
        {.name = "--user", .letter = "-u", .value = &user},
        {.name = "--minutes", .letter = "-m", .value = &minutes},
    };
    bool is_make = argc > 1 && strcmp(argv[1], "make") == 0;
    bool is_check = argc > 1 && strcmp(argv[1], "check") == 0;
    if (argc > 1 && !is_make && !is_check && argv[1][0] != '-') {
        return lsig_command_unknown(command, "command", argv[1], verbs, 2);
    }
    struct lsig_command_line line;
    struct lsig_settings settings = {0};
    int status = LSIG_EXIT_USAGE;
    char **rest = argv + (is_make || is_check ? 1 : 0);
    if (!lsig_command_parse(command, flags, is_check ? 1 : 3, rest, &line, &status)) {
        return status;
    }
    if (!is_make && !is_check) {
        fputs("lunasig token: write make or check\nSee: lunasig token --help\n", stderr);
        return LSIG_EXIT_USAGE;
    }
    if (lsig_command_load(&line, &settings)) {
        status = is_make ? make(&settings, user, minutes) : check(&settings);
    }
    lsig_settings_clear(&settings);
    return status;
}

const struct lsig_command lsig_command_token = {
    .name = "token",
    .summary = "Make an access token, or check one",
    .help =
        "Usage: lunasig token make --user NAME [--minutes N] [--data DIR] [-c FILE]\n"
        "       lunasig token check [--data DIR] [-c FILE]\n\n"
        "make prints an access token for NAME. check reads a token from standard input and prints "
        "its\n"
        "claims as JSON, or why it is refused. Both use JWT_SECRET_KEY, or the secret for "
        "development\n"
        "that lies in the data folder (and is made there if it is missing).\n\n"
        "  -u, --user NAME    whose token it is (claim sub)\n"
        "  -m, --minutes N    its life; default JWT_ACCESS_TOKEN_EXPIRE_MINUTES\n"
        "      --data DIR     folder of secrets made here (DATA_DIR)\n"
        "  -c, --config FILE  read settings from FILE, and not from ./.sbd and ./.env\n\n"
        "Exit status: 0 fine; 1 the token is refused; 2 the command line or a setting is wrong;\n"
        "3 the data folder cannot be used.\n",
    .run = token,
};
