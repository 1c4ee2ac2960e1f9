/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* message_table - how each kind of message looks on the wire: one row per form.
 *
 * Threads  The table is constant. */

#include <stddef.h>
#include <stdint.h>

#include "lib/openflow/messages.h"

/* What identifies a message: its type; for statistics their type; for vendors a number of
 * theirs. */
enum of_envelope {
    ENVELOPE_PLAIN,
    ENVELOPE_STATS,
    ENVELOPE_NX,
    ENVELOPE_ONF,
    ENVELOPE_NX_STATS,
    ENVELOPE_ONF_STATS,
};

struct of_message_row {
    enum of_message_kind kind;
    enum of_form form;
    uint8_t first_version, last_version;
    enum of_envelope envelope;
    uint8_t type;        /* ofp_type. */
    uint16_t subtype;    /* Statistics type, or the vendor's type. */
    uint16_t least_body; /* Bytes behind the envelope. */
    uint16_t unit;       /* More body comes in units of this many bytes; 0: no more. */
    const char *name;
};

extern const struct of_message_row of_message_rows[];
extern const size_t of_n_message_rows;

/* NULL: that version has no such message. */
const struct of_message_row *of_message_row(enum of_message_kind kind, enum of_form form,
                                            enum of_version version);

size_t of_envelope_bytes(enum of_envelope envelope, unsigned version);
