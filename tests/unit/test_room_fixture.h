// test_room_fixture.h - people who come and go, for the tests of room.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "room/hub.h"

enum { NO_LIMIT = 1000000 };

static inline struct lsig_time at_ms(int64_t mono_ms)
{
    return (struct lsig_time){.mono_ms = mono_ms, .wall_ms = 1795000000000 + mono_ms};
}

// Brings a connection of the user in, as the flow does: a further one of a member who is present,
// else the first one of a new member.
static inline enum lsig_status try_enter(struct lsig_room *room,
                                         struct lsig_connection *connection,
                                         const char *user,
                                         uint32_t members_max)
{
    struct lsig_member *member = lsig_room_member(room, lsig_span_of(user));
    if (member != NULL) {
        lsig_member_ref(member);
    } else {
        member = lsig_member_new(room, lsig_span_of(user), lsig_span_of(user));
    }
    enum lsig_status status = lsig_room_enter(room, member, connection, members_max, at_ms(0));
    lsig_member_unref(member);
    return status;
}

static inline struct lsig_member *
enter(struct lsig_room *room, struct lsig_connection *connection, const char *user)
{
    assert_int_equal(try_enter(room, connection, user, NO_LIMIT), LSIG_OK);
    assert_string_equal(connection->member->id, user);
    return connection->member;
}

// The heir's id, or NULL.
static inline const char *leave_at(struct lsig_connection *connection, int64_t mono_ms)
{
    struct lsig_departure departure = lsig_room_leave(connection, at_ms(mono_ms));
    assert_null(connection->member);
    const char *heir = departure.heir != NULL ? departure.heir->id : NULL;
    lsig_member_unref(departure.left);
    return heir;
}

static inline const char *leave(struct lsig_connection *connection)
{
    return leave_at(connection, 0);
}

static inline enum lsig_role role_of(const struct lsig_room *room, const char *user)
{
    const struct lsig_member *member = lsig_room_member(room, lsig_span_of(user));
    assert_non_null(member);
    return (enum lsig_role)member->role;
}

struct place {
    struct lsig_hub *hub;
    struct lsig_room *room;
};

static inline int place_setup(void **state)
{
    static struct place place;
    place.hub = lsig_hub_new();
    place.room = lsig_hub_open(place.hub, lsig_span_of("blue"));
    *state = &place;
    return 0;
}

// Everybody has to have left.
static inline int place_teardown(void **state)
{
    struct place *place = *state;
    lsig_room_unref(place->room);
    lsig_hub_free(place->hub);
    return 0;
}

#define room_test(name) cmocka_unit_test_setup_teardown(name, place_setup, place_teardown)
