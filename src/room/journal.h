// journal.h - how to take back what a hook has changed since its last wait.
//
// Whatever changes the state of a room takes a journal and notes there how to undo the change.
// When the hook waits or returns, the notes are dropped; when it fails, they are followed backwards
// and the room is as it was. Notes point into rooms and members: the journal is settled before
// anybody else changes them, in the same turn of the loop.
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct lsig_undo {
    struct lsig_undo *next;                // the change before this one
    void (*back)(struct lsig_undo *undo);  // takes the change back; what the note owns is given on
    void (*clear)(struct lsig_undo *undo); // the change stays: frees what the note owns
};

struct lsig_journal {
    struct lsig_undo *last; // NULL: nothing to take back
};

// Allocates a note of that size, which begins with struct lsig_undo, and puts it into the journal.
// journal NULL (a change that nobody takes back): NULL, and the caller frees what it replaced.
void *lsig_journal_note(struct lsig_journal *journal,
                        size_t size,
                        void (*back)(struct lsig_undo *undo),
                        void (*clear)(struct lsig_undo *undo));
void lsig_journal_commit(struct lsig_journal *journal);   // empties it, the changes stay
void lsig_journal_rollback(struct lsig_journal *journal); // empties it, the changes are taken back
