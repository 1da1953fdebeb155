#include "room/member_name.h"

#include <assert.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "room/journal.h"
#include "room/room.h"

struct name_change {
    struct lsig_undo undo;
    struct lsig_member *member;
    char *was;
};

static void free_name(const struct lsig_member *member, char *name)
{
    if (name != member->id) { // they share memory where they are equal
        free(name);
    }
}

static void name_back(struct lsig_undo *undo)
{
    const struct name_change *change = (const struct name_change *)undo;
    free_name(change->member, change->member->username);
    change->member->username = change->was;
}

static void name_clear(struct lsig_undo *undo)
{
    const struct name_change *change = (const struct name_change *)undo;
    free_name(change->member, change->was);
}

void lsig_member_name_set(struct lsig_member *member,
                          struct lsig_span name,
                          struct lsig_journal *journal)
{
    assert(!member->present && name.len > 0 && name.len <= LSIG_MEMBER_NAME_MAX);
    if (lsig_span_is(name, member->username)) {
        return;
    }
    char *was = member->username;
    bool as_id = lsig_span_is(name, member->id);
    member->username = as_id ? member->id : lsig_strndup(name.data, name.len);
    struct name_change *change = lsig_journal_note(journal, sizeof(*change), name_back, name_clear);
    if (change == NULL) {
        free_name(member, was);
        return;
    }
    change->member = member;
    change->was = was;
}
