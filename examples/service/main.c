/* SPDX-License-Identifier: MIT
 * main.c - anomaly-service: libanomaly as a service. README.md tells how it is used and how it is put together.
 */
#include "common/files.h"
#include "options.h"
#include "service.h"

int main(int argc, char **argv)
{
    options o;
    service s;
    if (!cli_files_start())
        return 2;
    enum options_result result = options_read(&o, argc, argv);
    if (result != OPTIONS_RUN)
        return result == OPTIONS_DONE ? 0 : 2;
    int status = service_start(&s, &o) ? service_run(&s) : 2;
    service_free(&s);
    return status;
}
