// loader.h - files of a bundle: where `require` looks, and what it refuses.
//
// `require "a.b"` is a/b.lua of the bundle, else of the library that ships; `require "lunasig"` is
// the interface itself. Names have letters, digits, `_` and `-` between dots. A file is text (no
// bytecode), at most 1 MiB, and lies inside of the folder also when links are followed.
#pragma once

struct lua_State;

void lsig_loader_register(struct lua_State *L); // adds `require`; the interface is on top of the
                                                // stack and is popped. Raises.
// Runs a module once; its value is left on the stack. Raises.
void lsig_loader_require(struct lua_State *L, const char *name);
void lsig_loader_run_main(struct lua_State *L); // the file that is loaded first; raises
