/* SPDX-License-Identifier: Apache-2.0 */

/* Kernel ports, in a network namespace of the test's own.  The test plays two guests: it holds the descriptors of two
 * taps, as a hypervisor would, and the datapath has their netdevs as ports:
 *
 *     test <- fd - one - netdev -> datapath <- netdev - two - fd -> test
 *
 * Everything that depends on how frames come in is tried by the exception tap and by AF_PACKET.  Skipped
 * without the privilege. */

#include "tests/unit/datapath/cmocka_all.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "datapath/internal.h"
#include "lib/netlink/link.h"
#include "lib/netlink/qdisc.h"
#include "tests/unit/datapath/frames.h"

enum {
    ALL_OFFLOADS = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN,
    BIG_FRAME = 70000,
    MARK_TYPE = 0x88b6, /* What small test frames are known by. */
    PATIENCE_MS = 2000,
    MSS = 1400,
    PORT_ONE = 1, /* The lowest numbers, in order of creation. */
    PORT_TWO = 2,
};

struct big_frame {
    struct virtio_net_hdr vnet;
    uint8_t bytes[BIG_FRAME];
    size_t size;
};

struct guest {
    const char *name;
    int fd;
    uint32_t port_no;
};

struct net {
    struct datapath *dp;
    struct guest one, two;
    struct dp_actions actions; /* Before "to the other port". */
    struct big_frame *sent, *got;
};

static void translate(void *aux, const struct flow_key *key, const struct packet *packet,
                      int64_t now_ns, struct verdict *verdict)
{
    struct net *net = aux;

    (void)packet;
    (void)now_ns;
    verdict->actions = net->actions;
    verdict->mask.in_port = be32_from(UINT32_MAX);
    verdict->actions.list[verdict->actions.n++] = (struct dp_action){
        .type = DP_OUTPUT,
        .arg = be32_host(key->in_port) == PORT_ONE ? PORT_TWO : PORT_ONE,
    };
}

static void guest_start(struct guest *guest, const char *name, unsigned int offloads, int mtu)
{
    struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR};

    guest->name = name;
    guest->fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
    assert_int_equal(ioctl(guest->fd, TUNSETIFF, &request), 0);
    assert_int_equal(ioctl(guest->fd, TUNSETOFFLOAD, offloads), 0);
    link_set_silent(name, NULL);
    assert_int_equal(link_set_mtu(name, mtu, NULL), 0);
    assert_int_equal(link_set_up(name, NULL), 0);
}

/* Verdicts do 'first' (NULL: nothing), then output to the other port. */
static struct net *net_start_with(const struct dp_action *first, bool has_exception_tap,
                                  unsigned int offloads_of_two, int mtu_of_two)
{
    static const struct datapath_ops ops = {.translate = translate};
    const struct datapath_config config = {.n_workers = 1, .instance = "t"};
    struct error error = ERROR_INIT;
    struct net *net = calloc(1, sizeof *net);

    if (first)
        net->actions.list[net->actions.n++] = *first;
    net->sent = calloc(1, sizeof *net->sent);
    net->got = calloc(1, sizeof *net->got);
    guest_start(&net->one, "one", ALL_OFFLOADS, 9000);
    guest_start(&net->two, "two", offloads_of_two, mtu_of_two);
    net->dp = datapath_create(&config, &ops, net, &error);
    net->dp->exception_tap_refusal.code = has_exception_tap ? 0 : -EPERM;

    struct guest *guests[] = {&net->one, &net->two};
    for (size_t i = 0; i < 2; i++) {
        const struct dp_port_config port = {.name = guests[i]->name, .type = DP_PORT_NETDEV};

        if (datapath_port_add(net->dp, &port, &guests[i]->port_no, &error))
            fail_msg("%s", error.message);
        assert_string_equal(datapath_port_path(net->dp, guests[i]->port_no),
                            has_exception_tap ? "TC" : "AF_PACKET");
    }
    return net;
}

static struct net *net_start(bool has_exception_tap, unsigned int offloads_of_two, int mtu_of_two)
{
    return net_start_with(NULL, has_exception_tap, offloads_of_two, mtu_of_two);
}

static void net_stop(struct net *net)
{
    datapath_destroy(net->dp);
    close(net->one.fd);
    close(net->two.fd);
    free(net->sent);
    free(net->got);
    free(net);
}

static void guest_send(const struct guest *guest, const struct big_frame *frame)
{
    uint8_t *bytes = malloc(sizeof frame->vnet + frame->size);

    memcpy(bytes, &frame->vnet, sizeof frame->vnet);
    memcpy(bytes + sizeof frame->vnet, frame->bytes, frame->size);
    assert_int_equal(write(guest->fd, bytes, sizeof frame->vnet + frame->size),
                     sizeof frame->vnet + frame->size);
    free(bytes);
}

/* The next frame of the test (not the host's own chatter).  False: none came. */
static bool guest_receive(const struct guest *guest, struct big_frame *frame)
{
    struct pollfd ready = {.fd = guest->fd, .events = POLLIN};
    uint8_t *bytes = malloc(BIG_FRAME);
    bool is_ours = false;

    while (!is_ours && poll(&ready, 1, PATIENCE_MS) > 0) {
        ssize_t n = read(guest->fd, bytes, BIG_FRAME);

        if (n < (ssize_t)sizeof frame->vnet)
            break;
        memcpy(&frame->vnet, bytes, sizeof frame->vnet);
        frame->size = (size_t)n - sizeof frame->vnet;
        memcpy(frame->bytes, bytes + sizeof frame->vnet, frame->size);
        is_ours = !memcmp(frame->bytes, &FRAME_BOB, 6);
    }
    free(bytes);
    return is_ours;
}

/* Frames */

/* A TCP super-frame of 'payload_bytes', behind tags of 'n_tags' types, its checksum left to hardware. */
static void make_super_frame(struct big_frame *frame, const uint16_t *tags, size_t n_tags,
                             size_t payload_bytes)
{
    struct frame head;

    frame_ethernet(&head, n_tags ? tags[0] : ETH_TYPE_IPV4);
    for (size_t i = 0; i < n_tags; i++) {
        frame_put16(&head, (uint16_t)(10 + i));
        frame_put16(&head, i + 1 < n_tags ? tags[i + 1] : ETH_TYPE_IPV4);
    }
    size_t l3 = head.size, l4 = l3 + 20;
    frame_ipv4(&head, IP_PROTO_TCP, 20 + payload_bytes);
    uint8_t tcp[20] = {0, 80, 0, 81, 0, 0, 0, 0, 0, 0, 0, 0, 0x50, 0x10};
    be16 sum = checksum_fold(checksum_add_pseudo_ipv4(0, be32_load(head.bytes + l3 + 12),
                                                      be32_load(head.bytes + l3 + 16), IP_PROTO_TCP,
                                                      (uint16_t)(20 + payload_bytes)));
    memcpy(tcp + 16, &sum, sizeof sum);
    frame_put(&head, tcp, sizeof tcp);

    memcpy(frame->bytes, head.bytes, head.size);
    for (size_t i = 0; i < payload_bytes; i++)
        frame->bytes[head.size + i] = (uint8_t)(i * 31 >> 3);
    frame->size = head.size + payload_bytes;
    frame->vnet = (struct virtio_net_hdr){
        .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
        .gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
        .gso_size = MSS,
        .hdr_len = (uint16_t)(l4 + 20),
        .csum_start = (uint16_t)l4,
        .csum_offset = 16,
    };
}

static void make_small_frame(struct big_frame *frame, size_t size)
{
    memset(frame, 0, sizeof *frame);
    memcpy(frame->bytes, &FRAME_BOB, 6);
    memcpy(frame->bytes + 6, &FRAME_ALICE, 6);
    be16_store(frame->bytes + 12, MARK_TYPE);
    for (size_t i = 14; i < size; i++)
        frame->bytes[i] = (uint8_t)i;
    frame->size = size;
}

static const struct {
    uint16_t tags[2];
    size_t n;
} tag_stacks[] = {
    {{0}, 0},
    {{ETH_TYPE_VLAN}, 1},
    {{ETH_TYPE_QINQ}, 1},
    {{ETH_TYPE_QINQ, ETH_TYPE_VLAN}, 2},
};

static void expect_same(const struct big_frame *sent, const struct big_frame *got)
{
    assert_int_equal(got->size, sent->size);
    assert_memory_equal(got->bytes, sent->bytes, sent->size);
}

static uint64_t dropped(struct net *net, enum drop_reason reason)
{
    struct dp_port_stats stats;

    assert_int_equal(datapath_port_get_stats(net->dp, net->one.port_no, &stats), 0);
    return stats.dropped[reason];
}

/* The counter follows the frame at some distance, and the host may have sent something too. */
static void expect_dropped(struct net *net, enum drop_reason reason, uint64_t n)
{
    for (int i = 0; i < PATIENCE_MS && dropped(net, reason) < n; i++)
        poll(NULL, 0, 1);
    assert_true(dropped(net, reason) >= n);
}

/* Tests, by both paths */

static void super_frames_pass_whole(bool has_exception_tap)
{
    struct net *net = net_start(has_exception_tap, ALL_OFFLOADS, 1500);

    for (size_t i = 0; i < ARRAY_SIZE(tag_stacks); i++) {
        make_super_frame(net->sent, tag_stacks[i].tags, tag_stacks[i].n, 40000);
        guest_send(&net->one, net->sent);
        assert_true(guest_receive(&net->two, net->got));
        expect_same(net->sent, net->got);
        assert_int_equal(net->got->vnet.flags, VIRTIO_NET_HDR_F_NEEDS_CSUM);
        assert_int_equal(net->got->vnet.gso_type, VIRTIO_NET_HDR_GSO_TCPV4);
        assert_int_equal(net->got->vnet.gso_size, MSS);
        assert_int_equal(net->got->vnet.csum_start, net->sent->vnet.csum_start);
    }
    net_stop(net);
}

static void super_frames_are_cut_for_a_guest_without_offloads(bool has_exception_tap)
{
    struct net *net = net_start(has_exception_tap, 0, 1500);

    for (size_t i = 0; i < ARRAY_SIZE(tag_stacks); i++) {
        size_t l3 = 14 + 4 * tag_stacks[i].n, n_bytes = 0;

        make_super_frame(net->sent, tag_stacks[i].tags, tag_stacks[i].n, 10000);
        guest_send(&net->one, net->sent);
        while (n_bytes < 10000) {
            assert_true(guest_receive(&net->two, net->got));
            assert_int_equal(net->got->vnet.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM, 0);
            assert_int_equal(net->got->vnet.gso_type, VIRTIO_NET_HDR_GSO_NONE);
            assert_true(net->got->size <= l3 + 40 + MSS);
            assert_memory_equal(net->got->bytes, net->sent->bytes, l3);
            assert_true(frame_is_sound(net->got->bytes, net->got->size, l3, IP_PROTO_TCP));
            assert_int_equal(be32_host(be32_load(net->got->bytes + l3 + 24)), n_bytes);
            assert_memory_equal(net->got->bytes + l3 + 40, net->sent->bytes + l3 + 40 + n_bytes,
                                net->got->size - l3 - 40);
            n_bytes += net->got->size - l3 - 40;
        }
        assert_int_equal(n_bytes, 10000);
    }
    net_stop(net);
}

static void pushed_tags_keep_the_metadata_right(bool has_exception_tap)
{
    const struct dp_action push = {.type = DP_PUSH_VLAN,
                                   .arg = (uint32_t)ETH_TYPE_VLAN << 16 | 0x2007};
    struct net *net = net_start_with(&push, has_exception_tap, ALL_OFFLOADS, 1500);

    make_super_frame(net->sent, NULL, 0, 20000);
    guest_send(&net->one, net->sent);
    assert_true(guest_receive(&net->two, net->got));
    assert_int_equal(net->got->size, net->sent->size + 4);
    assert_int_equal(net->got->vnet.csum_start, net->sent->vnet.csum_start + 4);
    assert_int_equal(net->got->vnet.gso_type, VIRTIO_NET_HDR_GSO_TCPV4);
    assert_int_equal(be16_host(be16_load(net->got->bytes + 14)), 0x2007);
    assert_memory_equal(net->got->bytes + 16, net->sent->bytes + 12, net->sent->size - 12);
    net_stop(net);
}

static void jumbo_frames_pass_where_they_fit(bool has_exception_tap)
{
    struct net *net = net_start(has_exception_tap, ALL_OFFLOADS, 9000);

    make_small_frame(net->sent, 9014);
    guest_send(&net->one, net->sent);
    assert_true(guest_receive(&net->two, net->got));
    expect_same(net->sent, net->got);
    for (size_t size = 14; size < 80; size += 11) {
        make_small_frame(net->sent, size);
        guest_send(&net->one, net->sent);
        assert_true(guest_receive(&net->two, net->got));
        expect_same(net->sent, net->got);
    }
    net_stop(net);
}

static void frames_that_cannot_be_sent_are_counted(bool has_exception_tap)
{
    struct net *net = net_start(has_exception_tap, ALL_OFFLOADS, 1500);
    struct link_info link;

    make_small_frame(net->sent, 3000);
    guest_send(&net->one, net->sent);
    expect_dropped(net, DROP_TOO_LONG, 1);

    /* A bad one does not stop those behind it. */
    make_small_frame(net->sent, 100);
    guest_send(&net->one, net->sent);
    assert_true(guest_receive(&net->two, net->got));

    assert_int_equal(link_set_down("two", NULL), 0);
    assert_int_equal(link_get("two", &link, NULL), 0);
    datapath_port_set_link(net->dp, net->two.port_no, &link);
    guest_send(&net->one, net->sent);
    expect_dropped(net, DROP_TX_DOWN, 1);

    close(net->two.fd); /* The device goes. */
    guest_send(&net->one, net->sent);
    expect_dropped(net, DROP_NO_PORT, 1);
    datapath_port_remove(net->dp, net->two.port_no);
    guest_send(&net->one, net->sent);
    expect_dropped(net, DROP_NO_PORT, 2);

    /* It returns under the same name. */
    guest_start(&net->two, "two", ALL_OFFLOADS, 1500);
    const struct dp_port_config port = {.name = "two", .type = DP_PORT_NETDEV};
    assert_int_equal(datapath_port_add(net->dp, &port, &net->two.port_no, NULL), 0);
    datapath_invalidate(net->dp, DP_SLOT_ALL);
    guest_send(&net->one, net->sent);
    assert_true(guest_receive(&net->two, net->got));
    net_stop(net);
}

#define BY_BOTH_PATHS(test)                    \
    static void test##_by_tap(void **state)    \
    {                                          \
        (void)state;                           \
        test(true);                            \
    }                                          \
    static void test##_by_packet(void **state) \
    {                                          \
        (void)state;                           \
        test(false);                           \
    }
BY_BOTH_PATHS(super_frames_pass_whole)
BY_BOTH_PATHS(super_frames_are_cut_for_a_guest_without_offloads)
BY_BOTH_PATHS(pushed_tags_keep_the_metadata_right)
BY_BOTH_PATHS(jumbo_frames_pass_where_they_fit)
BY_BOTH_PATHS(frames_that_cannot_be_sent_are_counted)

/* Opening and closing */

static void an_internal_port_is_a_tap_that_comes_and_goes(void **state)
{
    static const struct datapath_ops ops = {.translate = translate};
    const struct mac mac = {{2, 0, 0, 0, 0, 9}};
    const struct dp_port_config port = {
        .name = "br0", .type = DP_PORT_INTERNAL, .mac = &mac, .mtu = 4000};
    struct datapath *dp = datapath_create(&(struct datapath_config){.n_workers = 2}, &ops, NULL,
                                          NULL);
    struct link_info info;
    uint32_t port_no;

    (void)state;
    assert_int_equal(datapath_port_add(dp, &port, &port_no, NULL), 0);
    assert_string_equal(datapath_port_path(dp, port_no), "TC");
    assert_int_equal(link_get("br0", &info, NULL), 0);
    assert_true(mac_is_equal(info.mac, mac));
    assert_int_equal(info.mtu, 4000);
    datapath_port_remove(dp, port_no);
    assert_int_equal(link_get("br0", &info, NULL), -ENODEV);
    datapath_destroy(dp);
}

static void a_tap_left_by_a_crash_is_taken_over(void **state)
{
    static const struct datapath_ops ops = {.translate = translate};
    const struct dp_port_config port = {.name = "br0", .type = DP_PORT_INTERNAL};
    struct guest leftover;
    struct link_info info;
    uint32_t port_no;

    (void)state;
    guest_start(&leftover, "br0", 0, 1500);
    assert_int_equal(ioctl(leftover.fd, TUNSETPERSIST, 1), 0);
    close(leftover.fd);
    struct datapath *dp = datapath_create(&(struct datapath_config){.n_workers = 1}, &ops, NULL,
                                          NULL);
    assert_int_equal(datapath_port_add(dp, &port, &port_no, NULL), 0);
    datapath_destroy(dp);
    assert_int_equal(link_get("br0", &info, NULL), -ENODEV);
}

static void opening_explains_what_is_wrong(void **state)
{
    static const struct datapath_ops ops = {.translate = translate};
    struct datapath *dp = datapath_create(&(struct datapath_config){.n_workers = 1}, &ops, NULL,
                                          NULL);
    struct error error = ERROR_INIT;
    struct guest other;
    uint32_t port_no;

    (void)state;
    const struct dp_port_config absent = {.name = "nosuch0", .type = DP_PORT_NETDEV};
    assert_int_equal(datapath_port_add(dp, &absent, &port_no, &error), -ENODEV);
    assert_string_equal(error.message, "nosuch0: no such interface");

    const struct dp_port_config taken = {.name = "lo", .type = DP_PORT_INTERNAL};
    assert_int_equal(datapath_port_add(dp, &taken, &port_no, &error), -EEXIST);
    assert_string_equal(error.message, "lo: there is another interface of this name");

    guest_start(&other, "busy", 0, 1500);
    const struct dp_port_config busy = {.name = "busy", .type = DP_PORT_INTERNAL};
    assert_int_equal(datapath_port_add(dp, &busy, &port_no, &error), -EBUSY);
    assert_string_equal(error.message, "busy: another process uses the tap of this name");
    close(other.fd);
    datapath_destroy(dp);
}

static void nothing_stays_behind(void **state)
{
    struct net *net = net_start(true, ALL_OFFLOADS, 1500);
    struct link_info one, miss;

    (void)state;
    assert_int_equal(link_get("one", &one, NULL), 0);
    assert_int_equal(qdisc_n_clsact_filters(one.ifindex) > 0, true);
    assert_int_equal(link_get("t-miss", &miss, NULL), 0);
    datapath_port_remove(net->dp, net->one.port_no);
    assert_int_equal(qdisc_n_clsact_filters(one.ifindex), 0);
    net_stop(net);
    assert_int_equal(link_get("t-miss", &miss, NULL), -ENODEV);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(super_frames_pass_whole_by_tap),
        cmocka_unit_test(super_frames_pass_whole_by_packet),
        cmocka_unit_test(super_frames_are_cut_for_a_guest_without_offloads_by_tap),
        cmocka_unit_test(super_frames_are_cut_for_a_guest_without_offloads_by_packet),
        cmocka_unit_test(pushed_tags_keep_the_metadata_right_by_tap),
        cmocka_unit_test(pushed_tags_keep_the_metadata_right_by_packet),
        cmocka_unit_test(jumbo_frames_pass_where_they_fit_by_tap),
        cmocka_unit_test(jumbo_frames_pass_where_they_fit_by_packet),
        cmocka_unit_test(frames_that_cannot_be_sent_are_counted_by_tap),
        cmocka_unit_test(frames_that_cannot_be_sent_are_counted_by_packet),
        cmocka_unit_test(an_internal_port_is_a_tap_that_comes_and_goes),
        cmocka_unit_test(a_tap_left_by_a_crash_is_taken_over),
        cmocka_unit_test(opening_explains_what_is_wrong),
        cmocka_unit_test(nothing_stays_behind),
    };

    if (geteuid() || unshare(CLONE_NEWNET) || access("/dev/net/tun", R_OK | W_OK)) {
        fprintf(stderr, "skipped: needs root and /dev/net/tun\n");
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
