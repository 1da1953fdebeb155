#include "test_script_fixture.h"

#define CASE(name, body, wanted)                                                                   \
    static void name(void **state)                                                                 \
    {                                                                                              \
        fixture_says(*state, body, wanted);                                                        \
    }

CASE(a_value_is_written_and_read_again,
     "local text = sig.json.encode { b = true, n = 1.5, s = 'a\\n', list = { 1, { x = 2 } } }"
     "local back = sig.json.decode(text) "
     "return tostring(back.b) .. back.n .. back.s .. back.list[1] .. back.list[2].x",
     "true1.5a\n12")
CASE(single_values_are_json_too,
     "return sig.json.encode('x') .. sig.json.encode(5) .. sig.json.encode(false) "
     ".. sig.json.encode(sig.null) .. sig.json.decode('7') .. sig.json.decode(' \"y\" ')",
     "\"x\"5falsenull7y")
CASE(an_empty_table_is_an_object_and_an_array_stays_one,
     "local t = sig.json.array() local e = sig.json.encode "
     "local decoded = sig.json.decode '{\"a\":[],\"o\":{},\"b\":[[],{}]}' "
     "return e({}) .. e(t) .. e(decoded.a) .. e(decoded.o) .. e(decoded.b)",
     "{}[][]{}[[],{}]")
CASE(an_array_that_was_emptied_or_filled_is_one_still,
     "local t, e = sig.json.array { 1 }, sig.json.encode local first = e(t) t[1] = nil "
     "local second = e(t) t[1] = 5 return first .. second .. e(t)",
     "[1][][5]")
CASE(the_mark_is_the_tables_own,
     "local t = sig.json.array() local copy = {} for k, v in pairs(t) do copy[k] = v end "
     "return sig.json.encode(copy) .. tostring(getmetatable(t)) .. tostring(next(t))",
     "{}nilnil")
CASE(a_null_is_told_from_a_wrong_text,
     "local null, no_problem = sig.json.decode('null') local none, why = sig.json.decode('nul') "
     "return tostring(null == sig.null) .. tostring(no_problem) .. tostring(none) .. #why",
     "truenilnil")
CASE(a_null_of_an_array_keeps_its_place,
     "local t = sig.json.decode '[1,null,3]' "
     "return tostring(t[2] == sig.null) .. #t .. sig.json.encode(t)",
     "true3[1,null,3]")
CASE(a_wrong_text_is_nil_and_says_where,
     "return select(2, sig.json.decode '{\"a\":1,}')",
     "(byte 8)")
CASE(what_the_scanner_refuses_is_refused,
     "local decode, n = sig.json.decode, 0 for _, text in ipairs { '', '01', '[1]x', '\"\\255\"', "
     "('['):rep(33) .. (']'):rep(33), '[' .. ('1,'):rep(1100) .. '1]', '\"\\\\ud800\"', 'NaN', "
     "(' '):rep(1024 * 1024) .. ' ' } do local value, why = decode(text) "
     "assert(value == nil and type(why) == 'string', text:sub(1, 20)) n = n + 1 end return n",
     "9")
CASE(decode_takes_texts_only, "sig.json.decode(5)", "string expected, got number")
CASE(what_json_has_not_is_an_error,
     "sig.json.encode { f = print }",
     "sig.json.encode: a value is neither text, number, boolean nor table")
CASE(a_number_that_is_none_is_an_error, "sig.json.encode(0/0)", "infinite or not a number")
CASE(keys_of_two_kinds_are_an_error, "sig.json.encode { 1, a = 2 }", "sig.json.encode: a table has")
CASE(a_circle_is_an_error, "local t = {} t.t = t sig.json.encode(t)", "nested too deeply")
CASE(the_bound_of_encode_is_a_megabyte,
     "sig.json.encode(('x'):rep(1024 * 1024))",
     "sig.json.encode: it is too big (at most 1048576 bytes)")
CASE(
    a_smaller_bound_can_be_said,
    "assert(sig.json.encode('abc', { max = 5 }) == '\"abc\"') sig.json.encode('abcd', { max = 5 })",
    "it is too big (at most 5 bytes)")
CASE(options_are_checked, "sig.json.encode({}, { maxx = 5 })", "did you mean 'max'?")
CASE(a_bound_is_a_number_of_bytes, "sig.json.encode({}, { max = 0 })", "max is a number of bytes")

// A table that was large once takes long to walk, and prints as two bytes: many times over.
static void walking_empty_tables_ends_with_the_budget(void **state)
{
    fixture_needs_ticks();
    struct fixture *f = *state;
    fixture_use(f, "local big, many = {}, {} "
                   "for i = 1, 100000 do big['k' .. i] = true end "
                   "for i = 1, 100000 do big['k' .. i] = nil end "
                   "for i = 1, 100000 do many[i] = big end "
                   "sig.on('join', function() pcall(sig.json.encode, many) while true do end end)");
    fixture_member(f, 0, "ann", NULL);
    int64_t began_us = lsig_clock_mono_us();
    assert_int_equal(fixture_event(f, LSIG_HOOK_JOIN, f->members[0], NULL, NULL),
                     LSIG_POLICY_ERROR);
    assert_int_equal(f->metrics.hook_cpu_exceeded, 1);
    assert_true(lsig_clock_mono_us() - began_us < 2000000); // without a look at it: a minute
}

static void an_empty_array_of_a_payload_stays_one(void **state)
{
    struct fixture *f = *state;
    fixture_use(f, "sig.type 'talk' {} sig.on('message:talk', function(room, member, message) "
                   "return sig.deny('SAID', sig.json.encode(message.payload)) end)");
    fixture_enter(f, 0, "ann");
    assert_int_equal(fixture_message(f, "{\"type\":\"talk\",\"payload\":{\"l\":[]}}", NULL, NULL),
                     LSIG_POLICY_DENIED);
    assert_string_equal(f->refusal.message, "{\"l\":[]}");
}

static void fill(void *self, void *out, size_t len)
{
    memset(out, *(int *)self, len);
}

static void random_values_can_be_made_to_repeat(void **state)
{
    struct fixture *f = *state;
    int byte = 0xab;
    struct lsig_random_source source = {fill, &byte};
    lsig_script_free(f->script, NULL, NULL);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    f->options.random = &source;
    f->script = lsig_script_new(&f->options);
    fixture_says(f, "return sig.random.hex(3) .. sig.random.id()", "abababq6urq6urq6urq6urq6urqw");
    fixture_says(f, "return sig.random.integer(1, 256) .. ' ' .. sig.random.integer(-5, -5)",
                 "172 -5");
}

CASE(random_ids_have_128_bits_and_differ,
     "local seen = {} for i = 1, 1000 do local id = sig.random.id() assert(not seen[id]) "
     "assert(#id == 22 and not id:find('[^%w_-]'), id) seen[id] = true end return 'fine'",
     "fine")
CASE(random_integers_stay_in_their_bounds_and_reach_them,
     "local seen = {} for i = 1, 2000 do local n = sig.random.integer(-2, 2) "
     "assert(n >= -2 and n <= 2 and n % 1 == 0) seen[n] = (seen[n] or 0) + 1 end "
     "for n = -2, 2 do assert(seen[n] > 250 and seen[n] < 550, seen[n]) end return 'fine'",
     "fine")
CASE(the_widest_range_of_integers_works,
     "local n = sig.random.integer(0, 2^53 - 1) assert(n >= 0 and n < 2^53) return 'fine'",
     "fine")
CASE(a_range_upside_down_is_an_error, "sig.random.integer(2, 1)", "the smaller bound first")
CASE(a_range_that_is_too_wide_is_an_error, "sig.random.integer(-2^53, 2^53)", "less than 2^53")
CASE(a_bound_with_a_fraction_is_an_error, "sig.random.integer(0, 1.5)", "whole numbers")
CASE(hex_has_a_bound, "sig.random.hex(1025)", "from 1 to 1024")

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(a_value_is_written_and_read_again),
        FIXTURE_TEST(single_values_are_json_too),
        FIXTURE_TEST(an_empty_table_is_an_object_and_an_array_stays_one),
        FIXTURE_TEST(an_array_that_was_emptied_or_filled_is_one_still),
        FIXTURE_TEST(the_mark_is_the_tables_own),
        FIXTURE_TEST(a_null_is_told_from_a_wrong_text),
        FIXTURE_TEST(a_null_of_an_array_keeps_its_place),
        FIXTURE_TEST(a_wrong_text_is_nil_and_says_where),
        FIXTURE_TEST(what_the_scanner_refuses_is_refused),
        FIXTURE_TEST(decode_takes_texts_only),
        FIXTURE_TEST(what_json_has_not_is_an_error),
        FIXTURE_TEST(a_number_that_is_none_is_an_error),
        FIXTURE_TEST(keys_of_two_kinds_are_an_error),
        FIXTURE_TEST(a_circle_is_an_error),
        FIXTURE_TEST(the_bound_of_encode_is_a_megabyte),
        FIXTURE_TEST(a_smaller_bound_can_be_said),
        FIXTURE_TEST(options_are_checked),
        FIXTURE_TEST(a_bound_is_a_number_of_bytes),
        FIXTURE_TEST(walking_empty_tables_ends_with_the_budget),
        FIXTURE_TEST(an_empty_array_of_a_payload_stays_one),
        FIXTURE_TEST(random_values_can_be_made_to_repeat),
        FIXTURE_TEST(random_ids_have_128_bits_and_differ),
        FIXTURE_TEST(random_integers_stay_in_their_bounds_and_reach_them),
        FIXTURE_TEST(the_widest_range_of_integers_works),
        FIXTURE_TEST(a_range_upside_down_is_an_error),
        FIXTURE_TEST(a_range_that_is_too_wide_is_an_error),
        FIXTURE_TEST(a_bound_with_a_fraction_is_an_error),
        FIXTURE_TEST(hex_has_a_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
