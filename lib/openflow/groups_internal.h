/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* groups_internal - what group_mods and descriptions of groups have in common on the wire.
 *
 * Threads  Plain functions. */

#include "lib/openflow/groups.h"
#include "lib/openflow/wire.h"

/* 1.5's form and Nicira's: numbered buckets, properties. */
bool of_group_form_is_15(enum of_form form, enum of_version version);

/* Buckets to the end of 'wire'. */
enum of_error of_decode_buckets(struct wire wire, enum of_form form, enum of_version version,
                                struct of_group *group);
void of_encode_buckets(const struct of_group *group, enum of_form form, enum of_version version,
                       struct buffer *out);

enum of_error of_decode_group_properties(struct wire wire, struct of_group *group);
void of_encode_group_properties(const struct of_group *group, enum of_version version,
                                struct buffer *out);
