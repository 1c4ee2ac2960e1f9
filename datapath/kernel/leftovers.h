/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* leftovers - programs of ours on network devices whose switch is not there, or wants them no more.
 *
 * A filter is ours by handle, priority and program name; the exception tap that its program sends to says
 * whose it is.  If the tap is gone the device is deaf: nobody will ever look after it.  Filters of another
 * switch that runs beside us, or is about to start again, are safe.
 *
 * Threads  Any. */

#include <stdbool.h>

#include <bpf/libbpf.h>

#include "lib/buffer.h"
#include "lib/error.h"

/* Does what such a switch had cached go on being forwarded from 'ifindex'? */
bool leftovers_has(int ifindex);

/* Looks at every device of this network namespace, and writes the names of those it freed to 'freed' (or NULL), one a
 * line.  0 or negative errno. */
int leftovers_remove(struct buffer *freed, struct error *error);

/* The same for filters that send to the tap 'tap_ifindex', but for
 * devices that 'is_wanted' (NULL: none). */
int leftovers_remove_of(int tap_ifindex, bool (*is_wanted)(int ifindex, void *arg), void *arg,
                        struct buffer *freed);

/* Removes our filter; and, if there are no others, the clsact qdisc with it.  False: it was not there. */
bool leftovers_remove_filter(int ifindex, enum bpf_tc_attach_point point);
bool leftovers_remove_qdisc_too(int ifindex, enum bpf_tc_attach_point point);

/* Removes a clsact qdisc that has no filter.  True: there was one. */
bool leftovers_remove_qdisc(int ifindex);

/* Is there a filter of ours already? */
bool leftovers_is_ours(int ifindex, enum bpf_tc_attach_point point);
