/* SPDX-License-Identifier: MIT source.c - where input bytes come from: a file, standard input, packed data or another
 * encoding of either, or memory; in lines or as a block.
 */
#define _GNU_SOURCE /* ppoll */
#include "read/source.h"

#include "common/encoding.h"
#include "common/text.h"
#include "common/uptime.h"
#include "read/encoding_signs.h"
#include "read/recode.h"
#include "read/unpack.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { BLOCK = 1 << 18, FIRST = 1 << 15, SHORTEST_PAUSE_NS = 2000000, LONGEST_PAUSE_NS = 200000000 };

static volatile sig_atomic_t stopped;

void cli_source_stop(void)
{
    stopped = 1;
}

void cli_source_start(void)
{
    stopped = 0;
}

bool cli_source_stopped(void)
{
    return stopped != 0;
}

static void start_source(cli_source *s, const char *name)
{
    *s = (cli_source){.name = name, .fd = -1, .line = 1};
}

bool cli_source_open(cli_source *s, const char *path, bool follow, const char **why)
{
    start_source(s, path);
    s->close_fd = strcmp(path, "-") != 0;
    s->fd = s->close_fd ? open(path, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
    struct stat status = {0};
    if (s->fd < 0 || fstat(s->fd, &status) != 0) {
        *why = strerror(errno);
        return false;
    }
    if (S_ISDIR(status.st_mode)) {
        *why = "is a directory, not a file";
        if (s->close_fd)
            close(s->fd);
        return false;
    }
    s->regular = S_ISREG(status.st_mode);
    s->pipe = S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode);
    s->device = (uint64_t)status.st_dev;
    s->inode = (uint64_t)status.st_ino;
    s->size = s->regular && status.st_size > 0 ? (uint64_t)status.st_size : 0;
    s->follow = follow && s->regular;
    s->buffer = cli_resize(NULL, CLI_HOLD + BLOCK + 1, 1); /* pages that are not used cost nothing */
    s->buffer[0] = '\0';
    return true;
}

void cli_source_close(cli_source *s)
{
    cli_unpack_close(s->unpack);
    cli_recode_close(s->recode);
    if (s->close_fd)
        close(s->fd);
    free(s->buffer);
    *s = (cli_source){.fd = -1};
}

bool cli_source_plain(const cli_source *s)
{
    return s->unpack == NULL && s->recode == NULL;
}

static void tell_idle(cli_source *s, bool waits)
{
    if (s->idle != NULL)
        s->idle(s->idle_context, waits);
}

/* Waits at the end of a followed file; false when nothing more of it will come. */
static bool wait_for_more(cli_source *s)
{
    if (s->turn != CLI_TURN_NONE)
        return false;
    s->pause_ns = s->pause_ns == 0 ? SHORTEST_PAUSE_NS : 2 * s->pause_ns;
    if (s->pause_ns > LONGEST_PAUSE_NS)
        s->pause_ns = LONGEST_PAUSE_NS;
    const struct timespec pause = {0, s->pause_ns};
    tell_idle(s, true);
    nanosleep(&pause, NULL);
    s->turn = cli_follow_look(&s->followed, s->fd, s->close_fd ? s->name : NULL, s->base + s->end,
                              s->pause_ns == LONGEST_PAUSE_NS);
    return s->turn != CLI_TURN_CUT; /* one that was replaced is read to its end first */
}

/* Waits until read(2) has something. False for a signal, or when so much time has passed, a second at most. Signals
 * are let in only while the function waits: a signal between the look at `stopped` and the wait would else go
 * unnoticed until the next bytes come, which may be never. */
static bool wait_for_bytes(const cli_source *s, double longest_s)
{
    struct pollfd look = {.fd = s->fd, .events = POLLIN};
    const struct timespec longest = {longest_s >= 1, longest_s >= 1 ? 0 : (long)(1e9 * longest_s)};
    sigset_t all, before;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    int found = stopped ? 0 : ppoll(&look, 1, &longest, &before);
    bool ready = found > 0 || (found < 0 && errno != EINTR);
    sigprocmask(SIG_SETMASK, &before, NULL);
    return ready;
}

/* Does read(2), but tells before it waits, waits at the end of a followed file, and goes on after other signals. */
static ssize_t read_raw(void *context, void *data, size_t size)
{
    cli_source *s = context;
    for (;;) {
        if (stopped)
            return 0;
        tell_idle(s, !s->regular);
        if (!s->regular && !wait_for_bytes(s, 1)) /* some things are done by the clock */
            continue;
        ssize_t n = read(s->fd, data, size);
        if (n > 0) {
            s->bytes_read += (uint64_t)n;
            s->pause_ns = 0;
            s->followed.replaced = 0; /* somebody writes to it still */
        }
        if (n > 0 || (n == 0 && !s->follow) || (n < 0 && errno != EINTR))
            return n;
        if (n == 0 && !wait_for_more(s))
            return 0;
    }
}

/* Reads up to `size` bytes, unpacked. */
static ssize_t read_bytes(void *context, void *data, size_t size)
{
    cli_source *s = context;
    const char *why = NULL;
    ssize_t n = s->unpack != NULL ? cli_unpack_read(s->unpack, data, size, &why) : read_raw(s, data, size);
    if (n < 0)
        s->error = why != NULL ? why : strerror(errno);
    return n;
}

static ssize_t read_some(cli_source *s, char *data)
{
    return s->recode != NULL ? cli_recode_read(s->recode, data, BLOCK) : read_bytes(s, data, BLOCK);
}

/* Tells whether so few bytes leave open how a file is packed or encoded. */
static bool is_open(const char *data, size_t length)
{
    bool open;
    return cli_codec_of(data, length, &open) == NULL && (open || length < 3);
}

/* Tells whether more comes of a pipe before that moment. */
static bool more_comes(const cli_source *s, double until)
{
    double left = until - cli_uptime();
    return s->pipe && left > 0 && wait_for_bytes(s, left);
}

/* Reads bytes that show how a file is packed and encoded, unless the file ends before; and of a pipe what comes within
 * a second, lest the blocks of its writer decide how many first rows are looked at. */
static ssize_t read_start(cli_source *s, char *data)
{
    double until = 0;
    size_t n = 0;
    while (is_open(data, n) || (n < FIRST && more_comes(s, until))) {
        ssize_t got = read_bytes(s, data + n, FIRST);
        if (got <= 0)
            break;
        until = n == 0 ? cli_uptime() + 1 : until;
        n += (size_t)got;
    }
    return s->error != NULL && n == 0 ? -1 : (ssize_t)n;
}

/* Unpacks from here on, if the first bytes show that the file is packed. */
static ssize_t start_unpacking(cli_source *s, char *data, ssize_t n)
{
    bool open;
    const cli_codec *codec = n > 0 ? cli_codec_of(data, (size_t)n, &open) : NULL;
    if (codec == NULL)
        return n;
    s->unpack = cli_unpack_open(codec, data, (size_t)n, read_raw, s, &s->error);
    return s->unpack != NULL ? read_start(s, data) : -1;
}

/* Makes UTF-8 from here on, if an encoding is given, or the first bytes show one that is not UTF-8. A file that grows
 * is not taken for another by its letters: it could not be followed then, and later ones may say the contrary. */
static ssize_t start_recoding(cli_source *s, char *data, ssize_t n)
{
    if (s->encoding == NULL && n > 0)
        s->encoding = cli_encoding_shown(data, (size_t)n, !s->follow && !s->whole_lines && !s->replay);
    if (s->encoding == NULL || cli_encoding_find(s->encoding) == CLI_UTF8 || n <= 0)
        return n;
    s->recode = cli_recode_open(s->encoding, data, (size_t)n, read_bytes, s);
    s->error = s->recode != NULL ? NULL : "this machine's iconv lacks the file's encoding";
    return s->recode != NULL ? cli_recode_read(s->recode, data, BLOCK) : -1;
}

static ssize_t read_first(cli_source *s, char *data)
{
    ssize_t n = start_unpacking(s, data, read_start(s, data));
    n = start_recoding(s, data, n);
    s->follow = s->follow && cli_source_plain(s);
    return n;
}

/* Makes an LF of each CR in a file whose first line ends in a CR without an LF: all its lines do (old Macs, some
 * instruments). The bytes stay in their places. Until a line end has been seen, the bytes are left as they are. */
static void settle_ends(cli_source *s, char *data, size_t length)
{
    char *end = data + length, *from = s->buffer;
    if (s->ends == CLI_ENDS_UNKNOWN) {
        const char *cr = memchr(from, '\r', (size_t)(end - from));
        while (cr != NULL && cr < end && *cr == '\r')
            cr++;
        if (memchr(data, '\n', length) != NULL)
            s->ends = CLI_ENDS_LF;
        else if (cr != NULL && cr < end)
            s->ends = CLI_ENDS_CR;
        data = from;
    }
    for (char *c = data; s->ends == CLI_ENDS_CR && c < end; c++)
        *c = *c == '\r' ? '\n' : *c;
}

void cli_source_memory(cli_source *s, const char *data, size_t length)
{
    start_source(s, "memory");
    s->buffer = cli_copy(data, length);
    s->end = s->suspect = length;
    settle_ends(s, s->buffer, length);
    s->eof = true;
    s->started = true;
}

/* Tells whether a block has neither a NUL nor a byte beyond ASCII, in a loop that the compiler turns into vectors. */
static bool plain_ascii(const char *data, size_t length)
{
    unsigned char high = 0, nul = 0;
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)data[i];
        high |= c;
        nul |= (unsigned char)(c == 0);
    }
    return (high & 0x80) == 0 && nul == 0;
}

static void drop_delivered(cli_source *s)
{
    if (s->keep == 0)
        return;
    memmove(s->buffer, s->buffer + s->keep, s->end - s->keep);
    s->pos -= s->keep;
    s->end -= s->keep;
    s->suspect = s->suspect > s->keep ? s->suspect - s->keep : 0;
    s->base += s->keep;
    s->keep = 0;
}

static void skip_mark(cli_source *s)
{
    if (s->end >= 3 && memcmp(s->buffer, "\xEF\xBB\xBF", 3) == 0)
        s->pos = s->keep = 3;
}

bool cli_source_more(cli_source *s)
{
    if (s->eof)
        return false;
    drop_delivered(s);
    if (s->end >= CLI_HOLD)
        return false;
    char *data = s->buffer + s->end;
    ssize_t n = s->started ? read_some(s, data) : read_first(s, data);
    if (n > 0) {
        if (!plain_ascii(data, (size_t)n))
            s->suspect = s->end + (size_t)n;
        if (s->ends != CLI_ENDS_LF)
            settle_ends(s, data, (size_t)n);
        s->end += (size_t)n;
    }
    s->buffer[s->end] = '\0';
    if (!s->started)
        skip_mark(s);
    s->started = true;
    s->eof = n <= 0;
    return n > 0;
}

bool cli_source_read_whole(const cli_source *s)
{
    return s->regular && s->size > 0 && s->bytes_read >= s->size && (s->unpack == NULL || cli_unpack_drained(s->unpack)) &&
           (s->recode == NULL || cli_recode_drained(s->recode));
}

bool cli_source_few(const cli_source *s, size_t looked, size_t most)
{
    double seen = s->size > 0 ? (double)(s->end - s->pos) / (double)s->size : 0;
    return cli_source_plain(s) && (double)looked < seen * (double)most;
}

/* ---- positions ---- */

cli_position cli_source_position(const cli_source *s)
{
    if (s->replay)
        return s->target;
    if (s->skipping)
        return s->skipped;
    return (cli_position){s->base + s->keep, s->keep_line != 0 ? s->keep_line : s->line, s->array, s->reach};
}

void cli_source_skip(cli_source *s)
{
    if (!s->skipping)
        s->skipped = cli_source_position(s);
    s->skipping = true;
}

void cli_source_skipped(cli_source *s)
{
    s->skipping = false;
}

void cli_source_stay(cli_source *s, const cli_position *at)
{
    s->skipping = true;
    s->skipped = *at;
}

cli_position cli_source_place(const cli_source *s, const cli_line *line)
{
    return (cli_position){s->base + (uint64_t)(line->text - s->buffer), line->number, s->array, s->reach};
}

void cli_source_go_on(cli_source *s, const cli_position *target)
{
    s->replay = target->offset > 0;
    s->target = *target;
}

/* Goes to a place behind what is in memory, which is dropped. In data that is unpacked or recoded there is no
 * way to a place but to read up to it. */
static void jump(cli_source *s, uint64_t offset)
{
    while (!cli_source_plain(s) && s->base + s->end < offset) {
        s->keep = s->pos = s->end;
        if (!cli_source_more(s))
            return;
    }
    if (cli_source_plain(s)) {
        s->eof = lseek(s->fd, (off_t)offset, SEEK_SET) < 0;
        s->error = s->eof ? strerror(errno) : NULL;
        s->end = s->suspect = 0;
        s->base = offset;
        s->buffer[0] = '\0';
    }
    s->keep = s->pos = (size_t)(offset - s->base);
}

void cli_source_replay(cli_source *s, bool planned)
{
    uint64_t here = s->base + s->pos;
    if (!s->replay || (here < s->target.offset && !planned))
        return;
    if (here < s->target.offset) {
        jump(s, s->target.offset);
        s->line = s->target.line;
        s->array = s->target.array;
        s->reach = s->target.reach;
    }
    s->replay = false;
}

bool cli_source_unfinished(const cli_source *s)
{
    return stopped || s->whole_lines || s->turn == CLI_TURN_CUT;
}

/* ---- lines ---- */

static enum cli_line_status deliver(cli_source *s, cli_line *line, size_t length)
{
    line->text = s->buffer + s->pos;
    line->length = length;
    line->number = s->line++;
    s->pos += length;
    return CLI_LINE_OK;
}

/* Skips the line at `pos`, which is longer than CLI_HOLD. */
static enum cli_line_status skip_line(cli_source *s, cli_line *line)
{
    const char *newline = NULL;
    cli_source_skip(s);
    *line = (cli_line){"", 0, s->line++};
    do {
        s->keep = s->pos = s->end;
        if (!cli_source_more(s))
            return cli_source_unfinished(s) ? CLI_LINE_END : CLI_LINE_LONG;
        newline = memchr(s->buffer + s->pos, '\n', s->end - s->pos);
    } while (newline == NULL);
    s->pos = s->keep = (size_t)(newline - s->buffer) + 1;
    cli_source_skipped(s);
    return CLI_LINE_LONG;
}

/* What is behind the last line end is a line of its own, unless its rest is missing: of "57.5" a "5" may have come. */
static bool last_is_whole(const cli_source *s)
{
    return s->error == NULL && !cli_source_unfinished(s);
}

/* Delivers a line. `keep` follows `pos`, unless lines are held: then keep_line is not 0. */
enum cli_line_status cli_source_line(cli_source *s, cli_line *line)
{
    bool held = s->keep_line != 0;
    size_t seen = s->pos;
    if (!held)
        s->keep = s->pos;
    for (;;) {
        const char *newline = memchr(s->buffer + seen, '\n', s->end - seen);
        if (newline != NULL)
            return deliver(s, line, (size_t)(newline - (s->buffer + s->pos)) + 1);
        size_t have = s->end - s->pos;
        if (!cli_source_more(s)) {
            if (!s->eof)
                return held && s->keep < s->pos ? CLI_LINE_FULL : skip_line(s, line);
            return have > 0 && last_is_whole(s) ? deliver(s, line, have) : CLI_LINE_END;
        }
        seen = s->pos + have;
    }
}

void cli_source_hold(cli_source *s)
{
    s->keep = s->pos;
    s->keep_line = s->line;
}

void cli_source_release(cli_source *s)
{
    s->keep_line = 0;
}

void cli_source_rewind(cli_source *s)
{
    s->pos = s->keep;
    s->line = s->keep_line;
}

void cli_source_back(cli_source *s, uint64_t line)
{
    s->pos = s->keep;
    s->line = line;
}

bool cli_source_ready(const cli_source *s)
{
    return s->eof || memchr(s->buffer + s->pos, '\n', s->end - s->pos) != NULL;
}

bool cli_source_suspects(const cli_source *s, const char *text)
{
    return (size_t)(text - s->buffer) < s->suspect;
}
