/* SPDX-License-Identifier: Apache-2.0 */

/* The reserved ports have names in every version (OpenFlow 1.3.5, section 4.5). */

#include "lib/openflow/names.h"

#include <errno.h>
#include <string.h>
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

enum { MAX_NAME_BYTES = 64 };

/* Names are printed in quotes where they might be taken for something else. */
static const char *without_quotes(const char *text, char copy[MAX_NAME_BYTES])
{
    size_t n = strlen(text);

    if (n < 2 || n > MAX_NAME_BYTES || text[0] != '"' || text[n - 1] != '"')
        return text;
    memcpy(copy, text + 1, n - 2);
    copy[n - 2] = '\0';
    return copy;
}

int of_port_parse(const char *text, const struct of_names *names, of_port *port,
                  struct error *error)
{
    char copy[MAX_NAME_BYTES];
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
    if (names && names->find_port && names->find_port(names->aux, without_quotes(text, copy), port))
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

static void format_name(const char *name, unsigned number, struct buffer *out)
{
    if (!name || !*name)
        buffer_printf(out, "%u", number);
    else if (needs_quotes(name))
        buffer_printf(out, "\"%s\"", name);
    else
        buffer_puts(out, name);
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
    format_name(name, port, out);
}

int of_table_parse(const char *text, const struct of_names *names, uint8_t max, uint8_t *table,
                   struct error *error)
{
    char copy[MAX_NAME_BYTES];
    uint64_t number;

    if (text_parse_u64(text, &number)) {
        *table = (uint8_t)number;
        return number <= max
                   ? 0
                   : error_set(error, -ERANGE, "table %s is out of range: tables are 0 to %d", text,
                               OF_N_TABLES - 1);
    }
    if (names && names->find_table &&
        names->find_table(names->aux, without_quotes(text, copy), table))
        return 0;
    return error_set(error, -ENOENT, "%s: no such table", text);
}

void of_table_format(uint8_t table, const struct of_names *names, struct buffer *out)
{
    const char *name = names && names->table_name ? names->table_name(names->aux, table) : NULL;

    format_name(name, table, out);
}
