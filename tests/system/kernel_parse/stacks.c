/* SPDX-License-Identifier: Apache-2.0 */

/* A stack is a string: each letter a header, from the link layer inwards.
 *
 *   v 802.1Q   q 802.1ad   s SNAP   l LLC   m MPLS (the last: bottom)   a ARP   r RARP
 *   4 IPv4   5 IPv4 with options   f its first fragment   g a later one
 *   6 IPv6   h hop-by-hop   o routing   d destination   A authentication   F first fragment   G a later one
 *   t TCP   T TCP with options   u UDP   c SCTP   i ICMP   I ICMPv6 echo   n neighbour solicitation
 *   N advertisement   S and D: its source and target address options   x another protocol   p payload */

#include "tests/system/kernel_parse/stacks.h"

#include <string.h>

#include "lib/byteorder.h"
#include "lib/flow_parse.h"

static const char *const links[] = {"",    "v",   "q", "vv", "qv",  "qq",
                                    "vvv", "qvv", "s", "vs", "qvs", "vvvv"};
static const char *const networks[] = {
    "4tp",      "4Tp",  "4up",  "4cp",  "4ip",   "4xp",   "4p",   "5tp",  "5up",     "ftp",
    "fup",      "gp",   "4Ip",  "6tp",  "6Tp",   "6up",   "6cp",  "6Ip",  "6xp",     "6p",
    "6ip",      "6htp", "6oup", "6dtp", "6Atp",  "6FtP",  "6FIp", "6Gp",  "6hodAup", "6hoFup",
    "6hodAhtp", "6n",   "6nS",  "6NSD", "6ND",   "6nSDp", "6nSS", "6hnS", "6FnS",    "ap",
    "r",        "mp",   "mmp",  "mmmp", "mmmmp", "l",     "p",    "44tp", "64tp",    "46tp",
};

enum { N_LINKS = sizeof links / sizeof *links, N_NETWORKS = sizeof networks / sizeof *networks };

struct stack {
    uint8_t *frame;
    size_t size;
};

static uint8_t *put(struct stack *stack, size_t n)
{
    uint8_t *at = stack->frame + stack->size;

    for (size_t i = 0; i < n; i++)
        at[i] = (uint8_t)(0x11 * (i + 1));
    stack->size += n;
    return at;
}

static uint16_t ethertype_of(char letter)
{
    switch (letter) {
    case 'v':
        return ETH_TYPE_VLAN;
    case 'q':
        return ETH_TYPE_QINQ;
    case '4':
    case '5':
    case 'f':
    case 'g':
        return ETH_TYPE_IPV4;
    case '6':
        return ETH_TYPE_IPV6;
    case 'a':
        return ETH_TYPE_ARP;
    case 'r':
        return ETH_TYPE_RARP;
    case 'm':
        return ETH_TYPE_MPLS;
    default:
        return 0x88cc;
    }
}

static uint8_t protocol_of(char letter)
{
    static const char letters[] = "tTucinNIhodAFG46";
    static const uint8_t protocols[] = {IP_PROTO_TCP,
                                        IP_PROTO_TCP,
                                        IP_PROTO_UDP,
                                        IP_PROTO_SCTP,
                                        IP_PROTO_ICMP,
                                        IP_PROTO_ICMPV6,
                                        IP_PROTO_ICMPV6,
                                        IP_PROTO_ICMPV6,
                                        IP_PROTO_HOPOPTS,
                                        IP_PROTO_ROUTING,
                                        IP_PROTO_DSTOPTS,
                                        IP_PROTO_AH,
                                        IP_PROTO_FRAGMENT,
                                        IP_PROTO_FRAGMENT,
                                        4,
                                        41};
    const char *found = letter ? strchr(letters, letter) : NULL;

    return found ? protocols[found - letters] : 0xfd;
}

static void put_ipv4(struct stack *stack, const char *letter)
{
    uint8_t *at = put(stack, *letter == '5' ? 28 : 20);

    at[0] = *letter == '5' ? 0x47 : 0x45;
    be16_store(at + 6, *letter == 'f' ? 0x2000 : *letter == 'g' ? 0x00b9 : 0x4000);
    at[9] = protocol_of(letter[1]);
}

static void put_extension(struct stack *stack, const char *letter)
{
    bool is_long = *letter == 'd';
    uint8_t *at = put(stack, *letter == 'A' ? 12 : is_long ? 24 : 8);

    at[0] = protocol_of(letter[1]);
    at[1] = *letter == 'A' ? 1 : is_long ? 2 : 0;
    if (*letter == 'F')
        be16_store(at + 2, 1);
    if (*letter == 'G')
        be16_store(at + 2, 0x0101);
}

static void put_neighbour(struct stack *stack, uint8_t type)
{
    uint8_t *at = put(stack, 24);

    at[0] = type;
    at[1] = 0;
}

static void put_transport(struct stack *stack, char letter)
{
    uint8_t *at;

    switch (letter) {
    case 't':
        put(stack, 20)[12] = 0x50;
        break;
    case 'T':
        put(stack, 32)[12] = 0x80;
        break;
    case 'u':
    case 'i':
        put(stack, 8);
        break;
    case 'I':
        put(stack, 8)[0] = 128;
        break;
    case 'c':
        put(stack, 12);
        break;
    case 'n':
        put_neighbour(stack, ND_NEIGHBOR_SOLICIT);
        break;
    case 'N':
        put_neighbour(stack, ND_NEIGHBOR_ADVERT);
        break;
    case 'S':
    case 'D':
        at = put(stack, 8);
        at[0] = letter == 'S' ? 1 : 2;
        at[1] = 1;
        break;
    default:
        put(stack, 11);
        break;
    }
}

static void put_arp(struct stack *stack)
{
    static const uint8_t fixed[] = {0, 1, 8, 0, 6, 4, 0, 1};

    memcpy(put(stack, 28), fixed, sizeof fixed);
}

static void put_layers(struct stack *stack, const char *letter)
{
    size_t start = stack->size;

    for (; *letter; letter++) {
        if (strchr("45fg", *letter)) {
            put_ipv4(stack, letter);
            put_layers(stack, letter + 1);
            be16_store(stack->frame + start + 2, (uint16_t)(stack->size - start));
            return;
        }
        if (*letter == '6') {
            uint8_t *at = put(stack, 40);

            at[0] = 0x6a;
            at[6] = protocol_of(letter[1]);
            put_layers(stack, letter + 1);
            be16_store(stack->frame + start + 4, (uint16_t)(stack->size - start - 40));
            return;
        }
        if (*letter == 'm')
            put(stack, 4)[2] = letter[1] != 'm';
        else if (strchr("ar", *letter))
            put_arp(stack);
        else if (strchr("hodAFG", *letter))
            put_extension(stack, letter);
        else
            put_transport(stack, *letter);
    }
}

unsigned int stacks_count(void)
{
    return N_LINKS * N_NETWORKS;
}

size_t stacks_make(unsigned int index, uint8_t frame[static STACK_MAX_BYTES])
{
    static const uint8_t snap[] = {0, 40, 0xaa, 0xaa, 3, 0, 0, 0};
    struct stack stack = {.frame = frame};
    const char *link = links[index % N_LINKS], *network = networks[index / N_LINKS];

    put(&stack, 12);
    for (; *link; link++) {
        if (*link == 's') {
            memcpy(put(&stack, sizeof snap), snap, sizeof snap);
        } else {
            be16_store(put(&stack, 2), ethertype_of(*link));
            put(&stack, 2);
        }
    }
    be16_store(put(&stack, 2), *network == 'l' ? 38 : ethertype_of(*network));
    put_layers(&stack, network);
    return stack.size;
}
