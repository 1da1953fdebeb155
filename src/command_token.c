#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/key_file.h"
#include "auth/keyring.h"
#include "auth/secret.h"
#include "auth/token.h"
#include "base/clock.h"
#include "command.h"

enum {
    MINUTES_MAX = 525600,            // a year
    INPUT_MAX = LSIG_TOKEN_MAX + 64, // bytes, with white space around the token
    NOTES_MAX = 64 * 1024,           // bytes
};

// What --key, --alg and --kid say; NULL: not given.
struct signer {
    const char *file;
    const char *algorithm;
    const char *kid;
};

// The keyring of the settings with this main key: the signer's, or (NULL) JWT_SECRET_KEY, or the
// development secret where that is not set. NULL: told, *status is the exit status.
static struct lsig_keyring *
open_keyring(const struct lsig_settings *settings, struct lsig_key *key, int *status)
{
    struct lsig_secret secret = {0};
    const char *text = settings->jwt_secret_key;
    if (text[0] == '\0' && key == NULL) {
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
    struct lsig_keyring_options options = {
        .secret = lsig_span_of(text),
        .key = key,
        .keys_file = settings->jwt_keys_file,
        .issuer = settings->jwt_issuer,
        .audience = settings->jwt_audience,
        .leeway_s = settings->jwt_leeway_s,
    };
    bool known = lsig_algorithm_find(lsig_span_of(settings->jwt_algorithm), &options.algorithm);
    assert(known);
    const char *what = NULL;
    struct lsig_keyring *keyring = lsig_keyring_new(&options, &what);
    lsig_secret_clear(&secret);
    if (keyring == NULL) {
        fprintf(stderr, "lunasig token: JWT_SECRET_KEY: %s\n", what);
        *status = LSIG_EXIT_USAGE;
    }
    return keyring;
}

static int wrong_usage(const char *what)
{
    fprintf(stderr, "lunasig token: %s\nSee: lunasig token --help\n", what);
    return LSIG_EXIT_USAGE;
}

// The key of --key, --alg and --kid. NULL: told, *status is the exit status.
static struct lsig_key *open_signer(const struct signer *signer, int *status)
{
    enum lsig_algorithm algorithm;
    *status = LSIG_EXIT_USAGE;
    if (signer->file == NULL || signer->algorithm == NULL || signer->kid == NULL) {
        wrong_usage("--key FILE, --alg NAME and --kid ID go together");
        return NULL;
    }
    if (!lsig_algorithm_find(lsig_span_of(signer->algorithm), &algorithm)) {
        wrong_usage("--alg must be one of HS256, HS384, HS512, RS256, RS384, RS512, ES256, ES384, "
                    "ES512");
        return NULL;
    }
    size_t len = strlen(signer->kid);
    if (len == 0 || len > LSIG_KEY_KID_MAX) {
        wrong_usage("--kid must have 1 to 128 bytes");
        return NULL;
    }
    struct lsig_buf warning;
    struct lsig_buf problem;
    lsig_buf_init(&warning, NOTES_MAX);
    lsig_buf_init(&problem, NOTES_MAX);
    struct lsig_key *key =
        lsig_key_file_open(signer->file, algorithm, LSIG_KEY_SIGNS, &warning, &problem);
    if (warning.len > 0) {
        fprintf(stderr, "lunasig token: warning: %s: %s\n", signer->file, warning.data);
    }
    if (key == NULL) {
        fprintf(stderr, "lunasig token: --key: %s\n", problem.data);
    } else {
        memcpy(key->kid, signer->kid, len + 1);
    }
    lsig_buf_clear(&warning);
    lsig_buf_clear(&problem);
    return key;
}

// A private key whose halves do not fit makes tokens that nobody takes: said here, not there.
static bool holds(const struct lsig_keyring *keyring, const char *token, int64_t now_s)
{
    struct lsig_claims claims;
    struct lsig_refusal refusal;
    enum lsig_status status =
        lsig_token_check(keyring, lsig_span_of(token), now_s, &claims, &refusal);
    lsig_claims_clear(&claims);
    if (status != LSIG_OK) {
        fprintf(stderr, "lunasig token: the key makes no good token: %s\n", refusal.message);
    }
    return status == LSIG_OK;
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
                "and braces, --kid UTF-8\n",
                LSIG_TOKEN_NAME_MAX);
        return LSIG_EXIT_USAGE;
    }
    if (!holds(keyring, token, now_s)) {
        free(token);
        return LSIG_EXIT_USAGE;
    }
    bool fine = puts(token) >= 0 && fflush(stdout) == 0;
    explicit_bzero(token, strlen(token));
    free(token);
    return fine ? LSIG_EXIT_OK : LSIG_EXIT_FAILED;
}

static int make(const struct lsig_settings *settings,
                const char *user,
                const char *minutes_text,
                const struct signer *signer)
{
    int64_t minutes = settings->jwt_access_minutes;
    if (user == NULL) {
        return wrong_usage("make needs --user NAME");
    }
    if (minutes_text != NULL) {
        char *end;
        minutes = strtol(minutes_text, &end, 10);
        if (end == minutes_text || *end != '\0' || minutes < 1 || minutes > MINUTES_MAX) {
            return wrong_usage("--minutes must be a whole number from 1 to 525600");
        }
    }
    int status = LSIG_EXIT_OK;
    struct lsig_key *key = NULL;
    if (signer->file != NULL || signer->algorithm != NULL || signer->kid != NULL) {
        key = open_signer(signer, &status);
        if (key == NULL) {
            return status;
        }
    }
    struct lsig_keyring *keyring = open_keyring(settings, key, &status);
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
    // Beside the claims, so that the output stays JSON.
    if (claims.kid[0] != '\0') {
        fprintf(stderr, "key: kid %s (%s)\n", claims.kid, lsig_algorithm_name(claims.algorithm));
    } else {
        fprintf(stderr, "key: JWT_SECRET_KEY (%s)\n", lsig_algorithm_name(claims.algorithm));
    }
    bool fine = printf("%.*s\n", (int)claims.json_len, claims.json) >= 0 && fflush(stdout) == 0;
    lsig_claims_clear(&claims);
    return fine ? LSIG_EXIT_OK : LSIG_EXIT_FAILED;
}

// Reads JWT_KEYS_FILE and tells what is to say about it.
static bool load_keys(struct lsig_keyring *keyring)
{
    struct lsig_buf notes;
    lsig_buf_init(&notes, NOTES_MAX);
    bool fine = lsig_keyring_reload(keyring, &notes) == LSIG_OK;
    fputs(lsig_buf_span(&notes).data, stderr);
    lsig_buf_clear(&notes);
    return fine;
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
    struct lsig_keyring *keyring = open_keyring(settings, NULL, &status);
    if (keyring != NULL && !load_keys(keyring)) {
        status = LSIG_EXIT_START;
    } else if (keyring != NULL) {
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
    struct signer signer = {NULL, NULL, NULL};
    const struct lsig_command_flag flags[] = {
        {.name = "--data", .key = "DATA_DIR"},
        {.name = "--user", .letter = "-u", .value = &user},
        {.name = "--minutes", .letter = "-m", .value = &minutes},
        {.name = "--key", .value = &signer.file},
        {.name = "--alg", .value = &signer.algorithm},
        {.name = "--kid", .value = &signer.kid},
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
    if (!lsig_command_parse(command, flags, is_check ? 1 : 6, rest, &line, &status)) {
        return status;
    }
    if (!is_make && !is_check) {
        fputs("lunasig token: write make or check\nSee: lunasig token --help\n", stderr);
        return LSIG_EXIT_USAGE;
    }
    if (lsig_command_load(&line, &settings)) {
        status = is_make ? make(&settings, user, minutes, &signer) : check(&settings);
    }
    lsig_settings_clear(&settings);
    return status;
}

const struct lsig_command lsig_command_token = {
    .name = "token",
    .summary = "Make an access token, or check one",
    .help =
        "Usage: lunasig token make --user NAME [--minutes N] [--data DIR] [-c FILE]\n"
        "                          [--key FILE --alg NAME --kid ID]\n"
        "       lunasig token check [--data DIR] [-c FILE]\n\n"
        "make prints an access token for NAME. check reads a token from standard input and prints "
        "its\n"
        "claims as JSON, or why it is refused, and beside it which key has verified it. Both use\n"
        "JWT_SECRET_KEY, or the secret for development that lies in the data folder (and is made "
        "there\n"
        "if it is missing); check uses JWT_KEYS_FILE, too; make signs with the key of --key if it "
        "is\n"
        "given.\n\n"
        "  -u, --user NAME    whose token it is (claim sub)\n"
        "  -m, --minutes N    its life; default JWT_ACCESS_TOKEN_EXPIRE_MINUTES\n"
        "      --key FILE     sign with this private key (PEM; for HS a secret)\n"
        "      --alg NAME     the algorithm of that key: HS, RS or ES with 256, 384 or 512\n"
        "      --kid ID       its name, as in JWT_KEYS_FILE\n"
        "      --data DIR     folder of secrets made here (DATA_DIR)\n"
        "  -c, --config FILE  read settings from FILE, and not from ./.sbd and ./.env\n\n"
        "Exit status: 0 fine; 1 the token is refused; 2 the command line or a setting is wrong;\n"
        "3 the data folder or JWT_KEYS_FILE cannot be used.\n",
    .run = token,
};
