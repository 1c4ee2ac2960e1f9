/* SPDX-License-Identifier: Apache-2.0 */

/* A header, then records: length, checksum, messages.  What changes is encoded when it is published, or not at
 * all: when more flows leave than stay, the file is written anew. */

#include "vswitchd/flow_journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uthash.h>

#include "lib/annotations.h"
#include "lib/buffer.h"
#include "lib/byteorder.h"
#include "lib/clock.h"
#include "lib/crc32c.h"
#include "lib/log.h"
#include "lib/openflow/flow_mod.h"
#include "lib/rundir.h"
#include "vswitchd/flow_mod.h"
#include "vswitchd/group_mod.h"
#include "vswitchd/group_table.h"
#include "vswitchd/meter_mod.h"

LOG_MODULE(flow_journal);

enum {
    COMPACT_FROM = 8192, /* Messages. */
    MAX_RECORD_BYTES = 1 << 30,
    PIECE_BYTES = 1 << 18, /* Of a file that is written anew. */
    KEEP_BYTES = 1 << 20,  /* A larger buffer is given back. */
};

static const char magic[8] = "weirfl1";

struct header {
    char magic[8];
    char boot[40];
    struct uuid bridge;
    uint64_t has_normal_flow;
};

struct record {
    uint32_t n_bytes; /* Of the messages that follow. */
    uint32_t checksum;
};

/* Among the messages, but of no version of OpenFlow: those name ports by numbers, which others may get. */
struct port_message {
    uint8_t version, type; /* 0. */
    be16 n_bytes;
    uint32_t config;
    struct uuid row;
};

/* Those deleted while there was no daemon stay until the machine boots: nobody asks for them. */
struct port_config {
    struct uuid row;
    uint32_t config; /* Not 0. */
    UT_hash_handle by_row;
};

struct flow_journal {
    char *path;
    struct header header;
    struct flow_tables *tables;
    struct meter_table *meters;
    struct port_config *ports;
    int fd;
    uint64_t n_messages; /* Of which so many as there are flows are not history. */
    struct buffer record;
    struct of_flow_mod scratch;

    /* Since the last publication: of const struct rule, alive until the next one is over. */
    struct buffer deleted, added;
};

static void read_boot(char *boot, size_t n_bytes)
{
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, boot, n_bytes - 1);

    boot[n < 0 ? 0 : n] = '\0';
    if (fd >= 0)
        close(fd);
}

/* --- Write ---------------------------------------------------------------------------------- */

static bool write_all(int fd, const void *data, size_t n_bytes)
{
    const uint8_t *from = data;

    while (n_bytes) {
        ssize_t n = write(fd, from, n_bytes);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        from += n;
        n_bytes -= (size_t)n;
    }
    return true;
}

/* A journal that lacks something is worse than none: forbidden flows might come back. */
static void give_up(struct flow_journal *journal)
{
    log_warn("%s: %s: flows will not survive a crash", journal->path, strerror(errno));
    unlink(journal->path);
    if (journal->fd >= 0)
        close(journal->fd);
    journal->fd = -1;
    buffer_clear(&journal->record);
}

static void begin_record(struct flow_journal *journal)
{
    const struct record room = {0};

    if (!journal->record.size)
        buffer_put(&journal->record, &room, sizeof room);
}

/* The first version that can say it.  False: none can; a flow that was learned may have too many actions. */
static bool put_flow(struct flow_journal *journal, const struct of_flow_mod *flow)
{
    static const struct of_protocol protocols[] = {
        {.version = OF_1_3},
        {.version = OF_1_5},
        {.version = OF_1_0, .uses_nxm = true, .has_table_id = true},
    };
    size_t i = 0;

    while (i < ARRAY_SIZE(protocols) - 1 && !of_flow_mod_fits(flow, &protocols[i]))
        i++;
    if (!of_flow_mod_length_fits(flow, &protocols[i]))
        return false;
    of_encode_flow_mod(flow, &protocols[i], 0, &journal->record);
    return true;
}

static void put_rule(struct flow_journal *journal, const struct rule *rule,
                     enum of_flow_command command)
{
    struct of_flow_mod *flow = &journal->scratch;
    struct ofa_list actions = rule_get_actions(rule, UINT64_MAX);

    begin_record(journal);
    struct buffer room = flow->actions;
    of_flow_mod_init(flow);
    flow->actions = room;
    buffer_clear(&flow->actions);
    cls_rule_expand(&rule->cls, &flow->match);
    flow->command = (uint8_t)command;
    flow->priority = (uint16_t)rule->cls.priority;
    flow->table_id = rule->table_id;
    if (command == OFFC_ADD) {
        flow->new_cookie = rule_cookie(rule);
        flow->idle_timeout_s = rule->idle_timeout_s;
        flow->hard_timeout_s = rule->hard_timeout_s;
        flow->importance = rule->importance;
        flow->flags = rule->flags & (uint16_t)~OFFF_CHECK_OVERLAP;
        buffer_put(&flow->actions, actions.first, actions.n_bytes);
    }
    if (put_flow(journal, flow))
        journal->n_messages++;
    else
        log_warn_limited("a flow of table %u is too long to be kept over a restart",
                         flow->table_id);
}

void flow_journal_add(struct flow_journal *journal, const struct rule *rule)
{
    if (journal && journal->fd >= 0 && !rule->is_repetition)
        buffer_put(&journal->added, &rule, sizeof rule);
}

void flow_journal_modify(struct flow_journal *journal, const struct rule *rule)
{
    if (journal && journal->fd >= 0)
        buffer_put(&journal->added, &rule, sizeof rule);
}

void flow_journal_delete(struct flow_journal *journal, const struct rule *rule)
{
    if (journal && journal->fd >= 0)
        buffer_put(&journal->deleted, &rule, sizeof rule);
}

static void put_rules(struct flow_journal *journal, const struct buffer *rules,
                      enum of_flow_command command)
{
    const struct rule *const *list = (void *)rules->data;

    for (size_t i = 0; i < rules->size / sizeof list[0]; i++)
        put_rule(journal, list[i], command);
}

/* Empties it; what was large for once is given back. */
static void forget(struct buffer *buffer)
{
    if (buffer->capacity > KEEP_BYTES)
        buffer_fini(buffer);
    buffer_clear(buffer);
}

/* By 1.5, which says all of a group, in several messages if they are long.  Buckets without numbers came by an older
 * version, which then says them as well, as it says what only it can. */
static void put_group_mod(struct flow_journal *journal, const struct of_group_mod *mod)
{
    struct of_group_mod first = *mod, rest = *mod;
    size_t n = mod->group.n_buckets;

    if (of_group_mod_fits(mod, OF_1_5)) {
        of_encode_group_mod(mod, OF_1_5, 0, &journal->record);
    } else if (of_group_mod_fits(mod, OF_1_3)) {
        of_encode_group_mod(mod, OF_1_3, 0, &journal->record);
    } else if (n > 1 && mod->group.buckets[0].bucket_id <= (uint32_t)OF_BUCKET_MAX) {
        first.group.n_buckets = n / 2;
        rest.command = OFGC_INSERT_BUCKET;
        rest.command_bucket_id = (uint32_t)OF_BUCKET_LAST;
        rest.group.buckets += n / 2;
        rest.group.n_buckets -= n / 2;
        rest.group.selection_method[0] = '\0'; /* Said with the first ones. */
        rest.group.n_fields = 0;
        put_group_mod(journal, &first);
        put_group_mod(journal, &rest);
    } else {
        log_warn_limited("group %u is too long to be kept over a restart", mod->group.group_id);
    }
}

static void put_group(const struct group *group, bool is_gone, void *journal_)
{
    struct flow_journal *journal = journal_;
    struct of_group_mod mod = {
        .command = is_gone ? OFGC_DELETE : OFGC_ADD_OR_MOD,
        .command_bucket_id = (uint32_t)OF_BUCKET_ALL,
        .group = group->desc,
    };

    if (is_gone)
        mod.group.n_buckets = 0;
    begin_record(journal);
    put_group_mod(journal, &mod);
}

static void put_meter(struct flow_journal *journal, const struct meter *meter, bool is_gone)
{
    const struct of_meter_mod mod = {
        .command = is_gone ? OFMC_DELETE : OFMC_ADD,
        .meter = meter->desc,
    };

    begin_record(journal);
    of_encode_meter_mod(&mod, OF_1_3, 0, &journal->record);
}

static void put_groups_and_meters(struct flow_journal *journal)
{
    struct group **groups;
    struct meter **meters = NULL;
    size_t n_groups = group_table_list(flow_tables_groups(journal->tables),
                                       flow_tables_version(journal->tables), &groups);
    size_t n_meters = journal->meters ? meter_table_list(journal->meters, &meters) : 0;

    for (size_t i = 0; i < n_meters; i++)
        put_meter(journal, meters[i], false);
    for (size_t i = 0; i < n_groups; i++)
        put_group(groups[i], false, journal);
    free(groups);
    free(meters);
}

/* What happens to frames that match nothing is said by 1.1 only, and the rest by 1.4. */
static void put_table(struct flow_journal *journal, uint8_t table_id)
{
    const struct of_table_mod mod = {
        .table_id = table_id,
        .miss = flow_tables_miss(journal->tables, table_id),
        .config = *flow_tables_config(journal->tables, table_id),
    };

    begin_record(journal);
    of_encode_table_mod(&mod, OF_1_4, 0, &journal->record);
    if (mod.miss == OF_MISS_DEFAULT)
        return;
    begin_record(journal);
    of_encode_table_mod(&mod, OF_1_1, 0, &journal->record);
}

static void put_tables(struct flow_journal *journal)
{
    for (unsigned int i = 0; i < OF_N_TABLES; i++) {
        const struct of_table_config *config = flow_tables_config(journal->tables, (uint8_t)i);
        if (config->does_evict || config->tells_vacancy ||
            flow_tables_miss(journal->tables, (uint8_t)i) != OF_MISS_DEFAULT)
            put_table(journal, (uint8_t)i);
    }
}

static void put_port(struct flow_journal *journal, const struct uuid *row, uint32_t config)
{
    const struct port_message message = {
        .n_bytes = be16_from(sizeof message),
        .config = config,
        .row = *row,
    };

    begin_record(journal);
    buffer_put(&journal->record, &message, sizeof message);
}

static void put_ports(struct flow_journal *journal)
{
    const struct port_config *port, *next;

    HASH_ITER (by_row, journal->ports, port, next)
        put_port(journal, &port->row, port->config);
}

static bool write_record(struct flow_journal *journal, int fd)
{
    struct record *record = (void *)journal->record.data;
    size_t n_bytes = journal->record.size;
    bool is_written = true;

    if (n_bytes > sizeof *record) {
        record->n_bytes = (uint32_t)(n_bytes - sizeof *record);
        record->checksum = crc32c(0, record + 1, record->n_bytes);
        is_written = write_all(fd, record, n_bytes);
    }
    forget(&journal->record);
    return is_written;
}

struct rewriting {
    struct flow_journal *journal;
    bool is_written; /* So far. */
};

/* In pieces: together they are whole or have no name. */
static bool put_each(struct rule *rule, void *rewriting_)
{
    struct rewriting *rewriting = rewriting_;
    struct flow_journal *journal = rewriting->journal;

    put_rule(journal, rule, OFFC_ADD);
    if (journal->record.size >= PIECE_BYTES)
        rewriting->is_written = write_record(journal, journal->fd);
    return rewriting->is_written;
}

/* Beside it, and then in its place. */
static void rewrite(struct flow_journal *journal)
{
    const struct rule_filter all = {
        .table_id = OF_TABLE_ALL,
        .out_port = OFPP_NONE,
        .out_group = OF_GROUP_ANY,
    };
    char *beside;

    if (asprintf(&beside, "%s~", journal->path) < 0)
        abort();
    int old_fd = journal->fd;
    journal->fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    journal->n_messages = 0;
    struct rewriting rewriting = {
        .journal = journal,
        .is_written = journal->fd >= 0 &&
                      write_all(journal->fd, &journal->header, sizeof journal->header),
    };
    put_tables(journal);
    put_ports(journal);
    put_groups_and_meters(journal);
    if (rewriting.is_written)
        flow_tables_each(journal->tables, &all, put_each, &rewriting);
    if (!rewriting.is_written || !write_record(journal, journal->fd) ||
        rename(beside, journal->path))
        give_up(journal);
    if (old_fd >= 0)
        close(old_fd);
    free(beside);
}

void flow_journal_commit(struct flow_journal *journal)
{
    if (!journal || journal->fd < 0)
        return;
    if (journal->deleted.size / sizeof(struct rule *) > flow_tables_n_flows(journal->tables)) {
        rewrite(journal);
    } else {
        group_table_each_change(flow_tables_groups(journal->tables),
                                flow_tables_version(journal->tables), put_group, journal);
        put_rules(journal, &journal->deleted, OFFC_DELETE_STRICT);
        put_rules(journal, &journal->added, OFFC_ADD);
        if (!write_record(journal, journal->fd))
            give_up(journal);
    }
    forget(&journal->deleted);
    forget(&journal->added);
}

void flow_journal_put_meter(struct flow_journal *journal, const struct meter *meter, bool is_gone)
{
    if (!journal || journal->fd < 0)
        return;
    put_meter(journal, meter, is_gone);
    if (!write_record(journal, journal->fd))
        give_up(journal);
}

void flow_journal_put_table(struct flow_journal *journal, uint8_t table_id)
{
    if (!journal || journal->fd < 0)
        return;
    if (table_id == OF_TABLE_ALL)
        for (unsigned int i = 0; i < OF_N_TABLES; i++)
            put_table(journal, (uint8_t)i);
    else
        put_table(journal, table_id);
    if (!write_record(journal, journal->fd))
        give_up(journal);
}

/* True: it was different. */
static bool remember_port(struct flow_journal *journal, const struct uuid *row, uint32_t config)
{
    struct port_config *port;

    HASH_FIND(by_row, journal->ports, row, sizeof *row, port);
    if (config == (port ? port->config : 0))
        return false;
    if (!config) {
        HASH_DELETE(by_row, journal->ports, port);
        free(port);
        return true;
    }
    if (!port) {
        port = calloc(1, sizeof *port);
        if (!port)
            abort();
        port->row = *row;
        HASH_ADD(by_row, journal->ports, row, sizeof port->row, port);
    }
    port->config = config;
    return true;
}

void flow_journal_put_port(struct flow_journal *journal, const struct uuid *row, uint32_t config)
{
    if (!journal || !remember_port(journal, row, config) || journal->fd < 0)
        return;
    put_port(journal, row, config);
    journal->n_messages++;
    if (!write_record(journal, journal->fd))
        give_up(journal);
}

uint32_t flow_journal_port(const struct flow_journal *journal, const struct uuid *row)
{
    const struct port_config *port;

    if (!journal)
        return 0;
    HASH_FIND(by_row, journal->ports, row, sizeof *row, port);
    return port ? port->config : 0;
}

void flow_journal_compact(struct flow_journal *journal)
{
    if (journal && journal->fd >= 0 &&
        journal->n_messages > 2 * (uint64_t)flow_tables_n_flows(journal->tables) + COMPACT_FROM)
        rewrite(journal);
}

/* --- Restore -------------------------------------------------------------------------------- */

static struct of_protocol protocol_of(const struct of_message *message)
{
    bool is_10 = message->version == OF_1_0;

    return (struct of_protocol){
        .version = message->version, .uses_nxm = is_10, .has_table_id = is_10};
}

static bool restore_flow(struct flow_journal *journal, const struct of_message *message)
{
    struct of_protocol protocol = protocol_of(message);
    struct of_flow_mod flow;

    of_flow_mod_init(&flow);
    bool is_good = !of_decode_flow_mod(message, &protocol, OF_N_TABLES, &flow) &&
                   !flow_mod_apply(journal->tables, &flow, clock_now_ns());
    of_flow_mod_fini(&flow);
    return is_good;
}

static bool restore_group(struct flow_journal *journal, const struct of_message *message)
{
    struct of_group_mod mod;
    bool is_good = !of_decode_group_mod(message, OF_N_TABLES, &mod) &&
                   !group_mod_apply(journal->tables, &mod, clock_now_ns());

    of_group_mod_fini(&mod);
    return is_good;
}

static bool restore_meter(struct flow_journal *journal, const struct of_message *message)
{
    struct of_meter_mod mod;
    bool is_good = !of_decode_meter_mod(message, &mod) && journal->meters;

    if (is_good && mod.command == OFMC_ADD &&
        meter_table_lookup(journal->meters, mod.meter.meter_id))
        mod.command = OFMC_MODIFY;
    if (is_good)
        is_good = !meter_mod_apply(journal->meters, journal->tables, &mod, clock_now_ns());
    of_meter_mod_fini(&mod);
    return is_good;
}

static bool restore_table(struct flow_journal *journal, const struct of_message *message)
{
    struct of_table_mod mod;

    if (of_decode_table_mod(message, &mod))
        return false;
    if (message->version <= OF_1_2)
        flow_tables_set_miss(journal->tables, mod.table_id, mod.miss);
    else
        flow_tables_set_config(journal->tables, mod.table_id, &mod.config);
    return true;
}

static bool restore_port(struct flow_journal *journal, const uint8_t *data, size_t n_bytes)
{
    struct port_message message;

    if (n_bytes != sizeof message)
        return false;
    memcpy(&message, data, sizeof message);
    remember_port(journal, &message.row, message.config);
    return true;
}

static bool restore_message(struct flow_journal *journal, const uint8_t *data, size_t n_bytes)
{
    struct of_message message;

    if (!data[0])
        return restore_port(journal, data, n_bytes);
    if (of_decode_message(data, n_bytes, &message))
        return false;
    if (message.kind == OF_GROUP_MOD)
        return restore_group(journal, &message);
    if (message.kind == OF_METER_MOD)
        return restore_meter(journal, &message);
    if (message.kind == OF_TABLE_MOD)
        return restore_table(journal, &message);
    return message.kind == OF_FLOW_MOD && restore_flow(journal, &message);
}

static void restore_record(struct flow_journal *journal, const uint8_t *data, size_t n_bytes)
{
    while (n_bytes) {
        int n = of_frame_length(data, n_bytes);

        if (n <= 0 || (size_t)n > n_bytes)
            return;
        if (!restore_message(journal, data, (size_t)n))
            log_warn("%s: a flow, group or meter cannot be restored", journal->path);
        data += n;
        n_bytes -= (size_t)n;
    }
}

static bool read_all(const char *path, struct buffer *content)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    uint8_t chunk[65536];
    ssize_t n;

    if (fd < 0)
        return false;
    while ((n = read(fd, chunk, sizeof chunk)) > 0)
        buffer_put(content, chunk, (size_t)n);
    close(fd);
    return !n;
}

static bool restore(struct flow_journal *journal)
{
    struct buffer content = BUFFER_INIT;
    struct record record;
    size_t at = sizeof journal->header;

    if (!read_all(journal->path, &content) || content.size < at ||
        memcmp(content.data, &journal->header, at)) {
        buffer_fini(&content);
        return false;
    }
    while (content.size - at >= sizeof record) {
        const uint8_t *messages = content.data + at + sizeof record;

        memcpy(&record, content.data + at, sizeof record);
        if (record.n_bytes > content.size - at - sizeof record ||
            record.n_bytes > MAX_RECORD_BYTES ||
            crc32c(0, messages, record.n_bytes) != record.checksum)
            break;
        restore_record(journal, messages, record.n_bytes);
        at += sizeof record + record.n_bytes;
    }
    buffer_fini(&content);
    return true;
}

/* --- Life ----------------------------------------------------------------------------------- */

static void name_owner(struct header *header, const struct flow_journal_owner *owner)
{
    header->bridge = owner->bridge;
    header->has_normal_flow = owner->has_normal_flow;
}

void flow_journal_set_owner(struct flow_journal *journal, const struct flow_journal_owner *owner)
{
    struct header header;

    if (!journal || journal->fd < 0)
        return;
    header = journal->header;
    name_owner(&header, owner);
    if (!memcmp(&header, &journal->header, sizeof header))
        return;
    journal->header = header;
    rewrite(journal);
}

struct flow_journal *flow_journal_open(const char *name, const struct flow_journal_owner *owner,
                                       struct flow_tables *tables, struct meter_table *meters,
                                       bool *is_restored)
{
    struct flow_journal *journal;
    char *file;

    *is_restored = false;
    if (!*name || *name == '.' || strchr(name, '/'))
        return NULL;
    journal = calloc(1, sizeof *journal);
    if (!journal || asprintf(&file, "%s.flows", name) < 0)
        abort();
    journal->path = rundir_file(file);
    free(file);
    journal->tables = tables;
    journal->meters = meters;
    journal->fd = -1;
    of_flow_mod_init(&journal->scratch);
    memcpy(journal->header.magic, magic, sizeof magic);
    read_boot(journal->header.boot, sizeof journal->header.boot);
    name_owner(&journal->header, owner);
    *is_restored = restore(journal);
    flow_tables_publish(tables);
    rewrite(journal);
    if (*is_restored)
        log_info("bridge %s: restored %u flows", name, flow_tables_n_flows(tables));
    return journal;
}

void flow_journal_close(struct flow_journal *journal)
{
    struct port_config *port, *next;

    if (!journal)
        return;
    HASH_ITER (by_row, journal->ports, port, next) {
        HASH_DELETE(by_row, journal->ports, port);
        free(port);
    }
    if (journal->fd >= 0)
        close(journal->fd);
    buffer_fini(&journal->record);
    buffer_fini(&journal->deleted);
    buffer_fini(&journal->added);
    of_flow_mod_fini(&journal->scratch);
    free(journal->path);
    free(journal);
}

void flow_journal_remove(struct flow_journal *journal)
{
    if (journal)
        unlink(journal->path);
    flow_journal_close(journal);
}
