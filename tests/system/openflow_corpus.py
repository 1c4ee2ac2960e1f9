#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Flows that use every field and action, with masks and without, one to a line: what openflow_corpus.sh
feeds to Weir and to Open vSwitch.  Each has a priority of its own, so that dumps can be sorted."""

import random
import sys

random.seed(int(sys.argv[1]) if len(sys.argv) > 1 else 1)


def mac():
    return ":".join("%02x" % random.randrange(256) for _ in range(6))


def ip4():
    return ".".join(str(random.randrange(256)) for _ in range(4))


def ip6():
    return ":".join("%x" % random.randrange(1, 65536) for _ in range(8))


def number(bits):
    return "0x%x" % random.randrange(1 << bits)


def masked_number(bits):
    return lambda: "%s/%s" % (number(bits), number(bits))


def masked(value, masks):
    return lambda: "%s/%s" % (value(), random.choice(masks))


MAC_MASKS = ["ff:ff:ff:00:00:00", "01:00:00:00:00:00", "00:00:00:ff:ff:ff", "fe:ff:ff:ff:ff:ff"]
IP4_MASKS = ["8", "24", "31", "255.0.255.0", "0.0.0.255", "255.255.255.255"]
IP6_MASKS = ["32", "64", "127", "ffff::ffff", "::1"]

# Protocols in which the fields below make sense, and the fields: how to write values.
TCP = ["tcp", "tcp6"]
FIELDS = [
    ([""], "in_port", [lambda: random.choice(["1", "2", "LOCAL", "65279"])]),
    ([""], "dl_src", [mac, masked(mac, MAC_MASKS)]),
    ([""], "dl_dst", [mac, masked(mac, MAC_MASKS)]),
    ([""], "dl_type", [lambda: "0x%04x" % random.randrange(0x600, 0x10000)]),
    ([""], "dl_vlan", [lambda: str(random.randrange(4096)), lambda: "0xffff"]),
    ([""], "dl_vlan_pcp", [lambda: str(random.randrange(8))]),
    ([""], "vlan_tci", [lambda: "0x%04x" % (0x1000 | random.randrange(65536)), lambda: "0",
                        masked(lambda: "0x1123", ["0x1fff", "0x1000", "0xf000", "0xffff"])]),
    ([""], "vlan_vid", [lambda: "0x1%03x" % random.randrange(4096), lambda: "0x1000/0x1000"]),
    ([""], "metadata", [lambda: number(64), masked_number(64)]),
    ([""], "pkt_mark", [lambda: number(32), masked_number(32)]),
    (["ip", "tcp", "udp", "icmp", "sctp"], "nw_src", [ip4, masked(ip4, IP4_MASKS)]),
    (["ip", "tcp", "udp", "icmp", "sctp"], "nw_dst", [ip4, masked(ip4, IP4_MASKS)]),
    (["ip", "ipv6", "tcp"], "nw_tos", [lambda: str(4 * random.randrange(64))]),
    (["ip", "ipv6"], "nw_ecn", [lambda: str(random.randrange(4))]),
    (["ip", "ipv6"], "nw_ttl", [lambda: str(random.randrange(256))]),
    (["ip", "ipv6"], "nw_proto", [lambda: str(random.randrange(256))]),
    (["ip", "ipv6", "tcp"], "ip_frag", [lambda: random.choice(
        ["no", "yes", "first", "later", "not_later"])]),
    (["ipv6", "tcp6", "icmp6"], "ipv6_src", [ip6, masked(ip6, IP6_MASKS)]),
    (["ipv6", "udp6", "sctp6"], "ipv6_dst", [ip6, masked(ip6, IP6_MASKS)]),
    (["ipv6"], "ipv6_label", [lambda: number(20), masked_number(20)]),
    (["arp", "rarp"], "arp_op", [lambda: str(random.randrange(1, 256))]),
    (["arp", "rarp"], "arp_spa", [ip4, masked(ip4, IP4_MASKS)]),
    (["arp", "rarp"], "arp_tpa", [ip4, masked(ip4, IP4_MASKS)]),
    (["arp"], "arp_sha", [mac, masked(mac, MAC_MASKS)]),
    (["arp"], "arp_tha", [mac, masked(mac, MAC_MASKS)]),
    (TCP, "tp_src", [lambda: str(random.randrange(65536)), masked_number(16)]),
    (TCP, "tp_dst", [lambda: str(random.randrange(65536)), masked_number(16)]),
    (TCP, "tcp_flags", [lambda: random.choice(["+syn", "+syn-ack", "-fin+ack", "0x012", "+rst+psh"])]),
    (["udp", "udp6"], "tp_src", [lambda: str(random.randrange(65536)), masked_number(16)]),
    (["udp", "udp6"], "tp_dst", [lambda: str(random.randrange(65536)), masked_number(16)]),
    (["sctp", "sctp6"], "tp_src", [lambda: str(random.randrange(65536)), masked_number(16)]),
    (["sctp", "sctp6"], "tp_dst", [lambda: str(random.randrange(65536)), masked_number(16)]),
    (["icmp"], "icmp_type", [lambda: str(random.randrange(256))]),
    (["icmp"], "icmp_code", [lambda: str(random.randrange(256))]),
    (["icmp6"], "icmpv6_type", [lambda: str(random.randrange(256))]),
    (["icmp6"], "icmpv6_code", [lambda: str(random.randrange(256))]),
    (["icmp6,icmp_type=135,icmp_code=0", "icmp6,icmp_type=136,icmp_code=0"], "nd_target",
     [ip6, masked(ip6, IP6_MASKS)]),
    (["icmp6,icmp_type=135,icmp_code=0"], "nd_sll", [mac, masked(mac, MAC_MASKS)]),
    (["icmp6,icmp_type=136,icmp_code=0"], "nd_tll", [mac, masked(mac, MAC_MASKS)]),
    (["icmp6,icmp_type=135,icmp_code=0", "icmp6,icmp_type=136"], "nd_reserved",
     [lambda: str(random.randrange(1 << 32)), lambda: "0"]),
    (["icmp6,icmp_type=135", "icmp6,icmp_type=136,icmp_code=0"], "nd_options_type",
     [lambda: str(random.randrange(256))]),
    (["mpls", "mplsm"], "mpls_label", [lambda: str(random.randrange(1 << 20))]),
    (["mpls"], "mpls_tc", [lambda: str(random.randrange(8))]),
    (["mpls"], "mpls_bos", [lambda: str(random.randrange(2))]),
    (["mpls"], "mpls_ttl", [lambda: str(random.randrange(256))]),
]
EST = "ct_state=+trk+est"
FIELDS += [
    ([""], "tun_id", [lambda: number(64), masked_number(64), lambda: "0"]),
    ([""], "tun_src", [ip4, masked(ip4, IP4_MASKS)]),
    ([""], "tun_dst", [ip4, masked(ip4, IP4_MASKS)]),
    ([""], "tun_ipv6_src", [ip6, masked(ip6, IP6_MASKS)]),
    ([""], "tun_ipv6_dst", [ip6, masked(ip6, IP6_MASKS)]),
    ([""], "tun_flags", [lambda: random.choice(["+oam", "-oam", "oam", "0", "1"])]),
    ([""], "tun_gbp_id", [lambda: str(random.randrange(65536)), masked_number(16)]),
    ([""], "tun_gbp_flags", [lambda: number(8), masked_number(8)]),
    ([""], "tun_erspan_ver", [lambda: str(random.randrange(1, 16))]),
    (["tun_erspan_ver=1"], "tun_erspan_idx", [lambda: "0x%x" % random.randrange(1, 1 << 20)]),
    (["tun_erspan_ver=2"], "tun_erspan_dir", [lambda: "1"]),
    (["tun_erspan_ver=2"], "tun_erspan_hwid", [lambda: "0x%x" % random.randrange(1, 64)]),
    ([""], "tun_gtpu_flags", [lambda: "0x%x" % random.randrange(1, 256)]),
    ([""], "tun_gtpu_msgtype", [lambda: str(random.randrange(1, 256))]),
    ([""], "ct_state", [lambda: random.choice(
        ["+trk", "-trk", "+trk+new-est", "+trk+est-inv+rpl", "-new+rel", "+trk+snat-dnat", "new|trk", "0", "0x21/0x23",
         "+new-est-rel-rpl-inv+trk-snat-dnat", "trk"])] * 4),
    ([""], "ct_zone", [lambda: str(random.randrange(65536)), lambda: number(16)]),
    ([""], "ct_mark", [lambda: number(32), masked_number(32), lambda: "0"]),
    ([""], "ct_label", [lambda: number(128), masked_number(128), lambda: number(8)]),
    (["ip," + EST, "tcp,ct_state=+trk-inv", "ip,ct_state=+new"], "ct_nw_src", [ip4, masked(ip4, IP4_MASKS)]),
    (["ip," + EST, "udp,ct_state=+rel", "ip,ct_state=+dnat"], "ct_nw_dst", [ip4, masked(ip4, IP4_MASKS)]),
    (["ipv6," + EST, "tcp6,ct_state=+rpl"], "ct_ipv6_src", [ip6, masked(ip6, IP6_MASKS)]),
    (["ipv6," + EST, "icmp6,ct_state=+snat"], "ct_ipv6_dst", [ip6, masked(ip6, IP6_MASKS)]),
    ([EST, "ip," + EST, "arp,ct_state=+new"], "ct_nw_proto", [lambda: str(random.randrange(1, 256))]),
    (["ip," + EST + ",ct_nw_proto=6", EST + ",ct_nw_proto=17"], "ct_tp_src",
     [lambda: str(random.randrange(65536)), masked_number(16)]),
    (["ipv6," + EST + ",ct_nw_proto=132"], "ct_tp_dst", [lambda: str(random.randrange(65536)), masked_number(16)]),
    ([""], "conj_id", [lambda: str(random.randrange(1 << 32))]),
    ([""], "recirc_id", [lambda: "0"]),
    ([""], "actset_output", [lambda: random.choice(["1", "LOCAL", "UNSET", "65279", "CONTROLLER", "0"])]),
    ([""], "packet_type", [lambda: random.choice(["(0,0)", "(1,0x%x)" % random.randrange(65536), "(2,5)"])]),
]
for i in range(16):
    FIELDS.append(([""], "reg%d" % i, [lambda: number(32), masked_number(32)]))
for i in range(8):
    FIELDS.append(([""], "xreg%d" % i, [lambda: number(64), masked_number(64)]))
for i in range(4):
    FIELDS.append(([""], "xxreg%d" % i, [lambda: number(128), masked_number(128)]))

# Actions, and the protocol they need.
ACTIONS = [
    ("", "output:1"), ("", "2,1,LOCAL"), ("", "in_port"), ("", "FLOOD"), ("", "ALL"), ("", "NORMAL"),
    ("", "drop"), ("", "CONTROLLER"), ("", "CONTROLLER:77"),
    ("", "controller(max_len=123,reason=invalid_ttl)"), ("", "controller(id=5)"),
    ("", "output(port=2,max_len=200)"), ("", "resubmit:1"), ("", "resubmit(,7)"),
    ("", "resubmit(2,9)"), ("", "mod_dl_src:{mac}"), ("", "mod_dl_dst:{mac}"),
    ("ip", "mod_nw_src:{ip4}"), ("ip", "mod_nw_dst:{ip4}"), ("ip", "mod_nw_tos:32"),
    ("ipv6", "mod_nw_ecn:2"), ("ip", "mod_nw_ttl:9"), ("tcp", "mod_tp_src:{u16}"),
    ("udp", "mod_tp_dst:{u16}"), ("sctp6", "mod_tp_dst:{u16}"), ("", "mod_vlan_vid:{vid}"),
    ("", "mod_vlan_vid:{vid},mod_vlan_pcp:5"), ("dl_vlan=5", "mod_vlan_pcp:3"),
    ("dl_vlan=7", "strip_vlan,1"), ("ip", "dec_ttl,1"),
    ("", "push_mpls:0x8847,1"), ("ip", "push_mpls:0x8848,pop_mpls:0x0800,2"), ("mpls", "pop_mpls:0x86dd,1"),
    ("mpls", "set_mpls_label:9,set_mpls_tc:3,1"), ("mplsm", "set_mpls_ttl:9,dec_mpls_ttl,1"),
    ("", "controller(userdata=01.02.0a)"), ("", "controller(userdata=ff,id=7,max_len=9,reason=no_match)"),
    ("", "load:0x{u16:x}->NXM_NX_REG{reg}[3..18]"), ("", "load:0->NXM_NX_REG{reg}[]"),
    ("", "load:{reg}->OXM_OF_METADATA[8..15]"), ("tcp", "load:{u16}->NXM_OF_TCP_DST[]"),
    ("", "move:NXM_NX_REG{reg}[0..7]->NXM_NX_REG0[8..15]"),
    ("arp", "move:NXM_OF_ARP_SPA[]->NXM_OF_ARP_TPA[],move:NXM_NX_ARP_SHA[]->NXM_NX_ARP_THA[]"),
    ("ipv6", "move:NXM_NX_IPV6_SRC[]->NXM_NX_IPV6_DST[]"),
    ("", "set_field:{mac}->eth_src"), ("ip", "set_field:{ip4}->ip_dst"),
    ("ipv6", "set_field:{ip6}->ipv6_src"), ("udp6", "set_field:{u16}->udp_dst"),
    ("", "set_field:{u16}->reg{reg}"), ("", "set_field:0x{u16:x}->metadata"),
    ("icmp", "set_field:3->icmp_type"), ("dl_vlan=9", "set_field:{oxmvid}->vlan_vid"),
    ("ip", "set_field:5->ip_dscp"), ("arp", "set_field:2->arp_op"),
    ("icmp6,icmp_type=135,icmp_code=0", "set_field:{u16}->nd_reserved"),
    ("icmp6,icmp_type=136,icmp_code=0", "set_field:2->nd_options_type,1"),
    ("icmp6,icmp_type=136", "load:7->ERICOXM_OF_ICMPV6_ND_RESERVED[29..31]"),
    ("icmp6,icmp_type=135", "move:NXM_NX_REG{reg}[8..15]->ERICOXM_OF_ICMPV6_ND_OPTIONS_TYPE[]"),
    ("icmp6,icmp_type=136", "push:ERICOXM_OF_ICMPV6_ND_RESERVED[],1"),
]
# In these, fields of tunnels.
ACTIONS += [
    ("", "set_tunnel:{u16}"), ("", "set_tunnel64:0x123456789{u16:x}"), ("", "set_field:{u16}->tun_id"),
    ("", "load:{u16}->NXM_NX_TUN_ID[0..15]"), ("", "move:NXM_NX_REG{reg}[]->NXM_NX_TUN_ID[0..31]"),
    ("", "set_field:{ip4}->tun_src"), ("", "set_field:{ip4}->tun_dst"), ("", "set_field:{ip6}->tun_ipv6_src"),
    ("", "set_field:{ip6}->tun_ipv6_dst"), ("", "set_field:{u16}->tun_gbp_id"), ("", "set_field:0x7->tun_gbp_flags"),
    ("", "set_field:oam->tun_flags"), ("", "set_field:1->tun_erspan_ver,set_field:0x{u16:x}->tun_erspan_idx"),
    ("", "set_field:1->tun_erspan_dir,set_field:0x3->tun_erspan_hwid"), ("", "push:NXM_NX_TUN_ID[],pop:NXM_NX_REG1[]"),
    ("", "load:{u16}->NXM_NX_TUN_IPV4_DST[0..15]"), ("", "move:NXM_NX_CT_MARK[]->NXM_NX_REG{reg}[]"),
    ("", "move:NXM_NX_CT_LABEL[0..31]->NXM_NX_REG{reg}[]"), ("", "move:NXM_NX_CT_STATE[]->NXM_NX_REG{reg}[]"),
    ("", "learn(table=5,NXM_NX_TUN_ID[],load:NXM_NX_TUN_ID[]->NXM_NX_REG1[0..63])".replace("REG1[0..63]", "TUN_ID[]")),
    ("", "learn(table=5,NXM_NX_CT_MARK[],output:NXM_OF_IN_PORT[])"), ("", "set_field:5->pkt_mark"), ("", "ct_clear,1"),
    ("tcp,ct_state=+trk+est", "resubmit(,1,ct),resubmit(2,7,ct),resubmit(2,,ct)"),
]
MASKED_ACTIONS = [ # ovs-ofctl refuses them in 1.1
    ("", "set_field:0x{u16:x}/0xffff->reg{reg}"), ("", "set_field:{mac}/ff:ff:ff:00:00:00->eth_dst"),
    ("", "set_field:0x12/0xff->metadata"),
]
INSTRUCTIONS = [ # not in 1.0
    ("", "push_vlan:0x8100,set_field:{oxmvid}->vlan_vid,2"), ("dl_vlan=4", "pop_vlan,2"),
    ("", "goto_table:{goto}"), ("", "write_metadata:0x{u16:x}"),
    ("", "write_metadata:0x{u16:x}/0xffff,goto_table:{goto}"), ("", "clear_actions"),
    ("", "write_actions(output:2)"), ("ip", "1,write_actions(dec_ttl,output:2),goto_table:{goto}"),
    ("", "1,clear_actions,write_actions(mod_dl_src:{mac},2)"),
]


# What the fixed match of OpenFlow 1.1 has room for.
PROTOCOLS_11 = {"", "ip", "tcp", "udp", "icmp", "sctp", "arp", "rarp", "mpls", "mplsm", "dl_vlan"}
FIELDS_11 = {"in_port", "dl_src", "dl_dst", "dl_type", "dl_vlan", "dl_vlan_pcp", "metadata", "nw_src", "nw_dst", "nw_tos",
             "nw_proto", "arp_op", "arp_spa", "arp_tpa", "tp_src", "tp_dst", "icmp_type", "icmp_code", "mpls_label",
             "mpls_tc"}


def fits_11(protocol, name, value):
    return (protocol.split("=")[0] in PROTOCOLS_11 and (not name or name in FIELDS_11) and
            not (name in ("tp_src", "tp_dst") and "/" in value))


def fill(text):
    return text.format(mac=mac(), ip4=ip4(), ip6=ip6(), u16=random.randrange(65536),
                       vid=random.randrange(4096), oxmvid=4096 + random.randrange(4096),
                       reg=random.randrange(1, 8), goto=random.randrange(101, 250))


def flows(n_each, actions):
    for protocols, name, values in FIELDS:
        for protocol in protocols:
            for value in values:
                for _ in range(n_each):
                    text = value()
                    if version != 11 or fits_11(protocol, name, text):
                        yield ",".join(x for x in (protocol, "%s=%s" % (name, text)) if x), "1"
    for protocol, text in actions:
        for _ in range(n_each + 1):
            if version != 11 or fits_11(protocol, "", ""):
                yield protocol, fill(text)


version = int(sys.argv[2]) if len(sys.argv) > 2 else 10
use = list(ACTIONS)
if version != 11:
    use += MASKED_ACTIONS
if version > 10:
    use += INSTRUCTIONS
for i, (match, actions) in enumerate(flows(5, use)):
    extra = random.choice(["", "", "idle_timeout=%d," % random.randrange(1, 999),
                           "hard_timeout=%d," % random.randrange(1, 999), "cookie=%s," % number(64)])
    print("table=%d,priority=%d,%s%s%sactions=%s" %
          (random.randrange(100), i + 1, extra, match, "," if match else "", actions))
