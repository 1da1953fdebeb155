// version.h - the version of LuaJIT in use.
#pragma once

const char *lsig_version_luajit(void); // static text
