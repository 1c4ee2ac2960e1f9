/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* vendor - small messages that set up a connection: Nicira's extensions, roles, asynchronous
 * messages.
 *
 * Threads  Plain functions. */

#include <stdbool.h>
#include <stdint.h>

#include "lib/openflow/errors.h"
#include "lib/openflow/messages.h"
#include "lib/openflow/packet.h"

struct buffer;

/* NXT_SET_FLOW_FORMAT: NXM flows, or OpenFlow 1.0's. */
enum of_error of_decode_set_flow_format(const struct of_message *message, bool *uses_nxm);
void of_encode_set_flow_format(bool uses_nxm, uint32_t xid, struct buffer *out);

/* NXT_FLOW_MOD_TABLE_ID. */
enum of_error of_decode_flow_mod_table_id(const struct of_message *message, bool *has_table_id);
void of_encode_flow_mod_table_id(bool has_table_id, uint32_t xid, struct buffer *out);

/* NXT_SET_PACKET_IN_FORMAT; OFPBRC_EPERM for a format that is not in enum of_packet_in_format. */
enum of_error of_decode_set_packet_in_format(const struct of_message *message,
                                             enum of_packet_in_format *format);
void of_encode_set_packet_in_format(enum of_packet_in_format format, enum of_version version,
                                    uint32_t xid, struct buffer *out);

/* NXT_SET_CONTROLLER_ID. */
enum of_error of_decode_set_controller_id(const struct of_message *message, uint16_t *id);
void of_encode_set_controller_id(uint16_t id, enum of_version version, uint32_t xid,
                                 struct buffer *out);

enum of_role { OF_ROLE_NOCHANGE, OF_ROLE_EQUAL, OF_ROLE_PRIMARY, OF_ROLE_SECONDARY };

struct of_role_request {
    enum of_role role;
    bool has_generation_id; /* Not in Nicira's form. */
    uint64_t generation_id;
};

/* Request and reply have one form: NXT_ROLE_* in 1.0 and 1.1, OFPT_ROLE_* since. */
enum of_error of_decode_role(const struct of_message *message, struct of_role_request *role);
void of_encode_role(const struct of_role_request *role, enum of_message_kind kind,
                    enum of_version version, uint32_t xid, struct buffer *out);

/* OF_ROLE_STATUS: the switch has changed a controller's role (1.3 and later). */
enum of_role_reason { OFPCRR_PRIMARY_REQUEST = 0, OFPCRR_CONFIG = 1 };

struct of_role_status {
    enum of_role role; /* The new one. */
    uint8_t reason;    /* enum of_role_reason. */
    uint64_t generation_id;
};

enum of_error of_decode_role_status(const struct of_message *message,
                                    struct of_role_status *status);
void of_encode_role_status(const struct of_role_status *status, enum of_version version,
                           struct buffer *out);

/* OF_REQUEST_FORWARD: the group_mod or meter_mod of another controller, which has been done.  'inner' borrows it. */
enum of_error of_decode_request_forward(const struct of_message *message, struct of_message *inner);
void of_encode_request_forward(const void *request, size_t n_bytes, enum of_version version,
                               struct buffer *out);

/* Which asynchronous messages are wanted: bit N of a mask is reason N, numbered as in 1.4 and later.
 * [0]: as primary or equal, [1]: as secondary. */
struct of_async_config {
    uint32_t packet_in[2], port_status[2], flow_removed[2];
    uint32_t role_status[2], table_status[2], request_forward[2]; /* Only from 1.4 on can say so. */
};

/* What a connection begins with. */
void of_async_config_init(struct of_async_config *config, enum of_version version);

/* Changes in 'config' what the message is about. */
enum of_error of_decode_async_config(const struct of_message *message,
                                     struct of_async_config *config);
void of_encode_async_config(const struct of_async_config *config, enum of_message_kind kind,
                            enum of_version version, uint32_t xid, struct buffer *out);
