#include "room/directory.h"

#include <assert.h>
#include <stdlib.h>

#include "base/alloc.h"

struct lsig_directory {
    struct lsig_map members; // by user id
    struct lsig_map peers;   // connections by peer_id
};

static struct lsig_span peer_id_of(const struct lsig_connection *connection)
{
    return (struct lsig_span){connection->peer_id, LSIG_PEER_ID_SIZE - 1};
}

struct lsig_member *lsig_directory_member(const struct lsig_room *room, struct lsig_span user_id)
{
    if (room->directory != NULL) {
        return lsig_map_find(&room->directory->members, user_id);
    }
    for (struct lsig_member *at = room->first; at != NULL; at = at->next) {
        if (lsig_span_is(user_id, at->id)) {
            return at;
        }
    }
    return NULL;
}

struct lsig_connection *lsig_directory_peer(const struct lsig_room *room, struct lsig_span peer_id)
{
    if (room->directory != NULL) {
        return lsig_map_find(&room->directory->peers, peer_id);
    }
    for (uint32_t i = 0; i < room->connection_count; i++) {
        if (lsig_span_equal(peer_id, peer_id_of(room->connections[i]))) {
            return room->connections[i];
        }
    }
    return NULL;
}

static void make(struct lsig_room *room)
{
    struct lsig_directory *directory = lsig_alloc(sizeof(*directory));
    lsig_map_init(&directory->members);
    lsig_map_init(&directory->peers);
    for (struct lsig_member *at = room->first; at != NULL; at = at->next) {
        lsig_map_add(&directory->members, lsig_span_of(at->id), at);
    }
    for (uint32_t i = 0; i < room->connection_count; i++) {
        lsig_map_add(&directory->peers, peer_id_of(room->connections[i]), room->connections[i]);
    }
    room->directory = directory;
}

void lsig_directory_add(struct lsig_room *room, struct lsig_connection *connection)
{
    struct lsig_directory *directory = room->directory;
    if (directory == NULL) {
        if (room->connection_count >= LSIG_DIRECTORY_FROM) {
            make(room);
        }
        return;
    }
    lsig_map_add(&directory->peers, peer_id_of(connection), connection);
    struct lsig_span user_id = lsig_span_of(connection->member->id);
    if (lsig_map_find(&directory->members, user_id) == NULL) {
        lsig_map_add(&directory->members, user_id, connection->member);
    }
}

void lsig_directory_remove_peer(struct lsig_room *room, struct lsig_connection *connection)
{
    struct lsig_directory *directory = room->directory;
    if (directory == NULL) {
        return;
    }
    void *removed = lsig_map_remove(&directory->peers, peer_id_of(connection));
    assert(removed == connection);
    if (room->connection_count <= LSIG_DIRECTORY_UNTIL) {
        lsig_map_clear(&directory->members);
        lsig_map_clear(&directory->peers);
        free(directory);
        room->directory = NULL;
    }
}

void lsig_directory_remove_member(struct lsig_room *room, struct lsig_member *member)
{
    if (room->directory != NULL) {
        void *removed = lsig_map_remove(&room->directory->members, lsig_span_of(member->id));
        assert(removed == member);
    }
}
