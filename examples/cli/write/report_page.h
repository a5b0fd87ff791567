/* SPDX-License-Identifier: MIT
 * report_page.h - the fixed parts of a report, which the build makes of the files in report/.
 */
#ifndef CLI_REPORT_PAGE_H
#define CLI_REPORT_PAGE_H

#include <stddef.h>

/** What stands before the data and what stands behind it. */
extern const unsigned char cli_page_head[], cli_page_tail[];
extern const size_t cli_page_head_size, cli_page_tail_size;

#endif
