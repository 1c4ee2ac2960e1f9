/* SPDX-License-Identifier: Apache-2.0 */

/* A pidfile is believed only while the process it names holds a write lock on it: after a crash the
 * number may belong to someone else. */

#include "lib/unixctl_client.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/jsonrpc_client.h"
#include "lib/rundir.h"

static pid_t read_locked_pid(int fd, const char *pidfile, struct error *error)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    char text[32];

    if (fcntl(fd, F_GETLK, &lock) < 0)
        return error_set_errno(error, -errno, "%s: cannot read lock", pidfile);
    if (lock.l_type == F_UNLCK)
        return error_set(error, -ESRCH, "%s: the daemon is not running (stale pidfile)", pidfile);

    ssize_t n = pread(fd, text, sizeof text - 1, 0);
    if (n < 0)
        return error_set_errno(error, -errno, "%s: cannot read", pidfile);
    text[n] = '\0';
    long pid = strtol(text, NULL, 10);
    /* The kernel reports no pid for a holder in another pid namespace. */
    if (pid <= 0 || pid > INT32_MAX || (lock.l_pid > 0 && lock.l_pid != pid))
        return error_set(error, -ESRCH, "%s: does not name the process that holds it", pidfile);
    return (pid_t)pid;
}

pid_t unixctl_client_read_pidfile(const char *pidfile, struct error *error)
{
    int fd = open(pidfile, O_RDONLY | O_CLOEXEC | O_NOCTTY);

    if (fd < 0)
        return errno == ENOENT
                   ? error_set(error, -ENOENT, "%s: no pidfile, the daemon is not running", pidfile)
                   : error_set_errno(error, -errno, "%s: cannot open pidfile", pidfile);
    pid_t pid = read_locked_pid(fd, pidfile, error);
    close(fd);
    return pid;
}

char *unixctl_client_find(const char *target, struct error *error)
{
    if (*target == '/')
        return strdup(target);

    char *pidfile = rundir_pidfile(target);
    pid_t pid = unixctl_client_read_pidfile(pidfile, error);
    free(pidfile);
    return pid < 0 ? NULL : rundir_ctl_socket(target, pid);
}

int unixctl_client_call(const char *socket_path, const char *command, size_t n_args,
                        const char *const args[], int64_t deadline_ns, char **answer,
                        bool *is_error, struct error *error)
{
    json_t *params = json_array(), *json;

    *answer = NULL;
    for (size_t i = 0; i < n_args; i++) {
        if (json_array_append_new(params, json_string(args[i]))) {
            json_decref(params);
            return error_set(error, -EINVAL, "\"%s\": not valid UTF-8", args[i]);
        }
    }
    struct jsonrpc_client *client = jsonrpc_client_connect(socket_path, deadline_ns, error);
    if (!client) {
        json_decref(params);
        return error->code;
    }
    int result = jsonrpc_client_call_take(client, command, params, &json, is_error, error);
    jsonrpc_client_destroy(client);
    if (result)
        return error_prefix(error, "%s", socket_path);
    *answer = json_is_string(json) ? strdup(json_string_value(json))
                                   : json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY);
    json_decref(json);
    return 0;
}
