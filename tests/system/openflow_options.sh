#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Do options of tunnels become fields as with Open vSwitch: tables of them, flows that match and set them, what is
# refused?  WEIR_OF_VERSIONS="10 11 ...": in OpenFlow 1.0, 1.1 ...
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/reference.sh"

without_space() { sed 's/max option space=[0-9]*/max option space/'; } # Half as much: docs/differences-from-ovs.md.
ask() { same_through without_space "$@"; }
map() { echo "{class=0xffff,type=$1,len=$2}->tun_metadata$3"; }

step "a table"
ask dump-tlv-map br0
ask add-tlv-map br0 "$(map 0 4 0),$(map 1 8 3),$(map 2 16 63)"
ask dump-tlv-map br0
ask add-tlv-map br0 "$(map 0 4 1)"
ask add-tlv-map br0 "$(map 5 4 0)"
ask add-tlv-map br0 "$(map 6 4 7),$(map 6 4 8)"
ask add-tlv-map br0 "$(map 6 4 7),$(map 7 4 7)"
ask add-tlv-map br0 "$(map 6 124 7),$(map 7 124 8)"
ask dump-tlv-map br0

for version in ${WEIR_OF_VERSIONS:-10 13 15}; do
  step "flows in OpenFlow 1.${version#1}"
  o="-O OpenFlow$version"
  for match in tun_metadata0=5 tun_metadata0 tun_metadata0=0 tun_metadata0=0x12345678/0xff00ff \
    tun_metadata3=0x123456789 tun_metadata63=0x112233445566778899aabbccddeeff00 tun_metadata5=1 \
    tun_metadata0=1,tun_metadata3=2,tun_id=5; do
    ask $o add-flow br0 "$match,actions=set_field:5->tun_metadata0,load:7->NXM_NX_TUN_METADATA0[0..7],move:NXM_NX_TUN_METADATA0[0..31]->NXM_NX_REG0[],delete_field:tun_metadata0,1"
  done
  ask $o add-flow br0 "actions=set_field:0x5/0xf->tun_metadata3,push:NXM_NX_TUN_METADATA3[0..7]"
  same_sorted $o dump-flows br0
  ask $o del-flows br0
  ask $o add-flow br0 "actions=set_field:5->tun_metadata9"
done

step "what a flow has stays"
ask add-flow br0 tun_metadata0=5,actions=1
ask del-tlv-map br0 "$(map 0 4 0)"
ask del-tlv-map br0 "$(map 2 16 63)"
ask del-tlv-map br0 "$(map 9 8 9)"
ask dump-tlv-map br0
ask del-tlv-map br0
ask del-flows br0
ask del-tlv-map br0
ask dump-tlv-map br0
