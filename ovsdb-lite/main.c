/* SPDX-License-Identifier: Apache-2.0 */

/* ovsdb-lite: the command line, the control commands, and the loop. */

#include <ev.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/daemon.h"
#include "lib/log.h"
#include "lib/rundir.h"
#include "lib/tls.h"
#include "lib/unixctl.h"
#include "ovsdb-lite/builtin_schema.h"
#include "ovsdb-lite/confine.h"
#include "ovsdb-lite/control.h"
#include "ovsdb-lite/file_command.h"
#include "ovsdb-lite/remote.h"
#include "ovsdb-lite/server_change.h"

LOG_MODULE(ovsdb_lite);

static const char DEFAULT_FILE[] = "/etc/weir/conf.db";

enum { MAX_FILES = 32, MAX_REMOTES = 16 };

enum {
    OPTION_REMOTE = DAEMON_OPTION_FIRST_FREE,
    OPTION_DB,
    OPTION_SCHEMA,
    OPTION_READ_ONLY_GROUP,
    OPTION_NO_SELF_CONFINEMENT,
    OPTION_NOTHING,
};

struct program {
    struct ev_loop *loop;
    struct daemon *daemon;
    struct server *server;
    struct unixctl_server *unixctl;
    json_t *schema;
    const char *files[MAX_FILES];
    size_t n_files;
    const char *remotes[MAX_REMOTES];
    size_t n_remotes;
    char *default_remote;
    struct tls_settings tls;
    struct peer_readers readers;
    const char *user; /* NULL: stays who it is. */
    bool is_unconfined;
};

static void print_help(void)
{
    printf("ovsdb-lite: the configuration database of a Weir switch\n"
           "usage: ovsdb-lite [OPTION]... [DATABASE]...\n"
           "       ovsdb-lite check [--repair] FILE...\n"
           "       ovsdb-lite export FILE [TARGET]\n"
           "       ovsdb-lite create FILE SCHEMA\n"
           "DATABASE is a file, by default %s; it is created if it is missing.\n"
           "\n"
           "  --remote=REMOTE         where clients come from: punix:PATH, ptcp:PORT[:IP],\n"
           "                          pssl:PORT[:IP], unix:PATH, tcp:IP:PORT, ssl:IP:PORT,\n"
           "                          db:DB,TABLE,COLUMN\n"
           "                          (default: punix:db.sock in the run directory)\n"
           "  --db=FILE               another way to name a database\n"
           "  --schema=FILE           schema of a new file (default: Open_vSwitch)\n"
           "  --user=USER[:GROUP]     become that user, without any capability\n"
           "  --no-self-confinement   do not refuse system calls a database has no use for\n"
           "  --read-only-group=GROUP members may connect to Unix sockets, and only read\n"
           "\n%sFILE may be db:DB,TABLE,COLUMN: what the database says there.\n"
           "\n%s",
           DEFAULT_FILE, tls_options_help(), daemon_options_help());
}

/* --- Command line -------------------------------------------------------------------------- */

static int add_remote(struct program *program, const char *remote, struct error *error)
{
    if (program->n_remotes == MAX_REMOTES)
        return error_set(error, -E2BIG, "--remote=%s: more than %d remotes", remote, MAX_REMOTES);
    program->remotes[program->n_remotes++] = remote;
    return 0;
}

static int add_file(struct program *program, const char *file, struct error *error)
{
    if (program->n_files == MAX_FILES)
        return error_set(error, -E2BIG, "%s: more than %d databases", file, MAX_FILES);
    program->files[program->n_files++] = file;
    return 0;
}

/* Takes the place of the schema the program comes with. */
static int load_schema(struct program *program, const char *file, struct error *error)
{
    json_error_t json_error;

    json_decref(program->schema);
    program->schema = json_load_file(file, JSON_REJECT_DUPLICATES, &json_error);
    if (program->schema)
        return 0;
    if (json_error.line < 0)
        return error_set(error, -EINVAL, "%s", json_error.text); /* It names the file. */
    return error_set(error, -EINVAL, "%s: line %d: %s", file, json_error.line, json_error.text);
}

static int handle_option(struct program *program, int option, struct error *error)
{
    if (option == DAEMON_OPTION_USER) {
        program->user = optarg;
        return 0;
    }
    int result = daemon_option(program->daemon, option, optarg, error);

    if (result == -ENOENT)
        result = tls_option(&program->tls, option, optarg);
    if (result != -ENOENT)
        return result;
    switch (option) {
    case 'h':
        print_help();
        exit(EXIT_SUCCESS);
    case OPTION_REMOTE:
        return add_remote(program, optarg, error);
    case OPTION_DB:
        return add_file(program, optarg, error);
    case OPTION_SCHEMA:
        return load_schema(program, optarg, error);
    case OPTION_NO_SELF_CONFINEMENT:
        program->is_unconfined = true;
        return 0;
    case OPTION_READ_ONLY_GROUP:
        return peer_readers_parse(optarg, &program->readers, error) < 0
                   ? error_prefix(error, "--read-only-group")
                   : 0;
    case OPTION_NOTHING:
        return 0;
    default:
        return error_set(error, -EINVAL, "try ovsdb-lite --help");
    }
}

static int parse_options(struct program *program, int argc, char *argv[], struct error *error)
{
    static const struct option options[] = {
        {"no-self-confinement", no_argument, NULL, OPTION_NO_SELF_CONFINEMENT},
        DAEMON_LONG_OPTIONS,
        {"remote", required_argument, NULL, OPTION_REMOTE},
        {"db", required_argument, NULL, OPTION_DB},
        {"schema", required_argument, NULL, OPTION_SCHEMA},
        {"read-only-group", required_argument, NULL, OPTION_READ_ONLY_GROUP},
        TLS_LONG_OPTIONS,
        {"disable-file-column-diff", no_argument, NULL, OPTION_NOTHING},
        {NULL, 0, NULL, 0},
    };
    int option, result = 0;

    while (!result && (option = getopt_long(argc, argv, DAEMON_SHORT_OPTIONS TLS_SHORT_OPTIONS,
                                            options, NULL)) != -1)
        result = handle_option(program, option, error);
    for (int i = optind; !result && i < argc; i++)
        result = add_file(program, argv[i], error);
    if (!result && !program->n_files)
        result = add_file(program, DEFAULT_FILE, error);
    return result;
}

/* --- Control commands ---------------------------------------------------------------------- */

static void cmd_exit(struct unixctl_request *request, int argc, const char *const argv[], void *aux)
{
    struct program *program = aux;

    (void)argc, (void)argv;
    unixctl_reply(request, NULL);
    ev_break(program->loop, EVBREAK_ALL);
}

static int open_unixctl(struct program *program, struct error *error)
{
    static const char *const for_readers[] = {"coverage/show",
                                              "memory/show",
                                              "ovsdb-server/list-dbs",
                                              "ovsdb-server/list-remotes",
                                              "ovsdb-server/get-db-storage-status",
                                              "ovsdb-server/sync-status",
                                              NULL};
    const char *path = daemon_unixctl_path(program->daemon);

    if (!path)
        return 0;
    program->unixctl = unixctl_server_create(program->loop, path,
                                             daemon_version_text(program->daemon), error);
    if (!program->unixctl)
        return error->code;
    unixctl_command_register(program->unixctl, "exit", "", 0, 1, cmd_exit, program);
    control_register(program->unixctl, program->server);
    return unixctl_admit_readers(program->unixctl, &program->readers, for_readers, error);
}

/* --- Start and stop ------------------------------------------------------------------------ */

static int open_files(struct program *program, struct error *error)
{
    for (size_t i = 0; i < program->n_files; i++) {
        if (program->files[i] == DEFAULT_FILE)
            mkdir("/etc/weir", 0750);
        int result = server_add_file(program->server, program->files[i], program->schema, error);
        if (result)
            return result;
    }
    server_add_server_database(program->server);
    return 0;
}

static int listen_to_remotes(struct program *program, struct error *error)
{
    int result = remotes_set_tls(program->server->remotes, &program->tls, error);

    if (!program->n_remotes) {
        char *socket_path = rundir_db_socket();
        if (asprintf(&program->default_remote, "punix:%s", socket_path) < 0)
            abort();
        free(socket_path);
        program->remotes[program->n_remotes++] = program->default_remote;
    }
    for (size_t i = 0; !result && i < program->n_remotes; i++)
        result = remotes_add(program->server->remotes, program->remotes[i], error);
    return result;
}

static int run(struct program *program, struct error *error)
{
    int result = program->user ? confine_become(program->user, error) : 0;

    if (!result)
        result = daemon_start(program->daemon, error);
    if (!result && !program->is_unconfined)
        result = confine_forbid_system_calls(error);
    if (result)
        return result;
    program->loop = ev_default_loop(EVFLAG_AUTO);
    daemon_watch_signals(program->daemon, program->loop);
    program->server = server_create(program->loop);
    program->server->readers = program->readers;
    if ((result = open_files(program, error)) < 0 || (result = open_unixctl(program, error)) < 0 ||
        (result = listen_to_remotes(program, error)) < 0)
        return result;

    server_start_signs_of_life(program->server);
    daemon_ready(program->daemon);
    ev_run(program->loop, 0);
    return 0;
}

static int run_create(struct program *program, int argc, char *argv[], struct error *error)
{
    if (argc != 4)
        return error_set(error, -EINVAL, "usage: ovsdb-lite create FILE SCHEMA");
    int result = load_schema(program, argv[3], error);
    return result ? result : store_create_file(argv[2], program->schema, error);
}

static int serve(struct program *program, int argc, char *argv[], struct error *error)
{
    int result = parse_options(program, argc, argv, error);

    return result ? result : run(program, error);
}

int main(int argc, char *argv[])
{
    struct program program = {.schema = json_loads(builtin_schema, 0, NULL)};
    struct error error = ERROR_INIT;
    int status;

    if (file_command_run(argc, argv, &status)) {
        json_decref(program.schema);
        return status;
    }
    program.daemon = daemon_create("ovsdb-lite", "ovsdb-server");
    int result = argc > 1 && !strcmp(argv[1], "create") ? run_create(&program, argc, argv, &error)
                                                        : serve(&program, argc, argv, &error);
    if (result)
        fprintf(stderr, "ovsdb-lite: %s\n", error.message);
    unixctl_server_destroy(program.unixctl);
    server_destroy(program.server);
    daemon_destroy(program.daemon);
    json_decref(program.schema);
    free(program.default_remote);
    return result ? EXIT_FAILURE : EXIT_SUCCESS;
}
