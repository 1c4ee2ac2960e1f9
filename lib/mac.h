/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* mac - IEEE 802 MAC addresses, as they stand in a frame. */

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct mac {
    uint8_t bytes[6];
};

#define MAC_FORMAT "%02x:%02x:%02x:%02x:%02x:%02x"
#define MAC_ARGS(mac) \
    (mac).bytes[0], (mac).bytes[1], (mac).bytes[2], (mac).bytes[3], (mac).bytes[4], (mac).bytes[5]

static inline bool mac_is_equal(struct mac a, struct mac b)
{
    return !memcmp(&a, &b, sizeof a);
}

static inline bool mac_is_zero(struct mac mac)
{
    return mac_is_equal(mac, (struct mac){{0}});
}

/* Broadcast counts as multicast: the group bit (IEEE 802-2014, section 8.2.2) is set. */
static inline bool mac_is_multicast(struct mac mac)
{
    return mac.bytes[0] & 1;
}

static inline bool mac_is_broadcast(struct mac mac)
{
    return mac_is_equal(mac, (struct mac){{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}});
}

/* 802.1Q, table 8-1: 01:80:c2:00:00:0X never crosses a bridge. */
static inline bool mac_is_reserved(struct mac mac)
{
    static const uint8_t prefix[5] = {0x01, 0x80, 0xc2, 0x00, 0x00};

    return !memcmp(mac.bytes, prefix, sizeof prefix) && (mac.bytes[5] & 0xf0) == 0;
}

static inline uint64_t mac_to_u64(struct mac mac)
{
    uint64_t value = 0;

    for (int i = 0; i < 6; i++)
        value = value << 8 | mac.bytes[i];
    return value;
}

static inline struct mac mac_from_u64(uint64_t value)
{
    struct mac mac;

    for (int i = 5; i >= 0; i--, value >>= 8)
        mac.bytes[i] = (uint8_t)value;
    return mac;
}

/* Reads "01:23:45:67:89:ab", two digits each, and nothing behind it. */
bool mac_parse(const char *text, struct mac *mac);
