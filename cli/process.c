/* SPDX-License-Identifier: Apache-2.0 */

/* A daemon runs as long as someone holds the lock on its pidfile. */

#include "cli/process.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/rundir.h"
#include "lib/unixctl_client.h"

extern char **environ;

static char *take_if_executable(char *path)
{
    if (path && !access(path, X_OK))
        return path;
    free(path);
    return NULL;
}

static char *join_path(const char *directory, const char *below, const char *name)
{
    char *path;

    if (asprintf(&path, "%s/%s%s", directory, below, name) < 0)
        abort();
    return path;
}

/* An installation has bin/ beside sbin/, a build tree one directory for each part. */
static char *find_beside_us(const char *name)
{
    char directory[PATH_MAX], build_directory[64], *path;
    ssize_t length = readlink("/proc/self/exe", directory, sizeof directory - 1);

    if (length <= 0)
        return NULL;
    directory[length] = '\0';
    *strrchr(directory, '/') = '\0';
    snprintf(build_directory, sizeof build_directory, "../%s/", name);
    if (!(path = take_if_executable(join_path(directory, "", name))) &&
        !(path = take_if_executable(join_path(directory, "../sbin/", name))))
        path = take_if_executable(join_path(directory, build_directory, name));
    return path;
}

static char *find_on_path(const char *name)
{
    const char *path = getenv("PATH");
    char *copy = strdup(path ? path : "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin");
    char *rest = copy, *directory, *found = NULL;

    while (!found && (directory = strsep(&rest, ":")))
        found = take_if_executable(join_path(*directory ? directory : ".", "", name));
    free(copy);
    return found;
}

char *process_find_program(const char *name, struct error *error)
{
    char *path = find_beside_us(name);

    if (!path)
        path = find_on_path(name);
    if (!path)
        error_set(error, -ENOENT, "cannot find the program %s beside weir, in sbin or on the PATH",
                  name);
    return path;
}

int process_run(const char *const argv[], struct error *error)
{
    pid_t pid;
    int status;
    int result = posix_spawn(&pid, argv[0], NULL, NULL, (char *const *)(void *)argv, environ);

    if (result)
        return error_set_errno(error, -result, "cannot run %s", argv[0]);
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return error_set_errno(error, -errno, "%s", argv[0]);
    if (WIFEXITED(status) && !WEXITSTATUS(status))
        return 0;
    if (WIFSIGNALED(status))
        return error_set(error, -EIO, "%s was ended by signal %d (%s)", argv[0], WTERMSIG(status),
                         strsignal(WTERMSIG(status)));
    return error_set(error, -EIO, "%s failed with status %d", argv[0], WEXITSTATUS(status));
}

pid_t process_pidfile_pid(const char *pidfile)
{
    pid_t pid = unixctl_client_read_pidfile(pidfile, NULL);

    return pid > 0 ? pid : 0;
}

pid_t process_daemon_pid(const char *daemon)
{
    char *pidfile = rundir_pidfile(daemon);
    pid_t pid = process_pidfile_pid(pidfile);

    free(pidfile);
    return pid;
}

int process_wait_daemon(const char *daemon, int64_t deadline_ns)
{
    while (process_daemon_pid(daemon)) {
        if (clock_now_ns() >= deadline_ns)
            return -ETIMEDOUT;
        usleep(5000);
    }
    return 0;
}

int process_stop_daemon(const char *daemon, int64_t deadline_ns, struct error *error)
{
    pid_t pid = process_daemon_pid(daemon);

    if (!pid)
        return 0;
    if (kill(pid, SIGTERM) < 0 && errno != ESRCH)
        return error_set_errno(error, -errno, "cannot stop %s (pid %ld)", daemon, (long)pid);
    if (process_wait_daemon(daemon, deadline_ns) < 0)
        return error_set(error, -ETIMEDOUT, "%s (pid %ld) was told to stop, but still runs", daemon,
                         (long)pid);
    return 0;
}
