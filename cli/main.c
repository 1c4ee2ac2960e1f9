/* SPDX-License-Identifier: Apache-2.0 */

#include "cli/cli.h"

#include <locale.h>
#include <signal.h>

int main(int argc, char *argv[])
{
    setlocale(LC_CTYPE, "");
    signal(SIGPIPE, SIG_IGN);
    return cli_run(argc, (const char *const *)argv, stdout, stderr);
}
