/* SPDX-License-Identifier: Apache-2.0 */

/* Ports and queues. */

#include <inttypes.h>
#include <stdlib.h>

#include "lib/annotations.h"
#include "lib/openflow/match_codec.h"
#include "lib/openflow/message_text_internal.h"
#include "lib/openflow/text.h"

/* --- Bits ---------------------------------------------------------------------------------- */

struct bit_name {
    uint32_t bit;
    const char *name;
    uint32_t speed_mbps;
};

static const struct bit_name config_names[] = {
    {OFPPC_PORT_DOWN, "PORT_DOWN", 0},       {OFPPC_NO_STP, "NO_STP", 0},
    {OFPPC_NO_RECV, "NO_RECV", 0},           {OFPPC_NO_RECV_STP, "NO_RECV_STP", 0},
    {OFPPC_NO_FLOOD, "NO_FLOOD", 0},         {OFPPC_NO_FWD, "NO_FWD", 0},
    {OFPPC_NO_PACKET_IN, "NO_PACKET_IN", 0},
};

static const struct bit_name state_names[] = {
    {OFPPS_LINK_DOWN, "LINK_DOWN", 0}, {OFPPS_BLOCKED, "BLOCKED", 0}, {OFPPS_LIVE, "LIVE", 0}};

static const struct bit_name feature_names[] = {
    {OFPPF_10MB_HD, "10MB-HD", 10},
    {OFPPF_10MB_FD, "10MB-FD", 10},
    {OFPPF_100MB_HD, "100MB-HD", 100},
    {OFPPF_100MB_FD, "100MB-FD", 100},
    {OFPPF_1GB_HD, "1GB-HD", 1000},
    {OFPPF_1GB_FD, "1GB-FD", 1000},
    {OFPPF_10GB_FD, "10GB-FD", 10000},
    {OFPPF_40GB_FD, "40GB-FD", 40000},
    {OFPPF_100GB_FD, "100GB-FD", 100000},
    {OFPPF_1TB_FD, "1TB-FD", 1000000},
    {OFPPF_OTHER, "OTHER", 0},
    {OFPPF_COPPER, "COPPER", 0},
    {OFPPF_FIBER, "FIBER", 0},
    {OFPPF_AUTONEG, "AUTO_NEG", 0},
    {OFPPF_PAUSE, "AUTO_PAUSE", 0},
    {OFPPF_PAUSE_ASYM, "AUTO_PAUSE_ASYM", 0},
};

static void put_bits(uint32_t bits, const struct bit_name *names, size_t n, struct buffer *out)
{
    const char *separator = "";

    if (!bits)
        buffer_putc(out, '0');
    for (size_t i = 0; i < n; i++) {
        if (!(bits & names[i].bit))
            continue;
        buffer_printf(out, "%s%s", separator, names[i].name);
        separator = " ";
        bits &= ~names[i].bit;
    }
    if (bits)
        buffer_printf(out, "%s%#x", separator, bits);
}

void of_port_config_format(uint32_t config, struct buffer *out)
{
    put_bits(config, config_names, ARRAY_SIZE(config_names), out);
}

void of_port_state_format(uint32_t state, struct buffer *out)
{
    put_bits(state, state_names, ARRAY_SIZE(state_names), out);
}

void of_port_features_format(uint32_t features, struct buffer *out)
{
    put_bits(features, feature_names, ARRAY_SIZE(feature_names), out);
}

uint32_t of_port_speed_mbps(uint32_t features)
{
    uint32_t highest = 0;

    for (size_t i = 0; i < ARRAY_SIZE(feature_names); i++)
        if (features & feature_names[i].bit && feature_names[i].speed_mbps > highest)
            highest = feature_names[i].speed_mbps;
    return highest;
}

/* --- Descriptions -------------------------------------------------------------------------- */

static void put_features(const char *title, uint32_t features, struct buffer *out)
{
    if (!features)
        return;
    buffer_printf(out, "     %-12s", title);
    of_port_features_format(features, out);
    buffer_putc(out, '\n');
}

void of_port_info_format(const struct of_port_info *info, enum of_version version,
                         struct buffer *out)
{
    bool has_speeds = version >= OF_1_1;

    buffer_putc(out, ' ');
    of_port_format(info->port, NULL, out);
    buffer_printf(out, "(%s): addr:" MAC_FORMAT "\n     config:     ", info->name,
                  MAC_ARGS(info->mac));
    of_port_config_format(info->config, out);
    buffer_puts(out, "\n     state:      ");
    of_port_state_format(info->state, out);
    buffer_putc(out, '\n');
    put_features("current:", info->current, out);
    put_features("advertised:", info->advertised, out);
    put_features("supported:", info->supported, out);
    put_features("peer:", info->peer, out);
    buffer_printf(out, "     speed: %u Mbps now, %u Mbps max\n",
                  has_speeds ? info->current_speed_kbps / 1000 : of_port_speed_mbps(info->current),
                  has_speeds ? info->max_speed_kbps / 1000 : of_port_speed_mbps(info->supported));
}

static int compare_ports(const void *a, const void *b)
{
    const struct of_port_info *left = a, *right = b;

    return left->port < right->port ? -1 : left->port > right->port;
}

void message_print_port_list(struct wire wire, enum of_version version, struct buffer *out)
{
    struct buffer ports = BUFFER_INIT;
    struct of_port_info info;

    while (of_decode_port_info(&wire, version, &info))
        buffer_put(&ports, &info, sizeof info);
    struct of_port_info *all = (struct of_port_info *)(void *)ports.data;
    size_t n = ports.size / sizeof info;
    if (n)
        qsort(all, n, sizeof info, compare_ports);
    for (size_t i = 0; i < n; i++)
        of_port_info_format(&all[i], version, out);
    buffer_fini(&ports);
}

static enum of_error print_ports(struct message_printer *printer)
{
    struct of_items items;

    of_items_init(&items, printer->message);
    buffer_putc(printer->out, '\n');
    message_print_port_list(items.wire, items.version, printer->out);
    return OF_OK;
}

static enum of_error print_port_status(struct message_printer *printer)
{
    static const char *const reasons[] = {"ADD", "DEL", "MOD"};
    struct of_port_info info;
    uint8_t reason;
    enum of_error error = of_decode_port_status(printer->message, &reason, &info);

    if (error)
        return error;
    buffer_printf(printer->out, " %s:", reasons[reason]);
    of_port_info_format(&info, printer->message->version, printer->out);
    return OF_OK;
}

static enum of_error print_port_mod(struct message_printer *printer)
{
    struct buffer *out = printer->out;
    struct of_port_mod mod;
    enum of_error error = of_decode_port_mod(printer->message, &mod);

    if (error)
        return error;
    buffer_puts(out, " port: ");
    of_port_format(mod.port, printer->names, out);
    buffer_printf(out, ": addr:" MAC_FORMAT "\n     config: ", MAC_ARGS(mod.mac));
    of_port_config_format(mod.config, out);
    buffer_puts(out, "\n     mask:   ");
    of_port_config_format(mod.mask, out);
    buffer_puts(out, "\n     advertise: ");
    if (mod.advertise)
        of_port_features_format(mod.advertise, out);
    else
        buffer_puts(out, "UNCHANGED");
    buffer_putc(out, '\n');
    return OF_OK;
}

/* --- Counters ------------------------------------------------------------------------------ */

static void put_counter(const char *name, uint64_t value, const char *end, struct buffer *out)
{
    if (value == UINT64_MAX)
        buffer_printf(out, "%s=?%s", name, end);
    else
        buffer_printf(out, "%s=%" PRIu64 "%s", name, value, end);
}

void of_port_stats_format(const struct of_port_stats *stats, enum of_version version,
                          const struct of_names *names, struct buffer *out)
{
    struct buffer port = BUFFER_INIT;

    of_port_format(stats->port, names, &port);
    buffer_printf(out, "  port %2s: ", buffer_text(&port));
    buffer_fini(&port);
    put_counter("rx pkts", stats->rx_packets, ", ", out);
    put_counter("bytes", stats->rx_bytes, ", ", out);
    put_counter("drop", stats->rx_dropped, ", ", out);
    put_counter("errs", stats->rx_errors, ", ", out);
    put_counter("frame", stats->rx_frame_errors, ", ", out);
    put_counter("over", stats->rx_over_errors, ", ", out);
    put_counter("crc", stats->rx_crc_errors, "\n           ", out);
    put_counter("tx pkts", stats->tx_packets, ", ", out);
    put_counter("bytes", stats->tx_bytes, ", ", out);
    put_counter("drop", stats->tx_dropped, ", ", out);
    put_counter("errs", stats->tx_errors, ", ", out);
    put_counter("coll", stats->collisions, "\n", out);
    if (version < OF_1_3)
        return;
    buffer_puts(out, "           duration=");
    text_format_duration(stats->duration_s, stats->duration_ns, out);
    buffer_putc(out, '\n');
}

static enum of_error print_port_stats(struct message_printer *printer)
{
    struct buffer text = BUFFER_INIT;
    struct of_port_stats stats;
    struct of_items items;
    size_t n = 0;

    of_items_init(&items, printer->message);
    for (; of_next_port_stats(&items, &stats); n++)
        of_port_stats_format(&stats, printer->message->version, printer->names, &text);
    buffer_printf(printer->out, " %zu ports\n", n);
    buffer_put(printer->out, text.data, text.size);
    buffer_fini(&text);
    return message_print_end(&items);
}

static void put_port(const char *title, of_port port, const struct of_names *names,
                     struct buffer *out)
{
    buffer_puts(out, title);
    if (port == OFPP_NONE)
        buffer_puts(out, "ANY");
    else
        of_port_format(port, names, out);
}

static enum of_error print_port_stats_request(struct message_printer *printer)
{
    of_port port;
    enum of_error error = of_decode_port_stats_request(printer->message, &port);

    if (!error)
        put_port(" port_no=", port, printer->names, printer->out);
    return error;
}

static enum of_error print_port_desc_request(struct message_printer *printer)
{
    of_port port;
    enum of_error error = of_decode_port_desc_request(printer->message, &port);

    if (!error)
        put_port(" port=", port, printer->names, printer->out);
    return error;
}

/* --- Queues -------------------------------------------------------------------------------- */

static enum of_error print_queue_request(struct message_printer *printer)
{
    bool is_config = printer->message->kind == OF_QUEUE_CONFIG_REQUEST;
    struct of_queue_request request;
    enum of_error error = of_decode_queue_request(printer->message, &request);

    if (error)
        return error;
    put_port(" port=", request.port, printer->names, printer->out);
    if (request.queue_id != (uint32_t)OF_QUEUE_ALL)
        buffer_printf(printer->out, " queue=%u", request.queue_id);
    else if (!is_config)
        buffer_puts(printer->out, " queue=ALL");
    return OF_OK;
}

void of_queue_stats_format(const struct of_queue_stats *stats, const struct of_names *names,
                           struct buffer *out)
{
    buffer_puts(out, "  port ");
    of_port_format(stats->port, names, out);
    buffer_printf(out, " queue %u: ", stats->queue_id);
    put_counter("bytes", stats->tx_bytes, ", ", out);
    put_counter("pkts", stats->tx_packets, ", ", out);
    put_counter("errors", stats->tx_errors, ", ", out);
    buffer_puts(out, "duration=");
    if (stats->duration_s == UINT32_MAX)
        buffer_putc(out, '?');
    else
        text_format_duration(stats->duration_s, stats->duration_ns, out);
    buffer_putc(out, '\n');
}

static enum of_error print_queue_stats(struct message_printer *printer)
{
    struct buffer text = BUFFER_INIT;
    struct of_queue_stats stats;
    struct of_items items;
    size_t n = 0;

    of_items_init(&items, printer->message);
    for (; of_next_queue_stats(&items, &stats); n++)
        of_queue_stats_format(&stats, printer->names, &text);
    buffer_printf(printer->out, " %zu queues\n", n);
    buffer_put(printer->out, text.data, text.size);
    buffer_fini(&text);
    return message_print_end(&items);
}

static void put_rate(const char *name, uint16_t rate, struct buffer *out)
{
    if (rate <= 1000) /* More is no limit. */
        buffer_printf(out, " %s:%u.%u%%", name, rate / 10, rate % 10);
}

/* Before 1.4 one that all queues have in common, perhaps "any". */
static of_port port_asked_for(const struct of_message *message, of_port port)
{
    if (message->version == OF_1_2 || message->version == OF_1_3)
        of_port_from_wire32(wire_u32(message->body), &port);
    return port;
}

static enum of_error print_queue_config(struct message_printer *printer)
{
    struct of_queue_config config;
    struct of_items items;
    of_port last = OFPP_UNSET;

    of_items_init_queue_config(&items, printer->message);
    while (of_next_queue_config(&items, &config)) {
        of_port asked = port_asked_for(printer->message, config.port);

        if (config.port != last && (asked == config.port || last == OFPP_UNSET)) {
            put_port(last == OFPP_UNSET ? " port=" : "port=", asked, printer->names, printer->out);
            buffer_putc(printer->out, '\n');
            last = config.port;
        }
        buffer_printf(printer->out, "queue %u:", config.queue_id);
        put_rate("min_rate", config.min_rate, printer->out);
        put_rate("max_rate", config.max_rate, printer->out);
        buffer_putc(printer->out, '\n');
    }
    return message_print_end(&items);
}

const struct message_print message_prints_ports[] = {
    {OF_PORT_STATUS, print_port_status},
    {OF_PORT_MOD, print_port_mod},
    {OF_PORT_STATS_REQUEST, print_port_stats_request},
    {OF_PORT_STATS_REPLY, print_port_stats},
    {OF_PORT_DESC_REQUEST, print_port_desc_request},
    {OF_PORT_DESC_REPLY, print_ports},
    {OF_QUEUE_STATS_REQUEST, print_queue_request},
    {OF_QUEUE_STATS_REPLY, print_queue_stats},
    {OF_QUEUE_CONFIG_REQUEST, print_queue_request},
    {OF_QUEUE_CONFIG_REPLY, print_queue_config},
};
const size_t message_n_prints_ports = ARRAY_SIZE(message_prints_ports);
