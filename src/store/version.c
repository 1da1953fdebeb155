#include "store/version.h"

#include <sqlite3.h>

const char *lsig_version_sqlite(void)
{
    return sqlite3_libversion();
}
