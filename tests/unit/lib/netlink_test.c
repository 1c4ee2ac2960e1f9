/* SPDX-License-Identifier: Apache-2.0 */

/* Needs a network namespace of its own; skipped where it may not have one. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <ev.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "lib/netlink/link.h"
#include "lib/netlink/link_watch.h"

static int make_tap(const char *name)
{
    struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI};
    int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
    assert_true(fd >= 0);
    assert_int_equal(ioctl(fd, TUNSETIFF, &request), 0);
    return fd;
}

static void a_device_is_described_and_configured(void **state)
{
    const struct mac mac = {{2, 0, 0, 0, 0, 7}};
    struct link_info info;
    struct link_stats stats;
    struct link_driver driver;
    int fd = make_tap("t0");

    (void)state;
    assert_int_equal(link_set_mac("t0", mac, NULL), 0);
    assert_int_equal(link_set_mtu("t0", 4000, NULL), 0);
    assert_int_equal(link_set_silent("t0", NULL), 0);
    assert_int_equal(link_set_txqlen("t0", 77, NULL), 0);
    assert_int_equal(link_set_up("t0", NULL), 0);
    assert_int_equal(link_get("t0", &info, NULL), 0);
    assert_true(info.ifindex > 0);
    assert_string_equal(info.kind, "tun");
    assert_true(info.flags & IFF_UP);
    assert_true(info.has_carrier);
    assert_true(mac_is_equal(info.mac, mac));
    assert_int_equal(info.mtu, 4000);
    assert_int_equal(link_get_by_index(info.ifindex, &info, NULL), 0);
    assert_string_equal(info.name, "t0");
    assert_int_equal(link_get_stats("t0", &stats, NULL), 0);
    assert_int_equal(link_get_driver("t0", &driver, NULL), 0);
    assert_string_equal(driver.name, "tun");
    assert_int_equal(link_set_down("t0", NULL), 0);
    assert_int_equal(link_get("t0", &info, NULL), 0);
    assert_false(info.flags & IFF_UP);
    close(fd);
}

static void an_unknown_name_is_an_error_that_names_it(void **state)
{
    struct error error = ERROR_INIT;
    struct link_info info;

    (void)state;
    assert_int_equal(link_get("nosuch0", &info, &error), -ENODEV);
    assert_string_equal(error.message, "nosuch0: no such interface");
    assert_int_equal(link_set_up("nosuch0", &error), -ENODEV);
    assert_int_equal(link_get("a-name-of-more-than-15", &info, &error), -ENODEV);
    assert_int_equal(link_get_by_index(123456, &info, &error), -ENODEV);
    assert_int_equal(link_set_mtu("lo", -5, &error) < 0, true);
    assert_non_null(strstr(error.message, "lo: cannot set its MTU to -5"));
}

static void deleting_removes_the_device(void **state)
{
    struct link_info info;
    int fd = make_tap("t1");

    (void)state;
    assert_int_equal(link_delete("t1", NULL), 0);
    assert_int_equal(link_get("t1", &info, NULL), -ENODEV);
    close(fd);
}

struct seen {
    int n_changed, n_gone;
    bool is_up;
    char name[IFNAMSIZ];
};

static void note(void *aux, const struct link_event *event)
{
    struct seen *seen = aux;

    if (strcmp(event->info.name, seen->name))
        return;
    seen->n_changed += event->kind == LINK_WATCH_CHANGED;
    seen->n_gone += event->kind == LINK_WATCH_GONE;
    if (event->kind == LINK_WATCH_CHANGED)
        seen->is_up = event->info.flags & IFF_UP;
}

static void comings_changes_and_goings_are_heard(void **state)
{
    struct ev_loop *loop = ev_loop_new(0);
    struct seen seen = {.name = "t2"};
    struct link_watch *watch = link_watch_create(loop, note, &seen, NULL);

    (void)state;
    assert_non_null(watch);
    int fd = make_tap("t2");
    ev_run(loop, EVRUN_NOWAIT);
    assert_true(seen.n_changed > 0);
    assert_false(seen.is_up);

    link_set_up("t2", NULL);
    ev_run(loop, EVRUN_NOWAIT);
    assert_true(seen.is_up);

    int n_changed = seen.n_changed;
    assert_int_equal(link_watch_scan(watch, NULL), 0);
    assert_int_equal(seen.n_changed, n_changed + 1);

    close(fd);
    ev_run(loop, EVRUN_NOWAIT);
    assert_int_equal(seen.n_gone, 1);
    link_watch_destroy(watch);
    ev_loop_destroy(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_device_is_described_and_configured),
        cmocka_unit_test(an_unknown_name_is_an_error_that_names_it),
        cmocka_unit_test(deleting_removes_the_device),
        cmocka_unit_test(comings_changes_and_goings_are_heard),
    };

    if ((unshare(CLONE_NEWNET) && unshare(CLONE_NEWUSER | CLONE_NEWNET)) ||
        access("/dev/net/tun", R_OK | W_OK)) {
        fprintf(stderr, "skipped: no network namespace, or no /dev/net/tun\n");
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
