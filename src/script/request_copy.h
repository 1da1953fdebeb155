// request_copy.h - a request of one's own: for hooks that wait, when what it was read from is gone.
#pragma once

struct lsig_script_request;

// One allocation that holds all its texts. request->claims and room_id of the copy may be pointed
// elsewhere. Released with lsig_request_free.
struct lsig_script_request *lsig_request_copy(const struct lsig_script_request *request);
void lsig_request_free(struct lsig_script_request *request); // NULL is fine
