/* SPDX-License-Identifier: Apache-2.0 */

/* A listener is bound under a temporary name, given its mode, and renamed into place, so that it is
 * never there with wider permissions. */

#include "lib/unix_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "lib/clock.h"

/* Fills 'address' for 'path'.  '*dir_fd' keeps a long path's directory open: close it (if it is not
 * -1) after the address was used. */
static int fill_address(const char *path, struct sockaddr_un *address, int *dir_fd)
{
    *dir_fd = -1;
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    if (strlen(path) < sizeof address->sun_path) {
        memcpy(address->sun_path, path, strlen(path));
        return 0;
    }

    const char *slash = strrchr(path, '/');
    if (!slash)
        return -ENAMETOOLONG;
    char *directory = strndup(path, (size_t)(slash - path) + 1);
    if (!directory)
        abort();
    int fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int open_errno = errno;
    free(directory);
    if (fd < 0)
        return -open_errno;
    int n = snprintf(address->sun_path, sizeof address->sun_path, "/proc/self/fd/%d/%s", fd,
                     slash + 1);
    if (n < 0 || (size_t)n >= sizeof address->sun_path) {
        close(fd);
        return -ENAMETOOLONG;
    }
    *dir_fd = fd;
    return 0;
}

typedef int address_call(int fd, const struct sockaddr *address, socklen_t length);

static int with_address(address_call *call, int fd, const char *path)
{
    struct sockaddr_un address;
    int dir_fd;
    int result = fill_address(path, &address, &dir_fd);

    if (result)
        return result;
    if (call(fd, (const struct sockaddr *)&address, sizeof address) < 0)
        result = -errno;
    if (dir_fd >= 0)
        close(dir_fd);
    return result;
}

static int try_connect(const char *path, int flags)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);

    if (fd < 0)
        return -errno;
    int result = with_address(connect, fd, path);
    if (!result)
        return fd;
    close(fd);
    return result;
}

int unix_socket_connect(const char *path, struct error *error)
{
    int fd = try_connect(path, 0);

    if (fd < 0)
        return error_set_errno(error, fd, "%s: cannot connect", path);
    return fd;
}

int unix_socket_connect_until(const char *path, int64_t deadline_ns, struct error *error)
{
    const struct timespec pause = {.tv_nsec = 10 * MILLISECOND_NS};

    for (;;) {
        int fd = try_connect(path, SOCK_NONBLOCK);

        if (fd >= 0)
            return fd;
        if (fd != -EAGAIN)
            return error_set_errno(error, fd, "%s: cannot connect", path);
        if (clock_now_ns() >= deadline_ns)
            return error_set(error, -ETIMEDOUT, "%s: too many wait to connect, timed out", path);
        nanosleep(&pause, NULL);
    }
}

int unix_socket_connect_now(const char *path, struct error *error)
{
    int fd = try_connect(path, SOCK_NONBLOCK);

    if (fd < 0)
        return error_set_errno(error, fd, "%s: cannot connect", path);
    return fd;
}

static int refuse_if_in_use(const char *path, struct error *error)
{
    struct stat status;

    if (lstat(path, &status) < 0)
        return errno == ENOENT ? 0 : error_set_errno(error, -errno, "%s", path);
    if (!S_ISSOCK(status.st_mode))
        return error_set(error, -EEXIST, "%s: exists and is not a socket", path);
    int fd = try_connect(path, SOCK_NONBLOCK); /* The listener may be stopped and its queue full. */
    if (fd == -ECONNREFUSED || fd == -ENOENT)
        return 0;
    if (fd >= 0)
        close(fd);
    return error_set(error, -EADDRINUSE, "%s: another process listens there", path);
}

static int bind_and_listen(int fd, const char *path, mode_t mode, struct error *error)
{
    char *temporary;
    int result;

    if (asprintf(&temporary, "%s.%ld~", path, (long)getpid()) < 0)
        abort();
    unlink(temporary);
    if ((result = with_address(bind, fd, temporary)) < 0) {
        error_set_errno(error, result, "%s: cannot bind", path);
        goto free_name;
    }
    if (chmod(temporary, mode) < 0 || listen(fd, SOMAXCONN) < 0 || rename(temporary, path) < 0) {
        result = error_set_errno(error, -errno, "%s: cannot listen", path);
        unlink(temporary);
    }
free_name:
    free(temporary);
    return result;
}

int unix_socket_listen(const char *path, mode_t mode, struct error *error)
{
    int result = refuse_if_in_use(path, error);

    if (result)
        return result;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return error_set_errno(error, -errno, "%s: cannot create socket", path);
    result = bind_and_listen(fd, path, mode, error);
    if (result) {
        close(fd);
        return result;
    }
    return fd;
}

int unix_socket_accept(int listener)
{
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    return fd < 0 ? -errno : fd;
}
