/* SPDX-License-Identifier: Apache-2.0 */

/* Processes: the command (waits, exits) -> the monitor, if asked for -> the daemon.  See child.h. */

#include "lib/daemon.h"

#include <errno.h>
#include <ev.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/annotations.h"
#include "lib/child.h"
#include "lib/log.h"
#include "lib/rundir.h"

LOG_MODULE(daemon);

enum { WANTED_DESCRIPTORS = 65536 };

struct daemon {
    const char *program, *ovs_name;
    char *pidfile, *unixctl, *log_file, *version;
    bool wants_detach, wants_monitor, keeps_directory, wants_log_file;

    int ready_fd;      /* Where to say "ready"; -1: nobody waits. */
    int pidfile_fd;    /* Holds the lock; -1 before daemon_start(). */
    int supervisor_fd; /* -1: nobody restarts us. */
    bool was_detached;
    ev_signal sigterm, sigint, sighup;
};

struct daemon *daemon_create(const char *program, const char *ovs_name)
{
    struct daemon *daemon = calloc(1, sizeof *daemon);

    if (!daemon || asprintf(&daemon->version, "%s (Weir) %s", ovs_name, WEIR_VERSION) < 0)
        abort();
    daemon->program = program;
    daemon->ovs_name = ovs_name;
    daemon->ready_fd = daemon->supervisor_fd = daemon->pidfile_fd = -1;
    log_set_program(program);
    return daemon;
}

void daemon_destroy(struct daemon *daemon)
{
    if (!daemon)
        return;
    if (daemon->pidfile_fd >= 0) {
        unlink(daemon->pidfile);
        close(daemon->pidfile_fd);
    }
    if (daemon->ready_fd >= 0)
        close(daemon->ready_fd);
    if (daemon->supervisor_fd >= 0)
        close(daemon->supervisor_fd);
    free(daemon->pidfile);
    free(daemon->unixctl);
    free(daemon->log_file);
    free(daemon->version);
    free(daemon);
}

static void replace(char **text, char *value)
{
    free(*text);
    *text = value;
}

/* Names without a directory live in the run directory, which --rundir may still change. */
static char *copy(const char *argument)
{
    return argument ? strdup(argument) : NULL;
}

static void settle_path(char **path, char *fallback)
{
    char *settled = *path ? rundir_file(*path) : strdup(fallback);

    free(fallback);
    replace(path, settled);
}

int daemon_option(struct daemon *daemon, int option, const char *argument, struct error *error)
{
    switch (option) {
    case 'V':
        printf("%s\n", daemon->version);
        exit(EXIT_SUCCESS);
    case 'v':
        return log_set_levels(argument ? argument : "dbg", error);
    case DAEMON_OPTION_PIDFILE:
        replace(&daemon->pidfile, copy(argument));
        return 0;
    case DAEMON_OPTION_DETACH:
        daemon->wants_detach = true;
        return 0;
    case DAEMON_OPTION_MONITOR:
        daemon->wants_monitor = true;
        return 0;
    case DAEMON_OPTION_NO_CHDIR:
        daemon->keeps_directory = true;
        return 0;
    case DAEMON_OPTION_OVERWRITE_PIDFILE: /* A pidfile that nobody has locked always is. */
    case DAEMON_OPTION_IGNORED:
        return 0;
    case DAEMON_OPTION_LOG_FILE:
        daemon->wants_log_file = true;
        replace(&daemon->log_file, copy(argument));
        return 0;
    case DAEMON_OPTION_UNIXCTL:
        replace(&daemon->unixctl, copy(argument));
        return 0;
    case DAEMON_OPTION_RUNDIR:
        rundir_set(argument);
        return 0;
    case DAEMON_OPTION_USER:
        return error_set(error, -EOPNOTSUPP,
                         "--user=%s: start the daemon as that user instead (systemd: User=)",
                         argument);
    default:
        return -ENOENT;
    }
}

const char *daemon_options_help(void)
{
    return "Daemon options:\n"
           "  --rundir=DIR            run directory (default: $OVS_RUNDIR, else /run/weir)\n"
           "  --pidfile[=FILE]        where the pid goes (default: a file in the run directory)\n"
           "  --unixctl=SOCKET        control socket; \"none\" for none\n"
           "  --detach                go to the background once ready\n"
           "  --monitor               restart the daemon if a signal ends it\n"
           "  --no-chdir              stay in this directory when detached\n"
           "  --log-file[=FILE]       also log to a file\n"
           "  -v, --verbose[=SPEC]    log levels, as ovs-appctl vlog/set takes them\n"
           "  -h, --help              this text\n"
           "  -V, --version           the version\n";
}

/* Returns in the child only. */
static int detach(struct daemon *daemon, struct error *error)
{
    int ready_fd;
    pid_t pid = child_fork(&ready_fd, error);

    if (pid < 0)
        return pid;
    if (pid > 0) {
        if (child_wait_until_ready(ready_fd))
            _exit(EXIT_SUCCESS);
        child_exit_like(child_wait(pid));
    }
    setsid();
    daemon->ready_fd = ready_fd;
    daemon->was_detached = true;
    return 0;
}

static void say_ready(struct daemon *daemon)
{
    if (daemon->ready_fd < 0)
        return;
    child_say_ready(daemon->ready_fd);
    close(daemon->ready_fd);
    daemon->ready_fd = -1;
}

static void give_up_terminal(const struct daemon *daemon)
{
    int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

    if (fd >= 0) {
        dup2(fd, STDIN_FILENO);
        dup2(fd, STDOUT_FILENO);
        dup2(fd, STDERR_FILENO);
        if (fd > STDERR_FILENO)
            close(fd);
    }
    if (!daemon->keeps_directory && chdir("/") < 0)
        log_warn("cannot change to /: %s", strerror(errno));
}

/* In the supervisor: its child is ready, so that whoever started both need not wait any longer. */
static void on_first_ready(void *arg)
{
    struct daemon *daemon = arg;

    say_ready(daemon);
    if (daemon->was_detached)
        give_up_terminal(daemon);
}

/* Returns in the daemon only. */
static int monitor(struct daemon *daemon, struct error *error)
{
    int fd;
    int result = child_supervise(daemon->program, on_first_ready, daemon, &fd, error);

    if (result)
        return result;
    if (daemon->ready_fd >= 0)
        close(daemon->ready_fd);
    daemon->supervisor_fd = fd;
    daemon->ready_fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    return 0;
}

/* The control socket of a predecessor that was killed: its pid is still in the pidfile. */
static void remove_stale_socket(const struct daemon *daemon)
{
    char text[32] = "";
    ssize_t n = pread(daemon->pidfile_fd, text, sizeof text - 1, 0);
    long pid = n > 0 ? strtol(text, NULL, 10) : 0;

    if (pid > 0 && pid <= INT32_MAX && pid != getpid()) {
        char *path = rundir_ctl_socket(daemon->ovs_name, (pid_t)pid);
        unlink(path);
        free(path);
    }
}

static int lock_pidfile(struct daemon *daemon, struct error *error)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    struct stat opened, named;

    settle_path(&daemon->pidfile, rundir_pidfile(daemon->ovs_name));
    const char *path = daemon->pidfile;
    for (;;) {
        int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);

        if (fd < 0)
            return error_set_errno(error, -errno, "%s: cannot open pidfile", path);
        if (fcntl(fd, F_SETLK, &lock) < 0) {
            int result = -errno;
            struct flock holder = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
            if (!fcntl(fd, F_GETLK, &holder) && holder.l_type != F_UNLCK)
                error_set(error, result, "%s: %s is already running as pid %ld", path,
                          daemon->ovs_name, (long)holder.l_pid);
            else
                error_set_errno(error, result, "%s: cannot lock pidfile", path);
            close(fd);
            return result;
        }
        /* The process that stopped just now may have removed the name in between. */
        if (!fstat(fd, &opened) && !stat(path, &named) && opened.st_ino == named.st_ino &&
            opened.st_dev == named.st_dev) {
            daemon->pidfile_fd = fd;
            break;
        }
        close(fd);
    }
    remove_stale_socket(daemon);
    if (ftruncate(daemon->pidfile_fd, 0) < 0 ||
        dprintf(daemon->pidfile_fd, "%ld\n", (long)getpid()) < 0)
        return error_set_errno(error, -errno, "%s: cannot write pidfile", path);
    return 0;
}

static int open_log(struct daemon *daemon, struct error *error)
{
    if (!daemon->wants_log_file)
        return 0;
    if (!daemon->log_file &&
        asprintf(&daemon->log_file, "/var/log/weir/%s.log", daemon->ovs_name) < 0)
        abort();
    return log_open_file(daemon->log_file, error);
}

/* Shells give 1,024 although the administrator's limit is far higher. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= WANTED_DESCRIPTORS)
        return;
    limit.rlim_cur = limit.rlim_max < WANTED_DESCRIPTORS ? limit.rlim_max : WANTED_DESCRIPTORS;
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
        log_warn("cannot raise the limit of descriptors: %s", strerror(errno));
}

int daemon_start(struct daemon *daemon, struct error *error)
{
    int result = rundir_create(error);

    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* A limit on file sizes is to be an error of the write. */
    raise_descriptor_limit();
    if (!result)
        result = open_log(daemon, error);
    if (!result && daemon->wants_detach)
        result = detach(daemon, error);
    if (!result && daemon->wants_monitor)
        result = monitor(daemon, error);
    if (!result)
        result = lock_pidfile(daemon, error);
    if (!result && (!daemon->unixctl || strcmp(daemon->unixctl, "none")))
        settle_path(&daemon->unixctl, rundir_ctl_socket(daemon->ovs_name, getpid()));
    return result;
}

static void on_stop(struct ev_loop *loop, ev_signal *signal, int events UNUSED)
{
    log_info("stopping on signal %d", signal->signum);
    ev_break(loop, EVBREAK_ALL);
}

static void on_hangup(struct ev_loop *loop UNUSED, ev_signal *signal UNUSED, int events UNUSED)
{
    struct error error = ERROR_INIT;

    if (log_reopen_file(&error) && error.code != -ENOENT)
        log_warn("%s", error.message);
}

void daemon_watch_signals(struct daemon *daemon, struct ev_loop *loop)
{
    ev_signal_init(&daemon->sigterm, on_stop, SIGTERM);
    ev_signal_init(&daemon->sigint, on_stop, SIGINT);
    ev_signal_init(&daemon->sighup, on_hangup, SIGHUP);
    ev_signal_start(loop, &daemon->sigterm);
    ev_signal_start(loop, &daemon->sigint);
    ev_signal_start(loop, &daemon->sighup);
}

void daemon_ready(struct daemon *daemon)
{
    if (daemon->was_detached)
        give_up_terminal(daemon);
    say_ready(daemon);
}

void daemon_hold(const struct daemon *daemon, int fd)
{
    if (daemon->supervisor_fd >= 0)
        child_ask_to_hold(daemon->supervisor_fd, fd);
}

const char *daemon_unixctl_path(const struct daemon *daemon)
{
    return daemon->unixctl && !strcmp(daemon->unixctl, "none") ? NULL : daemon->unixctl;
}

const char *daemon_version_text(const struct daemon *daemon)
{
    return daemon->version;
}
