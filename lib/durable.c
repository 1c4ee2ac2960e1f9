/* SPDX-License-Identifier: Apache-2.0 */

/* A write() of no bytes is an error, as trying again might never end. */

#include "lib/durable.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int durable_write(int fd, const void *bytes, size_t n_bytes)
{
    const char *at = bytes;

    while (n_bytes) {
        ssize_t n = write(fd, at, n_bytes);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n ? -errno : -EIO;
        at += n;
        n_bytes -= (size_t)n;
    }
    return 0;
}

int durable_sync_directory(const char *path)
{
    char *copy = strdup(path);

    if (!copy)
        abort();
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int result = fd < 0 || fsync(fd) < 0 ? -errno : 0;
    if (fd >= 0)
        close(fd);
    free(copy);
    return result;
}
