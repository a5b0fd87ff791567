/* SPDX-License-Identifier: MIT
 * binary.c - files that are no text, by their first bytes: one message that says the command to convert them.
 * docs/program.md shows the commands; tests/program/cases/binary.sh runs those whose tools are at hand.
 */
#include "read/binary.h"

#include <stdbool.h>
#include <string.h>

#define SHEET                                   \
    "a spreadsheet, not text; it can be read: " \
    "python3 -c \"import pandas; print(pandas.read_excel('FILE').to_csv(index=False))\" | anomaly"

enum { IN_ZIP = 30, IN_TAR = 257 }; /* the name of the first member; the sign of tar */

static const struct {
    size_t at; /* where the sign is */
    const char *sign;
    const char *message;
} files[] = {
    {IN_ZIP, "[Content_Types].xml", SHEET},
    {IN_ZIP, "docProps/", SHEET},
    {IN_ZIP, "_rels/", SHEET},
    {IN_ZIP, "xl/", SHEET},
    {IN_ZIP, "mimetypeapplication/vnd.oasis.opendocument.spreadsheet", SHEET},
    {0, "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", SHEET},
    {0, "PK\x03\x04", "a zip archive; the text in it can be read: unzip -p FILE | anomaly"},
    {0, "PAR1",
     "Parquet, not text; it can be read: "
     "python3 -c \"import pandas; print(pandas.read_parquet('FILE').to_csv(index=False))\" | anomaly"},
    {0, "ARROW1",
     "Arrow (Feather), not text; it can be read: "
     "python3 -c \"import pandas; print(pandas.read_feather('FILE').to_csv(index=False))\" | anomaly"},
    {0, "SQLite format 3",
     "an SQLite database; a table of it can be read: sqlite3 -header -csv FILE 'select * from TABLE' | anomaly"},
    {0, "\x96\xD5", "a data file of sysstat's sar; it can be read: sadf -d FILE | anomaly (of disks: sadf -d FILE -- -d)"},
    {4, "1AY&SY", "bzip2 data; it can be read: bzip2 -dc FILE | anomaly"},
    {0, "7z\xBC\xAF\x27\x1C", "a 7z archive; the text in it can be read: 7z x -so FILE | anomaly"},
    {0, "\x04\x22\x4D\x18", "lz4 data; it can be read: lz4 -dc FILE | anomaly"},
    {0, "\x1F\x8B\x08", "packed twice; it can be read: gzip -dc FILE | anomaly"},
    {IN_TAR, "ustar", "a tar archive; the text in it can be read: tar -xOf FILE | anomaly"},
};

static bool is_at(const char *data, size_t length, size_t at, const char *sign)
{
    size_t n = strlen(sign);
    return length >= at + n && memcmp(data + at, sign, n) == 0;
}

/* A zip has a sign of its own at its start; the names in a tar are filled up with NULs, which text has not. */
static bool may_be_at(const char *data, size_t at)
{
    return at == IN_ZIP ? memcmp(data, "PK\x03\x04", 4) == 0 : at != IN_TAR || memchr(data, '\0', IN_TAR) != NULL;
}

const char *cli_binary(const char *data, size_t length)
{
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (is_at(data, length, files[i].at, files[i].sign) && may_be_at(data, files[i].at))
            return files[i].message;
    return NULL;
}
