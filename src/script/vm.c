#include "script/vm.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <lauxlib.h>
#include <lua.h>
#include <luajit.h>

#include "base/log.h"

// Garbage is collected before the heap has grown by a fifth: LuaJIT does not collect when the
// allocator refuses, so a lazier collector would report a full heap that is mostly garbage. State
// lives in rooms, not here, so heaps are small and this is cheap.
enum {
    GC_PAUSE_PERCENT = 120,
    STEP_KIB = 64, // what the collector works off between two looks at the time
};

#ifdef __has_feature // clang says it in this way
#define LSIG_VM_CLANG_ASAN __has_feature(address_sanitizer)
#else
#define LSIG_VM_CLANG_ASAN 0
#endif

// Lua frees and takes small blocks all the time, so some are kept, by size. Not under
// AddressSanitizer, which would not see that one is used after it was freed.
enum {
    SPARE_STEP = 16,
    SPARE_BYTES_MAX = 256 * 1024,
#if defined(__SANITIZE_ADDRESS__) || LSIG_VM_CLANG_ASAN
    SMALL_MAX = 0
#else
    SMALL_MAX = LSIG_VM_SPARE_CLASSES * SPARE_STEP
#endif
};

static size_t class_of(size_t size)
{
    return (size - 1) / SPARE_STEP;
}

static void *take_block(struct lsig_vm *vm, size_t size)
{
    if (size <= SMALL_MAX) {
        size_t class = class_of(size);
        void **block = vm->spare[class];
        size = (class + 1) * SPARE_STEP;
        if (block != NULL) {
            vm->spare[class] = *block;
            vm->spare_bytes -= size;
            return block;
        }
    }
    void *memory = malloc(size);
    if (memory == NULL) {
        abort();
    }
    return memory;
}

static void give_block(struct lsig_vm *vm, void *block, size_t size)
{
    if (block == NULL || size > SMALL_MAX || vm->spare_bytes >= SPARE_BYTES_MAX) {
        free(block);
        return;
    }
    size_t class = class_of(size);
    *(void **)block = vm->spare[class];
    vm->spare[class] = block;
    vm->spare_bytes += (class + 1) * SPARE_STEP;
}

static void free_spare(struct lsig_vm *vm)
{
    for (size_t i = 0; i < LSIG_VM_SPARE_CLASSES; i++) {
        while (vm->spare[i] != NULL) {
            void *next = *(void **)vm->spare[i];
            free(vm->spare[i]);
            vm->spare[i] = next;
        }
    }
    vm->spare_bytes = 0;
}

static void *resize_block(struct lsig_vm *vm, void *old, size_t old_size, size_t size)
{
    if (old_size > SMALL_MAX && size > SMALL_MAX) {
        void *memory = realloc(old, size);
        if (memory == NULL) {
            abort();
        }
        return memory;
    }
    if (old_size <= SMALL_MAX && size <= SMALL_MAX && class_of(old_size) == class_of(size)) {
        return old;
    }
    void *memory = take_block(vm, size);
    memcpy(memory, old, old_size < size ? old_size : size);
    give_block(vm, old, old_size);
    return memory;
}

static void *vm_allocate(void *context, void *old, size_t old_size, size_t size)
{
    struct lsig_vm *vm = context;
    if (size == 0) {
        vm->used -= old_size;
        give_block(vm, old, old_size);
        return NULL;
    }
    size_t others = vm->used - (old != NULL ? old_size : 0);
    bool grows = old == NULL || size > old_size;
    if (grows && (size > LSIG_VM_BLOCK_MAX || size > vm->max || others > vm->max - size)) {
        vm->exhausted = true;
        return NULL;
    }
    void *memory = old == NULL ? take_block(vm, size) : resize_block(vm, old, old_size, size);
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

// Called protected: shrinking the table of strings takes memory, and may fail. Leaves whether a
// cycle has ended.
static int collect(lua_State *L)
{
    lua_pushboolean(L, lua_gc(L, LUA_GCSTEP, STEP_KIB) == 1);
    return 1;
}

static int register_collect(lua_State *L)
{
    struct lsig_vm *vm = lsig_vm_of(L);
    lua_pushcfunction(L, collect);
    vm->collect_function = luaL_ref(L, LUA_REGISTRYINDEX);
    return 0;
}

static int64_t cpu_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

bool lsig_vm_collect(struct lsig_vm *vm, int64_t limit_us, int *cycles)
{
    lua_State *L = vm->L;
    int64_t end_us = cpu_us() + limit_us;
    while (*cycles < LSIG_VM_CYCLES && cpu_us() < end_us) {
        lua_rawgeti(L, LUA_REGISTRYINDEX, vm->collect_function);
        *cycles += lua_pcall(L, 0, 1, 0) == 0 && lua_toboolean(L, -1);
        lua_pop(L, 1);
    }
    if (*cycles < LSIG_VM_CYCLES) {
        return false;
    }
    vm->left = vm->used;
    return true;
}

bool lsig_vm_open(struct lsig_vm *vm, size_t max, void *owner)
{
    *vm = (struct lsig_vm){.max = max, .owner = owner};
    vm->L = lua_newstate(vm_allocate, vm);
    if (vm->L == NULL) {
        free_spare(vm);
        return false;
    }
    lua_atpanic(vm->L, vm_panic);
    luaJIT_setmode(vm->L, 0, LUAJIT_MODE_ENGINE | LUAJIT_MODE_OFF);
    lua_gc(vm->L, LUA_GCSETPAUSE, GC_PAUSE_PERCENT);
    if (lua_cpcall(vm->L, register_collect, NULL) != 0) {
        lsig_vm_close(vm);
        return false;
    }
    return true;
}

void lsig_vm_close(struct lsig_vm *vm)
{
    if (vm->L != NULL) {
        lua_close(vm->L);
        vm->L = NULL;
        free_spare(vm);
    }
}

struct lsig_vm *lsig_vm_of(lua_State *L)
{
    void *context;
    lua_getallocf(L, &context);
    return context;
}
