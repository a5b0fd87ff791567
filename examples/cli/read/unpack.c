/* SPDX-License-Identifier: MIT
 * unpack.c - packed data (gzip, zstd, xz), also of several members, piece by piece.
 *
 * What has come is unpacked as far as it goes before more is read, so nothing that came through a live pipe is late.
 * Memory does not grow with the data, however much a small file unpacks to.
 */
#include "read/unpack.h"

#include "common/text.h"
#include "read/codec.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { INPUT_SIZE = 1 << 16 };

struct cli_unpack {
    const cli_codec *codec;
    void *state;
    cli_read_bytes *read;
    void *context;
    bool between;    /* behind the end of a member */
    bool full;       /* the last step filled its room: the codec may hold more */
    const char *why; /* the data ends here, for this reason */
    cli_flow flow;
    unsigned char input[INPUT_SIZE];
};

static const cli_codec *const codecs[] = {&cli_codec_gzip, &cli_codec_zstd, &cli_codec_xz};

enum { CODECS = sizeof codecs / sizeof *codecs };

const cli_codec *cli_codec_of(const char *data, size_t length, bool *open)
{
    static const struct {
        const char *magic;
        size_t length;
        const cli_codec *codec;
    } rows[] = {{"\x1F\x8B", 2, &cli_codec_gzip},
                {"\x28\xB5\x2F\xFD", 4, &cli_codec_zstd},
                {"\x50\x2A\x4D\x18", 4, &cli_codec_zstd}, /* as pzstd begins */
                {"\xFD"
                 "7zXZ\0",
                 CLI_MAGIC, &cli_codec_xz}};
    *open = false;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t n = length < rows[i].length ? length : rows[i].length;
        if (memcmp(data, rows[i].magic, n) != 0)
            continue;
        if (n == rows[i].length)
            return rows[i].codec;
        *open = true;
    }
    return NULL;
}

size_t cli_unpacked_name(const char *name)
{
    size_t length = strlen(name);
    for (size_t i = 0; i < CODECS; i++) {
        size_t n = strlen(codecs[i]->ending);
        if (length > n && strcasecmp(name + length - n, codecs[i]->ending) == 0)
            return length - n;
    }
    return length;
}

cli_unpack *cli_unpack_open(const cli_codec *codec, const char *data, size_t length, cli_read_bytes *read, void *context,
                            const char **why)
{
    *why = codec->make != NULL ? "out of memory" : codec->damaged;
    if (codec->make == NULL)
        return NULL;
    cli_unpack *u = cli_resize(NULL, 1, sizeof *u);
    u->codec = codec;
    u->state = codec->make();
    u->read = read;
    u->context = context;
    u->between = u->full = false;
    u->why = NULL;
    memcpy(u->input, data, length);
    u->flow = (cli_flow){.in = u->input, .length = length};
    if (u->state == NULL || !codec->begin(u->state)) {
        cli_unpack_close(u);
        return NULL;
    }
    *why = NULL;
    return u;
}

void cli_unpack_close(cli_unpack *u)
{
    if (u != NULL && u->state != NULL)
        u->codec->free(u->state);
    free(u);
}

bool cli_unpack_drained(const cli_unpack *u)
{
    return u->flow.length == 0 && !u->full;
}

static ssize_t refill(cli_unpack *u)
{
    ssize_t n = u->read(u->context, u->input, INPUT_SIZE);
    u->flow.in = u->input;
    u->flow.length = n > 0 ? (size_t)n : 0;
    if (n == 0 && !u->between)
        u->why = u->codec->cut;
    return n;
}

/* Goes on behind a member: another member begins, or the data ends. Zero bytes as of tar, tapes and xz's padding are
 * skipped. */
static void begin_next(cli_unpack *u)
{
    cli_flow *f = &u->flow;
    while (f->length > 0 && *f->in == 0) {
        f->in++;
        f->length--;
    }
    if (f->length == 0)
        return;
    u->between = false;
    if (!u->codec->begin(u->state))
        u->why = u->codec->damaged;
}

static void unpack_some(cli_unpack *u)
{
    size_t length = u->flow.length, room = u->flow.room;
    enum cli_step step = u->codec->step(u->state, &u->flow);
    bool stuck = step == CLI_STEP_ON && !u->full && length == u->flow.length && room == u->flow.room;
    u->full = step == CLI_STEP_ON && u->flow.room == 0;
    u->between = step == CLI_STEP_END;
    if (step == CLI_STEP_DAMAGED || stuck)
        u->why = u->codec->damaged;
    if (step == CLI_STEP_LARGE)
        u->why = u->codec->large;
}

ssize_t cli_unpack_read(cli_unpack *u, void *data, size_t size, const char **why)
{
    u->flow.out = data;
    u->flow.room = size;
    while (u->flow.room == size && u->why == NULL) {
        if (u->flow.length == 0 && !u->full) {
            ssize_t n = refill(u);
            if (n < 0 || (n == 0 && u->between)) {
                *why = NULL;
                return n;
            }
        } else if (u->between) {
            begin_next(u);
        } else {
            unpack_some(u);
        }
    }
    *why = u->why;
    return u->flow.room < size ? (ssize_t)(size - u->flow.room) : -1;
}
