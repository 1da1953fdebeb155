// real_names.h - names of a test's rooms and users on a server that has others, too.
//
// Each test has an ending of its own, "-t" and six letters: `ann` is `ann-tk3f9qz` there. What goes
// out has it wherever a JSON string is one of the names, what comes in loses it everywhere, so that
// a test sees the names that it wrote. A name that was on the wire before it was known as one (a
// message named a user who came later) stays as it is, and so do those that would become too long.
// Whoever adds a name may know that policies look for it: then it has to stay, too.
#pragma once

#include "base/buf.h"
#include "base/span.h"

enum {
    LSIG_REAL_ENDING_SIZE = 9,
    LSIG_REAL_SAID_MAX = 8 * 1024 * 1024, // bytes in which names are looked for
};

struct lsig_real_name {
    struct lsig_real_name *next;
    char *plain; // as the test has it
    char *real;  // as the server has it
};

struct lsig_real_names {
    char ending[LSIG_REAL_ENDING_SIZE];
    struct lsig_real_name *first;
    struct lsig_buf said; // what was on the wire, as the test sees it
};

void lsig_real_names_init(struct lsig_real_names *names);
void lsig_real_names_clear(struct lsig_real_names *names);
// The name as the server has it; lives as long as the names. One that is new gets the ending, if it
// has `longest` bytes at most then; longest 0: it stays as it is.
const char *lsig_real_names_add(struct lsig_real_names *names, const char *plain, size_t longest);
// JSON as the server is to have it.
void lsig_real_names_put(struct lsig_real_names *names,
                         struct lsig_span text,
                         struct lsig_buf *out);
// The same for a path with its query, where names stand between / ? & and =.
void lsig_real_names_put_path(struct lsig_real_names *names,
                              struct lsig_span path,
                              struct lsig_buf *out);
// Text as the test is to have it.
void lsig_real_names_take(struct lsig_real_names *names,
                          struct lsig_span text,
                          struct lsig_buf *out);
