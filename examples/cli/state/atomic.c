/* SPDX-License-Identifier: MIT
 * atomic.c - a file that is replaced as a whole or not at all, and that one process at a time may replace.
 */
#define _XOPEN_SOURCE 700 /* realpath */
#include "state/atomic.h"

#include "common/files.h"
#include "common/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool fail_by_errno(cli_atomic *f)
{
    f->error = strerror(errno);
    return false;
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? cli_copy(path, (size_t)(slash - path) + 1) : cli_copy(".", 1);
}

bool cli_atomic_can_make(cli_atomic *f)
{
    char *folder = folder_of(f->path);
    bool good = access(folder, W_OK | X_OK) == 0 || fail_by_errno(f);
    free(folder);
    return good;
}

/* A file that was replaced between open and lock is not the one to hold. */
static bool lock_present(cli_atomic *f)
{
    do {
        close_fd(&f->locked);
        f->locked = cli_open_regular(f->path, &f->error);
        if (f->locked < 0)
            return errno == ENOENT;
        if (!cli_lock(f->locked, &f->error))
            return false;
    } while (!cli_is_at(f->locked, f->path, 0));
    return true;
}

bool cli_atomic_open(cli_atomic *f, const char *path, mode_t mode)
{
    cli_buffer beside = {0};
    char *real = realpath(path, NULL); /* a link stays one: what it leads to is replaced */
    *f = (cli_atomic){.locked = -1, .written = -1, .mode = mode};
    f->path = real != NULL ? real : cli_copy(path, strlen(path));
    cli_buffer_text(&beside, f->path);
    cli_buffer_text(&beside, ".new");
    cli_buffer_char(&beside, '\0');
    f->beside = beside.data;
    if (lock_present(f))
        return true;
    const char *why = f->error;
    cli_atomic_close(f);
    f->error = why;
    return false;
}

void cli_atomic_close(cli_atomic *f)
{
    if (f->path == NULL)
        return;
    close_fd(&f->written);
    close_fd(&f->locked);
    free(f->path);
    free(f->beside);
    *f = (cli_atomic){.locked = -1, .written = -1};
}

/* ---- writing ---- */

static bool drop_written(cli_atomic *f)
{
    fail_by_errno(f);
    unlink(f->beside);
    close_fd(&f->written);
    return false;
}

/* Its owner may have let others read the state, or whatever he likes. */
static bool keep_mode(const cli_atomic *f)
{
    struct stat present;
    if (f->locked < 0 || fstat(f->locked, &present) != 0 || present.st_uid != geteuid())
        return true;
    return fchmod(f->written, present.st_mode & 0777) == 0;
}

/* Whoever makes PATH holds PATH.new before: while this process holds that, a PATH that is not there stays so. */
static bool is_still_new(cli_atomic *f)
{
    struct stat made;
    if (f->locked >= 0 || stat(f->path, &made) != 0)
        return true;
    drop_written(f);
    f->error = "another process has made it meanwhile";
    return false;
}

/* Locked before it takes the name, so that nobody comes in between. */
bool cli_atomic_begin(cli_atomic *f)
{
    close_fd(&f->written); /* of a save that came to no end */
    f->written = cli_create_locked(f->beside, f->mode, &f->error);
    if (f->written < 0 && errno == EEXIST)
        f->error = "something that is not ours has the name with .new behind it: move it away";
    return f->written >= 0 && is_still_new(f) && (keep_mode(f) || drop_written(f));
}

bool cli_atomic_write(cli_atomic *f, const void *bytes, size_t size)
{
    const char *from = bytes;
    while (size > 0) {
        ssize_t n = write(f->written, from, size);
        if (n < 0 && errno != EINTR)
            return drop_written(f);
        from += n > 0 ? n : 0;
        size -= n > 0 ? (size_t)n : 0;
    }
    return true;
}

/* The new name is on the disk once the folder is. Some file systems know no fsync of folders. */
static bool sync_folder(const char *path)
{
    char *folder = folder_of(path);
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    free(folder);
    bool good = fd >= 0 && (fsync(fd) == 0 || errno == EINVAL || errno == ENOTSUP);
    close_fd(&fd);
    return good;
}

bool cli_atomic_end(cli_atomic *f)
{
    if (fsync(f->written) != 0 || rename(f->beside, f->path) != 0)
        return drop_written(f);
    close_fd(&f->locked);
    f->locked = f->written;
    f->written = -1;
    return sync_folder(f->path) || fail_by_errno(f);
}
