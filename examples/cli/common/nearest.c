/* SPDX-License-Identifier: MIT
 * nearest.c - the name that was probably meant by one that is not known.
 */
#include "common/nearest.h"

#include <ctype.h>
#include <string.h>

enum { LONGEST = 40 }; /* words beyond it are no slips of a finger */

static size_t least_of(size_t a, size_t b)
{
    return a < b ? a : b;
}

static bool same(char a, char b)
{
    return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* Counts the bytes to add, leave out, change or swap with the next one; d[i][j] is for the first i and j bytes. */
static size_t distance(const char *a, size_t n, const char *b, size_t m)
{
    size_t d[LONGEST + 1][LONGEST + 1];
    for (size_t i = 0; i <= n; i++)
        for (size_t j = 0; j <= m; j++) {
            d[i][j] = i + j;
            if (i > 0 && j > 0)
                d[i][j] = least_of(least_of(d[i - 1][j], d[i][j - 1]) + 1, d[i - 1][j - 1] + !same(a[i - 1], b[j - 1]));
            if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1]))
                d[i][j] = least_of(d[i][j], d[i - 2][j - 2] + 1);
        }
    return d[n][m];
}

/* A third of the letters may be wrong; beyond that a guess would only mislead. */
void cli_nearest_offer(cli_nearest *nearest, const char *name)
{
    size_t n = strlen(nearest->word), m = strlen(name);
    if (n > LONGEST || m > LONGEST)
        return;
    size_t d = distance(nearest->word, n, name, m);
    if (d > (n + 1) / 3 || (nearest->name != NULL && d >= nearest->distance))
        return;
    nearest->name = name;
    nearest->distance = d;
}

void cli_nearest_add(cli_buffer *buffer, const cli_nearest *nearest)
{
    if (nearest->name == NULL)
        return;
    cli_buffer_text(buffer, "; did you mean \"");
    cli_buffer_text(buffer, nearest->before != NULL ? nearest->before : "");
    cli_add_printable(buffer, nearest->name, strlen(nearest->name));
    cli_buffer_text(buffer, "\"?");
}
