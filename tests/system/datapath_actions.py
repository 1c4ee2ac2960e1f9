# SPDX-License-Identifier: Apache-2.0
"""What datapath actions, as text, do to a frame whose flow is known: the frames that each port gets.  Two texts mean
the same if these are equal, whatever they set in between and in which order ports are served."""

import ipaddress
import re

# Fields of flows, as traces print them, and of set().
FIELDS = {"dl_src": ["eth.src"], "dl_dst": ["eth.dst"], "nw_src": ["ipv4.src"], "nw_dst": ["ipv4.dst"],
          "ipv6_src": ["ipv6.src"], "ipv6_dst": ["ipv6.dst"], "nw_ttl": ["ipv4.ttl", "ipv6.hlimit"],
          "tp_src": ["tcp.src", "udp.src", "sctp.src"], "tp_dst": ["tcp.dst", "udp.dst", "sctp.dst"],
          "arp_spa": ["arp.sip"], "arp_tpa": ["arp.tip"], "arp_op": ["arp.op"], "arp_sha": ["arp.sha"],
          "arp_tha": ["arp.tha"]}
IGNORED = {"skb_mark", "tunnel", "skb_priority"}  # Nobody behind a port of this kind sees these.


def number(text):
    if re.fullmatch(r"[0-9a-f]{1,2}(:[0-9a-f]{1,2}){5}", text):
        return int("".join(part.zfill(2) for part in text.split(":")), 16)
    if "." in text or ":" in text:
        return int(ipaddress.ip_address(text))
    return int(text, 0)


def split(text):
    """At commas that are in no parentheses."""
    parts, depth, start = [], 0, 0
    for i, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if letter == "," and not depth:
            parts.append(text[start:i])
            start = i + 1
    return [part for part in parts + [text[start:]] if part]


def arguments(text):
    return dict(part.split("=", 1) for part in split(text) if "=" in part)


class Frame:
    def __init__(self, flow):
        values = arguments(flow)
        self.fields = {name: number(values[key]) for key, names in FIELDS.items() if key in values for name in names}
        tos = int(values.get("nw_tos", 0)) | int(values.get("nw_ecn", 0))
        self.fields |= {"ipv4.tos": tos, "ipv6.tclass": tos}
        self.tags = [{"vid": int(values["dl_vlan"]), "pcp": int(values["dl_vlan_pcp"])}] if "dl_vlan" in values else []
        self.labels = [{key: int(values.get(f"mpls_{key}", 0)) for key in ("label", "tc", "ttl", "bos")}] \
            if "mpls_label" in values else []

    def copy(self):
        other = Frame("")
        other.fields = dict(self.fields)
        other.tags, other.labels = [dict(tag) for tag in self.tags], [dict(label) for label in self.labels]
        return other

    def state(self):
        return str((sorted(self.fields.items()), self.tags, self.labels))

    def set(self, kind, values):
        if kind in ("vlan", "mpls"):
            top = (self.tags if kind == "vlan" else self.labels)[-1]
            for key, value in values.items():
                value, _, mask = value.partition("/")
                if key in top and not (mask and number(mask) == 0):
                    top[key] = number(value)
            return
        for key, value in values.items():
            value, _, mask = value.partition("/")
            name, mask = f"{kind}.{key}", number(mask) if mask else (1 << 128) - 1
            self.fields[name] = self.fields.get(name, 0) & ~mask | number(value) & mask


def execute(text, frame, outputs):
    before = ""
    for action in split(text):
        name, _, rest = action.partition("(")
        rest = rest[:-1]
        if name == "set":
            kind, _, values = rest.partition("(")
            if kind not in IGNORED:
                frame.set(kind, arguments(values[:-1]))
        elif name == "push_vlan":
            values = arguments(rest)
            frame.tags.append({"vid": int(values["vid"]), "pcp": int(values["pcp"])})
        elif name == "pop_vlan":
            frame.tags.pop()
        elif name == "push_mpls":
            values = arguments(rest)
            frame.labels.append({key: int(values[key]) for key in ("label", "tc", "ttl", "bos")})
        elif name == "pop_mpls":
            frame.labels.pop()
        elif name == "clone":
            execute(rest, frame.copy(), outputs)
        elif name == "trunc":
            before = action + ","
        elif name != "drop":
            outputs.setdefault(before + action, []).append(frame.state())
            before = ""


def outcome(flow, text):
    """'flow' is the line that begins a trace."""
    outputs = {}
    execute(text, Frame(flow), outputs)
    return {port: sorted(frames) for port, frames in sorted(outputs.items())}
