#include "key_fixture.h"

static const char *refusal_of(const char *secret)
{
    struct lsig_keyring_options options = {.secret = lsig_span_of(secret)};
    const char *what = NULL;
    struct lsig_keyring *ring = lsig_keyring_new(&options, &what);
    assert_true((ring == NULL) == (what != NULL));
    lsig_keyring_free(ring);
    return what;
}

static void a_secret_has_at_least_32_bytes(void **state)
{
    (void)state;
    assert_non_null(refusal_of(NULL));
    assert_non_null(refusal_of(""));
    assert_non_null(refusal_of("0123456789012345678901234567890"));
    assert_null(refusal_of("01234567890123456789012345678901"));
}

static void secrets_that_everybody_knows_are_refused_with_what_to_write(void **state)
{
    (void)state;
    const char *bad[] = {
        "your-super-secure-jwt-secret-key",
        "use-a-strong-randomly-generated-secret-key-here",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A\n-----END PUBLIC KEY-----\n",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        const char *what = refusal_of(bad[i]);
        assert_non_null(what);
        assert_non_null(strstr(what, "openssl rand -hex 32"));
    }
}

static void the_ring_keeps_its_own_copies(void **state)
{
    (void)state;
    char secret[] = "01234567890123456789012345678901";
    struct lsig_keyring_options options = {
        .secret = {secret, 32}, .issuer = "us", .audience = NULL, .leeway_s = 7};
    const char *what = NULL;
    struct lsig_keyring *ring = lsig_keyring_new(&options, &what);
    memset(secret, 'x', 32);
    const struct lsig_key *key = lsig_keyring_signing_key(ring);
    assert_memory_equal(key->bytes, "01234567890123456789012345678901", 32);
    assert_int_equal(key->len, 32);
    assert_int_equal(key->algorithm, LSIG_HS256);
    assert_ptr_equal(lsig_keyring_find(ring, lsig_span_of("\"any\"")), key);
    assert_string_equal(lsig_keyring_issuer(ring), "us");
    assert_string_equal(lsig_keyring_audience(ring), "");
    assert_int_equal(lsig_keyring_leeway_s(ring), 7);
    lsig_keyring_free(ring);
    lsig_keyring_free(NULL);
}

// ---- the keys file ----

static struct lsig_keyring *ring_with(const char *keys_file)
{
    struct lsig_keyring_options options = {.secret = lsig_span_of(SECRET), .keys_file = keys_file};
    const char *what = NULL;
    struct lsig_keyring *ring = lsig_keyring_new(&options, &what);
    assert_non_null(ring);
    return ring;
}

static const struct lsig_key *find(const struct lsig_keyring *ring, const char *kid)
{
    return lsig_keyring_find(ring, lsig_span_of(kid));
}

static enum lsig_status reload(struct lsig_keyring *ring, struct key_folder *folder)
{
    lsig_buf_reset(&folder->notes);
    return lsig_keyring_reload(ring, &folder->notes);
}

static void one_hmac_key(struct key_folder *folder, const char *kid, const char *secret)
{
    char text[512];
    snprintf(text, sizeof(text),
             "{\"keys\":[{\"kid\":\"%s\",\"alg\":\"HS256\",\"secret\":\"%s\"}]}", kid, secret);
    write_file(folder, "keys.json", text);
}

static void without_a_keys_file_the_one_key_is_for_every_kid(void **state)
{
    (void)state;
    struct lsig_keyring *ring = ring_with("");
    struct lsig_buf notes;
    const struct lsig_key *key = lsig_keyring_signing_key(ring);
    lsig_buf_init(&notes, 100);
    assert_int_equal(lsig_keyring_reload(ring, &notes), LSIG_OK);
    assert_int_equal(notes.len, 0);
    assert_ptr_equal(find(ring, NULL), key);
    assert_ptr_equal(find(ring, "\"any\""), key);
    assert_ptr_equal(find(ring, "\"\""), key);
    // RFC 7515 section 4.1.4: it is a string.
    assert_null(find(ring, "7"));
    assert_null(find(ring, "null"));
    assert_null(find(ring, "{}"));
    assert_null(find(ring, "[\"any\"]"));
    lsig_keyring_free(ring);
}

static void with_a_keys_file_a_kid_finds_its_key_or_none(void **state)
{
    (void)state;
    struct key_folder folder;
    open_folder(&folder);
    one_hmac_key(&folder, "a", SECRET_64);
    struct lsig_keyring *ring = ring_with(folder.keys_file);
    assert_null(find(ring, "\"a\"")); // it has not been read
    assert_int_equal(reload(ring, &folder), LSIG_OK);
    assert_int_equal(lsig_keyring_count(ring), 1);
    assert_ptr_equal(find(ring, NULL), lsig_keyring_signing_key(ring));
    const struct lsig_key *key = find(ring, "\"a\"");
    assert_non_null(key);
    assert_ptr_not_equal(key, lsig_keyring_signing_key(ring));
    assert_string_equal(key->kid, "a");
    assert_ptr_equal(find(ring, "\"\\u0061\""), key);
    char longest[260] = "\"";
    memset(longest + 1, 'a', 129);
    strcpy(longest + 130, "\"");
    const char *bad[] = {"\"\"", "\"b\"", "\"A\"",   "\"a \"",       "\"aa\"",   "\"../a\"",
                         "null", "7",     "[\"a\"]", "{\"a\":1}",    "\"a\\n\"", "\"a\\u0020\"",
                         "true", longest, "\"*\"",   "\"/dev/null\""};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (find(ring, bad[i]) != NULL) {
            fail_msg("found: %s", bad[i]);
        }
    }
    lsig_keyring_free(ring);
    close_folder(&folder);
}

static void an_empty_keys_file_is_a_keys_file(void **state)
{
    (void)state;
    struct key_folder folder;
    open_folder(&folder);
    write_file(&folder, "keys.json", "{\"keys\":[]}");
    struct lsig_keyring *ring = ring_with(folder.keys_file);
    assert_int_equal(reload(ring, &folder), LSIG_OK);
    assert_null(find(ring, "\"a\""));
    assert_non_null(find(ring, NULL));
    lsig_keyring_free(ring);
    close_folder(&folder);
}

static void a_reload_exchanges_the_keys_as_a_whole_and_in_place(void **state)
{
    (void)state;
    struct key_folder folder;
    open_folder(&folder);
    one_hmac_key(&folder, "old", SECRET_64);
    struct lsig_keyring *ring = ring_with(folder.keys_file);
    assert_int_equal(reload(ring, &folder), LSIG_OK);
    assert_non_null(find(ring, "\"old\""));
    const struct lsig_key *main_key = lsig_keyring_signing_key(ring);
    one_hmac_key(&folder, "new", SECRET_64);
    assert_int_equal(reload(ring, &folder), LSIG_OK);
    assert_null(find(ring, "\"old\""));
    assert_non_null(find(ring, "\"new\""));
    assert_int_equal(lsig_keyring_count(ring), 1);
    assert_ptr_equal(lsig_keyring_signing_key(ring), main_key);
    assert_ptr_equal(find(ring, NULL), main_key);
    lsig_keyring_free(ring);
    close_folder(&folder);
}

static void a_bad_file_leaves_the_keys_as_they_were_and_says_why(void **state)
{
    (void)state;
    struct key_folder folder;
    open_folder(&folder);
    one_hmac_key(&folder, "old", SECRET_64);
    struct lsig_keyring *ring = ring_with(folder.keys_file);
    assert_int_equal(reload(ring, &folder), LSIG_OK);
    const char *bad[] = {
        "",
        "{\"keys\":[",
        "{\"keys\":[{\"kid\":\"new\",\"alg\":\"HS256\",\"secret\":\"" SECRET_64 "\"},"
        "{\"kid\":\"bad\",\"alg\":\"HS256\",\"secret\":\"short\"}]}",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        write_file(&folder, "keys.json", bad[i]);
        assert_int_equal(reload(ring, &folder), LSIG_INVALID_MESSAGE);
        assert_true(folder.notes.len > 0);
        assert_non_null(find(ring, "\"old\""));
        assert_null(find(ring, "\"new\""));
        assert_int_equal(lsig_keyring_count(ring), 1);
    }
    assert_int_equal(unlink(folder.keys_file), 0);
    assert_int_equal(reload(ring, &folder), LSIG_INVALID_MESSAGE);
    assert_non_null(find(ring, "\"old\""));
    one_hmac_key(&folder, "new", SECRET_64);
    assert_int_equal(reload(ring, &folder), LSIG_OK);
    assert_non_null(find(ring, "\"new\""));
    lsig_keyring_free(ring);
    close_folder(&folder);
}

static void a_named_main_key_is_found_by_its_name_only(void **state)
{
    (void)state;
    const char *what = NULL;
    struct lsig_buf problem;
    lsig_buf_init(&problem, 200);
    struct lsig_key *key = lsig_key_new(LSIG_HS256, lsig_span_of(SECRET), LSIG_KEY_SIGNS, &problem);
    assert_non_null(key);
    strcpy(key->kid, "mine");
    struct lsig_keyring_options options = {.key = key};
    struct lsig_keyring *ring = lsig_keyring_new(&options, &what);
    assert_ptr_equal(lsig_keyring_signing_key(ring), key);
    assert_ptr_equal(find(ring, "\"mine\""), key);
    assert_ptr_equal(find(ring, NULL), key);
    assert_null(find(ring, "\"other\""));
    lsig_keyring_free(ring);
}

static void the_main_secret_is_as_long_as_its_hash(void **state)
{
    (void)state;
    static const size_t least[] = {32, 48, 64};
    for (enum lsig_algorithm a = LSIG_HS256; a <= LSIG_HS512; a++) {
        for (size_t len = 30; len <= 64; len++) {
            struct lsig_keyring_options options = {.secret = {SECRET_64, len}, .algorithm = a};
            const char *what = NULL;
            struct lsig_keyring *ring = lsig_keyring_new(&options, &what);
            assert_true((ring != NULL) == (len >= least[a]));
            assert_true((ring != NULL) == (what == NULL));
            lsig_keyring_free(ring);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_secret_has_at_least_32_bytes),
        cmocka_unit_test(secrets_that_everybody_knows_are_refused_with_what_to_write),
        cmocka_unit_test(the_ring_keeps_its_own_copies),
        cmocka_unit_test(without_a_keys_file_the_one_key_is_for_every_kid),
        cmocka_unit_test(with_a_keys_file_a_kid_finds_its_key_or_none),
        cmocka_unit_test(an_empty_keys_file_is_a_keys_file),
        cmocka_unit_test(a_reload_exchanges_the_keys_as_a_whole_and_in_place),
        cmocka_unit_test(a_bad_file_leaves_the_keys_as_they_were_and_says_why),
        cmocka_unit_test(a_named_main_key_is_found_by_its_name_only),
        cmocka_unit_test(the_main_secret_is_as_long_as_its_hash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
