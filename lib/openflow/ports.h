/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* ports - what OpenFlow tells about ports: their descriptions, changes, and configuration.
 *
 * Threads  Plain functions. */

#include <stdbool.h>
#include <stdint.h>

#include "lib/mac.h"
#include "lib/openflow/errors.h"
#include "lib/openflow/messages.h"
#include "lib/openflow/openflow.h"

struct buffer;
struct wire;

/* ofp_port_state, the bits we know; 1.0 lacks the last two. */
enum of_port_state {
    OFPPS_LINK_DOWN = 1 << 0,
    OFPPS_BLOCKED = 1 << 1,
    OFPPS_LIVE = 1 << 2,
};

/* ofp_port_features as of 1.1; 1.0 has fewer speeds. */
enum of_port_features {
    OFPPF_10MB_HD = 1 << 0,
    OFPPF_10MB_FD = 1 << 1,
    OFPPF_100MB_HD = 1 << 2,
    OFPPF_100MB_FD = 1 << 3,
    OFPPF_1GB_HD = 1 << 4,
    OFPPF_1GB_FD = 1 << 5,
    OFPPF_10GB_FD = 1 << 6,
    OFPPF_40GB_FD = 1 << 7,
    OFPPF_100GB_FD = 1 << 8,
    OFPPF_1TB_FD = 1 << 9,
    OFPPF_OTHER = 1 << 10,
    OFPPF_COPPER = 1 << 11,
    OFPPF_FIBER = 1 << 12,
    OFPPF_AUTONEG = 1 << 13,
    OFPPF_PAUSE = 1 << 14,
    OFPPF_PAUSE_ASYM = 1 << 15,
};

struct of_port_info {
    of_port port;
    struct mac mac;
    char name[17];                               /* NUL-terminated. */
    uint32_t config;                             /* enum of_port_config. */
    uint32_t state;                              /* enum of_port_state. */
    uint32_t current, advertised;                /* enum of_port_features. */
    uint32_t supported, peer;                    /* The same. */
    uint32_t current_speed_kbps, max_speed_kbps; /* 1.1 and later; 0 in 1.0. */
};

void of_encode_port_info(const struct of_port_info *port, enum of_version version,
                         struct buffer *out);

/* False at the end of 'wire' or if what is left is too short. */
bool of_decode_port_info(struct wire *wire, enum of_version version, struct of_port_info *port);

enum of_port_reason { OFPPR_ADD = 0, OFPPR_DELETE = 1, OFPPR_MODIFY = 2 };

enum of_error of_decode_port_status(const struct of_message *message, uint8_t *reason,
                                    struct of_port_info *port);
void of_encode_port_status(const struct of_port_info *port, enum of_port_reason reason,
                           enum of_version version, struct buffer *out);

struct of_port_mod {
    of_port port;
    struct mac mac;        /* Must be the port's, or the switch answers OFPPMFC_BAD_HW_ADDR. */
    uint32_t config, mask; /* enum of_port_config. */
    uint32_t advertise;    /* enum of_port_features; 0: no change. */
};

enum of_error of_decode_port_mod(const struct of_message *message, struct of_port_mod *mod);
void of_encode_port_mod(const struct of_port_mod *mod, enum of_version version, uint32_t xid,
                        struct buffer *out);
