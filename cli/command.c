/* SPDX-License-Identifier: Apache-2.0 */

/* The list of nouns is the only place that knows all files; order here is the order of help. */

#include "cli/command.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/nouns.h"
#include "cli/options.h"
#include "cli/shown.h"

static const struct command_rows *const nouns[] = {
    &up_commands,
    &status_commands,
    &help_commands,
    &show_commands,
    &bridge_commands,
    &bridge_setting_commands,
    &port_commands,
    &bond_commands,
    &controller_commands,
    &mirror_commands,
    &qos_commands,
    &ssl_commands,
    &auto_attach_commands,
    &zone_commands,
    &reset_commands,
    &record_list_commands,
    &record_commands,
    &record_life_commands,
    &db_commands,
    &flow_commands,
    &flow_dump_commands,
    &flow_diff_commands,
    &flow_watch_commands,
    &group_commands,
    &group_dump_commands,
    &meter_commands,
    &of_port_commands,
    &of_table_commands,
    &of_table_config_commands,
    &of_queue_commands,
    &of_switch_commands,
    &of_tlv_commands,
    &packet_out_commands,
    &of_monitor_commands,
    &of_print_commands,
    &of_capture_commands,
    &ports_commands,
    &fdb_commands,
    &trace_commands,
    &cache_commands,
    &verify_commands,
    &control_commands,
    &log_commands,
};

const char *command_group_title(enum command_group group)
{
    static const char *const titles[N_GROUPS] = {
        [GROUP_SWITCH] = "The switch",
        [GROUP_CONFIG] = "Bridges and ports",
        [GROUP_RECORD] = "Records of the database",
        [GROUP_FLOW] = "Flow tables",
        [GROUP_LOOK] = "Looking inside",
    };
    return titles[group];
}

const struct command *command_next(const struct command *after)
{
    bool is_found = !after;

    for (size_t i = 0; i < ARRAY_SIZE(nouns); i++) {
        for (size_t j = 0; j < nouns[i]->n; j++) {
            if (is_found)
                return &nouns[i]->rows[j];
            is_found = &nouns[i]->rows[j] == after;
        }
    }
    return NULL;
}

const struct command *command_find(const char *name)
{
    const struct command *command = NULL;

    while ((command = command_next(command)))
        if (!strcmp(command->name, name))
            break;
    return command;
}

enum { NEAREST_MAX_LENGTH = 40 };

/* Levenshtein's distance; words are at most NEAREST_MAX_LENGTH long. */
static size_t measure_distance(const char *a, const char *b)
{
    size_t row[NEAREST_MAX_LENGTH + 1];
    size_t length = strlen(b);

    for (size_t j = 0; j <= length; j++)
        row[j] = j;
    for (size_t i = 1; a[i - 1]; i++) {
        size_t diagonal = row[0];

        row[0] = i;
        for (size_t j = 1; j <= length; j++) {
            size_t best = diagonal + (a[i - 1] != b[j - 1]);
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            diagonal = row[j];
            row[j] = best;
        }
    }
    return row[length];
}

const char *command_nearest(const char *word)
{
    size_t length = strnlen(word, NEAREST_MAX_LENGTH + 1);
    size_t best = length / 3 + 2;
    const char *nearest = NULL;

    if (!length || length > NEAREST_MAX_LENGTH)
        return NULL;
    for (const struct command *command = NULL; (command = command_next(command));) {
        size_t distance = measure_distance(word, command->name);
        if (distance < best) {
            best = distance;
            nearest = command->name;
        }
    }
    return nearest;
}

static int refuse_unknown(const char *word, struct error *error)
{
    const char *nearest = command_nearest(word);

    if (nearest)
        return error_set(error, -EINVAL, "there is no command %s; did you mean \"%s\"?",
                         shown(word).text, nearest);
    return error_set(error, -EINVAL, "there is no command %s; \"weir help\" lists them all",
                     shown(word).text);
}

/* Finds "--name" (length bytes) in a list like "--may-exist --id= --sort[=]". */
static bool find_option(const char *list, const char *name, size_t length, bool *may_have_value,
                        bool *needs_value)
{
    for (const char *at = list; at && *at;) {
        size_t n = strcspn(at, " ");
        size_t name_length = strcspn(at, "[= ");

        *may_have_value = name_length < n;
        *needs_value = at[name_length] == '=';
        if (name_length == length && !memcmp(at, name, length))
            return true;
        at += n + (at[n] == ' ');
    }
    return false;
}

static int check_options(const struct invocation *invocation, struct error *error)
{
    const struct command *command = invocation->command;

    for (size_t i = 0; i < invocation->n_options; i++) {
        const char *name = invocation->options[i].name;
        size_t length = invocation->options[i].name_length;
        bool may_have_value, needs_value, was_given = name[length] == '=';

        if (!command)
            return error_set(error, -EINVAL, "%s: no such option", shown(name).text);
        if (!find_option(command->options, name, length, &may_have_value, &needs_value))
            return error_set(error, -EINVAL, "%s: %s has no such option (see weir help %s)",
                             shown(name).text, command->name, command->name);
        if (was_given ? !may_have_value : needs_value)
            return error_set(error, -EINVAL, "%s: %s", shown(name).text,
                             needs_value ? "needs a value, as in --option=VALUE"
                                         : "takes no value");
    }
    return 0;
}

static int add_option(struct invocation *invocation, const char *word, struct error *error)
{
    size_t i = invocation->n_options;

    if (i == INVOCATION_MAX_OPTIONS)
        return error_set(error, -E2BIG, "%s: too many options", shown(word).text);
    invocation->options[i].name = word;
    invocation->options[i].name_length = strcspn(word, "=");
    invocation->options[i].value = strchr(word, '=') ? strchr(word, '=') + 1 : "";
    invocation->n_options++;
    return 0;
}

static bool takes_options(const struct invocation *invocation)
{
    return !invocation->command || !invocation->command->is_raw || !invocation->n_args;
}

/* "db get", "db set" ... are get, set ...: whoever is after the database need not know which of its
 * verbs stand alone. */
static bool is_record_verb(const struct invocation *invocation, const char *word)
{
    const struct command *command = command_find(word);

    return !strcmp(invocation->command->name, "db") && !invocation->n_args && command &&
           command->group == GROUP_RECORD && command->prepare;
}

/* "-" is standard input, and "-5" a number. */
static bool is_option(const char *word)
{
    return word[0] == '-' && word[1] && !isdigit((unsigned char)word[1]);
}

static int parse_word(struct invocation *invocation, struct options *options,
                      const char *const words[], size_t n_words, struct error *error)
{
    if (is_option(words[0]) && takes_options(invocation)) {
        int n = options_take(options, words, n_words, error);

        if (n)
            return n;
        return add_option(invocation, words[0], error) ? error->code : 1;
    }
    if (invocation->command && is_record_verb(invocation, words[0]))
        invocation->command = command_find(words[0]);
    else if (invocation->command)
        invocation->args[invocation->n_args++] = words[0];
    else if (!(invocation->command = command_find(words[0])))
        return refuse_unknown(words[0], error);
    return 1;
}

int invocation_parse(struct invocation *invocation, struct options *options,
                     const char *const words[], size_t n_words, struct error *error)
{
    size_t i = 0;

    memset(invocation, 0, sizeof *invocation);
    invocation->args = calloc(n_words + 1, sizeof *invocation->args);
    if (!invocation->args)
        return error_set(error, -ENOMEM, "out of memory");
    while (i < n_words && (strcmp(words[i], "--") || !takes_options(invocation))) {
        int n = parse_word(invocation, options, words + i, n_words - i, error);

        if (n < 0)
            return n;
        i += (size_t)n;
    }
    if (invocation->command && invocation->command->with_arguments && invocation->n_args)
        invocation->command = invocation->command->with_arguments;
    int result = check_options(invocation, error);
    return result ? result : (int)i;
}

void invocation_fini(struct invocation *invocation)
{
    free(invocation->args);
    free(invocation->state);
    buffer_fini(&invocation->output);
}

const char *invocation_option(const struct invocation *invocation, const char *name)
{
    for (size_t i = 0; i < invocation->n_options; i++)
        if (strlen(name) == invocation->options[i].name_length &&
            !strncmp(invocation->options[i].name, name, invocation->options[i].name_length))
            return invocation->options[i].value;
    return NULL;
}

int invocation_check(const struct invocation *invocation, struct error *error)
{
    const struct command *command = invocation->command;

    if (invocation->n_args < (size_t)command->min_args)
        return error_set(error, -EINVAL, "%s: needs %s%d argument%s: weir %s %s", command->name,
                         command->max_args == command->min_args ? "" : "at least ",
                         command->min_args, command->min_args == 1 ? "" : "s", command->name,
                         command->arguments);
    if (command->max_args >= 0 && invocation->n_args > (size_t)command->max_args)
        return error_set(error, -EINVAL, "%s: %s is one argument too many: weir %s%s%s",
                         command->name, shown(invocation->args[command->max_args]).text,
                         command->name, *command->arguments ? " " : "", command->arguments);
    return command->check ? command->check(invocation, error) : 0;
}
