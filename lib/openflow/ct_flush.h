/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* ct_flush - which tracked connections are to be forgotten: NXT_CT_FLUSH_ZONE and NXT_CT_FLUSH.
 *
 * Threads  Plain functions. */

#include <stdbool.h>
#include <stdint.h>

#include "lib/openflow/errors.h"
#include "lib/openflow/messages.h"

struct buffer;

/* One direction of a connection; zeros are wildcards.  ICMP has its identifier in place of the first port,
 * code and type in place of the second. */
struct of_ct_tuple {
    uint8_t source[16], destination[16]; /* IPv6, or IPv4 as ::ffff:A.B.C.D. */
    uint8_t ports[2][2];
};

struct of_ct_flush {
    uint16_t zone; /* 0 without one, too, as in Open vSwitch's text. */
    bool has_zone;
    uint8_t ip_protocol;
    struct of_ct_tuple original, reply;
};

/* OF_CT_FLUSH.  Properties that are not known are passed over, as Open vSwitch does; addresses of both families are
 * refused. */
enum of_error of_decode_ct_flush(const struct of_message *message, struct of_ct_flush *flush);
void of_encode_ct_flush(const struct of_ct_flush *flush, enum of_version version, uint32_t xid,
                        struct buffer *out);
void of_ct_flush_format(const struct of_ct_flush *flush, struct buffer *out);

/* OF_CT_FLUSH_ZONE. */
enum of_error of_decode_ct_flush_zone(const struct of_message *message, uint16_t *zone);
void of_encode_ct_flush_zone(uint16_t zone, enum of_version version, uint32_t xid,
                             struct buffer *out);
