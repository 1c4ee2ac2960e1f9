/* SPDX-License-Identifier: Apache-2.0 */

/* Frames for a switch, from hexadecimal digits or from fields, which they then have. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/annotations.h"
#include "lib/checksum.h"
#include "lib/openflow/flow_text.h"
#include "lib/openflow/frame_text.h"
#include "lib/openflow/packet_text.h"
#include "lib/openflow/wire.h"

static void parse(const char *text, struct buffer *frame)
{
    struct of_packet_out packet;
    struct error error = ERROR_INIT;

    if (of_packet_out_parse(text, NULL, frame, &packet, &error))
        fail_msg("%s: %s", text, error.message);
    assert_ptr_equal(packet.frame, frame->data);
    assert_int_equal(packet.frame_bytes, frame->size);
    of_packet_out_fini(&packet);
}

static void frames_have_their_fields(void **state)
{
    static const struct {
        const char *fields, *shown; /* Of the frame; NULL: the same. */
    } cases[] = {
        {"dl_src=02:00:00:00:00:01,dl_dst=02:00:00:00:00:02",
         "vlan_tci=0x0000,dl_src=02:00:00:00:00:01,dl_dst=02:00:00:00:00:02,dl_type=0x88b5"},
        {"tcp,nw_src=10.0.0.1,nw_dst=10.0.0.2,tp_src=1000,tp_dst=80,tcp_flags=syn",
         "tcp,vlan_tci=0x0000,dl_src=00:00:00:00:00:00,dl_dst=00:00:00:00:00:00,nw_src=10.0.0.1,"
         "nw_dst=10.0.0.2,nw_tos=0,nw_ecn=0,nw_ttl=64,nw_frag=no,tp_src=1000,tp_dst=80,"
         "tcp_flags=syn tcp_csum:97a8"},
        {"udp6,dl_vlan=5,dl_vlan_pcp=3,ipv6_src=fe80::1,ipv6_dst=fe80::2,ipv6_label=0x12345,"
         "nw_tos=32,nw_ttl=3,tp_dst=53",
         "udp6,dl_vlan=5,dl_vlan_pcp=3,vlan_tci1=0x0000,dl_src=00:00:00:00:00:00,"
         "dl_dst=00:00:00:00:00:00,ipv6_src=fe80::1,ipv6_dst=fe80::2,ipv6_label=0x12345,"
         "nw_tos=32,nw_ecn=0,nw_ttl=3,nw_frag=no,tp_src=0,tp_dst=53 udp_csum:2a5"},
        {"arp,arp_op=2,arp_spa=10.0.0.1,arp_tha=02:00:00:00:00:03",
         "arp,vlan_tci=0x0000,dl_src=00:00:00:00:00:00,dl_dst=00:00:00:00:00:00,"
         "arp_spa=10.0.0.1,arp_tpa=0.0.0.0,arp_op=2,arp_sha=00:00:00:00:00:00,"
         "arp_tha=02:00:00:00:00:03"},
        {"icmp6,icmp_type=135,icmp_code=0,nd_target=fe80::5,nd_sll=02:00:00:00:00:07", ""},
        {"icmp,icmp_type=8,ip_frag=first", ""},
        {"ip,ip_frag=later,nw_proto=17", ""},
        {"ipv6,ip_frag=later", ""},
        {"sctp,tp_src=5", ""},
        {"mpls,mpls_label=7,mpls_tc=2,mpls_bos=1,mpls_ttl=9", ""},
        {"mpls,mpls_bos=0", ""},
        {"ip,nw_proto=0", ""},
        {"ipv6", ""},
        {"vlan_tci=0x1000/0x1000", ""},
        {"ip,nw_src=10.0.0.0/8", ""},
        {"dl_type=0x1234", ""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct buffer frame = BUFFER_INIT, text = BUFFER_INIT;

        buffer_printf(&text, "in_port=1,%s actions=drop", cases[i].fields);
        parse(buffer_text(&text), &frame);
        buffer_clear(&text);
        of_frame_format(frame.data, frame.size, &text);
        text.size--; /* The line break. */
        if (*cases[i].shown)
            assert_string_equal(buffer_text(&text), cases[i].shown);
        assert_true(frame.size >= 60);
        buffer_fini(&frame);
        buffer_fini(&text);
    }
}

/* Over all that a checksum covers it adds up to all ones. */
static void checksums_are_right(void **state)
{
    static const char *const texts[] = {"tcp,nw_src=10.0.0.1,nw_dst=10.9.0.2,tp_dst=7",
                                        "udp,nw_src=10.0.0.1,nw_dst=10.9.0.2,tp_dst=7"};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        struct buffer frame = BUFFER_INIT, text = BUFFER_INIT;

        buffer_printf(&text, "in_port=1 %s actions=1", texts[i]);
        parse(buffer_text(&text), &frame);
        const uint8_t *ip = frame.data + 14;
        uint16_t n_bytes = (uint16_t)(wire_u16(ip + 2) - 20);
        uint64_t sum = checksum_add_pseudo_ipv4(0, be32_load(ip + 12), be32_load(ip + 16), ip[9],
                                                n_bytes);
        assert_int_equal(checksum_fold(checksum_add(0, ip, 20)).raw, UINT16_MAX);
        assert_int_equal(checksum_fold(checksum_add(sum, ip + 20, n_bytes)).raw, UINT16_MAX);
        buffer_fini(&frame);
        buffer_fini(&text);
    }
}

static void metadata_goes_beside_the_frame(void **state)
{
    struct buffer frame = BUFFER_INIT, text = BUFFER_INIT;
    struct of_packet_out packet;

    (void)state;
    assert_int_equal(of_packet_out_parse("in_port=7,reg1=5,metadata=9,tcp,tp_dst=80 actions=1",
                                         NULL, &frame, &packet, NULL),
                     0);
    of_match_format(&packet.metadata, NULL, &text);
    assert_string_equal(buffer_text(&text), "reg1=0x5,metadata=0x9");
    assert_int_equal(packet.in_port, 7);
    of_packet_out_fini(&packet);
    buffer_fini(&frame);
    buffer_fini(&text);
}

static void what_is_no_frame_is_refused_by_name(void **state)
{
    static const struct {
        const char *text, *sentence;
    } cases[] = {
        {"in_port=1 actions=1", "there is no frame"},
        {"tcp actions=1", "a frame needs an in_port"},
        {"in_port=1 packet=020000000001020000000002080045 tcp actions=1",
         "only metadata, registers and pkt_mark"},
        {"in_port=1 packet=02 actions=1", "a frame has 14 to 65000 bytes"},
        {"in_port=1 packet=0x actions=1", "hexadecimal digits"},
        {"in_port=1 tcp,ip_frag=later,tp_dst=80 actions=1", "tp_dst: matches nothing"},
        {"in_port=1 ct_state=+trk actions=1", "no frame has these fields"},
        {"in_port=1 dl_type=0x100 actions=1", "no frame has these fields"},
        {"in_port=1 tcp,nonsense=1 actions=1", "nonsense: no such field"},
        {"in_port=1 tp_dst=80 actions=1", "tp_dst"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct buffer frame = BUFFER_INIT;
        struct of_packet_out packet;
        struct error error = ERROR_INIT;

        assert_int_not_equal(of_packet_out_parse(cases[i].text, NULL, &frame, &packet, &error), 0);
        if (!strstr(error.message, cases[i].sentence))
            fail_msg("%s: %s", cases[i].text, error.message);
        of_packet_out_fini(&packet);
        buffer_fini(&frame);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_have_their_fields),
        cmocka_unit_test(checksums_are_right),
        cmocka_unit_test(metadata_goes_beside_the_frame),
        cmocka_unit_test(what_is_no_frame_is_refused_by_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
