/* SPDX-License-Identifier: Apache-2.0 */

/* The reserved ports have names in every version (OpenFlow 1.3.5, section 4.5). */

#include "lib/openflow/names.h"

#include <errno.h>
#include <strings.h>

#include "lib/annotations.h"
#include "lib/buffer.h"
#include "lib/openflow/text.h"

static const struct {
    const char *name;
    of_port port;
} reserved_ports[] = {
    {"IN_PORT", OFPP_IN_PORT}, {"TABLE", OFPP_TABLE}, {"NORMAL", OFPP_NORMAL},
    {"FLOOD", OFPP_FLOOD},     {"ALL", OFPP_ALL},     {"CONTROLLER", OFPP_CONTROLLER},
    {"LOCAL", OFPP_LOCAL},     {"ANY", OFPP_NONE},    {"NONE", OFPP_NONE},
    {"UNSET", OFPP_UNSET},
};

int of_port_parse(const char *text, const struct of_names *names, of_port *port,
                  struct error *error)
{
    uint64_t number;

    if (text_parse_u64(text, &number)) {
        if (number < OFPP_MAX || (number >= OFPP_UNSET && number <= OFPP_NONE)) {
            *port = (of_port)number;
            return 0;
        }
        if (number >= 0xfffffff7 && number <= UINT32_MAX) {
            *port = (of_port)(number & 0xffff); /* As OpenFlow 1.1 and later write them. */
            return 0;
        }
        return error_set(error, -ERANGE, "port %s is out of range: ports are 0 to %d", text,
                         OFPP_MAX - 1);
    }
    if (names && names->find_port && names->find_port(names->aux, text, port))
        return 0;
    for (size_t i = 0; i < ARRAY_SIZE(reserved_ports); i++) {
        if (!strcasecmp(text, reserved_ports[i].name)) {
            *port = reserved_ports[i].port;
            return 0;
        }
    }
    return error_set(error, -ENOENT, "%s: no such port", text);
}

/* Does a name need quotes to be told from syntax? */
static bool needs_quotes(const char *name)
{
    for (const char *p = name; *p; p++) {
        bool is_plain = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || *p == '_' ||
                        *p == '-' || *p == '.' || (*p >= '0' && *p <= '9' && p != name);
        if (!is_plain)
            return true;
    }
    return !*name;
}

void of_port_format(of_port port, const struct of_names *names, struct buffer *out)
{
    for (size_t i = 0; i < ARRAY_SIZE(reserved_ports); i++) {
        if (reserved_ports[i].port == port) {
            buffer_puts(out, reserved_ports[i].name);
            return;
        }
    }
    const char *name = names && names->port_name ? names->port_name(names->aux, port) : NULL;
    if (!name)
        buffer_printf(out, "%u", port);
    else if (needs_quotes(name))
        buffer_printf(out, "\"%s\"", name);
    else
        buffer_puts(out, name);
}
