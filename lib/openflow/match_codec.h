/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* match_codec - struct match on the wire: ofp_match of OpenFlow 1.0 and 1.1, NXM, and OXM of 1.2 and
 * later.
 *
 * Decoders accept what the specifications allow and name the mistake otherwise: unknown fields,
 * missing prerequisites, duplicate fields, value bits outside the mask.  Encoders write fields in
 * the order of OVS, so that what is sent is comparable byte for byte.
 *
 * Threads  Plain functions. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/match.h"
#include "lib/openflow/errors.h"
#include "lib/openflow/fields.h"
#include "lib/openflow/openflow.h"

struct buffer;

enum { OF10_MATCH_BYTES = 40, OF11_MATCH_BYTES = 88 };

/* 'wire' has OF10_MATCH_BYTES.  Values under wildcards, and fields whose prerequisites are not
 * there, are ignored, as OpenFlow 1.0 wants. */
void of_match_decode_of10(const void *wire, struct match *match);

/* Fields that OpenFlow 1.0 has no room for are left out: ask of_match_fits_of10() first. */
void of_match_encode_of10(const struct match *match, struct buffer *out);
bool of_match_fits_of10(const struct match *match);

/* 'n_bytes' of nx_match: fields without header or padding.  A cookie and its mask may stand among
 * the fields where 'cookie' is not NULL (both 0 if it does not). */
enum of_error of_match_decode_nxm(const void *wire, size_t n_bytes, struct match *match,
                                  be64 *cookie, be64 *cookie_mask);

/* Skips what it does not know. */
enum of_error of_match_decode_nxm_loose(const void *wire, size_t n_bytes, struct match *match);

/* Appends without padding and returns the number of bytes.  A 'cookie_mask' of 0: no cookie. */
size_t of_match_encode_nxm(const struct match *match, be64 cookie, be64 cookie_mask,
                           struct buffer *out);

/* ofp_match of 1.1 (type 0, a struct of fixed size).  Encoding leaves out what it has no room for. */
enum of_error of_match_decode_of11(const void *wire, struct match *match);
void of_match_encode_of11(const struct match *match, struct buffer *out);

/* An ofp_match of 1.1 and later at the start of 'wire': type, length, then 1.1's struct or OXM, as the
 * type says in any of these versions; 'n_used' is how much of it that was, with padding.  Unknown fields
 * are an error; of_match_decode_loose() skips them (a packet_in may say more than we understand). */
enum of_error of_match_decode(const void *wire, size_t n_bytes, struct match *match,
                              size_t *n_used);
enum of_error of_match_decode_loose(const void *wire, size_t n_bytes, struct match *match,
                                    size_t *n_used);

/* As 1.1's struct in 1.1, as OXM later. */
void of_match_encode(const struct match *match, enum of_version version, struct buffer *out);

/* The fields alone, as NXM or OXM: without header and padding. */
void of_match_encode_fields(const struct match *match, enum of_version version, struct buffer *out);

/* For many matches of which most have the same mask, as those of a table: what is the same in how they are
 * written is found out once.  One that is zero is good to begin with; NULL: each by itself. */
enum { OF_MATCH_MAX_ITEMS = 128 };

struct of_match_item {
    const struct of_field *field;
    uint8_t head[8]; /* What names it. */
    uint8_t head_bytes;
    bool has_mask;
    struct of_value mask;
};

struct of_match_shape {
    enum of_version version;
    size_t n_items;
    struct match first;   /* That it was made for. */
    struct flow decisive; /* Bits of the flow on which it depends which fields there are. */
    struct of_match_item items[OF_MATCH_MAX_ITEMS];
};

/* As of_match_encode(), but for 1.1, and of_match_encode_fields(). */
void of_match_encode_alike(const struct match *match, enum of_version version,
                           struct of_match_shape *shape, struct buffer *out);
void of_match_encode_fields_alike(const struct match *match, enum of_version version,
                                  struct of_match_shape *shape, struct buffer *out);

/* Does encoding and decoding keep all of 'match'? */
bool of_match_fits(const struct match *match, enum of_version version);

/* The 32 bits that name a field in a version, without mask bit: OXM's or NXM's; 0: it has none so short. */
uint32_t of_field_header(const struct of_field *field, enum of_version version);

/* What names it in front of a value: the same or, for fields of experimenters, 64 bits.  Nothing if it has no
 * name on the wire. */
void of_field_put_header(const struct of_field *field, enum of_version version, bool has_mask,
                         struct buffer *out);

/* One field with header and value (and mask, unless it is NULL or all ones), as NXM or OXM. */
void of_field_encode(const struct of_field *field, enum of_version version,
                     const struct of_value *value, const struct of_value *mask, struct buffer *out);

/* Ports are 32 bits wide from 1.1 on.  Decoding fails for numbers that have no 16-bit form. */
uint32_t of_port_to_wire32(of_port port);
bool of_port_from_wire32(uint32_t wire, of_port *port);
