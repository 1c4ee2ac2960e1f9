/* SPDX-License-Identifier: Apache-2.0 */

/* Is any frame treated by an old verdict after the switch has said that a change is done?
 *
 *     kernel_barrier SPACE RUNDIR CHANGES SEED FIRST      (in the switch's network namespace)
 *
 * Changes of several kinds are made one after the other: flows, groups, bundles, learned flows, stations, flows that
 * come and go, configurations of ports, meters, tags by the database.  Each kind has a UDP port of its own, and a verdict
 * that can be told from the one before where its frames arrive.  After each change frames are sent that the kernel knew
 * before; nothing else changes until it is certain what became of them, so they must be treated by this change's
 * verdict exactly.  Meanwhile a steady stream of other frames, which does not wait for anything, races with the
 * changes: so entries are made, used and renewed at any moment.  Where a verdict carries its number, frames of the
 * stream must not be treated by one that is older than what was done when they were sent.
 *
 * Changes are counted from FIRST, an even number: a frame to learn from must not be one that a cache knows from an
 * earlier run, as what is cached teaches again but twice a second.
 *
 * Hosts are SPACE-s1 (the stream), -s2, and -v1 on bridge br1, which send; -r1 to -r5, and -w1 on br1, which hear. */

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/unixctl_client.h"
#include "tests/generate/random.h"
#include "tests/system/kernel_barrier/ends.h"
#include "tests/system/kernel_barrier/talk.h"

enum kind {
    FLOW,
    GROUP,
    BUNDLE,
    LEARN,
    STATION,
    GONE,
    SILENT,
    METER,
    TAG,
    N_KINDS,
    TEACH = N_KINDS
};

/* How a verdict is recognised. */
enum way { BY_MARK, BY_PORT, BY_PASSING, BY_RATE, BY_TAG };

static const struct {
    const char *name;
    enum way way;
    unsigned int share;
    unsigned int stays; /* Percent: how often the next change is of the same kind. */
} kinds[N_KINDS + 1] = {
    [FLOW] = {"flows", BY_MARK, 3, 85},
    [GROUP] = {"groups", BY_MARK, 2, 85},
    [BUNDLE] = {"bundles", BY_MARK, 2, 85},
    [LEARN] = {"learned flows", BY_MARK, 2, 85},
    [STATION] = {"stations", BY_PORT, 2, 85},
    [GONE] = {"flows that come and go", BY_PASSING, 2, 85},
    [SILENT] = {"ports that forward or not", BY_PASSING, 2, 85},
    [METER] = {"meters", BY_RATE, 2, 85},
    [TAG] = {"tags by the database", BY_TAG, 1, 50},
    [TEACH] = {"frames to learn from", BY_MARK, 0, 0},
};

enum {
    N_FLOWS = 4,      /* Of each kind, from each source. */
    N_ROUNDS = 3,     /* Misses, is put into the kernel, hits. */
    N_TURNS = 4,      /* Ports by which verdicts differ. */
    FIRST_SINK = 11,  /* OpenFlow ports of -r1 to -r5. */
    SILENT_PORT = 15, /* Of -r5, which forwards or not. */
    SOURCE_PORT = 2,  /* Of s2. */
    N_TAGS = 4000,
    BUNDLE_FLOWS = 20, /* That change beside the one that is looked at. */
    STREAM_PAUSE_US = 100,
    STREAM_FLOWS = 30000,
    RESEND_NS = 2000000000,
};
#define PATIENCE_NS (60 * SECOND_NS)

static const char *const sinks[] = {"r1", "r2", "r3", "r4", "r5", "w1"};
enum { N_SINKS = sizeof sinks / sizeof *sinks };

enum source { S1, S2, V1, V1_STREAM, N_SOURCES };
static const struct {
    const char *host;
    uint64_t mac;
} sources[N_SOURCES] = {
    [S1] = {"s1", UINT64_C(0x0a0000000001)},
    [S2] = {"s2", UINT64_C(0x0a0000000002)},
    [V1] = {"v1", UINT64_C(0x0a0000000003)},
    [V1_STREAM] = {"v1", UINT64_C(0x0a0000000003)},
};

struct test {
    struct talk talk;
    struct random random;
    char *control; /* The daemon's control socket. */
    int source_fds[N_SOURCES], sink_fds[N_SINKS];

    /* The stream reads these. */
    _Atomic(uint32_t) done[N_KINDS];
    _Atomic(int) focus;
    atomic_bool is_over;

    uint64_t n_changes[N_KINDS];
    uint64_t n_judged, n_judged_of_stream;
    uint32_t last_number, last_forgiven;
    uint64_t n_sent_before, n_sent; /* By s2: what the switch had counted at first, and since. */

    /* Of the round that is under way. */
    uint32_t first_number, waits_for;
    bool has_arrived[N_FLOWS];

    uint32_t n_passed; /* Through the meter, since it changed. */
    int64_t changed_ns;
};

static void die(const char *what, const char *why)
{
    fprintf(stderr, "%s: %s\n", what, why);
    exit(1);
}

/* --- Verdicts -------------------------------------------------------------------------------- */

static void blame(const struct arrived *arrived, int sink)
{
    fprintf(stderr,
            "FAIL: %s: a frame%s sent after change %u has arrived at %s, from %012llx, tag %u\n",
            kinds[arrived->sent.kind].name, arrived->sent.number ? "" : " of the stream",
            arrived->sent.change, sinks[sink], (unsigned long long)arrived->source, arrived->vlan);
    exit(1);
}

static bool is_right(struct test *test, const struct arrived *arrived, int sink)
{
    uint32_t change = arrived->sent.change;

    switch (kinds[arrived->sent.kind].way) {
    case BY_MARK:
        return arrived->source >> 32 == ENDS_MARK && (uint32_t)arrived->source == change;
    case BY_PORT:
        return sink == (int)(change % N_TURNS);
    case BY_PASSING:
        return change % 2 == 0;
    case BY_RATE: /* One a second, and one at once. */
        return change % 2 == 0 ||
               ++test->n_passed <= 2 + (clock_now_ns() - test->changed_ns) / SECOND_NS;
    case BY_TAG:
        return arrived->vlan == 1 + change % N_TAGS;
    }
    return false;
}

/* Of the stream: verdicts that are newer than the frame are right, too. */
static bool may_be_right(struct test *test, const struct arrived *arrived)
{
    uint32_t change = arrived->sent.change;

    switch (kinds[arrived->sent.kind].way) {
    case BY_MARK:
        test->n_judged_of_stream++;
        return arrived->source >> 32 == ENDS_MARK && (uint32_t)arrived->source >= change;
    case BY_TAG:
        test->n_judged_of_stream++;
        return arrived->vlan &&
               (arrived->vlan + N_TAGS - 1 - change % N_TAGS) % N_TAGS < N_TAGS / 2;
    default:
        return true;
    }
}

static void judge(struct test *test, const struct arrived *arrived, int sink)
{
    uint32_t place = arrived->sent.number - test->first_number;

    if (arrived->sent.kind > N_KINDS)
        die("a frame arrives", "damaged");
    if (!arrived->sent.number) {
        if (!may_be_right(test, arrived))
            blame(arrived, sink);
        return;
    }
    if (arrived->sent.number <= test->last_forgiven)
        return;
    if (!is_right(test, arrived, sink))
        blame(arrived, sink);
    test->n_judged++;
    if (place < N_FLOWS && !test->has_arrived[place]) {
        test->has_arrived[place] = true;
        test->waits_for--;
    }
}

static void hear_all(struct test *test)
{
    struct arrived arrived;

    for (int i = 0; i < N_SINKS; i++)
        while (ends_hear(test->sink_fds[i], &arrived))
            judge(test, &arrived, i);
}

static void wait_a_little(struct test *test)
{
    struct pollfd fds[N_SINKS];

    for (int i = 0; i < N_SINKS; i++)
        fds[i] = (struct pollfd){.fd = test->sink_fds[i], .events = POLLIN};
    poll(fds, N_SINKS, 1);
}

/* --- Frames ---------------------------------------------------------------------------------- */

static void send_round(struct test *test, uint32_t kind, uint32_t change, uint32_t n_flows)
{
    enum source source = kind == TAG ? V1 : S2;
    uint64_t mac = sources[source].mac;

    if (kind == TEACH)
        mac = (uint64_t)ENDS_MARK << 32 | change;
    test->first_number = test->last_number + 1;
    test->last_number += N_FLOWS;
    test->waits_for = n_flows;
    memset(test->has_arrived, 0, sizeof test->has_arrived);
    for (uint16_t i = 0; i < n_flows; i++) {
        const struct sent sent = {kind, change, test->first_number + i, i};

        while (!ends_send(test->source_fds[source], &sent, mac))
            if (errno != ENOBUFS && errno != EAGAIN)
                die("send", strerror(errno));
        test->n_sent += source == S2;
    }
}

/* Until the switch has decided about all that s2 has sent, and whatever passes has arrived.  False: it does not count
 * them all, as some were lost on the way. */
static bool wait_for_decisions(struct test *test)
{
    int64_t until_ns = clock_now_ns() + RESEND_NS;
    uint64_t wanted = test->n_sent_before + test->n_sent, n;

    while ((n = talk_n_received(&test->talk, SOURCE_PORT)) < wanted && clock_now_ns() < until_ns)
        hear_all(test);
    talk_barrier(&test->talk); /* Workers have sent what they have decided to send. */
    hear_all(test);
    if (n >= wanted)
        return true;
    test->n_sent = n - test->n_sent_before;
    return false;
}

static void wait_for_arrivals(struct test *test, int64_t until_ns)
{
    hear_all(test);
    while (test->waits_for && clock_now_ns() < until_ns) {
        wait_a_little(test);
        hear_all(test);
    }
}

static bool must_pass(uint32_t kind, uint32_t change)
{
    return change % 2 == 0 || (kinds[kind].way != BY_PASSING && kinds[kind].way != BY_RATE);
}

/* Frames that are treated while nothing but the stream goes on; again if some are lost, which no verdict says. */
static void play_round(struct test *test, uint32_t kind, uint32_t change, uint32_t n_flows)
{
    int64_t until_ns = clock_now_ns() + PATIENCE_NS;
    bool is_done = false;

    while (!is_done) {
        if (clock_now_ns() > until_ns) {
            fprintf(stderr, "change %u: ", change);
            die(kinds[kind].name, "frames do not arrive");
        }
        send_round(test, kind, change, n_flows);
        if (must_pass(kind, change)) {
            wait_for_arrivals(test, clock_now_ns() + RESEND_NS);
            is_done = !test->waits_for;
        } else {
            is_done = wait_for_decisions(test);
        }
        if (!is_done)
            test->last_forgiven = test->last_number; /* Who comes that late is not judged. */
    }
}

static void play_rounds(struct test *test, enum kind kind)
{
    for (int i = 0; i < N_ROUNDS; i++)
        play_round(test, kind, atomic_load(&test->done[kind]), N_FLOWS);
}

/* Most of what it sends is of the kind that changes now, by flows that come, are used four times, and are not seen again
 * for long: there is always one being translated, and one being put into the kernel. */
static void *run_stream(void *aux)
{
    struct test *test = aux;

    for (unsigned int i = 0; !atomic_load(&test->is_over); i++) {
        uint32_t kind = i % 4 ? (uint32_t)atomic_load(&test->focus) : i / 4 % N_KINDS;
        enum source source = kind == TAG ? V1_STREAM : S1;
        const struct sent sent = {
            .kind = kind,
            .change = atomic_load(&test->done[kind]),
            .flow = (uint16_t)(N_FLOWS + (i / 64 * 16 + i % 16) % STREAM_FLOWS),
        };

        ends_send(test->source_fds[source], &sent, sources[source].mac);
        if (i % 4 == 0)
            usleep(STREAM_PAUSE_US);
    }
    return NULL;
}

/* --- Changes --------------------------------------------------------------------------------- */

static char *text_of(const char *format, ...) PRINTF_LIKE(1, 2);

/* Good until the next call. */
static char *text_of(const char *format, ...)
{
    static char text[512];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return text;
}

/* "mod_dl_src:02:00:NN:NN:NN:NN,output:PORT" */
static const char *marks_and_sends(uint32_t change)
{
    static char text[80];

    snprintf(text, sizeof text, "mod_dl_src:02:00:%02x:%02x:%02x:%02x,output:%u", change >> 24,
             change >> 16 & 0xff, change >> 8 & 0xff, change & 0xff, FIRST_SINK + change % N_TURNS);
    return text;
}

/* 'actions': NULL if it is to go. */
static void say_flow(struct test *test, enum of_flow_command command, enum kind kind,
                     const char *actions)
{
    char text[512];

    snprintf(text, sizeof text, "priority=10,udp,tp_dst=%u%s%s", 1000 + kind,
             actions ? ",actions=" : "", actions ? actions : "");
    talk_flow(&test->talk, command, text);
}

/* The same by a rule that is replaced, modified or made anew, or by one in front of it. */
static void change_flow(struct test *test, uint32_t change)
{
    const char *actions = marks_and_sends(change);

    switch (random_below(&test->random, 4)) {
    case 0:
        say_flow(test, OFFC_ADD, FLOW, actions);
        break;
    case 1:
        say_flow(test, OFFC_MODIFY_STRICT, FLOW, actions);
        break;
    case 2:
        say_flow(test, OFFC_DELETE_STRICT, FLOW, NULL);
        say_flow(test, OFFC_ADD, FLOW, actions);
        break;
    case 3:
        talk_flow(&test->talk, OFFC_ADD,
                  text_of("priority=20,udp,tp_dst=%u,actions=%s", 1000 + FLOW, actions));
        return;
    }
    talk_flow(&test->talk, OFFC_DELETE_STRICT, text_of("priority=20,udp,tp_dst=%u", 1000 + FLOW));
}

static void change_group(struct test *test, uint32_t change)
{
    static const char *const types[] = {"all", "select", "indirect"};

    talk_group(&test->talk, OFGC_MODIFY,
               text_of("group_id=1,type=%s,bucket=%s", RANDOM_OF(&test->random, types),
                       marks_and_sends(change)));
}

static void change_bundle(struct test *test, uint32_t change)
{
    talk_begin_bundle(&test->talk);
    for (unsigned int i = 0; i < BUNDLE_FLOWS; i++) {
        talk_flow(&test->talk, OFFC_ADD,
                  text_of("priority=20,udp,tp_dst=%u,actions=output:%u", 5000 + i,
                          FIRST_SINK + change % N_TURNS));
        if (i == BUNDLE_FLOWS / 2)
            say_flow(test, random_chance(&test->random, 50) ? OFFC_ADD : OFFC_MODIFY_STRICT, BUNDLE,
                     marks_and_sends(change));
    }
    talk_commit_bundle(&test->talk);
}

static void call(struct test *test, const char *command, const char *const args[], size_t n_args)
{
    struct error error = ERROR_INIT;
    bool is_error;
    char *answer;

    if (unixctl_client_call(test->control, command, n_args, args, INT64_MAX, &answer, &is_error,
                            &error))
        die(command, error.message);
    if (is_error)
        die(command, answer);
    free(answer);
}

static void change_station(struct test *test, uint32_t change)
{
    const char *const args[] = {"br0", sinks[change % N_TURNS], "0", "0a:00:00:00:00:99"};

    call(test, "fdb/add", args, 4);
}

static void change_gone(struct test *test, uint32_t change)
{
    if (change % 2)
        say_flow(test, OFFC_DELETE_STRICT, GONE, NULL);
    else
        say_flow(test, OFFC_ADD, GONE, text_of("output:%u", FIRST_SINK));
}

static void change_meter(struct test *test, uint32_t change)
{
    talk_meter(&test->talk, false,
               change % 2 ? "meter=1,pktps,burst,band=type=drop,rate=1,burst_size=1"
                          : "meter=1,pktps,band=type=drop,rate=100000000");
    test->n_passed = 0;
    test->changed_ns = clock_now_ns();
}

static void change_tag(uint32_t change)
{
    char command[80];

    snprintf(command, sizeof command, "ovs-vsctl -t 60 set Port v1 tag=%u", 1 + change % N_TAGS);
    int status = system(command);
    if (!WIFEXITED(status) || WEXITSTATUS(status))
        die(command, "has failed");
}

static void make_change(struct test *test, enum kind kind, uint32_t change)
{
    switch (kind) {
    case FLOW:
        change_flow(test, change);
        break;
    case GROUP:
        change_group(test, change);
        break;
    case BUNDLE:
        change_bundle(test, change);
        break;
    case LEARN:
        play_round(test, TEACH, change, 1);
        break;
    case STATION:
        change_station(test, change);
        break;
    case GONE:
        change_gone(test, change);
        break;
    case SILENT:
        talk_port(&test->talk, SILENT_PORT, "r5", change % 2 ? OFPPC_NO_FWD : 0, OFPPC_NO_FWD);
        break;
    case METER:
        change_meter(test, change);
        break;
    case TAG:
        change_tag(change);
        break;
    case N_KINDS:
        break;
    }
    talk_barrier(&test->talk);
    atomic_store(&test->done[kind], change);
}

static void begin(struct test *test, uint32_t first)
{
    for (int i = 0; i < N_KINDS; i++)
        atomic_init(&test->done[i], first);
    talk_port(&test->talk, SILENT_PORT, "r5", 0, OFPPC_NO_FWD);
    talk_meter(&test->talk, true, "meter=1,pktps,band=type=drop,rate=100000000");
    talk_group(&test->talk, OFGC_ADD,
               text_of("group_id=1,type=all,bucket=%s", marks_and_sends(first)));
    for (enum kind kind = FLOW; kind <= BUNDLE; kind++)
        say_flow(test, OFFC_ADD, kind, kind == GROUP ? "group:1" : marks_and_sends(first));
    say_flow(test, OFFC_ADD, STATION, "normal");
    say_flow(test, OFFC_ADD, GONE, text_of("output:%u", FIRST_SINK));
    say_flow(test, OFFC_ADD, METER, text_of("meter:1,output:%u", FIRST_SINK));
    say_flow(test, OFFC_ADD, LEARN, "resubmit(,1)");
    say_flow(test, OFFC_ADD, TEACH,
             text_of("load:%u->NXM_NX_REG0[0..15],"
                     "learn(table=1,eth_type=0x800,nw_proto=17,udp_dst=%u,"
                     "load:NXM_OF_ETH_SRC[]->NXM_OF_ETH_SRC[],output:NXM_NX_REG0[0..15]),output:%u",
                     FIRST_SINK + 1, 1000 + LEARN, FIRST_SINK));
    say_flow(test, OFFC_ADD, SILENT, text_of("output:%u", SILENT_PORT));
    /* So that UDP ports are looked at, and flows are translated one by one. */
    talk_flow(&test->talk, OFFC_ADD, "priority=30,udp,tp_src=999,actions=drop");
    talk_barrier(&test->talk);
    test->n_sent_before = talk_n_received(&test->talk, SOURCE_PORT);
    for (enum kind kind = FLOW; kind < N_KINDS; kind++)
        if (kind == LEARN || kind == STATION || kind == TAG)
            make_change(test, kind, first);
}

static enum kind next_kind(struct test *test, enum kind kind)
{
    unsigned int sum = 0;

    if (random_chance(&test->random, kinds[kind].stays))
        return kind;
    for (int i = 0; i < N_KINDS; i++)
        sum += kinds[i].share;
    unsigned int place = random_below(&test->random, sum);
    for (kind = FLOW; place >= kinds[kind].share; kind++)
        place -= kinds[kind].share;
    return kind;
}

static void play(struct test *test, uint64_t n_changes)
{
    enum kind kind = FLOW;

    play_rounds(test, kind);
    for (uint64_t i = 0; i < n_changes; i++) {
        enum kind next = i < N_KINDS ? (enum kind)i : next_kind(test, kind);

        atomic_store(&test->focus, next);
        if (next != kind)
            play_rounds(test, next); /* So that the kernel knows them before they change. */
        kind = next;
        make_change(test, kind, atomic_load(&test->done[kind]) + 1);
        test->n_changes[kind]++;
        play_rounds(test, kind);
    }
}

static void open_ends(struct test *test, const char *space)
{
    char name[128];

    for (int i = 0; i < N_SINKS; i++) {
        snprintf(name, sizeof name, "%s-%s", space, sinks[i]);
        test->sink_fds[i] = ends_open(name);
    }
    for (int i = 0; i < N_SOURCES; i++) {
        snprintf(name, sizeof name, "%s-%s", space, sources[i].host);
        test->source_fds[i] = ends_open(name);
    }
}

static void report(const struct test *test)
{
    const char *comma = "";

    printf("changes: ");
    for (int i = 0; i < N_KINDS; i++, comma = ", ")
        printf("%s%llu %s", comma, (unsigned long long)test->n_changes[i], kinds[i].name);
    printf("\n%llu frames sent after them, %llu of a stream beside: 0 by an old verdict\n",
           (unsigned long long)test->n_judged, (unsigned long long)test->n_judged_of_stream);
}

int main(int argc, char *argv[])
{
    static struct test test;
    struct error error = ERROR_INIT;
    pthread_t stream;
    char path[256];

    if (argc != 6)
        die("kernel_barrier", "SPACE RUNDIR CHANGES SEED FIRST");
    random_init(&test.random, strtoull(argv[4], NULL, 0));
    open_ends(&test, argv[1]);
    snprintf(path, sizeof path, "%s/br0.mgmt", argv[2]);
    talk_open(&test.talk, path);
    test.control = unixctl_client_find("ovs-vswitchd", &error);
    if (!test.control)
        die("ovs-vswitchd", error.message);

    begin(&test, (uint32_t)strtoul(argv[5], NULL, 0));
    if (pthread_create(&stream, NULL, run_stream, &test))
        die("thread", strerror(errno));
    play(&test, strtoull(argv[3], NULL, 0));
    atomic_store(&test.is_over, true);
    pthread_join(stream, NULL);
    report(&test);
    talk_close(&test.talk);
    free(test.control);
    return 0;
}
