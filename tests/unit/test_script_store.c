#include "test_script_fixture.h"

#include "store/sqlite_store.h"

// A store that answers in the next turn of the loop, with what the test has laid down; and one of
// SQLite, for the way through.
struct fake {
    struct lsig_document_store store;
    struct lsig_document_call call; // the last one
    enum lsig_status ready;
    int calls;
    int64_t expires_ms;
    int64_t by;
    char json[256];
};

struct store_fixture {
    struct fixture *f;
    struct fake fake;
    struct lsig_sqlite_store *sqlite;
    struct lsig_document_store documents;
    char data[96];
    bool freed;
    struct ending end;
};

static enum lsig_status fake_ready(void *self)
{
    return ((struct fake *)self)->ready;
}

static void take(struct fake *fake, struct lsig_document_call call)
{
    fake->call = call;
    fake->calls++;
}

static void
fake_name(void *self, const struct lsig_document_name *name, struct lsig_document_call call)
{
    (void)name;
    take(self, call);
}

static void fake_put(void *self,
                     const struct lsig_document_name *name,
                     const struct lsig_document_write *write,
                     struct lsig_document_call call)
{
    struct fake *fake = self;
    fake->expires_ms = write->expires_ms > 0 ? write->expires_ms - name->now_ms : 0;
    snprintf(fake->json, sizeof(fake->json), "%.*s", LSIG_SPAN_ARG(write->json));
    take(fake, call);
}

static void
fake_list(void *self, const struct lsig_document_query *query, struct lsig_document_call call)
{
    (void)query;
    take(self, call);
}

static void fake_incr(void *self,
                      const struct lsig_document_name *name,
                      const struct lsig_counter_change *change,
                      struct lsig_document_call call)
{
    struct fake *fake = self;
    fake->expires_ms = change->expires_ms > 0 ? change->expires_ms - name->now_ms : 0;
    fake->by = change->by;
    take(fake, call);
}

static void answer(struct store_fixture *s,
                   enum lsig_status status,
                   const struct lsig_document_outcome *outcome)
{
    struct lsig_document_outcome nothing = {0};
    s->fake.call.on_done(s->fake.call.arg, status, outcome != NULL ? outcome : &nothing);
}

static int set_up(void **state)
{
    struct store_fixture *s = lsig_alloc(sizeof(*s));
    fixture_setup((void **)&s->f);
    s->fake.store = (struct lsig_document_store){.self = &s->fake,
                                                 .ready = fake_ready,
                                                 .get = fake_name,
                                                 .put = fake_put,
                                                 .remove = fake_name,
                                                 .list = fake_list,
                                                 .count = fake_name,
                                                 .incr = fake_incr};
    *state = s;
    return 0;
}

static void begin_with(struct store_fixture *s, const struct lsig_document_store *documents)
{
    struct fixture *f = s->f;
    lsig_script_free(f->script, NULL, NULL);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    f->options.documents = documents;
    f->script = lsig_script_new(&f->options);
}

static void begin_with_sqlite(struct store_fixture *s)
{
    char error[LSIG_SQLITE_STORE_ERROR_SIZE];
    snprintf(s->data, sizeof(s->data), "%s/data", s->f->folder);
    assert_int_equal(lsig_sqlite_store_open(&s->sqlite, &s->f->loop, s->data, error), LSIG_OK);
    s->documents = lsig_sqlite_store_documents(s->sqlite);
    begin_with(s, &s->documents);
}

static int tear_down(void **state)
{
    struct store_fixture *s = *state;
    if (s->sqlite != NULL) {
        lsig_sqlite_store_free(s->sqlite, NULL, NULL);
    }
    int failed = fixture_teardown((void **)&s->f);
    free(s);
    return failed;
}

// Runs `body` in a join hook, which may wait: what it returns, or its error, comes as a refusal.
static void run(struct store_fixture *s, const char *body)
{
    struct fixture *f = s->f;
    struct lsig_buf text;
    lsig_buf_init(&text, 65536);
    lsig_buf_append_format(&text,
                           "local notes = sig.store 'notes' sig.on('join', function(room, member) "
                           "local ok, said = pcall(function() %s end) "
                           "return sig.deny('SAID', tostring(said):sub(1, 250)) end)",
                           body);
    fixture_use(f, text.data);
    lsig_buf_clear(&text);
    if (f->members[0] == NULL) {
        fixture_member(f, 0, "zoe", NULL);
    }
    s->end = (struct ending){0};
    (void)fixture_event(f, LSIG_HOOK_JOIN, f->members[0], fixture_on_done, &s->end);
}

static char said[LSIG_REFUSAL_MESSAGE_SIZE];

static void on_said(void *arg, enum lsig_status status, struct lsig_hook_result *result)
{
    struct ending *ending = arg;
    ending->status = status;
    ending->calls++;
    snprintf(said, sizeof(said), "%s", result->refusal.message);
}

// The same over all its waits.
static void says(struct store_fixture *s, const char *body, const char *wanted)
{
    struct fixture *f = s->f;
    struct lsig_buf text;
    lsig_buf_init(&text, 65536);
    lsig_buf_append_format(&text,
                           "local notes = sig.store 'notes' sig.on('join', function(room, member) "
                           "local ok, said = pcall(function() %s end) "
                           "return sig.deny('SAID', tostring(said):sub(1, 250)) end)",
                           body);
    fixture_use(f, text.data);
    lsig_buf_clear(&text);
    if (f->members[0] == NULL) {
        fixture_member(f, 0, "zoe", NULL);
    }
    s->end = (struct ending){0};
    enum lsig_status status = fixture_event(f, LSIG_HOOK_JOIN, f->members[0], on_said, &s->end);
    if (status == LSIG_WAITING) {
        fixture_wait_for(f, &s->end.calls, 1);
    } else {
        snprintf(said, sizeof(said), "%s", f->refusal.message);
    }
    if (strstr(said, wanted) == NULL) {
        fail_msg("%s\n  said: %s\n  wanted: %s", body, said, wanted);
    }
}

static void documents_and_counters_come_back_from_the_file(void **state)
{
    struct store_fixture *s = *state;
    begin_with_sqlite(s);
    says(s,
         "assert(notes:get('k') == nil)"
         "assert(notes:put('k', { a = { 1, 2 }, none = sig.json.array {} }) == true)"
         "assert(notes:put('k', {}, { if_absent = true }) == false)"
         "return sig.json.encode(notes:get('k').a) .. "
         "sig.json.encode(sig.store.notes:get('k').none)",
         "[1,2][]");
    says(s,
         "assert(notes:count('hits') == 0) notes:incr('hits') notes:incr('hits', 41)"
         "return notes:count('hits') .. ' ' .. notes:incr('hits', -2, { ttl = '1h' })",
         "42 40");
    says(s,
         "assert(notes:remove('k') == true) assert(notes:remove('k') == false)"
         "return tostring(notes:get('k'))",
         "nil");
    says(s,
         "for i = 1, 5 do notes:put('p' .. i, { i = i }) end notes:put('q', {})"
         "local list, found = notes:list { prefix = 'p', after = 'p1', limit = 3 }, {}"
         "for i, one in ipairs(list) do found[i] = one.key .. one.value.i end "
         "return table.concat(found, ',') .. #notes:list() .. #notes:list { prefix = 'none' }",
         "p22,p33,p4460");
}

static void what_has_expired_is_not_found(void **state)
{
    struct store_fixture *s = *state;
    begin_with_sqlite(s);
    says(s,
         "notes:put('k', {}, { ttl = '500ms' }) assert(notes:get('k')) sig.sleep('600ms')"
         "return tostring(notes:get('k'))",
         "nil");
}

static void wrong_arguments_are_errors_that_name_the_function(void **state)
{
    static const struct {
        const char *body;
        const char *wanted;
    } cases[] = {
        {"notes.get('k')", "sig.store:get: it is a method of a collection"},
        {"notes:get()", "sig.store:get: a key is a text, not a nil"},
        {"notes:get(5)", "sig.store:get: a key is a text, not a number"},
        {"notes:get('')", "a key has 1 to 256 bytes"},
        {"notes:get(('k'):rep(257))", "a key has 1 to 256 bytes"},
        {"notes:get('a\\0b')", "a key has 1 to 256 bytes"},
        {"notes:get('\\255')", "a key has 1 to 256 bytes"},
        {"notes:put('k', 'text')", "sig.store:put: a document is a table, not a string"},
        {"notes:put('k', { f = print })", "sig.store:put: the document: a value is neither"},
        {"notes:put('k', { ('x'):rep(65536) })", "(at most 65536 bytes of JSON)"},
        {"local t = {} for i = 1, 2000 do t[i] = i end notes:put('k', t)", "sig.store:put: "},
        {"notes:put('k', {}, { tll = 1 })", "there is no option 'tll'; did you mean 'ttl'?"},
        {"notes:put('k', {}, { ttl = 'soon' })", "sig.store:put: ttl is a time"},
        {"notes:put('k', {}, { ttl = 0 })", "ttl is a time"},
        {"notes:put('k', {}, { ttl = math.huge })", "ttl is a time"},
        {"notes:put('k', {}, 5)", "options are a table, not a number"},
        {"notes:incr('k', 0.5)", "sig.store:incr: write a whole number"},
        {"notes:incr('k', 0/0)", "write a whole number"},
        {"notes:incr('k', 2^53 + 2)", "write a whole number"},
        {"notes:list { limit = 0 }", "sig.store:list: limit is a whole number from 1 to 1000"},
        {"notes:list { limit = 1001 }", "limit is a whole number"},
        {"notes:list { prefix = 5 }", "sig.store:list: prefix is the beginning of a key"},
        {"sig.store('a b')", "sig.store: the name of a collection has 1 to 64"},
        {"sig.store(('a'):rep(65))", "sig.store: the name of a collection"},
        {"sig.store.notes = 1", "a collection is written by its methods"},
        {"notes:gett('k')", "did you mean 'get'?"},
        {"return getmetatable(notes)", "protected"},
        {"return getmetatable(sig.store)", "protected"},
        {"sig.redis:get('k')", "sig.redis: this version of lunasig does not speak to Redis"},
        {"sig.mongo.users:find_one {}", "sig.mongo:find_one: there is no MongoDB: set MONGODB_URL"},
        {"sig.mongo.users:insert {}", "sig.store keeps documents and counters with it and without"},
        {"sig.mongo.users.find_one {}", "sig.mongo:find_one: it is a method of a collection"},
        {"sig.mongo('a b')", "sig.mongo: the name of a collection has 1 to 64"},
        {"sig.mongo.id('x')", "sig.mongo.id: an ObjectId is a text of 24 hexadecimal digits"},
        {"sig.mongo.date('x')", "sig.mongo.date: a date is a number of milliseconds"},
        {"sig.mongo.op.inc('x')", "op.inc: write the number that is added"},
        {"sig.mongo.op.gt()", "op.gt: write what it compares with"},
        {"sig.mongo.op {}", "op: write its conditions"},
        {"sig.mongo.op { inc = 1 }", "op: inc is of updates"},
        {"sig.mongo.op.gt = 1", "op: it is read-only"},
        {"sig.mongo.users = 1", "sig.mongo: a collection is changed by its methods"},
        {"return getmetatable(sig.mongo)", "protected"},
        {"return getmetatable(sig.mongo.id(('a'):rep(24)))", "protected"},
        {"sig.redis.x = 1", "sig.redis: this version"},
    };
    struct store_fixture *s = *state;
    begin_with(s, &s->fake.store);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        says(s, cases[i].body, cases[i].wanted);
        assert_int_equal(s->fake.calls, 0);
    }
}

static void the_error_names_the_line_of_the_policy(void **state)
{
    struct store_fixture *s = *state;
    begin_with(s, &s->fake.store);
    says(s, "\n\nnotes:get(5)", "policy.lua:3: sig.store:get");
}

static void where_nothing_waits_the_store_is_not_asked(void **state)
{
    struct store_fixture *s = *state;
    begin_with(s, &s->fake.store);
    fixture_refuses(s->f, "sig.store.notes:put('k', {})", "sig.store:put: only in a hook");
    fixture_refuses(s->f, "sig.store.notes:get('k')",
                    "policy.lua:1: sig.store:get: only in a hook");
    says(s, "table.sort({ 1, 2, 3 }, function(a, b) notes:put('k', {}) return a < b end)",
         "a comparator of table.sort may not wait");
    assert_int_equal(s->fake.calls, 0);
}

static void without_a_store_it_says_so(void **state)
{
    struct store_fixture *s = *state;
    says(s, "notes:get('k')", "sig.store:get: there is no store here");
}

static void a_store_that_is_busy_or_closing_is_an_error_at_once(void **state)
{
    struct store_fixture *s = *state;
    begin_with(s, &s->fake.store);
    s->fake.ready = LSIG_BUSY;
    says(s, "notes:incr('k')", "sig.store:incr: too many calls wait for the store already");
    s->fake.ready = LSIG_DRAINING;
    says(s, "notes:incr('k')", "sig.store:incr: the server is shutting down");
    assert_int_equal(s->fake.calls, 0);
}

static void a_database_that_fails_is_an_error_with_its_text(void **state)
{
    struct store_fixture *s = *state;
    begin_with(s, &s->fake.store);
    run(s, "error(select(2, pcall(notes.put, notes, 'k', {})) .. '!', 0)");
    assert_int_equal(s->fake.calls, 1);
    struct lsig_document_outcome outcome = {.error = "database or disk is full"};
    answer(s, LSIG_INTERNAL_ERROR, &outcome);
    assert_int_equal(s->end.calls, 1);
    assert_string_equal(s->end.code, "SAID");
    begin_with(s, &s->fake.store);
    run(s, "return notes:incr('k')");
    answer(s, LSIG_TOO_BIG, NULL);
    assert_string_equal(s->end.code, "SAID");
}

static void a_damaged_document_is_an_error(void **state)
{
    struct store_fixture *s = *state;
    static const char *const broken[] = {"{\"a\":", "", "[1,2", "\"x", "{\"a\" 1}", "tru"};
    begin_with(s, &s->fake.store);
    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        run(s, "local ok, why = pcall(notes.get, notes, 'k') assert(not ok, 'read') "
               "assert(why:find('it is damaged', 1, true), why) error('FINE')");
        struct lsig_document document = {lsig_span_of("k"), lsig_span_of(broken[i])};
        struct lsig_document_outcome outcome = {.documents = &document, .count = 1};
        answer(s, LSIG_OK, &outcome);
        assert_int_equal(s->end.calls, 1);
    }
}

static void times_are_passed_on(void **state)
{
    struct store_fixture *s = *state;
    begin_with(s, &s->fake.store);
    run(s, "notes:put('k', { n = 1.5 }, { ttl = '2min' })");
    assert_true(s->fake.expires_ms == 120000);
    assert_string_equal(s->fake.json, "{\"n\":1.5}");
    answer(s, LSIG_OK, NULL);
    run(s, "notes:put('k', {}) ");
    assert_true(s->fake.expires_ms == 0);
    answer(s, LSIG_OK, NULL);
    run(s, "notes:incr('k', -3, { ttl = 0.25 })");
    assert_true(s->fake.expires_ms == 250 && s->fake.by == -3);
    answer(s, LSIG_OK, NULL);
}

static void an_answer_that_comes_too_late_finds_nobody(void **state)
{
    struct store_fixture *s = *state;
    s->f->options.wait_ms = 20;
    begin_with(s, &s->fake.store);
    run(s, "return notes:get('k')");
    fixture_wait_for(s->f, &s->end.calls, 1);
    struct lsig_document document = {lsig_span_of("k"), lsig_span_of("{}")};
    struct lsig_document_outcome outcome = {.documents = &document, .count = 1};
    answer(s, LSIG_OK, &outcome);
    assert_int_equal(s->end.calls, 1);
}

static void an_answer_may_come_after_the_policies_have_gone(void **state)
{
    struct store_fixture *s = *state;
    begin_with(s, &s->fake.store);
    run(s, "return notes:get('k')");
    begin_with(s, &s->fake.store);
    assert_int_equal(s->end.calls, 1);
    assert_int_equal(s->end.status, LSIG_DRAINING);
    answer(s, LSIG_NOT_FOUND, NULL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(documents_and_counters_come_back_from_the_file),
        TEST(what_has_expired_is_not_found),
        TEST(wrong_arguments_are_errors_that_name_the_function),
        TEST(the_error_names_the_line_of_the_policy),
        TEST(where_nothing_waits_the_store_is_not_asked),
        TEST(without_a_store_it_says_so),
        TEST(a_store_that_is_busy_or_closing_is_an_error_at_once),
        TEST(a_database_that_fails_is_an_error_with_its_text),
        TEST(a_damaged_document_is_an_error),
        TEST(times_are_passed_on),
        TEST(an_answer_that_comes_too_late_finds_nobody),
        TEST(an_answer_may_come_after_the_policies_have_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
