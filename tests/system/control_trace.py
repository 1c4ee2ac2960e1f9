#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Random flow tables with actions of all kinds, and random flows traced through them by Weir and by Open vSwitch: the
trees are the same but for Weir's own lines, and the datapath actions mean the same.

    control_trace.py flows N SEED             prints N flows for both
    control_trace.py loose N SEED             and N that only OpenFlow 1.0 takes
    control_trace.py groups                   and the groups they use
    control_trace.py compare N SEED OURS THEIRS"""

import difflib
import random
import re
import sys

from control_commands import Switch
from datapath_actions import outcome

PORTS = [1, 2, 3, 4, 5]  # 5 is a patch port.
TABLES = 5
GROUPS = ["group_id=1,type=all,bucket=output:1,bucket=mod_nw_tos:4,output:3", "group_id=2,type=indirect,bucket=dec_ttl,output:2",
          "group_id=3,type=all,bucket=push_vlan:0x8100,set_field:4101->vlan_vid,output:4,bucket=group:2"]
KINDS = ["ip", "tcp", "udp", "icmp", "sctp", "arp", "ipv6", "tcp6", "udp6", "icmp6", "mpls", ""]
ACTIONS = {  # What it needs of the flow: and how it is written.
    "": ["output:{port}", "in_port", "flood", "all", "normal", "LOCAL", "controller", "controller(max_len=64,reason=no_match)",
         "drop", "mod_dl_src:00:00:00:00:01:0{d}", "mod_dl_dst:00:00:00:00:02:0{d}", "set_field:00:00:00:00:03:0{d}->eth_dst",
         "load:0x{d}->NXM_NX_REG{d}[]", "load:0x{d}->NXM_NX_REG1[2..7]", "move:NXM_NX_REG1[]->NXM_NX_REG2[]",
         "set_field:0x{d}/0xff->metadata", "set_field:{d}->tun_id", "set_field:0x{d}->pkt_mark", "resubmit(,{table})",
         "resubmit({port},{table})", "push_vlan:0x8100,set_field:{vid}->vlan_vid", "mod_vlan_vid:{d}",
         "mod_vlan_pcp:{d}", "push_vlan:0x8100,pop_vlan", "push:NXM_NX_REG0[],pop:NXM_NX_REG3[]", "output:NXM_NX_REG1[]",
         "output(port=3,max_len=100)", "clone(load:{d}->NXM_NX_REG4[],mod_dl_dst:00:00:00:00:04:0{d},output:{port})",
         "note:01.02.03.04.05.06", "exit", "set_queue:{d},pop_queue", "set_queue:{d}", "enqueue:{port}:{d}",
         "output:NXM_NX_REG1[0..3]", "push:NXM_OF_ETH_SRC[],pop:NXM_OF_ETH_DST[]", "bundle(eth_src,0,active_backup,ofport,members:{port})",
         "learn(table=9,hard_timeout=10,NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],output:NXM_OF_IN_PORT[])",
         "group:{group}"],
    "ip": ["mod_nw_src:10.9.0.{d}", "mod_nw_dst:10.8.0.{d}", "mod_nw_tos:{tos}", "mod_nw_ecn:{e}", "dec_ttl", "mod_nw_ttl:{d}",
           "move:NXM_OF_IP_SRC[]->NXM_OF_IP_DST[]", "set_field:0.0.0.{d}/0.0.0.255->ip_src", "dec_ttl(1,2)"],
    "ipv6": ["set_field:2001:db8::{d}->ipv6_src", "set_field:::{d}/::ff->ipv6_dst", "dec_ttl", "set_field:{e}->ip_ecn"],
    "tcp": ["mod_tp_src:{d}", "mod_tp_dst:8{d}", "set_field:0x3/0x7->tcp_dst", "fin_timeout(idle_timeout=5)"],
    "udp": ["mod_tp_src:{d}", "set_field:53->udp_dst"],
    "arp": ["load:2->NXM_OF_ARP_OP[]", "move:NXM_NX_ARP_SHA[]->NXM_NX_ARP_THA[]", "set_field:10.0.0.{d}->arp_spa"],
    "mpls": ["set_field:{d}->mpls_label", "dec_mpls_ttl", "push_mpls:0x8847"],
}
LOOSE = [action for key in ("ip", "tcp", "mpls") for action in ACTIONS[key] if re.match("(dec|mod)_(?!nw_(ecn|ttl)|tp_)", action)]
INSTRUCTIONS = ["goto_table:{next}", "write_actions(output:{port},dec_ttl)", "clear_actions", "write_metadata:0x{d}/0xf"]


class Generator:
    def __init__(self, seed):
        self.rng = random.Random(seed)
        self.priorities = self.rng.sample(range(2, 2000, 2), 500)  # Of two alike, which wins is not defined.

    def kind_of(self, kind):
        """The keys of ACTIONS that fit."""
        base = {"tcp": "ip", "udp": "ip", "icmp": "ip", "sctp": "ip", "tcp6": "ipv6", "udp6": "ipv6", "icmp6": "ipv6"}
        keys = ["", kind.rstrip("6") if kind in ("tcp6", "udp6") else kind, base.get(kind, "")]
        return [key for key in keys if key in ACTIONS]

    def fill(self, text, table=0):
        return (text.replace("{port}", str(self.rng.choice(PORTS))).replace("{d}", str(self.rng.randrange(1, 8)))
                .replace("{table}", str(self.rng.randrange(table, TABLES) + 1)).replace("{vid}", str(4096 + self.rng.randrange(1, 20)))
                .replace("{group}", str(self.rng.randrange(1, len(GROUPS) + 1)))
                .replace("{tos}", str(4 * self.rng.randrange(8))).replace("{e}", str(self.rng.randrange(4)))
                .replace("{next}", str(min(table + self.rng.randrange(1, 3), TABLES))))

    def port(self, kind, probability):
        name = {"tcp": "tcp_dst", "tcp6": "tcp_dst", "udp": "udp_dst"}.get(kind)
        return [f"{name}={self.rng.choice([53, 80])}"] if name and self.rng.random() < probability else []

    def match(self, kind):
        parts = [kind] if kind else []
        if self.rng.random() < .5:
            parts.append(f"in_port={self.rng.choice(PORTS)}")
        if kind in ("ip", "tcp", "udp", "icmp", "sctp") and self.rng.random() < .3:
            parts.append(f"nw_dst=10.0.0.{self.rng.randrange(4)}/{self.rng.choice([31, 32])}")
        parts += self.port(kind, .3)
        if self.rng.random() < .15:
            parts.append("dl_vlan=5")
        if self.rng.random() < .1:
            parts.append("reg1=0x5/0x5")
        return parts

    def actions(self, kind, table=0):
        chosen = [self.fill(self.rng.choice(ACTIONS[self.rng.choice(self.kind_of(kind))]), table)
                  for _ in range(self.rng.randrange(1, 5))]
        if "drop" in chosen:
            return "drop"
        if "exit" in chosen:
            chosen = chosen[:chosen.index("exit") + 1]
        return ",".join(chosen)

    def flow(self):
        kind, table = self.rng.choice(KINDS), self.rng.randrange(TABLES)
        actions = self.actions(kind, table)
        if self.rng.random() < .3 and actions != "drop":
            instruction = self.rng.choice(INSTRUCTIONS)
            if "dec_ttl" not in instruction or self.kind_of(kind)[-1] in ("ip", "ipv6"):
                actions += "," + self.fill(instruction, table)
        words = [f"table={table}", f"priority={self.priorities.pop()}"] + self.match(kind) + [f"actions={actions}"]
        return ",".join(words)

    def loose_flow(self):
        """Actions without what they need of the flow, which OpenFlow 1.0 lets pass."""
        table, kind = self.rng.randrange(TABLES), self.rng.choice(KINDS)
        chosen = [self.fill(self.rng.choice(LOOSE), table)
                  for _ in range(self.rng.randrange(1, 4))]
        words = [f"table={table}", f"priority={self.priorities.pop() + 1}"] + self.match(kind)
        return ",".join(words + ["actions=" + ",".join(chosen), f"resubmit(,{table + 1}),output:1"])

    def conjunction(self):
        """Two clauses, one of them said twice, and perhaps the flow that they are for."""
        table, priority, conj = self.rng.randrange(TABLES), self.priorities.pop(), self.rng.randrange(1, 9)
        head = f"table={table},priority={priority},"
        flows = [f"{head}tcp,nw_dst=10.0.0.{d},actions=conjunction({conj},1/2)" for d in self.rng.sample(range(4), 2)]
        flows.append(f"{head}tcp,tp_dst={self.rng.choice([53, 80])},actions=conjunction({conj},2/2)")
        if self.rng.random() < .7:
            flows.append(f"{head}conj_id={conj},tcp,actions={self.actions('tcp', table)}")
        return "\n".join(flows)

    def request(self):
        """The words of a trace."""
        kind = self.rng.choice(KINDS)
        parts = ([kind] if kind else []) + [f"in_port={self.rng.choice(PORTS[:4])}", "dl_src=00:00:00:00:00:0a"]
        if kind in ("ip", "tcp", "udp", "icmp", "sctp"):
            parts += [f"nw_dst=10.0.0.{self.rng.randrange(4)}", f"nw_ttl={self.rng.choice([1, 2, 64])}"]
        if kind in ("ipv6", "tcp6", "udp6", "icmp6"):
            parts.append("nw_ttl=64")
        parts += self.port(kind, 1)
        if kind in ("ip", "ipv6"):
            parts.append("nw_proto=89")  # Of protocol 0 Open vSwitch rewrites nothing.
        if kind == "arp":
            parts.append("arp_op=1")
        if kind == "mpls":
            parts += [f"mpls_ttl={self.rng.choice([1, 64])}", "mpls_label=17", f"mpls_bos={self.rng.choice([1, 1, 0])}"]
        if self.rng.random() < .2:
            parts += ["dl_vlan=5", f"dl_vlan_pcp={self.rng.randrange(8)}"]
        words = ["br0", ",".join(parts)]
        actions = self.actions(kind)
        if self.rng.random() < .2 and actions != "drop":  # With nothing to do Open vSwitch asks the tables.
            return ["ofproto/trace-packet-out"] + words + [actions]
        return ["ofproto/trace"] + words


def port_names(switch):
    return dict(re.findall(r"port (\d+): (\S+)", switch.call("dpctl/show")[1]))


def tree(answer):
    """The lines that both have, but the last ones."""
    is_error, text = answer
    own = ("Rewritten:", "Served by:", "Dropped:", "Megaflow:", "Datapath actions:")
    text = text.split("\nThis flow is handled by the userspace slow path")[0]
    text = re.sub(r"(\nFinal flow: .*?)skb_priority=0x\w+,", r"\1", text)  # There are no queues.
    flow = re.match(r"Flow: (.*)\n", text)
    text = text.replace(f"\nFinal flow: {flow[1]}\n", "\nFinal flow: unchanged\n") if flow else text
    lines = [line for line in text.splitlines()
             if not line.startswith(own) and not line.lstrip().startswith("#")]
    return "\n".join([f"error: {is_error}"] + lines)


def datapath_actions(answer, names):
    """What becomes of the frame, with names of ports, and without what is each switch's own."""
    flow = re.search(r"^Flow: (.*)$", answer[1], re.M)
    found = re.search(r"^Datapath actions: (.*)$", answer[1], re.M)
    if not found:
        return ""
    text = re.sub(r"recirc_id=\d+", "recirc_id=0", found[1])
    text = re.sub(r"max_len=\d+\)\)", "max_len=0))", text)  # Weir always tells frames whole.
    text = text.replace("reason=5", "reason=1")  # Open vSwitch forgets that it traces a packet-out.
    text = re.sub(r"(?<![\w.:=/])(\d+)(?=,|\)|$)", lambda m: names.get(m[1], m[1]), text)
    return outcome(flow[1], text)


def may_lose_tags(answer):
    """Of three tags, Open vSwitch forgets one."""
    return len(re.findall("push_vlan|^Flow: .*dl_vlan=", answer[1], re.M)) > 2


def compare(n, seed, ours, theirs):
    generator = Generator(seed + 1)
    our_names, their_names = port_names(ours), port_names(theirs)
    n_wrong = n_compared = 0
    for _ in range(n):
        words = generator.request()
        our_answer, their_answer = ours.call(*words), theirs.call(*words)
        if re.search("over max translation depth|the verdict is too long|more than 3 MPLS labels", our_answer[1]):
            continue  # Open vSwitch sends what was output before.
        n_compared += 1
        for what, our_part, their_part in (("tree", tree(our_answer), tree(their_answer)),
                                           ("actions", datapath_actions(our_answer, our_names),
                                            datapath_actions(their_answer, their_names))):
            if our_part != their_part and not may_lose_tags(our_answer):
                n_wrong += 1
                print(f"other {what} of {words}", *difflib.unified_diff(
                    *(str(part).splitlines() for part in (their_part, our_part)), "Open vSwitch", "Weir", "", "", 1, ""), sep="\n")
    print(f"{n_compared} traces compared")
    if n_compared < n / 2:
        sys.exit("too few traces end")
    return n_wrong


def main():
    if sys.argv[1] == "groups":
        print("\n".join(GROUPS))
    elif sys.argv[1] == "flows":
        generator = Generator(int(sys.argv[3]))
        print("\n".join(generator.flow() for _ in range(int(sys.argv[2]))))
        print("\n".join(generator.conjunction() for _ in range(int(sys.argv[2]) // 20)))
    elif sys.argv[1] == "loose":
        generator = Generator(int(sys.argv[3]))
        print("\n".join(generator.loose_flow() for _ in range(int(sys.argv[2]))))
    else:
        n_wrong = compare(int(sys.argv[2]), int(sys.argv[3]), Switch(sys.argv[4]), Switch(sys.argv[5], True))
        sys.exit(n_wrong > 0)


if __name__ == "__main__":
    main()
