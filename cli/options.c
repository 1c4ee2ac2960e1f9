/* SPDX-License-Identifier: Apache-2.0 */

/* getopt_long() would permute words across "--" and stop at what it does not know; here options of
 * a command and of all commands stand side by side, so each word is looked up in a table. */

#include "cli/options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/of_dialect.h"
#include "cli/shown.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/rundir.h"

typedef int option_setter(struct options *, const char *value, struct error *);

enum value { NO_VALUE, ITS_VALUE, MAY_HAVE_VALUE };

struct option_row {
    const char *name;
    enum value value;
    option_setter *set;
};

static int set_rundir(struct options *options, const char *value, struct error *error)
{
    (void)options;
    if (!*value)
        return error_set(error, -EINVAL, "--rundir: needs the name of a directory");
    rundir_set(value);
    return 0;
}

static int set_db(struct options *options, const char *value, struct error *error)
{
    (void)error;
    options->db = value;
    return 0;
}

static int set_timeout(struct options *options, const char *value, struct error *error)
{
    char *end;
    double seconds = strtod(value, &end);

    if (end == value || *end || !(seconds >= 0 && seconds < 1e9))
        return error_set(error, -EINVAL, "--timeout=%s: not a number of seconds",
                         shown(value).text);
    options->timeout_ns = (int64_t)(seconds * (double)SECOND_NS);
    return 0;
}

static int set_no_wait(struct options *options, const char *value, struct error *error)
{
    (void)value, (void)error;
    options->no_wait = true;
    return 0;
}

static int set_dry_run(struct options *options, const char *value, struct error *error)
{
    (void)value, (void)error;
    options->dry_run = true;
    return 0;
}

static int set_oneline(struct options *options, const char *value, struct error *error)
{
    (void)value, (void)error;
    options->oneline = true;
    return 0;
}

static int set_json(struct options *options, const char *value, struct error *error)
{
    (void)value, (void)error;
    options->style.format = TABLE_OBJECTS;
    return 0;
}

static int set_pretty(struct options *options, const char *value, struct error *error)
{
    (void)value, (void)error;
    options->style.is_pretty = true;
    return 0;
}

static int set_format(struct options *options, const char *value, struct error *error)
{
    return table_format_parse(value, &options->style.format, error);
}

static int set_data(struct options *options, const char *value, struct error *error)
{
    return table_data_parse(value, &options->style.data, error);
}

static int set_no_headings(struct options *options, const char *value, struct error *error)
{
    (void)value, (void)error;
    options->style.no_headings = true;
    return 0;
}

static int set_of_version(struct options *options, const char *value, struct error *error)
{
    options->of_version = value;
    return of_dialect_check(options, error);
}

static int set_flow_format(struct options *options, const char *value, struct error *error)
{
    options->flow_format = value;
    return of_dialect_check(options, error);
}

static int set_packet_in_format(struct options *options, const char *value, struct error *error)
{
    enum of_packet_in_format format;

    options->packet_in_format = value;
    return of_packet_in_format_parse(value, &format, error);
}

static int set_more(struct options *options, const char *value, struct error *error)
{
    (void)value, (void)error;
    options->more++;
    return 0;
}

static int set_names(struct options *options, const char *value, struct error *error)
{
    (void)value, (void)error;
    options->names = NAMES_ALWAYS;
    return 0;
}

static int set_no_names(struct options *options, const char *value, struct error *error)
{
    (void)value, (void)error;
    options->names = NAMES_NEVER;
    return 0;
}

#define TLS_SETTER(NAME, OPTION)                                                     \
    static int NAME(struct options *options, const char *value, struct error *error) \
    {                                                                                \
        (void)error;                                                                 \
        return tls_option(&options->tls, OPTION, value);                             \
    }
TLS_SETTER(set_private_key, TLS_OPTION_PRIVATE_KEY)
TLS_SETTER(set_certificate, TLS_OPTION_CERTIFICATE)
TLS_SETTER(set_ca_cert, TLS_OPTION_CA_CERT)
TLS_SETTER(set_bootstrap_ca_cert, TLS_OPTION_BOOTSTRAP_CA_CERT)
TLS_SETTER(set_peer_ca_cert, TLS_OPTION_PEER_CA_CERT)
TLS_SETTER(set_tls_protocols, TLS_OPTION_PROTOCOLS)
TLS_SETTER(set_tls_ciphers, TLS_OPTION_CIPHERS)
TLS_SETTER(set_tls_ciphersuites, TLS_OPTION_CIPHERSUITES)

static int set_verbose(struct options *options, const char *value, struct error *error)
{
    (void)options;
    if (log_set_levels(*value ? value : "dbg", NULL) < 0)
        return error_set(error, -EINVAL,
                         "--verbose: %s is not a level or module (see weir log list)",
                         shown(value).text);
    return 0;
}

static int set_help(struct options *options, const char *value, struct error *error)
{
    (void)value, (void)error;
    options->wants_help = true;
    return 0;
}

static int set_version(struct options *options, const char *value, struct error *error)
{
    (void)value, (void)error;
    options->wants_version = true;
    return 0;
}

static int set_database(struct options *options, const char *value, struct error *error)
{
    (void)error;
    options->database = value;
    return 0;
}

static int set_retry(struct options *options, const char *value, struct error *error)
{
    (void)value, (void)error;
    options->retry = true;
    return 0;
}

static int set_bare(struct options *options, const char *value, struct error *error)
{
    (void)value, (void)error;
    options->style.format = TABLE_LIST;
    options->style.data = DATA_BARE;
    options->style.no_headings = true;
    return 0;
}

static int set_max_width(struct options *options, const char *value, struct error *error)
{
    char *end;
    long width = strtol(value, &end, 10);

    if (end == value || *end || width < 0 || width > 1000000)
        return error_set(error, -EINVAL, "--max-column-width=%s: not a number of characters",
                         shown(value).text);
    options->style.max_width = (size_t)width;
    return 0;
}

static int set_log_file(struct options *options, const char *value, struct error *error)
{
    (void)options;
    return log_open_file(*value ? value : "/var/log/weir/weir.log", error);
}

static int set_commands(struct options *options, const char *value, struct error *error)
{
    (void)value, (void)error;
    options->wants_commands = true;
    return 0;
}

static int set_options(struct options *options, const char *value, struct error *error)
{
    (void)value, (void)error;
    options->wants_options = true;
    return 0;
}

/* What scripts written for ovs-vsctl(8) say of syslog, which weir leaves alone, and of clusters. */
static int set_nothing(struct options *options, const char *value, struct error *error)
{
    (void)options, (void)value, (void)error;
    return 0;
}

static const struct option_row rows[] = {
    {"--rundir", ITS_VALUE, set_rundir},
    {"--db", ITS_VALUE, set_db},
    {"--database", ITS_VALUE, set_database},
    {"--timeout", ITS_VALUE, set_timeout},
    {"-t", ITS_VALUE, set_timeout},
    {"--retry", NO_VALUE, set_retry},
    {"--no-wait", NO_VALUE, set_no_wait},
    {"--dry-run", NO_VALUE, set_dry_run},
    {"--oneline", NO_VALUE, set_oneline},
    {"--json", NO_VALUE, set_json},
    {"--pretty", NO_VALUE, set_pretty},
    {"--format", ITS_VALUE, set_format},
    {"-f", ITS_VALUE, set_format},
    {"--data", ITS_VALUE, set_data},
    {"-d", ITS_VALUE, set_data},
    {"--no-headings", NO_VALUE, set_no_headings},
    {"--bare", NO_VALUE, set_bare},
    {"--max-column-width", ITS_VALUE, set_max_width},
    {"--protocols", ITS_VALUE, set_of_version},
    {"-O", ITS_VALUE, set_of_version},
    {"--flow-format", ITS_VALUE, set_flow_format},
    {"-F", ITS_VALUE, set_flow_format},
    {"--packet-in-format", ITS_VALUE, set_packet_in_format},
    {"-P", ITS_VALUE, set_packet_in_format},
    {"--more", NO_VALUE, set_more},
    {"-m", NO_VALUE, set_more},
    {"--names", NO_VALUE, set_names},
    {"--no-names", NO_VALUE, set_no_names},
    {"--private-key", ITS_VALUE, set_private_key},
    {"-p", ITS_VALUE, set_private_key},
    {"--certificate", ITS_VALUE, set_certificate},
    {"-c", ITS_VALUE, set_certificate},
    {"--ca-cert", ITS_VALUE, set_ca_cert},
    {"-C", ITS_VALUE, set_ca_cert},
    {"--bootstrap-ca-cert", ITS_VALUE, set_bootstrap_ca_cert},
    {"--peer-ca-cert", ITS_VALUE, set_peer_ca_cert},
    {"--ssl-protocols", ITS_VALUE, set_tls_protocols},
    {"--ssl-ciphers", ITS_VALUE, set_tls_ciphers},
    {"--ssl-ciphersuites", ITS_VALUE, set_tls_ciphersuites},
    {"--verbose", MAY_HAVE_VALUE, set_verbose},
    {"-v", MAY_HAVE_VALUE, set_verbose},
    {"--log-file", MAY_HAVE_VALUE, set_log_file},
    {"--no-syslog", NO_VALUE, set_nothing},
    {"--syslog-method", ITS_VALUE, set_nothing},
    {"--syslog-target", ITS_VALUE, set_nothing},
    {"--leader-only", NO_VALUE, set_nothing},
    {"--no-leader-only", NO_VALUE, set_nothing},
    {"--shuffle-remotes", NO_VALUE, set_nothing},
    {"--no-shuffle-remotes", NO_VALUE, set_nothing},
    {"--commands", NO_VALUE, set_commands},
    {"--options", NO_VALUE, set_options},
    {"--help", NO_VALUE, set_help},
    {"-h", NO_VALUE, set_help},
    {"--version", NO_VALUE, set_version},
    {"-V", NO_VALUE, set_version},
};

const char *options_help(void)
{
    return "  --rundir=DIR          run directory of the switch (default: $OVS_RUNDIR, else "
           "/run/weir)\n"
           "  --db=REMOTE           the database: unix:FILE, tcp:IP:PORT or ssl:IP:PORT (default:\n"
           "                        db.sock in the run directory)\n"
           "  --database=NAME       the database there (default: Open_vSwitch)\n"
           "  -t, --timeout=SECS    give up after this time (default: never)\n"
           "  --retry               wait for the database if it does not run yet\n"
           "  --no-wait             do not wait until vswitchd has done what was configured\n"
           "  --dry-run             do everything but commit the change\n"
           "  --json                print JSON: objects with the headings as names\n"
           "  --pretty              indent JSON\n"
           "  -f, --format=FORM     table, list, csv, html or json (headings and data apart)\n"
           "  -d, --data=FORM       values in tables: string, bare or json\n"
           "  --no-headings         leave out the headings of tables\n"
           "  --bare                the same as --format=list --data=bare --no-headings\n"
           "  --max-column-width=N  cut what is longer in tables\n"
           "  --oneline             print each command's output on one line\n"
           "  -O, --protocols=V     OpenFlow versions: OpenFlow10 (default) to OpenFlow15\n"
           "  -F, --flow-format=F   how flows are said: openflow10, nxm or oxm\n"
           "  -P, --packet-in-format=F  standard, nxt_packet_in or nxt_packet_in2\n"
           "  -m, --more            print OpenFlow messages with their bytes\n"
           "  --names, --no-names   print ports and tables by name (default on a terminal), or by "
           "number\n"
           "  -p, --private-key=FILE  for ssl: our key,\n"
           "  -c, --certificate=FILE  our certificate,\n"
           "  -C, --ca-cert=FILE      and the CA of the other side\n"
           "  -v, --verbose[=SPEC]  log levels, as \"weir log set\" takes them\n"
           "  --log-file[=FILE]     log to a file, too\n"
           "  --commands            list the commands, for completion\n"
           "  --options             list the options, for completion\n"
           "  -h, --help            this text; behind a command: the command's\n"
           "  -V, --version         the version\n";
}

void options_print_names(struct buffer *out)
{
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        buffer_printf(out, "%s%s\n", rows[i].name,
                      rows[i].value == NO_VALUE ? ""
                      : rows[i].name[1] == '-'  ? "=ARG"
                                                : " ARG");
}

/* "--name=value", "-xvalue" and the bare name; NULL: not this option.  The value is "" if the word
 * has none. */
static const char *match_option(const struct option_row *row, const char *word, bool *is_attached)
{
    size_t length = strlen(row->name);

    *is_attached = false;
    if (strncmp(word, row->name, length))
        return NULL;
    if (!word[length])
        return "";
    *is_attached = true;
    if (length > 2)
        return word[length] == '=' ? word + length + 1 : NULL;
    return row->value != NO_VALUE ? word + length : NULL;
}

int options_take(struct options *options, const char *const words[], size_t n_words,
                 struct error *error)
{
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        bool is_attached;
        const char *value = match_option(&rows[i], words[0], &is_attached);

        if (!value)
            continue;
        if (rows[i].value == ITS_VALUE && !is_attached && n_words < 2)
            return error_set(error, -EINVAL, "%s: needs a value", rows[i].name);
        if (rows[i].value == NO_VALUE && is_attached)
            return error_set(error, -EINVAL, "%s: takes no value", rows[i].name);
        bool takes_next = rows[i].value == ITS_VALUE && !is_attached;
        int result = rows[i].set(options, takes_next ? words[1] : value, error);
        return result ? result : takes_next ? 2 : 1;
    }
    return 0;
}
