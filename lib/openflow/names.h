/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* names - ports and tables by number, reserved name or, where the caller knows them, by their own
 * names.
 *
 * Threads  Plain functions; what the callbacks need is the caller's business. */

#include <stdbool.h>

#include "lib/error.h"
#include "lib/openflow/openflow.h"

struct buffer;

/* Names of ports and tables, both ways.  A NULL struct, or NULL callbacks, mean numbers only. */
struct of_names {
    bool (*find_port)(void *aux, const char *name, of_port *port);
    const char *(*port_name)(void *aux, of_port port); /* NULL: it has none. */
    bool (*find_table)(void *aux, const char *name, uint8_t *table);
    const char *(*table_name)(void *aux, uint8_t table); /* The same. */
    void *aux;
};

/* "1", "LOCAL", "in_port" (any case) or a name, which may stand in double quotes. */
int of_port_parse(const char *text, const struct of_names *names, of_port *port,
                  struct error *error);
void of_port_format(of_port port, const struct of_names *names, struct buffer *out);

/* "1" or a name; 'max' is the greatest number that makes sense. */
int of_table_parse(const char *text, const struct of_names *names, uint8_t max, uint8_t *table,
                   struct error *error);
void of_table_format(uint8_t table, const struct of_names *names, struct buffer *out);
