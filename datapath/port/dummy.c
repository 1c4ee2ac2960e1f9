/* SPDX-License-Identifier: Apache-2.0 */

/* Sending is a call of the hook, with the frame as it is at that moment. */

#include "datapath/port/port.h"

static const char *dummy_path(const struct dp_port *port)
{
    (void)port;
    return "dummy";
}

static void dummy_send(struct lane *lane, struct dp_port *port, struct tx_frame *frame)
{
    struct datapath *dp = lane->dp;

    if (dp->dummy_tx)
        dp->dummy_tx(dp->dummy_tx_arg, port->port_no, frame->packet);
    tx_count_sent(lane, port, frame->packet->size);
}

static void dummy_close(struct dp_port *port)
{
    (void)port;
}

int port_dummy_open(struct dp_port *port, const struct dp_port_config *config, struct error *error)
{
    static const struct port_ops ops = {
        .path = dummy_path,
        .send = dummy_send,
        .close = dummy_close,
    };

    (void)config;
    (void)error;
    port->ops = &ops;
    return 0;
}
