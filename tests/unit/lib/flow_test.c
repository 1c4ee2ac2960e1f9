/* SPDX-License-Identifier: Apache-2.0 */

/* Frames in hex beside the keys they must give, the fields that are not zero as text; then every
 * truncation of every frame against the rules that hold for all keys. */

#include <arpa/inet.h>
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/packet.h"

#define ETH        "020000000001 020000000002 "
#define ETH_TEXT   "dst=02:00:00:00:00:01 src=02:00:00:00:00:02 "
#define IP_ADDRS   "0a000001 0a000002 "
#define IP_TEXT    "nw_src=10.0.0.1 nw_dst=10.0.0.2 "
#define IP6_ADDRS  "fe80000000000000 0000000000000001 fe80000000000000 0000000000000002 "
#define IP6_TEXT   "ipv6_src=fe80::1 ipv6_dst=fe80::2 "
#define TCP_HEADER "04d2 0050 00000000 00000000 5012 ffff 0000 0000 "
#define TARGET     "fe80000000000000 0000000000000009 "

struct frame_case {
    const char *name;
    const char *frame;
    const char *want;
    int l3_offset, l4_offset, l4_bytes; /* 0: none. */
};

static const struct frame_case cases[] = {
    {"runt", "020000000001 020000000002 08", "", 0, 0, 0},
    {"unknown type", ETH "88b5 0102", ETH_TEXT "type=88b5", 0, 0, 0},
    {"802.2", ETH "0003 424203", ETH_TEXT "type=05ff", 0, 0, 0},
    {"802.2 at the upper end of lengths", ETH "05ff 424203 0000000000", ETH_TEXT "type=05ff", 0, 0,
     0},
    {"SNAP", ETH "0020 aaaa03 000000 88b5", ETH_TEXT "type=88b5", 0, 0, 0},
    {"SNAP with a foreign OUI", ETH "0020 aaaa03 00000c 2000", ETH_TEXT "type=05ff", 0, 0, 0},
    {"SNAP with a type that is a length", ETH "0020 aaaa03 000000 05ff", ETH_TEXT "type=05ff", 0, 0,
     0},
    {"SNAP cut short", ETH "0020 aaaa03 000000 08", ETH_TEXT "type=05ff", 0, 0, 0},
    {"SNAP then ARP",
     ETH "0024 aaaa03 000000 0806 0001 0800 06 04 0001 020000000002 0a000001 "
         "000000000000 0a000002",
     ETH_TEXT "type=0806 " IP_TEXT "nw_proto=1 sha=02:00:00:00:00:02", 22, 0, 0},
    {"one tag", ETH "8100 a064 88b5", ETH_TEXT "type=88b5 vlan=8100:b064", 0, 0, 0},
    {"tag of priority 0, VLAN 0", ETH "8100 0000 88b5", ETH_TEXT "type=88b5 vlan=8100:1000", 0, 0,
     0},
    {"two tags", ETH "88a8 0064 8100 00c8 88b5", ETH_TEXT "type=88b5 vlan=88a8:1064 vlan=8100:10c8",
     0, 0, 0},
    {"three tags", ETH "88a8 0064 8100 00c8 8100 0001 0800",
     ETH_TEXT "type=8100 vlan=88a8:1064 vlan=8100:10c8", 0, 0, 0},
    {"tag cut short", ETH "8100 0064 08", ETH_TEXT "type=8100", 0, 0, 0},
    {"second tag cut short", ETH "8100 0064 8100 00", ETH_TEXT "type=8100 vlan=8100:1064", 0, 0, 0},
    {"tag then length", ETH "8100 0064 0003 424203", ETH_TEXT "type=05ff vlan=8100:1064", 0, 0, 0},

    {"MPLS, one label", ETH "8847 000641ff 45", ETH_TEXT "type=8847 mpls=000641ff", 14, 0, 0},
    {"MPLS, three labels", ETH "8847 000640ff 000c80ff 0012c1ff",
     ETH_TEXT "type=8847 mpls=000640ff mpls=000c80ff mpls=0012c1ff", 14, 0, 0},
    {"MPLS, four labels", ETH "8848 000640ff 000c80ff 0012c0ff 000641ff",
     ETH_TEXT "type=8848 mpls=000640ff mpls=000c80ff mpls=0012c0ff", 14, 0, 0},
    {"MPLS cut short", ETH "8847 000640ff 000c80", ETH_TEXT "type=8847 mpls=000640ff", 14, 0, 0},
    {"MPLS without a label", ETH "8847 0006", ETH_TEXT "type=8847", 0, 0, 0},

    {"ARP", ETH "0806 0001 0800 06 04 0002 020000000002 0a000001 020000000001 0a000002",
     ETH_TEXT "type=0806 " IP_TEXT "nw_proto=2 sha=02:00:00:00:00:02 tha=02:00:00:00:00:01", 14, 0,
     0},
    {"RARP", ETH "8035 0001 0800 06 04 0003 020000000002 00000000 020000000002 00000000",
     ETH_TEXT "type=8035 nw_proto=3 sha=02:00:00:00:00:02 tha=02:00:00:00:00:02", 14, 0, 0},
    {"ARP opcode over 255",
     ETH "0806 0001 0800 06 04 0102 020000000002 0a000001 020000000001 0a000002",
     ETH_TEXT "type=0806 " IP_TEXT "sha=02:00:00:00:00:02 tha=02:00:00:00:00:01", 14, 0, 0},
    {"ARP of other hardware",
     ETH "0806 0006 0800 06 04 0002 020000000002 0a000001 020000000001 0a000002",
     ETH_TEXT "type=0806", 0, 0, 0},
    {"ARP of another protocol",
     ETH "0806 0001 86dd 06 04 0002 020000000002 0a000001 020000000001 0a000002",
     ETH_TEXT "type=0806", 0, 0, 0},
    {"ARP with long addresses",
     ETH "0806 0001 0800 08 04 0002 020000000002 0a000001 020000000001 0a000002",
     ETH_TEXT "type=0806", 0, 0, 0},
    {"ARP cut short", ETH "0806 0001 0800 06 04 0002 020000000002 0a000001 020000000001 0a0000",
     ETH_TEXT "type=0806", 0, 0, 0},

    {"IPv4 TCP", ETH "0800 4512 0028 00004000 4006 0000 " IP_ADDRS TCP_HEADER,
     ETH_TEXT "type=0800 " IP_TEXT "tos=12 ttl=64 nw_proto=6 flags=012 tp=1234:80", 14, 34, 20},
    {"IPv4 TCP in a VLAN, padded",
     ETH "8100 0064 0800 4500 0028 00004000 4006 0000 " IP_ADDRS TCP_HEADER "000000000000",
     ETH_TEXT "type=0800 vlan=8100:1064 " IP_TEXT "ttl=64 nw_proto=6 flags=012 tp=1234:80", 18, 38,
     20},
    {"IPv4 with options",
     ETH "0800 4600 001c 00000000 4011 0000 " IP_ADDRS "01010101 0035 1234 0008 0000",
     ETH_TEXT "type=0800 " IP_TEXT "ttl=64 nw_proto=17", 14, 0, 0},
    {"IPv4 with options and room",
     ETH "0800 4600 0020 00000000 4011 0000 " IP_ADDRS "01010101 0035 1234 0008 0000",
     ETH_TEXT "type=0800 " IP_TEXT "ttl=64 nw_proto=17 tp=53:4660", 14, 38, 8},
    {"IPv4 UDP", ETH "0800 4500 001c 00000000 4011 0000 " IP_ADDRS "0035 1234 0008 0000",
     ETH_TEXT "type=0800 " IP_TEXT "ttl=64 nw_proto=17 tp=53:4660", 14, 34, 8},
    {"IPv4 SCTP", ETH "0800 4500 0020 00000000 4084 0000 " IP_ADDRS "0035 1234 00000000 00000000",
     ETH_TEXT "type=0800 " IP_TEXT "ttl=64 nw_proto=132 tp=53:4660", 14, 34, 12},
    {"IPv4 SCTP cut short",
     ETH "0800 4500 001f 00000000 4084 0000 " IP_ADDRS "0035 1234 00000000 000000",
     ETH_TEXT "type=0800 " IP_TEXT "ttl=64 nw_proto=132", 14, 0, 0},
    {"IPv4 ICMP", ETH "0800 4500 001c 00000000 4001 0000 " IP_ADDRS "0801 0000 0000 0000",
     ETH_TEXT "type=0800 " IP_TEXT "ttl=64 nw_proto=1 tp=8:1", 14, 34, 8},
    {"IPv4 ICMPv6 is nothing",
     ETH "0800 4500 001c 00000000 403a 0000 " IP_ADDRS "8700 0000 0000 0000",
     ETH_TEXT "type=0800 " IP_TEXT "ttl=64 nw_proto=58", 14, 34, 8},
    {"IPv4 IGMP", ETH "0800 4500 001c 00000000 0102 0000 " IP_ADDRS "1600 0000 e0000001",
     ETH_TEXT "type=0800 " IP_TEXT "ttl=1 nw_proto=2", 14, 34, 8},
    {"IPv4 protocol 0", ETH "0800 4500 001c 00000000 4000 0000 " IP_ADDRS "0035 1234 0008 0000",
     ETH_TEXT "type=0800 " IP_TEXT "ttl=64", 14, 34, 8},
    {"IPv4 first fragment", ETH "0800 4500 001c 00002000 4011 0000 " IP_ADDRS "0035 1234 0008 0000",
     ETH_TEXT "type=0800 " IP_TEXT "frag=1 ttl=64 nw_proto=17 tp=53:4660", 14, 34, 8},
    {"IPv4 later fragment", ETH "0800 4500 001c 00002001 4011 0000 " IP_ADDRS "0035 1234 0008 0000",
     ETH_TEXT "type=0800 " IP_TEXT "frag=3 ttl=64 nw_proto=17", 14, 0, 0},
    {"IPv4 last fragment", ETH "0800 4500 001c 00000001 4011 0000 " IP_ADDRS "0035 1234 0008 0000",
     ETH_TEXT "type=0800 " IP_TEXT "frag=3 ttl=64 nw_proto=17", 14, 0, 0},
    {"IPv4 length beyond the frame",
     ETH "0800 4500 001d 00000000 4011 0000 " IP_ADDRS "0035 1234 0008 0000", ETH_TEXT "type=0800",
     0, 0, 0},
    {"IPv4 length below the header",
     ETH "0800 4500 0013 00000000 4011 0000 " IP_ADDRS "0035 1234 0008 0000", ETH_TEXT "type=0800",
     0, 0, 0},
    {"IPv4 length 0", ETH "0800 4500 0000 00000000 4011 0000 " IP_ADDRS "0035 1234 0008 0000",
     ETH_TEXT "type=0800", 0, 0, 0},
    {"IPv4 header of 4 words",
     ETH "0800 4400 001c 00000000 4011 0000 " IP_ADDRS "0035 1234 0008 0000", ETH_TEXT "type=0800",
     0, 0, 0},
    {"IPv4 header beyond the length",
     ETH "0800 4f00 001c 00000000 4011 0000 " IP_ADDRS "0035 1234 0008 0000", ETH_TEXT "type=0800",
     0, 0, 0},
    {"IPv4 of version 6", ETH "0800 6500 001c 00000000 4011 0000 " IP_ADDRS "0035 1234 0008 0000",
     ETH_TEXT "type=0800", 0, 0, 0},
    {"IPv4 ports in the padding",
     ETH "0800 4500 0016 00000000 4011 0000 " IP_ADDRS "0035 1234 0008 0000",
     ETH_TEXT "type=0800 " IP_TEXT "ttl=64 nw_proto=17", 14, 0, 0},
    {"IPv4 without payload", ETH "0800 4500 0014 00000000 40ff 0000 " IP_ADDRS,
     ETH_TEXT "type=0800 " IP_TEXT "ttl=64 nw_proto=255", 14, 0, 0},
    {"TCP header cut short", ETH "0800 4500 0027 00004000 4006 0000 " IP_ADDRS TCP_HEADER,
     ETH_TEXT "type=0800 " IP_TEXT "ttl=64 nw_proto=6", 14, 0, 0},
    {"TCP data offset of 4",
     ETH "0800 4500 0028 00004000 4006 0000 " IP_ADDRS
         "04d2 0050 00000000 00000000 4012 ffff 0000 0000",
     ETH_TEXT "type=0800 " IP_TEXT "ttl=64 nw_proto=6", 14, 0, 0},
    {"TCP data offset beyond the packet",
     ETH "0800 4500 0028 00004000 4006 0000 " IP_ADDRS
         "04d2 0050 00000000 00000000 6012 ffff 0000 0000",
     ETH_TEXT "type=0800 " IP_TEXT "ttl=64 nw_proto=6", 14, 0, 0},
    {"TCP reserved bits are flags",
     ETH "0800 4500 0028 00004000 4006 0000 " IP_ADDRS
         "04d2 0050 00000000 00000000 5fff ffff 0000 0000",
     ETH_TEXT "type=0800 " IP_TEXT "ttl=64 nw_proto=6 flags=fff tp=1234:80", 14, 34, 20},

    {"IPv6 TCP", ETH "86dd 6ab12345 0014 06 40 " IP6_ADDRS TCP_HEADER,
     ETH_TEXT "type=86dd " IP6_TEXT "label=12345 tos=ab ttl=64 nw_proto=6 flags=012 tp=1234:80", 14,
     54, 20},
    {"IPv6 of version 4", ETH "86dd 40000000 0014 06 40 " IP6_ADDRS TCP_HEADER,
     ETH_TEXT "type=86dd", 0, 0, 0},
    {"IPv6 length beyond the frame", ETH "86dd 60000000 0015 06 40 " IP6_ADDRS TCP_HEADER,
     ETH_TEXT "type=86dd", 0, 0, 0},
    {"IPv6 length 0", ETH "86dd 60000000 0000 06 40 " IP6_ADDRS TCP_HEADER,
     ETH_TEXT "type=86dd " IP6_TEXT "ttl=64 nw_proto=6", 14, 0, 0},
    {"IPv6 next header 0 as jumbo",
     ETH "86dd 60000000 0000 00 40 " IP6_ADDRS "0600 c204 00010000 " TCP_HEADER,
     ETH_TEXT "type=86dd " IP6_TEXT, 14, 0, 0},
    {"IPv6 hop-by-hop, routing, destination",
     ETH "86dd 60000000 0028 00 40 " IP6_ADDRS
         "2b00 0000 00000000 3c00 0000 00000000 1101 0000 00000000 "
         "0000000000000000 0035 1234 0008 0000",
     ETH_TEXT "type=86dd " IP6_TEXT "ttl=64 nw_proto=17 tp=53:4660", 14, 86, 8},
    {"IPv6 authentication header",
     ETH "86dd 60000000 0014 33 40 " IP6_ADDRS "1101 0000 00000000 00000000 0035 1234 0008 0000",
     ETH_TEXT "type=86dd " IP6_TEXT "ttl=64 nw_proto=17 tp=53:4660", 14, 66, 8},
    {"IPv6 atomic fragment",
     ETH "86dd 60000000 0010 2c 40 " IP6_ADDRS "1100 0000 00000001 0035 1234 0008 0000",
     ETH_TEXT "type=86dd " IP6_TEXT "ttl=64 nw_proto=17 tp=53:4660", 14, 62, 8},
    {"IPv6 first fragment",
     ETH "86dd 60000000 0010 2c 40 " IP6_ADDRS "1100 0001 00000001 0035 1234 0008 0000",
     ETH_TEXT "type=86dd " IP6_TEXT "frag=1 ttl=64 nw_proto=17 tp=53:4660", 14, 62, 8},
    {"IPv6 later fragment",
     ETH "86dd 60000000 0010 2c 40 " IP6_ADDRS "1100 0009 00000001 0035 1234 0008 0000",
     ETH_TEXT "type=86dd " IP6_TEXT "frag=3 ttl=64 nw_proto=44", 14, 0, 0},
    {"IPv6 extension cut short", ETH "86dd 60abcdef 0008 00 40 " IP6_ADDRS "1101 0000 00000000",
     ETH_TEXT "type=86dd " IP6_TEXT, 14, 0, 0},
    {"IPv6 extension of 4 bytes", ETH "86dd 60abcdef 0004 00 40 " IP6_ADDRS "1100 0000",
     ETH_TEXT "type=86dd " IP6_TEXT, 14, 0, 0},
    {"IPv6 protocol 1 has no ICMP", ETH "86dd 60000000 0008 01 40 " IP6_ADDRS "0801 0000 00000000",
     ETH_TEXT "type=86dd " IP6_TEXT "ttl=64 nw_proto=1", 14, 54, 8},
    {"ICMPv6 echo", ETH "86dd 60000000 0008 3a 40 " IP6_ADDRS "8000 0000 00000000",
     ETH_TEXT "type=86dd " IP6_TEXT "ttl=64 nw_proto=58 tp=128:0", 14, 54, 8},
    {"ND solicitation",
     ETH "86dd 60000000 0020 3a ff " IP6_ADDRS "8700 0000 00000005 " TARGET "0101 020000000002",
     ETH_TEXT "type=86dd " IP6_TEXT
              "ttl=255 nw_proto=58 sha=02:00:00:00:00:02 option=1 reserved=00000005 target=fe80::9 "
              "tp=135:0",
     14, 54, 32},
    {"ND advertisement, hop limit 64",
     ETH "86dd 60000000 0028 3a 40 " IP6_ADDRS "8800 0000 e0000000 " TARGET
         "0e01 000000000000 0201 020000000001",
     ETH_TEXT "type=86dd " IP6_TEXT
              "ttl=64 nw_proto=58 tha=02:00:00:00:00:01 option=2 reserved=e0000000 target=fe80::9 "
              "tp=136:0",
     14, 54, 40},
    {"ND without options", ETH "86dd 60000000 0018 3a ff " IP6_ADDRS "8700 0000 00000000 " TARGET,
     ETH_TEXT "type=86dd " IP6_TEXT "ttl=255 nw_proto=58 target=fe80::9 tp=135:0", 14, 54, 24},
    {"ND of code 1", ETH "86dd 60000000 0018 3a ff " IP6_ADDRS "8701 0000 00000005 " TARGET,
     ETH_TEXT "type=86dd " IP6_TEXT "ttl=255 nw_proto=58 tp=135:1", 14, 54, 24},
    {"ND target cut short", ETH "86dd 60000000 0017 3a ff " IP6_ADDRS "8700 0000 00000005 " TARGET,
     ETH_TEXT "type=86dd " IP6_TEXT "ttl=255 nw_proto=58 reserved=00000005 tp=135:0", 14, 54, 23},
    {"ND header only", ETH "86dd 60000000 0008 3a ff " IP6_ADDRS "8800 0000 20000000",
     ETH_TEXT "type=86dd " IP6_TEXT "ttl=255 nw_proto=58 reserved=20000000 tp=136:0", 14, 54, 8},
    {"ND option of length 0",
     ETH "86dd 60000000 0028 3a ff " IP6_ADDRS "8700 0000 00000000 " TARGET
         "0101 020000000002 0100 000000000000",
     ETH_TEXT "type=86dd " IP6_TEXT
              "ttl=255 nw_proto=58 sha=02:00:00:00:00:02 option=1 target=fe80::9 tp=135:0",
     14, 54, 40},
    {"ND option beyond the packet",
     ETH "86dd 60000000 0020 3a ff " IP6_ADDRS "8700 0000 00000000 " TARGET "0102 020000000002",
     ETH_TEXT "type=86dd " IP6_TEXT "ttl=255 nw_proto=58 target=fe80::9 tp=135:0", 14, 54, 32},
    {"ND option of two units, which is no Ethernet address",
     ETH "86dd 60000000 0030 3a ff " IP6_ADDRS "8700 0000 00000000 " TARGET
         "0102 020000000002 0000000000000000 0201 020000000001",
     ETH_TEXT "type=86dd " IP6_TEXT
              "ttl=255 nw_proto=58 tha=02:00:00:00:00:01 option=2 target=fe80::9 tp=135:0",
     14, 54, 48},
    {"ND options of both kinds: the first tells",
     ETH "86dd 60000000 0028 3a ff " IP6_ADDRS "8700 0000 00000000 " TARGET
         "0201 020000000001 0101 020000000002",
     ETH_TEXT "type=86dd " IP6_TEXT
              "ttl=255 nw_proto=58 sha=02:00:00:00:00:02 tha=02:00:00:00:00:01 option=2 "
              "target=fe80::9 tp=135:0",
     14, 54, 40},
    {"ND bytes behind the options",
     ETH "86dd 60000000 0023 3a ff " IP6_ADDRS "8700 0000 00000000 " TARGET
         "0101 020000000002 000000",
     ETH_TEXT "type=86dd " IP6_TEXT
              "ttl=255 nw_proto=58 sha=02:00:00:00:00:02 option=1 target=fe80::9 tp=135:0",
     14, 54, 35},
    {"ND option without an address, then with one",
     ETH "86dd 60000000 0028 3a ff " IP6_ADDRS "8700 0000 00000000 " TARGET
         "0101 000000000000 0101 020000000003",
     ETH_TEXT "type=86dd " IP6_TEXT
              "ttl=255 nw_proto=58 sha=02:00:00:00:00:03 option=1 target=fe80::9 tp=135:0",
     14, 54, 40},
    {"ND option twice",
     ETH "86dd 60000000 0028 3a ff " IP6_ADDRS "8700 0000 00000000 " TARGET
         "0101 020000000002 0101 020000000003",
     ETH_TEXT "type=86dd " IP6_TEXT "ttl=255 nw_proto=58 option=1 tp=135:0", 14, 54, 40},
};

static size_t bytes_of_hex(const char *hex, uint8_t *bytes)
{
    size_t n = 0;

    for (; *hex; hex++) {
        if (!isxdigit((unsigned char)*hex))
            continue;
        char digits[3] = {hex[0], hex[1], '\0'};
        bytes[n++] = (uint8_t)strtoul(digits, NULL, 16);
        hex++;
    }
    return n;
}

/* Parses exactly these bytes, in memory that ends where they end. */
static void parse(const uint8_t *bytes, size_t n_bytes, uint8_t gso_type, struct packet *packet,
                  struct flow_key *key)
{
    uint8_t *copy = malloc(n_bytes ? n_bytes : 1);

    memcpy(copy, bytes, n_bytes);
    *packet = (struct packet){.start = copy, .data = copy, .capacity = (uint32_t)n_bytes};
    packet->size = (uint32_t)n_bytes;
    packet->vnet.gso_type = gso_type;
    memset(key, 0xa5, sizeof *key);
    flow_extract(packet, be32_from(7), key);
    free(copy);
    packet->start = packet->data = NULL;
}

static void put_ipv6(FILE *out, const char *name, const struct ipv6_addr *addr)
{
    char text[INET6_ADDRSTRLEN];

    if (memcmp(addr, &(struct ipv6_addr){{0}}, sizeof *addr))
        fprintf(out, "%s=%s ", name, inet_ntop(AF_INET6, addr, text, sizeof text));
}

static void put_ipv4(FILE *out, const char *name, be32 addr)
{
    char text[INET_ADDRSTRLEN];

    if (addr.raw)
        fprintf(out, "%s=%s ", name, inet_ntop(AF_INET, &addr, text, sizeof text));
}

static void put_mac(FILE *out, const char *name, struct mac mac)
{
    if (!mac_is_zero(mac))
        fprintf(out, "%s=" MAC_FORMAT " ", name, MAC_ARGS(mac));
}

static void put_number(FILE *out, const char *format, uint32_t number)
{
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    if (number)
        fprintf(out, format, number);
#pragma GCC diagnostic pop
}

static char *text_of_key(const struct flow_key *key)
{
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    put_mac(out, "dst", key->eth_dst);
    put_mac(out, "src", key->eth_src);
    put_number(out, "type=%04x ", be16_host(key->eth_type));
    for (int i = 0; i < FLOW_N_VLANS; i++)
        if (key->vlan[i].tpid.raw || key->vlan[i].tci.raw)
            fprintf(out, "vlan=%04x:%04x ", be16_host(key->vlan[i].tpid),
                    be16_host(key->vlan[i].tci));
    put_ipv4(out, "nw_src", key->nw_src);
    put_ipv4(out, "nw_dst", key->nw_dst);
    put_ipv6(out, "ipv6_src", &key->ipv6_src);
    put_ipv6(out, "ipv6_dst", &key->ipv6_dst);
    put_number(out, "label=%05x ", be32_host(key->ipv6_label));
    put_number(out, "frag=%u ", key->nw_frag);
    put_number(out, "tos=%02x ", key->nw_tos);
    put_number(out, "ttl=%u ", key->nw_ttl);
    put_number(out, "nw_proto=%u ", key->nw_proto);
    put_mac(out, "sha", key->arp_sha);
    put_mac(out, "tha", key->arp_tha);
    put_number(out, "flags=%03x ", be16_host(key->tcp_flags));
    put_number(out, "option=%u ", key->nd_options_type);
    put_number(out, "reserved=%08x ", be32_host(key->nd_reserved));
    put_ipv6(out, "target", &key->nd_target);
    if (key->tp_src.raw || key->tp_dst.raw)
        fprintf(out, "tp=%u:%u ", be16_host(key->tp_src), be16_host(key->tp_dst));
    for (int i = 0; i < FLOW_N_MPLS; i++)
        put_number(out, "mpls=%08x ", be32_host(key->mpls_lse[i]));
    fclose(out);

    size = strlen(text);
    if (size && text[size - 1] == ' ')
        text[size - 1] = '\0';
    return text;
}

static void assert_padding_is_zero(const struct flow_key *key)
{
    static const uint8_t zeros[4];

    assert_memory_equal(key->pad1, zeros, sizeof key->pad1);
    assert_memory_equal(key->pad2, zeros, sizeof key->pad2);
    assert_memory_equal(key->pad4, zeros, sizeof key->pad4);
    assert_int_equal(key->recirc_id.raw | key->pkt_mark.raw | key->skb_priority.raw, 0);
    assert_int_equal(be32_host(key->in_port), 7);
}

static void assert_offsets_are_in_frame(const struct packet *packet)
{
    if (packet->l4_offset != PACKET_OFFSET_NONE) {
        assert_int_not_equal(packet->l3_offset, PACKET_OFFSET_NONE);
        assert_true(packet->l4_offset > packet->l3_offset);
        assert_true(packet->l4_offset + packet->l4_bytes <= packet->size);
        assert_true(packet->l4_bytes > 0);
    } else {
        assert_int_equal(packet->l4_bytes, 0);
    }
    if (packet->l3_offset != PACKET_OFFSET_NONE)
        assert_true(packet->l3_offset < packet->size);
}

static int offset_or_none(int offset)
{
    return offset ? offset : PACKET_OFFSET_NONE;
}

static void frames_give_the_keys_beside_them(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct frame_case *c = &cases[i];
        struct packet packet;
        struct flow_key key;
        uint8_t bytes[256];

        parse(bytes, bytes_of_hex(c->frame, bytes), 0, &packet, &key);
        char *text = text_of_key(&key);
        size_t want_length = strlen(c->want);
        while (want_length && c->want[want_length - 1] == ' ')
            want_length--;
        if (strlen(text) != want_length || memcmp(text, c->want, want_length))
            fail_msg("%s:\n  got  %s\n  want %s", c->name, text, c->want);
        free(text);

        if (packet.l3_offset != offset_or_none(c->l3_offset) ||
            packet.l4_offset != offset_or_none(c->l4_offset) || packet.l4_bytes != c->l4_bytes)
            fail_msg("%s: offsets are l3 %u, l4 %u, l4_bytes %u", c->name, packet.l3_offset,
                     packet.l4_offset, packet.l4_bytes);
        assert_padding_is_zero(&key);
        assert_offsets_are_in_frame(&packet);
    }
}

/* Cutting bytes off only ever makes fields zero, but for eth_type: a tag may become the type. */
static void assert_is_part_of(const struct flow_key *key, const struct flow_key *whole)
{
    struct flow_key part = *key;

    part.eth_type = whole->eth_type;
    for (size_t i = 0; i < FLOW_KEY_WORDS; i++) {
        uint64_t word = flow_key_words_const(&part)[i];
        assert_true((word & ~flow_key_words_const(whole)[i]) == 0);
    }
}

static void every_truncation_is_parsed_within_its_bytes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t bytes[256];
        size_t n_bytes = bytes_of_hex(cases[i].frame, bytes);
        struct packet packet;
        struct flow_key whole, key;

        parse(bytes, n_bytes, 0, &packet, &whole);
        for (size_t n = 0; n < n_bytes; n++) {
            parse(bytes, n, 0, &packet, &key);
            assert_padding_is_zero(&key);
            assert_offsets_are_in_frame(&packet);
            assert_is_part_of(&key, &whole);
        }
    }
}

static void padding_of_any_length_changes_nothing(void **state)
{
    enum { PADDED_BYTES = 70000 };
    uint8_t *bytes = calloc(1, PADDED_BYTES);
    size_t n_bytes = bytes_of_hex(
        ETH "0800 4500 001c 00000000 4011 0000 " IP_ADDRS "0035 1234 0008 0000", bytes);
    struct packet packet;
    struct flow_key key, padded_key;

    (void)state;
    parse(bytes, n_bytes, 0, &packet, &key);
    memset(bytes + n_bytes, 0xff, PADDED_BYTES - n_bytes);
    for (size_t n = n_bytes; n <= PADDED_BYTES; n += 251) {
        parse(bytes, n, 0, &packet, &padded_key);
        assert_true(flow_key_is_equal(&key, &padded_key));
        assert_int_equal(packet.l4_bytes, 8);
    }
    free(bytes);
}

static void length_of_zero_in_a_gso_frame_means_all(void **state)
{
    uint8_t bytes[256];
    struct packet packet;
    struct flow_key key;
    size_t n;

    (void)state;
    n = bytes_of_hex(ETH "0800 4500 0000 00004000 4006 0000 " IP_ADDRS TCP_HEADER "0102", bytes);
    parse(bytes, n, VIRTIO_NET_HDR_GSO_TCPV4, &packet, &key);
    assert_int_equal(be16_host(key.tp_dst), 80);
    assert_int_equal(packet.l4_bytes, 22);

    n = bytes_of_hex(ETH "86dd 60000000 0000 06 40 " IP6_ADDRS TCP_HEADER "010203", bytes);
    parse(bytes, n, VIRTIO_NET_HDR_GSO_TCPV6, &packet, &key);
    assert_int_equal(be16_host(key.tp_dst), 80);
    assert_int_equal(packet.l4_bytes, 23);
}

/* Destination options of 8 bytes each, then UDP. */
static size_t make_ipv6_with_extensions(uint8_t *bytes, unsigned int n_extensions)
{
    size_t n = bytes_of_hex(ETH "86dd 60000000 0000 3c 40 " IP6_ADDRS, bytes);

    be16_store(bytes + 18, (uint16_t)(n_extensions * 8 + 8));
    for (unsigned int i = 1; i <= n_extensions; i++)
        n += bytes_of_hex(i < n_extensions ? "3c00000000000000" : "1100000000000000", bytes + n);
    return n + bytes_of_hex("0035 1234 0008 0000", bytes + n);
}

static void extension_headers_are_bounded(void **state)
{
    uint8_t bytes[512];
    struct packet packet;
    struct flow_key key;

    (void)state;
    parse(bytes, make_ipv6_with_extensions(bytes, 16), 0, &packet, &key);
    assert_int_equal(be16_host(key.tp_src), 53);
    assert_int_equal(packet.l4_offset, 54 + 16 * 8);

    parse(bytes, make_ipv6_with_extensions(bytes, 17), 0, &packet, &key);
    assert_int_equal(key.nw_proto, 0);
    assert_int_equal(key.tp_src.raw, 0);
    assert_int_equal(packet.l4_offset, PACKET_OFFSET_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_give_the_keys_beside_them),
        cmocka_unit_test(every_truncation_is_parsed_within_its_bytes),
        cmocka_unit_test(padding_of_any_length_changes_nothing),
        cmocka_unit_test(length_of_zero_in_a_gso_frame_means_all),
        cmocka_unit_test(extension_headers_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
