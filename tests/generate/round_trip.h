/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* round_trip - is what the codec understands of a message what it would say itself?
 *
 * A message that can be decoded is encoded; that is decoded again, encoded again, and both times
 * the bytes are the same; and it reads the same as the message did.  What a message may say that has no
 * meaning (padding, unknown properties, an older way to say it) is not in the first encoding.
 * A kind of message that is not known here ends the program, as does a difference.
 *
 * Needs only the codec. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* 'data' is one whole message, as its length says.  True: it was understood. */
bool round_trip(const uint8_t *data, size_t n_bytes, bool has_table_id);
