/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* action_links - multipath() and bundle(): choosing one of several ways by what the frame is.
 *
 * Their wire forms (Nicira), text and sense.  What they do is said in vswitchd/xlate_links.c.
 *
 * Threads  Plain functions. */

#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"
#include "lib/openflow/actions.h"
#include "lib/openflow/errors.h"
#include "lib/openflow/names.h"

enum { OFA_BUNDLE_MAX_MEMBERS = 2048 };

struct buffer;

/* 'body' is what follows the subtype. */
enum of_error ofa_decode_multipath(const uint8_t *body, size_t n_bytes, struct buffer *list);
enum of_error ofa_decode_bundle(const uint8_t *body, size_t n_bytes, struct buffer *list);
enum of_error ofa_decode_bundle_load(const uint8_t *body, size_t n_bytes, struct buffer *list);

/* Into zeroed bytes behind the subtype: 22, and for bundles 2 more for each member. */
void ofa_encode_multipath(const struct ofa_multipath *multipath, uint8_t *body);
void ofa_encode_bundle(const struct ofa_bundle *bundle, uint8_t *body);

/* "eth_src,50,hrw,12,0,NXM_NX_REG0[0..3]", which is changed. */
int ofa_parse_multipath(char *text, struct buffer *list, struct error *error);
int ofa_parse_bundle(char *text, const struct of_names *names, struct buffer *list,
                     struct error *error);
int ofa_parse_bundle_load(char *text, const struct of_names *names, struct buffer *list,
                          struct error *error);
void ofa_format_multipath(const struct ofa_multipath *multipath, struct buffer *out);
void ofa_format_bundle(const struct ofa_bundle *bundle, const struct of_names *names,
                       struct buffer *out);
