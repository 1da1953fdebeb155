#include "mongo_fixture.h"

#include <dirent.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { HANG_SECONDS = 10 };

static void run_server(int in, int out)
{
    dup2(in, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    execl("/usr/bin/python3", "python3", "-B", LSIG_MONGO_SERVER, (char *)NULL);
    _exit(127);
}

int mongo_open(struct mongo_fixture *mongo)
{
    int to[2];
    int from[2];
    if (pipe2(to, O_CLOEXEC) != 0 || pipe2(from, O_CLOEXEC) != 0) {
        abort();
    }
    mongo->runner = fork();
    if (mongo->runner == 0) {
        run_server(to[0], from[1]);
    }
    close(to[0]);
    close(from[1]);
    mongo->keeper = to[1];
    FILE *answer = fdopen(from[0], "r");
    int pid = 0;
    bool serves = fscanf(answer, "%127s %d", mongo->url, &pid) == 2;
    fclose(answer);
    if (!serves) {
        int status = 0;
        close(mongo->keeper);
        waitpid(mongo->runner, &status, 0);
        return WIFEXITED(status) && WEXITSTATUS(status) == MONGO_SKIPPED ? MONGO_SKIPPED : 1;
    }
    mongo->client = mongoc_client_new(mongo->url);
    mongo->pid = pid;
    return 0;
}

void mongo_close(struct mongo_fixture *mongo)
{
    mongoc_client_destroy(mongo->client);
    close(mongo->keeper);
    waitpid(mongo->runner, NULL, 0);
}

void mongo_begin(struct mongo_fixture *mongo)
{
    snprintf(mongo->database, sizeof(mongo->database), "test%d", mongo->databases++);
}

static bson_t *bson_of(const char *json)
{
    bson_error_t error;
    bson_t *document = bson_new_from_json((const uint8_t *)json, -1, &error);
    if (document == NULL) {
        fail_msg("%s: %s", json, error.message);
    }
    return document;
}

static mongoc_collection_t *collection_of(struct mongo_fixture *mongo, const char *name)
{
    return mongoc_client_get_collection(mongo->client, mongo->database, name);
}

void mongo_insert(struct mongo_fixture *mongo, const char *collection, const char *json)
{
    mongoc_collection_t *into = collection_of(mongo, collection);
    bson_t *document = bson_of(json);
    bson_error_t error;
    if (!mongoc_collection_insert_one(into, document, NULL, NULL, &error)) {
        fail_msg("%s", error.message);
    }
    bson_destroy(document);
    mongoc_collection_destroy(into);
}

int64_t mongo_count(struct mongo_fixture *mongo, const char *collection, const char *json)
{
    mongoc_collection_t *of = collection_of(mongo, collection);
    bson_t *filter = bson_of(json);
    mongoc_cursor_t *cursor = mongoc_collection_find_with_opts(of, filter, NULL, NULL);
    const bson_t *document;
    bson_error_t error;
    int64_t count = 0;
    while (mongoc_cursor_next(cursor, &document)) {
        count++;
    }
    if (mongoc_cursor_error(cursor, &error)) {
        fail_msg("%s", error.message);
    }
    mongoc_cursor_destroy(cursor);
    bson_destroy(filter);
    mongoc_collection_destroy(of);
    return count;
}

bson_t *mongo_find(struct mongo_fixture *mongo, const char *collection, const char *json)
{
    mongoc_collection_t *of = collection_of(mongo, collection);
    bson_t *filter = bson_of(json);
    mongoc_cursor_t *cursor = mongoc_collection_find_with_opts(of, filter, NULL, NULL);
    const bson_t *document;
    assert_true(mongoc_cursor_next(cursor, &document));
    bson_t *copy = bson_copy(document);
    mongoc_cursor_destroy(cursor);
    bson_destroy(filter);
    mongoc_collection_destroy(of);
    return copy;
}

void mongo_run(struct mongo_fixture *mongo, const char *json)
{
    bson_t *command = bson_of(json);
    bson_error_t error;
    if (!mongoc_client_command_simple(mongo->client, mongo->database, command, NULL, NULL,
                                      &error)) {
        fail_msg("%s: %s", json, error.message);
    }
    bson_destroy(command);
}

// Whether every thread of the process is stopped. On a busy machine some run a moment longer.
static bool is_stopped(pid_t pid)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
    DIR *tasks = opendir(path);
    assert_non_null(tasks);
    bool stopped = true;
    for (const struct dirent *task; stopped && (task = readdir(tasks)) != NULL;) {
        char state = 'T', file[sizeof(path) + sizeof(task->d_name) + 8];
        snprintf(file, sizeof(file), "%s/%s/stat", path, task->d_name);
        FILE *stat = task->d_name[0] != '.' ? fopen(file, "re") : NULL;
        if (stat != NULL) {
            (void)fscanf(stat, "%*d (%*[^)]) %c", &state);
            fclose(stat);
        }
        stopped = state == 'T';
    }
    closedir(tasks);
    return stopped;
}

void mongo_hang(struct mongo_fixture *mongo)
{
    assert_int_equal(kill(mongo->pid, SIGSTOP), 0);
    time_t until = time(NULL) + HANG_SECONDS;
    while (!is_stopped(mongo->pid)) {
        assert_true(time(NULL) < until);
        sched_yield();
    }
}

void mongo_go_on(struct mongo_fixture *mongo)
{
    (void)kill(mongo->pid, SIGCONT);
}
