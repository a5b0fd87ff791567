/* SPDX-License-Identifier: MIT
 * packed.c - libFuzzer: packed data and other encodings. The first byte chooses the encoding, the second the size of the
 * pieces; what comes out must not depend on the pieces, but for how much lies before damaged bytes: libzstd unpacks a
 * frame at once if it has all of it.
 */
#include "common/encoding.h"
#include "common/text.h"
#include "read/encoding_signs.h"
#include "read/recode.h"
#include "read/unpack.h"

#include <stdlib.h>
#include <string.h>

#define CHECK(condition)  \
    do {                  \
        if (!(condition)) \
            abort();      \
    } while (0)

enum { MOST = 1 << 18, ROOM = 1 << 12 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct pieces {
    const uint8_t *data;
    size_t left, most;
    cli_unpack *unpack;
    bool damaged;
} pieces;

static ssize_t read_piece(void *context, void *data, size_t size)
{
    pieces *p = context;
    size_t n = p->left < p->most ? p->left : p->most;
    n = n < size ? n : size;
    memcpy(data, p->data, n);
    p->data += n;
    p->left -= n;
    return (ssize_t)n;
}

static ssize_t read_unpacked(void *context, void *data, size_t size)
{
    pieces *p = context;
    const char *why = NULL;
    if (p->unpack == NULL)
        return read_piece(p, data, size);
    ssize_t n = cli_unpack_read(p->unpack, data, size, &why);
    CHECK(n >= 0 || why != NULL);
    p->damaged |= n < 0;
    return n;
}

/* Reads all in pieces as source.c does; answers what came out, up to MOST bytes. */
static cli_buffer read_all(const uint8_t *data, size_t size, size_t most, const char *encoding, bool *damaged)
{
    pieces p = {.data = data, .left = size, .most = most};
    cli_buffer all = {0};
    const char *why;
    bool open;
    size_t first = size < CLI_MAGIC ? size : CLI_MAGIC;
    const cli_codec *codec = cli_codec_of((const char *)data, first, &open);
    if (codec != NULL) {
        p.data += first;
        p.left -= first;
        p.unpack = cli_unpack_open(codec, (const char *)data, first, read_piece, &p, &why);
        CHECK(p.unpack != NULL);
    }
    cli_recode *recode = cli_recode_open(encoding, "", 0, read_unpacked, &p);
    CHECK(recode != NULL);
    ssize_t n;
    while (all.length < MOST && (n = cli_recode_read(recode, cli_buffer_room(&all, ROOM), ROOM)) > 0)
        all.length += (size_t)n;
    *damaged |= p.damaged;
    cli_recode_close(recode);
    cli_unpack_close(p.unpack);
    return all;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const encodings[] = {"UTF-16LE", "UTF-16BE",  "Windows-1252", "UTF-32",
                                            "UTF-16",   "SHIFT_JIS", "GB18030",      "UTF-7"};
    if (size < 2)
        return 0;
    const char *encoding = encodings[data[0] % 8];
    size_t most = data[1] + (size_t)1;
    data += 2;
    size -= 2;
    const char *shown = cli_encoding_shown((const char *)data, size, true);
    CHECK(shown == NULL || cli_encoding_known(shown));
    bool damaged = false;
    cli_buffer small = read_all(data, size, most, encoding, &damaged);
    cli_buffer large = read_all(data, size, MOST, encoding, &damaged);
    size_t both = small.length < large.length ? small.length : large.length;
    CHECK(damaged || both >= MOST || small.length == large.length);
    CHECK(both == 0 || memcmp(small.data, large.data, both) == 0);
    cli_buffer_free(&small);
    cli_buffer_free(&large);
    return 0;
}
