/* SPDX-License-Identifier: Apache-2.0 */

/* A daemon runs as long as someone holds the lock on its pidfile. */

#include "cli/process.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
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

static int wait_for(pid_t pid, const char *program, struct error *error)
{
    int status;

    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return error_set_errno(error, -errno, "%s", program);
    if (WIFEXITED(status) && !WEXITSTATUS(status))
        return 0;
    if (WIFSIGNALED(status))
        return error_set(error, -EIO, "%s was ended by signal %d (%s)", program, WTERMSIG(status),
                         strsignal(WTERMSIG(status)));
    return error_set(error, -EIO, "%s failed with status %d", program, WEXITSTATUS(status));
}

static int spawn(pid_t *pid, const char *const argv[], const posix_spawn_file_actions_t *actions,
                 struct error *error)
{
    int result = posix_spawn(pid, argv[0], actions, NULL, (char *const *)(void *)argv, environ);

    return result ? error_set_errno(error, -result, "cannot run %s", argv[0]) : 0;
}

int process_run(const char *const argv[], struct error *error)
{
    pid_t pid;
    int result = spawn(&pid, argv, NULL, error);

    return result ? result : wait_for(pid, argv[0], error);
}

static void read_to_end(int fd, struct buffer *output)
{
    uint8_t chunk[4096];
    ssize_t n;

    while ((n = read(fd, chunk, sizeof chunk)) > 0 || (n < 0 && errno == EINTR))
        if (n > 0)
            buffer_put(output, chunk, (size_t)n);
}

int process_run_output(const char *const argv[], struct buffer *output, struct error *error)
{
    posix_spawn_file_actions_t actions;
    int pipe_fds[2], result;
    pid_t pid;

    if (pipe2(pipe_fds, O_CLOEXEC) < 0)
        return error_set_errno(error, -errno, "cannot run %s", argv[0]);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, pipe_fds[1], STDOUT_FILENO);
    result = spawn(&pid, argv, &actions, error);
    posix_spawn_file_actions_destroy(&actions);
    close(pipe_fds[1]);
    if (!result) {
        read_to_end(pipe_fds[0], output);
        result = wait_for(pid, argv[0], error);
    }
    close(pipe_fds[0]);
    return result;
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

bool process_shares_network(pid_t pid)
{
    struct stat ours, theirs;
    char path[64];

    snprintf(path, sizeof path, "/proc/%ld/ns/net", (long)pid);
    return !stat("/proc/self/ns/net", &ours) && !stat(path, &theirs) &&
           ours.st_ino == theirs.st_ino && ours.st_dev == theirs.st_dev;
}

const char **process_read_argv(pid_t pid, char **text)
{
    struct buffer content = BUFFER_INIT;
    char path[64];
    size_t n = 0;

    snprintf(path, sizeof path, "/proc/%ld/cmdline", (long)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    read_to_end(fd, &content);
    close(fd);
    const char **argv = calloc(content.size + 1, sizeof *argv);
    size_t n_bytes = content.size;
    *text = buffer_take_text(&content);
    if (!argv)
        abort();
    for (char *at = *text; at < *text + n_bytes; at += strlen(at) + 1)
        argv[n++] = at;
    return argv;
}

int process_wait_daemon(const char *daemon, int64_t deadline_ns)
{
    while (process_daemon_pid(daemon)) {
        if (clock_now_ns() >= deadline_ns)
            return -ETIMEDOUT;
        usleep(1000);
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
