/* SPDX-License-Identifier: Apache-2.0 */

/* Daemons made by this test: they start, are found, keep a second one out, and come back. */

#include "lib/daemon.h"

#include <errno.h>
#include <ev.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/log.h"
#include "lib/rundir.h"
#include "lib/unixctl_client.h"

static char directory[64];

static const char *log_path(void)
{
    static char path[80];

    snprintf(path, sizeof path, "%s/log", directory);
    return path;
}

/* Runs a daemon with these options in a child, and returns the exit status of the command. */
static int run_daemon(bool wants_detach, bool wants_monitor, bool fails)
{
    pid_t pid = fork();
    int status;

    if (!pid) {
        struct error error = ERROR_INIT;
        struct daemon *daemon = daemon_create("daemon_test", "test-daemon");

        if (wants_detach)
            daemon_option(daemon, DAEMON_OPTION_DETACH, NULL, &error);
        if (wants_monitor)
            daemon_option(daemon, DAEMON_OPTION_MONITOR, NULL, &error);
        daemon_option(daemon, DAEMON_OPTION_NO_CHDIR, NULL, &error);
        daemon_option(daemon, DAEMON_OPTION_LOG_FILE, log_path(), &error);
        if (daemon_start(daemon, &error))
            _exit(3);
        if (fails)
            _exit(4);
        daemon_watch_signals(daemon, EV_DEFAULT);
        daemon_ready(daemon);
        alarm(20); /* Never left behind by a test that fails. */
        ev_run(EV_DEFAULT, 0);
        daemon_destroy(daemon);
        _exit(0);
    }
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static pid_t daemon_pid(void)
{
    char *pidfile = rundir_pidfile("test-daemon");
    pid_t pid = unixctl_client_read_pidfile(pidfile, NULL);

    free(pidfile);
    return pid;
}

static pid_t wait_for_pid_other_than(pid_t old)
{
    for (int i = 0; i < 500; i++) {
        pid_t pid = daemon_pid();
        if (pid > 0 && pid != old)
            return pid;
        usleep(10000);
    }
    return -1;
}

static void wait_until_gone(void)
{
    for (int i = 0; i < 500 && daemon_pid() > 0; i++)
        usleep(10000);
    assert_true(daemon_pid() < 0);
}

static int setup(void **state)
{
    (void)state;
    strcpy(directory, "/tmp/daemon_test.XXXXXX");
    assert_non_null(mkdtemp(directory));
    rundir_set(directory);
    return 0;
}

static int teardown(void **state)
{
    char command[96];

    (void)state;
    snprintf(command, sizeof command, "rm -rf %s", directory);
    return system(command);
}

static void detached_daemon_is_found_and_keeps_a_second_one_out(void **state)
{
    (void)state;
    assert_int_equal(daemon_pid(), -ENOENT);
    assert_int_equal(run_daemon(true, false, false), 0);
    pid_t pid = daemon_pid();
    assert_true(pid > 0);
    assert_int_equal(run_daemon(true, false, false), 3);
    assert_int_equal(daemon_pid(), pid);
    kill(pid, SIGKILL);
    wait_until_gone();
    assert_int_equal(daemon_pid(), -ESRCH); /* The file is there, the lock is not. */
}

static void failure_to_start_is_the_status_of_the_command(void **state)
{
    (void)state;
    assert_int_equal(run_daemon(true, false, true), 4);
    assert_int_equal(run_daemon(true, true, true), 4);
}

static void monitor_restarts_after_a_crash_and_not_after_sigterm(void **state)
{
    (void)state;
    assert_int_equal(run_daemon(true, true, false), 0);
    pid_t first = daemon_pid();
    kill(first, SIGKILL); /* What the kernel sends when memory runs out. */
    pid_t second = wait_for_pid_other_than(first);
    assert_true(second > 0);
    kill(second, SIGTERM);
    wait_until_gone();
    usleep(100000);
    assert_true(daemon_pid() < 0);
}

static void hangup_reopens_the_log_and_sigterm_ends_cleanly(void **state)
{
    char moved[96];

    (void)state;
    assert_int_equal(run_daemon(true, false, false), 0);
    pid_t pid = daemon_pid();
    snprintf(moved, sizeof moved, "%s.1", log_path());
    assert_int_equal(rename(log_path(), moved), 0);
    kill(pid, SIGHUP);
    for (int i = 0; i < 500 && access(log_path(), F_OK); i++)
        usleep(10000);
    assert_int_equal(access(log_path(), F_OK), 0);
    assert_int_equal(daemon_pid(), pid);

    kill(pid, SIGTERM);
    wait_until_gone();
    assert_int_equal(daemon_pid(), -ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(detached_daemon_is_found_and_keeps_a_second_one_out),
        cmocka_unit_test(failure_to_start_is_the_status_of_the_command),
        cmocka_unit_test(monitor_restarts_after_a_crash_and_not_after_sigterm),
        cmocka_unit_test(hangup_reopens_the_log_and_sigterm_ends_cleanly),
    };
    log_set_levels("console:off", NULL);
    return cmocka_run_group_tests(tests, setup, teardown);
}
