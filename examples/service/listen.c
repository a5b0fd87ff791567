/* SPDX-License-Identifier: MIT
 * listen.c - sockets to listen on.
 */
#include "listen.h"

#include "log.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/util.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { WAITING = 128 };

static int failed(int fd, const char *where)
{
    log_say("cannot listen on %s: %s", where, strerror(errno));
    if (fd >= 0)
        close(fd);
    return -1;
}

static int new_socket(int family)
{
    int fd = socket(family, SOCK_STREAM, 0);
    if (fd >= 0 && (evutil_make_socket_nonblocking(fd) != 0 || evutil_make_socket_closeonexec(fd) != 0)) {
        close(fd);
        fd = -1;
    }
    return fd;
}

/* ---- TCP ---- */

static bool is_loopback(const struct sockaddr_storage *address)
{
    const struct sockaddr_in *four = (const void *)address;
    const struct sockaddr_in6 *six = (const void *)address;
    return address->ss_family == AF_INET6 ? IN6_IS_ADDR_LOOPBACK(&six->sin6_addr) != 0
                                          : ntohl(four->sin_addr.s_addr) >> 24 == 127;
}

static void say_where(int fd, const char *what)
{
    struct sockaddr_storage address = {0};
    socklen_t size = sizeof address;
    char text[INET6_ADDRSTRLEN] = "?";
    const struct sockaddr_in *four = (const void *)&address;
    const struct sockaddr_in6 *six = (const void *)&address;
    bool is_six = getsockname(fd, (struct sockaddr *)&address, &size) == 0 && address.ss_family == AF_INET6;
    inet_ntop(address.ss_family, is_six ? (const void *)&six->sin6_addr : &four->sin_addr, text, sizeof text);
    log_say(is_six ? "%s on [%s]:%u" : "%s on %s:%u", what, text, ntohs(is_six ? six->sin6_port : four->sin_port));
    if (!is_loopback(&address))
        log_say("warning: %s can be reached from other machines, and asks nobody who they are", text);
}

/* getaddrinfo() would take 99999 for 34463. */
static bool is_port(const char *text)
{
    size_t digits = strspn(text, "0123456789");
    return digits > 0 && digits <= 5 && text[digits] == '\0' && strtol(text, NULL, 10) <= 65535;
}

/* "127.0.0.1:7171" or "[::1]:7171", without asking a name server. NULL if it is neither. */
static struct addrinfo *parse(const char *address)
{
    const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    char host[64];
    const char *colon = strrchr(address, ':');
    if (colon == NULL || colon == address || !is_port(colon + 1))
        return NULL;
    bool bracket = address[0] == '[' && colon[-1] == ']';
    const char *start = address + bracket;
    size_t size = (size_t)(colon - address) - (bracket ? 2 : 0);
    if (size == 0 || size >= sizeof host || (memchr(start, ':', size) != NULL) != bracket)
        return NULL;
    memcpy(host, start, size);
    host[size] = '\0';
    return getaddrinfo(host, colon + 1, &hints, &found) == 0 ? found : NULL;
}

int listen_tcp(const char *address, const char *what)
{
    int on = 1;
    struct addrinfo *parsed = parse(address);
    if (parsed == NULL) {
        log_say("\"%s\" is not an address and a port, such as 127.0.0.1:7171 or [::1]:7171", address);
        return -1;
    }
    int fd = new_socket(parsed->ai_family);
    bool good = fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
                bind(fd, parsed->ai_addr, parsed->ai_addrlen) == 0 && listen(fd, WAITING) == 0;
    freeaddrinfo(parsed);
    if (!good)
        return failed(fd, address);
    say_where(fd, what);
    return fd;
}

/* ---- Unix ---- */

/* Only a socket that nobody listens on is taken away. */
static bool remove_left_over(const struct sockaddr_un *name)
{
    struct stat found;
    if (lstat(name->sun_path, &found) != 0)
        return true;
    int fd = S_ISSOCK(found.st_mode) ? new_socket(AF_UNIX) : -1;
    errno = S_ISSOCK(found.st_mode) ? errno : EEXIST;
    if (fd < 0)
        return false;
    bool dead = connect(fd, (const struct sockaddr *)name, sizeof *name) != 0 && errno == ECONNREFUSED;
    close(fd);
    errno = EADDRINUSE;
    return dead && unlink(name->sun_path) == 0;
}

int listen_unix(const char *path)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof name.sun_path) {
        log_say("cannot listen on %s: longer than %zu bytes", path, sizeof name.sun_path - 1);
        return -1;
    }
    strcpy(name.sun_path, path);
    if (!remove_left_over(&name))
        return failed(-1, path);
    int fd = new_socket(AF_UNIX);
    if (fd < 0 || bind(fd, (const struct sockaddr *)&name, sizeof name) != 0 || listen(fd, WAITING) != 0)
        return failed(fd, path);
    log_say("lines on %s", path);
    return fd;
}

/* ---- descriptors ---- */

/* Beside the clients: files, listeners, and as many for HTTP, which libevent does not bound itself. */
bool listen_limit_descriptors(unsigned long long connections)
{
    enum { OTHERS = 64 };
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return log_wrong("cannot find out how many files may be open: %s", strerror(errno));
    if (limit.rlim_max != RLIM_INFINITY && connections + OTHERS > limit.rlim_max)
        return log_wrong("--max-connections %llu: only %llu files may be open, see ulimit -Hn", connections,
                         (unsigned long long)limit.rlim_max);
    limit.rlim_cur = connections + OTHERS;
    return setrlimit(RLIMIT_NOFILE, &limit) == 0 || log_wrong("cannot set how many files may be open: %s", strerror(errno));
}
