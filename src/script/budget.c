#include "script/budget.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <lauxlib.h>
#include <lua.h>

#include "script/coverage.h"
#include "script/vm.h"

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

#define BUDGET_SIGNAL (SIGRTMIN + 5)

enum { FRAMES_LOOKED_AT = 20 };

static int64_t thread_cpu_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

// Notes where the limit was met, once: the innermost line of a policy. Chunks named "lunasig" are
// wrappers of ours.
static void note_place(lua_State *L, struct lsig_budget *budget)
{
    lua_Debug frame;
    for (int i = 0;
         budget->text[0] == '\0' && i < FRAMES_LOOKED_AT && lua_getstack(L, i, &frame) != 0; i++) {
        if (lua_getinfo(L, "Sl", &frame) != 0 && frame.currentline > 0 &&
            strcmp(frame.short_src, "lunasig") != 0) {
            snprintf(budget->text, sizeof(budget->text),
                     "%s:%d: stopped after %d ms of processor time", frame.short_src,
                     frame.currentline, (int)budget->told_ms);
        }
    }
}

// Leaves Lua. A coroutine yields, never to be resumed: that passes every pcall at once. Where it
// cannot (under a comparator of table.sort, at the top level of a file) an error is raised, and
// again at the next instruction if something catches it.
static void leave_lua(lua_State *L, lua_Debug *where)
{
    struct lsig_budget *budget = lsig_vm_of(L)->budget;
    (void)where;
    note_place(L, budget);
    if (lua_isyieldable(L)) {
        lua_yield(L, 0);
    }
    lua_pushstring(L, budget->text);
    lua_error(L);
}

// Async-signal-safe: reads a clock, stores words, and sets the hook, which LuaJIT allows from
// signal handlers. It is set again at every tick, because a finalizer that was interrupted puts the
// old hook back.
static void on_tick(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)context;
    struct lsig_budget *budget = info->si_value.sival_ptr;
    lua_State *L = budget->L;
    if (info->si_code != SI_TIMER || L == NULL) {
        return;
    }
    int64_t now_us = thread_cpu_us();
    if (budget->started_us == 0) {
        budget->started_us = now_us;
    }
    if (now_us - budget->started_us >= budget->limit_us) {
        budget->exceeded = 1;
        lua_sethook(L, leave_lua, LUA_MASKCALL | LUA_MASKRET | LUA_MASKCOUNT, 1);
    }
}

bool lsig_budget_open(struct lsig_budget *budget)
{
    *budget = (struct lsig_budget){.L = NULL};
    struct sigaction action = {.sa_sigaction = on_tick, .sa_flags = SA_SIGINFO | SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(BUDGET_SIGNAL, &action, NULL);
    sigset_t ticks;
    sigemptyset(&ticks);
    sigaddset(&ticks, BUDGET_SIGNAL);
    pthread_sigmask(SIG_UNBLOCK, &ticks, NULL);

    clockid_t clock;
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = BUDGET_SIGNAL};
    event.sigev_notify_thread_id = (pid_t)syscall(SYS_gettid);
    event.sigev_value.sival_ptr = budget;
    if (pthread_getcpuclockid(pthread_self(), &clock) != 0 ||
        timer_create(clock, &event, &budget->timer) != 0) {
        return false;
    }
    struct timespec tick = {.tv_nsec = LSIG_BUDGET_TICK_US * 1000L};
    struct itimerspec interval = {.it_interval = tick, .it_value = tick};
    timer_settime(budget->timer, 0, &interval, NULL);
    return true;
}

void lsig_budget_close(struct lsig_budget *budget)
{
    // A tick that is already pending for this thread is delivered before the call returns, while
    // the budget still exists.
    budget->L = NULL;
    timer_delete(budget->timer);
}

void lsig_budget_enter(struct lsig_budget *budget, lua_State *L, int64_t left_us, bool exact)
{
    assert(budget->L == NULL);
    struct lsig_vm *vm = lsig_vm_of(L);
    vm->budget = budget;
    vm->exhausted = false; // what an earlier call was refused and went on without is its own matter
    budget->exceeded = 0;
    budget->text[0] = '\0';
    budget->limit_us = vm->coverage != NULL ? left_us * LSIG_COVERAGE_SLOWER : left_us;
    budget->started_us = exact ? thread_cpu_us() : 0;
    atomic_signal_fence(memory_order_seq_cst);
    budget->L = L;
}

int64_t lsig_budget_leave(struct lsig_budget *budget)
{
    lua_State *L = budget->L;
    assert(L != NULL);
    budget->L = NULL;
    atomic_signal_fence(memory_order_seq_cst);
    if (budget->exceeded) {
        lsig_coverage_set_hook(L);
    }
    int64_t used_us = budget->started_us != 0 ? thread_cpu_us() - budget->started_us : 0;
    return lsig_vm_of(L)->coverage != NULL ? used_us / LSIG_COVERAGE_SLOWER : used_us;
}

void lsig_budget_poll(lua_State *L)
{
    struct lsig_budget *budget = lsig_vm_of(L)->budget;
    if (budget->exceeded) {
        note_place(L, budget);
        luaL_error(L, "stopped after %d ms of processor time", (int)budget->told_ms);
    }
}
