/* SPDX-License-Identifier: MIT
 * reader.c - reads an input of any format to its end.
 */
#include "read/reader.h"

#include "read/detect.h"
#include "read/reader_blanks.h"
#include "read/reader_csv.h"
#include "read/reader_json.h"
#include "read/reader_txt.h"

void cli_read(cli_source *source, const cli_options *options, const cli_sink *sink)
{
    source->encoding = options->encoding;
    cli_layout layout = cli_detect(source, options);
    if (layout.advice != NULL) {
        sink->fail(sink->context, 1, layout.advice);
        return;
    }
    switch (layout.format) {
    case CLI_BLANKS: cli_read_blanks(source, options, sink); break;
    case CLI_TXT: cli_read_txt(source, options, layout.delimiter, sink); break;
    case CLI_JSON: cli_read_json(source, options, false, sink); break;
    case CLI_NDJSON: cli_read_json(source, options, true, sink); break;
    default: cli_read_csv(source, options, &layout, sink); break;
    }
}
