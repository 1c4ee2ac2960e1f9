/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* packet_socket - AF_PACKET with virtio headers (packet(7)): how frames get to any netdev, and, where BPF is not
 * permitted, from one.
 *
 * Threads  Opened on the main thread; a reader belongs to one worker. */

#include "datapath/internal.h"
#include "datapath/worker.h"

/* A socket that sends to any device and receives nothing. */
int packet_socket_open_sender(struct error *error);

/* A socket that receives what comes in by 'ifindex', tags included, and nothing that goes out. */
int packet_socket_open_reader(int ifindex, struct error *error);

/* Device 'ifindex' takes all frames, whatever their destination, until it is undone or 'fd' is closed. */
int packet_socket_set_promiscuous(int fd, int ifindex, bool is_promiscuous);

/* rx_source.receive for readers. */
bool packet_socket_receive(struct rx_source *source, struct lane *lane);
