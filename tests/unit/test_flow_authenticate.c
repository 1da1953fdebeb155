#include "test_flow_fixture.h"

static void send_auth(struct fixture *f, struct peer *peer, const char *user, int64_t life_s)
{
    char *token = fixture_token(f, user, life_s);
    char *text = NULL;
    assert_true(
        asprintf(&text, "{\"type\":\"auth\",\"payload\":{\"token\":\"%s\"},\"id\":9}", token) > 0);
    fixture_frame(peer, text);
    free(text);
    free(token);
}

static void a_minute_before_the_end_v1_is_told_once(void **state)
{
    struct fixture *f = *state;
    struct peer *ann = fixture_join(f, "ann", LSIG_V1);
    struct peer *bob = fixture_join(f, "bob", LSIG_COMPAT);
    fixture_forget_all(f);
    fixture_pass(f, (LIFE_S - 61) * 1000);
    lsig_attend_check_time(&ann->client);
    assert_heard(ann, "");
    fixture_pass(f, 1000);
    for (int i = 0; i < 3; i++) {
        lsig_attend_check_time(&ann->client);
        lsig_attend_check_time(&bob->client);
    }
    assert_heard(ann, "token-expiring(null)");
    assert_heard(bob, "");
    char wanted[64];
    snprintf(wanted, sizeof(wanted), "{\"expires_at\":%lld}",
             (long long)(f->now.wall_ms / 1000 + 60));
    assert_has(fixture_last(ann, "token-expiring"), wanted);
}

static void a_fresh_token_moves_the_end(void **state)
{
    struct fixture *f = *state;
    struct peer *ann = fixture_join(f, "ann", LSIG_V1);
    fixture_pass(f, (LIFE_S - 10) * 1000);
    lsig_attend_check_time(&ann->client);
    fixture_forget_all(f);
    send_auth(f, ann, "ann", 120);
    assert_heard(ann, "token-refreshed(null) ack(9)");
    char wanted[64];
    snprintf(wanted, sizeof(wanted), "{\"expires_at\":%lld}",
             (long long)(f->now.wall_ms / 1000 + 120));
    assert_has(fixture_last(ann, "token-refreshed"), wanted);
    fixture_pass(f, 50 * 1000);
    lsig_attend_check_time(&ann->client);
    assert_heard(ann, "");
    fixture_pass(f, 10 * 1000); // a minute before the new end
    lsig_attend_check_time(&ann->client);
    assert_heard(ann, "token-expiring(null)");
    fixture_pass(f, 90 * 1000);
    lsig_attend_check_time(&ann->client);
    assert_heard(ann, "error(TOKEN_EXPIRED)");
    assert_int_equal(ann->close_code, 4401);
}

static void a_bad_token_or_one_of_another_user_changes_nothing(void **state)
{
    struct fixture *f = *state;
    struct peer *ann = fixture_join(f, "ann", LSIG_V1);
    fixture_forget_all(f);
    int64_t deadline_s = ann->client.deadline_s;
    send_auth(f, ann, "bob", 9000);
    assert_heard(ann, "error(TOKEN_INVALID)");
    assert_has(fixture_last(ann, "error"), "\"id\":9");
    send_auth(f, ann, "ann", -100);
    assert_heard(ann, "error(TOKEN_EXPIRED)");
    fixture_frame(ann, "{\"type\":\"auth\",\"payload\":{\"token\":7}}");
    assert_heard(ann, "error(TOKEN_INVALID)");
    fixture_frame(ann, "{\"type\":\"auth\",\"payload\":{}}");
    assert_heard(ann, "error(TOKEN_INVALID)");
    assert_int_equal(ann->close_code, 0);
    assert_int_equal(ann->client.deadline_s, deadline_s);
}

static void compat_knows_neither_auth_nor_ping(void **state)
{
    struct fixture *f = *state;
    struct peer *ann = fixture_join(f, "ann", LSIG_COMPAT);
    fixture_forget_all(f);
    fixture_frame(ann, "{\"type\":\"ping\",\"payload\":{}}");
    send_auth(f, ann, "ann", 100);
    assert_heard(ann, "error(UNKNOWN_TYPE) error(UNKNOWN_TYPE)");
}

static void a_ping_is_answered_with_its_payload(void **state)
{
    struct fixture *f = *state;
    struct peer *ann = fixture_join(f, "ann", LSIG_V1);
    struct peer *bob = fixture_join(f, "bob", LSIG_V1);
    fixture_forget_all(f);
    fixture_frame(ann, "{\"type\":\"ping\",\"payload\":{\"at\":5}}");
    assert_heard(ann, "pong(null)");
    assert_has(fixture_last(ann, "pong"), "\"payload\":{\"at\":5}");
    assert_heard(bob, "");
    for (int i = 0; i < 200; i++) {
        fixture_frame(ann, "{\"type\":\"ping\",\"payload\":{}}");
    }
    assert_has(fixture_last(ann, "error"), "RATE_LIMIT_EXCEEDED"); // as every other message
}

static void accepted_messages_are_acknowledged_and_refused_ones_named(void **state)
{
    struct fixture *f = *state;
    struct peer *ann = fixture_join(f, "ann", LSIG_V1);
    struct peer *bob = fixture_join(f, "bob", LSIG_V1);
    fixture_forget_all(f);
    fixture_frame(ann, "{\"type\":\"say\",\"payload\":{\"n\":1},\"id\":4}");
    assert_heard(ann, "ack(4)");
    assert_heard(bob, "say(ann 1)");
    assert_has_not(fixture_last(bob, "say"), "\"id\"");
    fixture_frame(bob, "{\"type\":\"boss\",\"payload\":{\"n\":1},\"id\":7}");
    assert_heard(bob, "error(PERMISSION_DENIED)");
    assert_has(fixture_last(bob, "error"), "\"id\":7");
    assert_int_equal(bob->client.last_id, 0);
    fixture_frame(bob, "{\"type\":\"say\",\"payload\":{\"n\":2},\"id\":7}"); // not accepted before
    assert_heard(ann, "say(bob 2)");
}

static void a_message_that_comes_again_is_acknowledged_and_not_relayed(void **state)
{
    struct fixture *f = *state;
    struct peer *ann = fixture_join(f, "ann", LSIG_V1);
    struct peer *bob = fixture_join(f, "bob", LSIG_V1);
    fixture_forget_all(f);
    fixture_frame(ann, "{\"type\":\"say\",\"payload\":{\"n\":1},\"id\":4}");
    fixture_frame(ann, "{\"type\":\"say\",\"payload\":{\"n\":1},\"id\":4}");
    fixture_frame(ann, "{\"type\":\"say\",\"payload\":{\"n\":0},\"id\":3}");
    fixture_frame(ann, "{\"type\":\"say\",\"payload\":{\"n\":2},\"id\":5}");
    assert_heard(ann, "ack(4) ack(4) ack(3) ack(5)");
    assert_heard(bob, "say(ann 1) say(ann 2)");
    assert_true(fixture_lose(ann));
    fixture_return(f, "ann", LSIG_V1, fixture_resume_token(ann), 0);
    assert_has(fixture_last(ann, "room-state"), "\"last_id\":5");
    fixture_forget_all(f);
    fixture_frame(ann, "{\"type\":\"say\",\"payload\":{\"n\":2},\"id\":5}");
    fixture_frame(ann, "{\"type\":\"say\",\"payload\":{\"n\":3},\"id\":6}");
    assert_heard(ann, "ack(5) ack(6)");
    assert_heard(bob, "say(ann 3)");
}

static void turn_credentials_are_renewed_before_they_end(void **state)
{
    struct fixture *f = *state;
    free(f->settings.turn_urls);
    free(f->settings.turn_secret);
    f->settings.turn_urls = lsig_strdup("turn:turn.example.org:3478");
    f->settings.turn_secret = lsig_strdup("0123456789abcdef0123456789abcdef");
    f->settings.turn_lifetime_s = 100;
    struct peer *ann = fixture_join(f, "ann", LSIG_V1);
    struct peer *bob = fixture_join(f, "bob", LSIG_COMPAT);
    assert_has(fixture_last(ann, "room-state"), "turn.example.org");
    fixture_forget_all(f);
    fixture_pass(f, 89 * 1000);
    lsig_attend_check_time(&ann->client);
    assert_heard(ann, "");
    fixture_pass(f, 1000);
    for (int i = 0; i < 3; i++) {
        lsig_attend_check_time(&ann->client);
        lsig_attend_check_time(&bob->client);
    }
    assert_heard(ann, "ice-servers(null)");
    assert_heard(bob, "");
    char wanted[64];
    snprintf(wanted, sizeof(wanted), "\"username\":\"%lld:ann\"",
             (long long)(f->now.wall_ms / 1000 + 100));
    assert_has(fixture_last(ann, "ice-servers"), wanted);
}

static void credentials_that_end_with_the_token_come_with_the_next_token(void **state)
{
    struct fixture *f = *state;
    free(f->settings.turn_urls);
    free(f->settings.turn_secret);
    f->settings.turn_urls = lsig_strdup("turn:turn.example.org:3478");
    f->settings.turn_secret = lsig_strdup("0123456789abcdef0123456789abcdef");
    struct peer *ann = fixture_join(f, "ann", LSIG_V1); // both live for an hour
    fixture_forget_all(f);
    fixture_pass(f, (LIFE_S - 30) * 1000);
    lsig_attend_check_time(&ann->client);
    assert_heard(ann, "token-expiring(null)"); // newer ones would not live longer
    send_auth(f, ann, "ann", 7200);
    assert_heard(ann, "token-refreshed(null) ice-servers(null) ack(9)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FLOW_TEST(a_minute_before_the_end_v1_is_told_once),
        FLOW_TEST(a_fresh_token_moves_the_end),
        FLOW_TEST(a_bad_token_or_one_of_another_user_changes_nothing),
        FLOW_TEST(compat_knows_neither_auth_nor_ping),
        FLOW_TEST(a_ping_is_answered_with_its_payload),
        FLOW_TEST(accepted_messages_are_acknowledged_and_refused_ones_named),
        FLOW_TEST(a_message_that_comes_again_is_acknowledged_and_not_relayed),
        FLOW_TEST(turn_credentials_are_renewed_before_they_end),
        FLOW_TEST(credentials_that_end_with_the_token_come_with_the_next_token),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
