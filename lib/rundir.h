/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* rundir - where the running switch keeps its sockets and pidfiles.
 *
 * The directory is --rundir, else $OVS_RUNDIR, else /run/weir; the names in it are those Open
 * vSwitch's tools look for.  Every path returned is malloc()ed and the caller's to free.
 *
 * Threads  rundir_set() before there are others, the rest anywhere. */

#include <sys/types.h>

#include "lib/error.h"

void rundir_set(const char *path); /* --rundir; copied. */
const char *rundir_path(void);

/* Creates the directory, 0750, if it is missing (not its parents). */
int rundir_create(struct error *error);

/* "RUNDIR/name"; an absolute 'name' is returned as it is. */
char *rundir_file(const char *name);

char *rundir_db_socket(void);                           /* db.sock */
char *rundir_bridge_socket(const char *bridge);         /* BRIDGE.mgmt; NULL: no file name. */
char *rundir_snoop_socket(const char *bridge);          /* BRIDGE.snoop; NULL: the same. */
char *rundir_pidfile(const char *daemon);               /* ovs-vswitchd.pid */
char *rundir_ctl_socket(const char *daemon, pid_t pid); /* ovs-vswitchd.PID.ctl */

/* What names things of this switch that must be unique on the machine: "weir", or for another run directory a letter
 * and a hash of its path. */
enum { RUNDIR_INSTANCE_BYTES = 16 };
void rundir_instance(char instance[RUNDIR_INSTANCE_BYTES]);
