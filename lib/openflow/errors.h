/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* errors - the errors OpenFlow can name, and the message that carries them.
 *
 * Decoders return an enum of_error: OF_OK (0), or what to tell the peer.  One enumerator stands for
 * the same mistake in every version; the numbers on the wire differ and come from a table.  A
 * version that has no number for an error sends NXBRC_UNENCODABLE_ERROR, as Open vSwitch does.
 *
 * Threads  Plain functions. */

#include <stddef.h>
#include <stdint.h>

#include "lib/openflow/error_table.h"
#include "lib/openflow/openflow.h"

struct buffer;

// clang-format off
enum of_error {
    OF_OK = 0,
#define ROW(name, ...) name,
    OF_ERROR_TABLE(ROW, , , , )
#undef ROW
    N_OF_ERRORS
};
// clang-format on

#define OFPFMFC_ALL_TABLES_FULL OFPFMFC_TABLE_FULL /* What OpenFlow 1.0 calls it. */

/* "OFPBMC_BAD_PREREQ"; "OK" for OF_OK. */
const char *of_error_name(enum of_error error);

/* Appends an OFPT_ERROR that answers 'request' (a message, or what there was of it): its version,
 * if we speak it, its xid, and as much of it as there is room for. */
void of_encode_error(enum of_error error, const void *request, size_t request_bytes,
                     struct buffer *out);

/* What an OFPT_ERROR message says.  An error we have no name for gives 'error' OF_OK and its
 * numbers. */
struct of_error_info {
    enum of_error error;
    uint32_t vendor; /* 0: the specification's own. */
    uint16_t type, code;
    const uint8_t *payload; /* Start of the request, or text for OFPHFC_*; borrowed. */
    size_t payload_bytes;
};

/* Returns OF_OK, or what is wrong with the error message itself. */
enum of_error of_decode_error(const void *message, size_t n_bytes, struct of_error_info *info);
