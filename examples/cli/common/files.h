/* SPDX-License-Identifier: MIT
 * files.h - files opened so that nobody can put another in their place. The example service uses them too.
 */
#ifndef CLI_FILES_H
#define CLI_FILES_H

#include <stdbool.h>
#include <sys/types.h>

/** Takes the numbers of standard input, output and error where they are closed, so that no file gets one and no
 *  message goes into a file; they stay unusable. The first thing that main does. False if it cannot be done. */
bool cli_files_start(void);

/** Opens a file to read, which must be a regular one: a FIFO would have to be waited for. -1 with *why and errno. */
int cli_open_regular(const char *path, const char **why);

/** Makes a file to write, of that mode less the umask, and locks it. A link there is not followed. A regular file of
 *  ours that nobody has locked is what a run that was killed left behind: it is removed. -1 with *why and errno, which
 *  is EEXIST if something else is in the way. */
int cli_create_locked(const char *path, mode_t mode, const char **why);

/** Locks the file for this process and those it forks. False with *why and errno: EWOULDBLOCK if another has it. */
bool cli_lock(int fd, const char **why);

/** Whether the path names the open file; `flags` 0, or AT_SYMLINK_NOFOLLOW. */
bool cli_is_at(int fd, const char *path, int flags);

/** Are both paths the same, or the same regular file? */
bool cli_same_file(const char *a, const char *b);

#endif
