lsig_unit_test(store_sqlite_store lsig_store PkgConfig::LIBUV PkgConfig::SQLITE)
lsig_unit_test(store_sqlite_refresh lsig_store PkgConfig::SQLITE)
lsig_unit_test(store_sqlite_documents lsig_store PkgConfig::LIBUV PkgConfig::SQLITE)
target_sources(test_store_sqlite_documents PRIVATE document_rules.c)
