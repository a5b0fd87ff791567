/* SPDX-License-Identifier: MIT
 * mark.c - is a file still the one that was read, after a restart?
 *
 * A log that is rotated by renaming keeps its inode under another name. One that is copied and cut has other bytes
 * before the place up to which it was read, or none; an inode that was freed and given to a new file shows in the same
 * way.
 */
#include "state/mark.h"

#include "common/text.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* gzip and UTF-16 have no place that belongs to a byte of the plain data: their first bytes have to do. */
static uint64_t mark_end(const cli_source *s)
{
    if (cli_source_plain(s))
        return cli_source_position(s).offset;
    return s->size < CLI_TAIL ? s->size : CLI_TAIL;
}

cli_mark cli_mark_of(const cli_source *s)
{
    cli_mark mark = {s->device, s->inode, mark_end(s), 0};
    if (!cli_hash_before(s->fd, mark.end, &mark.hash))
        mark.end = 0;
    return mark;
}

bool cli_mark_fits(const cli_source *s, const cli_mark *mark)
{
    uint64_t hash;
    return s->device == mark->device && s->inode == mark->inode && cli_hash_before(s->fd, mark->end, &hash) &&
           (mark->end == 0 || hash == mark->hash);
}

bool cli_mark_is_at(const char *path, const cli_mark *mark)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISREG(status.st_mode) && (uint64_t)status.st_ino == mark->inode &&
           (uint64_t)status.st_dev == mark->device;
}

char *cli_mark_find(const char *path, const cli_mark *mark)
{
    const char *slash = strrchr(path, '/');
    size_t folder = slash != NULL ? (size_t)(slash - path) + 1 : 0;
    char *name = folder > 0 ? cli_copy(path, folder) : cli_copy(".", 1);
    DIR *directory = opendir(name);
    struct dirent *entry;
    char *found = NULL;
    free(name);
    while (directory != NULL && found == NULL && (entry = readdir(directory)) != NULL) {
        cli_buffer other = {0};
        cli_buffer_add(&other, path, folder);
        cli_buffer_text(&other, entry->d_name);
        cli_buffer_char(&other, '\0');
        found = cli_mark_is_at(other.data, mark) ? other.data : NULL;
        if (found == NULL)
            cli_buffer_free(&other);
    }
    if (directory != NULL)
        closedir(directory);
    return found;
}
