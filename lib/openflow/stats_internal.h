/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* stats_internal - what stats.c and flow_stats.c share: the ends of items in a reply.
 *
 * Threads  Plain functions. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/openflow/stats.h"

enum { OF_REPLY_HEADER_BYTES = 24 }; /* The longest there is. */

/* Could the item that was appended from 'item_start' stand in a message of its own? */
bool of_reply_item_fits(const struct of_reply *reply, size_t item_start);

/* Moves the item into a new message if the present one has become too long. */
void of_reply_end_item(struct of_reply *reply, size_t item_start);

/* As wire_take(); sets the error if something is left, but not enough. */
const uint8_t *of_items_take(struct of_items *items, size_t n_bytes);
