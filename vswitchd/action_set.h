/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* action_set - in which order the actions of a set are executed (OpenFlow 1.3.5, section 5.10).
 *
 * A frame has an action set, into which write_actions puts; a bucket of a group is one.  Of most actions the
 * last one written counts, of those that set fields each.  A set without any output does nothing.
 *
 * Threads  Plain functions. */

#include <stddef.h>

#include "lib/openflow/actions.h"

/* Puts those of the 'n' actions that are executed into 'ordered', which has room for 'n', and returns their
 * number.  Of several outputs a group beats a port, and that a resubmit. */
size_t action_set_order(const struct ofa *const actions[], size_t n, const struct ofa *ordered[]);

/* The same for a list, as a list: appended to 'out'. */
void action_set_flatten(struct ofa_list list, struct buffer *out);
