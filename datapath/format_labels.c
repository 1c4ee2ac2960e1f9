/* SPDX-License-Identifier: Apache-2.0 */

#include "datapath/format_labels.h"

#include <stdbool.h>
#include <string.h>

enum { BOTTOM = 1 << 8 };

static void put_label(struct buffer *out, uint32_t lse, uint32_t mask, bool has_masks)
{
    if (has_masks)
        buffer_printf(out, "label=%u/0x%x,tc=%u/%x,ttl=%u/0x%x,bos=%u/%x", lse >> 12, mask >> 12,
                      lse >> 9 & 7, mask >> 9 & 7, lse & 0xff, mask & 0xff, lse >> 8 & 1,
                      mask >> 8 & 1);
    else
        buffer_printf(out, "label=%u,tc=%u,ttl=%u,bos=%u", lse >> 12, lse >> 9 & 7, lse & 0xff,
                      lse >> 8 & 1);
}

/* How many labels there is something to tell of: none is behind the last one. */
static int count_told(const struct flow_key *key, const struct flow_key *mask)
{
    int n = 0;

    for (int i = 0; i < FLOW_N_MPLS; i++) {
        uint32_t bits = be32_host(mask->mpls_lse[i]);

        if (bits)
            n = i + 1;
        if (bits & be32_host(key->mpls_lse[i]) & BOTTOM)
            break;
    }
    return n;
}

void format_labels(struct buffer *out, const struct flow_key *key, const struct flow_key *mask)
{
    int n = count_told(key, mask);
    bool has_masks = false;

    for (int i = 0; i < n; i++)
        has_masks |= be32_host(mask->mpls_lse[i]) != UINT32_MAX;
    for (int i = 0; i < n; i++) {
        uint32_t bits = be32_host(mask->mpls_lse[i]);

        if (i)
            buffer_putc(out, ',');
        put_label(out, be32_host(key->mpls_lse[i]) & bits, bits, has_masks);
    }
}

void known_labels_init(struct known_labels *labels, const struct flow_key *key,
                       const struct flow_key *mask)
{
    memset(labels, 0, sizeof *labels);
    for (int i = 0; key && mask && i < FLOW_N_MPLS; i++) {
        labels->known[i] = be32_host(mask->mpls_lse[i]);
        labels->lse[i] = be32_host(key->mpls_lse[i]) & labels->known[i];
    }
}

void known_labels_push(struct known_labels *labels, uint32_t lse)
{
    memmove(labels->lse + 1, labels->lse, sizeof labels->lse - sizeof labels->lse[0]);
    memmove(labels->known + 1, labels->known, sizeof labels->known - sizeof labels->known[0]);
    labels->lse[0] = lse;
    labels->known[0] = UINT32_MAX;
}

void known_labels_pop(struct known_labels *labels)
{
    memmove(labels->lse, labels->lse + 1, sizeof labels->lse - sizeof labels->lse[0]);
    memmove(labels->known, labels->known + 1, sizeof labels->known - sizeof labels->known[0]);
    labels->lse[FLOW_N_MPLS - 1] = labels->known[FLOW_N_MPLS - 1] = 0;
}

void known_labels_set(struct known_labels *labels, uint32_t value, uint32_t mask)
{
    labels->lse[0] = (labels->lse[0] & ~mask) | (value & mask);
    labels->known[0] |= mask;
}

void format_label_set(struct buffer *out, struct known_labels *labels, uint32_t value,
                      uint32_t mask)
{
    static const uint32_t parts[] = {UINT32_C(0xfffff) << 12, 7 << 9, BOTTOM, UINT8_MAX};
    uint32_t told = 0; /* Of the parts that change, all that is known. */

    known_labels_set(labels, value, mask);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        told |= mask & parts[i] ? labels->known[0] & parts[i] : 0;
    if (labels->known[0] == UINT32_MAX)
        put_label(out, labels->lse[0], UINT32_MAX, false);
    else
        put_label(out, labels->lse[0] & told, told, true);
}
