/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* flow_table_learned - flows that go when the last flow that teaches them goes.
 *
 * learn(delete_learned) names what it teaches by table and cookie.  Rules that leave, or change their actions,
 * are noted; before the tables are published, one walk finds which of the noted names nobody teaches any more,
 * and a second one removes their flows.
 *
 * Threads  The main thread. */

#include <stddef.h>

#include "vswitchd/flow_table.h"

struct learned_name {
    uint8_t table_id;
    bool is_taught;
    be64 cookie;
};

struct learned_names {
    struct learned_name *names; /* Owned. */
    size_t n, capacity;
};

/* Are there names in 'actions'? */
bool learned_names_has(struct ofa_list actions);

/* The names in 'actions' lose a teacher. */
void learned_names_note(struct learned_names *names, struct ofa_list actions);

/* Removes from the next version what nobody teaches; forgets the names. */
void learned_names_settle(struct learned_names *names, struct flow_tables *tables);
void learned_names_fini(struct learned_names *names);
