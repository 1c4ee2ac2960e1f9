/* SPDX-License-Identifier: Apache-2.0 */

/* Only strings: nothing here opens what it names. */

#include "lib/rundir.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/annotations.h"

static char *chosen;

void rundir_set(const char *path)
{
    free(chosen);
    chosen = strdup(path);
}

const char *rundir_path(void)
{
    const char *from_environment = getenv("OVS_RUNDIR");

    if (chosen)
        return chosen;
    return from_environment && *from_environment ? from_environment : "/run/weir";
}

int rundir_create(struct error *error)
{
    const char *path = rundir_path();
    struct stat status;

    if (!mkdir(path, 0750))
        return 0;
    if (errno != EEXIST)
        return error_set_errno(error, -errno, "%s: cannot create run directory", path);
    if (stat(path, &status) < 0)
        return error_set_errno(error, -errno, "%s", path);
    if (!S_ISDIR(status.st_mode))
        return error_set(error, -ENOTDIR, "%s: not a directory", path);
    return 0;
}

static PRINTF_LIKE(1, 2) char *format_path(const char *format, ...)
{
    char *path;
    va_list args;

    va_start(args, format);
    if (vasprintf(&path, format, args) < 0)
        abort();
    va_end(args);
    return path;
}

char *rundir_file(const char *name)
{
    return *name == '/' ? format_path("%s", name) : format_path("%s/%s", rundir_path(), name);
}

char *rundir_db_socket(void)
{
    return rundir_file("db.sock");
}

static char *bridge_file(const char *bridge, const char *suffix)
{
    if (!*bridge || *bridge == '.' || strchr(bridge, '/'))
        return NULL;
    return format_path("%s/%s.%s", rundir_path(), bridge, suffix);
}

char *rundir_bridge_socket(const char *bridge)
{
    return bridge_file(bridge, "mgmt");
}

char *rundir_snoop_socket(const char *bridge)
{
    return bridge_file(bridge, "snoop");
}

char *rundir_pidfile(const char *daemon)
{
    return format_path("%s/%s.pid", rundir_path(), daemon);
}

char *rundir_ctl_socket(const char *daemon, pid_t pid)
{
    return format_path("%s/%s.%ld.ctl", rundir_path(), daemon, (long)pid);
}

void rundir_instance(char instance[RUNDIR_INSTANCE_BYTES])
{
    const char *path = rundir_path();
    uint32_t hash = 2166136261; /* FNV-1a: the same in every process. */

    if (!strcmp(path, "/run/weir")) {
        snprintf(instance, RUNDIR_INSTANCE_BYTES, "weir");
        return;
    }
    for (; *path; path++)
        hash = (hash ^ (uint8_t)*path) * 16777619;
    snprintf(instance, RUNDIR_INSTANCE_BYTES, "w%06x", hash & 0xffffff);
}
