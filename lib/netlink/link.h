/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* link - network devices of the kernel: look at one, configure one.
 *
 * Each call is one exchange with the kernel on a socket of its own, in the network namespace of the
 * calling thread.  To be told of changes, see link_watch.h.
 *
 * Errors   -ENODEV for a name that does not exist, else the kernel's errno, with a sentence that
 *          names the device.
 * Threads  Any. */

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"
#include "lib/mac.h"

struct link_info {
    int ifindex;
    char name[IFNAMSIZ];
    char kind[IFNAMSIZ]; /* "veth", "tun", "vxlan" ...; "" for hardware. */
    unsigned int flags;  /* IFF_*: IFF_UP is "administratively up". */
    bool has_carrier;    /* Operationally up: frames can pass. */
    struct mac mac;
    int mtu;
    int master_ifindex; /* Of the bridge or bond that holds it; 0: none. */
};

struct link_driver {
    char name[32]; /* "" if unknown, likewise the others. */
    char version[32];
    char firmware[32];
    char bus[32];
    uint32_t speed_mbps; /* 0: unknown. */
    bool is_full_duplex;
    bool is_copper, is_fiber, is_negotiated;
    uint32_t supported, advertised; /* The first 32 of enum ethtool_link_mode_bit_indices. */
};

struct link_stats {
    uint64_t rx_packets, rx_bytes, rx_errors, rx_dropped;
    uint64_t tx_packets, tx_bytes, tx_errors, tx_dropped;
    uint64_t multicast, collisions;
    uint64_t rx_over_errors, rx_crc_errors, rx_frame_errors, rx_fifo_errors, rx_missed_errors;
};

int link_get(const char *name, struct link_info *info, struct error *error);
int link_get_by_index(int ifindex, struct link_info *info, struct error *error);
int link_get_stats(const char *name, struct link_stats *stats, struct error *error);
int link_get_driver(const char *name, struct link_driver *driver, struct error *error);

int link_set_up(const char *name, struct error *error);
int link_set_down(const char *name, struct error *error);
int link_set_mtu(const char *name, int mtu, struct error *error);
int link_set_mac(const char *name, struct mac mac, struct error *error);
int link_set_txqlen(const char *name, unsigned int n_frames, struct error *error);

/* Text that is kept with the device, by which we know ours again. */
int link_set_alias(const char *name, const char *alias, struct error *error);
int link_get_alias(const char *name, char *alias, size_t n_bytes, struct error *error);

/* Has it a carrier, be it up or down?  A tap has one while some process has it open. */
bool link_is_plugged(const char *name);

/* Takes all frames, whatever their destination, from now on; who comes later sees that in 'flags' (IFF_PROMISC). */
int link_set_promiscuous(const char *name, bool is_promiscuous, struct error *error);

/* No ARP, no IPv6 link-local address: a device that carries frames for us and speaks for nobody. */
int link_set_silent(const char *name, struct error *error);

int link_rename(const char *name, const char *new_name,
                struct error *error); /* And takes it down. */

int link_delete(const char *name, struct error *error);
