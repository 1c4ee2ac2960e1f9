/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* meters - meter tables on the wire, from 1.3 on: meter_mod, and the statistics OF_METER_STATS_*,
 * OF_METER_CONFIG_* and OF_METER_FEATURES_*.
 *
 * Memory   struct of_meter owns its bands.
 * Threads  Plain functions. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/buffer.h"
#include "lib/openflow/errors.h"
#include "lib/openflow/messages.h"
#include "lib/openflow/stats.h"

#define OF_METER_MAX        UINT32_C(0xffff0000) /* Numbers are from 1 to this, but for those below. */
#define OF_METER_SLOWPATH   UINT32_C(0xfffffffd)
#define OF_METER_CONTROLLER UINT32_C(0xfffffffe)
#define OF_METER_ALL        UINT32_C(0xffffffff) /* Of deletes and requests. */

enum of_meter_command { OFMC_ADD = 0, OFMC_MODIFY = 1, OFMC_DELETE = 2 };

enum of_meter_flags {
    OFMF_KBPS = 1 << 0,
    OFMF_PKTPS = 1 << 1,
    OFMF_BURST = 1 << 2, /* Bands say how much may come at once. */
    OFMF_STATS = 1 << 3,
};

enum of_band_type { OFMBT_DROP = 1, OFMBT_DSCP_REMARK = 2 };

struct of_band {
    uint16_t type;      /* enum of_band_type. */
    uint8_t prec_level; /* Of a DSCP remark. */
    uint32_t rate;      /* kbit/s or packets a second. */
    uint32_t burst;     /* kbit or packets; 0: not said. */
};

struct of_meter {
    uint32_t meter_id;
    uint16_t flags;        /* enum of_meter_flags. */
    struct of_band *bands; /* Owned. */
    size_t n_bands;
};

void of_meter_init(struct of_meter *meter);
void of_meter_fini(struct of_meter *meter);
struct of_band *of_meter_add_band(struct of_meter *meter); /* Zeroed. */

struct of_meter_mod {
    uint16_t command; /* enum of_meter_command. */
    struct of_meter meter;
};

/* 'mod' is initialized in any case. */
enum of_error of_decode_meter_mod(const struct of_message *message, struct of_meter_mod *mod);
void of_meter_mod_fini(struct of_meter_mod *mod);
void of_encode_meter_mod(const struct of_meter_mod *mod, enum of_version version, uint32_t xid,
                         struct buffer *out);

/* Statistics and configuration: of one meter or OF_METER_ALL. */
uint32_t of_decode_meter_request(const struct of_message *message);
void of_encode_meter_request(uint32_t meter_id, enum of_message_kind kind, enum of_version version,
                             uint32_t xid, struct buffer *out);

void of_reply_add_meter(struct of_reply *reply, const struct of_meter *meter);
bool of_next_meter(struct of_items *items, struct of_meter *meter); /* Initialized in any case. */

struct of_band_counts {
    uint64_t n_packets, n_bytes;
};

struct of_meter_stats {
    uint32_t meter_id;
    uint32_t n_flows;
    uint64_t n_packets, n_bytes; /* That came in. */
    uint32_t duration_s, duration_ns;
    const struct of_band_counts *bands; /* Encoding: borrowed.  Decoding: see below. */
    size_t n_bands;
};

void of_reply_add_meter_stats(struct of_reply *reply, const struct of_meter_stats *stats);

/* 'counts' is cleared and holds what stats->bands points to. */
bool of_next_meter_stats(struct of_items *items, struct buffer *counts,
                         struct of_meter_stats *stats);

struct of_meter_features {
    uint32_t max_meters;
    uint32_t band_types;   /* Bit N: enum of_band_type N. */
    uint32_t capabilities; /* enum of_meter_flags. */
    uint8_t max_bands, max_color;
};

void of_encode_meter_features(const struct of_meter_features *features,
                              const struct of_message *request, struct buffer *out);
void of_decode_meter_features(const struct of_message *message, struct of_meter_features *features);
