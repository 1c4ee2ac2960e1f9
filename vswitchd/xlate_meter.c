/* SPDX-License-Identifier: Apache-2.0 */

/* Meters: a frame that is too much misses what is left of the region it is in: a clone, a bucket, another bridge,
 * or all.  Rates are the datapath's business, as every frame of a cached flow counts. */

#include "vswitchd/meter_table.h"
#include "vswitchd/xlate_internal.h"

static void emit_meter(struct xlate *x, struct meter *meter, uint64_t n_missed)
{
    xlate_note(x, &(struct xlate_note){.type = NOTE_METER, .meter = meter});
    xlate_emit(x, &(struct dp_action){.type = DP_METER, .arg = meter->number, .value = n_missed});
}

void xlate_meter(struct xlate *x, uint32_t meter_id)
{
    struct meter *meter = meter_table_lookup(x->bridge->meters, meter_id);

    if (!meter) {
        xlate_detail(x, "there is no meter %u", meter_id);
        return;
    }
    x->n_changes++;
    emit_meter(x, meter, XLATE_MISSES_ALL);
}

void xlate_deliver_metered(struct xlate *x, uint32_t index, uint32_t meter_id)
{
    const struct dp_action delivery = {.type = DP_DELIVER, .arg = index};
    struct meter *meter = NULL;

    if (meter_id)
        meter = meter_table_lookup(x->bridge->meters, meter_id);
    if (!meter)
        meter = meter_table_lookup(x->bridge->meters, OF_METER_CONTROLLER);
    if (!meter) {
        xlate_emit(x, &delivery);
        return;
    }
    if (meter->remarks)
        xlate_emit(x, &(struct dp_action){.type = DP_SAVE});
    emit_meter(x, meter, 1);
    xlate_emit(x, &delivery);
    if (meter->remarks)
        xlate_emit(x, &(struct dp_action){.type = DP_RESTORE});
}
