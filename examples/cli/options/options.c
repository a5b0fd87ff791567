/* SPDX-License-Identifier: MIT
 * options.c - what the command line says.
 */
#include "options/options.h"

#include <stdlib.h>

void cli_options_free(cli_options *options)
{
    cli_list_free(&options->keys);
    cli_list_free(&options->values);
    cli_list_free(&options->time);
    cli_list_free(&options->fields);
    cli_list_free(&options->na);
    free(options->settings);
}
