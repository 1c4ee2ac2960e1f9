/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* capture - the TCP segments in what tcpdump and wireshark have captured (PCAP).
 *
 * Frames are of Ethernet, with tags or without, of "any" device (Linux cooked, 1 and 2) or bare IP; segments of IPv4 and
 * IPv6.  Everything else, fragments among it, is passed over.
 *
 * Threads  Any.
 * Memory   Borrows the bytes it reads. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"
#include "lib/openflow/wire.h"

struct endpoint {
    uint8_t address[16]; /* IPv4 in its first bytes. */
    uint16_t port;
    bool is_ipv6;
};

/* Who says it to whom: without padding, to be compared as bytes. */
struct conversation {
    struct endpoint from, to;
};

struct segment {
    struct conversation conversation;
    uint32_t sequence;
    bool is_syn;
    const uint8_t *data;
    size_t n_bytes;
    int64_t time_ns; /* Since 1970. */
};

struct capture {
    struct wire wire;
    uint32_t link_type;
    bool is_little_endian, has_ns;
    bool is_cut; /* The last packet is not there whole. */
};

/* -EPROTO: this is no capture, or one of frames of another kind. */
int capture_init(struct capture *capture, const void *data, size_t n_bytes, struct error *error);
bool capture_next(struct capture *capture, struct segment *segment);
