/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* coverage - how often does each kind of event happen, just now and over the last hour?
 *
 * Every counter is sampled each 5 s and the samples of an hour are kept, so rates cost nothing where the
 * events are.
 *
 * Threads  The main thread. */

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/buffer.h"

struct coverage;
struct vswitch;

struct coverage *coverage_create(struct vswitch *vswitch);
void coverage_destroy(struct coverage *coverage); /* NULL is fine. */

/* As coverage/show of ovs-appctl(8) prints it. */
void coverage_format(struct coverage *coverage, struct buffer *text);

/* The total of one counter.  False: there is none of that name. */
bool coverage_read(struct coverage *coverage, const char *name, uint64_t *total);
json_t *coverage_to_json(struct coverage *coverage); /* [{"name", "total", "rate_5s", ...}] */
