// fuzz_replay CORPUS COUNT: runs the fuzz target over every file of the corpus and over COUNT
// mutations of them. Always the same ones, so that a failure comes again; the input that fails is
// left in ./fuzz-failed.
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FILES_MAX = 1000, INPUT_MAX = 16384 };

struct input {
    uint8_t *data;
    size_t size;
};

struct replay {
    struct input files[FILES_MAX];
    size_t count;
    uint64_t random; // xorshift64
};

static void die(const char *what, const char *name)
{
    fprintf(stderr, "fuzz_replay: %s: %s\n", what, name);
    exit(2);
}

static size_t below(struct replay *replay, size_t bound)
{
    replay->random ^= replay->random << 13;
    replay->random ^= replay->random >> 7;
    replay->random ^= replay->random << 17;
    return (size_t)(replay->random % bound);
}

static struct input read_file(const char *folder, const char *name)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    struct input input = {malloc(INPUT_MAX), 0};
    if (file == NULL || input.data == NULL) {
        die("cannot read", path);
    }
    input.size = fread(input.data, 1, INPUT_MAX, file);
    if (fgetc(file) != EOF) {
        die("larger than the mutations can be", path);
    }
    fclose(file);
    return input;
}

// In the order of their names, which is the same everywhere.
static void read_corpus(struct replay *replay, const char *folder)
{
    struct dirent **entries;
    int count = scandir(folder, &entries, NULL, alphasort);
    if (count < 0) {
        die("no such folder", folder);
    }
    for (int i = 0; i < count; i++) {
        if (entries[i]->d_name[0] != '.' && replay->count < FILES_MAX) {
            replay->files[replay->count++] = read_file(folder, entries[i]->d_name);
        }
        free(entries[i]);
    }
    free(entries);
    if (replay->count == 0) {
        die("the corpus is empty", folder);
    }
}

// Puts bytes in place of `cut` bytes at `at`, as far as there is room.
static void replace(struct input *input, size_t at, size_t cut, const void *bytes, size_t len)
{
    if (input->size - cut + len > INPUT_MAX) {
        return;
    }
    memmove(input->data + at + len, input->data + at + cut, input->size - at - cut);
    memcpy(input->data + at, bytes, len);
    input->size += len - cut;
}

static void mutate(struct replay *replay, struct input *input)
{
    static const char *const words[] = {
        "\"",
        "\\",
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "null",
        "1e308",
        "-0",
        "\\u",
        "\\u0000",
        "\\ud83d\\ude00",
        "\\ud800",
        "\\udc00",
        "\xc3\xa9",
        "\xed\xa0\x80",
        "\xf4\x90\x80\x80",
        "\xff",
        "\"type\":",
        "\"payload\":{",
        "\"target_id\":\"b\",",
        "\"to\":null,",
        "\"id\":7,",
        "t\\u0079pe",
        "9223372036854775808",
        "1.7976931348623159e308",
        "\x01",
        " ",
    };
    size_t at = below(replay, input->size + 1);
    size_t left = input->size - at;
    const struct input *other = &replay->files[below(replay, replay->count)];
    const char *word = words[below(replay, sizeof(words) / sizeof(words[0]))];
    switch (below(replay, 5)) {
    case 0:
        replace(input, at, 0, word, strlen(word));
        break;
    case 1:
        replace(input, at, left > 0 ? 1 : 0, word, strlen(word));
        break;
    case 2:
        replace(input, at, below(replay, left + 1), "", 0);
        break;
    case 3:
        if (left > 0) {
            input->data[at] = (uint8_t)(input->data[at] ^ (1u << below(replay, 8)));
        }
        break;
    default:
        if (other->size > 0) {
            size_t from = below(replay, other->size);
            replace(input, at, 0, other->data + from, below(replay, other->size - from) + 1);
        }
        break;
    }
}

// The input that runs now, for the handler of the signal that a fault ends in.
static struct input current;

static void keep_current(int number)
{
    int file = open("fuzz-failed", O_WRONLY | O_CREAT | O_TRUNC, 0644);
    ssize_t written = file >= 0 ? write(file, current.data, current.size) : -1;
    (void)written; // nobody is left to tell
    signal(number, SIG_DFL);
    raise(number);
}

static void run(struct input input)
{
    current = input;
    LLVMFuzzerTestOneInput(input.data, input.size);
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        die("usage", "fuzz_replay CORPUS COUNT");
    }
    static struct replay replay = {.random = UINT64_C(0x9e3779b97f4a7c15)};
    signal(SIGABRT, keep_current);
    read_corpus(&replay, argv[1]);
    for (size_t i = 0; i < replay.count; i++) {
        run(replay.files[i]);
    }
    long count = strtol(argv[2], NULL, 10);
    struct input input = {malloc(INPUT_MAX), 0};
    if (input.data == NULL) {
        die("no memory", argv[2]);
    }
    for (long i = 0; i < count; i++) {
        const struct input *from = &replay.files[below(&replay, replay.count)];
        memcpy(input.data, from->data, from->size);
        input.size = from->size;
        for (size_t rounds = below(&replay, 4) + 1; rounds > 0; rounds--) {
            mutate(&replay, &input);
        }
        run(input);
    }
    printf("fuzz_replay: %zu files and %ld mutations, no fault\n", replay.count, count);
    for (size_t i = 0; i < replay.count; i++) {
        free(replay.files[i].data);
    }
    free(input.data);
    return 0;
}
