/* SPDX-License-Identifier: MIT
 * source.h - where input bytes come from: a file, standard input, gzip of either, or memory; in lines or as a block.
 *
 * Whatever the size of the input, at most CLI_HOLD bytes of it are held: a longer line is reported and skipped.
 */
#ifndef CLI_SOURCE_H
#define CLI_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLI_HOLD ((size_t)1 << 20) /* the longest line, quoted CSV row or JSON element */

typedef struct cli_inflate cli_inflate;

/** Told before a read; `waits` if it may have to wait: the moment to write out what is ready. */
typedef void cli_source_idle(void *context, bool waits);

typedef struct cli_source {
    const char *name; /* for messages; borrowed */
    int fd;           /* -1: memory, all of it in `buffer` from the start */
    bool close_fd;
    bool regular;
    bool follow; /* wait at the end of a regular file for more of it */
    bool eof;
    bool started;
    const char *error; /* why reading ended early, or NULL */
    cli_inflate *gzip;
    cli_source_idle *idle;
    void *idle_context;
    uint64_t bytes_read; /* as they lie in the file */
    uint64_t size;       /* of a regular file, else 0 */

    char *buffer; /* buffer[end] is always a NUL */
    size_t keep;  /* bytes before this one may be dropped */
    size_t pos;   /* next byte to deliver */
    size_t end;
    size_t suspect; /* bytes before this one may hold a NUL or something beyond ASCII, those behind it do not */
    uint64_t line;  /* number of the line that `pos` is in, from 1 */
    uint64_t keep_line;
} cli_source;

typedef struct cli_line {
    const char *text; /* valid until the next call on the source */
    size_t length;    /* with its line end, which the last line may lack */
    uint64_t number;
} cli_line;

enum cli_line_status {
    CLI_LINE_OK,
    CLI_LINE_END,
    CLI_LINE_LONG, /* longer than CLI_HOLD: skipped */
    CLI_LINE_FULL  /* what is held since cli_source_hold() would pass CLI_HOLD: nothing has moved */
};

/** Opens a file, "-" for standard input. On false *why says what is wrong; nothing is to be closed. */
bool cli_source_open(cli_source *source, const char *path, bool follow, const char **why);

/** A source that reads the `length` bytes at `data`, which are copied. */
void cli_source_memory(cli_source *source, const char *data, size_t length);
void cli_source_close(cli_source *source);

/** The next line, CLI_LINE_LONG for one that was too long (its number is given). */
enum cli_line_status cli_source_line(cli_source *source, cli_line *line);

/** From here on bytes are held so that cli_source_rewind() can come back here; release lets them go. */
void cli_source_hold(cli_source *source);
void cli_source_release(cli_source *source);
void cli_source_rewind(cli_source *source);

/** Reads more behind `end`. False at the end of the input, on an error, or when CLI_HOLD bytes are kept. */
bool cli_source_more(cli_source *source);

/** True if a whole line can be had without reading. */
bool cli_source_ready(const cli_source *source);

/** True if the bytes, which lie in the source's buffer, may hold a NUL or something beyond ASCII. */
bool cli_source_suspects(const cli_source *source, const char *text);

/** Ends every read and every waiting soon, as if the input were at its end; may be called from a signal handler. */
void cli_source_stop(void);
void cli_source_start(void); /* takes a stop back */
bool cli_source_stopped(void);

#endif
