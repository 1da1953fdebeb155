// lunasig new policy NAME: a bundle to begin with.
#include "command_new.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "command.h"
#include "folders.h"

enum { TEXT_MAX = 256 * 1024, NAME_MAX_BYTES = 40 };

static bool name_fits(const char *name)
{
    size_t len = strlen(name);
    return len > 0 && len <= NAME_MAX_BYTES && name[0] >= 'a' && name[0] <= 'z' &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") == len;
}

static bool write_file(const char *folder, const char *name, const struct lsig_buf *text)
{
    char path[PATH_MAX];
    int len = snprintf(path, sizeof(path), "%s/%s", folder, name);
    // x: what is there already stays
    FILE *file = len < (int)sizeof(path) ? fopen(path, "wx") : NULL;
    bool good = file != NULL && lsig_buf_status(text) == LSIG_OK &&
                fwrite(lsig_buf_span(text).data, 1, text->len, file) == text->len;
    good = file != NULL && fclose(file) == 0 && good;
    if (!good) {
        fprintf(stderr, "lunasig new: cannot write %s: %s\n", path, strerror(errno));
    }
    return good;
}

// Appends the template, with the name of the policy for each '@'.
static void print_policy(struct lsig_buf *out, const char *name)
{
    for (const char *at = lsig_command_new_policy; *at != '\0'; at++) {
        if (*at == '@') {
            lsig_buf_append_text(out, name);
        } else {
            lsig_buf_append(out, at, 1);
        }
    }
}

// What luacheck has to know stands beside the library: its text is copied.
static bool read_luacheck(struct lsig_buf *out, const char *library)
{
    char path[PATH_MAX];
    int len = snprintf(path, sizeof(path), "%s/../.luacheckrc", library);
    FILE *file = len < (int)sizeof(path) ? fopen(path, "r") : NULL;
    if (file == NULL) {
        return false;
    }
    char piece[4096];
    size_t got;
    while ((got = fread(piece, 1, sizeof(piece), file)) > 0) {
        lsig_buf_append(out, piece, got);
    }
    fclose(file);
    return true;
}

static void print_json_path(struct lsig_buf *out, const char *path)
{
    for (; *path != '\0'; path++) {
        if (*path == '"' || *path == '\\') {
            lsig_buf_append_text(out, "\\");
        }
        lsig_buf_append(out, path, 1);
    }
}

static void print_editor(struct lsig_buf *out, const char *library)
{
    lsig_buf_append_text(
        out, "{\n"
             "  \"$schema\": "
             "\"https://raw.githubusercontent.com/LuaLS/vscode-lua/master/setting/schema.json\",\n"
             "  \"runtime.version\": \"LuaJIT\",\n"
             "  \"runtime.path\": [\"?.lua\", \"");
    print_json_path(out, library);
    lsig_buf_append_text(out, "/?.lua\"],\n"
                              "  \"runtime.builtin\": {\n"
                              "    \"debug\": \"disable\",\n"
                              "    \"ffi\": \"disable\",\n"
                              "    \"io\": \"disable\",\n"
                              "    \"jit\": \"disable\",\n"
                              "    \"package\": \"disable\"\n"
                              "  },\n"
                              "  \"workspace.library\": [\"");
    print_json_path(out, library);
    lsig_buf_append_text(out, "\"]\n}\n");
}

static bool write_all(const char *folder, const char *name, const char *library)
{
    struct lsig_buf text;
    lsig_buf_init(&text, TEXT_MAX);
    print_policy(&text, name);
    bool good = write_file(folder, "policy.lua", &text);
    lsig_buf_reset(&text);
    print_editor(&text, library);
    good = good && write_file(folder, ".luarc.json", &text);
    lsig_buf_reset(&text);
    if (read_luacheck(&text, library)) {
        good = good && write_file(folder, ".luacheckrc", &text);
    } else {
        fprintf(stderr, "No .luacheckrc was written: there is none beside %s\n", library);
    }
    lsig_buf_clear(&text);
    return good;
}

static int make_policy(const struct lsig_command_line *line, const char *name, const char *parent)
{
    char folder[PATH_MAX];
    struct lsig_settings settings = {0};
    int status = LSIG_EXIT_USAGE;
    if (lsig_command_load(line, &settings)) {
        status = LSIG_EXIT_FAILED;
        lsig_folders_complete(&settings);
        char *library = realpath(settings.lua_dir, NULL);
        int len = snprintf(folder, sizeof(folder), "%s/%s", parent, name);
        if (library == NULL) {
            fprintf(stderr, "lunasig new: LUA_DIR %s: %s\n", settings.lua_dir, strerror(errno));
        } else if (len >= (int)sizeof(folder) || mkdir(folder, 0777) != 0) {
            fprintf(stderr, "lunasig new: cannot make %s: %s\n", folder,
                    errno == EEXIST ? "it is there already, and is left as it is"
                                    : strerror(errno));
        } else if (write_all(folder, name, library)) {
            printf("%s/policy.lua is made. Check it: lunasig check %s\n"
                   "Run its tests each time you save: lunasig test --watch %s\n"
                   "Serve it: lunasig serve --policy %s\n",
                   folder, folder, folder, folder);
            status = LSIG_EXIT_OK;
        }
        free(library);
    }
    lsig_settings_clear(&settings);
    return status;
}

static bool asks_for_help(const char *argument)
{
    return strcmp(argument, "-h") == 0 || strcmp(argument, "--help") == 0;
}

static int run(const struct lsig_command *command, int argc, char **argv)
{
    static const char *const things[] = {"policy"};
    const char *parent = ".";
    const struct lsig_command_flag flags[] = {{.name = "--dir", .value = &parent}};
    struct lsig_command_line line;
    int status = LSIG_EXIT_USAGE;
    if (argc < 2 || argv[1][0] == '-') {
        if (argc < 2 || !asks_for_help(argv[1])) {
            fputs("lunasig new: write policy NAME\nSee: lunasig new --help\n", stderr);
            return status;
        }
        (void)lsig_command_parse(command, flags, 1, argv, &line, &status);
        return status;
    }
    if (strcmp(argv[1], things[0]) != 0) {
        return lsig_command_unknown(command, "thing", argv[1], things, 1);
    }
    if (argc > 2 && asks_for_help(argv[2])) {
        fputs(command->help, stdout);
        return LSIG_EXIT_OK;
    }
    const char *name = argc > 2 ? argv[2] : "";
    if (!name_fits(name)) {
        fprintf(stderr,
                "lunasig new: write policy NAME, a NAME of 1 to %d small letters, digits, _ and -, "
                "with a letter first\nSee: lunasig new --help\n",
                NAME_MAX_BYTES);
        return status;
    }
    if (!lsig_command_parse(command, flags, 1, argv + 2, &line, &status)) {
        return status;
    }
    return make_policy(&line, name, parent);
}

const struct lsig_command lsig_command_new = {
    .name = "new",
    .summary = "Write a policy to begin with",
    .help = "Usage: lunasig new policy NAME [--dir DIR]\n\n"
            "Makes the folder NAME with a policy.lua that has something of everything: a message "
            "type, state,\na hook, a route and a test; and with settings for editors and luacheck "
            "(.luarc.json,\n.luacheckrc). NAME has 1 to 40 small letters, digits, _ and -. A "
            "folder that is there already is\nleft as it is.\n\n"
            "      --dir DIR      where the folder is made; here unless written\n"
            "  -c, --config FILE  read settings from FILE, and not from ./.sbd and ./.env\n\n"
            "Exit status: 0 made; 1 it could not be made; 2 the command line or a setting is "
            "wrong.\n",
    .run = run,
};
