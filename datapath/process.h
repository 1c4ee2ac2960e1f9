/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* process - a batch of frames through caches, translation and execution.
 *
 * Threads  The lane's user, as an RCU reader. */

#include "datapath/internal.h"

/* 'packets' are the lane's, in order of arrival, with their virtio headers unchecked; 'ports' says where each came in. */
void process_batch(struct lane *lane, struct packet **packets, struct dp_port **ports,
                   unsigned int n);

/* After a batch: were there no more frames to take?  If so the kernel may have the flows that it could treat, as
 * no frame of theirs is on its way through here; it gets them also if it has waited for long. */
void process_end_of_queue(struct lane *lane, bool is_empty);
void process_make_offers(struct lane *lane); /* Now. */

/* The flow that frames with 'key' belong to, translated and cached if need be, or NULL; valid when looked for.
 * 'packet' as in datapath_ops.translate.  Between batches of the lane. */
struct megaflow *process_flow_of(struct lane *lane, const struct flow_key *key,
                                 const struct packet *packet);

/* Credits what 'flow' did since it was last asked. */
void process_credit(struct datapath *dp, struct megaflow *flow);

/* Gives up an unlinked entry. */
void process_bury(struct datapath *dp, struct megaflow *flow);

/* 'flow' has taken the place of 'old' in the table; what that has counted is shown with it. */
void process_succeed(struct datapath *dp, struct megaflow *old, struct megaflow *flow);

/* Is the verdict up to date? */
bool process_is_valid(struct datapath *dp, const struct megaflow *flow);

/* As datapath_ops.translate, into a verdict made ready here.  Returns the generation it is of. */
uint64_t process_translate(struct datapath *dp, const struct flow_key *key,
                           const struct packet *packet, int64_t now_ns, struct verdict *verdict);
