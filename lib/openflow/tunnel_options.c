/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/openflow/tunnel_options.h"

#include <stdatomic.h>

#include "lib/flow.h"

/* Length and offset in one, so that readers see both or neither. */
static _Atomic(uint16_t) places[TUNNEL_N_OPTIONS];
static unsigned n_users[TUNNEL_N_OPTIONS];
static bool needs_table;

void tunnel_options_need_table(void)
{
    needs_table = true;
}

struct tunnel_option_place tunnel_option_place(unsigned index)
{
    uint16_t place = atomic_load_explicit(&places[index], memory_order_relaxed);

    return (struct tunnel_option_place){.offset = (uint8_t)place, .n_bytes = place >> 8};
}

static bool is_free(unsigned offset, unsigned n_bytes)
{
    for (unsigned i = 0; i < TUNNEL_N_OPTIONS; i++) {
        struct tunnel_option_place place = tunnel_option_place(i);

        if (place.offset < offset + n_bytes && offset < place.offset + (unsigned)place.n_bytes)
            return false;
    }
    return true;
}

static bool find_place(unsigned index, uint8_t n_bytes)
{
    for (unsigned offset = 0; offset + n_bytes <= FLOW_TUN_OPTION_BYTES; offset += 4) {
        if (is_free(offset, n_bytes)) {
            atomic_store_explicit(&places[index], (uint16_t)(n_bytes << 8 | offset),
                                  memory_order_relaxed);
            return true;
        }
    }
    return false;
}

bool tunnel_option_take(unsigned index, uint8_t n_bytes)
{
    if (n_bytes > TUNNEL_OPTION_MAX_BYTES)
        return false;
    if (n_users[index] ? tunnel_option_place(index).n_bytes < n_bytes : !find_place(index, n_bytes))
        return false;
    n_users[index]++;
    return true;
}

void tunnel_option_put(unsigned index)
{
    if (!--n_users[index])
        atomic_store_explicit(&places[index], 0, memory_order_relaxed);
}

bool tunnel_option_has_place(unsigned index)
{
    return tunnel_option_place(index).n_bytes ||
           (!needs_table && tunnel_option_take(index, TUNNEL_OPTION_MAX_BYTES));
}
