// mongo_fixture.h - a MongoDB-compatible server for the tests of a program, run by
// tests/tools/mongo_server.py; a database and a client of its own for each test.
//
// Where there is no such server the program says so and ends with MONGO_SKIPPED, by which ctest
// reports it as skipped; it fails if CI=true.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <mongoc/mongoc.h>
#include <stdbool.h>
#include <sys/types.h>

enum { MONGO_SKIPPED = 77 };

struct mongo_fixture {
    char url[128];
    pid_t pid;  // the server's, for signals
    int keeper; // the server ends when this is closed
    pid_t runner;
    mongoc_client_t *client; // of the tests themselves
    int databases;
    char database[32]; // of this test
};

// For the group of tests. 0, or what the program is to end with.
int mongo_open(struct mongo_fixture *mongo);
void mongo_close(struct mongo_fixture *mongo);
// For each test: names a database that is new.
void mongo_begin(struct mongo_fixture *mongo);
// As another client sees it. Documents are JSON, as in the mongo shell.
void mongo_insert(struct mongo_fixture *mongo, const char *collection, const char *json);
int64_t mongo_count(struct mongo_fixture *mongo, const char *collection, const char *json);
// The first one that matches, to be destroyed.
bson_t *mongo_find(struct mongo_fixture *mongo, const char *collection, const char *json);
void mongo_run(struct mongo_fixture *mongo, const char *json); // a command
// The server stops, with all its threads, as if it hung; fails the test if it does not. mongo_go_on
// may be called more than once.
void mongo_hang(struct mongo_fixture *mongo);
void mongo_go_on(struct mongo_fixture *mongo);
