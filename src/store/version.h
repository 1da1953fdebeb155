// version.h - the version of the database library in use.
#pragma once

const char *lsig_version_sqlite(void); // static text
