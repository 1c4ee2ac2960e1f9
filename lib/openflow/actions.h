/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* actions - OpenFlow actions and instructions as the switch keeps them.
 *
 * A list is a run of structs, each beginning with struct ofa and padded to 8 bytes, in one
 * allocation: small, since every flow has one, and copied and compared as bytes.  Instructions
 * stand in the same list, in the order in which OpenFlow executes them (1.3.5 section 5.9): meter,
 * the applied actions, clear, write, metadata, goto.
 *
 * Threads  Lists are constant once built. */

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/byteorder.h"
#include "lib/openflow/fields.h"
#include "lib/openflow/openflow.h"

enum ofa_type {
    OFA_OUTPUT,         /* struct ofa_output */
    OFA_CONTROLLER,     /* struct ofa_controller */
    OFA_RESUBMIT,       /* struct ofa_resubmit */
    OFA_SET_FIELD,      /* struct ofa_set_field: also load and the mod_* actions */
    OFA_MOVE,           /* struct ofa_move */
    OFA_SET_VLAN_VID,   /* struct ofa_vlan */
    OFA_SET_VLAN_PCP,   /* struct ofa_vlan */
    OFA_PUSH_VLAN,      /* struct ofa_vlan */
    OFA_POP_VLAN,       /* struct ofa */
    OFA_PUSH_MPLS,      /* struct ofa_mpls */
    OFA_POP_MPLS,       /* struct ofa_mpls */
    OFA_SET_MPLS_LABEL, /* struct ofa_mpls */
    OFA_SET_MPLS_TC,    /* struct ofa_mpls */
    OFA_SET_MPLS_TTL,   /* struct ofa_mpls */
    OFA_DEC_MPLS_TTL,   /* struct ofa */
    OFA_GROUP,          /* struct ofa_group */
    OFA_METER,          /* struct ofa_meter: an instruction until 1.4, an action since */
    OFA_DEC_TTL,        /* struct ofa_dec_ttl */
    OFA_OUTPUT_REG,     /* struct ofa_output_reg */
    OFA_ENQUEUE,        /* struct ofa_enqueue */
    OFA_SET_QUEUE,      /* struct ofa_queue */
    OFA_POP_QUEUE,      /* struct ofa */
    OFA_STACK_PUSH,     /* struct ofa_stack */
    OFA_STACK_POP,      /* struct ofa_stack */
    OFA_CLONE,          /* struct ofa_nested */
    OFA_MULTIPATH,      /* struct ofa_multipath */
    OFA_BUNDLE,         /* struct ofa_bundle */
    OFA_LEARN,          /* struct ofa_learn: learn.h */
    OFA_CONJUNCTION,    /* struct ofa_conjunction */
    OFA_CHECK_LENGTH,   /* struct ofa_check_length: check_pkt_larger() */
    OFA_FIN_TIMEOUT,    /* struct ofa_fin_timeout */
    OFA_NOTE,           /* struct ofa_note */
    OFA_CT,             /* struct ofa_ct */
    OFA_NAT,            /* struct ofa_nat: in a list of ofa_ct only */
    OFA_CT_CLEAR,       /* struct ofa */
    OFA_SAMPLE,         /* struct ofa_sample */
    OFA_ENCAP,          /* struct ofa_encap */
    OFA_DECAP,          /* struct ofa_decap */
    OFA_DEC_NSH_TTL,    /* struct ofa */
    OFA_DELETE_FIELD,   /* struct ofa_delete_field */
    OFA_EXIT,           /* struct ofa */
    /* Instructions. */
    OFA_CLEAR_ACTIONS,  /* struct ofa */
    OFA_WRITE_ACTIONS,  /* struct ofa_nested */
    OFA_WRITE_METADATA, /* struct ofa_metadata */
    OFA_GOTO_TABLE,     /* struct ofa_goto */
};

/* How the action was written, where OpenFlow has several ways to say the same: decides how it is
 * encoded and printed, never what it does. */
enum ofa_form {
    OFA_FORM_DEFAULT,
    OFA_FORM_LOAD,        /* OFA_SET_FIELD: NXAST_REG_LOAD, "load:". */
    OFA_FORM_CONTROLLER2, /* OFA_CONTROLLER: NXAST_CONTROLLER2. */
    OFA_FORM_LOAD2,       /* OFA_SET_FIELD: NXAST_REG_LOAD2, "set_field:" also in OpenFlow 1.0. */
    OFA_FORM_TUNNEL,      /* OFA_SET_FIELD: NXAST_SET_TUNNEL, "set_tunnel:". */
    OFA_FORM_TUNNEL64,    /* OFA_SET_FIELD: NXAST_SET_TUNNEL64, "set_tunnel64:". */

    /* OFA_SET_FIELD: OFPAT_SET_DL_SRC and the like, "mod_dl_src:".  Unlike the others it may meet a
     * frame without the field, and then does nothing; and FIELD_TCP_SRC and FIELD_TCP_DST stand for
     * the ports of UDP and SCTP too: see ofa_set_field_applies().  OFA_POP_VLAN: "strip_vlan". */
    OFA_FORM_LEGACY,
};

struct ofa {
    uint8_t type;     /* enum ofa_type. */
    uint8_t form;     /* enum ofa_form. */
    uint16_t n_bytes; /* Of the struct and its padding: a multiple of 8. */
};

struct ofa_output {
    struct ofa ofa;
    of_port port;
    uint16_t max_len;     /* To the controller, 1.0 style; else as given. */
    uint32_t trunc_bytes; /* Not 0: output(port=..., max_len=...). */
};

struct ofa_controller {
    struct ofa ofa;
    uint16_t max_len; /* UINT16_MAX: the whole frame. */
    uint16_t controller_id;
    uint8_t reason;    /* enum of_packet_in_reason. */
    bool pauses;       /* The frame waits until the controller lets it go on. */
    uint32_t meter_id; /* 0: none. */
    uint16_t n_userdata;
    uint8_t userdata[]; /* For the controller. */
};

struct ofa_resubmit {
    struct ofa ofa;
    of_port in_port;  /* OFPP_IN_PORT: as it is. */
    uint8_t table_id; /* OF_TABLE_ALL: the current table. */
    bool looks_up_ct; /* "resubmit(,TABLE,ct)": with the addresses of the connection. */
};

/* Values stand behind: field->n_bytes of value, then field->n_bytes of mask. */
struct ofa_set_field {
    struct ofa ofa;
    uint16_t field; /* enum of_field_id. */
    uint8_t bytes[];
};

struct ofa_move {
    struct ofa ofa;
    uint16_t source, source_first;
    uint16_t destination, destination_first;
    uint16_t n_bits;
};

struct ofa_vlan {
    struct ofa ofa;
    uint16_t value;     /* VID, PCP or, for push, TPID. */
    bool push_if_none;  /* OpenFlow 1.0: an untagged frame gets a tag. */
    bool flow_has_vlan; /* The flow's match or an earlier action guarantees a tag. */
};

/* Unlike set_field, these do nothing to a frame without a label. */
struct ofa_mpls {
    struct ofa ofa;
    uint32_t value; /* Label, TC or TTL; for push and pop the type that then stands in front. */
};

struct ofa_group {
    struct ofa ofa;
    uint32_t group_id;
};

struct ofa_meter {
    struct ofa ofa;
    uint32_t meter_id;
};

/* Part of a field, as a list keeps it. */
struct ofa_part {
    uint16_t field; /* enum of_field_id. */
    uint16_t first, n_bits;
};

/* 'ids' are the controllers that are told of a TTL that is used up; none: controller 0. */
struct ofa_dec_ttl {
    struct ofa ofa;
    uint16_t n_ids;
    uint16_t ids[];
};

struct ofa_output_reg {
    struct ofa ofa;
    struct ofa_part source;
    uint16_t max_len; /* If it names the controller. */
};

struct ofa_enqueue {
    struct ofa ofa;
    of_port port;
    uint32_t queue;
};

struct ofa_queue {
    struct ofa ofa;
    uint32_t queue;
};

struct ofa_stack {
    struct ofa ofa;
    struct ofa_part part;
};

/* What of a frame decides which way it goes, and how the way is chosen. */
enum ofa_hash_fields {
    OFA_HASH_ETH_SRC,
    OFA_HASH_SYMMETRIC_L4,       /* Both directions of a connection are equal. */
    OFA_HASH_SYMMETRIC_L3L4,     /* The same, without Ethernet and VLAN. */
    OFA_HASH_SYMMETRIC_L3L4_UDP, /* The same, with ports of UDP. */
    OFA_HASH_NW_SRC,
    OFA_HASH_NW_DST,
    OFA_HASH_SYMMETRIC_L3,
    OFA_N_HASH_FIELDS
};

enum ofa_multipath_algorithm {
    OFA_MP_MODULO_N,
    OFA_MP_HASH_THRESHOLD,
    OFA_MP_HRW, /* Highest random weight. */
    OFA_MP_ITER_HASH,
    OFA_N_MP_ALGORITHMS
};

/* A link from 0 to 'max_link' into 'destination'. */
struct ofa_multipath {
    struct ofa ofa;
    uint8_t fields;    /* enum ofa_hash_fields. */
    uint8_t algorithm; /* enum ofa_multipath_algorithm. */
    uint16_t basis;
    uint16_t max_link;
    uint32_t arg;
    struct ofa_part destination;
};

enum ofa_bundle_algorithm { OFA_BUNDLE_ACTIVE_BACKUP, OFA_BUNDLE_HRW, OFA_N_BUNDLE_ALGORITHMS };

/* One of the members that are up: output to it, or put its number into 'destination'. */
struct ofa_bundle {
    struct ofa ofa;
    uint8_t fields;    /* enum ofa_hash_fields. */
    uint8_t algorithm; /* enum ofa_bundle_algorithm. */
    uint16_t basis;
    struct ofa_part destination; /* n_bits 0: output. */
    uint16_t n_members;
    of_port members[];
};

/* A rule with it only says that clause 'clause' of 'n_clauses' of conjunction 'id' holds. */
struct ofa_conjunction {
    struct ofa ofa;
    uint8_t clause; /* From 0. */
    uint8_t n_clauses;
    uint32_t id;
};

/* One bit: is the frame longer than 'n_bytes'? */
struct ofa_check_length {
    struct ofa ofa;
    uint16_t n_bytes;
    struct ofa_part destination;
};

/* When a FIN or RST passes, the rule's timeouts shrink to these (s; 0: stay). */
struct ofa_fin_timeout {
    struct ofa ofa;
    uint16_t idle_s, hard_s;
};

struct ofa_note {
    struct ofa ofa;
    uint16_t n_bytes;
    uint8_t bytes[];
};

enum ofa_ct_flags { OFCT_COMMIT = 1 << 0, OFCT_FORCE = 1 << 1 };
enum { OFCT_ALG_FTP = 21, OFCT_ALG_TFTP = 69 };

struct ofa_ct {
    struct ofa ofa;
    uint16_t flags; /* enum ofa_ct_flags. */
    uint16_t zone;
    struct ofa_part zone_source; /* n_bits 0: 'zone' says it. */
    uint16_t alg;                /* The helper's well-known port; 0: none. */
    uint8_t table_id;            /* Where the frame goes on; OF_TABLE_ALL: nowhere. */
    uint8_t pad[7];
    uint8_t list[]; /* What is done to the connection. */
};
static_assert(sizeof(struct ofa_ct) % 8 == 0, "actions are aligned");

enum ofa_nat_flags {
    OFNAT_SRC = 1 << 0,
    OFNAT_DST = 1 << 1,
    OFNAT_PERSISTENT = 1 << 2,
    OFNAT_HASH = 1 << 3,
    OFNAT_RANDOM = 1 << 4,
};

struct ofa_nat {
    struct ofa ofa;
    uint16_t flags; /* enum ofa_nat_flags; without source or destination nothing else is said. */
    uint8_t family; /* 4, 6, or 0: no addresses. */
    uint16_t port_min, port_max; /* 0: none. */
    struct ipv6_addr min, max;   /* IPv4: the first 4 bytes; 'max' of zeros: none. */
};

enum ofa_sample_form { OFA_SAMPLE1 = 1, OFA_SAMPLE2, OFA_SAMPLE3 }; /* Later ones say more. */
enum ofa_sample_direction { OFA_SAMPLE_DEFAULT, OFA_SAMPLE_INGRESS, OFA_SAMPLE_EGRESS };

struct ofa_sample {
    struct ofa ofa; /* 'form' is enum ofa_sample_form. */
    uint16_t probability;
    of_port port;      /* OFPP_NONE: not said. */
    uint8_t direction; /* enum ofa_sample_direction. */
    uint32_t collector_set_id, domain_id, point_id;
};

/* Properties as on the wire, each padded to 8 bytes. */
struct ofa_encap {
    struct ofa ofa;
    uint32_t packet_type; /* Of the new header. */
    uint16_t n_properties_bytes;
    uint8_t pad[6];
    uint8_t properties[];
};

struct ofa_decap {
    struct ofa ofa;
    uint32_t packet_type; /* Of what is then in front; OFA_DECAP_NEXT: as the header says. */
};
enum { OFA_DECAP_NEXT = 0xfffe };

struct ofa_delete_field {
    struct ofa ofa;
    uint16_t field; /* enum of_field_id. */
};

struct ofa_nested {
    struct ofa ofa;
    uint8_t pad[4];
    uint8_t list[]; /* ofa.n_bytes - 8 bytes of actions. */
};

struct ofa_metadata {
    struct ofa ofa;
    be64 value, mask;
};

struct ofa_goto {
    struct ofa ofa;
    uint8_t table_id;
};

struct ofa_list {
    const struct ofa *first;
    size_t n_bytes;
};

static inline const struct ofa *ofa_end(struct ofa_list list)
{
    return (const struct ofa *)((uintptr_t)list.first +
                                list.n_bytes); /* An empty list may be NULL. */
}

static inline const struct ofa *ofa_next(const struct ofa *ofa)
{
    return (const struct ofa *)(const void *)((const uint8_t *)ofa + ofa->n_bytes);
}

#define for_each_action(ofa, list) \
    for (const struct ofa *ofa = (list).first; ofa != ofa_end(list); ofa = ofa_next(ofa))

static inline bool ofa_is_nested(const struct ofa *ofa)
{
    return ofa->type == OFA_WRITE_ACTIONS || ofa->type == OFA_CLONE;
}

static inline struct ofa_list ofa_nested_list(const struct ofa_nested *nested)
{
    return (struct ofa_list){
        .first = (const struct ofa *)(const void *)nested->list,
        .n_bytes = nested->ofa.n_bytes - offsetof(struct ofa_nested, list),
    };
}

static inline struct ofa_list ofa_ct_list(const struct ofa_ct *ct)
{
    return (struct ofa_list){
        .first = (const struct ofa *)(const void *)ct->list,
        .n_bytes = ct->ofa.n_bytes - offsetof(struct ofa_ct, list),
    };
}

bool ofa_ct_is_sound(const struct ofa_ct *ct);    /* Do its arguments go together? */
bool ofa_nat_is_sound(const struct ofa_nat *nat); /* The same, and is the range one? */

/* Builders append one action to a list.  What they return may be changed until the next append. */
struct buffer;
struct ofa *ofa_put(struct buffer *list, enum ofa_type type); /* Zeroed, of the type's size. */
struct ofa_output *ofa_put_output(struct buffer *list, of_port port, uint16_t max_len);
struct ofa_set_field *ofa_put_set_field(struct buffer *list, enum ofa_form form,
                                        const struct of_field *field, const struct of_value *value,
                                        const struct of_value *mask); /* NULL: all ones. */

/* The same, with 'n_bytes' more behind the struct. */
struct ofa *ofa_put_longer(struct buffer *list, enum ofa_type type, size_t n_bytes);

/* Appends the header of OFA_WRITE_ACTIONS or OFA_CLONE; the actions appended until ofa_end_nested() are
 * in it. */
size_t ofa_begin_nested(struct buffer *list, enum ofa_type type);
bool ofa_end_nested(struct buffer *list, size_t start); /* False: more than 64 KiB. */

bool ofa_is_instruction(const struct ofa *ofa); /* From OFA_CLEAR_ACTIONS on. */
bool ofa_has_instruction(struct ofa_list list);

/* Does the frame have what 'set' sets?  Adds the bits that were looked at to 'consulted' (may be
 * NULL).  Actions for which it is false do nothing. */
bool ofa_set_field_applies(const struct ofa_set_field *set, const struct flow *flow,
                           struct flow *consulted);

/* A set_field seen as "load" actions: one for each run of mask bits, lowest first, of at most 64
 * bits. */
struct ofa_load {
    unsigned first; /* Start with 0. */
    unsigned n_bits;
    uint64_t value;
};

bool ofa_next_load(const struct ofa_set_field *set, struct ofa_load *load);

static inline struct of_subfield ofa_part_subfield(struct ofa_part part)
{
    return (struct of_subfield){
        .field = of_field((enum of_field_id)part.field),
        .first = part.first,
        .n_bits = part.n_bits,
    };
}

static inline struct ofa_part ofa_part_of(const struct of_subfield *subfield)
{
    return (struct ofa_part){
        .field = (uint16_t)subfield->field->id,
        .first = subfield->first,
        .n_bits = subfield->n_bits,
    };
}

static inline const uint8_t *ofa_set_field_value(const struct ofa_set_field *set)
{
    return set->bytes;
}

static inline const uint8_t *ofa_set_field_mask(const struct ofa_set_field *set)
{
    return set->bytes + of_field((enum of_field_id)set->field)->n_bytes;
}
