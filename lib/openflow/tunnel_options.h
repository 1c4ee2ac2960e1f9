/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* tunnel_options - where in struct flow the fields tun_metadata0 to tun_metadata63 stand.
 *
 * Which option of tunnels is which field is each bridge's own business (tlv_table.h); that a field has a
 * place of so many bytes is the same for all bridges, so that a field can be read without knowing one.
 * Fields have at most 16 bytes, all of them together FLOW_TUN_OPTION_BYTES.
 *
 * A client knows no table: there, a field gets its place when it is first named.
 *
 * Threads  Changes on one thread, while no flow has the field; questions on any. */

#include <stdbool.h>
#include <stdint.h>

enum { TUNNEL_N_OPTIONS = 64, TUNNEL_OPTION_MAX_BYTES = 16 };

/* From now on only fields that were taken have a place. */
void tunnel_options_need_table(void);

/* One more user of the field; false: no room, or it is too short for this one. */
bool tunnel_option_take(unsigned index, uint8_t n_bytes);
void tunnel_option_put(unsigned index);

bool tunnel_option_has_place(unsigned index); /* A client's gets one, if there is room. */

struct tunnel_option_place {
    uint8_t offset;  /* In struct flow's tun_options. */
    uint8_t n_bytes; /* 0: it has none. */
};
struct tunnel_option_place tunnel_option_place(unsigned index);
