/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* fields - the match fields of OpenFlow, one row each.
 *
 * A field is a run of bits of struct flow: 'n_bits' bits, shifted left by 'shift' in the
 * 'n_storage' big-endian bytes at 'offset'.  One table serves the encoder, the decoder, the flow
 * parser, the printer, set_field, move, the tests' generators and the manual.
 *
 * Values are struct of_value: the field's 'n_bytes' big-endian bytes, first byte first, unused high
 * bits zero, as in OXM (OpenFlow 1.3.5, section 7.2.3).
 *
 * Threads  The table is constant; the rest are plain values. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"
#include "lib/flow.h"
#include "lib/match.h"
#include "lib/openflow/errors.h"
#include "lib/openflow/openflow.h"

enum of_field_id {
    FIELD_IN_PORT,     /* 16 bits: NXM. */
    FIELD_IN_PORT_OXM, /* 32 bits: OXM; same storage. */
    FIELD_METADATA,
    FIELD_PKT_MARK,
    FIELD_SKB_PRIORITY,
    FIELD_CONJ_ID,
    FIELD_DP_HASH,
    FIELD_RECIRC_ID,
    FIELD_PACKET_TYPE,
    FIELD_ACTSET_OUTPUT,
    FIELD_TUN_ID,
    FIELD_TUN_SRC,
    FIELD_TUN_DST,
    FIELD_TUN_IPV6_SRC,
    FIELD_TUN_IPV6_DST,
    FIELD_TUN_FLAGS,
    FIELD_TUN_TTL,
    FIELD_TUN_TOS,
    FIELD_TUN_GBP_ID,
    FIELD_TUN_GBP_FLAGS,
    FIELD_TUN_ERSPAN_VER,
    FIELD_TUN_ERSPAN_IDX,
    FIELD_TUN_ERSPAN_DIR,
    FIELD_TUN_ERSPAN_HWID,
    FIELD_TUN_GTPU_FLAGS,
    FIELD_TUN_GTPU_MSGTYPE,
    FIELD_TUN_METADATA0, /* 64 in a row; see tunnel_options.h. */
    FIELD_TUN_METADATA63 = FIELD_TUN_METADATA0 + 63,
    FIELD_CT_STATE,
    FIELD_CT_ZONE,
    FIELD_CT_MARK,
    FIELD_CT_LABEL,
    FIELD_CT_NW_PROTO,
    FIELD_CT_NW_SRC,
    FIELD_CT_NW_DST,
    FIELD_CT_IPV6_SRC,
    FIELD_CT_IPV6_DST,
    FIELD_CT_TP_SRC,
    FIELD_CT_TP_DST,
    FIELD_REG0, /* 16 in a row. */
    FIELD_REG15 = FIELD_REG0 + 15,
    FIELD_XREG0, /* 8 in a row: xreg N is reg 2N (high) and 2N + 1. */
    FIELD_XREG7 = FIELD_XREG0 + 7,
    FIELD_XXREG0, /* 4 in a row. */
    FIELD_XXREG3 = FIELD_XXREG0 + 3,
    FIELD_ETH_SRC,
    FIELD_ETH_DST,
    FIELD_ETH_TYPE,
    FIELD_VLAN_TCI, /* 16 bits, NXM: VID, PCP and "present". */
    FIELD_VLAN_VID, /* 13 bits, OXM: VID and "present" (OFPVID_PRESENT). */
    FIELD_VLAN_PCP,
    FIELD_NW_TOS,  /* NXM: the byte with DSCP in place and ECN 0. */
    FIELD_IP_DSCP, /* OXM: DSCP as a number of 6 bits; same storage. */
    FIELD_IP_ECN,
    FIELD_IP_TTL,
    FIELD_IP_PROTO,
    FIELD_IP_FRAG,
    FIELD_IPV4_SRC,
    FIELD_IPV4_DST,
    FIELD_IPV6_SRC,
    FIELD_IPV6_DST,
    FIELD_IPV6_LABEL,
    FIELD_ARP_OP, /* 16 bits on the wire, 8 kept. */
    FIELD_ARP_SPA,
    FIELD_ARP_TPA,
    FIELD_ARP_SHA,
    FIELD_ARP_THA,
    FIELD_TCP_SRC,
    FIELD_TCP_DST,
    FIELD_TCP_FLAGS,
    FIELD_UDP_SRC,
    FIELD_UDP_DST,
    FIELD_SCTP_SRC,
    FIELD_SCTP_DST,
    FIELD_ICMPV4_TYPE,
    FIELD_ICMPV4_CODE,
    FIELD_ICMPV6_TYPE,
    FIELD_ICMPV6_CODE,
    FIELD_ND_TARGET,
    FIELD_ND_SLL,
    FIELD_ND_TLL,
    FIELD_ND_RESERVED,
    FIELD_ND_OPTIONS_TYPE,
    FIELD_MPLS_LABEL,
    FIELD_MPLS_TC,
    FIELD_MPLS_BOS,
    FIELD_MPLS_TTL,
    FIELD_NSH_FLAGS, /* Decoded and printed only: keys do not hold them, they are kept in IP's part. */
    FIELD_NSH_TTL,
    FIELD_NSH_MDTYPE,
    FIELD_NSH_NP,
    FIELD_NSH_SPI,
    FIELD_NSH_SI,
    FIELD_NSH_C1,
    FIELD_NSH_C2,
    FIELD_NSH_C3,
    FIELD_NSH_C4,
    N_FIELDS
};

struct of_value {
    uint8_t bytes[16];
};

/* What must be true of a flow before the field means anything (OXM prerequisites). */
enum of_prereq {
    PREREQ_NONE,
    PREREQ_VLAN, /* A tag is present. */
    PREREQ_IPV4,
    PREREQ_IPV6,
    PREREQ_IP,  /* Either. */
    PREREQ_ARP, /* ARP or RARP. */
    PREREQ_MPLS,
    PREREQ_TCP,
    PREREQ_UDP,
    PREREQ_SCTP,
    PREREQ_ICMPV4,
    PREREQ_ICMPV6,
    PREREQ_ND, /* Neighbor Solicitation or Advertisement. */
    PREREQ_ND_SOLICIT,
    PREREQ_ND_ADVERT,
    PREREQ_NSH,
    PREREQ_CT,      /* A connection is known: what ct_state says implies it. */
    PREREQ_CT_IPV4, /* The same, of IPv4. */
    PREREQ_CT_IPV6,
};

enum of_mask_rule { MASK_NONE, MASK_ANY }; /* "Exact or absent", or any mask. */

/* How a person writes it. */
enum of_format {
    FORMAT_DECIMAL,
    FORMAT_HEX,
    FORMAT_MAC,
    FORMAT_IPV4,
    FORMAT_IPV6,
    FORMAT_PORT,
    FORMAT_FRAG,
    FORMAT_TCP_FLAGS,
    FORMAT_CT_STATE,
    FORMAT_TUN_FLAGS,
    FORMAT_PACKET_TYPE,
};

/* Whose field it is.  A match on one that nothing looks at yet is refused. */
enum of_field_engine {
    ENGINE_TABLES,    /* Known of each frame. */
    ENGINE_CT,        /* Known: no frame is tracked.  Set in ct(exec()) only. */
    ENGINE_RECIRC,    /* The switch's own business. */
    ENGINE_NOT_PARSED /* The frame has it, but its key does not. */
};

/* Experimenters whose fields we know.  0 in a row: the class says it. */
#define OXM_EXPERIMENTER_ONF    UINT32_C(0x4f4e4600)
#define OXM_EXPERIMENTER_NICIRA UINT32_C(0x00002320)
#define OXM_EXPERIMENTER_NSH    UINT32_C(0x005ad650)
enum { OXM_CLASS_EXPERIMENTER = 0xffff };

struct of_field {
    enum of_field_id id;
    const char *name;  /* As ovs-fields(7) calls it: "nw_src", "tp_dst" ... */
    const char *alias; /* The other spelling ("ip_src", "tcp_dst"), or NULL. */
    uint16_t n_bytes;  /* Of a value; on the wire the same. */
    uint16_t n_bits;
    uint16_t offset; /* In struct flow. */
    uint8_t n_storage;
    uint8_t shift;
    uint8_t never_set; /* Low bits of the storage that are not the field's, though in 'n_bits'. */
    uint8_t n_used;    /* How many low bits may be set, if less than 'n_bits'; 0: all. */
    enum of_mask_rule mask_rule;
    enum of_format format;
    enum of_prereq prereq;
    enum of_field_engine engine;
    bool is_writable;
    bool is_onf_before;  /* Before 'oxm_since' it was the ONF's, of the same number, from 1.3 on. */
    uint32_t nxm_header; /* class << 16 | field << 9 | length; 0: none. */
    uint32_t oxm_header;
    uint32_t experimenter; /* Of 'nxm_header', if that is of OXM_CLASS_EXPERIMENTER. */
    enum of_version oxm_since;
    const char *nxm_name; /* "NXM_OF_ETH_SRC"; NULL: none. */
    const char *oxm_name; /* "OXM_OF_ETH_SRC"; NULL: none. */
};

extern const struct of_field of_fields[N_FIELDS];

static inline const struct of_field *of_field(enum of_field_id id)
{
    return &of_fields[id];
}

/* By name or alias; NULL if there is none.  Also the long forms "NXM_OF_ETH_SRC",
 * "OXM_OF_ETH_SRC". */
const struct of_field *of_field_by_name(const char *name, size_t length);

/* By the 32 bits of an NXM or OXM header with the has-mask bit clear; NULL if unknown. */
const struct of_field *of_field_by_header(uint32_t header);

/* By the 32 bits behind a header of OXM_CLASS_EXPERIMENTER, and the header's field number. */
const struct of_field *of_field_by_experimenter(uint32_t experimenter, unsigned number);

/* A field whose place in struct flow is not fixed: tun_metadataN. */
static inline bool of_field_is_option(const struct of_field *field)
{
    return field->id >= FIELD_TUN_METADATA0 && field->id <= FIELD_TUN_METADATA63;
}

/* tun_metadataN by a header with any length, or NULL. */
const struct of_field *of_field_option_by_header(uint32_t header);

/* Has it a place?  What has none is in no table of tunnel options: NXFMFC_INVALID_TLV_FIELD. */
bool of_field_has_place(const struct of_field *field);

/* Does the match look at the field?  At an option already if it only has to be there. */
bool of_field_is_matched(const struct of_field *field, const struct match *match);

void of_field_delete_option(const struct of_field *field, struct flow *flow);

/* Can 32 bits name it, as moves and the like do? */
static inline bool of_field_has_short_header(const struct of_field *field)
{
    return field->oxm_header || (field->nxm_header && !field->experimenter);
}

void of_field_get(const struct of_field *field, const struct flow *flow, struct of_value *value);
void of_field_set(const struct of_field *field, const struct of_value *value, struct flow *flow);

/* Replaces only the bits that 'mask' has. */
void of_field_set_masked(const struct of_field *field, const struct of_value *value,
                         const struct of_value *mask, struct flow *flow);

/* Adds to 'flow_mask' the bits of 'field' that are in 'mask' (NULL: all of them). */
void of_field_add_mask(const struct of_field *field, const struct of_value *mask,
                       struct flow *flow_mask);

/* Does 'flow' satisfy the field's prerequisites?  Adds the bits that had to be looked at to
 * 'consulted' unless that is NULL. */
bool of_field_is_meaningful(const struct of_field *field, const struct flow *flow,
                            struct flow *consulted);

/* Does a match guarantee the prerequisites? */
bool of_field_match_allows(const struct of_field *field, const struct match *match);

/* Does the match name only fields that the switch knows of each frame?  OFPBRC_EPERM, OFPBMC_BAD_FIELD. */
enum of_error of_match_check_engines(const struct match *match);

/* May the field hold it: no bits beyond it, an ARP opcode that is kept, a port that has a
 * 16-bit number? */
bool of_value_is_valid(const struct of_field *field, const struct of_value *value);

void of_value_all_ones(const struct of_field *field, struct of_value *value);
bool of_value_is_all_ones(const struct of_field *field, const struct of_value *value);
uint64_t of_value_u64(const struct of_field *field, const struct of_value *value); /* <= 8 bytes. */
void of_value_from_u64(const struct of_field *field, uint64_t number, struct of_value *value);

/* Text of one value ("10.0.0.1", "0x800") and back, without mask. */
struct buffer;
void of_value_format(const struct of_field *field, const struct of_value *value,
                     struct buffer *out);
int of_value_parse(const struct of_field *field, const char *text, struct of_value *value,
                   struct error *error);

/* With mask: "10.0.0.0/8", "0x5/0xf", "+syn-ack", "later".  No mask is a mask of all ones. */
void of_value_format_masked(const struct of_field *field, const struct of_value *value,
                            const struct of_value *mask, struct buffer *out);
int of_value_parse_masked(const struct of_field *field, const char *text, struct of_value *value,
                          struct of_value *mask, struct error *error);

/* Part of a field: 'n_bits' bits from bit 'first' (0: least significant), as in
 * NXM_NX_REG0[0..15]. */
struct of_subfield {
    const struct of_field *field;
    uint16_t first;
    uint16_t n_bits;
};

/* "NXM_NX_REG0[0..15]", "reg0[5]", "eth_src[]" or "eth_src"; the first form is what is printed. */
int of_subfield_parse(const char *text, struct of_subfield *part, struct error *error);
void of_subfield_format(const struct of_subfield *part, struct buffer *out);

/* The subfield's bits right-aligned in 'value' (n_bytes = 16, so big-endian in all 16 bytes). */
void of_subfield_get(const struct of_subfield *part, const struct flow *flow,
                     struct of_value *value);
void of_subfield_set(const struct of_subfield *part, const struct of_value *value,
                     struct flow *flow);

/* 'value' where it belongs in a value of the whole field, and the bits that the subfield has of that. */
void of_subfield_place(const struct of_subfield *part, const struct of_value *value,
                       struct of_value *whole, struct of_value *mask);
void of_subfield_add_mask(const struct of_subfield *part, struct flow *flow_mask);
