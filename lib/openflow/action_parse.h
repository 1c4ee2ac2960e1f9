/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* action_parse - what the parsers of actions share.
 *
 * A table says for each name how it is read: OpenFlow's own actions in action_parse.c, Nicira's in
 * action_parse_nx.c.
 *
 * Threads  Plain functions. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"
#include "lib/openflow/actions.h"
#include "lib/openflow/names.h"
#include "lib/openflow/text.h"

struct action_parser {
    const struct of_names *names;
    struct buffer *list;
    struct error *error;
    bool is_nested; /* Inside of write_actions() or clone(). */
    bool is_in_ct;  /* Inside of exec(). */
    unsigned depth; /* Of clones. */
};

/* 'item->value' is what stands behind ':', '=' or inside of parentheses; NULL if nothing does. */
typedef int parse_function(struct action_parser *parser, const struct text_item *item,
                           int argument);

struct action_name {
    const char *name;
    parse_function *parse;
    int argument;
};

extern const struct action_name action_names[], action_nx_names[];
extern const size_t action_n_names, action_n_nx_names;

int action_parse_list(struct action_parser *parser, char *cursor);
int action_parse_bounded(struct action_parser *parser, const char *key, const char *text,
                         uint64_t max, uint64_t *number);
int action_parse_port(struct action_parser *parser, const char *key, const char *text,
                      of_port *port);
int action_needs_value(struct action_parser *parser, const struct text_item *item,
                       const char *expected);
int action_parse_plain(struct action_parser *parser, const struct text_item *item, int argument);
