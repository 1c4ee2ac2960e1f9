/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* groups - group tables on the wire: group_mod, and the statistics OF_GROUP_STATS_*, OF_GROUP_DESC_* and
 * OF_GROUP_FEATURES_*.
 *
 * Groups exist since 1.1; 1.0 has them by Nicira's messages, whose form is 1.5's.  Only these two forms
 * have numbered buckets and a selection method (Netronome's extension); in the others buckets are
 * numbered by their place.
 *
 * Memory   struct of_group owns its buckets, these their actions, and its fields.
 * Threads  Plain functions. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/buffer.h"
#include "lib/openflow/actions.h"
#include "lib/openflow/errors.h"
#include "lib/openflow/fields.h"
#include "lib/openflow/messages.h"
#include "lib/openflow/openflow.h"
#include "lib/openflow/stats.h"

enum {
    OF_GROUP_MAX = 0xffffff00, /* Group numbers are not greater ... */
    OF_GROUP_ALL = 0xfffffffc, /* ... but for this and OF_GROUP_ANY. */
    OF_BUCKET_MAX = 0xffffff00,
    OF_BUCKET_FIRST = 0xfffffffd,
    OF_BUCKET_LAST = 0xfffffffe,
    OF_BUCKET_ALL = 0xffffffff,
};

enum of_group_type {
    OFGT_ALL = 0,
    OFGT_SELECT = 1,
    OFGT_INDIRECT = 2,
    OFGT_FF = 3,
    N_OF_GROUP_TYPES
};

enum of_group_command { /* Numbers as on the wire. */
                        OFGC_ADD = 0,
                        OFGC_MODIFY = 1,
                        OFGC_DELETE = 2,
                        OFGC_INSERT_BUCKET = 3, /* From 1.5, and Nicira's. */
                        OFGC_REMOVE_BUCKET = 5, /* The same. */
                        OFGC_ADD_OR_MOD = 0x8000,
};

struct of_bucket {
    uint32_t bucket_id;    /* OF_BUCKET_ALL where the form has no numbers. */
    uint16_t weight;       /* Of select groups. */
    of_port watch_port;    /* OFPP_NONE: none. */
    uint32_t watch_group;  /* OF_GROUP_ANY: none. */
    struct buffer actions; /* Owned: a list of struct ofa. */
};

static inline struct ofa_list of_bucket_actions(const struct of_bucket *bucket)
{
    return (struct ofa_list){.first = (const struct ofa *)(const void *)bucket->actions.data,
                             .n_bytes = bucket->actions.size};
}

/* Which bits of a field a select group hashes. */
struct of_group_field {
    uint16_t field; /* enum of_field_id. */
    struct of_value mask;
};

enum { OF_SELECTION_METHOD_BYTES = 16 };

struct of_group {
    uint32_t group_id;
    uint8_t type;              /* enum of_group_type. */
    struct of_bucket *buckets; /* Owned, in order. */
    size_t n_buckets;

    char selection_method[OF_SELECTION_METHOD_BYTES]; /* "", "hash", "dp_hash". */
    uint64_t selection_param;
    struct of_group_field *fields; /* Owned: of "hash", in the order in which they are told. */
    size_t n_fields;
};

void of_group_init(struct of_group *group);
void of_group_fini(struct of_group *group);
void of_group_copy(struct of_group *to, const struct of_group *from); /* 'to' is not initialized. */

/* Appends a bucket without number, weight or watches.  Good until the next one. */
struct of_bucket *of_group_add_bucket(struct of_group *group);
struct of_bucket *of_group_find_bucket(const struct of_group *group, uint32_t bucket_id);
void of_group_add_field(struct of_group *group, const struct of_field *field,
                        const struct of_value *mask);

struct of_group_mod {
    uint16_t command;           /* enum of_group_command. */
    uint32_t command_bucket_id; /* Of insert and remove. */
    struct of_group group;      /* group_id OF_GROUP_ALL: all (delete). */
};

/* 'mod' is initialized in any case.  Actions are checked by form, and against an empty match as Open
 * vSwitch does; that groups, ports and meters exist is the switch's business. */
enum of_error of_decode_group_mod(const struct of_message *message, uint8_t n_tables,
                                  struct of_group_mod *mod);
void of_group_mod_fini(struct of_group_mod *mod);

/* May 'mod' be sent in this version without losing more than the numbers of buckets?  If not, what
 * cannot be said is left out. */
bool of_group_mod_fits(const struct of_group_mod *mod, enum of_version version);
void of_encode_group_mod(const struct of_group_mod *mod, enum of_version version, uint32_t xid,
                         struct buffer *out);

/* Does what a group_mod of this command says make sense: OFPGMFC_*?  (Decoding checks it.) */
enum of_error of_group_mod_check(const struct of_group_mod *mod);

/* OF_GROUP_STATS_* and OF_GROUP_DESC_*: one group or OF_GROUP_ALL; descriptions before 1.5: all. */
enum of_error of_decode_group_request(const struct of_message *message, uint32_t *group_id);
void of_encode_group_request(uint32_t group_id, enum of_message_kind kind, enum of_version version,
                             uint32_t xid, struct buffer *out);

struct of_bucket_counts {
    uint64_t n_packets, n_bytes;
};

struct of_group_stats {
    uint32_t group_id;
    uint32_t n_references;                  /* Flows and groups that send frames to it. */
    uint64_t n_packets, n_bytes;            /* UINT64_MAX: not known. */
    uint32_t duration_s, duration_ns;       /* From 1.3; UINT32_MAX: not known. */
    const struct of_bucket_counts *buckets; /* Encoding: borrowed.  Decoding: see below. */
    size_t n_buckets;
};

void of_reply_add_group_stats(struct of_reply *reply, const struct of_group_stats *stats);

/* 'counts' is cleared and holds what stats->buckets points to. */
bool of_next_group_stats(struct of_items *items, struct buffer *counts,
                         struct of_group_stats *stats);

void of_reply_add_group(struct of_reply *reply, const struct of_group *group);
bool of_next_group(struct of_items *items, struct of_group *group); /* Initialized in any case. */

/* ofp_group_capabilities. */
enum { OFGFC_SELECT_WEIGHT = 1, OFGFC_SELECT_LIVENESS = 2, OFGFC_CHAINING = 4, OFGFC_CHECKS = 8 };

/* By enum of_group_type. */
struct of_group_features {
    uint32_t types, capabilities;
    uint32_t max_groups[N_OF_GROUP_TYPES];
    uint32_t actions[N_OF_GROUP_TYPES]; /* Bit N: OFPAT_ type N of the version. */
};

void of_encode_group_features(const struct of_group_features *features,
                              const struct of_message *request, struct buffer *out);
void of_decode_group_features(const struct of_message *message, struct of_group_features *features);

/* OF_GROUP_STATS_REQUEST and the like: Nicira's form in versions without their own (1.0; features: and
 * 1.1). */
enum of_form of_group_form(enum of_message_kind kind, enum of_version version);
