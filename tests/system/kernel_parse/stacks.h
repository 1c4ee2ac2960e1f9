/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* stacks - header stacks, one after another: every combination of link layer, tags, network and transport
 * headers that the parser tells apart, and some that it must not fall for. */

#include <stddef.h>
#include <stdint.h>

enum { STACK_MAX_BYTES = 512 };

/* How many there are. */
unsigned int stacks_count(void);

/* Writes number 'index' with true lengths and some payload, and returns its size. */
size_t stacks_make(unsigned int index, uint8_t frame[static STACK_MAX_BYTES]);
