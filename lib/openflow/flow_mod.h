/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* flow_mod - the message that changes flow tables, and the one that tells a flow has gone.
 *
 * In OpenFlow 1.0 a flow_mod comes in two forms (OFPT_FLOW_MOD, NXT_FLOW_MOD), and its command may
 * carry a table number (NXT_FLOW_MOD_TABLE_ID): struct of_protocol says what was agreed on.
 *
 * Memory   struct of_flow_mod owns its actions.
 * Threads  Plain functions. */

#include <stdbool.h>
#include <stdint.h>

#include "lib/buffer.h"
#include "lib/byteorder.h"
#include "lib/match.h"
#include "lib/openflow/actions.h"
#include "lib/openflow/errors.h"
#include "lib/openflow/messages.h"
#include "lib/openflow/openflow.h"

enum of_flow_command { /* Numbers as on the wire. */
                       OFFC_ADD = 0,
                       OFFC_MODIFY = 1,
                       OFFC_MODIFY_STRICT = 2,
                       OFFC_DELETE = 3,
                       OFFC_DELETE_STRICT = 4,
};

enum { OF_DEFAULT_PRIORITY = 0x8000 };
#define OF_BUFFER_NONE UINT32_C(0xffffffff)

struct of_flow_mod {
    struct match match;
    uint16_t priority;
    uint8_t command;  /* enum of_flow_command. */
    uint8_t table_id; /* OF_TABLE_ALL: all (delete, modify), or the switch's choice (add). */

    /* Modify and delete only touch flows whose cookie equals 'cookie' under 'cookie_mask'. */
    be64 cookie, cookie_mask;

    /* Of an added flow; of a modified one if 'modify_cookie' (1.1 and later never change the cookie of
     * an existing flow).  A modify that finds nothing adds the flow in 1.0 and 1.1, unless it has to
     * match a cookie: so where this is not all ones and 'cookie_mask' is 0. */
    be64 new_cookie;
    bool modify_cookie;

    uint16_t idle_timeout_s, hard_timeout_s; /* 0: never. */
    uint16_t flags;                          /* enum of_flow_flags. */
    bool always_resets;  /* An "add" of 1.0 and 1.1: OFFF_RESET_COUNTS or not. */
    uint16_t importance; /* 1.4 and later. */
    uint32_t buffer_id;
    of_port out_port;      /* Delete only flows that output to it; OFPP_NONE: any. */
    uint32_t out_group;    /* The same for groups; OF_GROUP_ANY. */
    struct buffer actions; /* Owned: a list of struct ofa. */
};

void of_flow_mod_init(struct of_flow_mod *flow); /* An ADD of the default priority to table ALL. */
void of_flow_mod_fini(struct of_flow_mod *flow);

static inline struct ofa_list of_flow_mod_actions(const struct of_flow_mod *flow)
{
    return (struct ofa_list){.first = (const struct ofa *)(const void *)flow->actions.data,
                             .n_bytes = flow->actions.size};
}

static inline bool of_flow_mod_resets_counts(const struct of_flow_mod *flow)
{
    return flow->flags & OFFF_RESET_COUNTS || flow->always_resets;
}

/* 'flow' may be uninitialized or hold an earlier flow_mod whose memory is to be reused
 * (of_flow_mod_init() it once); of_flow_mod_fini() it in any case.
 *
 * 'protocol' matters for 1.0 only.  Actions are checked against the match with 'n_tables' tables.
 * buffer_id other than OF_BUFFER_NONE is passed on. */
enum of_error of_decode_flow_mod(const struct of_message *message,
                                 const struct of_protocol *protocol, uint8_t n_tables,
                                 struct of_flow_mod *flow);
void of_encode_flow_mod(const struct of_flow_mod *flow, const struct of_protocol *protocol,
                        uint32_t xid, struct buffer *out);

/* May 'flow' be sent in this protocol without losing anything? */
bool of_flow_mod_fits(const struct of_flow_mod *flow, const struct of_protocol *protocol);

/* Actions that fill a message of one version may be too long for one of another: such must not be encoded. */
bool of_flow_mod_length_fits(const struct of_flow_mod *flow, const struct of_protocol *protocol);

enum of_flow_removed_reason {
    OFRR_IDLE_TIMEOUT = 0,
    OFRR_HARD_TIMEOUT = 1,
    OFRR_DELETE = 2,
    OFRR_GROUP_DELETE = 3,
    OFRR_METER_DELETE = 4,
    OFRR_EVICTION = 5,
};

struct of_flow_removed {
    struct match match;
    be64 cookie;
    uint16_t priority;
    uint8_t reason;   /* enum of_flow_removed_reason. */
    uint8_t table_id; /* OF_TABLE_ALL: not told (1.0). */
    uint32_t duration_s, duration_ns;
    uint16_t idle_timeout_s, hard_timeout_s;
    uint64_t n_packets, n_bytes;
};

enum of_error of_decode_flow_removed(const struct of_message *message,
                                     struct of_flow_removed *removed);
void of_encode_flow_removed(const struct of_flow_removed *removed,
                            const struct of_protocol *protocol, struct buffer *out);
