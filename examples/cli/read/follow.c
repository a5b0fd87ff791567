/* SPDX-License-Identifier: MIT
 * follow.c - is a file still the one that was read: while it is followed, and after a restart?
 *
 * Logs are rotated in two ways. Renamed, with a new file in their place: then the path has another inode. Or copied and cut
 * to nothing: then the file is shorter than what was read of it, or, when it has grown again, has other bytes there. An
 * inode that was freed and given to a new file shows in the same way.
 */
#include "read/follow.h"

#include "anomaly.h"
#include "common/text.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATIENCE = 5 }; /* looks after a long wait */

/* The hash of the bytes before `end`; false if they are not there. */
static bool hash_before(int fd, uint64_t end, uint64_t *hash)
{
    char bytes[CLI_MARK];
    size_t length = end < CLI_MARK ? (size_t)end : CLI_MARK, have = 0;
    while (have < length) {
        ssize_t n = pread(fd, bytes + have, length - have, (off_t)(end - length + have));
        if (n <= 0)
            return false;
        have += (size_t)n;
    }
    *hash = anomaly_key_hash(bytes, length);
    return true;
}

/* gzip and UTF-16 have no place that belongs to a byte of the plain data: their first bytes have to do. */
static uint64_t mark_end(const cli_source *s)
{
    if (cli_source_plain(s))
        return cli_source_position(s).offset;
    return s->size < CLI_MARK ? s->size : CLI_MARK;
}

cli_mark cli_follow_mark(const cli_source *s)
{
    cli_mark mark = {s->device, s->inode, mark_end(s), 0};
    if (!hash_before(s->fd, mark.end, &mark.hash))
        mark.end = 0;
    return mark;
}

bool cli_follow_same(const cli_source *s, const cli_mark *mark)
{
    uint64_t hash;
    return s->device == mark->device && s->inode == mark->inode && hash_before(s->fd, mark->end, &hash) &&
           (mark->end == 0 || hash == mark->hash);
}

/* Cut, or cut and written anew: what was read last is there no more. */
static bool was_cut(cli_source *s)
{
    uint64_t end = s->base + s->end, hash;
    bool looked = s->waits_at == end;
    if (!hash_before(s->fd, end, &hash))
        return true;
    bool same = !looked || hash == s->waits_hash;
    s->waits_at = end;
    s->waits_hash = hash;
    return !same;
}

enum cli_turn cli_follow_look(cli_source *s, bool long_wait)
{
    struct stat there;
    if (was_cut(s))
        return CLI_TURN_CUT;
    bool other = s->close_fd && stat(s->name, &there) == 0 &&
                 ((uint64_t)there.st_ino != s->inode || (uint64_t)there.st_dev != s->device);
    s->replaced = !other ? 0 : long_wait ? s->replaced + 1 : s->replaced;
    return s->replaced > PATIENCE ? CLI_TURN_REPLACED : CLI_TURN_NONE;
}

bool cli_follow_is_at(const char *path, const cli_mark *mark)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISREG(status.st_mode) && (uint64_t)status.st_ino == mark->inode &&
           (uint64_t)status.st_dev == mark->device;
}

char *cli_follow_find(const char *path, const cli_mark *mark)
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
        found = cli_follow_is_at(other.data, mark) ? other.data : NULL;
        if (found == NULL)
            cli_buffer_free(&other);
    }
    if (directory != NULL)
        closedir(directory);
    return found;
}
