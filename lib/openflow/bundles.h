/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* bundles - messages that take effect together (OpenFlow 1.4 section 7.3.9, and the ONF's extension 230
 * to 1.3).
 *
 * Memory   struct of_bundle_add borrows the message inside.
 * Threads  Plain functions. */

#include <stddef.h>
#include <stdint.h>

#include "lib/openflow/errors.h"
#include "lib/openflow/messages.h"

struct buffer;

enum of_bundle_command { /* Replies have the next number. */
                         OFBC_OPEN = 0,
                         OFBC_CLOSE = 2,
                         OFBC_COMMIT = 4,
                         OFBC_DISCARD = 6,
};

enum of_bundle_flags { OFBF_ATOMIC = 1 << 0, OFBF_ORDERED = 1 << 1 };

struct of_bundle_control {
    uint32_t bundle_id;
    uint16_t command; /* enum of_bundle_command, or one more in a reply. */
    uint16_t flags;   /* enum of_bundle_flags. */
};

enum of_error of_decode_bundle_control(const struct of_message *message,
                                       struct of_bundle_control *control);
void of_encode_bundle_control(const struct of_bundle_control *control, enum of_version version,
                              uint32_t xid, struct buffer *out);

struct of_bundle_add {
    uint32_t bundle_id;
    uint16_t flags;
    const uint8_t *message; /* Borrowed: whole, of the same version and xid. */
    size_t n_bytes;
};

/* OFPBFC_MSG_BAD_LEN, OFPBFC_MSG_BAD_XID, OFPBFC_BAD_VERSION: the message inside is no good. */
enum of_error of_decode_bundle_add(const struct of_message *message, struct of_bundle_add *add);
void of_encode_bundle_add(const struct of_bundle_add *add, enum of_version version, uint32_t xid,
                          struct buffer *out);
