// Tokens of a test's clients, and every refusal that a client can meet.
#include "test_scenario_fixture.h"

static void a_client_may_show_its_token_in_its_first_message(void **state)
{
    fixture_passes_test(
        *state,
        "sig.on('auth', function(request, claims) if claims.plan == 'no' then "
        "return sig.deny('NO_PLAN', 'pay first') end end)",
        "local ann, bob = t:client 'ann', t:client { user = 'bob', auth = 'message', "
        "claims = { plan = 'pro' } } "
        "ann:joins 'r1' local welcome = bob:joins 'r1' "
        "assert(welcome.payload.self.user_id == 'bob') "
        "ann:receives { type = 'user-joined', payload = { user_id = 'bob' } } "
        "bob:sends('say', { n = 1 }) ann:receives 'say' "
        "bob:drops() t:advance '1s' ann:sends('say', { n = 2 }) "
        "bob:resumes() bob:receives('say', { n = 2 }) "
        "local eve = t:client { user = 'eve', auth = 'message', claims = { plan = 'no' } } "
        "eve:joins 'r1' eve:is_refused 'NO_PLAN'");
}

static void a_first_message_without_a_good_token_ends_the_connection(void **state)
{
    fixture_passes_test(
        *state, "",
        "local function try(token) "
        "local eve = t:client { user = 'eve', auth = 'message', token = token } "
        "assert(eve:joins 'r1' == nil) return eve end "
        "local eve = try(t:token { user = 'eve', expires = '-1h' }) "
        "eve:is_refused 'TOKEN_EXPIRED' eve:is_closed(4401) "
        "eve = try(t:token { user = 'eve', key = 'other' }) "
        "eve:is_refused 'TOKEN_INVALID' eve:is_closed(4401) "
        "eve = try '' eve:is_refused 'TOKEN_INVALID' eve:is_closed(4401) "
        "eve = try 'nonsense' eve:is_refused 'TOKEN_INVALID' eve:is_closed(4401) "
        "local mia = t:client { user = 'eve', auth = 'message', token = t:token { user = 'mia' } } "
        "mia:joins 'r1' assert(t:room('r1').members[1].id == 'mia')");
}

static void a_client_that_shows_no_token_has_five_seconds(void **state)
{
    fixture_passes_test(*state, "",
                        "local eve = t:client { user = 'eve', auth = 'none' } "
                        "assert(eve:joins 'r1' == nil) "
                        "t:advance '4s' assert(t:room('r1').count == 0) "
                        "eve:is_closed(4401, { within = '2s' }) eve:is_refused 'TOKEN_INVALID'");
    fixture_passes_test(*state, "",
                        "local eve = t:client { user = 'eve', auth = 'none' } eve:joins 'r1' "
                        "eve:sends('auth', { token = t:token { user = 'eve' } }) "
                        "eve:receives 'room-state' eve:sends('say', {}) "
                        "local max = t:client { user = 'max', auth = 'none' } max:joins 'r1' "
                        "max:sends('say', {}) max:is_refused 'TOKEN_INVALID' max:is_closed(4401)");
}

static void an_upgrade_with_a_bad_token_is_refused(void **state)
{
    fixture_passes_test(
        *state, "",
        "local function try(token, dialect) "
        "local eve = t:client { user = 'eve', token = token, dialect = dialect } "
        "assert(eve:joins 'r1' == nil) return eve end "
        "try(t:token { user = 'eve', expires = '-1h' }):is_refused(401) "
        "try(t:token { user = 'eve', key = 'other' }):is_refused(401) "
        "try('nonsense'):is_refused(401) try('', 'compat'):is_refused(401) "
        "local late = t:client { user = 'late', claims = { exp = 1 } } "
        "late:joins 'r1' late:is_refused(401) "
        "local ann = t:client { token = t:token { user = 'ann', claims = { plan = 'pro' } } } "
        "assert(ann:joins('r1').payload.self.user_id == 'ann') "
        "t:expects_metric('lunasig_connections_refused_total', 5)");
}

static void a_token_is_refreshed_before_its_end(void **state)
{
    fixture_passes_test(
        *state,
        "sig.type 'plan' { payload = sig.object {} } "
        "sig.on('message:plan', function(room, member) sig.log('info', member.claims.plan or "
        "'none') end)",
        "local ann = t:client { user = 'ann', expires = '10min' } ann:joins 'r1' "
        "t:advance '9min' ann:receives 'token-expiring' "
        "ann:refreshes { expires = '1h', claims = { plan = 'pro' } } "
        "ann:receives 'token-refreshed' ann:sends('plan') t:logged { text = 'pro' } "
        "t:advance '50min' ann:receives_nothing 'error' "
        "ann:sends('auth', { token = t:token { user = 'ann', expires = '-1h' } }) "
        "ann:is_refused 'TOKEN_EXPIRED' " // and the old one holds
        "ann:sends('auth', { token = t:token { user = 'bob' } }) ann:is_refused 'TOKEN_INVALID' "
        "ann:refreshes { key = 'other' } ann:is_refused 'TOKEN_INVALID' "
        "ann:sends('say', {}) ann:is_closed(4401, { within = '11min' }) "
        "ann:is_refused 'TOKEN_EXPIRED'");
}

static void every_frame_that_no_client_should_send_is_refused(void **state)
{
    fixture_passes_test(
        *state, "",
        "local n = 0 local function new() n = n + 1 local c = t:client('user' .. n) "
        "c:joins 'r1' return c end "
        "local ann = new() ann:sends_raw(string.rep('x', 200000)) "
        "ann:is_closed(1009) "
        "ann = new() ann:sends_raw { hex = '7b 22 ff 22 7d' } "
        "ann:is_closed(1007) "
        "ann = new() ann:sends_binary 'bytes' ann:is_closed(1003) "
        "ann = new() ann:sends_raw '{' ann:is_refused 'INVALID_JSON' "
        "ann:sends_raw '{}' ann:is_refused 'INVALID_MESSAGE' "
        "ann:sends('room-state', {}) ann:is_refused 'FORBIDDEN_TYPE' "
        "for i = 4, 10 do ann:sends_raw '{' ann:is_refused 'INVALID_JSON' end "
        "ann:is_closed(1008) "
        "for code, n in pairs { FRAME_TOO_BIG = 1, BAD_UTF8 = 1, BINARY_FRAME = 1, "
        "TOO_MANY_BAD_FRAMES = 1 } do t:expects_metric('lunasig_refused_total', n, "
        "{ code = code }) end");
}

static void who_sends_too_much_is_refused_and_closed_in_the_end(void **state)
{
    fixture_passes_test(*state, "",
                        "local ann = t:client 'ann' ann:joins 'r1' "
                        "for i = 1, 3 do ann:sends('quick', {}) end "
                        "ann:is_refused 'RATE_LIMIT_EXCEEDED' "
                        "for i = 1, 35 do for j = 1, 2 do "
                        "if t:room('r1') and t:room('r1').count == 1 then "
                        "ann:sends('quick', {}) end end t:advance '300ms' end "
                        "ann:is_closed(4429) "
                        "t:expects_metric('lunasig_refused_total', 1, { code = 'FLOODING' })");
}

static void a_room_that_is_full_refuses(void **state)
{
    fixture_passes(
        *state,
        "sig.test('it', { settings = { WEBRTC_MAX_PARTICIPANTS_PER_ROOM = '2' } }, function(t) "
        "local ann, bob, eve = t:client 'ann', t:client 'bob', t:client 'eve' "
        "ann:joins 'r1' bob:joins 'r1' "
        "eve:joins 'r1' eve:is_refused 'ROOM_FULL' eve:is_closed(1008) end)");
}

static void who_takes_a_session_up_elsewhere_replaces_the_first_connection(void **state)
{
    fixture_passes_test(
        *state, "",
        "local ann, same = t:client 'ann', t:client { user = 'ann', auth = 'none' } "
        "local welcome = ann:joins 'r1' same:joins 'r1' "
        "same:sends('auth', { token = t:token { user = 'ann' }, seq = welcome.seq, "
        "resume = welcome.payload.session.resume_token }) "
        "same:receives 'room-state' ann:is_closed(4409) "
        "assert(t:room('r1').members[1].connections == 1)");
}

static void a_user_has_a_number_of_connections(void **state)
{
    fixture_passes(*state, "sig.test('it', { settings = { WEBSOCKET_CONNECTION_LIMIT = '2' } }, "
                           "function(t) local one, two, three = t:client 'ann', t:client 'ann', "
                           "t:client 'ann' one:joins 'r1' two:joins 'r2' "
                           "three:joins 'r3' three:is_refused(429) "
                           "one:leaves() three:joins 'r3' end)");
}

static void what_is_wrong_about_tokens_is_said(void **state)
{
    fixture_fails_test(*state, "t:client { auth = 'first' }", "auth is \"upgrade\"");
    fixture_fails_test(*state, "t:client { auth = 'message', dialect = 'compat' }",
                       "the compat dialect has no auth message");
    fixture_fails_test(*state, "t:token {}", "whose token? t:token { user = \"ann\"");
    fixture_fails_test(*state, "t:token { user = 'ann', key = 'mine' }", "key is \"other\"");
    fixture_fails_test(*state, "t:token { user = 'ann', expires = 'soon' }", "write a time like");
    fixture_fails_test(*state,
                       "local ann = t:client 'ann' ann:joins 'r1' "
                       "ann:sends_raw { hex = 'f' }",
                       "hex has pairs of hexadecimal digits");
    fixture_fails_test(*state, "local ann = t:client 'ann' ann:refreshes()",
                       "it has not joined a room yet");
    fixture_fails_test(*state,
                       "local ann = t:client { user = 'ann', token = 'nonsense' } ann:joins 'r1'",
                       "ann was refused: TOKEN_INVALID: Could not validate credentials");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENARIO_TEST(a_client_may_show_its_token_in_its_first_message),
        SCENARIO_TEST(a_first_message_without_a_good_token_ends_the_connection),
        SCENARIO_TEST(a_client_that_shows_no_token_has_five_seconds),
        SCENARIO_TEST(an_upgrade_with_a_bad_token_is_refused),
        SCENARIO_TEST(a_token_is_refreshed_before_its_end),
        SCENARIO_TEST(every_frame_that_no_client_should_send_is_refused),
        SCENARIO_TEST(who_sends_too_much_is_refused_and_closed_in_the_end),
        SCENARIO_TEST(a_room_that_is_full_refuses),
        SCENARIO_TEST(who_takes_a_session_up_elsewhere_replaces_the_first_connection),
        SCENARIO_TEST(a_user_has_a_number_of_connections),
        SCENARIO_TEST(what_is_wrong_about_tokens_is_said),
    };
    return cmocka_run_group_tests_name("scenario/auth", tests, NULL, NULL);
}
