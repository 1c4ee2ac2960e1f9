/* SPDX-License-Identifier: Apache-2.0 */

/* vswitchd - the switch daemon.  Options, start and stop; the rest is vswitch.h. */

#include <ev.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "datapath/cleanup.h"
#include "lib/annotations.h"
#include "lib/daemon.h"
#include "lib/log.h"
#include "lib/ovsdb/remote.h"
#include "lib/rcu.h"
#include "lib/rundir.h"
#include "lib/tls.h"
#include "lib/unixctl.h"
#include "lib/unixctl_client.h"
#include "vswitchd/commands.h"
#include "vswitchd/vswitch.h"

LOG_MODULE(vswitchd);

enum {
    OPTION_WORKERS = DAEMON_OPTION_FIRST_FREE,
    OPTION_CLEANUP_ONLY,
    OPTION_READ_ONLY_GROUP,
    OPTION_IGNORED,
    OPTION_ENABLE_DUMMY,
};

enum { MAX_WORKERS = 64, DEFAULT_MAX_WORKERS = 4 };

/* After so long without a database, what started us need not wait any longer. */
#define READY_DEADLINE_S 5.0

struct program {
    struct daemon *daemon;
    struct ev_loop *loop;
    struct vswitch *vswitch;
    struct unixctl_server *unixctl;
    char *db_remote;
    struct tls_settings tls;
    struct peer_readers readers;
    unsigned int n_workers;
    bool only_cleans_up;
    bool cleans_up; /* At exit: nothing is to be left for a switch that follows. */
    ev_timer ready_deadline;
};

static void print_help(void)
{
    printf(
        "vswitchd: the Weir switch daemon\n"
        "usage: vswitchd [OPTIONS] [DATABASE]\n"
        "where DATABASE is where ovsdb-lite listens: unix:PATH, tcp:IP:PORT or ssl:IP:PORT\n"
        "(default: db.sock in the run directory).\n"
        "\n"
        "  --workers=N             threads that forward frames (default: one for two processors,\n"
        "                          at most %d)\n"
        "  --cleanup-only          remove what an earlier daemon of this run directory has left "
        "in\n"
        "                          the kernel, print the names of devices, and exit\n"
        "  --read-only-group=GROUP members may use the control socket, and only look\n"
        "\n%sFor controllers, what the database says in the table SSL counts instead.\n"
        "\n%s",
        DEFAULT_MAX_WORKERS, tls_options_help(), daemon_options_help());
}

/* One thread for two processors leaves room for those who send and receive. */
static unsigned int default_workers(void)
{
    long n = (sysconf(_SC_NPROCESSORS_ONLN) + 1) / 2;

    return n < 1 ? 1 : n > DEFAULT_MAX_WORKERS ? DEFAULT_MAX_WORKERS : (unsigned int)n;
}

static int parse_workers(struct program *program, const char *text, struct error *error)
{
    char *end;
    long n = strtol(text, &end, 10);

    if (*end || end == text || n < 1 || n > MAX_WORKERS)
        return error_set(error, -EINVAL, "--workers=%s: a number from 1 to %d is needed", text,
                         MAX_WORKERS);
    program->n_workers = (unsigned int)n;
    return 0;
}

static int parse_option(struct program *program, int option, const char *argument,
                        struct error *error)
{
    int result = daemon_option(program->daemon, option, argument, error);

    if (result == -ENOENT)
        result = tls_option(&program->tls, option, argument);
    if (result != -ENOENT)
        return result;
    switch (option) {
    case 'h':
        print_help();
        exit(EXIT_SUCCESS);
    case OPTION_WORKERS:
        return parse_workers(program, argument, error);
    case OPTION_CLEANUP_ONLY:
        program->only_cleans_up = true;
        return 0;
    case OPTION_READ_ONLY_GROUP:
        return peer_readers_parse(argument, &program->readers, error) < 0
                   ? error_prefix(error, "--read-only-group")
                   : 0;
    case OPTION_IGNORED:
        return 0;
    case OPTION_ENABLE_DUMMY:
        return error_set(
            error, -EOPNOTSUPP,
            "--enable-dummy: there are no dummy devices; use veth pairs in namespaces");
    default:
        return error_set(error, -EINVAL, "try vswitchd --help");
    }
}

static int parse_options(struct program *program, int argc, char *argv[], struct error *error)
{
    static const struct option options[] = {
        DAEMON_LONG_OPTIONS,
        TLS_LONG_OPTIONS,
        {"workers", required_argument, NULL, OPTION_WORKERS},
        {"cleanup-only", no_argument, NULL, OPTION_CLEANUP_ONLY},
        {"read-only-group", required_argument, NULL, OPTION_READ_ONLY_GROUP},
        {"mlockall", no_argument, NULL, OPTION_IGNORED},
        {"disable-system", no_argument, NULL, OPTION_IGNORED},
        {"disable-system-route", no_argument, NULL, OPTION_IGNORED},
        {"enable-dummy", optional_argument, NULL, OPTION_ENABLE_DUMMY},
        {0},
    };
    int option;

    while ((option = getopt_long(argc, argv, DAEMON_SHORT_OPTIONS TLS_SHORT_OPTIONS, options,
                                 NULL)) != -1) {
        int result = parse_option(program, option, optarg, error);
        if (result)
            return result;
    }
    if (argc - optind > 1)
        return error_set(error, -EINVAL, "%s: there can be only one database", argv[optind + 1]);
    program->db_remote = optind < argc ? strdup(argv[optind]) : rundir_db_socket();
    return ovsdb_remote_check(program->db_remote, error);
}

/* --- Running ------------------------------------------------------------------------------- */

/* While the main thread waits in poll it reads nothing that RCU protects. */
static void before_wait(struct ev_loop *loop UNUSED) EV_NOEXCEPT
{
    rcu_reader_pause();
}

static void after_wait(struct ev_loop *loop UNUSED) EV_NOEXCEPT
{
    rcu_reader_resume();
}

static void on_ready(void *aux)
{
    struct program *program = aux;

    ev_timer_stop(program->loop, &program->ready_deadline);
    daemon_ready(program->daemon);
}

static void on_hold(void *aux, int fd)
{
    const struct program *program = aux;

    daemon_hold(program->daemon, fd);
}

static void on_ready_deadline(struct ev_loop *loop UNUSED, ev_timer *timer, int events UNUSED)
{
    struct program *program = timer->data;

    log_warn("no database at %s yet: waiting for it", program->db_remote);
    daemon_ready(program->daemon);
}

static void cmd_exit(struct unixctl_request *request, int argc, const char *const argv[], void *aux)
{
    struct program *program = aux;

    if (argc > 1 && strcmp(argv[1], "--cleanup")) {
        unixctl_reply_error(request, "%s: exit knows --cleanup only", argv[1]);
        return;
    }
    program->cleans_up = argc > 1;
    unixctl_reply(request, NULL);
    ev_break(program->loop, EVBREAK_ALL);
}

static void start_deadline(struct program *program)
{
    ev_timer_init(&program->ready_deadline, on_ready_deadline, READY_DEADLINE_S, 0);
    program->ready_deadline.data = program;
    ev_timer_start(program->loop, &program->ready_deadline);
}

static int start_control(struct program *program, struct error *error)
{
    static const char *const for_readers[] = {"autoattach/show-isid",
                                              "autoattach/statistics",
                                              "autoattach/status",
                                              "bfd/show",
                                              "bond/list",
                                              "bond/show",
                                              "bridge/dump-flows",
                                              "cfm/show",
                                              "coverage/read-counter",
                                              "coverage/show",
                                              "dpctl/cache-get-size",
                                              "dpctl/ct-bkts",
                                              "dpctl/ct-get-limits",
                                              "dpctl/ct-get-maxconns",
                                              "dpctl/ct-get-nconns",
                                              "dpctl/ct-get-tcp-seq-chk",
                                              "dpctl/ct-stats-show",
                                              "dpctl/dump-conntrack",
                                              "dpctl/dump-dps",
                                              "dpctl/dump-flows",
                                              "dpctl/get-flow",
                                              "dpctl/list-commands",
                                              "dpctl/offload-stats-show",
                                              "dpctl/show",
                                              "dpif-netdev/bond-show",
                                              "dpif-netdev/pmd-perf-show",
                                              "dpif-netdev/pmd-rxq-show",
                                              "dpif-netdev/pmd-stats-show",
                                              "dpif/dump-dps",
                                              "dpif/dump-flows",
                                              "dpif/show",
                                              "dpif/show-dp-features",
                                              "fdb/show",
                                              "fdb/stats-show",
                                              "lacp/show",
                                              "lacp/show-stats",
                                              "mdb/show",
                                              "memory/show",
                                              "ofproto/list",
                                              "ofproto/list-tunnels",
                                              "ovs/route/lookup",
                                              "ovs/route/show",
                                              "qos/show",
                                              "qos/show-types",
                                              "rstp/show",
                                              "stp/show",
                                              "tnl/arp/show",
                                              "tnl/neigh/show",
                                              "tnl/ports/show",
                                              "upcall/show",
                                              "weir/cache",
                                              "weir/drops",
                                              NULL};
    const char *path = daemon_unixctl_path(program->daemon);

    if (!path)
        return 0;
    program->unixctl = unixctl_server_create(program->loop, path,
                                             daemon_version_text(program->daemon), error);
    if (!program->unixctl)
        return error->code;
    unixctl_command_register(program->unixctl, "exit", "[--cleanup]", 0, 1, cmd_exit, program);
    commands_register(program->unixctl, program->vswitch);
    return unixctl_admit_readers(program->unixctl, &program->readers, for_readers, error);
}

/* The threads still run, and there is nothing that the kernel would not free. */
static _Noreturn void leave(struct program *program)
{
    vswitch_leave(program->vswitch);
    log_info("stopped: what is cached goes on being forwarded");
    daemon_destroy(program->daemon);
    _exit(EXIT_SUCCESS);
}

static int run(struct program *program, struct error *error)
{
    const struct vswitch_config config = {
        .loop = program->loop,
        .db_remote = program->db_remote,
        .tls = program->tls,
        .n_workers = program->n_workers,
        .ready = on_ready,
        .hold = on_hold,
        .aux = program,
    };
    int result;

    daemon_watch_signals(program->daemon, program->loop);
    start_deadline(program);
    program->vswitch = vswitch_create(&config, error);
    if (!program->vswitch)
        return error->code;
    result = start_control(program, error);
    if (!result) {
        log_info("%s started", daemon_version_text(program->daemon));
        ev_run(program->loop, 0);
    }
    unixctl_server_destroy(program->unixctl);
    if (result || program->cleans_up)
        vswitch_destroy(program->vswitch);
    else
        leave(program);
    return result;
}

static int clean_up(struct error *error)
{
    struct buffer freed = BUFFER_INIT;
    char *pidfile = rundir_pidfile("ovs-vswitchd"), instance[RUNDIR_INSTANCE_BYTES];
    long pid = (long)unixctl_client_read_pidfile(pidfile, NULL);
    int result;

    free(pidfile);
    if (pid > 0)
        return error_set(error, -EBUSY, "vswitchd (pid %ld) runs: nothing of it can be removed",
                         pid);
    rundir_instance(instance);
    if (cleanup_is_in_use(instance))
        return error_set(error, -EBUSY, "a vswitchd of %s runs: nothing of it can be removed",
                         rundir_path());
    result = cleanup_instance(instance, &freed, error);
    cleanup_lost(&freed);
    fputs(buffer_text(&freed), stdout);
    buffer_fini(&freed);
    return result;
}

static int start(struct program *program, struct error *error)
{
    int result = daemon_start(program->daemon, error);

    if (result)
        return result;
    rcu_reader_register();
    program->loop = ev_default_loop(EVFLAG_AUTO);
    ev_set_loop_release_cb(program->loop, before_wait, after_wait);
    result = run(program, error);
    ev_loop_destroy(program->loop);
    rcu_reader_unregister();
    return result;
}

int main(int argc, char *argv[])
{
    struct program program = {.n_workers = default_workers()};
    struct error error = ERROR_INIT;
    int result;

    program.daemon = daemon_create("vswitchd", "ovs-vswitchd");
    result = parse_options(&program, argc, argv, &error);
    if (!result)
        result = program.only_cleans_up ? clean_up(&error) : start(&program, &error);
    if (result)
        log_emer("%s", error.message);
    free(program.db_remote);
    daemon_destroy(program.daemon);
    return result ? EXIT_FAILURE : EXIT_SUCCESS;
}
