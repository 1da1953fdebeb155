#include "key_fixture.h"

#include "auth/key_list.h"

struct fixture {
    struct key_folder folder;
    char *rsa; // PEM
    char *weak;
    char *ec;
    char *ec_private;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    EVP_PKEY *rsa = make_rsa(2048);
    EVP_PKEY *weak = make_rsa(1024);
    EVP_PKEY *ec = make_ec("P-256");
    f->rsa = public_pem(rsa);
    f->weak = public_pem(weak);
    f->ec = public_pem(ec);
    f->ec_private = private_pem(ec);
    EVP_PKEY_free(rsa);
    EVP_PKEY_free(weak);
    EVP_PKEY_free(ec);
    open_folder(&f->folder);
    write_file(&f->folder, "rsa.pem", f->rsa);
    write_file(&f->folder, "weak.pem", f->weak);
    write_file(&f->folder, "ec.pem", f->ec);
    write_file(&f->folder, "secret", SECRET_64 "\r\n");
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    close_folder(&f->folder);
    free(f->rsa);
    free(f->weak);
    free(f->ec);
    free(f->ec_private);
    free(f);
    return 0;
}

static enum lsig_status read_text(struct fixture *f, struct lsig_key_list *list, const char *text)
{
    write_file(&f->folder, "keys.json", text);
    lsig_buf_reset(&f->folder.notes);
    enum lsig_status status = lsig_key_list_read(list, f->folder.keys_file, &f->folder.notes);
    assert_int_equal(lsig_buf_status(&f->folder.notes), LSIG_OK);
    if (status != LSIG_OK) {
        assert_int_equal(list->count, 0);
        assert_true(f->folder.notes.len > 0);
    }
    return status;
}

static const char *notes_of(struct fixture *f)
{
    return lsig_buf_span(&f->folder.notes).data;
}

// The notes are exactly these, each line behind the path of the keys file.
static void refused(struct fixture *f, const char *text, const char *expected)
{
    struct lsig_key_list list;
    char wanted[2048];
    if (read_text(f, &list, text) == LSIG_OK) {
        fail_msg("accepted: %s", text);
    }
    snprintf(wanted, sizeof(wanted), "%s: %s\n", f->folder.keys_file, expected);
    assert_string_equal(notes_of(f), wanted);
}

static void keys_come_from_pem_file_and_secret(void **state)
{
    struct fixture *f = *state;
    struct lsig_key_list list;
    char text[8192];
    snprintf(text, sizeof(text),
             " {\"keys\" : [ {\"kid\":\"a\",\"alg\":\"RS256\",\"file\":\"rsa.pem\"},\n"
             "{\"alg\":\"ES256\",\"k\\u0069d\":\"b \\u00e9\",\"pem\":\"%s\"},"
             "{\"kid\":\"c\",\"alg\":\"HS512\",\"secret\":\"" SECRET_64 "\"},"
             "{\"kid\":\"d\",\"alg\":\"HS512\",\"file\":\"%s/secret\"}]} \n",
             escaped(f->ec), f->folder.path);
    assert_int_equal(read_text(f, &list, text), LSIG_OK);
    assert_string_equal(notes_of(f), "");
    assert_int_equal(list.count, 4);
    static const struct {
        const char *kid;
        enum lsig_algorithm algorithm;
    } wanted[] = {
        {"a", LSIG_RS256}, {"b \xc3\xa9", LSIG_ES256}, {"c", LSIG_HS512}, {"d", LSIG_HS512}};
    for (size_t i = 0; i < 4; i++) {
        const struct lsig_key *key = lsig_key_list_find(&list, lsig_span_of(wanted[i].kid));
        assert_non_null(key);
        assert_int_equal(key->algorithm, wanted[i].algorithm);
        assert_true((key->public_key != NULL) == (key->algorithm >= LSIG_RS256));
    }
    // A line break at the end of the file is not of the secret.
    assert_true(lsig_key_is_same(list.keys[2], list.keys[3]));
    assert_null(lsig_key_list_find(&list, lsig_span_of("A")));
    assert_null(lsig_key_list_find(&list, lsig_span_of("")));
    assert_null(lsig_key_list_find(&list, lsig_span_of("a ")));
    lsig_key_list_clear(&list);
    assert_int_equal(list.count, 0);
    assert_int_equal(read_text(f, &list, "{\"keys\":[]}"), LSIG_OK);
    assert_int_equal(list.count, 0);
}

static void an_error_names_file_key_fault_and_cure(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *text;
        const char *note;
    } cases[] = {
        {"{\"keys\":\n[{]}", "line 2 is not JSON: expected a key in double quotes"},
        {"", "line 1 is not JSON: expected a value"},
        {"{\"keys\":[]}}", "line 1 is not JSON: expected nothing more behind the value"},
        {"[]", "it has to hold {\"keys\":[…]} and nothing else"},
        {"null", "it has to hold {\"keys\":[…]} and nothing else"},
        {"{}", "it has to hold {\"keys\":[…]} and nothing else"},
        {"{\"keys\":{}}", "it has to hold {\"keys\":[…]} and nothing else"},
        {"{\"keys\":[],\"keys\":[]}", "it has to hold {\"keys\":[…]} and nothing else"},
        {"{\"keys\":[],\"more\":1}", "it has to hold {\"keys\":[…]} and nothing else"},
        {"{\"keys\":[7]}", "key 1: it is no object: write {\"kid\":…,\"alg\":…,\"file\":…}"},
        {"{\"keys\":[{\"alg\":\"RS256\",\"file\":\"rsa.pem\"}]}",
         "key 1: it has no kid: write the one that its tokens have in their header"},
        {"{\"keys\":[{\"kid\":\"\",\"alg\":\"RS256\",\"file\":\"rsa.pem\"}]}",
         "key 1 (kid \"\"): the kid must have 1 to 128 bytes"},
        {"{\"keys\":[{\"kid\":\"a\\nb\",\"alg\":\"RS256\",\"file\":\"rsa.pem\"}]}",
         "key 1 (kid \"a\\nb\"): the kid has a control character"},
        {"{\"keys\":[{\"kid\":7,\"alg\":\"RS256\",\"file\":\"rsa.pem\"}]}",
         "key 1: `kid` is no string"},
        {"{\"keys\":[{\"kid\":\"a\",\"alg\":\"RS256\",\"file\":\"rsa.pem\"},"
         "{\"kid\":\"\\u0061\",\"alg\":\"ES256\",\"file\":\"ec.pem\"}]}",
         "key 2 (kid \"\\u0061\"): this kid stands at a key before it: give each key its own"},
        {"{\"keys\":[{\"kid\":\"a\",\"file\":\"rsa.pem\"}]}",
         "key 1 (kid \"a\"): it has no alg: write the one that its tokens are signed with"},
        {"{\"keys\":[{\"kid\":\"a\",\"alg\":\"RS265\",\"file\":\"rsa.pem\"}]}",
         "key 1 (kid \"a\"): there is no alg \"RS265\"; did you mean RS256?"},
        {"{\"keys\":[{\"kid\":\"a\",\"alg\":\"none\",\"file\":\"rsa.pem\"}]}",
         "key 1 (kid \"a\"): there is no such alg as none: write one of HS256, HS384, HS512, "
         "RS256, RS384, RS512, ES256, ES384, ES512"},
        {"{\"keys\":[{\"kid\":\"a\",\"alg\":\"" SECRET_64 "\",\"file\":\"rsa.pem\"}]}",
         "key 1 (kid \"a\"): there is no such alg: write one of HS256, HS384, HS512, "
         "RS256, RS384, RS512, ES256, ES384, ES512"},
        {"{\"keys\":[{\"kid\":\"a\",\"alg\":\"RS256\"}]}",
         "key 1 (kid \"a\"): it has no key: for RS256 write either pem or file"},
        {"{\"keys\":[{\"kid\":\"a\",\"alg\":\"RS256\",\"pem\":\"\",\"file\":\"rsa.pem\"}]}",
         "key 1 (kid \"a\"): it has more than one key: for RS256 write either pem or file"},
        {"{\"keys\":[{\"kid\":\"a\",\"alg\":\"HS256\",\"pem\":\"x\"}]}",
         "key 1 (kid \"a\"): what it has is no key for its alg: for HS256 write either secret or "
         "file"},
        {"{\"keys\":[{\"kid\":\"a\",\"alg\":\"ES256\",\"secret\":\"" SECRET_64 "\"}]}",
         "key 1 (kid \"a\"): what it has is no key for its alg: for ES256 write either pem or "
         "file"},
        {"{\"keys\":[{\"kid\":\"a\",\"alg\":\"RS256\",\"File\":\"rsa.pem\"}]}",
         "key 1: there is no member `File`; did you mean file"},
        {"{\"keys\":[{\"kid\":\"a\",\"alg\":\"RS256\",\"certificate\":\"rsa.pem\"}]}",
         "key 1: there is no member `certificate`; a key has kid, alg and one of pem, file, "
         "secret"},
        {"{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"a\",\"alg\":\"RS256\"}]}",
         "key 1: `kty` is of a JWK, which is not read: give the key as pem or file"},
        {"{\"keys\":[{\"kid\":\"a\",\"kid\":\"b\",\"alg\":\"RS256\",\"file\":\"rsa.pem\"}]}",
         "key 1: `kid` stands twice: keep one"},
        {"{\"keys\":[{\"kid\":\"a\",\"alg\":\"HS256\",\"secret\":\"short\"}]}",
         "key 1 (kid \"a\"): the secret is shorter than the 32 bytes of HS256: write one made by "
         "`openssl rand -hex 32`"},
        {"{\"keys\":[{\"kid\":\"a\",\"alg\":\"RS256\",\"pem\":\"hello\"}]}",
         "key 1 (kid \"a\"): this is no PEM text: it has to begin with a line like -----BEGIN "
         "PUBLIC KEY-----"},
        {"{\"keys\":[{\"kid\":\"a\",\"alg\":\"RS256\",\"file\":\"\"}]}",
         "key 1 (kid \"a\"): `file` must be the path of a file"},
        {"{\"keys\":[{\"kid\":\"a\",\"alg\":\"RS256\",\"file\":\"a\\u0001\"}]}",
         "key 1 (kid \"a\"): `file` has a control character: write a path"},
        {"{\"keys\":[{\"kid\":\"a\",\"alg\":\"RS256\",\"file\":\"-----BEGIN PUBLIC KEY-----\"}]}",
         "key 1 (kid \"a\"): `file` holds a PEM text: name it `pem`"},
        {"{\"keys\":[{\"kid\":\"a\",\"alg\":\"RS256\",\"file\":\"/\"}]}",
         "key 1 (kid \"a\"): / is not a file"},
        {"{\"keys\":[{\"kid\":\"a\",\"alg\":\"RS256\",\"file\":\"rsa.pem\"},"
         "{\"kid\":\"b\",\"alg\":\"RS512\",\"file\":\"rsa.pem\"}]}",
         "key 2 (kid \"b\"): it is the same key as that of kid \"a\", which is for RS256: a key is "
         "for one alg only, make another one"},
        {"{\"keys\":[{\"kid\":\"a\",\"alg\":\"HS256\",\"file\":\"secret\"},"
         "{\"kid\":\"b\",\"alg\":\"HS512\",\"file\":\"secret\"}]}",
         "key 2 (kid \"b\"): it is the same key as that of kid \"a\", which is for HS256: a key is "
         "for one alg only, make another one"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        refused(f, cases[i].text, cases[i].note);
    }
}

static void an_error_in_the_file_of_a_key_names_that_file(void **state)
{
    struct fixture *f = *state;
    char note[512];
    snprintf(note, sizeof(note),
             "key 1 (kid \"a\"): %s/nowhere.pem cannot be read: No such file or directory",
             f->folder.path);
    refused(f, "{\"keys\":[{\"kid\":\"a\",\"alg\":\"RS256\",\"file\":\"nowhere.pem\"}]}", note);
    snprintf(note, sizeof(note),
             "key 1 (kid \"a\"): %s/weak.pem: the RSA key has 1024 bits, at least 2048 are needed: "
             "make a new one with `openssl genrsa 2048`",
             f->folder.path);
    refused(f, "{\"keys\":[{\"kid\":\"a\",\"alg\":\"RS256\",\"file\":\"weak.pem\"}]}", note);
    snprintf(note, sizeof(note),
             "key 1 (kid \"a\"): %s/ec.pem: RS256 needs an RSA key and this is none: write the alg "
             "of the key",
             f->folder.path);
    refused(f, "{\"keys\":[{\"kid\":\"a\",\"alg\":\"RS256\",\"file\":\"ec.pem\"}]}", note);
    snprintf(note, sizeof(note),
             "key 1 (kid \"a\"): %s/./ec.pem: the EC key is on the curve prime256v1, ES384 needs "
             "P-384: make a new one with `openssl ecparam -genkey -noout -name secp384r1`",
             f->folder.path);
    refused(f, "{\"keys\":[{\"kid\":\"a\",\"alg\":\"ES384\",\"file\":\"./ec.pem\"}]}", note);
    snprintf(note, sizeof(note),
             "key 1 (kid \"a\"): %s/rsa.pem: the secret is a PEM text, which is no key for HS256, "
             "HS384 and HS512: write one made by `openssl rand -hex 32`",
             f->folder.path);
    refused(f, "{\"keys\":[{\"kid\":\"a\",\"alg\":\"HS256\",\"file\":\"rsa.pem\"}]}", note);
}

static void all_errors_are_told_at_once_and_none_holds_a_key(void **state)
{
    struct fixture *f = *state;
    struct lsig_key_list list;
    char text[8192];
    snprintf(
        text, sizeof(text),
        "{\"keys\":[{\"kid\":\"a\",\"alg\":\"RS256\",\"pem\":\"%s\"},"
        "{\"kid\":\"b\",\"alg\":\"HS512\",\"secret\":\"SecretThatIsTooShortForSixtyFourBytes\"},"
        "{\"kid\":\"c\",\"alg\":\"ES256\",\"file\":\"ec.pem\"},"
        "{\"kid\":\"d\",\"alg\":\"XS256\",\"secret\":\"SecretThatHasNoAlgorithm\"}]}",
        escaped(f->ec_private));
    assert_int_equal(read_text(f, &list, text), LSIG_INVALID_MESSAGE);
    assert_non_null(strstr(notes_of(f), "key 1 (kid \"a\")"));
    assert_non_null(strstr(notes_of(f), "key 2 (kid \"b\")"));
    assert_null(strstr(notes_of(f), "key 3"));
    assert_non_null(strstr(notes_of(f), "key 4 (kid \"d\")"));
    assert_null(strstr(notes_of(f), "SecretThat"));
    assert_null(strstr(notes_of(f), "BEGIN"));
    char line[65] = "";
    memcpy(line, strchr(f->ec_private, '\n') + 1, 40);
    assert_null(strstr(notes_of(f), line));
}

static void a_file_that_is_not_there_or_no_file_is_said(void **state)
{
    struct fixture *f = *state;
    struct lsig_key_list list;
    char path[128];
    char note[256];
    lsig_buf_reset(&f->folder.notes);
    snprintf(path, sizeof(path), "%s/nothing.json", f->folder.path);
    assert_int_equal(lsig_key_list_read(&list, path, &f->folder.notes), LSIG_INVALID_MESSAGE);
    snprintf(note, sizeof(note), "JWT_KEYS_FILE: %s cannot be read: No such file or directory\n",
             path);
    assert_string_equal(notes_of(f), note);
    lsig_buf_reset(&f->folder.notes);
    assert_int_equal(lsig_key_list_read(&list, f->folder.path, &f->folder.notes),
                     LSIG_INVALID_MESSAGE);
    snprintf(note, sizeof(note), "JWT_KEYS_FILE: %s is not a file\n", f->folder.path);
    assert_string_equal(notes_of(f), note);
    // Nobody writes to a FIFO: reading it would hang.
    snprintf(path, sizeof(path), "%s/fifo", f->folder.path);
    assert_int_equal(mkfifo(path, 0600), 0);
    lsig_buf_reset(&f->folder.notes);
    assert_int_equal(lsig_key_list_read(&list, path, &f->folder.notes), LSIG_INVALID_MESSAGE);
    assert_non_null(strstr(notes_of(f), "is not a file"));
}

static void a_file_has_64_keys_and_256_kib_at_most(void **state)
{
    struct fixture *f = *state;
    struct lsig_key_list list;
    char text[20000];
    for (int count = 64; count <= 65; count++) {
        char *end = text + sprintf(text, "{\"keys\":[");
        for (int i = 0; i < count; i++) {
            end += sprintf(end, "%s{\"kid\":\"%d\",\"alg\":\"HS256\",\"secret\":\"%04d%s\"}",
                           i > 0 ? "," : "", i, i, SECRET_64);
        }
        strcpy(end, "]}");
        if (count == 64) {
            assert_int_equal(read_text(f, &list, text), LSIG_OK);
            assert_int_equal(list.count, 64);
            lsig_key_list_clear(&list);
        } else {
            refused(f, text, "there are more than 64 keys: take out those that are not in use");
        }
    }
    for (int extra = 0; extra <= 1; extra++) {
        size_t len = 256 * 1024 + (size_t)extra;
        char *big = malloc(len + 1);
        assert_non_null(big);
        memset(big, ' ', len);
        big[len] = '\0';
        memcpy(big, "{\"keys\":[]}", 11);
        assert_int_equal(read_text(f, &list, big), extra == 0 ? LSIG_OK : LSIG_INVALID_MESSAGE);
        assert_true(extra == 0 || strstr(notes_of(f), "is larger than 262144 bytes") != NULL);
        free(big);
    }
    char *pem = malloc(16 * 1024 + 2);
    memset(pem, 'x', 16 * 1024 + 1);
    pem[16 * 1024 + 1] = '\0';
    write_file(&f->folder, "long.pem", pem);
    free(pem);
    assert_int_equal(
        read_text(f, &list, "{\"keys\":[{\"kid\":\"a\",\"alg\":\"ES256\",\"file\":\"long.pem\"}]}"),
        LSIG_INVALID_MESSAGE);
    assert_non_null(strstr(notes_of(f), "long.pem is larger than 16384 bytes"));
}

static void a_kid_may_have_128_bytes(void **state)
{
    struct fixture *f = *state;
    for (int len = 128; len <= 129; len++) {
        struct lsig_key_list list;
        char text[512];
        char kid[130] = "";
        memset(kid, 'k', (size_t)len);
        snprintf(text, sizeof(text),
                 "{\"keys\":[{\"kid\":\"%s\",\"alg\":\"ES256\",\"file\":\"ec.pem\"}]}", kid);
        assert_int_equal(read_text(f, &list, text), len == 128 ? LSIG_OK : LSIG_INVALID_MESSAGE);
        lsig_key_list_clear(&list);
    }
}

static void the_same_key_may_have_two_names_for_one_algorithm(void **state)
{
    struct fixture *f = *state;
    struct lsig_key_list list;
    assert_int_equal(read_text(f, &list,
                               "{\"keys\":[{\"kid\":\"a\",\"alg\":\"ES256\",\"file\":\"ec.pem\"},"
                               "{\"kid\":\"b\",\"alg\":\"ES256\",\"file\":\"ec.pem\"}]}"),
                     LSIG_OK);
    assert_int_equal(list.count, 2);
    lsig_key_list_clear(&list);
}

static void what_everybody_can_read_or_change_is_a_warning(void **state)
{
    struct fixture *f = *state;
    struct lsig_key_list list;
    char path[128];
    char text[8192];
    char note[1024];
    snprintf(path, sizeof(path), "%s/ec.pem", f->folder.path);
    const char *named = "{\"keys\":[{\"kid\":\"a\",\"alg\":\"ES256\",\"file\":\"ec.pem\"}]}";
    assert_int_equal(chmod(path, 0644), 0); // a public key may be read
    assert_int_equal(read_text(f, &list, named), LSIG_OK);
    assert_string_equal(notes_of(f), "");
    lsig_key_list_clear(&list);
    assert_int_equal(chmod(path, 0602), 0); // and not be changed
    assert_int_equal(read_text(f, &list, named), LSIG_OK);
    snprintf(
        note, sizeof(note),
        "%s: warning: key 1 (kid \"a\"): %s: everybody on this machine can change the file, and "
        "so make tokens: chmod o-w\n",
        f->folder.keys_file, path);
    assert_string_equal(notes_of(f), note);
    lsig_key_list_clear(&list);
    write_file(&f->folder, "ec.pem", f->ec_private);
    assert_int_equal(chmod(path, 0604), 0);
    assert_int_equal(read_text(f, &list, named), LSIG_OK);
    snprintf(note, sizeof(note),
             "%s: warning: key 1 (kid \"a\"): %s: everybody on this machine can read the file, and "
             "it holds a private key or a secret: chmod 600\n",
             f->folder.keys_file, path);
    assert_string_equal(notes_of(f), note);
    lsig_key_list_clear(&list);
    assert_int_equal(chmod(path, 0640), 0);
    snprintf(text, sizeof(text), "{\"keys\":[{\"kid\":\"a\",\"alg\":\"ES256\",\"pem\":\"%s\"}]}",
             escaped(f->ec_private));
    const char *texts[] = {
        text, "{\"keys\":[{\"kid\":\"a\",\"alg\":\"HS256\",\"secret\":\"" SECRET_64 "\"}]}", named};
    for (int i = 0; i < 3; i++) {
        assert_int_equal(read_text(f, &list, texts[i]), LSIG_OK);
        assert_string_equal(notes_of(f), "");
        lsig_key_list_clear(&list);
        assert_int_equal(chmod(f->folder.keys_file, 0644), 0);
        assert_int_equal(lsig_key_list_read(&list, f->folder.keys_file, &f->folder.notes), LSIG_OK);
        assert_true(
            (strstr(notes_of(f), "keys.json: warning: everybody on this machine can read") !=
             NULL) == (i < 2));
        lsig_key_list_clear(&list);
    }
    write_file(&f->folder, "ec.pem", f->ec);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_come_from_pem_file_and_secret),
        cmocka_unit_test(an_error_names_file_key_fault_and_cure),
        cmocka_unit_test(an_error_in_the_file_of_a_key_names_that_file),
        cmocka_unit_test(all_errors_are_told_at_once_and_none_holds_a_key),
        cmocka_unit_test(a_file_that_is_not_there_or_no_file_is_said),
        cmocka_unit_test(a_file_has_64_keys_and_256_kib_at_most),
        cmocka_unit_test(a_kid_may_have_128_bytes),
        cmocka_unit_test(the_same_key_may_have_two_names_for_one_algorithm),
        cmocka_unit_test(what_everybody_can_read_or_change_is_a_warning),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
