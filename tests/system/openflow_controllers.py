# SPDX-License-Identifier: Apache-2.0
"""An application for os-ken: a switch that learns, in the version of OpenFlow that $OPENFLOW names (10, 13, 14, 15), which
asks for statistics all the time.  From 1.3 on requests of ARP go through a meter and a group; once both have counted
some, the meter is deleted, which takes the flow along, and then the group.  What it hears is written to $TOLD, a line
each."""

import os

from os_ken.base import app_manager
from os_ken.controller import ofp_event
from os_ken.controller.handler import CONFIG_DISPATCHER, MAIN_DISPATCHER, set_ev_cls
from os_ken.lib import hub
from os_ken.lib.packet import ethernet, packet
from os_ken.ofproto import ofproto_v1_0, ofproto_v1_3, ofproto_v1_4, ofproto_v1_5

VERSIONS = {"10": ofproto_v1_0, "13": ofproto_v1_3, "14": ofproto_v1_4, "15": ofproto_v1_5}
GROUP, METER = 7, 3
ARP, ARP_REQUEST = 0x0806, 1


class LearningSwitch(app_manager.OSKenApp):
    OFP_VERSIONS = [VERSIONS[os.environ["OPENFLOW"]].OFP_VERSION]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.stations = {}
        self.counts = {}
        self.told = open(os.environ["TOLD"], "w", buffering=1, encoding="utf-8")

    def tell(self, *words):
        print(*words, file=self.told)

    @staticmethod
    def is_old(datapath):
        return datapath.ofproto.OFP_VERSION == ofproto_v1_0.OFP_VERSION

    def add_flow(self, datapath, priority, match, actions, **more):
        parser, ofproto = datapath.ofproto_parser, datapath.ofproto
        if self.is_old(datapath):
            more["actions"] = actions
        else:
            more["instructions"] = [parser.OFPInstructionActions(ofproto.OFPIT_APPLY_ACTIONS, actions)]
        datapath.send_msg(parser.OFPFlowMod(datapath=datapath, priority=priority, match=match,
                                            command=ofproto.OFPFC_ADD, **more))

    @set_ev_cls(ofp_event.EventOFPSwitchFeatures, CONFIG_DISPATCHER)
    def on_features(self, event):
        datapath = event.msg.datapath
        parser, ofproto = datapath.ofproto_parser, datapath.ofproto
        self.tell("connected", f"{datapath.id:016x}")
        if not self.is_old(datapath):
            self.add_flow(datapath, 0, parser.OFPMatch(),
                          [parser.OFPActionOutput(ofproto.OFPP_CONTROLLER, ofproto.OFPCML_NO_BUFFER)])
            self.add_meter(datapath)
            self.change_group(datapath, ofproto.OFPGC_ADD, ofproto.OFPGT_INDIRECT)
            self.change_group(datapath, ofproto.OFPGC_MODIFY, ofproto.OFPGT_ALL)
            self.add_flow_through_both(datapath)
        hub.spawn(self.poll, datapath)

    @staticmethod
    def is_newest(datapath):
        return datapath.ofproto.OFP_VERSION >= ofproto_v1_5.OFP_VERSION

    @staticmethod
    def add_meter(datapath):
        parser, ofproto = datapath.ofproto_parser, datapath.ofproto
        bands = [parser.OFPMeterBandDrop(rate=100000, burst_size=100)]
        flags = ofproto.OFPMF_KBPS | ofproto.OFPMF_BURST | ofproto.OFPMF_STATS
        datapath.send_msg(parser.OFPMeterMod(datapath, ofproto.OFPMC_ADD, flags, METER, bands))

    def change_group(self, datapath, command, kind):
        parser, ofproto = datapath.ofproto_parser, datapath.ofproto
        actions = [parser.OFPActionOutput(ofproto.OFPP_FLOOD)]
        buckets = [parser.OFPBucket(actions=actions, **({"bucket_id": 1} if self.is_newest(datapath) else {}))]
        datapath.send_msg(parser.OFPGroupMod(datapath, command, kind, GROUP, buckets=buckets))

    def add_flow_through_both(self, datapath):
        parser, ofproto = datapath.ofproto_parser, datapath.ofproto
        actions, instructions = [parser.OFPActionGroup(GROUP)], []
        if self.is_newest(datapath):
            actions.insert(0, parser.OFPActionMeter(METER))
        else:
            instructions.append(parser.OFPInstructionMeter(METER, ofproto.OFPIT_METER))
        instructions.append(parser.OFPInstructionActions(ofproto.OFPIT_APPLY_ACTIONS, actions))
        datapath.send_msg(parser.OFPFlowMod(datapath=datapath, priority=2, match=parser.OFPMatch(
            eth_type=ARP, arp_op=ARP_REQUEST), command=ofproto.OFPFC_ADD, instructions=instructions))

    def poll_groups_and_meters(self, datapath):
        parser = datapath.ofproto_parser
        describe_meters = (parser.OFPMeterDescStatsRequest if self.is_newest(datapath)
                           else parser.OFPMeterConfigStatsRequest)
        requests = [describe_meters, parser.OFPMeterStatsRequest, parser.OFPGroupFeaturesStatsRequest,
                    parser.OFPGroupStatsRequest, parser.OFPGroupDescStatsRequest]
        if not self.is_newest(datapath):  # OpenFlow 1.5 made this reply longer; we send what ovs-ofctl expects.
            requests.append(parser.OFPMeterFeaturesStatsRequest)
        for request in requests:
            datapath.send_msg(request(datapath, 0))

    @set_ev_cls([ofp_event.EventOFPMeterConfigStatsReply, ofp_event.EventOFPMeterDescStatsReply], MAIN_DISPATCHER)
    def on_meters(self, event):
        self.tell("meters", *(f"{meter.meter_id}:{meter.bands[0].rate}" for meter in event.msg.body))

    @set_ev_cls(ofp_event.EventOFPMeterStatsReply, MAIN_DISPATCHER)
    def on_meter_statistics(self, event):
        for meter in event.msg.body:
            n_flows = meter.ref_count if self.is_newest(event.msg.datapath) else meter.flow_count
            self.counts["meter"] = meter.packet_in_count
            self.tell("meter", meter.meter_id, "has", n_flows, "flows,", len(meter.band_stats), "bands")

    @set_ev_cls(ofp_event.EventOFPGroupStatsReply, MAIN_DISPATCHER)
    def on_group_statistics(self, event):
        datapath = event.msg.datapath
        parser, ofproto = datapath.ofproto_parser, datapath.ofproto
        for group in event.msg.body:
            self.counts["group"] = group.packet_count
            self.tell("group", group.group_id, "has", group.ref_count, "flows,", len(group.bucket_stats), "buckets")
            if group.ref_count and self.counts.get("meter") and group.packet_count:
                self.tell("both have counted")
                datapath.send_msg(parser.OFPMeterMod(datapath, ofproto.OFPMC_DELETE, 0, METER))
            elif not group.ref_count:
                datapath.send_msg(parser.OFPGroupMod(datapath, ofproto.OFPGC_DELETE, ofproto.OFPGT_ALL, GROUP))

    @set_ev_cls(ofp_event.EventOFPGroupDescStatsReply, MAIN_DISPATCHER)
    def on_groups(self, event):
        self.tell("groups", *(f"{group.group_id}:{group.type}" for group in event.msg.body))

    @set_ev_cls(ofp_event.EventOFPGroupFeaturesStatsReply, MAIN_DISPATCHER)
    def on_group_features(self, event):
        self.tell("group features", event.msg.body.types)

    @set_ev_cls(ofp_event.EventOFPMeterFeaturesStatsReply, MAIN_DISPATCHER)
    def on_meter_features(self, event):
        self.tell("meter features", event.msg.body[0].band_types)

    @set_ev_cls(ofp_event.EventOFPPacketIn, MAIN_DISPATCHER)
    def on_packet(self, event):
        message = event.msg
        datapath = message.datapath
        parser, ofproto = datapath.ofproto_parser, datapath.ofproto
        in_port = message.in_port if self.is_old(datapath) else message.match["in_port"]
        frame = packet.Packet(message.data).get_protocols(ethernet.ethernet)[0]
        self.stations[frame.src] = in_port
        out_port = self.stations.get(frame.dst, ofproto.OFPP_FLOOD)
        actions = [parser.OFPActionOutput(out_port)]
        if out_port != ofproto.OFPP_FLOOD:
            if self.is_old(datapath):
                match = parser.OFPMatch(in_port=in_port, dl_dst=frame.dst)
            else:
                match = parser.OFPMatch(in_port=in_port, eth_dst=frame.dst)
            self.add_flow(datapath, 1, match, actions)
        more = {"match": parser.OFPMatch(in_port=in_port)} if self.is_newest(datapath) else {
            "in_port": in_port}
        datapath.send_msg(parser.OFPPacketOut(datapath=datapath, buffer_id=ofproto.OFP_NO_BUFFER, actions=actions,
                                              data=message.data, **more))

    def poll(self, datapath):
        parser, ofproto = datapath.ofproto_parser, datapath.ofproto
        while True:
            if self.is_old(datapath):
                flows = parser.OFPFlowStatsRequest(datapath, 0, parser.OFPMatch(), 0xff, ofproto.OFPP_NONE)
                ports = parser.OFPPortStatsRequest(datapath, 0, ofproto.OFPP_NONE)
            else:
                # What all others call the statistics of flows, 1.5 calls their description.
                flows = (parser.OFPFlowDescStatsRequest if self.is_newest(datapath)
                         else parser.OFPFlowStatsRequest)(datapath)
                ports = parser.OFPPortStatsRequest(datapath, 0, ofproto.OFPP_ANY)
                datapath.send_msg(parser.OFPTableStatsRequest(datapath, 0))
                datapath.send_msg(parser.OFPPortDescStatsRequest(datapath, 0))
                self.poll_groups_and_meters(datapath)
            datapath.send_msg(parser.OFPDescStatsRequest(datapath, 0))
            datapath.send_msg(flows)
            datapath.send_msg(ports)
            hub.sleep(0.2)

    @set_ev_cls([ofp_event.EventOFPFlowStatsReply, ofp_event.EventOFPFlowDescStatsReply], MAIN_DISPATCHER)
    def on_flows(self, event):
        learned = [flow for flow in event.msg.body if flow.priority == 1]
        if learned:
            self.tell("learned", len(learned), "flows")

    @set_ev_cls(ofp_event.EventOFPPortStatsReply, MAIN_DISPATCHER)
    def on_ports(self, event):
        self.tell("ports", *sorted(port.port_no for port in event.msg.body))

    @set_ev_cls(ofp_event.EventOFPTableStatsReply, MAIN_DISPATCHER)
    def on_tables(self, event):
        self.tell("tables", len(event.msg.body))

    @set_ev_cls(ofp_event.EventOFPPortDescStatsReply, MAIN_DISPATCHER)
    def on_port_names(self, event):
        self.tell("names", *sorted(port.name.decode() for port in event.msg.body))

    @set_ev_cls(ofp_event.EventOFPDescStatsReply, MAIN_DISPATCHER)
    def on_description(self, event):
        self.tell("description")

    @set_ev_cls(ofp_event.EventOFPErrorMsg, [CONFIG_DISPATCHER, MAIN_DISPATCHER])
    def on_error(self, event):
        self.tell("error", event.msg.type, event.msg.code)
