#include "test_script_fixture.h"

#include "codec/schema.h"

static const struct lsig_rule *rule(const struct fixture *f, const char *type)
{
    return lsig_script_rule(f->script, lsig_span_of(type));
}

static void a_type_has_these_values_where_nothing_is_said(void **state)
{
    struct fixture *f = *state;
    fixture_use(f, "sig.type 'talk' {}");
    const struct lsig_rule *talk = rule(f, "talk");
    assert_string_equal(talk->name, "talk");
    assert_int_equal(talk->from, LSIG_ROLES_ALL);
    assert_int_equal(talk->to, LSIG_TO_ROOM);
    assert_false(talk->absent_broadcasts);
    assert_false(talk->one_connection);
    assert_null(talk->payload);
    assert_int_equal(talk->rate_count, 0);
    assert_null(rule(f, "other"));
    assert_int_equal(lsig_script_version(f->script), 1);
}

static void a_type_takes_over_what_is_said(void **state)
{
    struct fixture *f = *state;
    fixture_use(
        f, "sig.type 'a' { from = { 'host', 'moderator' }, to = 'target', absent = 'broadcast',"
           "  connection = 'one', rate = { '2/s burst 5 per user', '50/s per room', '9/min' },"
           "  alias = { 'a_a', 'aa' } }"
           "sig.type 'b' { from = 'server', to = { 'role:host', 'role:moderator' } }"
           "sig.type('c', { to = 'role:observer', from = 'observer', rate = '1/s per ip' })"
           "sig.type 'd' { to = 'others' } sig.type 'e' { to = 'server' }");
    const struct lsig_rule *a = rule(f, "a");
    assert_ptr_equal(rule(f, "a_a"), a);
    assert_ptr_equal(rule(f, "aa"), a);
    assert_int_equal(a->from, LSIG_ROLE_BIT(LSIG_HOST) | LSIG_ROLE_BIT(LSIG_MODERATOR));
    assert_int_equal(a->to, LSIG_TO_TARGET);
    assert_true(a->absent_broadcasts);
    assert_true(a->one_connection);
    assert_int_equal(a->rate_count, 3);
    assert_int_equal(a->rates[0].spec.scope, LSIG_PER_USER);
    assert_int_equal(a->rates[0].spec.burst, 5);
    assert_int_equal(a->rates[1].spec.scope, LSIG_PER_ROOM);
    assert_int_equal(a->rates[2].spec.period_ms, 60000);
    assert_true(a->own_connection_rate);
    assert_int_equal(rule(f, "b")->from, 0);
    assert_int_equal(rule(f, "b")->to, LSIG_TO_ROLES);
    assert_int_equal(rule(f, "b")->to_roles,
                     LSIG_ROLE_BIT(LSIG_HOST) | LSIG_ROLE_BIT(LSIG_MODERATOR));
    assert_int_equal(rule(f, "c")->to_roles, LSIG_ROLE_BIT(LSIG_OBSERVER));
    assert_false(rule(f, "c")->own_connection_rate);
    assert_int_equal(rule(f, "d")->to, LSIG_TO_OTHERS);
    assert_int_equal(rule(f, "e")->to, LSIG_TO_SERVER);
}

static void extend_changes_only_what_it_names(void **state)
{
    struct fixture *f = *state;
    fixture_use(f, "sig.type 'a' { to = 'others', rate = '1/s' } sig.type.extend 'a' { rate = { "
                   "'2/s per user', '3/s' } }");
    assert_int_equal(rule(f, "a")->to, LSIG_TO_OTHERS);
    assert_int_equal(rule(f, "a")->rate_count, 2);
    fixture_refuses(f, "sig.type.extend 'a' { rate = '1/s' }",
                    "no such type is declared yet; sig.use its policy first");
}

static void mistakes_in_a_type_name_the_place_and_what_to_write(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *text;
        const char *wanted;
    } cases[] = {
        {"\nsig.type 'a' { form = 'host' }",
         "policy.lua:2: sig.type \"a\": there is no 'form'; did you mean 'from'?"},
        {"sig.type 'a' { from = 'hots' }",
         "sig.type \"a\": from: there is no 'hots'; did you mean 'host'?"},
        {"sig.type 'a' { from = { 'host', 'server' } }",
         "from is roles and \"waiting\", or \"server\" alone"},
        {"sig.type 'a' { from = 7 }", "from is a text or a list of 1 to 64 texts"},
        {"sig.type 'a' { to = 'everybody' }", "to is one of \"room\""},
        {"sig.type 'a' { to = { 'room', 'role:host' } }", "to is one of \"room\""},
        {"sig.type 'a' { absent = 'drop' }", "absent is \"broadcast\" or \"error\", not \"drop\""},
        {"sig.type 'a' { connection = 'two' }", "connection is \"one\" or \"all\""},
        {"sig.type 'a' { rate = 'fast' }", "rate \"fast\":"},
        {"sig.type 'a' { rate = { '1/s', '1/s', '1/s', '1/s', '1/s' } }", "more than 4 rates"},
        {"sig.type 'a' { keep = 'newest' }", "keep is \"none\", \"latest\""},
        {"sig.type 'a' { keep = 'log 0' }", "with N from 1 to 1000, not \"log 0\""},
        {"sig.type 'a' { payload = { x = 1 } }", "payload is a schema"},
        {"sig.type 'a' { payload = sig.string }", "payload is a sig.object"},
        {"sig.type 'a' { alias = 'a b' }", "is no name of a type"},
        {"sig.type 'a b' {}", "a type has 1 to 64 letters"},
        {"\nsig.type 'a' {}\nsig.type 'a' {}",
         "policy.lua:3: sig.type \"a\" is declared at policy.lua:2 already"},
        {"\nsig.type 'a'", "policy.lua:2: sig.type \"a\" has no table: write sig.type \"a\" { … }"},
        {"sig.type 'a' { alias = 'b' } sig.type 'b' {}",
         "alias \"b\" of \"a\" belongs to \"b\", declared at policy.lua:1"},
        {"sig.type 'a' { payload = sig.object { x = sig.strng } }",
         "sig has no 'strng'; did you mean 'string'?"},
        {"sig.type 'a' { payload = sig.object { x = 'string' } }",
         "write its fields as name = sig.string"},
        {"sig.type 'a' { payload = sig.object { x = sig.string { maximum = 3 } } }",
         "there is no 'maximum'"},
        {"local s = sig.string { min = 3, max = 2 }", "min = 3 is above max = 2"},
        {"local s = sig.boolean { max = 2 }", "min and max are for strings"},
        {"local s = sig.array('x')", "its element is a schema"},
        {"local s = sig.number { one_of = { '1' } }", "one_of is for sig.string"},
        {"local s = sig.string { compat = 'text' }", "there is no 'text'"},
        {"local s = sig.object for i = 1, 9 do s = sig.object { x = s } end",
         "at most 1024 parts and 8 levels"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        fixture_refuses(f, cases[i].text, cases[i].wanted);
    }
    assert_int_equal(f->metrics.policy_load_failures, sizeof(cases) / sizeof(cases[0]));
}

static void
check(const struct lsig_rule *talk, const char *payload, bool strict, enum lsig_status wanted)
{
    struct lsig_refusal refusal = {.status = LSIG_OK};
    enum lsig_status status =
        lsig_schema_check(talk->payload, lsig_span_of(payload), strict, &refusal);
    if (status != wanted) {
        fail_msg("%s strict %d: %d %s %s", payload, strict, status, refusal.message,
                 refusal.details);
    }
}

static void payload_schemas_become_what_they_say(void **state)
{
    struct fixture *f = *state;
    fixture_use(
        f,
        "local short = sig.string { max = 3 }"
        "sig.type 'talk' { payload = sig.object {"
        "  text = short, again = short { optional = true }, kind = sig.string { one_of = { 'x', "
        "'y' }, optional = true },"
        "  n = sig.integer { min = 1, optional = true, compat = 'string' }, list = "
        "sig.array(sig.number, { max = 2, optional = true }),"
        "  deep = sig.object({ on = sig.boolean }, { optional = true, extra = true }), free = "
        "sig.any { optional = true },"
        "  sdp = sig.sdp { optional = true }, candidate = sig.candidate { optional = true } } }");
    const struct lsig_rule *talk = rule(f, "talk");
    check(talk, "{\"text\":\"abc\"}", true, LSIG_OK);
    check(talk, "{\"text\":\"abcd\"}", true, LSIG_INVALID_MESSAGE);
    check(talk, "{\"text\":\"abcd\"}", false, LSIG_OK);
    check(talk, "{}", true, LSIG_INVALID_MESSAGE);
    check(talk, "{}", false, LSIG_OK);
    check(talk, "{\"text\":7}", false, LSIG_INVALID_MESSAGE);
    check(talk, "{\"text\":null}", false, LSIG_OK);
    check(talk, "{\"text\":\"a\",\"again\":\"abcd\"}", true, LSIG_INVALID_MESSAGE);
    check(talk, "{\"text\":\"a\",\"kind\":\"y\"}", true, LSIG_OK);
    check(talk, "{\"text\":\"a\",\"kind\":\"z\"}", true, LSIG_INVALID_MESSAGE);
    check(talk, "{\"text\":\"a\",\"n\":1.5}", true, LSIG_INVALID_MESSAGE);
    check(talk, "{\"text\":\"a\",\"n\":\"1\"}", true, LSIG_INVALID_MESSAGE);
    check(talk, "{\"text\":\"a\",\"n\":\"1\"}", false, LSIG_OK);
    check(talk, "{\"text\":\"a\",\"list\":[1,2,3]}", true, LSIG_INVALID_MESSAGE);
    check(talk, "{\"text\":\"a\",\"deep\":{\"on\":true,\"x\":1}}", true, LSIG_OK);
    check(talk, "{\"text\":\"a\",\"deep\":{\"on\":1}}", true, LSIG_INVALID_MESSAGE);
    check(talk, "{\"text\":\"a\",\"free\":[{}]}", true, LSIG_OK);
    check(talk, "{\"text\":\"a\",\"sdp\":null}", true, LSIG_INVALID_MESSAGE);
    check(talk, "{\"text\":\"a\",\"sdp\":{}}", false, LSIG_OK);
    check(talk, "{\"text\":\"a\",\"candidate\":null}", true, LSIG_OK);
    check(talk, "{\"text\":\"a\",\"other\":1}", true, LSIG_INVALID_MESSAGE);
    check(talk, "{\"text\":\"a\",\"target_user_id\":\"bob\",\"target_id\":null}", true, LSIG_OK);
}

static void hooks_of_unknown_events_and_types_are_refused(void **state)
{
    struct fixture *f = *state;
    fixture_refuses(f, "sig.on('jion', function() end)",
                    "unknown hook \"jion\"; did you mean \"join\"? (known: connect, auth, join,");
    fixture_refuses(f, "sig.type 'offer' {}\nsig.on('message:offr', function() end)",
                    "policy.lua:2: \"message:offr\": no policy declares the type \"offr\"; did you "
                    "mean \"offer\"?");
    fixture_refuses(f, "sig.on('join')", "a function is missing");
    fixture_refuses(f, "sig.route('GET /x', { summary = 'a\\nb' }, function() end)",
                    "summary is one line of at most 200 bytes");
    fixture_refuses(f, "sig.route('GET /x', { answer = 5 }, function() end)", "schema");
    fixture_refuses(f, "sig.on('join', function() end, { on_error = 'allow' })",
                    "sig.on \"join\": options stand before the function");
    fixture_refuses(f, "sig.on('join', { on_eror = 'allow' }, function() end)",
                    "did you mean 'on_error'?");
    fixture_refuses(f, "sig.on('join', { on_error = 'maybe' }, function() end)",
                    "on_error is \"allow\" or \"deny\"");
    fixture_refuses(f, "sig.on('leave', { on_error = 'deny' }, function() end)",
                    "this hook cannot refuse: what it is told of has happened");
    fixture_refuses(f, "sig.on('join', { optional = true }, function() end)",
                    "sig.on \"join\": optional is for hooks of one type: \"message:TYPE\"");
    fixture_refuses(f, "sig.on('message:x', { optional = false }, function() end)",
                    "no policy declares the type \"x\"");
}

static void every_mistake_of_the_whole_is_reported_in_one_go(void **state)
{
    struct fixture *f = *state;
    fixture_refuses(f, "sig.type 'a'\nsig.on('message:x', function() end)",
                    "policy.lua:1: sig.type");
    assert_non_null(strstr(f->report.data, "\npolicy.lua:2: \"message:x\""));
}

static void errors_name_file_and_line(void **state)
{
    struct fixture *f = *state;
    fixture_refuses(f, "\nlocal x =", "policy.lua:2:");
    fixture_refuses(f, "\n\nerror 'broken'", "policy.lua:3: broken");
    fixture_refuses(f, "error({})", "an error that is no text");
    fixture_write(f, f->folder, "sub/part.lua", "\nlocal a = nil + 1");
    fixture_refuses(f, "require 'sub.part'", "sub/part.lua:2: attempt to perform arithmetic");
    char locals[8000] = "\n";
    for (int i = 0; i < 220; i++) {
        sprintf(locals + strlen(locals), "local v%d = %d\n", i, i);
    }
    fixture_refuses(f, locals, "200 local variables: split the file");
}

static void require_looks_in_the_bundle_first_and_stays_inside(void **state)
{
    struct fixture *f = *state;
    fixture_write(f, f->library, "std/one.lua", "return 'library'");
    fixture_write(f, f->library, "std/two.lua", "return 'library'");
    fixture_write(f, f->folder, "std/one.lua", "return 'bundle'");
    fixture_use(f, "assert(require 'std.one' == 'bundle') assert(require 'std.two' == 'library')");
    fixture_write(f, f->folder, "count.lua", "return {}");
    fixture_use(f, "assert(require 'count' == require 'count')");
    fixture_write(f, f->folder, "nothing.lua", "");
    fixture_use(f, "assert(require 'nothing' == true)");
    static const char *const names[] = {"../secret", "..",          ".secret", "secret.",
                                        "a..b",      "/etc/passwd", "a/b",     "a\\0b",
                                        "",          "a b",         "a\\\\b"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char text[64];
        snprintf(text, sizeof(text), "require '%s'", names[i]);
        fixture_refuses(f, text, "policy.lua:1: require \"");
    }
    fixture_refuses(f, "require 'missing'", "there is no missing.lua in ");
    fixture_write(f, f->folder, "a.lua", "require 'b'");
    fixture_write(f, f->folder, "b.lua", "require 'a'");
    fixture_refuses(f, "require 'a'", "it requires itself by way of other files");
}

static void links_may_not_lead_out_of_the_folder(void **state)
{
    struct fixture *f = *state;
    char path[128];
    snprintf(path, sizeof(path), "%s/escape.lua", f->folder);
    assert_int_equal(symlink("/etc/hostname", path), 0);
    fixture_refuses(f, "require 'escape'", "lies outside of the folder");
    fixture_write(f, f->folder, "real.lua", "return 5");
    snprintf(path, sizeof(path), "%s/inside.lua", f->folder);
    assert_int_equal(symlink("real.lua", path), 0);
    fixture_use(f, "assert(require 'inside' == 5)");
    snprintf(path, sizeof(path), "%s/folder.lua", f->folder);
    assert_int_equal(mkdir(path, 0700), 0);
    fixture_refuses(f, "require 'folder'", "is no regular file");
    snprintf(path, sizeof(path), "%s/pipe.lua", f->folder);
    assert_int_equal(mkfifo(path, 0600), 0);
    fixture_refuses(f, "require 'pipe'", "is no regular file");
}

static void bytecode_and_large_files_are_refused(void **state)
{
    struct fixture *f = *state;
    fixture_write(f, f->folder, "code.lua", "\033LJ\002rest");
    fixture_refuses(f, "require 'code'", "code.lua:1: this is bytecode, which is not accepted");
    char *large = lsig_alloc(1024 * 1024 + 2);
    memset(large, ' ', 1024 * 1024 + 1);
    fixture_write(f, f->folder, "large.lua", large);
    free(large);
    fixture_refuses(f, "require 'large'", "has more than 1 MiB");
}

static void a_bundle_has_at_most_500_files(void **state)
{
    struct fixture *f = *state;
    char name[32];
    for (int i = 0; i < 500; i++) {
        snprintf(name, sizeof(name), "f/f%d.lua", i);
        fixture_write(f, f->folder, name, "");
    }
    fixture_use(f, "for i = 0, 498 do require('f.f' .. i) end");
    fixture_refuses(f, "for i = 0, 499 do require('f.f' .. i) end", "more than 500 files");
}

static void use_loads_policies_in_order_and_names_them(void **state)
{
    struct fixture *f = *state;
    fixture_write(f, f->library, "std/one.lua",
                  "local sig = require 'lunasig' sig.policy { name = 'first' } sig.on('join', "
                  "function() end)");
    fixture_write(
        f, f->library, "std/two.lua",
        "local sig = require 'lunasig'\nsig.on('join', function() local x = nil; return x.y end)");
    fixture_use(
        f,
        "sig.use { 'std.one', 'std.two' } sig.on('join', function() return sig.deny('LATE') end)");
    struct lsig_member *member = fixture_member(f, 0, "ann", NULL);
    assert_int_equal(fixture_event(f, LSIG_HOOK_JOIN, member, NULL, NULL), LSIG_POLICY_ERROR);
    assert_string_equal(f->refusal.code, "POLICY_ERROR");
    assert_string_equal(f->refusal.message, "a policy failed");
    assert_string_equal(f->refusal.details, "{\"policy\":\"std.two\",\"version\":1}");
    assert_int_equal(f->metrics.hook_errors, 1);
    assert_int_equal(f->metrics.hook_calls, 2);
    fixture_refuses(f, "sig.use { 'std.one', 7 }", "entry 2 is a number, not the name of a policy");
    fixture_refuses(f, "sig.policy { name = 'x', api = 2 }", "this server has api = 1");
}

static void loading_is_bounded_in_time_and_memory(void **state)
{
    fixture_needs_ticks();
    struct fixture *f = *state;
    fixture_refuses(f, "while true do end",
                    "policy.lua:1: stopped after 1000 ms of processor time");
    fixture_refuses(f, "\nlocal t = {} while true do t[#t + 1] = ('x'):rep(10000) .. #t end",
                    "not enough memory: the files need more than 32 MiB");
    fixture_refuses(f, "sig.sleep(1)", "sig.sleep: only in a hook, not at the top level of a file");
    fixture_refuses(f, "sig.deny('X')", "sig.deny: only in a hook");
    fixture_use(f, "");
}

static void limits_can_only_be_lowered(void **state)
{
    struct fixture *f = *state;
    fixture_refuses(f,
                    "sig.limits { memory_mb = 4 } local t = {} while true do t[#t + 1] = "
                    "('x'):rep(10000) .. #t end",
                    "more than 4 MiB");
    fixture_refuses(f,
                    "sig.limits { memory_mb = 64 } local t = {} while true do t[#t + 1] = "
                    "('x'):rep(10000) .. #t end",
                    "more than 32 MiB");
    fixture_refuses(f, "sig.limits { cpu_ms = 0 }", "cpu_ms is 1 to 1000");
    fixture_refuses(f, "sig.limits { cpu = 5 }", "there is no 'cpu'");
}

static void declarations_in_a_hook_are_refused(void **state)
{
    struct fixture *f = *state;
    fixture_says(f, "sig.type 'x' {}", "sig.type: only while files are loaded, not in a hook");
    fixture_says(f, "sig.on('join', function() end)", "sig.on: only while files are loaded");
    fixture_says(f, "sig.use { 'x' }", "sig.use: only while files are loaded");
    fixture_says(f, "sig.limits { cpu_ms = 1000 }", "sig.limits: only while files are loaded");
}

static void the_shipped_policies_load_and_declare_all_types(void **state)
{
    (void)state;
    uv_loop_t loop;
    uv_loop_init(&loop);
    struct lsig_metrics metrics = {0};
    struct lsig_script_options options = {.loop = &loop,
                                          .policy_dir = LSIG_LUA_DIR,
                                          .library_dir = LSIG_LUA_DIR,
                                          .cpu_ms = 20,
                                          .wait_ms = 2000,
                                          .memory_bytes = 32 * 1024 * 1024,
                                          .waiting_max = 1000,
                                          .metrics = &metrics};
    struct lsig_script *script = lsig_script_new(&options);
    struct lsig_buf report;
    lsig_buf_init(&report, 65536);
    if (lsig_script_load(script, &report) != LSIG_OK) {
        fail_msg("%s", report.data);
    }
    // protocol: C = a client may send it, S = only the server
    static const char types[] =
        "C offer C answer C ice-candidate S user-joined S user-left S error S room-state C "
        "media-control "
        "C screen-share-control C chat-message S role-updated S permission-updated C "
        "recording-control "
        "C recording-status C file-share-offer C file-share-accept C file-share-reject C "
        "file-share-progress "
        "C file-share-complete C network-stats C quality-update C analytics-event S "
        "participant-update "
        "S room-settings-update C hand-raise S hand-raise-queue C waiting-room-join S "
        "waiting-room-admit "
        "S waiting-room-reject C reaction S breakout-room-create S breakout-room-assign S "
        "breakout-room-close "
        "C virtual-background-update S live-stream-start S live-stream-stop C e2ee-key-exchange "
        "C e2ee-ratchet-update S user-away S user-back S peer-joined S peer-left S token-expiring "
        "S ice-servers S draining S ack S pong S token-refreshed ";
    for (const char *at = types; *at != '\0'; at = strchr(at + 2, ' ') + 1) {
        char name[64];
        snprintf(name, sizeof(name), "%.*s", (int)(strchr(at + 2, ' ') - at - 2), at + 2);
        const struct lsig_rule *found = lsig_script_rule(script, lsig_span_of(name));
        if (found == NULL || (*at == 'C') != (found->from != 0)) {
            fail_msg("%s", name);
        }
        assert_string_equal(found->name, name);
        for (char *dash = strchr(name, '-'); dash != NULL; dash = strchr(dash, '-')) {
            *dash = '_';
        }
        assert_ptr_equal(lsig_script_rule(script, lsig_span_of(name)), found);
    }
    static const char *const signals[] = {"offer", "answer", "ice-candidate"};
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) { // Lua costs them nothing
        assert_false(lsig_script_rule(script, lsig_span_of(signals[i]))->has_hooks);
    }
    const struct lsig_rule *offer = lsig_script_rule(script, lsig_span_of("offer"));
    assert_true(offer->one_connection && offer->absent_broadcasts && offer->own_connection_rate);
    assert_int_equal(offer->rates[0].spec.burst, 1000);
    const struct lsig_rule *key = lsig_script_rule(script, lsig_span_of("e2ee-key-exchange"));
    assert_int_equal(key->to, LSIG_TO_TARGET);
    assert_false(key->absent_broadcasts);
    lsig_script_free(script, NULL, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    lsig_buf_clear(&report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(a_type_has_these_values_where_nothing_is_said),
        FIXTURE_TEST(a_type_takes_over_what_is_said),
        FIXTURE_TEST(extend_changes_only_what_it_names),
        FIXTURE_TEST(mistakes_in_a_type_name_the_place_and_what_to_write),
        FIXTURE_TEST(payload_schemas_become_what_they_say),
        FIXTURE_TEST(hooks_of_unknown_events_and_types_are_refused),
        FIXTURE_TEST(every_mistake_of_the_whole_is_reported_in_one_go),
        FIXTURE_TEST(errors_name_file_and_line),
        FIXTURE_TEST(require_looks_in_the_bundle_first_and_stays_inside),
        FIXTURE_TEST(links_may_not_lead_out_of_the_folder),
        FIXTURE_TEST(bytecode_and_large_files_are_refused),
        FIXTURE_TEST(a_bundle_has_at_most_500_files),
        FIXTURE_TEST(use_loads_policies_in_order_and_names_them),
        FIXTURE_TEST(loading_is_bounded_in_time_and_memory),
        FIXTURE_TEST(limits_can_only_be_lowered),
        FIXTURE_TEST(declarations_in_a_hook_are_refused),
        cmocka_unit_test(the_shipped_policies_load_and_declare_all_types),
    };
    return cmocka_run_group_tests_name("script/load", tests, NULL, NULL);
}
