/* SPDX-License-Identifier: Apache-2.0 */

/* What the programs read is compared with the verdict compiled once more. */

#include <string.h>

#include "datapath/kcache_compile.h"
#include "datapath/kcache_internal.h"

/* A port that the kernel cannot send to any more is no change of the verdict: its frames come up. */
static bool is_any_port(uint32_t port_no, void *arg)
{
    (void)port_no;
    (void)arg;
    return true;
}

static bool has_action_locked(struct kcache *cache, uint32_t action,
                              const struct kcache_verdict *verdict, const struct kc_key *key)
    REQUIRES(cache->lock)
{
    if (verdict->plain && !kcache_verdict_has_checks(verdict, key))
        return action == verdict->plain;
    return action >= KC_FIRST_PROGRAM && action <= KC_MAX_ACTION &&
           !memcmp(kcache_programs_look(cache->programs, action), &verdict->program,
                   KC_PROGRAM_SAID_BYTES);
}

static bool has_slots(const struct kc_entry *entry, const struct megaflow *flow)
{
    if (kc_first_slot(entry->verdict) != flow->slots[0])
        return false;
    for (unsigned int i = 1; i < DP_SLOTS_PER_VERDICT; i++) {
        uint64_t slot = entry->slots >> (i - 1) * KC_SLOT_BITS;

        if ((slot & (KC_N_SLOTS - 1)) != flow->slots[i])
            return false;
    }
    return true;
}

bool kcache_is_faithful_locked(struct kcache *cache, const struct kcache_place *place)
{
    const struct megaflow *flow = place->flow;
    const struct kcache_means means = {.is_reachable = is_any_port, .meters = cache->dp->meters};
    struct kcache_verdict verdict;
    struct kc_key key;

    if (!megaflow_is_live(flow))
        return true; /* Its mask may be gone. */
    kcache_table_get_key(place, &key);
    return flow_mask_is_within(megaflow_mask(flow), kc_key_bits(kc_key_kind(&key))) &&
           kcache_compile(flow, &means, &verdict) == 0 && kcache_verdict_suits(&verdict, &key) &&
           has_slots(place->entry, flow) &&
           has_action_locked(cache, kc_action(place->entry->verdict), &verdict, &key);
}
