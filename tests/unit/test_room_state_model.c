// Random changes of all kinds against plain arrays, kept or taken back at random.
#include "test_room_fixture.h"

#include "room/state.h"

enum { STEPS = 20000, FIELDS = 10, ITEMS = 40, KEYS = 60, TEXT = 24, BOUND = 3000 };

struct item {
    char key[TEXT];
    char value[TEXT]; // "" for sets
};

struct modelled_field {
    enum lsig_state_kind kind;
    size_t max;
    size_t count;
    int64_t number;
    struct item items[ITEMS];
};

struct model {
    struct modelled_field fields[FIELDS];
};

struct world {
    struct lsig_hub *hub;
    struct lsig_room *room;
    struct lsig_state_field *fields[FIELDS];
    struct lsig_journal journal;
    struct model now;
    struct model before; // as of the last commit or rollback
    uint64_t random;
};

static int pick(struct world *world, int below)
{
    world->random ^= world->random << 13; // xorshift64 (Marsaglia 2003)
    world->random ^= world->random >> 7;
    world->random ^= world->random << 17;
    return (int)(world->random % (uint64_t)below);
}

static size_t bytes_of(const struct model *model)
{
    size_t bytes = 0;
    for (int f = 0; f < FIELDS; f++) {
        const struct modelled_field *field = &model->fields[f];
        bytes += field->number != 0 ? 8 : 0;
        for (size_t i = 0; i < field->count; i++) {
            bytes +=
                LSIG_STATE_ENTRY_COST + strlen(field->items[i].key) + strlen(field->items[i].value);
        }
    }
    return bytes;
}

static int find(const struct modelled_field *field, const char *key)
{
    for (size_t i = 0; i < field->count; i++) {
        if (strcmp(field->items[i].key, key) == 0) {
            return (int)i;
        }
    }
    return -1;
}

static void insert(struct modelled_field *field, size_t at, const char *key, const char *value)
{
    memmove(&field->items[at + 1], &field->items[at],
            (field->count - at) * sizeof(field->items[0]));
    snprintf(field->items[at].key, TEXT, "%s", key);
    snprintf(field->items[at].value, TEXT, "%s", value);
    field->count += 1;
}

static void take(struct modelled_field *field, size_t at)
{
    field->count -= 1;
    memmove(&field->items[at], &field->items[at + 1],
            (field->count - at) * sizeof(field->items[0]));
}

// What the model says when a change that was made in *next is asked for.
static enum lsig_status
settle(struct world *world, const struct model *next, int f, size_t bytes_before)
{
    bool more = bytes_of(next) > bytes_before;
    if (next->fields[f].count > next->fields[f].max || (more && bytes_of(next) > BOUND)) {
        return LSIG_TOO_BIG;
    }
    world->now = *next;
    return LSIG_OK;
}

static void random_value(struct world *world, char value[TEXT])
{
    snprintf(value, TEXT, "\"%.*s\"", pick(world, 20), "abcdefghijklmnopqrst");
}

static void step_keyed(struct world *world, int f, struct model *next)
{
    struct modelled_field *field = &next->fields[f];
    bool map = field->kind == LSIG_STATE_MAP;
    char key[TEXT];
    char value[TEXT] = "";
    snprintf(key, sizeof(key), "key%d", pick(world, KEYS));
    int at = find(field, key);
    if (pick(world, 10) < 4) {
        assert_int_equal(lsig_state_remove(world->fields[f], lsig_span_of(key), &world->journal),
                         at >= 0);
        if (at >= 0) {
            take(&world->now.fields[f], (size_t)at);
        }
        return;
    }
    if (map) {
        random_value(world, value);
    }
    size_t before = bytes_of(next);
    if (at < 0 && field->count == ITEMS) {
        return; // the model has no room to say no
    }
    if (at < 0) {
        insert(field, field->count, key, value);
    } else {
        snprintf(field->items[at].value, TEXT, "%s", value);
    }
    enum lsig_status expected = settle(world, next, f, before);
    struct lsig_span given = map ? lsig_span_of(value) : (struct lsig_span){NULL, 0};
    assert_int_equal(lsig_state_put(world->fields[f], lsig_span_of(key), given, &world->journal),
                     expected);
}

static void step_list(struct world *world, int f, struct model *next)
{
    struct modelled_field *field = &next->fields[f];
    char value[TEXT];
    random_value(world, value);
    size_t before = bytes_of(next);
    size_t at = (size_t)pick(world, (int)field->count + 1);
    at = pick(world, 3) == 0 ? 0 : at; // the ends more often
    if (pick(world, 10) < 4 && at < field->count) {
        lsig_state_take(world->fields[f], at, &world->journal);
        take(&world->now.fields[f], at);
        return;
    }
    if (pick(world, 4) == 0 && at < field->count) {
        snprintf(field->items[at].value, TEXT, "%s", value);
        enum lsig_status expected = settle(world, next, f, before);
        assert_int_equal(
            lsig_state_replace(world->fields[f], at, lsig_span_of(value), &world->journal),
            expected);
        return;
    }
    if (field->count == ITEMS) {
        return;
    }
    insert(field, at, "", value);
    bool end = at == field->count - 1;
    enum lsig_status expected = settle(world, next, f, before);
    assert_int_equal(
        end ? lsig_state_push(world->fields[f], lsig_span_of(value), &world->journal)
            : lsig_state_insert(world->fields[f], at, lsig_span_of(value), &world->journal),
        expected);
}

static void step_single(struct world *world, int f, struct model *next)
{
    struct modelled_field *field = &next->fields[f];
    char value[TEXT];
    size_t before = bytes_of(next);
    if (field->kind == LSIG_STATE_COUNTER) {
        field->number = pick(world, 5) - 2;
        enum lsig_status expected = settle(world, next, f, before);
        assert_int_equal(
            lsig_state_set_number(world->fields[f], next->fields[f].number, &world->journal),
            expected);
        return;
    }
    bool unset = pick(world, 3) == 0;
    random_value(world, value);
    field->count = 0;
    if (!unset) {
        insert(field, 0, "", value);
    }
    enum lsig_status expected = settle(world, next, f, before);
    struct lsig_span given = unset ? (struct lsig_span){NULL, 0} : lsig_span_of(value);
    assert_int_equal(lsig_state_set_value(world->fields[f], given, &world->journal), expected);
}

static void step(struct world *world)
{
    struct model next = world->now;
    int f = pick(world, FIELDS);
    if (pick(world, 200) == 0) {
        lsig_state_empty(world->fields[f], &world->journal);
        world->now.fields[f].count = 0;
        world->now.fields[f].number = 0;
        return;
    }
    switch (next.fields[f].kind) {
    case LSIG_STATE_SET:
    case LSIG_STATE_MAP:
        step_keyed(world, f, &next);
        break;
    case LSIG_STATE_LIST:
        step_list(world, f, &next);
        break;
    default:
        step_single(world, f, &next);
        break;
    }
}

static void check_field(const struct lsig_state_field *field, const struct modelled_field *model)
{
    size_t cursor = 0;
    struct lsig_span key;
    struct lsig_span value;
    bool counter = model->kind == LSIG_STATE_COUNTER;
    assert_int_equal(lsig_state_count(field), counter ? model->number != 0 : model->count);
    for (size_t i = 0; i < model->count; i++) {
        const struct item *item = &model->items[i];
        assert_true(lsig_state_next(field, &cursor, &key, &value));
        assert_true(lsig_span_is(key, item->key));
        assert_true(lsig_span_is(value, item->value));
        if (item->key[0] != '\0') {
            assert_ptr_equal(lsig_state_get(field, key).data, value.data);
            assert_true(lsig_state_has(field, lsig_span_of(item->key)));
        }
    }
    assert_false(lsig_state_next(field, &cursor, &key, &value));
    if (counter) {
        assert_int_equal(lsig_state_number(field), model->number);
    }
}

static void check(const struct world *world)
{
    for (int f = 0; f < FIELDS; f++) {
        check_field(world->fields[f], &world->now.fields[f]);
    }
    assert_int_equal(world->room->state_bytes, bytes_of(&world->now));
}

static void begin(struct world *world, uint64_t seed)
{
    static const enum lsig_state_kind kinds[] = {
        LSIG_STATE_SET, LSIG_STATE_MAP, LSIG_STATE_LIST, LSIG_STATE_COUNTER, LSIG_STATE_VALUE,
    };
    memset(world, 0, sizeof(*world));
    world->random = seed;
    world->hub = lsig_hub_new();
    world->room = lsig_hub_open(world->hub, lsig_span_of("blue"));
    struct lsig_room_bounds bounds = {BOUND, 1000, 5};
    lsig_hub_set_bounds(world->hub, &bounds);
    for (int f = 0; f < FIELDS; f++) {
        char name[8];
        struct modelled_field *field = &world->now.fields[f];
        field->kind = kinds[f % 5];
        field->max = f < 5 ? ITEMS : 12;
        snprintf(name, sizeof(name), "f%d", f);
        struct lsig_state *of =
            lsig_state_open(world->room, lsig_span_of(f % 2 == 0 ? "p" : "q"), 1);
        world->fields[f] =
            lsig_state_field_open(of, lsig_span_of(name), field->kind, (uint32_t)field->max);
    }
    world->before = world->now;
}

static void random_changes_kept_and_taken_back_agree_with_plain_arrays(void **state)
{
    (void)state;
    static struct world world;
    begin(&world, 0x9e3779b97f4a7c15);
    int refused = 0;
    for (int i = 0; i < STEPS; i++) {
        step(&world);
        refused += bytes_of(&world.now) > BOUND - 200;
        if (pick(&world, 8) == 0) {
            if (pick(&world, 2) == 0) {
                lsig_journal_commit(&world.journal);
            } else {
                lsig_journal_rollback(&world.journal);
                world.now = world.before;
            }
            world.before = world.now;
        }
        check(&world);
    }
    assert_true(refused > 100); // the bound has been felt
    lsig_journal_rollback(&world.journal);
    world.now = world.before;
    check(&world);
    lsig_state_clear(world.room);
    assert_int_equal(world.room->state_bytes, 0);
    lsig_room_unref(world.room);
    lsig_hub_free(world.hub);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_changes_kept_and_taken_back_agree_with_plain_arrays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
