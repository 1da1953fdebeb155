// routes.h - which HTTP request is answered by what.
#pragma once

#include "net/http.h"

// Answers the request, or begins to: everything but WebSocket upgrades.
void lsig_routes_handle(struct lsig_http *http);
// How many bytes the body of the request may have.
size_t lsig_routes_body_max(const struct lsig_http *http);
// Of a path of the form /webrtc/ws/{room_id}: 200 with *room_id pointing into it, 400 for a bad
// room id, 404 for any other path.
int lsig_routes_check_room_path(const char *path, const char **room_id);
