#include "room/journal.h"

#include <stdlib.h>

#include "base/alloc.h"

void *lsig_journal_note(struct lsig_journal *journal,
                        size_t size,
                        void (*back)(struct lsig_undo *undo),
                        void (*clear)(struct lsig_undo *undo))
{
    if (journal == NULL) {
        return NULL;
    }
    struct lsig_undo *undo = lsig_alloc(size);
    undo->next = journal->last;
    undo->back = back;
    undo->clear = clear;
    journal->last = undo;
    return undo;
}

void lsig_journal_commit(struct lsig_journal *journal)
{
    while (journal->last != NULL) {
        struct lsig_undo *undo = journal->last;
        journal->last = undo->next;
        if (undo->clear != NULL) {
            undo->clear(undo);
        }
        free(undo);
    }
}

void lsig_journal_rollback(struct lsig_journal *journal)
{
    while (journal->last != NULL) {
        struct lsig_undo *undo = journal->last;
        journal->last = undo->next;
        undo->back(undo);
        free(undo);
    }
}
