#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/secret.h"

struct place {
    char root[64];
    char data[96];
    char file[128];
};

static int set_up(void **state)
{
    struct place *place = calloc(1, sizeof(*place));
    snprintf(place->root, sizeof(place->root), "/tmp/lsig-secret-XXXXXX");
    assert_non_null(mkdtemp(place->root));
    snprintf(place->data, sizeof(place->data), "%s/data", place->root);
    snprintf(place->file, sizeof(place->file), "%s/jwt-secret", place->data);
    *state = place;
    return 0;
}

static int tear_down(void **state)
{
    struct place *place = *state;
    (void)unlink(place->file);
    (void)rmdir(place->data); // fails, and so does the next, if a file was left behind
    int left = rmdir(place->root);
    free(place);
    return left;
}

static void write_file(const struct place *place, const char *text, mode_t mode)
{
    assert_int_equal(mkdir(place->data, 0700), 0);
    FILE *file = fopen(place->file, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    assert_int_equal(chmod(place->file, mode), 0);
}

static void a_missing_secret_is_made_once_and_private(void **state)
{
    struct place *place = *state;
    struct lsig_secret first;
    assert_int_equal(lsig_secret_open(&first, place->data), LSIG_OK);
    assert_true(first.made);
    assert_false(first.exposed);
    assert_int_equal(strlen(first.text), 64);
    assert_int_equal(strspn(first.text, "0123456789abcdef"), 64);
    struct stat info;
    assert_int_equal(stat(place->file, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_int_equal(stat(place->data, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0700);
    struct lsig_secret second;
    assert_int_equal(lsig_secret_open(&second, place->data), LSIG_OK);
    assert_false(second.made);
    assert_string_equal(first.text, second.text);
    lsig_secret_clear(&first);
    lsig_secret_clear(&second);
    assert_null(first.text);
}

static void what_an_operator_put_there_is_taken(void **state)
{
    struct place *place = *state;
    write_file(place, "a secret that somebody wrote by hand, long\n", 0600);
    struct lsig_secret secret;
    assert_int_equal(lsig_secret_open(&secret, place->data), LSIG_OK);
    assert_string_equal(secret.text, "a secret that somebody wrote by hand, long");
    assert_false(secret.made);
    lsig_secret_clear(&secret);
}

static void a_file_that_others_can_read_is_reported(void **state)
{
    struct place *place = *state;
    write_file(place, "a secret that somebody wrote by hand, long\n", 0644);
    struct lsig_secret secret;
    assert_int_equal(lsig_secret_open(&secret, place->data), LSIG_OK);
    assert_true(secret.exposed);
    lsig_secret_clear(&secret);
}

static void a_file_without_a_secret_is_an_error_that_names_it(void **state)
{
    struct place *place = *state;
    write_file(place, "short\n", 0600);
    struct lsig_secret secret;
    assert_int_equal(lsig_secret_open(&secret, place->data), LSIG_INTERNAL_ERROR);
    assert_null(secret.text);
    assert_non_null(strstr(secret.error, place->file));
    assert_null(strstr(secret.error, "short"));
    lsig_secret_clear(&secret);
}

static void a_folder_that_cannot_be_made_is_an_error_that_names_it(void **state)
{
    struct place *place = *state;
    char deep[160];
    snprintf(deep, sizeof(deep), "%s/no/such", place->root);
    struct lsig_secret secret;
    assert_int_equal(lsig_secret_open(&secret, deep), LSIG_INTERNAL_ERROR);
    assert_non_null(strstr(secret.error, deep));
    lsig_secret_clear(&secret);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_missing_secret_is_made_once_and_private, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_an_operator_put_there_is_taken, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_that_others_can_read_is_reported, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_without_a_secret_is_an_error_that_names_it, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_folder_that_cannot_be_made_is_an_error_that_names_it,
                                        set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
