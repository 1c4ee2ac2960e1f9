/* SPDX-License-Identifier: Apache-2.0 */

/* Numbers and lengths of OpenFlow 1.0 (section 5), 1.3 (section 7) and Nicira's extensions. */

#include "lib/openflow/message_table.h"

#include "lib/annotations.h"

enum { ANY_VERSION = 0xff };
enum { STATS_REQUEST_10 = 16, STATS_REPLY_10 = 17, STATS_REQUEST_13 = 18, STATS_REPLY_13 = 19 };
enum { VENDOR = 4 };

// clang-format off
#define PLAIN(kind, first, last, type, least, unit, name) \
    {kind, OF_FORM_STANDARD, first, last, ENVELOPE_PLAIN, type, 0, least, unit, name}
#define STATS(kind, version, type, subtype, least, unit, name) \
    {kind, OF_FORM_STANDARD, version, version, ENVELOPE_STATS, type, subtype, least, unit, name}
#define NX(kind, last, subtype, least, unit, name) \
    {kind, OF_FORM_NX, OF_1_0, last, ENVELOPE_NX, VENDOR, subtype, least, unit, name}
#define NX_STATS(kind, type, subtype, least, unit, name) \
    {kind, OF_FORM_NX, OF_1_0, OF_1_0, ENVELOPE_NX_STATS, type, subtype, least, unit, name}

const struct of_message_row of_message_rows[] = {
    PLAIN(OF_HELLO, 0, ANY_VERSION, 0, 0, 1, "OFPT_HELLO"),
    PLAIN(OF_ERROR, OF_1_0, OF_1_5, 1, 4, 1, "OFPT_ERROR"),
    PLAIN(OF_ECHO_REQUEST, OF_1_0, OF_1_5, 2, 0, 1, "OFPT_ECHO_REQUEST"),
    PLAIN(OF_ECHO_REPLY, OF_1_0, OF_1_5, 3, 0, 1, "OFPT_ECHO_REPLY"),
    PLAIN(OF_FEATURES_REQUEST, OF_1_0, OF_1_3, 5, 0, 0, "OFPT_FEATURES_REQUEST"),
    PLAIN(OF_FEATURES_REPLY, OF_1_0, OF_1_0, 6, 24, 48, "OFPT_FEATURES_REPLY"),
    PLAIN(OF_FEATURES_REPLY, OF_1_3, OF_1_3, 6, 24, 0, "OFPT_FEATURES_REPLY"),
    PLAIN(OF_GET_CONFIG_REQUEST, OF_1_0, OF_1_3, 7, 0, 0, "OFPT_GET_CONFIG_REQUEST"),
    PLAIN(OF_GET_CONFIG_REPLY, OF_1_0, OF_1_3, 8, 4, 0, "OFPT_GET_CONFIG_REPLY"),
    PLAIN(OF_SET_CONFIG, OF_1_0, OF_1_3, 9, 4, 0, "OFPT_SET_CONFIG"),
    PLAIN(OF_PACKET_IN, OF_1_0, OF_1_0, 10, 10, 1, "OFPT_PACKET_IN"),
    PLAIN(OF_PACKET_IN, OF_1_3, OF_1_3, 10, 26, 1, "OFPT_PACKET_IN"),
    PLAIN(OF_FLOW_REMOVED, OF_1_0, OF_1_0, 11, 80, 0, "OFPT_FLOW_REMOVED"),
    PLAIN(OF_FLOW_REMOVED, OF_1_3, OF_1_3, 11, 48, 8, "OFPT_FLOW_REMOVED"),
    PLAIN(OF_PORT_STATUS, OF_1_0, OF_1_0, 12, 56, 0, "OFPT_PORT_STATUS"),
    PLAIN(OF_PORT_STATUS, OF_1_3, OF_1_3, 12, 72, 0, "OFPT_PORT_STATUS"),
    PLAIN(OF_PACKET_OUT, OF_1_0, OF_1_0, 13, 8, 1, "OFPT_PACKET_OUT"),
    PLAIN(OF_PACKET_OUT, OF_1_3, OF_1_3, 13, 16, 1, "OFPT_PACKET_OUT"),
    PLAIN(OF_FLOW_MOD, OF_1_0, OF_1_0, 14, 64, 8, "OFPT_FLOW_MOD"),
    PLAIN(OF_FLOW_MOD, OF_1_3, OF_1_3, 14, 48, 8, "OFPT_FLOW_MOD"),
    PLAIN(OF_PORT_MOD, OF_1_0, OF_1_0, 15, 24, 0, "OFPT_PORT_MOD"),
    PLAIN(OF_PORT_MOD, OF_1_3, OF_1_3, 16, 32, 0, "OFPT_PORT_MOD"),
    PLAIN(OF_TABLE_MOD, OF_1_3, OF_1_3, 17, 8, 0, "OFPT_TABLE_MOD"),
    PLAIN(OF_BARRIER_REQUEST, OF_1_0, OF_1_0, 18, 0, 0, "OFPT_BARRIER_REQUEST"),
    PLAIN(OF_BARRIER_REQUEST, OF_1_3, OF_1_3, 20, 0, 0, "OFPT_BARRIER_REQUEST"),
    PLAIN(OF_BARRIER_REPLY, OF_1_0, OF_1_0, 19, 0, 0, "OFPT_BARRIER_REPLY"),
    PLAIN(OF_BARRIER_REPLY, OF_1_3, OF_1_3, 21, 0, 0, "OFPT_BARRIER_REPLY"),
    PLAIN(OF_ROLE_REQUEST, OF_1_3, OF_1_3, 24, 16, 0, "OFPT_ROLE_REQUEST"),
    PLAIN(OF_ROLE_REPLY, OF_1_3, OF_1_3, 25, 16, 0, "OFPT_ROLE_REPLY"),
    PLAIN(OF_GET_ASYNC_REQUEST, OF_1_3, OF_1_3, 26, 0, 0, "OFPT_GET_ASYNC_REQUEST"),
    PLAIN(OF_GET_ASYNC_REPLY, OF_1_3, OF_1_3, 27, 24, 0, "OFPT_GET_ASYNC_REPLY"),
    PLAIN(OF_SET_ASYNC, OF_1_3, OF_1_3, 28, 24, 0, "OFPT_SET_ASYNC"),

    NX(OF_ROLE_REQUEST, OF_1_3, 10, 4, 0, "NXT_ROLE_REQUEST"),
    NX(OF_ROLE_REPLY, OF_1_3, 11, 4, 0, "NXT_ROLE_REPLY"),
    NX(OF_SET_FLOW_FORMAT, OF_1_3, 12, 4, 0, "NXT_SET_FLOW_FORMAT"),
    NX(OF_FLOW_MOD, OF_1_0, 13, 32, 8, "NXT_FLOW_MOD"),
    NX(OF_FLOW_REMOVED, OF_1_0, 14, 40, 8, "NXT_FLOW_REMOVED"),
    NX(OF_FLOW_MOD_TABLE_ID, OF_1_3, 15, 8, 0, "NXT_FLOW_MOD_TABLE_ID"),
    NX(OF_SET_PACKET_IN_FORMAT, OF_1_3, 16, 4, 0, "NXT_SET_PACKET_IN_FORMAT"),
    NX(OF_PACKET_IN, OF_1_3, 17, 24, 1, "NXT_PACKET_IN"),
    NX(OF_SET_ASYNC, OF_1_3, 19, 24, 0, "NXT_SET_ASYNC_CONFIG"),
    NX(OF_SET_CONTROLLER_ID, OF_1_3, 20, 8, 0, "NXT_SET_CONTROLLER_ID"),

    STATS(OF_DESC_REQUEST, OF_1_0, STATS_REQUEST_10, 0, 0, 0, "OFPST_DESC request"),
    STATS(OF_DESC_REQUEST, OF_1_3, STATS_REQUEST_13, 0, 0, 0, "OFPST_DESC request"),
    STATS(OF_DESC_REPLY, OF_1_0, STATS_REPLY_10, 0, 1056, 0, "OFPST_DESC reply"),
    STATS(OF_DESC_REPLY, OF_1_3, STATS_REPLY_13, 0, 1056, 0, "OFPST_DESC reply"),
    STATS(OF_FLOW_STATS_REQUEST, OF_1_0, STATS_REQUEST_10, 1, 44, 0, "OFPST_FLOW request"),
    STATS(OF_FLOW_STATS_REQUEST, OF_1_3, STATS_REQUEST_13, 1, 40, 8, "OFPST_FLOW request"),
    STATS(OF_FLOW_STATS_REPLY, OF_1_0, STATS_REPLY_10, 1, 0, 1, "OFPST_FLOW reply"),
    STATS(OF_FLOW_STATS_REPLY, OF_1_3, STATS_REPLY_13, 1, 0, 1, "OFPST_FLOW reply"),
    STATS(OF_AGGREGATE_REQUEST, OF_1_0, STATS_REQUEST_10, 2, 44, 0, "OFPST_AGGREGATE request"),
    STATS(OF_AGGREGATE_REQUEST, OF_1_3, STATS_REQUEST_13, 2, 40, 8, "OFPST_AGGREGATE request"),
    STATS(OF_AGGREGATE_REPLY, OF_1_0, STATS_REPLY_10, 2, 24, 0, "OFPST_AGGREGATE reply"),
    STATS(OF_AGGREGATE_REPLY, OF_1_3, STATS_REPLY_13, 2, 24, 0, "OFPST_AGGREGATE reply"),
    STATS(OF_TABLE_STATS_REQUEST, OF_1_0, STATS_REQUEST_10, 3, 0, 0, "OFPST_TABLE request"),
    STATS(OF_TABLE_STATS_REQUEST, OF_1_3, STATS_REQUEST_13, 3, 0, 0, "OFPST_TABLE request"),
    STATS(OF_TABLE_STATS_REPLY, OF_1_0, STATS_REPLY_10, 3, 0, 64, "OFPST_TABLE reply"),
    STATS(OF_TABLE_STATS_REPLY, OF_1_3, STATS_REPLY_13, 3, 0, 24, "OFPST_TABLE reply"),
    STATS(OF_PORT_STATS_REQUEST, OF_1_0, STATS_REQUEST_10, 4, 8, 0, "OFPST_PORT request"),
    STATS(OF_PORT_STATS_REQUEST, OF_1_3, STATS_REQUEST_13, 4, 8, 0, "OFPST_PORT request"),
    STATS(OF_PORT_STATS_REPLY, OF_1_0, STATS_REPLY_10, 4, 0, 104, "OFPST_PORT reply"),
    STATS(OF_PORT_STATS_REPLY, OF_1_3, STATS_REPLY_13, 4, 0, 112, "OFPST_PORT reply"),
    STATS(OF_QUEUE_STATS_REQUEST, OF_1_0, STATS_REQUEST_10, 5, 8, 0, "OFPST_QUEUE request"),
    STATS(OF_QUEUE_STATS_REQUEST, OF_1_3, STATS_REQUEST_13, 5, 8, 0, "OFPST_QUEUE request"),
    STATS(OF_QUEUE_STATS_REPLY, OF_1_0, STATS_REPLY_10, 5, 0, 32, "OFPST_QUEUE reply"),
    STATS(OF_QUEUE_STATS_REPLY, OF_1_3, STATS_REPLY_13, 5, 0, 40, "OFPST_QUEUE reply"),
    STATS(OF_PORT_DESC_REQUEST, OF_1_0, STATS_REQUEST_10, 13, 0, 0, "OFPST_PORT_DESC request"),
    STATS(OF_PORT_DESC_REQUEST, OF_1_3, STATS_REQUEST_13, 13, 0, 0, "OFPST_PORT_DESC request"),
    STATS(OF_PORT_DESC_REPLY, OF_1_0, STATS_REPLY_10, 13, 0, 48, "OFPST_PORT_DESC reply"),
    STATS(OF_PORT_DESC_REPLY, OF_1_3, STATS_REPLY_13, 13, 0, 64, "OFPST_PORT_DESC reply"),
    STATS(OF_TABLE_FEATURES_REQUEST, OF_1_3, STATS_REQUEST_13, 12, 0, 8,
          "OFPST_TABLE_FEATURES request"),
    STATS(OF_TABLE_FEATURES_REPLY, OF_1_3, STATS_REPLY_13, 12, 0, 8, "OFPST_TABLE_FEATURES reply"),

    NX_STATS(OF_FLOW_STATS_REQUEST, STATS_REQUEST_10, 0, 8, 8, "NXST_FLOW request"),
    NX_STATS(OF_FLOW_STATS_REPLY, STATS_REPLY_10, 0, 0, 1, "NXST_FLOW reply"),
    NX_STATS(OF_AGGREGATE_REQUEST, STATS_REQUEST_10, 1, 8, 8, "NXST_AGGREGATE request"),
    NX_STATS(OF_AGGREGATE_REPLY, STATS_REPLY_10, 1, 24, 0, "NXST_AGGREGATE reply"),
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
        return 16;
    case ENVELOPE_NX_STATS:
        return 24;
    }
    return 8;
}
