// admin.h - the admin API: the commands of operate.h over HTTP, on an address of its own, with a
// key of its own. Off unless ADMIN_KEY is set.
//
//   GET    /admin/v1/status, /rooms, /rooms/{room}, /users/{user}     ?limit= ?addresses=true
//   POST   /admin/v1/rooms/{room}/broadcast, …/kick, …/close
//   DELETE /admin/v1/rooms/{room}/members/{user}
//   POST   /admin/v1/broadcast, /revoke, /log, /reload, /drain
//   GET    /admin/v1/policy
//   POST   /admin/v1/policy/load, …/use, …/rollback, …/discard
//
// Bodies are JSON objects with the members of operate_request.h that the path does not say. There
// is no CORS here: browsers have no business with it.
#pragma once

#include "net/http.h"

struct lsig_admin;

struct lsig_admin *lsig_admin_new(struct lsig_operate *operate, const char *key); // key is borrowed
void lsig_admin_free(struct lsig_admin *admin);                                   // NULL is fine
// Answers a request that came to the admin listener.
void lsig_admin_handle(struct lsig_http *http);
