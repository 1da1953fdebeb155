// vm.h - one LuaJIT state with a hard memory cap and the compiler off.
//
// The compiler stays off because compiled loops cannot be interrupted (see budget.h). All memory of
// the state comes from an allocator that counts: beyond the cap, and for any single block above
// LSIG_VM_BLOCK_MAX, Lua gets "not enough memory". The bound on blocks keeps every single operation
// of the interpreter (a concatenation, a copy of a table) short, whatever the cap is.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lsig_budget;
struct lsig_coverage;
struct lua_State;

enum { LSIG_VM_BLOCK_MAX = 8 * 1024 * 1024, LSIG_VM_CYCLES = 2, LSIG_VM_SPARE_CLASSES = 16 };

struct lsig_vm {
    struct lua_State *L;
    size_t used; // bytes
    size_t max;
    size_t left;        // of used, when garbage was last collected whole; 0: never
    size_t spare_bytes; // in blocks that are kept for use again, beside what is used; bounded
    void *spare[LSIG_VM_SPARE_CLASSES];
    bool exhausted;                 // a block was refused since this was last cleared
    struct lsig_budget *budget;     // of the thread that runs it now; set by whoever enters it
    void *owner;                    // whoever opened it
    struct lsig_coverage *coverage; // coverage.h; NULL: lines are not counted
    int collect_function; // reference: vm.c's, so that collecting needs no memory to begin
};

// False: max is too small even for an empty state, which is closed then.
bool lsig_vm_open(struct lsig_vm *vm, size_t max, void *owner);
void lsig_vm_close(struct lsig_vm *vm); // may run in any thread, while no other uses the state;
                                        // closing twice is fine
// Collects garbage for about that much processor time of the thread at most; whether all of it is
// collected, which is when LSIG_VM_CYCLES of the collector have ended since *cycles was 0: the
// first may have begun before what is garbage now was.
bool lsig_vm_collect(struct lsig_vm *vm, int64_t limit_us, int *cycles);
struct lsig_vm *lsig_vm_of(struct lua_State *L); // of any of its threads (coroutines)
