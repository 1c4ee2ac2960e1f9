/* SPDX-License-Identifier: Apache-2.0 */

/* kernel_parse - do the parser in the kernel and the one in userspace say the same of every frame?
 *
 *     kernel_parse CORPUS-DIR [N-RANDOM [SEED]]
 *
 * Gives frames to the BPF programs by BPF_PROG_RUN, by TC and by XDP: those of the fuzzer's corpus, header
 * stacks cut at every byte and with every byte changed once, and random frames.  BPF may answer "out of
 * reach" instead, for extension headers and options beyond the number that the verifier lets it follow. */

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "lib/packet.h"
#include "tests/generate/generate.h"
#include "tests/system/kernel_parse/result.h"
#include "tests/system/kernel_parse/stacks.h"

#include "kernel_parse.skel.h" /* After the types it has. */

enum { MIN_FRAME = 14, MAX_FRAME = 3000, MAX_REPORTS = 5 };

struct counts {
    unsigned long n_frames, n_out_of_reach, n_refused, n_different;
};

static struct kernel_parse_bpf *skeleton;

static void report(const char *where, const char *what, const uint8_t *frame, size_t n_bytes)
{
    printf("%s, %s: keys differ for ", where, what);
    for (size_t i = 0; i < n_bytes; i++)
        printf("%02x", frame[i]);
    putchar('\n');
}

static bool is_equal(const struct kernel_parse_result *result, const struct flow_key *key,
                     const struct packet *packet)
{
    return flow_key_is_equal(&result->key, key) && result->l3_offset == packet->l3_offset &&
           result->l4_offset == packet->l4_offset && result->vlan_bytes == packet->vlan_bytes &&
           result->l4_bytes == packet->l4_bytes;
}

static void compare_in(const struct bpf_program *program, const char *where, const char *what,
                       const uint8_t *frame, size_t n_bytes, struct counts *counts)
{
    LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = frame, .data_size_in = (uint32_t)n_bytes);
    const struct kernel_parse_result *result = &skeleton->bss->result;
    struct flow_key key;
    struct packet packet = {.start = (uint8_t *)(uintptr_t)frame,
                            .data = (uint8_t *)(uintptr_t)frame,
                            .capacity = (uint32_t)n_bytes,
                            .size = (uint32_t)n_bytes};

    memset(&skeleton->bss->result, 0x5a, sizeof skeleton->bss->result);
    if (bpf_prog_test_run_opts(bpf_program__fd(program), &run)) {
        if (errno == EINVAL && program == skeleton->progs.parse_skb) {
            counts->n_refused++; /* Some kernels make no skb of an IP header that is cut short. */
            return;
        }
        perror("kernel_parse: BPF_PROG_RUN");
        exit(1);
    }
    flow_extract(&packet, be32_from(0), &key);
    counts->n_frames++;
    if (is_equal(result, &key, &packet))
        return;
    if (result->is_out_of_reach) {
        counts->n_out_of_reach++;
        return;
    }
    if (counts->n_different++ < MAX_REPORTS)
        report(where, what, frame, n_bytes);
}

static void compare(const char *what, const uint8_t *frame, size_t n_bytes, struct counts *counts)
{
    if (n_bytes < MIN_FRAME || n_bytes > MAX_FRAME) /* The kernel runs no others. */
        return;
    compare_in(skeleton->progs.parse_skb, "TC", what, frame, n_bytes, counts);
    compare_in(skeleton->progs.parse_xdp, "XDP", what, frame, n_bytes, counts);
}

static void compare_corpus(const char *path, struct counts *counts)
{
    DIR *directory = opendir(path);
    struct dirent *found;

    if (!directory) {
        perror(path);
        exit(1);
    }
    while ((found = readdir(directory))) {
        uint8_t bytes[MAX_FRAME + 1];
        char name[4096];

        snprintf(name, sizeof name, "%s/%s", path, found->d_name);
        FILE *file = found->d_name[0] == '.' ? NULL : fopen(name, "rb");
        if (!file)
            continue;
        size_t n = fread(bytes, 1, sizeof bytes, file);
        for (size_t size = 1; size <= n; size++) /* The first byte is for the fuzzer. */
            compare(found->d_name, bytes + 1, size - 1, counts);
        fclose(file);
    }
    closedir(directory);
}

/* Lengths, types, offsets: each byte 0, all ones, one more and one less. */
static void compare_changed(uint8_t *frame, size_t n_bytes, struct counts *counts)
{
    for (size_t i = 12; i < n_bytes; i++) {
        uint8_t kept = frame[i];
        const uint8_t tries[] = {0, 0xff, (uint8_t)(kept + 1), (uint8_t)(kept - 1)};

        for (size_t t = 0; t < sizeof tries; t++) {
            frame[i] = tries[t];
            compare("changed stack", frame, n_bytes, counts);
        }
        frame[i] = kept;
    }
}

static void compare_stacks(struct counts *counts)
{
    for (unsigned int i = 0; i < stacks_count(); i++) {
        uint8_t frame[STACK_MAX_BYTES];
        size_t n_bytes = stacks_make(i, frame);

        for (size_t size = MIN_FRAME; size <= n_bytes; size++)
            compare("cut stack", frame, size, counts);
        if (i % 7 == 0) /* A sample; the random frames do the rest. */
            compare_changed(frame, n_bytes, counts);
    }
}

static void compare_random(unsigned long n, uint64_t seed, struct counts *counts)
{
    const struct generate_frames options = {.max_vlans = 3,
                                            .has_protocol_0 = true,
                                            .has_ipv6_fragments = true,
                                            .has_wrong_versions = true,
                                            .has_dei = true};
    struct random random;

    random_init(&random, seed);
    while (n-- > 0) {
        uint8_t frame[GENERATE_MAX_FRAME];
        size_t n_bytes = generate_frame(&random, &options, frame);

        compare("random frame", frame, n_bytes, counts);
    }
}

int main(int argc, char **argv)
{
    unsigned long n_random = argc > 2 ? strtoul(argv[2], NULL, 10) : 50000;
    uint64_t seed = argc > 3 ? strtoull(argv[3], NULL, 10) : 1;
    struct counts counts = {0};

    if (argc < 2) {
        fprintf(stderr, "usage: kernel_parse CORPUS-DIR [N-RANDOM [SEED]]\n");
        return 2;
    }
    skeleton = kernel_parse_bpf__open_and_load();
    if (!skeleton) {
        fprintf(stderr, "kernel_parse: cannot load the BPF programs: %s\n", strerror(errno));
        return errno == EPERM ? 77 : 1;
    }
    compare_corpus(argv[1], &counts);
    compare_stacks(&counts);
    compare_random(n_random, seed, &counts);
    kernel_parse_bpf__destroy(skeleton);
    printf("%u stacks; %lu frames parsed in the kernel (%lu were refused), %lu out of its reach, "
           "%lu differ\n",
           stacks_count(), counts.n_frames, counts.n_refused, counts.n_out_of_reach,
           counts.n_different);
    return counts.n_different || !counts.n_frames ? 1 : 0;
}
