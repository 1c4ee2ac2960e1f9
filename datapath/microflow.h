/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* microflow - has this lane just seen a frame with exactly this key?
 *
 * A fixed number of places, two for each hash: a new flow takes a place whose megaflow is gone,
 * else either.  A place points to the megaflow that decided; the caller checks that it is
 * still live and valid.
 *
 * Threads  The lane's user.
 * Memory   A place holds a reference on its megaflow. */

#include <stdint.h>

#include "lib/flow.h"

struct megaflow;
struct microflow_cache;

enum { MICROFLOW_PLACES = 8192 };

struct microflow_cache *microflow_create(void);
void microflow_destroy(struct microflow_cache *cache); /* Drops the references. */

void microflow_prefetch(const struct microflow_cache *cache, uint32_t hash);
struct megaflow *microflow_find(const struct microflow_cache *cache, const struct flow_key *key,
                                uint32_t hash);
void microflow_put(struct microflow_cache *cache, const struct flow_key *key, uint32_t hash,
                   struct megaflow *flow);
