/* SPDX-License-Identifier: MIT
 * encoding.c - encodings of text by their names.
 */
#include "common/encoding.h"

#include <iconv.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

enum cli_encoding cli_encoding_find(const char *name)
{
    static const struct {
        const char *name;
        enum cli_encoding encoding;
    } names[] = {{"UTF-8", CLI_UTF8},
                 {"UTF8", CLI_UTF8},
                 {"UTF-16LE", CLI_UTF16_LITTLE},
                 {"UTF-16BE", CLI_UTF16_BIG},
                 {"Windows-1252", CLI_WINDOWS_1252},
                 {"CP1252", CLI_WINDOWS_1252}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcasecmp(names[i].name, name) == 0)
            return names[i].encoding;
    return CLI_ENCODING_OTHER;
}

bool cli_encoding_known(const char *name)
{
    if (cli_encoding_find(name) != CLI_ENCODING_OTHER)
        return true;
    if (*name == '\0' || strchr(name, '/') != NULL) /* the locale's own, and what iconv takes for options */
        return false;
    iconv_t test = iconv_open("UTF-8", name);
    if (test == (iconv_t)-1)
        return false;
    iconv_close(test);
    return true;
}
