/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* messages - from a stream of bytes to one message of a known kind, and back.
 *
 * A kind is what a message means; the table in message_table.c says how each version puts it on the
 * wire (a type, a statistics type, or a type inside a vendor message), and how long it is at least.
 * So NXT_FLOW_MOD and OFPT_FLOW_MOD are both OF_FLOW_MOD, in different forms.
 *
 * A server reads:   while ((n = of_frame_length(data, size)) > 0) { of_decode_message(data, n, &m);
 * ... } and switches on m.kind.  Everything that of_decode_message() refuses is answered by
 * of_encode_error().
 *
 * Memory   struct of_message borrows the bytes it was decoded from.
 * Threads  Plain functions. */

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/byteorder.h"
#include "lib/openflow/errors.h"
#include "lib/openflow/openflow.h"
#include "lib/openflow/wire.h"

struct buffer;

struct of_header {
    uint8_t version;
    uint8_t type;
    be16 n_bytes;
    be32 xid;
};
static_assert(sizeof(struct of_header) == 8, "wire format");

enum of_message_kind {
    OF_UNKNOWN,
    OF_HELLO,
    OF_ERROR,
    OF_ECHO_REQUEST,
    OF_ECHO_REPLY,
    OF_FEATURES_REQUEST,
    OF_FEATURES_REPLY,
    OF_GET_CONFIG_REQUEST,
    OF_GET_CONFIG_REPLY,
    OF_SET_CONFIG,
    OF_PACKET_IN,
    OF_PACKET_OUT,
    OF_FLOW_MOD,
    OF_FLOW_REMOVED,
    OF_PORT_STATUS,
    OF_PORT_MOD,
    OF_TABLE_MOD,
    OF_BARRIER_REQUEST,
    OF_BARRIER_REPLY,
    OF_QUEUE_CONFIG_REQUEST, /* A message before 1.4, then statistics. */
    OF_QUEUE_CONFIG_REPLY,
    OF_ROLE_REQUEST,
    OF_ROLE_REPLY,
    OF_GET_ASYNC_REQUEST,
    OF_GET_ASYNC_REPLY,
    OF_SET_ASYNC,
    OF_ROLE_STATUS,
    OF_TABLE_STATUS,
    OF_REQUEST_FORWARD,
    OF_GROUP_MOD,
    OF_METER_MOD,
    OF_MONITOR_CANCEL,
    OF_MONITOR_PAUSED, /* Until 1.3; later it is an update. */
    OF_MONITOR_RESUMED,
    OF_BUNDLE_CONTROL,
    OF_BUNDLE_ADD_MESSAGE,
    OF_SET_FLOW_FORMAT,
    OF_FLOW_MOD_TABLE_ID,
    OF_SET_PACKET_IN_FORMAT,
    OF_SET_CONTROLLER_ID,
    OF_RESUME,
    OF_TLV_TABLE_MOD,
    OF_TLV_TABLE_REQUEST,
    OF_TLV_TABLE_REPLY,
    OF_CT_FLUSH_ZONE,
    OF_CT_FLUSH,
    OF_DESC_REQUEST,
    OF_DESC_REPLY,
    OF_FLOW_STATS_REQUEST,
    OF_FLOW_STATS_REPLY,
    OF_AGGREGATE_REQUEST,
    OF_AGGREGATE_REPLY,
    OF_TABLE_STATS_REQUEST,
    OF_TABLE_STATS_REPLY,
    OF_PORT_STATS_REQUEST,
    OF_PORT_STATS_REPLY,
    OF_QUEUE_STATS_REQUEST,
    OF_QUEUE_STATS_REPLY,
    OF_PORT_DESC_REQUEST,
    OF_PORT_DESC_REPLY,
    OF_TABLE_FEATURES_REQUEST,
    OF_TABLE_FEATURES_REPLY,
    OF_TABLE_DESC_REQUEST,
    OF_TABLE_DESC_REPLY,
    OF_GROUP_STATS_REQUEST,
    OF_GROUP_STATS_REPLY,
    OF_GROUP_DESC_REQUEST,
    OF_GROUP_DESC_REPLY,
    OF_GROUP_FEATURES_REQUEST,
    OF_GROUP_FEATURES_REPLY,
    OF_METER_STATS_REQUEST,
    OF_METER_STATS_REPLY,
    OF_METER_CONFIG_REQUEST,
    OF_METER_CONFIG_REPLY,
    OF_METER_FEATURES_REQUEST,
    OF_METER_FEATURES_REPLY,
    OF_MONITOR_REQUEST,
    OF_MONITOR_REPLY,
    OF_IPFIX_BRIDGE_REQUEST,
    OF_IPFIX_FLOW_REQUEST,
    N_OF_MESSAGE_KINDS
};

/* How the same message may look within one version; the ONF's extensions to 1.3 are standard here. */
enum of_form { OF_FORM_STANDARD, OF_FORM_NX, OF_FORM_NX2 };

struct of_message {
    enum of_message_kind kind;
    enum of_version version;
    enum of_form form;
    uint32_t xid;
    uint16_t stats_flags; /* Bit 0: more follow. */
    const uint8_t *whole;
    size_t n_bytes;
    const uint8_t *body; /* Behind all headers (OpenFlow, statistics, vendor). */
    size_t body_bytes;
};

/* What both sides agreed on for flows. */
struct of_protocol {
    enum of_version version;
    bool uses_nxm;     /* 1.0: NXT_FLOW_MOD and NXST_FLOW instead of the standard ones. */
    bool has_table_id; /* 1.0: flow_mod's command carries a table number. */
};

/* Bytes of the first message of 'data', 0 if it is not there whole, or -EPROTO if its length is
 * nonsense and the connection must be closed. */
int of_frame_length(const void *data, size_t n_bytes);

/* 'data' is one whole message.  Its version must be one the codec knows (OFPBRC_BAD_VERSION),
 * whatever was negotiated; checking that is the connection's business.  Hello, error and echo are
 * understood in any version. */
enum of_error of_decode_message(const void *data, size_t n_bytes, struct of_message *message);

/* What a message is of which only the beginning is there; it has no body. */
enum of_error of_decode_message_head(const void *data, size_t n_bytes, struct of_message *message);

/* "OFPT_FLOW_MOD", "NXT_FLOW_MOD", "OFPST_PORT request": as in the specifications. */
const char *of_message_name(const struct of_message *message);

/* Appends the headers of a message; of_finish_message() sets its length.  Returns where it
 * starts. */
size_t of_begin_message(enum of_message_kind kind, enum of_form form, enum of_version version,
                        uint32_t xid, struct buffer *out);
void of_finish_message(size_t start, struct buffer *out);

/* A message without body: OF_FEATURES_REQUEST, OF_BARRIER_REPLY, OF_DESC_REQUEST ... */
void of_encode_empty(enum of_message_kind kind, enum of_version version, uint32_t xid,
                     struct buffer *out);

/* Version bitmaps: bit N stands for wire version N. */
#define OF_VERSION_BIT(version) (UINT32_C(1) << (version))
#define OF_VERSIONS_KNOWN       (OF_VERSION_BIT(OF_1_5 + 1) - OF_VERSION_BIT(OF_1_0))

/* "OpenFlow13", "1.3"; in any case.  0: neither is known. */
enum of_version of_version_by_name(const char *name);

void of_encode_hello(uint32_t versions, uint32_t xid, struct buffer *out);

/* The versions a hello offers: its bitmap or, without one, all up to the header's. */
enum of_error of_decode_hello(const struct of_message *message, uint32_t *versions);

/* The version to speak, given both sides' bitmaps; 0 if there is none in common. */
int of_negotiate(uint32_t ours, uint32_t theirs);

/* OFPHFC_INCOMPATIBLE with a sentence. */
void of_encode_hello_failed(enum of_version version, uint32_t xid, const char *sentence,
                            struct buffer *out);

/* Same xid and body as the request. */
void of_encode_echo_reply(const struct of_message *request, struct buffer *out);
void of_encode_echo_request(enum of_version version, uint32_t xid, const void *body, size_t n_bytes,
                            struct buffer *out);

/* ofp_capabilities; encoding leaves out those that a version does not have. */
enum of_capabilities {
    OFPC_FLOW_STATS = 1 << 0,
    OFPC_TABLE_STATS = 1 << 1,
    OFPC_PORT_STATS = 1 << 2,
    OFPC_GROUP_STATS = 1 << 3, /* From 1.1. */
    OFPC_IP_REASM = 1 << 5,
    OFPC_QUEUE_STATS = 1 << 6,
    OFPC_ARP_MATCH_IP = 1 << 7,     /* 1.0 and 1.1. */
    OFPC_BUNDLES = 1 << 9,          /* From 1.4. */
    OFPC_FLOW_MONITORING = 1 << 10, /* From 1.4. */
};

struct of_port_info;

struct of_features {
    uint64_t datapath_id;
    uint32_t n_buffers;
    uint8_t n_tables;
    uint8_t auxiliary_id;
    uint32_t capabilities; /* enum of_capabilities. */
    uint32_t actions;      /* 1.0: bit N is OFPAT_ type N. */
};

/* Ports stand in the reply of 1.0 to 1.2 only; later versions ask for OF_PORT_DESC_REQUEST. */
void of_encode_features_reply(const struct of_features *features, const struct of_port_info *ports,
                              size_t n_ports, enum of_version version, uint32_t xid,
                              struct buffer *out);

enum of_error of_decode_features_reply(const struct of_message *message,
                                       struct of_features *features);

/* 1.0 to 1.2: the ports, one after the other, for of_decode_port_info(). */
struct wire of_features_ports(const struct of_message *message);

struct of_switch_config {
    enum of_frag_mode frag_mode;
    uint16_t miss_send_bytes;
    bool wants_invalid_ttl; /* 1.0 to 1.2: OFPC_INVALID_TTL_TO_CONTROLLER. */
};

enum of_error of_decode_switch_config(const struct of_message *message,
                                      struct of_switch_config *config);
void of_encode_switch_config(const struct of_switch_config *config, enum of_message_kind kind,
                             enum of_version version, uint32_t xid, struct buffer *out);
