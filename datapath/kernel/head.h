/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#pragma once

/* head - what stands in front of a frame on the exception tap, written by BPF, read by workers.
 *
 *     magic slot zeros type zeros | dst src type ...
 *
 * It has the shape of an Ethernet header, for whoever looks at the device with tcpdump(8).  A VLAN tag
 * that the port's device has taken out of the frame is not in here: it travels beside.
 *
 * A frame without a head has a tag of EXCEPTION_TAG_TPID beside it instead, all 16 bits of which are the
 * slot; a tag that the frame came with is then in its place in the frame.
 *
 * Threads  Plain values. */

#include <linux/types.h>

enum {
    EXCEPTION_HEAD_TYPE = 0x88b5, /* IEEE 802: for local experiments. */
    EXCEPTION_TAG_TPID = 0x88a8,
};

struct exception_head {
    __u8 magic[6]; /* As a MAC address: locally administered, not multicast. */
    __u8 slot[2];  /* Big-endian. */
    __u8 zeros1[4];
    __u8 type[2];
    __u8 zeros2[2];
};

#define EXCEPTION_HEAD_MAGIC           \
    {                                  \
        0x02, 'w', 'e', 'i', 'r', 0x01 \
    }

static inline __attribute__((always_inline)) void exception_head_fill(struct exception_head *head,
                                                                      __u16 slot)
{
    const struct exception_head filled = {
        .magic = EXCEPTION_HEAD_MAGIC,
        .slot = {(__u8)(slot >> 8), (__u8)slot},
        .type = {EXCEPTION_HEAD_TYPE >> 8, EXCEPTION_HEAD_TYPE & 0xff},
    };

    *head = filled;
}
