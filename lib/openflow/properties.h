/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* properties - the type-length-value items at the end of many messages of OpenFlow 1.4 and later
 * (section 7.2.2), and of some of 1.3 and Nicira's.
 *
 * The length of a property leaves out the padding that rounds it up to 8 bytes.
 *
 * Threads  Plain functions. */

#include <stddef.h>
#include <stdint.h>

#include "lib/openflow/errors.h"
#include "lib/openflow/wire.h"

struct buffer;

enum { OF_PROPERTY_EXPERIMENTER = 0xffff };

struct of_property {
    uint16_t type;
    uint32_t experimenter; /* 0: a standard one. */
    uint32_t experimenter_type;
    const uint8_t *body; /* Behind type and length, or behind the experimenter's type. */
    size_t n_bytes;      /* Of it, without padding. */
};

/* The next property of 'wire', which is not empty: OFPBPC_BAD_LEN if it is not there whole. */
enum of_error of_take_property(struct wire *wire, struct of_property *property);

/* What to answer to a property that is not understood: which error depends on whose it is. */
enum of_error of_unknown_property(const struct of_property *property);

/* Appends a property with 'body_bytes' of zeros, which is returned, and its padding. */
uint8_t *of_put_property(uint16_t type, size_t body_bytes, struct buffer *out);

/* A property whose body is appended between these two. */
size_t of_begin_property(uint16_t type, struct buffer *out);
void of_end_property(size_t start, struct buffer *out);
