/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* adopt - what an earlier daemon has left in the kernel is taken over, not begun anew.
 *
 * From when the maps are there (the first port) until datapath_take_over() the kernel goes on forwarding what it
 * has cached, as before; frames of other flows come up.  A port gets the number and the slot that its device had,
 * because entries are full of them; others get such that nobody had.  datapath_take_over() then translates each entry
 * anew: one whose verdict is the same stays and never stops forwarding, one that says something else is changed, and one
 * that cannot be said in the kernel's terms, or whose port is gone, is removed.
 *
 * What was left by another build is not understood, and not adopted: its programs go on with their own memory until
 * datapath_take_over(), and the cache begins empty.
 *
 * Threads  Main thread. */

#include <stdbool.h>
#include <stdint.h>

struct datapath;
struct dp_port;

/* The number of the device's port in the earlier daemon; 0: it had none. */
uint32_t adopt_number(const struct datapath *dp, int ifindex, uint16_t *slot);

/* May a port that had none be given this? */
bool adopt_is_free_number(const struct datapath *dp, uint32_t port_no);
bool adopt_is_free_slot(const struct datapath *dp, uint16_t slot);

/* For the next daemon: 'port' is open; or not any more.  A device that looks at addresses goes on taking all frames
 * meanwhile. */
void adopt_note_port(struct datapath *dp, const struct dp_port *port);
void adopt_forget_port(struct datapath *dp, const struct dp_port *port);
