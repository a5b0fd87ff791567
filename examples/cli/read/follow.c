/* SPDX-License-Identifier: MIT
 * follow.c - at the end of a followed file: will more of it come?
 *
 * Logs are rotated in two ways:
 *   - the log is renamed and a new file takes its place: then the path has another inode;
 *   - the log is copied and then cut to nothing: then the file is shorter than what was read of it or, once it has
 *     grown again, has other bytes before that place.
 */
#include "read/follow.h"

#include "anomaly.h"

#include <sys/stat.h>
#include <unistd.h>

enum { PATIENCE = 5 }; /* looks after a long wait */

bool cli_hash_before(int fd, uint64_t end, uint64_t *hash)
{
    char bytes[CLI_TAIL];
    size_t length = end < CLI_TAIL ? (size_t)end : CLI_TAIL, have = 0;
    while (have < length) {
        ssize_t n = pread(fd, bytes + have, length - have, (off_t)(end - length + have));
        if (n <= 0)
            return false;
        have += (size_t)n;
    }
    *hash = anomaly_key_hash(bytes, length);
    return true;
}

/* Tells whether the file was cut, or cut and written anew: the bytes that were read last are not there any more. */
static bool was_cut(cli_follow *f, int fd, uint64_t end)
{
    uint64_t hash;
    bool looked = f->waits_at == end;
    if (!cli_hash_before(fd, end, &hash))
        return true;
    bool same = !looked || hash == f->waits_hash;
    f->waits_at = end;
    f->waits_hash = hash;
    return !same;
}

static bool is_elsewhere(int fd, const char *path)
{
    struct stat followed, there;
    return path != NULL && fstat(fd, &followed) == 0 && stat(path, &there) == 0 &&
           (there.st_ino != followed.st_ino || there.st_dev != followed.st_dev);
}

enum cli_turn cli_follow_look(cli_follow *f, int fd, const char *path, uint64_t end, bool long_wait)
{
    if (was_cut(f, fd, end))
        return CLI_TURN_CUT;
    f->replaced = !is_elsewhere(fd, path) ? 0 : long_wait ? f->replaced + 1 : f->replaced;
    return f->replaced > PATIENCE ? CLI_TURN_REPLACED : CLI_TURN_NONE;
}
