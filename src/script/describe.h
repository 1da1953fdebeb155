// describe.h - what the policies in force declare, in the words of OpenAPI 3.1 and AsyncAPI 3.
//
// Everything comes in the order of its name, so that the same bundle gives the same text.
#pragma once

#include "base/buf.h"

struct lsig_script;

// The routes as members of "paths": {"/webrtc/rooms/{room}/queue": {"get": OPERATION, …}, …}.
// Operations refer to the responses that are named by their status in "components".
void lsig_describe_routes(const struct lsig_script *script, struct lsig_buf *buf);

// The message types: as members of the channel's "messages" (references), of "operations", and of
// "messages" in "components".
void lsig_describe_channel(const struct lsig_script *script, struct lsig_buf *buf);
void lsig_describe_operations(const struct lsig_script *script, struct lsig_buf *buf);
void lsig_describe_messages(const struct lsig_script *script, struct lsig_buf *buf);
// A rate as it is written: "10/s burst 100 per connection"; prints a text of an array.
struct lsig_rate_spec;
void lsig_describe_rate(struct lsig_buf *buf, const struct lsig_rate_spec *spec);
