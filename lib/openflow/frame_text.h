/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* frame_text - what a frame says, as the match that only frames alike meet.
 *
 * Threads  Plain functions. */

#include <stddef.h>

#include "lib/flow.h"
#include "lib/match.h"

struct buffer;

/* Adds to the mask the fields that frames of such a flow have: addresses, types, and what their
 * protocols bring. */
void of_match_add_frame_fields(const struct flow *flow, struct match *match);

/* One line: "tcp,vlan_tci=0x0000,dl_src=...,tcp_flags=syn tcp_csum:0". */
void of_frame_format(const void *frame, size_t n_bytes, struct buffer *out);
