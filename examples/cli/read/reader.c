/* SPDX-License-Identifier: MIT
 * reader.c - reads an input of any format to its end.
 */
#include "read/reader.h"

#include "read/detect.h"
#include "read/reader_access.h"
#include "read/reader_blanks.h"
#include "read/reader_csv.h"
#include "read/reader_influx.h"
#include "read/reader_json.h"
#include "read/reader_logfmt.h"
#include "read/reader_ping.h"
#include "read/reader_prometheus.h"
#include "read/reader_query.h"
#include "read/reader_txt.h"

/* What programs show Prometheus, or what Prometheus answers. */
static void read_prometheus(cli_source *source, const cli_options *options, const cli_sink *sink)
{
    if (cli_is_query(source))
        cli_read_query(source, options, sink);
    else
        cli_read_prometheus(source, options, sink);
}

void cli_read(cli_source *source, const cli_options *options, const cli_sink *sink)
{
    source->encoding = options->encoding;
    cli_layout layout = cli_detect(source, options);
    if (layout.advice != NULL) {
        sink->fail(sink->context, 1, layout.advice);
        return;
    }
    if (options->rows != NULL && layout.format != CLI_JSON && layout.format != CLI_NDJSON) {
        sink->fail(sink->context, 1, "this is no JSON: only JSON has rows as --rows says");
        return;
    }
    if (options->interval_ns > 0 && layout.format != CLI_ACCESS) {
        sink->fail(sink->context, 1, "this is no access log: only its requests are counted by --interval");
        return;
    }
    switch (layout.format) {
    case CLI_BLANKS: cli_read_blanks(source, options, sink); break;
    case CLI_TXT: cli_read_txt(source, options, layout.delimiter, sink); break;
    case CLI_JSON: cli_read_json(source, options, false, sink); break;
    case CLI_NDJSON: cli_read_json(source, options, true, sink); break;
    case CLI_PROMETHEUS: read_prometheus(source, options, sink); break;
    case CLI_INFLUX: cli_read_influx(source, options, sink); break;
    case CLI_LOGFMT: cli_read_logfmt(source, options, sink); break;
    case CLI_PING: cli_read_ping(source, options, sink); break;
    case CLI_ACCESS: cli_read_access(source, options, sink); break;
    default: cli_read_csv(source, options, &layout, sink); break;
    }
}
