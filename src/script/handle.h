// handle.h - what Lua holds of rooms, members and messages: handles that expire when their hook
// ends.
//
// A handle belongs to one run of hooks. In any other place (a later hook, another hook meanwhile, a
// file's top level) using it is a Lua error. All userdata that policies can hold begin with their
// kind, so that a value can be checked without a search.
#pragma once

#include <stddef.h>
#include <stdint.h>

struct lua_State;
struct lsig_hook_run;

enum lsig_userdata_kind {
    LSIG_USERDATA_ROOM = 1,
    LSIG_USERDATA_MEMBER,
    LSIG_USERDATA_MESSAGE,
    LSIG_USERDATA_SCHEMA,
    LSIG_USERDATA_REQUEST,
    LSIG_USERDATA_STATE,
    LSIG_USERDATA_SET,
    LSIG_USERDATA_LIST,
    LSIG_USERDATA_MAP,
    LSIG_USERDATA_COUNTER,
    LSIG_USERDATA_PROPS,
    LSIG_USERDATA_CONTAINER,
    LSIG_USERDATA_COLLECTION,
    LSIG_USERDATA_MONGO,       // a collection of sig.mongo
    LSIG_USERDATA_MONGO_VALUE, // what sig.mongo.id, date and op make
    LSIG_USERDATA_METRIC,
    LSIG_USERDATA_TEST,
    LSIG_USERDATA_TEST_CLIENT
};

struct lsig_handle {
    enum lsig_userdata_kind kind;
    struct lsig_hook_run *run;
    uint64_t serial; // of the run when the handle was made
    void *thing;     // room or member; NULL for a message
};

// What a kind has. A field's function gets the handle at index 1, checked, and pushes one value.
struct lsig_handle_field {
    const char *name;
    int (*push)(struct lua_State *L, struct lsig_handle *handle);
};
// A field that can be set, to what stands at 3.
struct lsig_handle_setter {
    const char *name;
    void (*set)(struct lua_State *L, struct lsig_handle *handle);
};
struct lsig_handle_class {
    enum lsig_userdata_kind kind;
    const char *name; // "room"
    const struct lsig_handle_field *fields;
    size_t field_count;
    const struct lsig_handle_field *methods; // called with the handle at index 1
    size_t method_count;
    const struct lsig_handle_setter *setters;
    size_t setter_count;
};

void lsig_handle_register(struct lua_State *L,
                          const struct lsig_handle_class *class); // class is static; raises
// Makes a handle for the run and leaves it on the stack. Raises.
struct lsig_handle *lsig_handle_push(struct lua_State *L,
                                     enum lsig_userdata_kind kind,
                                     struct lsig_hook_run *run,
                                     void *thing);
// The handle at index, alive, or an error.
struct lsig_handle *
lsig_handle_check(struct lua_State *L, int index, const struct lsig_handle_class *class);
