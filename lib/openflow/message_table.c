/* SPDX-License-Identifier: Apache-2.0 */

/* Numbers and lengths of OpenFlow 1.0 (section 5), 1.1 to 1.5 (section 7, appendix A before 1.3),
 * Nicira's extensions, and the ONF's to 1.3. */

#include "lib/openflow/message_table.h"

#include "lib/annotations.h"

enum { ANY_VERSION = 0xff };
enum { STATS_REQUEST_10 = 16, STATS_REPLY_10 = 17, STATS_REQUEST_11 = 18, STATS_REPLY_11 = 19 };
enum { VENDOR = 4 };

// clang-format off
#define PLAIN(kind, first, last, type, least, unit, name) \
    {kind, OF_FORM_STANDARD, first, last, ENVELOPE_PLAIN, type, 0, least, unit, name}
#define VENDORS(kind, form, envelope, first, last, type, least, unit, name) \
    {kind, form, first, last, envelope, VENDOR, type, least, unit, name}
#define NX(kind, last, type, least, unit, name) \
    VENDORS(kind, OF_FORM_NX, ENVELOPE_NX, OF_1_0, last, type, least, unit, name)
#define ONF(kind, type, least, unit, name) \
    VENDORS(kind, OF_FORM_STANDARD, ENVELOPE_ONF, OF_1_3, OF_1_3, type, least, unit, name)

/* Statistics: a request and its reply.  1.0 has other message types than the later versions. */
#define STATS_AS(envelope, form, first, last, types, kind, type, name, least_q, unit_q, least_r, unit_r) \
    {kind##_REQUEST, form, first, last, envelope, STATS_REQUEST_##types, type, least_q, unit_q, \
     name " request"}, \
    {kind##_REPLY, form, first, last, envelope, STATS_REPLY_##types, type, least_r, unit_r, \
     name " reply"}
#define STATS10(kind, type, name, ...) \
    STATS_AS(ENVELOPE_STATS, OF_FORM_STANDARD, OF_1_0, OF_1_0, 10, kind, type, name, __VA_ARGS__)
#define STATS(first, last, kind, type, name, ...) \
    STATS_AS(ENVELOPE_STATS, OF_FORM_STANDARD, first, last, 11, kind, type, name, __VA_ARGS__)
#define NX_STATS11(last, kind, type, name, ...) \
    STATS_AS(ENVELOPE_NX_STATS, OF_FORM_NX, OF_1_1, last, 11, kind, type, name, __VA_ARGS__)
#define NX_STATS(kind, type, name, ...) \
    STATS_AS(ENVELOPE_NX_STATS, OF_FORM_NX, OF_1_0, OF_1_0, 10, kind, type, name, __VA_ARGS__)
/* Without replies: there are no exporters. */
#define NX_IPFIX(kind, type, name) \
    {kind, OF_FORM_NX, OF_1_0, OF_1_0, ENVELOPE_NX_STATS, STATS_REQUEST_10, type, 0, 0, name}, \
    {kind, OF_FORM_NX, OF_1_1, OF_1_5, ENVELOPE_NX_STATS, STATS_REQUEST_11, type, 0, 0, name}

const struct of_message_row of_message_rows[] = {
    PLAIN(OF_HELLO, 0, ANY_VERSION, 0, 0, 1, "OFPT_HELLO"),
    PLAIN(OF_ERROR, OF_1_0, OF_1_5, 1, 4, 1, "OFPT_ERROR"),
    PLAIN(OF_ECHO_REQUEST, OF_1_0, OF_1_5, 2, 0, 1, "OFPT_ECHO_REQUEST"),
    PLAIN(OF_ECHO_REPLY, OF_1_0, OF_1_5, 3, 0, 1, "OFPT_ECHO_REPLY"),
    PLAIN(OF_FEATURES_REQUEST, OF_1_0, OF_1_5, 5, 0, 0, "OFPT_FEATURES_REQUEST"),
    PLAIN(OF_FEATURES_REPLY, OF_1_0, OF_1_0, 6, 24, 48, "OFPT_FEATURES_REPLY"),
    PLAIN(OF_FEATURES_REPLY, OF_1_1, OF_1_2, 6, 24, 64, "OFPT_FEATURES_REPLY"),
    PLAIN(OF_FEATURES_REPLY, OF_1_3, OF_1_5, 6, 24, 0, "OFPT_FEATURES_REPLY"),
    PLAIN(OF_GET_CONFIG_REQUEST, OF_1_0, OF_1_5, 7, 0, 0, "OFPT_GET_CONFIG_REQUEST"),
    PLAIN(OF_GET_CONFIG_REPLY, OF_1_0, OF_1_5, 8, 4, 0, "OFPT_GET_CONFIG_REPLY"),
    PLAIN(OF_SET_CONFIG, OF_1_0, OF_1_5, 9, 4, 0, "OFPT_SET_CONFIG"),
    PLAIN(OF_PACKET_IN, OF_1_0, OF_1_0, 10, 10, 1, "OFPT_PACKET_IN"),
    PLAIN(OF_PACKET_IN, OF_1_1, OF_1_1, 10, 16, 1, "OFPT_PACKET_IN"),
    PLAIN(OF_PACKET_IN, OF_1_2, OF_1_2, 10, 8, 1, "OFPT_PACKET_IN"),
    PLAIN(OF_PACKET_IN, OF_1_3, OF_1_5, 10, 16, 1, "OFPT_PACKET_IN"),
    PLAIN(OF_FLOW_REMOVED, OF_1_0, OF_1_0, 11, 80, 0, "OFPT_FLOW_REMOVED"),
    PLAIN(OF_FLOW_REMOVED, OF_1_1, OF_1_4, 11, 40, 8, "OFPT_FLOW_REMOVED"),
    PLAIN(OF_FLOW_REMOVED, OF_1_5, OF_1_5, 11, 16, 8, "OFPT_FLOW_REMOVED"),
    PLAIN(OF_PORT_STATUS, OF_1_0, OF_1_0, 12, 56, 0, "OFPT_PORT_STATUS"),
    PLAIN(OF_PORT_STATUS, OF_1_1, OF_1_3, 12, 72, 0, "OFPT_PORT_STATUS"),
    PLAIN(OF_PORT_STATUS, OF_1_4, OF_1_5, 12, 48, 8, "OFPT_PORT_STATUS"),
    PLAIN(OF_PACKET_OUT, OF_1_0, OF_1_0, 13, 8, 1, "OFPT_PACKET_OUT"),
    PLAIN(OF_PACKET_OUT, OF_1_1, OF_1_4, 13, 16, 1, "OFPT_PACKET_OUT"),
    PLAIN(OF_PACKET_OUT, OF_1_5, OF_1_5, 13, 8, 1, "OFPT_PACKET_OUT"),
    PLAIN(OF_FLOW_MOD, OF_1_0, OF_1_0, 14, 64, 8, "OFPT_FLOW_MOD"),
    PLAIN(OF_FLOW_MOD, OF_1_1, OF_1_5, 14, 40, 8, "OFPT_FLOW_MOD"),
    PLAIN(OF_GROUP_MOD, OF_1_1, OF_1_4, 15, 8, 8, "OFPT_GROUP_MOD"),
    PLAIN(OF_GROUP_MOD, OF_1_5, OF_1_5, 15, 16, 8, "OFPT_GROUP_MOD"),
    PLAIN(OF_PORT_MOD, OF_1_0, OF_1_0, 15, 24, 0, "OFPT_PORT_MOD"),
    PLAIN(OF_PORT_MOD, OF_1_1, OF_1_3, 16, 32, 0, "OFPT_PORT_MOD"),
    PLAIN(OF_PORT_MOD, OF_1_4, OF_1_5, 16, 24, 8, "OFPT_PORT_MOD"),
    PLAIN(OF_TABLE_MOD, OF_1_1, OF_1_3, 17, 8, 0, "OFPT_TABLE_MOD"),
    PLAIN(OF_TABLE_MOD, OF_1_4, OF_1_5, 17, 8, 8, "OFPT_TABLE_MOD"),
    PLAIN(OF_BARRIER_REQUEST, OF_1_0, OF_1_0, 18, 0, 0, "OFPT_BARRIER_REQUEST"),
    PLAIN(OF_BARRIER_REQUEST, OF_1_1, OF_1_5, 20, 0, 0, "OFPT_BARRIER_REQUEST"),
    PLAIN(OF_BARRIER_REPLY, OF_1_0, OF_1_0, 19, 0, 0, "OFPT_BARRIER_REPLY"),
    PLAIN(OF_BARRIER_REPLY, OF_1_1, OF_1_5, 21, 0, 0, "OFPT_BARRIER_REPLY"),
    PLAIN(OF_QUEUE_CONFIG_REQUEST, OF_1_0, OF_1_0, 20, 4, 0, "OFPT_QUEUE_GET_CONFIG_REQUEST"),
    PLAIN(OF_QUEUE_CONFIG_REQUEST, OF_1_1, OF_1_3, 22, 8, 0, "OFPT_QUEUE_GET_CONFIG_REQUEST"),
    PLAIN(OF_QUEUE_CONFIG_REPLY, OF_1_0, OF_1_0, 21, 8, 8, "OFPT_QUEUE_GET_CONFIG_REPLY"),
    PLAIN(OF_QUEUE_CONFIG_REPLY, OF_1_1, OF_1_3, 23, 8, 8, "OFPT_QUEUE_GET_CONFIG_REPLY"),
    PLAIN(OF_ROLE_REQUEST, OF_1_2, OF_1_5, 24, 16, 0, "OFPT_ROLE_REQUEST"),
    PLAIN(OF_ROLE_REPLY, OF_1_2, OF_1_5, 25, 16, 0, "OFPT_ROLE_REPLY"),
    PLAIN(OF_GET_ASYNC_REQUEST, OF_1_3, OF_1_5, 26, 0, 0, "OFPT_GET_ASYNC_REQUEST"),
    PLAIN(OF_GET_ASYNC_REPLY, OF_1_3, OF_1_3, 27, 24, 0, "OFPT_GET_ASYNC_REPLY"),
    PLAIN(OF_GET_ASYNC_REPLY, OF_1_4, OF_1_5, 27, 0, 8, "OFPT_GET_ASYNC_REPLY"),
    PLAIN(OF_SET_ASYNC, OF_1_3, OF_1_3, 28, 24, 0, "OFPT_SET_ASYNC"),
    PLAIN(OF_SET_ASYNC, OF_1_4, OF_1_5, 28, 0, 8, "OFPT_SET_ASYNC"),
    PLAIN(OF_METER_MOD, OF_1_3, OF_1_5, 29, 8, 8, "OFPT_METER_MOD"),
    PLAIN(OF_ROLE_STATUS, OF_1_4, OF_1_5, 30, 16, 8, "OFPT_ROLE_STATUS"),
    PLAIN(OF_TABLE_STATUS, OF_1_4, OF_1_5, 31, 16, 8, "OFPT_TABLE_STATUS"),
    PLAIN(OF_REQUEST_FORWARD, OF_1_4, OF_1_5, 32, 8, 8, "OFPT_REQUESTFORWARD"),
    PLAIN(OF_BUNDLE_CONTROL, OF_1_4, OF_1_5, 33, 8, 8, "OFPT_BUNDLE_CONTROL"),
    PLAIN(OF_BUNDLE_ADD_MESSAGE, OF_1_4, OF_1_5, 34, 8, 1, "OFPT_BUNDLE_ADD_MESSAGE"),

    ONF(OF_MONITOR_CANCEL, 1870, 4, 0, "ONFT_FLOW_MONITOR_CANCEL"),
    ONF(OF_MONITOR_PAUSED, 1871, 0, 0, "ONFT_FLOW_MONITOR_PAUSED"),
    ONF(OF_MONITOR_RESUMED, 1872, 0, 0, "ONFT_FLOW_MONITOR_RESUMED"),
    ONF(OF_ROLE_STATUS, 1911, 16, 8, "ONFT_ROLE_STATUS"),
    ONF(OF_BUNDLE_CONTROL, 2300, 8, 8, "ONFT_BUNDLE_CONTROL"),
    ONF(OF_BUNDLE_ADD_MESSAGE, 2301, 8, 1, "ONFT_BUNDLE_ADD_MESSAGE"),
    ONF(OF_REQUEST_FORWARD, 2350, 8, 8, "ONFT_REQUESTFORWARD"),

    NX(OF_ROLE_REQUEST, OF_1_5, 10, 4, 0, "NXT_ROLE_REQUEST"),
    NX(OF_ROLE_REPLY, OF_1_5, 11, 4, 0, "NXT_ROLE_REPLY"),
    NX(OF_SET_FLOW_FORMAT, OF_1_0, 12, 4, 0, "NXT_SET_FLOW_FORMAT"),
    NX(OF_FLOW_MOD, OF_1_0, 13, 32, 8, "NXT_FLOW_MOD"),
    NX(OF_FLOW_REMOVED, OF_1_0, 14, 40, 8, "NXT_FLOW_REMOVED"),
    NX(OF_FLOW_MOD_TABLE_ID, OF_1_5, 15, 8, 0, "NXT_FLOW_MOD_TABLE_ID"),
    NX(OF_SET_PACKET_IN_FORMAT, OF_1_5, 16, 4, 0, "NXT_SET_PACKET_IN_FORMAT"),
    NX(OF_PACKET_IN, OF_1_5, 17, 24, 1, "NXT_PACKET_IN"),
    VENDORS(OF_PACKET_IN, OF_FORM_NX2, ENVELOPE_NX, OF_1_0, OF_1_5, 30, 0, 8, "NXT_PACKET_IN2"),
    NX(OF_TLV_TABLE_MOD, OF_1_5, 24, 8, 8, "NXT_TLV_TABLE_MOD"),
    NX(OF_TLV_TABLE_REQUEST, OF_1_5, 25, 0, 0, "NXT_TLV_TABLE_REQUEST"),
    NX(OF_TLV_TABLE_REPLY, OF_1_5, 26, 16, 8, "NXT_TLV_TABLE_REPLY"),
    NX(OF_CT_FLUSH_ZONE, OF_1_5, 29, 8, 0, "NXT_CT_FLUSH_ZONE"),
    NX(OF_CT_FLUSH, OF_1_5, 32, 8, 8, "NXT_CT_FLUSH"),
    NX(OF_RESUME, OF_1_5, 28, 0, 8, "NXT_RESUME"),
    NX(OF_SET_ASYNC, OF_1_5, 19, 24, 0, "NXT_SET_ASYNC_CONFIG"),
    NX(OF_SET_CONTROLLER_ID, OF_1_5, 20, 8, 0, "NXT_SET_CONTROLLER_ID"),
    NX(OF_MONITOR_CANCEL, OF_1_2, 21, 4, 0, "NXT_FLOW_MONITOR_CANCEL"),
    NX(OF_MONITOR_PAUSED, OF_1_2, 22, 0, 0, "NXT_FLOW_MONITOR_PAUSED"),
    NX(OF_MONITOR_RESUMED, OF_1_2, 23, 0, 0, "NXT_FLOW_MONITOR_RESUMED"),
    NX(OF_GROUP_MOD, OF_1_0, 31, 16, 8, "NXT_GROUP_MOD"),
    VENDORS(OF_SET_ASYNC, OF_FORM_NX2, ENVELOPE_NX, OF_1_0, OF_1_3, 27, 0, 8,
            "NXT_SET_ASYNC_CONFIG2"),
    VENDORS(OF_REQUEST_FORWARD, OF_FORM_NX, ENVELOPE_NX, OF_1_0, OF_1_2, 132, 8, 8,
            "NXT_REQUESTFORWARD"),

    /* Least length and unit of the request's body, then of the reply's. */
    STATS10(OF_DESC, 0, "OFPST_DESC", 0, 0, 1056, 0),
    STATS(OF_1_1, OF_1_5, OF_DESC, 0, "OFPST_DESC", 0, 0, 1056, 0),
    STATS10(OF_FLOW_STATS, 1, "OFPST_FLOW", 44, 0, 0, 1),
    STATS(OF_1_1, OF_1_5, OF_FLOW_STATS, 1, "OFPST_FLOW", 32, 8, 0, 1),
    STATS10(OF_AGGREGATE, 2, "OFPST_AGGREGATE", 44, 0, 24, 0),
    STATS(OF_1_1, OF_1_4, OF_AGGREGATE, 2, "OFPST_AGGREGATE", 32, 8, 24, 0),
    STATS(OF_1_5, OF_1_5, OF_AGGREGATE, 2, "OFPST_AGGREGATE", 32, 8, 0, 1),
    STATS10(OF_TABLE_STATS, 3, "OFPST_TABLE", 0, 0, 0, 64),
    STATS(OF_1_1, OF_1_1, OF_TABLE_STATS, 3, "OFPST_TABLE", 0, 0, 0, 88),
    STATS(OF_1_2, OF_1_2, OF_TABLE_STATS, 3, "OFPST_TABLE", 0, 0, 0, 128),
    STATS(OF_1_3, OF_1_5, OF_TABLE_STATS, 3, "OFPST_TABLE", 0, 0, 0, 24),
    STATS10(OF_PORT_STATS, 4, "OFPST_PORT", 8, 0, 0, 104),
    STATS(OF_1_1, OF_1_2, OF_PORT_STATS, 4, "OFPST_PORT", 8, 0, 0, 104),
    STATS(OF_1_3, OF_1_3, OF_PORT_STATS, 4, "OFPST_PORT", 8, 0, 0, 112),
    STATS(OF_1_4, OF_1_5, OF_PORT_STATS, 4, "OFPST_PORT", 8, 0, 0, 8),
    STATS10(OF_QUEUE_STATS, 5, "OFPST_QUEUE", 8, 0, 0, 32),
    STATS(OF_1_1, OF_1_2, OF_QUEUE_STATS, 5, "OFPST_QUEUE", 8, 0, 0, 32),
    STATS(OF_1_3, OF_1_3, OF_QUEUE_STATS, 5, "OFPST_QUEUE", 8, 0, 0, 40),
    STATS(OF_1_4, OF_1_5, OF_QUEUE_STATS, 5, "OFPST_QUEUE", 8, 0, 0, 8),
    STATS(OF_1_1, OF_1_5, OF_GROUP_STATS, 6, "OFPST_GROUP", 8, 0, 0, 8),
    STATS(OF_1_1, OF_1_4, OF_GROUP_DESC, 7, "OFPST_GROUP_DESC", 0, 0, 0, 8),
    STATS(OF_1_5, OF_1_5, OF_GROUP_DESC, 7, "OFPST_GROUP_DESC", 8, 0, 0, 8),
    STATS(OF_1_2, OF_1_5, OF_GROUP_FEATURES, 8, "OFPST_GROUP_FEATURES", 0, 0, 40, 0),
    STATS(OF_1_3, OF_1_5, OF_METER_STATS, 9, "OFPST_METER", 8, 0, 0, 8),
    STATS(OF_1_3, OF_1_5, OF_METER_CONFIG, 10, "OFPST_METER_CONFIG", 8, 0, 0, 8),
    STATS(OF_1_3, OF_1_5, OF_METER_FEATURES, 11, "OFPST_METER_FEATURES", 0, 0, 16, 0),
    STATS(OF_1_3, OF_1_5, OF_TABLE_FEATURES, 12, "OFPST_TABLE_FEATURES", 0, 8, 0, 8),
    STATS10(OF_PORT_DESC, 13, "OFPST_PORT_DESC", 0, 0, 0, 48),
    STATS(OF_1_1, OF_1_3, OF_PORT_DESC, 13, "OFPST_PORT_DESC", 0, 0, 0, 64),
    STATS(OF_1_4, OF_1_4, OF_PORT_DESC, 13, "OFPST_PORT_DESC", 0, 0, 0, 8),
    STATS(OF_1_5, OF_1_5, OF_PORT_DESC, 13, "OFPST_PORT_DESC", 8, 0, 0, 8),
    STATS(OF_1_4, OF_1_5, OF_TABLE_DESC, 14, "OFPST_TABLE_DESC", 0, 0, 0, 8),
    STATS(OF_1_4, OF_1_5, OF_QUEUE_CONFIG, 15, "OFPST_QUEUE_DESC", 8, 0, 0, 8),

    STATS(OF_1_4, OF_1_5, OF_MONITOR, 16, "OFPST_FLOW_MONITOR", 0, 8, 0, 8),
    STATS_AS(ENVELOPE_ONF_STATS, OF_FORM_STANDARD, OF_1_3, OF_1_3, 11, OF_MONITOR, 1870,
             "ONFST_FLOW_MONITOR", 0, 8, 0, 8),
    NX_STATS(OF_MONITOR, 2, "NXST_FLOW_MONITOR", 0, 8, 0, 8),
    NX_STATS11(OF_1_2, OF_MONITOR, 2, "NXST_FLOW_MONITOR", 0, 8, 0, 8),
    NX_STATS(OF_FLOW_STATS, 0, "NXST_FLOW", 8, 8, 0, 1),
    NX_STATS(OF_AGGREGATE, 1, "NXST_AGGREGATE", 8, 8, 24, 0),
    NX_STATS(OF_GROUP_STATS, 7, "NXST_GROUP", 8, 0, 0, 8),
    NX_STATS(OF_GROUP_DESC, 8, "NXST_GROUP_DESC", 8, 0, 0, 8),
    NX_STATS(OF_GROUP_FEATURES, 9, "NXST_GROUP_FEATURES", 0, 0, 40, 0),
    NX_STATS11(OF_1_1, OF_GROUP_FEATURES, 9, "NXST_GROUP_FEATURES", 0, 0, 40, 0),
    NX_IPFIX(OF_IPFIX_BRIDGE_REQUEST, 3, "NXST_IPFIX_BRIDGE request"),
    NX_IPFIX(OF_IPFIX_FLOW_REQUEST, 4, "NXST_IPFIX_FLOW request"),
};
// clang-format on

const size_t of_n_message_rows = ARRAY_SIZE(of_message_rows);

const struct of_message_row *of_message_row(enum of_message_kind kind, enum of_form form,
                                            enum of_version version)
{
    for (size_t i = 0; i < of_n_message_rows; i++) {
        const struct of_message_row *row = &of_message_rows[i];

        if (row->kind == kind && row->form == form && version >= row->first_version &&
            version <= row->last_version)
            return row;
    }
    return NULL;
}

size_t of_envelope_bytes(enum of_envelope envelope, unsigned version)
{
    switch (envelope) {
    case ENVELOPE_PLAIN:
        return 8;
    case ENVELOPE_STATS:
        return version == OF_1_0 ? 12 : 16; /* 1.1 and later pad it. */
    case ENVELOPE_NX:
    case ENVELOPE_ONF:
        return 16;
    case ENVELOPE_NX_STATS:
    case ENVELOPE_ONF_STATS:
        return 24;
    }
    return 8;
}
