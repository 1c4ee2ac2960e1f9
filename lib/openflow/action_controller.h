/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* action_controller - controller(...) on the wire and as text.
 *
 * Nicira's first form has a length, a controller and a reason; the second says the same and more with
 * properties, and is used only for what the first cannot say.
 *
 * Threads  Plain functions. */

#include "lib/openflow/action_parse.h"
#include "lib/openflow/errors.h"

/* 'body' is what follows the subtype. */
enum of_error ofa_decode_controller(const uint8_t *body, size_t n_bytes, struct buffer *list);
enum of_error ofa_decode_controller2(const uint8_t *body, size_t n_bytes, struct buffer *list);
void ofa_encode_controller(const struct ofa_controller *controller, struct buffer *out);
void ofa_format_controller(const struct ofa_controller *controller, struct buffer *out);
parse_function ofa_parse_controller;
