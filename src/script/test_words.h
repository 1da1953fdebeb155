// test_words.h - the texts that policies themselves have, apart from their tests.
#pragma once

#include <stdbool.h>

#include "base/span.h"

struct lsig_script;

// Whether a file of the bundle in force has this as a whole text in quotes: in a line that is in no
// comment, in no test's function and does not speak with a test's clients, as functions that tests
// share do.
bool lsig_test_words_has(const struct lsig_script *script, struct lsig_span word);
// Whether a file that is loaded has a function that waits in it: hooks may go on later than they
// began.
bool lsig_test_words_wait(const struct lsig_script *script);
