/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* flow_monitor - who wants to hear of which changes to flow tables, and what is told: NXST_FLOW_MONITOR
 * (1.0 to 1.2), the ONF's extension 187 to 1.3, and OFPMP_FLOW_MONITOR (1.4).
 *
 * Threads  Plain functions. */

#include <stdbool.h>
#include <stdint.h>

#include "lib/buffer.h"
#include "lib/byteorder.h"
#include "lib/match.h"
#include "lib/openflow/actions.h"
#include "lib/openflow/errors.h"
#include "lib/openflow/messages.h"
#include "lib/openflow/stats.h"

enum of_monitor_flags {
    OFMON_INITIAL = 1 << 0, /* What is there now. */
    OFMON_ADD = 1 << 1,
    OFMON_REMOVED = 1 << 2,
    OFMON_MODIFY = 1 << 3,
    OFMON_ACTIONS = 1 << 4, /* Updates have actions. */
    OFMON_OWN = 1 << 5,     /* The monitor's own changes are told in full. */
};

enum of_monitor_command { OFFMC_ADD, OFFMC_MODIFY, OFFMC_DELETE }; /* Only 1.4 has the last two. */

struct of_monitor_request {
    uint32_t monitor_id;
    uint8_t command; /* enum of_monitor_command. */
    uint16_t flags;  /* enum of_monitor_flags. */
    uint8_t table_id;
    of_port out_port;
    uint32_t out_group;
    struct match match;
};

/* A request may have several. */
bool of_next_monitor_request(struct of_items *items, struct of_monitor_request *request);

/* Begins and finishes a message with one. */
void of_encode_monitor_request(const struct of_monitor_request *request, enum of_version version,
                               uint32_t xid, struct buffer *out);

/* OF_MONITOR_CANCEL. */
uint32_t of_decode_monitor_cancel(const struct of_message *message);
void of_encode_monitor_cancel(uint32_t monitor_id, enum of_version version, uint32_t xid,
                              struct buffer *out);

enum of_update_event {
    OF_UPDATE_INITIAL, /* Before 1.4: as OF_UPDATE_ADDED. */
    OF_UPDATE_ADDED,
    OF_UPDATE_REMOVED,
    OF_UPDATE_MODIFIED,
    OF_UPDATE_ABBREVIATED, /* Only 'xid': what was asked for in it has been done. */
    OF_UPDATE_PAUSED,      /* From 1.4, and nothing else in it; likewise the next. */
    OF_UPDATE_RESUMED,
};

struct of_flow_update {
    enum of_update_event event;
    uint32_t xid;
    uint8_t reason; /* enum of_flow_removed_reason, of OF_UPDATE_REMOVED. */
    uint8_t table_id;
    uint16_t priority, idle_timeout_s, hard_timeout_s;
    be64 cookie;
    struct match match;
    struct ofa_list actions; /* Borrowed; empty if they are not told. */
};

/* In a reply to a request, or one that of_begin_updates() made. */
void of_reply_add_update(struct of_reply *reply, const struct of_flow_update *update);
void of_begin_updates(struct of_reply *reply, enum of_version version, struct buffer *out);

/* From now on only removals are told; what else was missed has been told.  A message, or an update. */
void of_encode_monitor_paused(enum of_version version, struct buffer *out);
void of_encode_monitor_resumed(enum of_version version, struct buffer *out);

/* 'actions' is cleared and holds what update->actions points to. */
bool of_next_update(struct of_items *items, struct buffer *actions, struct of_flow_update *update);
