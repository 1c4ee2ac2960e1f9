/* SPDX-License-Identifier: Apache-2.0 */

/* Every OpenFlow message there is, in every version, damaged in every way: nothing breaks, nothing is kept.
 *
 * Messages are those of other tests and corpora, and one of zeros for each row of the table of
 * messages and each version it has.  Each is changed at random, goes through the codec both ways (and what it
 * understands is the same the second time), is printed, and is told to a bridge in memory, which from time to time
 * must answer an echo or have closed the connection, and is emptied.  What is kept shows under
 * LeakSanitizer, and in long runs as resident memory, which must not grow behind the first million.
 *
 *     WEIR_MESSAGES   how many (20,000)
 *     WEIR_SEED       which (1) */

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>

#include "lib/log.h"
#include "lib/openflow/groups.h"
#include "lib/openflow/message_table.h"
#include "lib/openflow/message_text.h"
#include "lib/rcu.h"
#include "tests/generate/random.h"
#include "tests/generate/round_trip.h"
#include "tests/unit/vswitchd/fake_bridge.h"
#include "tests/unit/vswitchd/of_peer.h"
#include "vswitchd/flow_mod.h"
#include "vswitchd/group_mod.h"
#include "vswitchd/meter_mod.h"

enum { MAX_SEEDS = 4096, MAX_BYTES = 4096, MESSAGES_OF_A_PEER = 50, N_VERSIONS = 6 };
enum { REPORT_EVERY = 1000000 };

/* AddressSanitizer remembers where everything was allocated and freed, which is more and more. */
#ifdef __SANITIZE_ADDRESS__
enum { MAX_GROWTH_KIB = 256 << 10 };
#else
enum { MAX_GROWTH_KIB = 4 << 10 };
#endif

struct seed {
    uint8_t *bytes;
    size_t n_bytes;
};

static struct seeds {
    struct seed all[MAX_SEEDS];
    size_t n;
} seeds;

/* Which rows of the table were understood in which versions, bit by bit. */
static uint64_t n_understood, n_told;
static uint8_t *understood;

static uint64_t from_environment(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);

    return text ? strtoull(text, NULL, 0) : otherwise;
}

/* Seeds */

static void add_seed(const void *bytes, size_t n_bytes)
{
    assert_true(seeds.n < MAX_SEEDS);
    struct seed *seed = &seeds.all[seeds.n++];
    seed->bytes = malloc(n_bytes);
    seed->n_bytes = n_bytes;
    memcpy(seed->bytes, bytes, n_bytes);
}

static void add_stream(const uint8_t *bytes, size_t n_bytes)
{
    for (int n; (n = of_frame_length(bytes, n_bytes)) > 0; bytes += n, n_bytes -= (size_t)n)
        add_seed(bytes, (size_t)n);
}

/* The last word of each line that is one message in hexadecimal. */
static void add_lines_of(const char *path)
{
    FILE *file = fopen(path, "r");
    char line[2 * 65536 + 100];

    if (!file)
        fail_msg("%s", path);
    while (fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = '\0';
        const char *hex = strrchr(line, ' ') ? strrchr(line, ' ') + 1 : line;
        size_t n_digits = strspn(hex, "0123456789abcdef");
        uint8_t bytes[65536];

        if (*line == '#' || hex[n_digits] || n_digits < 16 || n_digits % 2)
            continue;
        for (size_t i = 0; i < n_digits / 2; i++)
            sscanf(hex + 2 * i, "%2hhx", &bytes[i]);
        add_stream(bytes, n_digits / 2);
    }
    fclose(file);
}

/* 'n_skipped': bytes at the start of each file that are not of the stream. */
static void add_files_of(const char *folder, size_t n_skipped)
{
    struct dirent **names;
    int n = scandir(folder, &names, NULL, alphasort);

    if (n < 0)
        fail_msg("%s", folder);
    for (int i = 0; i < n; i++) {
        char path[1024];
        uint8_t bytes[65536];

        snprintf(path, sizeof path, "%s/%s", folder, names[i]->d_name);
        FILE *file = names[i]->d_name[0] == '.' ? NULL : fopen(path, "r");
        if (file) {
            size_t n_bytes = fread(bytes, 1, sizeof bytes, file);
            fclose(file);
            if (n_bytes > n_skipped)
                add_stream(bytes + n_skipped, n_bytes - n_skipped);
        }
        free(names[i]);
    }
    free(names);
}

static void add_zeros(const struct of_message_row *row, enum of_version version, size_t n_bytes)
{
    struct buffer wire = BUFFER_INIT;
    size_t start = of_begin_message(row->kind, row->form, version, 1, &wire);

    buffer_put_zeros(&wire, n_bytes);
    of_finish_message(start, &wire);
    add_seed(wire.data, wire.size);
    buffer_fini(&wire);
}

/* What zeros do not say in any version. */
static void add_nested(enum of_version version)
{
    const uint8_t frame[60] = {[12] = 0x08};
    const struct of_packet_in packet = {
        .frame = frame, .frame_bytes = sizeof frame, .total_bytes = sizeof frame};
    const struct of_group_mod group = {.group.group_id = 1};
    struct buffer wire = BUFFER_INIT, inner = BUFFER_INIT;

    of_encode_resume(&packet, version, 1, &wire);
    of_encode_group_mod(&group, version, 1, &inner);
    of_encode_request_forward(inner.data, inner.size, version, &wire);
    add_stream(wire.data, wire.size);
    buffer_fini(&inner);
    buffer_fini(&wire);
}

static bool has_row(const struct of_message_row *row, unsigned version)
{
    return version >= row->first_version && version <= row->last_version;
}

static void add_all_seeds(void)
{
    add_lines_of(WEIR_SOURCE_DIR "/tests/system/openflow_errors.messages");
    add_lines_of(WEIR_SOURCE_DIR "/tests/unit/lib/message_text.messages");
    add_files_of(WEIR_SOURCE_DIR "/tests/fuzz/lib/corpus_openflow_fuzz", 0);
    add_files_of(WEIR_SOURCE_DIR "/tests/fuzz/vswitchd/corpus_of_connection_fuzz", 2);
    for (unsigned version = OF_1_0; version <= OF_1_5; version++)
        add_nested((enum of_version)version);
    for (size_t i = 0; i < of_n_message_rows; i++) {
        const struct of_message_row *row = &of_message_rows[i];

        for (unsigned version = OF_1_0; version <= OF_1_5; version++) {
            if (has_row(row, version)) {
                add_zeros(row, (enum of_version)version, row->least_body);
                add_zeros(row, (enum of_version)version, row->least_body + 2u * row->unit);
            }
        }
    }
}

/* Mutations */

static size_t mutate_once(struct random *random, uint8_t *bytes, size_t n_bytes)
{
    static const uint8_t special[] = {0, 1, 4, 8, 0x7f, 0x80, 0xfe, 0xff};
    size_t at = sizeof(struct of_header) +
                random_below(random, (uint32_t)(n_bytes - sizeof(struct of_header) + 1));
    size_t n_left = n_bytes - at, n;
    const struct seed *other;

    switch (random_below(random, 10)) {
    case 0:
    case 1: /* A bit. */
        if (n_left)
            bytes[at] ^= (uint8_t)(1 << random_below(random, 8));
        break;
    case 2:
    case 3: /* A byte. */
        if (n_left)
            bytes[at] = random_chance(random, 50) ? RANDOM_OF(random, special)
                                                  : (uint8_t)random_u32(random);
        break;
    case 4: /* A number, such as a length or type, that is a little off. */
        if (n_left >= 2)
            be16_store(bytes + (at & ~(size_t)1),
                       (uint16_t)(be16_host(be16_load(bytes + (at & ~(size_t)1))) +
                                  random_below(random, 33) - 16));
        break;
    case 5: /* A length that is right, or nearly. */
        if (n_left >= 2)
            be16_store(bytes + at, (uint16_t)(n_left - random_below(random, 9)));
        break;
    case 6: /* Cut. */
        n_bytes = at;
        break;
    case 7: /* A part of another message goes on here. */
        other = &seeds.all[random_below(random, (uint32_t)seeds.n)];
        n = random_below(random, (uint32_t)other->n_bytes + 1);
        n = n < MAX_BYTES - at ? n : MAX_BYTES - at;
        memcpy(bytes + at, other->bytes + other->n_bytes - n, n);
        n_bytes = at + n;
        break;
    case 8: /* A part is there twice. */
        n = random_below(random, (uint32_t)n_left + 1) & ~7u;
        if (n_bytes + n <= MAX_BYTES) {
            memmove(bytes + at + n, bytes + at, n_left);
            n_bytes += n;
        }
        break;
    default: /* Another type, or version. */
        bytes[random_chance(random, 50)] = (uint8_t)(1 + random_below(random, 34));
        break;
    }
    return n_bytes;
}

/* One in eight stays what it is. */
static size_t next_message(struct random *random, uint8_t bytes[static MAX_BYTES])
{
    const struct seed *seed = &seeds.all[random_below(random, (uint32_t)seeds.n)];
    size_t n_bytes = seed->n_bytes < MAX_BYTES ? seed->n_bytes : MAX_BYTES;

    memcpy(bytes, seed->bytes, n_bytes);
    for (uint32_t n = random_below(random, 8); n > 0; n -= n > 3 ? 3 : 1)
        n_bytes = mutate_once(random, bytes, n_bytes);
    be16_store(bytes + 2, (uint16_t)n_bytes);
    return n_bytes;
}

static size_t row_of(const struct of_message *message)
{
    const struct of_message_row *row = of_message_row(message->kind, message->form,
                                                      message->version);

    return (size_t)(row - of_message_rows);
}

static void through_codec(const uint8_t *bytes, size_t n_bytes, bool has_table_id)
{
    uint8_t *exact = malloc(n_bytes); /* So that one byte too far is seen. */
    struct buffer text = BUFFER_INIT;
    struct of_message message;

    memcpy(exact, bytes, n_bytes);
    if (round_trip(exact, n_bytes, has_table_id)) {
        n_understood++;
        assert_int_equal(of_decode_message(exact, n_bytes, &message), OF_OK);
        if (message.version >= OF_1_0 && message.version <= OF_1_5)
            understood[row_of(&message)] |= (uint8_t)(1 << message.version);
    }
    of_message_format(exact, n_bytes, NULL, &text);
    buffer_fini(&text);
    free(exact);
}

/* The bridge */

struct talk {
    struct fake_bridge *bridge;
    struct peer peer;
    uint64_t n_left; /* Messages until the next connection. */
};

static void hang_up(struct talk *talk)
{
    close(talk->peer.fd);
    buffer_fini(&talk->peer.input);
    for (int i = 0; i < 3; i++)
        round_of(talk->bridge);
    talk->n_left = 0;
}

static void empty_bridge(struct fake_bridge *bridge)
{
    const struct of_flow_mod flows = {
        .command = OFFC_DELETE,
        .table_id = OF_TABLE_ALL,
        .out_port = OFPP_NONE,
        .out_group = OF_GROUP_ANY,
    };
    struct of_group_mod groups = {.command = OFGC_DELETE, .group.group_id = OF_GROUP_ALL};
    struct of_meter_mod meters = {.command = OFMC_DELETE, .meter.meter_id = OF_METER_ALL};

    flow_mod_apply(bridge->tables, &flows, 0);
    group_mod_apply(bridge->tables, &groups, 0);
    meter_mod_apply(bridge->meters, bridge->tables, &meters, 0);
    flow_tables_publish(bridge->tables);
}

static void call_up(struct talk *talk, struct random *random)
{
    static const enum of_connection_sort sorts[] = {OF_CONNECTION_CONTROLLER,
                                                    OF_CONNECTION_MANAGEMENT};
    enum of_version version = (enum of_version)(OF_1_0 + random_below(random, N_VERSIONS));
    struct buffer hello = BUFFER_INIT;
    int fds[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    of_server_adopt_take(talk->bridge->server, fds[0], RANDOM_OF(random, sorts));
    talk->peer = (struct peer){.bridge = talk->bridge, .fd = fds[1], .protocol.version = version};
    of_encode_hello(OF_VERSION_BIT(version), 1, &hello);
    say(&talk->peer, &hello);
    talk->n_left = MESSAGES_OF_A_PEER;
}

/* Waits for an echo; false if the connection has gone instead. */
static bool is_still_answered(struct talk *talk)
{
    uint8_t said[65536];
    struct buffer echo = BUFFER_INIT;
    bool is_there = true;

    of_encode_echo_request(talk->peer.protocol.version, 77, NULL, 0, &echo);
    say(&talk->peer, &echo);
    for (int quiet = 0; is_there && quiet < 3; quiet++) {
        round_of(talk->bridge);
        for (ssize_t n; (n = recv(talk->peer.fd, said, sizeof said, MSG_DONTWAIT)) >= 0;) {
            quiet = 0;
            is_there = n > 0;
            if (!n)
                break;
        }
    }
    return is_there;
}

static void through_bridge(struct talk *talk, struct random *random, uint8_t *bytes, size_t n_bytes)
{
    struct buffer out = BUFFER_INIT;

    if (!talk->n_left)
        call_up(talk, random);
    if (bytes[1] == 0)
        return; /* A hello in between ends it. */
    bytes[0] = (uint8_t)talk->peer.protocol.version;
    buffer_put(&out, bytes, n_bytes);
    say(&talk->peer, &out);
    n_told++;
    if (!--talk->n_left || (talk->n_left % 10 == 0 && !is_still_answered(talk))) {
        hang_up(talk);
        empty_bridge(talk->bridge);
    }
}

/* Memory */

static size_t resident_kib(void)
{
    FILE *file = fopen("/proc/self/statm", "r");
    size_t n_all = 0, n_pages = 0;

    assert_non_null(file);
    assert_int_equal(fscanf(file, "%zu %zu", &n_all, &n_pages), 2);
    fclose(file);
    return n_pages * ((size_t)sysconf(_SC_PAGESIZE) / 1024);
}

static void report(uint64_t n_messages, int64_t begin_ns)
{
    printf("%" PRIu64 " messages in %" PRId64 " s: %" PRIu64 " understood, %" PRIu64
           " told to a bridge; %zu KiB resident\n",
           n_messages, (clock_now_ns() - begin_ns) / SECOND_NS, n_understood, n_told,
           resident_kib());
    fflush(stdout);
}

static void assert_that_all_were_understood(void)
{
    for (size_t i = 0; i < of_n_message_rows; i++) {
        for (unsigned version = OF_1_0; version <= OF_1_5; version++) {
            if (has_row(&of_message_rows[i], version) && !(understood[i] >> version & 1))
                fail_msg("never understood: %s, OpenFlow 1.%u", of_message_rows[i].name,
                         version - 1);
        }
    }
}

static void each_message(struct talk *talk, struct random *random, uint8_t *bytes, size_t n_bytes)
{
    through_codec(bytes, n_bytes, random_chance(random, 50));
    through_bridge(talk, random, bytes, n_bytes);
}

static void damaged_messages_break_and_keep_nothing(void **state UNUSED)
{
    uint64_t n_messages = from_environment("WEIR_MESSAGES", 20000);
    struct talk talk = {.bridge = fake_bridge_create(NULL, 0)};
    size_t first_kib = 0;
    int64_t begin_ns = clock_now_ns();
    struct random random;

    random_init(&random, from_environment("WEIR_SEED", 1));
    flow_tables_set_max_flows(talk.bridge->tables, 1000);
    understood = calloc(of_n_message_rows, 1);
    add_all_seeds();
    for (size_t i = 0; i < seeds.n; i++)
        each_message(&talk, &random, seeds.all[i].bytes, seeds.all[i].n_bytes);
    assert_that_all_were_understood();
    for (uint64_t i = 1; i <= n_messages; i++) {
        uint8_t bytes[MAX_BYTES];
        size_t n_bytes = next_message(&random, bytes);

        each_message(&talk, &random, bytes, n_bytes);
        if (i % REPORT_EVERY == 0 || i == n_messages)
            report(i, begin_ns);
        if (i == REPORT_EVERY)
            first_kib = resident_kib();
    }
    if (first_kib)
        assert_in_range(resident_kib(), 0, first_kib + MAX_GROWTH_KIB);
    if (talk.n_left)
        hang_up(&talk);
    fake_bridge_destroy(talk.bridge);
    rcu_barrier();
    free(understood);
    for (size_t i = 0; i < seeds.n; i++)
        free(seeds.all[i].bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(damaged_messages_break_and_keep_nothing)};

    log_set_levels("console:off", NULL);
    rcu_register_thread();
    int n_failed = cmocka_run_group_tests(tests, NULL, NULL);
    rcu_unregister_thread();
    return n_failed;
}
