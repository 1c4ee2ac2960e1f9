/* SPDX-License-Identifier: Apache-2.0 */

#include "cli/device_name.h"

#include <errno.h>
#include <net/if.h>
#include <stddef.h>
#include <string.h>

#include "cli/shown.h"

enum { PORT_NAME_MAX_BYTES = 63 };

/* The switch refuses these, too: a pattern to the kernel, and what shells take for something else. */
static const char REFUSED[] = "%$`;&|<>()'\"\\*?";

static int check(const char *kind, const char *name, size_t max_bytes, struct error *error)
{
    if (!*name)
        return error_set(error, -EINVAL, "the name of a %s must not be empty", kind);
    if (strlen(name) > max_bytes)
        return error_set(error, -EINVAL, "%s name %s has %zu characters; at most %zu are possible",
                         kind, shown(name).text, strlen(name), max_bytes);
    for (const char *p = name; *p; p++) {
        if ((unsigned char)*p <= ' ' || *p == 0x7f || *p == '/')
            return error_set(error, -EINVAL,
                             "%s name %s: blanks, slashes and control characters are not possible",
                             kind, shown(name).text);
        if ((unsigned char)*p > 0x7f || strchr(REFUSED, *p))
            return error_set(error, -EINVAL,
                             "%s name %s: %s is not possible, nor is what is not ASCII", kind,
                             shown(name).text, REFUSED);
    }
    if (!strcmp(name, ".") || !strcmp(name, ".."))
        return error_set(error, -EINVAL, "%s name %s is a directory's", kind, name);
    return 0;
}

int device_name_check_bridge(const char *name, struct error *error)
{
    int result = check("bridge", name, IFNAMSIZ - 1, error);

    if (!result && *name == '.')
        result = error_set(error, -EINVAL, "bridge name %s must not begin with a dot", name);
    return result;
}

int device_name_check_port(const char *name, struct error *error)
{
    return check("port", name, PORT_NAME_MAX_BYTES, error);
}
