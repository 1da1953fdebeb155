#include "script/vm.h"

#include <stdlib.h>

#include <lua.h>
#include <luajit.h>

#include "base/log.h"

// Garbage is collected before the heap has grown by a fifth: LuaJIT does not collect when the
// allocator refuses, so a lazier collector would report a full heap that is mostly garbage. State
// lives in rooms, not here, so heaps are small and this is cheap.
enum { GC_PAUSE_PERCENT = 120 };

static void *vm_allocate(void *context, void *old, size_t old_size, size_t size)
{
    struct lsig_vm *vm = context;
    if (size == 0) {
        vm->used -= old_size;
        free(old);
        return NULL;
    }
    size_t others = vm->used - (old != NULL ? old_size : 0);
    bool grows = old == NULL || size > old_size;
    if (grows && (size > LSIG_VM_BLOCK_MAX || size > vm->max || others > vm->max - size)) {
        vm->exhausted = true;
        return NULL;
    }
    void *memory = realloc(old, size);
    if (memory == NULL) {
        abort();
    }
    vm->used = others + size;
    return memory;
}

// Reached only if Lua was entered unprotected, which is a fault of ours.
static int vm_panic(lua_State *L)
{
    const char *text = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "no text";
    lsig_log(LSIG_ERROR, "lua-panic", LSIG_LOG_TEXT("error", text));
    lsig_log_close();
    abort();
}

bool lsig_vm_open(struct lsig_vm *vm, size_t max, void *owner)
{
    *vm = (struct lsig_vm){.max = max, .owner = owner};
    vm->L = lua_newstate(vm_allocate, vm);
    if (vm->L == NULL) {
        return false;
    }
    lua_atpanic(vm->L, vm_panic);
    luaJIT_setmode(vm->L, 0, LUAJIT_MODE_ENGINE | LUAJIT_MODE_OFF);
    lua_gc(vm->L, LUA_GCSETPAUSE, GC_PAUSE_PERCENT);
    return true;
}

void lsig_vm_close(struct lsig_vm *vm)
{
    if (vm->L != NULL) {
        lua_close(vm->L);
        vm->L = NULL;
    }
}

struct lsig_vm *lsig_vm_of(lua_State *L)
{
    void *context;
    lua_getallocf(L, &context);
    return context;
}
