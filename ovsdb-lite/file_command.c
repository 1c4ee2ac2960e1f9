/* SPDX-License-Identifier: Apache-2.0 */

#include "ovsdb-lite/file_command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ovsdb-lite/check.h"
#include "ovsdb-lite/export.h"

static const char USAGE[] =
    "usage: ovsdb-lite check [--repair] FILE...\n"
    "       ovsdb-lite export FILE [TARGET]\n"
    "\n"
    "check reads database files, Weir's and Open vSwitch's, without changing them, and says "
    "whether\n"
    "they are sound.  With --repair a damaged file is replaced by one with all that is certain, "
    "and\n"
    "kept as FILE.damaged.\n"
    "Exit status: 0 sound (or repaired), 1 damaged, 2 could not be checked.\n"
    "\n"
    "export writes the rows of a database file in Open vSwitch's format, to TARGET, which must "
    "not\n"
    "exist, or to standard output.\n";

enum { USAGE_STATUS = 2 };

static int refuse(const char *what, const char *argument)
{
    fprintf(stderr, "ovsdb-lite: %s%s%s\n%s", what, argument ? " " : "", argument ? argument : "",
            USAGE);
    return USAGE_STATUS;
}

static int run_check(int n, char *files[])
{
    bool repairs = n && !strcmp(files[0], "--repair");
    int worst = CHECK_SOUND;

    if (n == repairs)
        return refuse("check: no file given", NULL);
    for (int i = repairs; i < n; i++) {
        struct buffer report = BUFFER_INIT;
        if (files[i][0] == '-')
            return refuse("check: unknown option", files[i]);
        int status = (repairs ? check_repair : check_file)(files[i], &report);
        fputs(buffer_text(&report), status == CHECK_FAILED ? stderr : stdout);
        buffer_fini(&report);
        worst = status > worst ? status : worst;
    }
    return worst;
}

static int run_export(int n, char *files[])
{
    struct error error = ERROR_INIT;

    if (n < 1 || n > 2)
        return refuse("export: one file, and where to, are wanted", NULL);
    for (int i = 0; i < n; i++)
        if (files[i][0] == '-')
            return refuse("export: unknown option", files[i]);
    if (!(n == 2 ? export_to_file(files[0], files[1], &error)
                 : export_to_stream(files[0], stdout, &error)))
        return EXIT_SUCCESS;
    fprintf(stderr, "ovsdb-lite: %s\n", error.message);
    return EXIT_FAILURE;
}

bool file_command_run(int argc, char *argv[], int *status)
{
    bool is_check = argc > 1 && !strcmp(argv[1], "check");

    if (!is_check && !(argc > 1 && !strcmp(argv[1], "export")))
        return false;
    if (argc > 2 && (!strcmp(argv[2], "--help") || !strcmp(argv[2], "-h"))) {
        fputs(USAGE, stdout);
        *status = EXIT_SUCCESS;
    } else {
        *status = (is_check ? run_check : run_export)(argc - 2, argv + 2);
    }
    return true;
}
