// A database that is down or slow, clients that read nothing, and what is random.
#include "test_scenario_fixture.h"

static const char store_policy[] =
    "local notes = sig.store 'notes' "
    "sig.on('message:say', function(room, member, message) "
    "  local ok, error = pcall(function() return notes:get 'k' end) "
    "  room:send('whisper', { ok = ok, error = ok and 'none' or error }) end)";

static void a_store_that_is_down_fails_each_call_at_once(void **state)
{
    fixture_passes_test(
        *state, store_policy,
        "local ann = t:client 'ann' ann:joins 'r1' "
        "t:store 'down' ann:sends('say', {}) "
        "ann:receives('whisper', { ok = false, error = t.match "
        "'sig.store:get: the database failed: the test has taken the store down' }) "
        "t:store 'up' ann:sends('say', {}) "
        "ann:receives('whisper', { ok = true })");
}

static void a_slow_store_answers_when_it_is_up_again(void **state)
{
    fixture_passes_test(*state, store_policy,
                        "local ann = t:client 'ann' ann:joins 'r1' "
                        "t:store 'slow' ann:sends('say', {}) "
                        "t:advance '1s' ann:receives_nothing 'whisper' "
                        "t:store 'up' ann:receives('whisper', { ok = true })");
}

static void a_hook_that_waits_for_a_slow_store_ends_at_its_limit(void **state)
{
    fixture_passes_test(*state,
                        "local notes = sig.store 'notes' "
                        "sig.on('message:say', function() notes:get 'k' end)",
                        "local ann = t:client 'ann' ann:joins 'r1' "
                        "t:expects_error 'stopped: the hook has waited 2000 ms' "
                        "t:store 'slow' ann:sends('say', {}) "
                        "ann:receives_nothing('error', nil, { within = '1900ms' }) "
                        "ann:receives { type = 'error', within = '200ms' }");
}

static void calls_that_wait_when_the_store_goes_down_fail(void **state)
{
    fixture_passes_test(*state, store_policy,
                        "local ann = t:client 'ann' ann:joins 'r1' "
                        "t:store 'slow' ann:sends('say', {}) t:store 'down' "
                        "ann:receives('whisper', { ok = false })");
}

static void the_store_of_the_next_test_is_up(void **state)
{
    struct fixture *f = *state;
    struct lsig_buf text;
    lsig_buf_init(&text, 4096);
    lsig_buf_append_format(&text,
                           "%s sig.test('a', function(t) t:store 'slow' "
                           "local ann = t:client 'ann' ann:joins 'r1' ann:sends('say', {}) end) "
                           "sig.test('b', function(t) local ann = t:client 'ann' ann:joins 'r1' "
                           "ann:sends('say', {}) ann:receives('whisper', { ok = true }) end)",
                           store_policy);
    fixture_passes(f, text.data);
    lsig_buf_clear(&text);
    fixture_fails_test(f, "t:store 'broken'", "the store is \"up\" (as at first), \"down\"");
}

static void who_stalls_gets_everything_in_order_later(void **state)
{
    fixture_passes_test(*state, "",
                        "local ann, bob = t:client 'ann', t:client 'bob' "
                        "ann:joins 'r1' bob:joins 'r1' bob:stalls() "
                        "for i = 1, 3 do ann:sends('say', { n = i }) end "
                        "bob:receives_nothing 'say' "
                        "bob:reads() "
                        "local first = bob:receives('say', { n = 1 }) "
                        "bob:receives('say', { n = 2 }) "
                        "local last = bob:receives('say', { n = 3 }) "
                        "assert(last.seq == first.seq + 2)");
}

static void who_stalls_may_speak(void **state)
{
    fixture_passes_test(*state, "",
                        "local ann, bob = t:client 'ann', t:client 'bob' "
                        "ann:joins 'r1' bob:joins 'r1' bob:stalls() "
                        "bob:sends('say', { n = 1 }) ann:receives('say', { n = 1 })");
}

// 64 KiB may wait: four messages of 16,000 bytes, and not five.
static void too_much_that_waits_closes_with_4408(void **state)
{
    fixture_passes(*state,
                   "sig.test('it', { settings = { WEBSOCKET_OUTBOX_BYTES = '64 KiB', "
                   "WEBSOCKET_FRAME_BYTES = '32 KiB' } }, "
                   "function(t) local ann, bob = t:client 'ann', t:client 'bob' "
                   "ann:joins 'r1' bob:joins 'r1' bob:stalls() "
                   "local text = string.rep('x', 16000) "
                   "for i = 1, 4 do ann:sends('say', { text = text }) end "
                   "assert(t:metric 'lunasig_slow_closed_total' == 0) "
                   "ann:sends('say', { text = text }) "
                   "bob:is_closed(4408) "
                   "assert(t:metric 'lunasig_slow_closed_total' == 1) "
                   "t:logged { event = 'too-slow', room = 'r1' } "
                   "ann:receives { type = 'user-away' } "
                   "bob:resumes() ann:sends('say', { n = 1 }) bob:receives('say', { n = 1 }) end)");
}

static void who_stalls_answers_no_ping(void **state)
{
    fixture_passes_test(*state, "",
                        "local ann, bob = t:client 'ann', t:client 'bob' "
                        "ann:joins 'r1' bob:joins 'r1' bob:stalls() "
                        "t:advance '20s' ann:receives_nothing 'user-away' "
                        "ann:receives { type = 'user-away', within = '6s' } "
                        "bob:resumes()");
}

static void who_reads_again_in_time_stays(void **state)
{
    fixture_passes_test(*state, "",
                        "local ann, bob = t:client 'ann', t:client 'bob' "
                        "ann:joins 'r1' bob:joins 'r1' "
                        "bob:stalls() t:advance '20s' bob:reads() t:advance '20s' "
                        "ann:receives_nothing 'user-away' bob:sends('say', {})");
    fixture_fails_test(*state, "local ann = t:client 'ann' ann:joins 'r1' ann:reads()",
                       "it reads already: stalls comes before");
    fixture_fails_test(*state, "t:client('ann'):stalls()", "it has not joined a room yet");
}

static void who_stalls_and_drops_gets_what_it_missed(void **state)
{
    fixture_passes_test(
        *state, "",
        "local ann, bob = t:client 'ann', t:client 'bob' "
        "ann:joins 'r1' bob:joins 'r1' bob:stalls() "
        "ann:sends('say', { n = 1 }) bob:drops() ann:sends('say', { n = 2 }) "
        "bob:resumes() bob:receives('say', { n = 1 }) bob:receives('say', { n = 2 })");
}

// --- what is random

static const char draw[] =
    "local function drawn(t) "
    "local frame = t:client('ann'):joins 'r1' "
    "return table.concat({ frame.payload.self.peer_id, frame.payload.session.resume_token, "
    "math.random(1, 1e9), sig.random.hex(8) }, ' ') end ";

static void the_same_seed_draws_the_same_and_another_another(void **state)
{
    struct fixture *f = *state;
    struct lsig_buf text;
    lsig_buf_init(&text, 8192);
    lsig_buf_append_format(
        &text,
        "%s local first, other "
        "sig.test('a', { seed = 7 }, function(t) first = drawn(t) end) "
        "sig.test('b', { seed = 7 }, function(t) assert(drawn(t) == first, first) end) "
        "sig.test('c', { seed = 8 }, function(t) other = drawn(t) "
        "local words = {} for word in first:gmatch '%%S+' do words[#words + 1] = word end "
        "assert(#words == 4) "
        "for _, word in ipairs(words) do assert(not other:find(word, 1, true), word) end end)",
        draw);
    fixture_passes(f, text.data);
    lsig_buf_clear(&text);
}

static void two_clients_never_draw_the_same(void **state)
{
    fixture_passes_test(*state, "",
                        "t:node { name = 'n2' } local seen = {} "
                        "for i = 1, 40 do "
                        "local frame = t:client({ node = i % 2 == 0 and 'n2' or 'n1' }):joins 'r1' "
                        "local id = frame.payload.self.peer_id "
                        "assert(not seen[id]) seen[id] = true end");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENARIO_TEST(a_store_that_is_down_fails_each_call_at_once),
        SCENARIO_TEST(a_slow_store_answers_when_it_is_up_again),
        SCENARIO_TEST(a_hook_that_waits_for_a_slow_store_ends_at_its_limit),
        SCENARIO_TEST(calls_that_wait_when_the_store_goes_down_fail),
        SCENARIO_TEST(the_store_of_the_next_test_is_up),
        SCENARIO_TEST(who_stalls_gets_everything_in_order_later),
        SCENARIO_TEST(who_stalls_may_speak),
        SCENARIO_TEST(too_much_that_waits_closes_with_4408),
        SCENARIO_TEST(who_stalls_answers_no_ping),
        SCENARIO_TEST(who_reads_again_in_time_stays),
        SCENARIO_TEST(who_stalls_and_drops_gets_what_it_missed),
        SCENARIO_TEST(the_same_seed_draws_the_same_and_another_another),
        SCENARIO_TEST(two_clients_never_draw_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
