/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* openflow - versions, ports and other small vocabulary of OpenFlow.
 *
 * Ports inside Weir are the 16-bit numbers of OpenFlow 1.0; the codec maps the reserved ones to and
 * from the 32-bit numbers of 1.1 and later (0xfffffff8 is 0xfff8), and refuses others above
 * 0xff00. */

#include <stdint.h>

enum of_version {
    OF_1_0 = 0x01,
    OF_1_1 = 0x02,
    OF_1_2 = 0x03,
    OF_1_3 = 0x04,
    OF_1_4 = 0x05,
    OF_1_5 = 0x06,
};

typedef uint16_t of_port; /* Host byte order. */

enum {
    OFPP_MAX = 0xff00, /* Physical and logical ports are less. */
    OFPP_UNSET = 0xfff7,
    OFPP_IN_PORT = 0xfff8,
    OFPP_TABLE = 0xfff9,
    OFPP_NORMAL = 0xfffa,
    OFPP_FLOOD = 0xfffb,
    OFPP_ALL = 0xfffc,
    OFPP_CONTROLLER = 0xfffd,
    OFPP_LOCAL = 0xfffe,
    OFPP_NONE = 0xffff, /* OFPP_ANY of 1.1 and later. */
};

enum { OF_N_TABLES = 255, OF_TABLE_ALL = 0xff };
enum { OF_GROUP_ANY = 0xffffffff };

/* Why a packet goes to a controller (OpenFlow 1.4 section 7.4.1; 1.0 to 1.3 know fewer). */
enum of_packet_in_reason {
    OFPR_NO_MATCH = 0,
    OFPR_ACTION = 1,
    OFPR_INVALID_TTL = 2,
    OFPR_ACTION_SET = 3, /* From 1.4; before, all of these are OFPR_ACTION. */
    OFPR_GROUP = 4,
    OFPR_PACKET_OUT = 5,
};

enum of_flow_flags {
    OFFF_SEND_FLOW_REM = 1 << 0,
    OFFF_CHECK_OVERLAP = 1 << 1,
    OFFF_RESET_COUNTS = 1 << 2,
    OFFF_NO_PKT_COUNTS = 1 << 3,
    OFFF_NO_BYT_COUNTS = 1 << 4,
};

/* Port configuration bits, ofp_port_config, as of OpenFlow 1.0 (later versions have fewer). */
enum of_port_config {
    OFPPC_PORT_DOWN = 1 << 0,
    OFPPC_NO_STP = 1 << 1,
    OFPPC_NO_RECV = 1 << 2,
    OFPPC_NO_RECV_STP = 1 << 3,
    OFPPC_NO_FLOOD = 1 << 4,
    OFPPC_NO_FWD = 1 << 5,
    OFPPC_NO_PACKET_IN = 1 << 6,
};

enum of_frag_mode {
    OF_FRAG_NORMAL = 0,
    OF_FRAG_DROP = 1,
    OF_FRAG_REASSEMBLE = 2, /* May be asked for; we do not. */
    OF_FRAG_NX_MATCH = 3,
};
