// version.h - the versions of the database libraries in use.
#pragma once

const char *lsig_version_sqlite(void); // static text
const char *lsig_version_mongoc(void); // likewise
