/* SPDX-License-Identifier: Apache-2.0 */

#include "ovsdb-lite/aside.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_NAMES = 1000 };

static char *nth_name(const char *path, const char *suffix, int n)
{
    char *name;

    if ((n ? asprintf(&name, "%s.%s.%d", path, suffix, n)
           : asprintf(&name, "%s.%s", path, suffix)) < 0)
        abort();
    return name;
}

static bool is_same_file(const char *a, const char *b)
{
    struct stat x, y;

    return !lstat(a, &x) && !lstat(b, &y) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

int aside_keep(const char *path, const char *suffix, char **kept, struct error *error)
{
    for (int n = 0; n < MAX_NAMES; n++) {
        *kept = nth_name(path, suffix, n);
        if (!link(path, *kept))
            return 0;
        int result = -errno;
        if (result == -EEXIST && is_same_file(path, *kept))
            return 0;
        if (result != -EEXIST)
            error_set_errno(error, result, "%s: cannot keep the old file", *kept);
        free(*kept);
        *kept = NULL;
        if (result != -EEXIST)
            return result;
    }
    return error_set(error, -EEXIST, "%s: too many .%s files", path, suffix);
}
