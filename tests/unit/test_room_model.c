// Random comings and goings against a model of plain arrays.
#include "test_room_fixture.h"

enum { ROOMS = 3, USERS = 30, PER_USER = 3, STEPS = 50000, MEMBERS_MAX = 20 };

struct modelled_user {
    int present;   // connections in the room
    int64_t since; // turn of joining
    enum lsig_role role;
    bool former;
    enum lsig_role remembered;
    int64_t spoke_last[PER_USER]
                      [USERS]; // turn in which that connection spoke to that user; 0: never
    int64_t joined[PER_USER];  // turn in which that connection came; 0: not here
};

struct modelled_room {
    struct modelled_user users[USERS];
    struct lsig_room *room;
    struct lsig_connection connections[USERS][PER_USER];
};

struct world {
    struct lsig_hub *hub;
    struct modelled_room rooms[ROOMS];
    uint64_t random;
    int64_t turn;
};

static int pick(struct world *world, int below)
{
    world->random ^= world->random << 13; // xorshift64 (Marsaglia 2003)
    world->random ^= world->random >> 7;
    world->random ^= world->random << 17;
    return (int)(world->random % (uint64_t)below);
}

static const char *name_of(int user)
{
    static char names[USERS][16];
    snprintf(names[user], sizeof(names[user]), "user%d", user);
    return names[user];
}

static int count_members(const struct modelled_room *model)
{
    int count = 0;
    for (int i = 0; i < USERS; i++) {
        count += model->users[i].present > 0;
    }
    return count;
}

static int find_host(const struct modelled_room *model)
{
    for (int i = 0; i < USERS; i++) {
        if (model->users[i].present > 0 && model->users[i].role == LSIG_HOST) {
            return i;
        }
    }
    return -1;
}

static int longest_present(const struct modelled_room *model, enum lsig_role role)
{
    int best = -1;
    for (int i = 0; i < USERS; i++) {
        const struct modelled_user *user = &model->users[i];
        if (user->present > 0 && user->role == role &&
            (best < 0 || user->since < model->users[best].since)) {
            best = i;
        }
    }
    return best;
}

static void model_enter(struct world *world, struct modelled_room *model, int u, int c)
{
    struct modelled_user *user = &model->users[u];
    if (user->present == 0) {
        user->role = user->former ? user->remembered : LSIG_PARTICIPANT;
        user->former = false;
        if (user->role != LSIG_OBSERVER && find_host(model) < 0) {
            user->role = LSIG_HOST;
        }
        user->since = world->turn;
    }
    user->present += 1;
    user->joined[c] = world->turn;
}

// The heir, or -1.
static int model_leave(struct modelled_room *model, int u, int c)
{
    struct modelled_user *user = &model->users[u];
    user->present -= 1;
    user->joined[c] = 0;
    memset(user->spoke_last[c], 0, sizeof(user->spoke_last[c]));
    if (user->present > 0) {
        return -1;
    }
    user->former = true;
    user->remembered = user->role == LSIG_HOST ? LSIG_MODERATOR : user->role;
    for (int i = 0; i < USERS; i++) {
        for (int k = 0; k < PER_USER; k++) {
            model->users[i].spoke_last[k][u] = 0;
        }
    }
    if (user->role != LSIG_HOST) {
        return -1;
    }
    int heir = longest_present(model, LSIG_MODERATOR);
    heir = heir >= 0 ? heir : longest_present(model, LSIG_PARTICIPANT);
    if (heir >= 0) {
        model->users[heir].role = LSIG_HOST;
    }
    return heir;
}

static void come(struct world *world, struct modelled_room *model, int u, int c)
{
    bool full = model->users[u].present == 0 && count_members(model) >= MEMBERS_MAX;
    enum lsig_status status =
        try_enter(model->room, &model->connections[u][c], name_of(u), MEMBERS_MAX);
    assert_int_equal(status, full ? LSIG_ROOM_FULL : LSIG_OK);
    if (!full) {
        model_enter(world, model, u, c);
    }
}

static void go(struct modelled_room *model, int u, int c)
{
    int heir = model_leave(model, u, c);
    const char *told = leave(&model->connections[u][c]);
    if (heir < 0) {
        assert_null(told);
    } else {
        assert_non_null(told);
        assert_string_equal(told, name_of(heir));
    }
}

static void speak(struct world *world, struct modelled_room *model, int u, int c)
{
    int to = pick(world, USERS);
    if (to != u && model->users[to].present > 0) {
        lsig_room_note_spoken(&model->connections[u][c],
                              lsig_room_member(model->room, lsig_span_of(name_of(to))));
        model->users[u].spoke_last[c][to] = world->turn;
    }
}

static void change_role(struct world *world, struct modelled_room *model, int u)
{
    if (model->users[u].role != LSIG_HOST) {
        model->users[u].role = (enum lsig_role)pick(world, LSIG_HOST);
        lsig_room_member(model->room, lsig_span_of(name_of(u)))->role =
            (uint8_t)model->users[u].role;
    }
}

static void check_user(const struct modelled_room *model, int u)
{
    const struct modelled_user *user = &model->users[u];
    const struct lsig_member *member = lsig_room_member(model->room, lsig_span_of(name_of(u)));
    assert_int_equal(lsig_room_is_former(model->room, lsig_span_of(name_of(u))), user->former);
    if (user->present == 0) {
        assert_null(member);
        return;
    }
    assert_non_null(member);
    assert_true(member->present);
    assert_int_equal(member->connection_count, user->present);
    assert_int_equal(member->role, user->role);
    int listed = 0;
    for (const struct lsig_connection *at = member->connections; at != NULL; at = at->next) {
        assert_ptr_equal(at->member, member);
        assert_ptr_equal(model->room->connections[at->index], at);
        assert_ptr_equal(lsig_room_peer(model->room, lsig_span_of(at->peer_id)), at);
        assert_true(at->next == NULL || at->next->join_seq < at->join_seq);
        listed += 1;
    }
    assert_int_equal(listed, user->present);
}

static void check_order(const struct modelled_room *model)
{
    int64_t last = 0;
    int count = 0;
    for (const struct lsig_member *at = model->room->first; at != NULL; at = at->next) {
        int64_t since = model->users[atoi(at->id + 4)].since;
        assert_true(since > last);
        last = since;
        count += 1;
    }
    assert_int_equal(count, count_members(model));
    assert_int_equal(model->room->member_count, count);
}

static void check_spoken(const struct modelled_room *model, int u, int to)
{
    const struct modelled_user *user = &model->users[u];
    if (u == to || user->present == 0 || model->users[to].present == 0) {
        return;
    }
    int best = -1;
    int64_t best_turn = 0;
    for (int c = 0; c < PER_USER; c++) {
        if (user->joined[c] > 0 && user->spoke_last[c][to] > best_turn) {
            best = c;
            best_turn = user->spoke_last[c][to];
        }
    }
    for (int c = 0; best_turn == 0 && c < PER_USER; c++) {
        if (user->joined[c] > 0 && (best < 0 || user->joined[c] > user->joined[best])) {
            best = c;
        }
    }
    assert_ptr_equal(lsig_room_spoken_to(lsig_room_member(model->room, lsig_span_of(name_of(u))),
                                         lsig_room_member(model->room, lsig_span_of(name_of(to)))),
                     &model->connections[u][best]);
}

static void check_room(struct world *world, const struct modelled_room *model)
{
    int connections = 0;
    for (int u = 0; u < USERS; u++) {
        check_user(model, u);
        check_spoken(model, u, pick(world, USERS));
        connections += model->users[u].present;
    }
    assert_int_equal(model->room->connection_count, connections);
    check_order(model);
    int host = find_host(model);
    assert_int_equal(lsig_room_host(model->room) != NULL, host >= 0);
}

static void check_hub(const struct world *world)
{
    int members = 0;
    int occupied = 0;
    for (int i = 0; i < ROOMS; i++) {
        int count = count_members(&world->rooms[i]);
        members += count;
        occupied += count > 0;
    }
    assert_int_equal(lsig_hub_member_count(world->hub), members);
    assert_int_equal(lsig_hub_room_count(world->hub), occupied);
}

static void step(struct world *world)
{
    struct modelled_room *model = &world->rooms[pick(world, ROOMS)];
    int u = pick(world, USERS);
    int c = pick(world, PER_USER);
    // The rooms fill and empty in turns.
    bool filling = world->turn / 2000 % 2 == 0;
    world->turn += 1;
    if (model->users[u].joined[c] == 0) {
        if (filling || pick(world, 4) == 0) {
            come(world, model, u, c);
        }
    } else if (!filling || pick(world, 4) == 0) {
        go(model, u, c);
    } else if (pick(world, 8) == 0) {
        change_role(world, model, u);
    } else {
        speak(world, model, u, c);
    }
    if (world->turn % 16 == 0) {
        check_room(world, model);
        check_hub(world);
    }
}

static void rooms_behave_as_plain_arrays_do_over_50000_steps(void **state)
{
    (void)state;
    struct world *world = calloc(1, sizeof(*world));
    world->hub = lsig_hub_new();
    world->random = 20261122;
    for (int i = 0; i < ROOMS; i++) {
        char id[8];
        snprintf(id, sizeof(id), "room%d", i);
        world->rooms[i].room = lsig_hub_open(world->hub, lsig_span_of(id));
    }
    for (int i = 0; i < STEPS; i++) {
        step(world);
    }
    for (int i = 0; i < ROOMS; i++) {
        struct modelled_room *model = &world->rooms[i];
        for (int k = 0; k < USERS * PER_USER; k++) {
            if (model->users[k / PER_USER].joined[k % PER_USER] > 0) {
                go(model, k / PER_USER, k % PER_USER);
            }
        }
        check_room(world, model);
        lsig_room_unref(model->room);
    }
    check_hub(world);
    lsig_hub_free(world->hub);
    free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rooms_behave_as_plain_arrays_do_over_50000_steps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
