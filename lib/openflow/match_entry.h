/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* match_entry - numbers that match_codec.c reads and match_encode.c writes. */

enum { HAS_MASK = 1 << 8, LENGTH_MASK = 0xff };

/* NXM_NX_COOKIE: no field of a frame, but it may stand among those. */
#define COOKIE_HEADER (UINT32_C(0x0001) << 16 | 30 << 9 | 8)

enum { OFPMT_STANDARD = 0, OFPMT_OXM = 1 };
