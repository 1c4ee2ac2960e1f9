/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* flow_sort - flows in the order that --sort and --rsort ask for, the first option first.
 *
 * A flow without the field comes last in either direction, as with ovs-ofctl(8); without any option
 * the order is that in which they were added.
 *
 * Memory   A list owns copies of what is added.
 * Threads  None: a list belongs to one caller. */

#include "cli/command.h"
#include "lib/error.h"
#include "lib/openflow/stats.h"

enum { FLOW_SORT_MAX_KEYS = INVOCATION_MAX_OPTIONS };

struct flow_list {
    struct of_flow_stats *flows; /* Owned, and their actions. */
    size_t n, max;
};

struct flow_sort {
    struct {
        const struct of_field *field; /* NULL: the priority. */
        bool is_descending;
    } keys[FLOW_SORT_MAX_KEYS];
    size_t n_keys;
};

int flow_sort_parse(const struct invocation *invocation, struct flow_sort *sort,
                    struct error *error);

void flow_list_add(struct flow_list *list, const struct of_flow_stats *flow);
void flow_list_sort(struct flow_list *list, const struct flow_sort *sort);
void flow_list_fini(struct flow_list *list);
