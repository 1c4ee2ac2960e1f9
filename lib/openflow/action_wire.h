/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* action_wire - the numbers of actions and instructions, for the files that decode and encode them.
 *
 * OpenFlow 1.0 section 5.2.4, 1.1 appendix A.2.5, 1.3.5 sections 7.2.4 and 7.2.5; Nicira's extensions. */

enum {
    OFPAT_OUTPUT = 0,

    /* OpenFlow 1.0. */
    OFPAT10_SET_VLAN_VID = 1,
    OFPAT10_SET_VLAN_PCP = 2,
    OFPAT10_STRIP_VLAN = 3,
    OFPAT10_SET_DL_SRC = 4,
    OFPAT10_SET_DL_DST = 5,
    OFPAT10_SET_NW_SRC = 6,
    OFPAT10_SET_NW_DST = 7,
    OFPAT10_SET_NW_TOS = 8,
    OFPAT10_SET_TP_SRC = 9,
    OFPAT10_SET_TP_DST = 10,
    OFPAT10_ENQUEUE = 11,

    /* OpenFlow 1.1: numbered anew; those that set a field are still understood later. */
    OFPAT11_SET_VLAN_VID = 1,
    OFPAT11_SET_VLAN_PCP = 2,
    OFPAT11_SET_DL_SRC = 3,
    OFPAT11_SET_DL_DST = 4,
    OFPAT11_SET_NW_SRC = 5,
    OFPAT11_SET_NW_DST = 6,
    OFPAT11_SET_NW_TOS = 7,
    OFPAT11_SET_NW_ECN = 8,
    OFPAT11_SET_TP_SRC = 9,
    OFPAT11_SET_TP_DST = 10,
    OFPAT11_PUSH_VLAN = 17,
    OFPAT11_POP_VLAN = 18,
    OFPAT11_SET_QUEUE = 21,
    OFPAT11_GROUP = 22,
    OFPAT11_SET_NW_TTL = 23,
    OFPAT11_DEC_NW_TTL = 24,

    OFPAT12_SET_FIELD = 25,
    OFPAT15_COPY_FIELD = 28,
    OFPAT15_METER = 29,

    OFPAT_VENDOR = 0xffff,
};

enum {
    NXAST_RESUBMIT = 1,
    NXAST_SET_QUEUE = 4,
    NXAST_POP_QUEUE = 5,
    NXAST_REG_MOVE = 6,
    NXAST_REG_LOAD = 7,
    NXAST_NOTE = 8,
    NXAST_MULTIPATH = 10,
    NXAST_BUNDLE = 12,
    NXAST_BUNDLE_LOAD = 13,
    NXAST_RESUBMIT_TABLE = 14,
    NXAST_OUTPUT_REG = 15,
    NXAST_LEARN = 16,
    NXAST_EXIT = 17,
    NXAST_DEC_TTL = 18,
    NXAST_FIN_TIMEOUT = 19,
    NXAST_CONTROLLER = 20,
    NXAST_DEC_TTL_IDS = 21,
    NXAST_WRITE_METADATA = 22,
    NXAST_STACK_PUSH = 27,
    NXAST_STACK_POP = 28,
    NXAST_OUTPUT_REG2 = 32,
    NXAST_REG_LOAD2 = 33,
    NXAST_CONJUNCTION = 34,
    NXAST_OUTPUT_TRUNC = 39,
    NXAST_GROUP = 40,
    NXAST_CLONE = 42,
    NXAST_LEARN2 = 45,
    NXAST_CHECK_LENGTH = 49,
};

enum { NX_ACTION_VENDOR = 0x00002320, NX_ACTION_HEADER_BYTES = 10 };

enum {
    OFPIT_GOTO_TABLE = 1,
    OFPIT_WRITE_METADATA = 2,
    OFPIT_WRITE_ACTIONS = 3,
    OFPIT_APPLY_ACTIONS = 4,
    OFPIT_CLEAR_ACTIONS = 5,
    OFPIT_METER = 6,
    OFPIT_EXPERIMENTER = 0xffff,
};
