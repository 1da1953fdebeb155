lsig_unit_test(store_sqlite_store lsig_store PkgConfig::LIBUV PkgConfig::SQLITE)
lsig_unit_test(store_sqlite_refresh lsig_store PkgConfig::SQLITE)
