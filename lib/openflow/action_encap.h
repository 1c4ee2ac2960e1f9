/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* action_encap - encap(), decap(), dec_nsh_ttl, delete_field and sample(): on the wire and as text.
 *
 * What they do needs more than there is, so flows with them are refused by ofa_check_references().
 *
 * Threads  Plain functions. */

#include "lib/openflow/action_decode.h"
#include "lib/openflow/action_parse.h"

/* 'body' is what follows the subtype. */
enum of_error ofa_decode_encap(const uint8_t *body, size_t n_bytes, struct buffer *list);
enum of_error ofa_decode_decap(const uint8_t *body, size_t n_bytes, struct buffer *list);
enum of_error ofa_decode_dec_nsh_ttl(const uint8_t *body, size_t n_bytes, struct buffer *list);
enum of_error ofa_decode_delete_field(const uint8_t *body, size_t n_bytes, struct buffer *list);
enum of_error ofa_decode_sample(const uint8_t *body, size_t n_bytes, struct buffer *list);
enum of_error ofa_decode_sample2(const uint8_t *body, size_t n_bytes, struct buffer *list);
enum of_error ofa_decode_sample3(const uint8_t *body, size_t n_bytes, struct buffer *list);

/* All of these types. */
void ofa_encode_encap(const struct ofa *ofa, enum of_version version, struct buffer *out);
void ofa_format_encap(const struct ofa *ofa, const struct of_names *names, struct buffer *out);

parse_function ofa_parse_encap;
parse_function ofa_parse_decap;
parse_function ofa_parse_delete_field;
parse_function ofa_parse_sample;

/* "ethernet", "nsh", "mpls" or "mpls_mc". */
bool ofa_encap_header_by_name(const char *name, uint32_t *packet_type);
void ofa_put_encap(uint32_t packet_type, const struct buffer *properties, struct buffer *list);
