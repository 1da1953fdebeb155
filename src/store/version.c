#include "store/version.h"

#include <mongoc/mongoc.h>
#include <sqlite3.h>

const char *lsig_version_sqlite(void)
{
    return sqlite3_libversion();
}

const char *lsig_version_mongoc(void)
{
    return mongoc_get_version();
}
