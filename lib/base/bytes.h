/* SPDX-License-Identifier: MIT */
/* Snapshots byte by byte: little-endian on every machine, through a small buffer to a sink, or from memory with every
 * read checked. docs/snapshot-format.md has the words. */
#ifndef AN_BASE_BYTES_H
#define AN_BASE_BYTES_H

#include "anomaly.h"
#include "base/hash.h"

struct an_writer {
    anomaly_sink sink; /* NULL: bytes are only counted */
    void *ctx;
    int status;     /* ANOMALY_E_STOPPED once the sink did not want to go on */
    uint64_t total; /* bytes written */
    an_hash hash;
    size_t used;
    unsigned char buffer[2048];
};
typedef struct an_writer an_writer;

/* Counts that never end are written modulo this, a thousand million a second for two years: what they are compared
 * with is never so far away. So what is read has the room to count on, whoever wrote it. */
#define AN_COUNTED (UINT64_C(1) << 56)

void an_writer_begin(an_writer *writer, anomaly_sink sink, void *ctx);
int an_writer_end(an_writer *writer); /* the status */

void an_write_bytes(an_writer *writer, const void *bytes, size_t size);
void an_write_u8(an_writer *writer, uint8_t value);
void an_write_u64(an_writer *writer, uint64_t value);
void an_write_float(an_writer *writer, float value);
void an_write_i64(an_writer *writer, int64_t value);
void an_write_double(an_writer *writer, double value);   /* any NaN as one */
void an_write_varint(an_writer *writer, uint64_t value); /* LEB128: seven bits a byte, the low ones first */
void an_write_signed(an_writer *writer, int64_t value);  /* zigzag, then varint */
void an_write_endless(an_writer *writer, uint64_t count);

struct an_reader {
    const unsigned char *at, *end;
    int bad; /* something was read that was not there, or not what it must be: every further read gives 0 */
};
typedef struct an_reader an_reader;

static inline size_t an_reader_left(const an_reader *reader)
{
    return (size_t)(reader->end - reader->at);
}

const unsigned char *an_read_bytes(an_reader *reader, size_t size); /* NULL: not there */
uint8_t an_read_u8(an_reader *reader);
uint64_t an_read_u64(an_reader *reader);
int64_t an_read_i64(an_reader *reader);
float an_read_float(an_reader *reader);
double an_read_double(an_reader *reader);
uint64_t an_read_varint(an_reader *reader);
uint64_t an_read_varint_to(an_reader *reader, uint64_t most); /* bad when larger */
int64_t an_read_signed(an_reader *reader);
uint64_t an_read_endless(an_reader *reader);

/* ---- sections: header, body, checksum ---- */

#define AN_FORMAT_VERSION 1
#define AN_SECTION_HEADER 24
#define AN_SECTION_FRAME  (AN_SECTION_HEADER + 8) /* bytes beside the body */

enum an_section {
    AN_SECTION_DETECTOR = 1,
    AN_SECTION_POOL = 2,
    AN_SECTION_KEYS = 3,
    AN_SECTION_END = 4,
    AN_SECTION_TOGETHER = 5 /* of a pool: what its keys judge by together */
};

/* `seed` chains sections: the checksum of the one before, 0 for the first. */
void an_section_begin(an_writer *writer, enum an_section type, uint64_t body, uint64_t seed);
uint64_t an_section_end(an_writer *writer); /* writes and returns the checksum */

/* The length of the whole section whose first AN_SECTION_HEADER bytes these are, in *length. ANOMALY_E_CORRUPT,
 * E_VERSION. */
int an_section_length(const unsigned char *header, enum an_section *type, uint64_t *length);

/* Verifies the section that fills [bytes, bytes + size) and opens its body. ANOMALY_E_CORRUPT, E_VERSION. */
int an_section_open(const void *bytes, size_t size, enum an_section type, uint64_t seed, an_reader *body,
                    uint64_t *checksum);

#endif
