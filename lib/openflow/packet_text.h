/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* packet_text - frames for a switch as people write them: "in_port=1 packet=0200... actions=2", or
 * "in_port=1 tcp,nw_dst=10.0.0.1,tp_dst=80 actions=2".
 *
 * Threads  Plain functions. */

#include "lib/buffer.h"
#include "lib/error.h"
#include "lib/openflow/names.h"
#include "lib/openflow/packet.h"

/* Besides in_port, which is needed, and packet fields of metadata and registers may be given.  Without packet other fields
 * say what the frame is (compose.h).  'frame' gets the bytes, to which 'packet' points.  'packet' is initialized by it; of_packet_out_fini() it
 * in any case. */
int of_packet_out_parse(const char *text, const struct of_names *names, struct buffer *frame,
                        struct of_packet_out *packet, struct error *error);
