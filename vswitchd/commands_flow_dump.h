/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* commands_flow_dump - cached flows for the commands that print them, and how they are named.
 *
 * A flow's name is its UFID, 128 bits made of match and mask: the same flow has the same until the daemon ends.
 *
 * Threads  The main thread. */

#include <jansson.h>
#include <stdbool.h>

#include "datapath/datapath.h"
#include "lib/buffer.h"
#include "lib/match.h"

struct bridge;
struct unixctl_request;
struct vswitch;

struct flow_ufid {
    uint64_t words[2];
};

struct flow_dump {
    struct vswitch *vswitch;
    const struct bridge *bridge; /* NULL: all. */
    const struct match
        *filter;     /* What the flow's key must have; NULL: any.  in_port is the datapath's. */
    bool with_names; /* Of ports. */
    bool with_ufid;
    bool with_place;      /* With the UFID: who executes the flow. */
    const char *ufid_end; /* Behind it. */
    bool is_of_userspace, is_of_kernel;
    struct buffer text;
    json_t *json; /* NULL: text is wanted. */
};

void flow_dump_init(struct flow_dump *dump, struct vswitch *vswitch);

/* Answers with all flows that are meant, and frees what 'dump' has. */
void flow_dump_reply(struct flow_dump *dump, struct unixctl_request *request);

/* True: 'argument' is an option of the commands that print flows. */
bool flow_dump_parse_option(struct flow_dump *dump, const char *argument);

/* One line, without its end. */
void flow_dump_put(struct flow_dump *dump, const struct dp_flow_info *flow, struct buffer *out);

struct flow_ufid flow_ufid_of(const struct dp_flow_info *flow);
void flow_ufid_format(struct flow_ufid ufid, struct buffer *out); /* "ufid:01234567-..." */
bool flow_ufid_parse(const char *text, struct flow_ufid *ufid);
