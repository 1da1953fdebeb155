// settings_records.h - the settings of the database: part of the table of settings.h, which says
// what the columns are.
#pragma once

#define LSIG_SETTINGS_RECORDS(X)                                                                   \
    X(DATABASE_NAME, database_name, TEXT, "lunasig", 1, 64, "MONGODB_DATABASE",                    \
      "Name of the database")                                                                      \
    X(MONGODB_URL, mongodb_url, SECRET, "", 0, 4096, "",                                           \
      "MongoDB to keep records in; empty: SQLite in DATA_DIR")                                     \
    X(MONGODB_MAX_POOL_SIZE, mongodb_pool_max, INTEGER, "8", 2, 100, "",                           \
      "Connections to MongoDB, one for each thread that uses it")                                  \
    X(MONGODB_MIN_POOL_SIZE, mongodb_pool_min, INTEGER, "1", 0, 100, "",                           \
      "Of these, opened at the start")                                                             \
    X(MONGODB_SELECTION_TIMEOUT_MS, mongodb_selection_ms, INTEGER, "2000", 100, 60000, "",         \
      "Time to find a server that takes a call (serverSelectionTimeoutMS)")                        \
    X(MONGODB_CONNECT_TIMEOUT_MS, mongodb_connect_ms, INTEGER, "1000", 100, 60000, "",             \
      "Time to connect to MongoDB (connectTimeoutMS)")                                             \
    X(MONGODB_SOCKET_TIMEOUT_MS, mongodb_socket_ms, INTEGER, "2000", 100, 60000, "",               \
      "Time that MongoDB may take for an answer (socketTimeoutMS)")
