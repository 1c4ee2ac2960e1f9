/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* nouns - the rows of commands that each file of this directory brings; see command.h. */

#include "cli/command.h"

extern const struct command_rows up_commands;
extern const struct command_rows status_commands;
extern const struct command_rows help_commands;
extern const struct command_rows show_commands;
extern const struct command_rows bridge_commands;
extern const struct command_rows bridge_setting_commands;
extern const struct command_rows port_commands;
extern const struct command_rows bond_commands;
extern const struct command_rows controller_commands;
extern const struct command_rows mirror_commands;
extern const struct command_rows qos_commands;
extern const struct command_rows ssl_commands;
extern const struct command_rows auto_attach_commands;
extern const struct command_rows zone_commands;
extern const struct command_rows reset_commands;
extern const struct command_rows record_list_commands;
extern const struct command_rows record_commands;
extern const struct command_rows record_life_commands;
extern const struct command_rows db_commands;
extern const struct command_rows flow_commands;
extern const struct command_rows flow_dump_commands;
extern const struct command_rows flow_diff_commands;
extern const struct command_rows flow_watch_commands;
extern const struct command_rows group_commands;
extern const struct command_rows group_dump_commands;
extern const struct command_rows meter_commands;
extern const struct command_rows of_port_commands;
extern const struct command_rows of_table_commands;
extern const struct command_rows of_table_config_commands;
extern const struct command_rows of_queue_commands;
extern const struct command_rows of_switch_commands;
extern const struct command_rows of_tlv_commands;
extern const struct command_rows packet_out_commands;
extern const struct command_rows of_monitor_commands;
extern const struct command_rows of_print_commands;
extern const struct command_rows of_capture_commands;
extern const struct command_rows ports_commands;
extern const struct command_rows fdb_commands;
extern const struct command_rows trace_commands;
extern const struct command_rows cache_commands;
extern const struct command_rows verify_commands;
extern const struct command_rows control_commands;
extern const struct command_rows log_commands;
