/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* daemon - how both daemons start, go to the background, are found and stop.
 *
 * Options are Open vSwitch's: --pidfile[=FILE] --overwrite-pidfile --detach --monitor --no-chdir
 * --no-self-confinement --log-file[=FILE] --syslog-method=M --syslog-target=T --unixctl=SOCKET
 * --rundir=DIR -v[SPEC] --verbose[=SPEC] -h --help -V --version.  A pidfile is always written: it
 * is how the tools find the control socket.
 *
 *     struct daemon *daemon = daemon_create("vswitchd", "ovs-vswitchd");
 *     static const struct option options[] = {DAEMON_LONG_OPTIONS, {"mine", ...}, {0}};
 *     while ((c = getopt_long(argc, argv, DAEMON_SHORT_OPTIONS, options, NULL)) != -1)
 *         if ((result = daemon_option(daemon, c, optarg, &error)) != -ENOENT) ... else mine
 *     daemon_start(daemon, &error);        forks: no threads, sockets or locks before this
 *     daemon_watch_signals(daemon, loop);
 *     ... open everything ...
 *     daemon_ready(daemon);                the command that started us returns
 *     ... run ...
 *     daemon_destroy(daemon);
 *
 * Under --monitor a parent restarts the daemon when a signal ends it (SIGTERM, SIGINT and SIGHUP
 * excepted); it waits a second first if the daemon had not lived for one.
 *
 * Threads  The main thread. */

#include <getopt.h>

#include "lib/error.h"

struct daemon;

enum {
    DAEMON_OPTION_PIDFILE = 1000,
    DAEMON_OPTION_OVERWRITE_PIDFILE,
    DAEMON_OPTION_DETACH,
    DAEMON_OPTION_MONITOR,
    DAEMON_OPTION_NO_CHDIR,
    DAEMON_OPTION_IGNORED,
    DAEMON_OPTION_LOG_FILE,
    DAEMON_OPTION_UNIXCTL,
    DAEMON_OPTION_RUNDIR,
    DAEMON_OPTION_USER,
    DAEMON_OPTION_FIRST_FREE = 1100, /* A program's own options count from here. */
};

#define DAEMON_SHORT_OPTIONS "hVv::"

/* clang-format off */
#define DAEMON_LONG_OPTIONS                                                                        \
    {"help", no_argument, NULL, 'h'},                                                              \
    {"version", no_argument, NULL, 'V'},                                                           \
    {"verbose", optional_argument, NULL, 'v'},                                                     \
    {"pidfile", optional_argument, NULL, DAEMON_OPTION_PIDFILE},                                   \
    {"overwrite-pidfile", no_argument, NULL, DAEMON_OPTION_OVERWRITE_PIDFILE},                     \
    {"detach", no_argument, NULL, DAEMON_OPTION_DETACH},                                           \
    {"monitor", no_argument, NULL, DAEMON_OPTION_MONITOR},                                         \
    {"no-chdir", no_argument, NULL, DAEMON_OPTION_NO_CHDIR},                                       \
    {"no-self-confinement", no_argument, NULL, DAEMON_OPTION_IGNORED},                             \
    {"syslog-method", required_argument, NULL, DAEMON_OPTION_IGNORED},                             \
    {"syslog-target", required_argument, NULL, DAEMON_OPTION_IGNORED},                             \
    {"log-file", optional_argument, NULL, DAEMON_OPTION_LOG_FILE},                                 \
    {"unixctl", required_argument, NULL, DAEMON_OPTION_UNIXCTL},                                   \
    {"rundir", required_argument, NULL, DAEMON_OPTION_RUNDIR},                                     \
    {"user", required_argument, NULL, DAEMON_OPTION_USER}
/* clang-format on */

/* 'program' is our name ("vswitchd": logs, --version), 'ovs_name' the one in file names
 * ("ovs-vswitchd").  Both are kept. */
struct daemon *daemon_create(const char *program, const char *ovs_name);
void daemon_destroy(struct daemon *daemon); /* Removes the pidfile. */

/* Handles one option: 0, -ENOENT if it is not one of ours, or an error.  -V prints and exits; -h
 * is left to the program (it is answered with -ENOENT). */
int daemon_option(struct daemon *daemon, int option, const char *argument, struct error *error);
const char *daemon_options_help(void); /* The text for --help. */

/* Creates the run directory, opens the log file, detaches, forks the monitor, locks the pidfile.
 * Returns in the process that is the daemon. */
int daemon_start(struct daemon *daemon, struct error *error);

/* From now on SIGTERM and SIGINT end 'loop' and SIGHUP reopens the log file, until the loop is
 * destroyed. */
struct ev_loop;
void daemon_watch_signals(struct daemon *daemon, struct ev_loop *loop);

/* Lets the parent of --detach exit 0, and gives up the terminal. */
void daemon_ready(struct daemon *daemon);

/* The monitor, if there is one, keeps 'fd' open when the daemon is gone, until the next is ready: for what the kernel
 * takes long to close. */
void daemon_hold(const struct daemon *daemon, int fd);

/* Where the control socket goes; NULL for --unixctl=none.  Good after daemon_start(). */
const char *daemon_unixctl_path(const struct daemon *daemon);
const char *daemon_version_text(const struct daemon *daemon); /* "ovs-vswitchd (Weir) 0.1.0" */
