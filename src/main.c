// main.c - lunasig COMMAND …
#include <stdio.h>
#include <string.h>

#include "command.h"

static const struct lsig_command *const commands[] = {
    &lsig_command_serve, &lsig_command_check,    &lsig_command_test,
    &lsig_command_new,   &lsig_command_token,    &lsig_command_config,
    &lsig_command_ctl,   &lsig_command_describe, &lsig_command_version,
};

enum { COMMAND_COUNT = sizeof(commands) / sizeof(commands[0]) };

static const struct lsig_command *find_command(const char *name)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(commands[i]->name, name) == 0) {
            return commands[i];
        }
    }
    return NULL;
}

static void print_help(FILE *out)
{
    fputs("lunasig - a WebRTC signaling host that is scripted in Lua\n\n"
          "Usage: lunasig COMMAND [FLAGS]\n\n",
          out);
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        fprintf(out, "  %-8s %s\n", commands[i]->name, commands[i]->summary);
    }
    fputs("  help     Show this text, or that of a command: lunasig help COMMAND\n\n"
          "Settings come from flags, the environment, -c FILE, ./.sbd and ./.env, in this order.\n"
          "`lunasig config --defaults` lists them all.\n\n"
          "Exit status: 0 fine; 1 what was asked about is refused (a policy, a token), or a test "
          "failed;\n"
          "2 the command line or a setting is wrong; 3 could not start.\n",
          out);
}

static int unknown_command(const char *name)
{
    const char *names[COMMAND_COUNT + 1] = {"help"};
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        names[i + 1] = commands[i]->name;
    }
    return lsig_command_unknown(NULL, "command", name, names, COMMAND_COUNT + 1);
}

static int help(const char *name)
{
    if (name == NULL) {
        print_help(stdout);
        return LSIG_EXIT_OK;
    }
    const struct lsig_command *command = find_command(name);
    if (command == NULL) {
        return unknown_command(name);
    }
    fputs(command->help, stdout);
    return LSIG_EXIT_OK;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        print_help(stderr);
        return LSIG_EXIT_USAGE;
    }
    const char *name = argv[1];
    if (strcmp(name, "-h") == 0 || strcmp(name, "--help") == 0) {
        return help(NULL);
    }
    if (strcmp(name, "help") == 0) {
        return help(argv[2]);
    }
    if (strcmp(name, "--version") == 0) {
        name = "version";
    }
    const struct lsig_command *command = find_command(name);
    return command == NULL ? unknown_command(name) : command->run(command, argc - 1, argv + 1);
}
