/* SPDX-License-Identifier: MIT
 * files.c - files opened so that nobody can put another in their place.
 */
#include "common/files.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* Opens a closed one in the wrong direction, so that using it still fails. open() takes the lowest free number. */
bool cli_files_start(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
            return false;
    return true;
}

static bool fail_with(int error, const char **why)
{
    *why = strerror(error);
    errno = error;
    return false;
}

/* Closes it and answers -1, errno as it was. */
static int close_failed(int fd)
{
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

static bool is_regular(int fd, const char **why)
{
    struct stat status;
    if (fstat(fd, &status) != 0)
        return fail_with(errno, why);
    if (S_ISREG(status.st_mode))
        return true;
    fail_with(EINVAL, why);
    *why = "it is not a regular file";
    return false;
}

int cli_open_regular(const char *path, const char **why)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        fail_with(errno, why);
    return fd < 0 || is_regular(fd, why) ? fd : close_failed(fd);
}

bool cli_lock(int fd, const char **why)
{
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        return true;
    fail_with(errno, why);
    if (errno == EWOULDBLOCK)
        *why = "another process is using it";
    return false;
}

bool cli_is_at(int fd, const char *path, int flags)
{
    struct stat open_one, named;
    return fstat(fd, &open_one) == 0 && fstatat(AT_FDCWD, path, &named, flags) == 0 && open_one.st_ino == named.st_ino &&
           open_one.st_dev == named.st_dev;
}

/* The lock shows that no one writes to it. One that has lost the name meanwhile is somebody's else. */
static bool remove_if_ours(int fd, const char *path, const char **why)
{
    struct stat status;
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) || status.st_uid != geteuid())
        return fail_with(EEXIST, why);
    if (!cli_lock(fd, why))
        return false;
    return !cli_is_at(fd, path, AT_SYMLINK_NOFOLLOW) || unlink(path) == 0 || fail_with(errno, why);
}

static bool remove_left_over(const char *path, const char **why)
{
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return errno == ENOENT || fail_with(errno == ELOOP || errno == ENXIO ? EEXIST : errno, why);
    bool good = remove_if_ours(fd, path, why);
    close_failed(fd);
    return good;
}

/* Another process may find the file before it is locked, take it for one left behind, and remove it. */
int cli_create_locked(const char *path, mode_t mode, const char **why)
{
    for (;;) {
        int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
        if (fd < 0 && errno != EEXIST)
            return fail_with(errno, why), -1;
        if (fd < 0 && !remove_left_over(path, why))
            return -1;
        if (fd < 0)
            continue;
        bool locked = cli_lock(fd, why);
        if (locked && cli_is_at(fd, path, AT_SYMLINK_NOFOLLOW))
            return fd;
        if (!locked && errno != EWOULDBLOCK)
            return close_failed(fd);
        close(fd);
    }
}

bool cli_same_file(const char *a, const char *b)
{
    struct stat one, other;
    return strcmp(a, b) == 0 || (stat(a, &one) == 0 && stat(b, &other) == 0 && S_ISREG(one.st_mode) &&
                                 one.st_ino == other.st_ino && one.st_dev == other.st_dev);
}
