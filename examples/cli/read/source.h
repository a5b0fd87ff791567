/* SPDX-License-Identifier: MIT source.h - where input bytes come from: a file, standard input, packed data or another
 * encoding of either, or memory; in lines or as a block.
 *
 * Whatever the size of the input, at most CLI_HOLD bytes of it are held: a longer line is reported and skipped.
 *
 * Every read is a moment at which nothing is half done: the rows before cli_source_position() have gone to the sink,
 * none behind it has. A later source of the same file can go on there: cli_source_go_on().
 */
#ifndef CLI_SOURCE_H
#define CLI_SOURCE_H

#include "read/follow.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLI_HOLD ((size_t)1 << 20) /* the longest line, quoted CSV row or JSON element */

typedef struct cli_unpack cli_unpack;
typedef struct cli_recode cli_recode;

/** A place between two rows: the bytes before it (of the text in UTF-8, unpacked) and the line it is
 *  on. */
typedef struct cli_position {
    uint64_t offset;
    uint64_t line;
    uint64_t array; /* JSON: line of the array that is open here, 0 for none */
    uint64_t reach; /* JSON: how long the next element may be */
} cli_position;

/** How lines end, as far as is known. Where it is CR alone, LF has taken its place in the buffer. */
enum cli_ends { CLI_ENDS_UNKNOWN, CLI_ENDS_LF, CLI_ENDS_CR };

/** Called before each read; `waits`: the read may have to wait, so what is ready should be written out now. */
typedef void cli_source_idle(void *context, bool waits);

typedef struct cli_source {
    const char *name; /* for messages; borrowed */
    int fd;           /* -1: memory, all of it in `buffer` from the start */
    bool close_fd;
    bool regular, pipe;
    bool follow;      /* wait at the end of a regular file for more of it */
    bool whole_lines; /* a last line without its end is left for a later run */
    uint64_t device, inode;
    enum cli_turn turn;
    cli_follow followed;
    int64_t pause_ns; /* the last wait for more bytes: longer each time nothing came */
    bool eof;
    bool started;
    const char *error; /* why reading ended early, or NULL */
    cli_unpack *unpack;
    const char *encoding; /* as given, or as the first bytes show; NULL: UTF-8. Borrowed */
    cli_recode *recode;
    enum cli_ends ends;
    cli_source_idle *idle;
    void *idle_context;
    uint64_t bytes_read; /* as they lie in the file */
    uint64_t size;       /* of a regular file, else 0 */

    char *buffer; /* buffer[end] is always a NUL */
    size_t keep;  /* bytes before this one may be dropped */
    size_t pos;   /* next byte to deliver */
    size_t end;
    size_t suspect; /* bytes before this one may hold a NUL or something beyond ASCII; bytes from here on do not */
    uint64_t line;  /* number of the line that `pos` is in, from 1 */
    uint64_t keep_line;
    uint64_t base;         /* bytes before buffer[0] */
    uint64_t array, reach; /* as in cli_position: the JSON reader's */

    bool skipping; /* something bad is being skipped: `skipped` is where it began */
    cli_position skipped;
    bool replay; /* reading only to find the columns, before going to `target` */
    cli_position target;
} cli_source;

typedef struct cli_line {
    const char *text; /* valid until the next call on the source */
    size_t length;    /* with its line end, which the last line may lack */
    uint64_t number;
} cli_line;

enum cli_line_status {
    CLI_LINE_OK,
    CLI_LINE_END,  /* of the input, or of what is to be read of it now */
    CLI_LINE_LONG, /* longer than CLI_HOLD: skipped */
    CLI_LINE_FULL  /* what is held since cli_source_hold() would pass CLI_HOLD: nothing has moved */
};

/** Opens a file, "-" for standard input. On false *why says what is wrong; nothing is to be closed. */
bool cli_source_open(cli_source *source, const char *path, bool follow, const char **why);

/** Makes a source of the `length` bytes at `data`, which are copied. */
void cli_source_memory(cli_source *source, const char *data, size_t length);
void cli_source_close(cli_source *source);

/** Tells whether the source delivers the bytes as they lie in the file: neither unpacked nor of another encoding. */
bool cli_source_plain(const cli_source *source);

/** Tells whether all of a regular file has been read, as far as that is known: its size at the beginning. */
bool cli_source_read_whole(const cli_source *source);

/** Guesses by what is in memory from here on, of which so many rows were looked at, whether a regular file has fewer
 *  than `most` rows. */
bool cli_source_few(const cli_source *source, size_t looked, size_t most);

/** Answers where the first row begins that has not been delivered; right whenever the source reads, and at its end. */
cli_position cli_source_position(const cli_source *source);

/** Called before the first read: the rows before `target` are not wanted. The reader goes to `target` once it knows
 *  its columns; until then `replay` is true, and what the reader finds must be dropped. */
void cli_source_go_on(cli_source *source, const cli_position *target);

/** The reader calls this between rows, with `planned` once it knows its columns: goes to the target when possible. */
void cli_source_replay(cli_source *source, bool planned);

/** Begin and end the skipping of something bad: in between the position stays where the skipping began. */
void cli_source_skip(cli_source *source);
void cli_source_skipped(cli_source *source);

/** Keeps the position at a place before the present one, until cli_source_skipped(): what was read from there on is
 *  not done. */
void cli_source_stay(cli_source *source, const cli_position *at);

/** Answers the place where a line begins. */
cli_position cli_source_place(const cli_source *source, const cli_line *line);

/** Tells whether the input did not end by itself (a stop, a cut), so that a row that is half read is no error. */
bool cli_source_unfinished(const cli_source *source);

/** Reads the next line; CLI_LINE_LONG for one that was too long, of which only the number is given. */
enum cli_line_status cli_source_line(cli_source *source, cli_line *line);

/** Hold the bytes from here on, so that rewind can come back here; let them go; come back. */
void cli_source_hold(cli_source *source);
void cli_source_release(cli_source *source);
void cli_source_rewind(cli_source *source);

/** Goes back to the first line of the last row, which has that number; no line after the row may have been read. */
void cli_source_back(cli_source *source, uint64_t line);

/** Reads more behind `end`. False at the end of the input, on an error, or when CLI_HOLD bytes are kept. */
bool cli_source_more(cli_source *source);

/** Tells whether a whole line lies in memory. */
bool cli_source_ready(const cli_source *source);

/** Tells whether bytes from `text` on, in the buffer, may hold a NUL or something beyond ASCII. */
bool cli_source_suspects(const cli_source *source, const char *text);

/** Ends every read and every wait soon, as if the input were at its end; may be called from a signal handler. */
void cli_source_stop(void);
void cli_source_start(void); /* takes a stop back */
bool cli_source_stopped(void);

#endif
