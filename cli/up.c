/* SPDX-License-Identifier: Apache-2.0 */

/* Start and stop of the whole switch, for machines where systemd does not do it.
 *
 * Each daemon goes to the background once it is ready and has a parent that restarts it after a
 * crash (--detach --monitor), so nothing of weir itself stays behind. */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/control.h"
#include "cli/nouns.h"
#include "cli/process.h"
#include "lib/clock.h"
#include "lib/rundir.h"

enum { STOP_TIMEOUT_S = 15 };

struct daemon_names {
    const char *program;  /* Ours. */
    const char *ovs_name; /* In the names of files. */
};

static const struct daemon_names database = {"ovsdb-lite", DAEMON_DATABASE};
static const struct daemon_names the_switch = {"vswitchd", DAEMON_SWITCH};

static PRINTF_LIKE(1, 2) char *format(const char *pattern, ...)
{
    char *text;
    va_list args;

    va_start(args, pattern);
    if (vasprintf(&text, pattern, args) < 0)
        abort();
    va_end(args);
    return text;
}

static bool is_system_rundir(void)
{
    return !strcmp(rundir_path(), "/run/weir");
}

/* A switch of the system has its database and log where systems have them; any other keeps all of
 * it in its run directory. */
static char *choose_database_file(const struct invocation *invocation)
{
    const char *given = invocation_option(invocation, "--db-file");

    if (given && *given != '/') {
        char *directory = getcwd(NULL, 0);
        char *path = format("%s/%s", directory ? directory : ".", given);
        free(directory);
        return path;
    }
    if (given)
        return strdup(given);
    return is_system_rundir() ? strdup("/etc/weir/conf.db") : rundir_file("conf.db");
}

/* The daemons' option, or NULL. */
static char *choose_readers(const struct invocation *invocation)
{
    const char *group = invocation_option(invocation, "--read-only-group");

    return group ? format("--read-only-group=%s", group) : NULL;
}

static char *choose_log_file(const struct daemon_names *daemon)
{
    const char *directory = is_system_rundir() ? "/var/log/weir" : rundir_path();

    return format("%s/%s.log", directory, daemon->ovs_name);
}

/* Creates the directory that 'file' will be in, but not its parents. */
static int create_directory_of(const char *file, struct error *error)
{
    char *directory = strdup(file);
    char *slash = strrchr(directory, '/');
    int result = 0;

    if (slash && slash != directory) {
        *slash = '\0';
        if (mkdir(directory, 0750) < 0 && errno != EEXIST)
            result = error_set_errno(error, -errno, "%s: cannot create directory",
                                     shown(directory).text);
    }
    free(directory);
    return result;
}

struct report {
    struct context *context;
    struct invocation *invocation;
    json_t *json; /* NULL: text. */
};

static void report_daemon(struct report *report, const struct daemon_names *daemon,
                          const char *what, bool is_change)
{
    long pid = (long)process_daemon_pid(daemon->ovs_name);

    if (report->json)
        json_object_set_new(report->json, daemon->program,
                            json_pack("{s:I, s:b}", "pid", (json_int_t)pid, "changed", is_change));
    else if (pid)
        buffer_printf(&report->invocation->output, "%s %s (pid %ld)\n", daemon->program, what, pid);
    else
        buffer_printf(&report->invocation->output, "%s %s\n", daemon->program, what);
}

static int start_daemon(struct report *report, const struct daemon_names *daemon,
                        const char *const arguments[], struct error *error)
{
    const char *argv[16];
    size_t n = 0;

    if (process_daemon_pid(daemon->ovs_name)) {
        report_daemon(report, daemon, "is running", false);
        return 0;
    }
    char *program = process_find_program(daemon->program, error);
    if (!program)
        return error->code;
    char *log_file = choose_log_file(daemon);
    int result = create_directory_of(log_file, error);
    char *rundir_option = format("--rundir=%s", rundir_path());
    char *log_option = format("--log-file=%s", log_file);

    argv[n++] = program;
    argv[n++] = rundir_option;
    argv[n++] = log_option;
    argv[n++] = "--pidfile";
    argv[n++] = "--detach";
    argv[n++] = "--monitor";
    argv[n++] = "-vconsole:err";
    for (size_t i = 0; arguments[i]; i++)
        argv[n++] = arguments[i];
    argv[n] = NULL;
    if (!result)
        result = process_run(argv, error);
    if (result)
        error_prefix(error, "%s did not start (its log is %s)", daemon->program, log_file);
    else
        report_daemon(report, daemon, "started", true);
    free(rundir_option);
    free(log_option);
    free(log_file);
    free(program);
    return result;
}

static int start_database(struct report *report, struct error *error)
{
    char *file = choose_database_file(report->invocation);
    int result = create_directory_of(file, error);
    char *remote = format("--remote=punix:%s/db.sock", rundir_path());
    /* What `ovs-vsctl set-manager` opens and closes. */
    const char *managers = "--remote=db:Open_vSwitch,Open_vSwitch,manager_options";
    /* What `ovs-vsctl set-ssl` says, for those of them that use TLS. */
    char *readers = choose_readers(report->invocation);
    const char *const arguments[] = {file,
                                     remote,
                                     managers,
                                     "--private-key=db:Open_vSwitch,SSL,private_key",
                                     "--certificate=db:Open_vSwitch,SSL,certificate",
                                     "--ca-cert=db:Open_vSwitch,SSL,ca_cert",
                                     readers,
                                     NULL};

    if (!result)
        result = start_daemon(report, &database, arguments, error);
    free(readers);
    free(remote);
    free(file);
    return result;
}

static int start_switch(struct report *report, struct error *error)
{
    char *remote = format("unix:%s/db.sock", rundir_path());
    char *readers = choose_readers(report->invocation);
    const char *const arguments[] = {remote, readers, NULL};
    int result = start_daemon(report, &the_switch, arguments, error);

    free(readers);
    free(remote);
    return result;
}

static struct report begin_report(struct context *context, struct invocation *invocation)
{
    return (struct report){
        .context = context,
        .invocation = invocation,
        .json = options_is_json(&context->options) ? json_object() : NULL,
    };
}

static void end_report(struct report *report)
{
    if (report->json)
        json_print_take(report->json, &report->context->options.style, &report->invocation->output);
}

static int run_up(struct context *context, struct invocation *invocation, struct error *error)
{
    struct report report = begin_report(context, invocation);
    int64_t start_ns = clock_now_ns();
    int result = rundir_create(error);

    if (!result)
        result = start_database(&report, error);
    if (!result)
        result = start_switch(&report, error);
    if (!result) {
        long long ms = (long long)((clock_now_ns() - start_ns) / MILLISECOND_NS);
        if (report.json)
            json_object_set_new(report.json, "ms", json_integer(ms));
        else
            buffer_printf(&invocation->output, "ready after %lld ms, run directory %s\n", ms,
                          rundir_path());
    }
    end_report(&report);
    return result;
}

static int64_t stop_deadline(const struct context *context)
{
    return context->deadline_ns != INT64_MAX ? context->deadline_ns
                                             : clock_now_ns() + STOP_TIMEOUT_S * SECOND_NS;
}

static int stop_daemon(struct report *report, const struct daemon_names *daemon,
                       struct error *error)
{
    static const char *const cleanup[] = {"--cleanup"};
    int64_t deadline_ns = stop_deadline(report->context);

    if (!process_daemon_pid(daemon->ovs_name)) {
        report_daemon(report, daemon, "is not running", false);
        return 0;
    }
    /* Told to leave nothing behind, the switch removes its devices; SIGTERM would keep them. */
    if (daemon == &the_switch) {
        struct context bounded = *report->context;
        bounded.deadline_ns = deadline_ns;
        char *answer = control_call(&bounded, daemon->ovs_name, "exit", 1, cleanup, NULL);
        if (answer)
            process_wait_daemon(daemon->ovs_name, deadline_ns);
        free(answer);
    }
    int result = process_stop_daemon(daemon->ovs_name, deadline_ns, error);
    if (!result)
        report_daemon(report, daemon, "stopped", true);
    return result;
}

static bool has_word(const char *const argv[], const char *word)
{
    while (*argv && strcmp(*argv, word))
        argv++;
    return *argv;
}

/* Stops it as SIGTERM would, so that the kernel goes on forwarding, and starts it as it was started. */
static int restart_daemon(struct report *report, const struct daemon_names *daemon,
                          struct error *error)
{
    char *text = NULL, *program = process_find_program(daemon->program, error);
    const char **argv = program ? process_read_argv(process_daemon_pid(daemon->ovs_name), &text)
                                : NULL;
    int result = error->code;

    if (program && (!argv || !argv[0]))
        result = error_set(error, -ESRCH, "%s is not running; start it with \"weir up\"",
                           daemon->program);
    else if (program && !process_shares_network(process_daemon_pid(daemon->ovs_name)))
        result = error_set(error, -EOPNOTSUPP,
                           "%s runs in another network namespace: restart it there",
                           daemon->program);
    else if (program && !has_word(argv, "--detach"))
        result = error_set(error, -EOPNOTSUPP,
                           "%s runs in the foreground: restart it where it was started",
                           daemon->program);
    if (!result)
        result = process_stop_daemon(daemon->ovs_name, stop_deadline(report->context), error);
    if (!result) {
        argv[0] = program;
        result = process_run(argv, error);
    }
    if (!result)
        report_daemon(report, daemon, "restarted", true);
    free(argv);
    free(text);
    free(program);
    return result;
}

static int run_restart(struct context *context, struct invocation *invocation, struct error *error)
{
    struct report report = begin_report(context, invocation);
    int result = restart_daemon(&report, &database, error);

    if (!result)
        result = restart_daemon(&report, &the_switch, error);
    end_report(&report);
    return result;
}

static int run_down(struct context *context, struct invocation *invocation, struct error *error)
{
    struct report report = begin_report(context, invocation);
    int result = stop_daemon(&report, &the_switch, error);

    if (!result)
        result = stop_daemon(&report, &database, error);
    end_report(&report);
    return result;
}

static const struct command rows[] = {
    {.name = "up",
     .arguments = "",
     .options = "--db-file= --read-only-group=",
     .summary = "Start the switch, or what of it does not run, and wait until it is ready",
     .group = GROUP_SWITCH,
     .run = run_up},
    {.name = "restart",
     .arguments = "",
     .summary = "Restart both daemons; flows and what is cached stay, and traffic goes on",
     .group = GROUP_SWITCH,
     .run = run_restart},
    {.name = "down",
     .arguments = "",
     .summary = "Stop the switch and remove its devices; its configuration stays",
     .group = GROUP_SWITCH,
     .run = run_down},
};

const struct command_rows up_commands = {rows, ARRAY_SIZE(rows)};
