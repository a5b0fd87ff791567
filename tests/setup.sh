#!/bin/sh
# SPDX-License-Identifier: MIT
# Makes sure that what a make target needs is installed.
#
#   tests/setup.sh [program] [tests] [checks] [builds] [s390x] [i686] [bare] [python] [lua] [service] [nginx] [browser] [redis] [prometheus] [java] [servers] [sqlite] [postgres]
#
#   program  a C compiler, libcsv, jansson, zlib; libzstd, liblzma and pkg-config only where they can be installed
#   tests    the same, cmocka, a C++ compiler, pkg-config
#   checks   clang with the sanitizer and fuzzer runtime, valgrind
#   builds   CMake, Meson, Ninja
#   s390x    a cross compiler for s390x and qemu-user
#   i686     a cross compiler for 32 bits (gcc-multilib cannot be installed beside other cross compilers)
#   bare     debootstrap
#   python   python3 (or PYTHON) with venv, and its headers
#   lua      Lua 5.1 to 5.4 and LuaJIT with their headers, as far as this system has them; busted, luacheck
#   service  a C compiler, libevent, jansson, Python 3 (for its tests)
#   browser  Chromium with a font, python3 with venv
#   nginx    nginx with the module for Lua, LuaJIT with its headers, cjson, luacheck, wrk, python3; not started, not even at boot
#   redis    Redis, not started, not even at boot
#   prometheus Prometheus with promtool, not started, not even at boot
#   java     Java and Maven, which bring Kafka and what Flink needs for it; kcat
#   sqlite   a C compiler, SQLite's shell and header, pkg-config
#   postgres PostgreSQL, not started, with the headers of its server
#   servers  what docs/cookbook-servers.md needs: PostgreSQL, not started; Java and Maven, which bring Kafka; kcat, curl
#
# Each thing is tried, not looked up: a small program is compiled and linked with CC, CXX, CPPFLAGS, CFLAGS and LDFLAGS
# as given, so libraries in a place of your own count. If all is there it prints nothing. If something is missing it is
# installed with apt-get, as root or through sudo, after saying so; where that cannot be, the command to run is printed
# and the exit status is 2. LIBANOMALY_NO_INSTALL=1 never installs.
set -u
LC_ALL=C
PATH=$PATH:/usr/sbin # where Debian has nginx, also for ordinary users
export LC_ALL PATH
CC=${CC:-cc}
CXX=${CXX:-c++}
CLANG=${CLANG:-clang}
PYTHON=${PYTHON:-python3}

tmp=$(mktemp -d) || exit 2
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM

c_program='#include <csv.h>
#include <jansson.h>
#include <math.h>
#include <zlib.h>
int main(void) { return csv_error(0) + (int)sqrt((double)zlibCompileFlags()) + json_is_true(json_true()); }'
c_cmocka='#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
int main(void) { return (int)(intptr_t)&_cmocka_run_group_tests; }'
c_empty='#include <stdio.h>
int main(void) { return puts("") < 0; }'
cxx_empty='#include <cstdio>
int main() { return std::puts("") < 0; }'
c_fuzzer='#include <stddef.h>
#include <stdint.h>
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n) { return p && n > 99; }'

# builds SOURCE COMPILER LANGUAGE [FLAGS...]: does it compile and link?
builds() {
    printf '%s\n' "$1" >"$tmp/t.$3"
    compiler=$2 source="$tmp/t.$3"
    shift 3
    # The variables hold several words on purpose.
    # shellcheck disable=SC2086
    $compiler ${CPPFLAGS:-} ${CFLAGS:-} ${LDFLAGS:-} "$source" -o "$tmp/t" "$@" >/dev/null 2>"$tmp/err"
}

need() { # PACKAGE...: add once each
    for package; do
        case " $packages " in *" $package "*) ;; *) packages="${packages:+$packages }$package" ;; esac
    done
}

# The Debian package of a compiler command ("ccache gcc-12 -m64" is gcc-12's); fails if we do not know it.
compiler_package() { # COMMAND DEFAULT
    for word in $1; do
        case ${word##*/} in
        cc | c++) echo "$2" && return ;;
        gcc | g++ | gcc-[0-9]* | g++-[0-9]*) echo "${word##*/}" && return ;;
        clang | clang-[0-9]*) echo "${word##*/}" && return ;;
        clang++*) echo "clang${word##*clang++}" && return ;;
        esac
    done
    return 1
}

need_compiler() { # COMMAND DEFAULT LIBRARY-PACKAGE
    if package=$(compiler_package "$1" "$2"); then
        need "$package" "$3"
    else
        echo "setup: the compiler \"$1\" does not work here and is not one that setup knows how to install:" >&2
        cat "$tmp/err" >&2
        exit 2
    fi
}

# first_known PACKAGE...: the first that apt can install; nothing if none. (`apt-cache show` also answers for a package that
# there is no more but that others provide.)
first_known() {
    for package; do
        if apt-cache policy "$package" 2>/dev/null | grep -q '^  Candidate: [^(]'; then
            echo "$package"
            return
        fi
    done
}

can_install() {
    command -v apt-get >/dev/null 2>&1 && [ "${LIBANOMALY_NO_INSTALL:-0}" != 1 ] &&
        { [ "$(id -u)" -eq 0 ] || sudo -n true >/dev/null 2>&1; }
}

# The program is built without these where they are not there; the tests want them.
need_packings() {
    pkg-config --exists libzstd liblzma 2>/dev/null && return
    for package in pkg-config libzstd-dev liblzma-dev; do
        if [ -n "$tests" ] || { can_install && [ -n "$(first_known $package)" ]; }; then
            need $package
        fi
    done
}

need_clang_runtime() {
    version=$("$CLANG" -dumpversion | cut -d. -f1)
    package=$(first_known "libclang-rt-$version-dev" "libclang-common-$version-dev")
    need "${package:-libclang-rt-$version-dev}"
}

need_lua() { # NAME PACKAGE HEADERS: an interpreter whose headers pkg-config finds; left out where there are no packages
    if command -v "$1" >/dev/null 2>&1 && pkg-config --exists "$1" 2>/dev/null; then
        return
    fi
    if [ -n "$2" ] && [ -n "$3" ]; then
        need "$2" "$3"
    fi
}

need_luas() {
    pkg-config --version >/dev/null 2>&1 || need pkg-config
    need_lua lua5.1 "$(first_known lua5.1)" "$(first_known liblua5.1-0-dev liblua5.1-dev)"
    for version in 5.2 5.3 5.4; do
        need_lua "lua$version" "$(first_known "lua$version")" "$(first_known "liblua$version-dev")"
    done
    # luajit2 where there is a choice: Debian's nginx module for Lua does not go with luajit.
    need_lua luajit "$(first_known luajit2 luajit)" "$(first_known libluajit2-5.1-dev libluajit-5.1-dev)"
    command -v busted >/dev/null 2>&1 || need lua-busted
    command -v luacheck >/dev/null 2>&1 || need lua-check
}

need_service() {
    builds "$c_empty" "$CC" c || need_compiler "$CC" gcc libc6-dev
    builds '#include <event2/http.h>
int main(void) { return evhttp_new(0) != 0; }' "$CC" c -levent || need libevent-dev
    builds '#include <jansson.h>
int main(void) { return json_is_true(json_true()); }' "$CC" c -ljansson || need libjansson-dev
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 9))' 2>/dev/null || need python3
}

# Tried: nginx loads the modules, LuaJIT loads cjson.
nginx_has_lua() {
    modules=$(nginx -V 2>&1 | sed -n 's/.*--modules-path=\([^ ]*\).*/\1/p')
    printf '%s\n' "load_module $modules/ndk_http_module.so;" "load_module $modules/ngx_http_lua_module.so;" \
        "pid $tmp/nginx.pid;" 'events { }' >"$tmp/nginx.conf"
    nginx -t -q -p "$tmp/" -e err -c nginx.conf >/dev/null 2>&1 && luajit -e 'require "cjson"' >/dev/null 2>&1
}

need_nginx() {
    builds "$c_empty" "$CC" c || need_compiler "$CC" gcc libc6-dev
    pkg-config --version >/dev/null 2>&1 || need pkg-config
    need_lua luajit "$(first_known luajit2 luajit)" "$(first_known libluajit2-5.1-dev libluajit-5.1-dev)"
    nginx_has_lua || need nginx-light libnginx-mod-http-lua lua-cjson
    command -v luacheck >/dev/null 2>&1 || need lua-check
    command -v wrk >/dev/null 2>&1 || need wrk
    command -v python3 >/dev/null 2>&1 || need python3
}

need_browser() {
    [ -x /usr/bin/chromium ] || need chromium fonts-dejavu-core
    python3 -c 'import ensurepip, venv' 2>/dev/null || need python3 python3-venv
}

need_redis() {
    command -v redis-server >/dev/null 2>&1 || need redis-server
}

need_prometheus() {
    { command -v prometheus && command -v promtool; } >/dev/null 2>&1 || need prometheus
}

need_sqlite() {
    builds "$c_empty" "$CC" c || need_compiler "$CC" gcc libc6-dev
    builds '#include <sqlite3ext.h>
int main(void) { return 0; }' "$CC" c -lsqlite3 || need libsqlite3-dev
    command -v sqlite3 >/dev/null 2>&1 || need sqlite3
    pkg-config --version >/dev/null 2>&1 || need pkg-config
}

need_postgres() {
    builds "$c_empty" "$CC" c || need_compiler "$CC" gcc libc6-dev
    [ -n "$(find /usr/lib/postgresql -name initdb 2>/dev/null)" ] || need postgresql
    [ -n "$(find /usr/include/postgresql -name fmgr.h 2>/dev/null)" ] ||
        need "$(first_known postgresql-server-dev-17 postgresql-server-dev-16 postgresql-server-dev-15)"
}

need_java() {
    java -version >/dev/null 2>&1 || need default-jre-headless
    mvn -version >/dev/null 2>&1 || need maven
    command -v kcat >/dev/null 2>&1 || need kcat
}

need_servers() {
    need_java
    [ -n "$(find /usr/lib/postgresql -name initdb 2>/dev/null)" ] || need postgresql
    command -v curl >/dev/null 2>&1 || need curl
}

find_missing() { # sets $packages to the packages that bring what is missing
    packages=
    if [ -n "$program$tests" ]; then
        libraries='-lcsv -ljansson -lz -lm'
        source=$c_program
        if [ -n "$tests" ]; then
            libraries="$libraries -lcmocka"
            source="${c_cmocka%int main*}$c_program"
        fi
        # shellcheck disable=SC2086
        if ! builds "$source" "$CC" c $libraries; then
            builds "$c_empty" "$CC" c || need_compiler "$CC" gcc libc6-dev
            builds '#include <csv.h>
int main(void) { return csv_error(0); }' "$CC" c -lcsv || need libcsv-dev
            builds '#include <jansson.h>
int main(void) { return json_is_true(json_true()); }' "$CC" c -ljansson || need libjansson-dev
            builds '#include <zlib.h>
int main(void) { return (int)zlibCompileFlags(); }' "$CC" c -lz || need zlib1g-dev
            [ -z "$tests" ] || builds "$c_cmocka" "$CC" c -lcmocka || need libcmocka-dev
        fi
        need_packings
    fi
    if [ -n "$tests" ]; then
        CFLAGS='' builds "$cxx_empty" "$CXX" cc || need_compiler "$CXX" g++ libc6-dev
        pkg-config --version >/dev/null 2>&1 || need pkg-config
        nm --version >/dev/null 2>&1 || need binutils
        # The test of the decimal comma makes a locale, for which glibc's localedef wants a character map.
        ! command -v localedef >/dev/null 2>&1 || ls /usr/share/i18n/charmaps/ANSI_X3.4-1968* >/dev/null 2>&1 || need locales
        [ -e /usr/share/zoneinfo/Europe/Berlin ] || need tzdata
    fi
    if [ -n "$checks" ]; then
        if ! CFLAGS='' builds "$c_empty" "$CLANG" c; then
            need clang libc6-dev
        elif ! CFLAGS='' builds "$c_fuzzer" "$CLANG" c -fsanitize=fuzzer,address,undefined; then
            need_clang_runtime
        fi
        valgrind --version >/dev/null 2>&1 || need valgrind libc6-dbg
    fi
    if [ -n "$builds" ]; then
        cmake --version >/dev/null 2>&1 || need cmake
        meson --version >/dev/null 2>&1 || need meson
        ninja --version >/dev/null 2>&1 || need ninja-build
    fi
    if [ -n "$s390x" ]; then
        builds "$c_empty" s390x-linux-gnu-gcc c -static || need gcc-s390x-linux-gnu libc6-dev-s390x-cross
        qemu-s390x --version >/dev/null 2>&1 || need qemu-user
    fi
    [ -z "$i686" ] || builds "$c_empty" i686-linux-gnu-gcc c -static || need gcc-i686-linux-gnu libc6-dev-i386-cross
    [ -z "$bare" ] || command -v debootstrap >/dev/null 2>&1 || need debootstrap
    if [ -n "$python" ]; then
        builds "$c_empty" "$CC" c || need_compiler "$CC" gcc libc6-dev
        "$PYTHON" -c 'import ensurepip, venv' >/dev/null 2>&1 || need python3 python3-venv
        headers=$("$PYTHON" -c 'import sysconfig; print(sysconfig.get_path("include"))' 2>/dev/null)
        [ -e "$headers/Python.h" ] || need python3-dev
    fi
    [ -z "$lua" ] || need_luas
    [ -z "$service" ] || need_service
    [ -z "$nginx" ] || need_nginx
    [ -z "$browser" ] || need_browser
    [ -z "$redis" ] || need_redis
    [ -z "$prometheus" ] || need_prometheus
    [ -z "$java" ] || need_java
    [ -z "$servers" ] || need_servers
    [ -z "$sqlite" ] || need_sqlite
    [ -z "$postgres" ] || need_postgres
}

give_up() { # REASON [" as root"]
    echo "setup: $1" >&2
    echo "setup: please run this${2:-} and try again (on Debian and Ubuntu):" >&2
    echo >&2
    sudo='sudo '
    [ -z "${2:-}" ] || sudo=
    echo "    ${sudo}apt-get update && ${sudo}apt-get install -y --no-install-recommends $packages" >&2
    echo >&2
    exit 2
}

# Runs a command that installs servers without their being started: tests start their own, on ports of their own.
policy=/usr/sbin/policy-rc.d
without_starting() {
    if [ -e $policy ]; then
        "$@"
        return
    fi
    printf '#!/bin/sh\nexit 101\n' >"$tmp/policy"
    $as_root install -m 755 "$tmp/policy" $policy
    trap '$as_root rm -f $policy; rm -rf "$tmp"' EXIT
    "$@"
    status=$?
    $as_root rm -f $policy
    return $status
}

servers_at_boot() { # those that are there, in one line
    for server in nginx redis-server prometheus; do
        ! command -v $server >/dev/null 2>&1 || printf '%s ' $server
    done
}

install_packages() {
    command -v apt-get >/dev/null 2>&1 || give_up "missing: $packages. There is no apt-get here to install them with."
    [ "${LIBANOMALY_NO_INSTALL:-0}" != 1 ] || give_up "missing: $packages. LIBANOMALY_NO_INSTALL=1 forbids installing."
    as_root=
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null 2>&1 || give_up "missing: $packages. You are not root and there is no sudo." ' as root'
        as_root='sudo'
        [ -t 0 ] || as_root='sudo -n' # nobody is there to type a password
        if [ ! -t 0 ] && ! sudo -n true >/dev/null 2>&1; then
            give_up "missing: $packages. You are not root, and sudo wants a password or does not know you."
        fi
    fi
    install="${as_root:+$as_root }apt-get -q -y -o DPkg::Lock::Timeout=300 install --no-install-recommends $packages"
    echo "setup: missing: $packages"
    echo "setup: installing with: ${as_root:+$as_root }apt-get update; $install"
    [ "$(id -u)" -ne 0 ] || export DEBIAN_FRONTEND=noninteractive
    # shellcheck disable=SC2086
    $as_root apt-get -q -o DPkg::Lock::Timeout=300 update </dev/null >"$tmp/update" 2>&1 || cat "$tmp/update" >&2
    had=$(servers_at_boot)
    # shellcheck disable=SC2086
    if ! without_starting $install </dev/null >"$tmp/install" 2>&1; then
        cat "$tmp/install" >&2
        give_up "that did not work."
    fi
    echo "setup: installed."
    for server in $(servers_at_boot); do
        case " $had " in *" $server "*) continue ;; esac
        command -v systemctl >/dev/null 2>&1 && $as_root systemctl disable "$server" >/dev/null 2>&1 &&
            echo "setup: $server is not started, nor at boot; to change that: systemctl enable --now $server"
    done
    true
}

program='' tests='' checks='' builds='' s390x='' i686='' bare='' python='' lua='' service='' nginx='' browser='' redis='' prometheus='' java='' servers='' sqlite='' postgres=''
[ $# -gt 0 ] || set -- program tests
for group; do
    case $group in
    program) program=1 ;;
    tests) tests=1 ;;
    checks) checks=1 ;;
    builds) builds=1 ;;
    s390x) s390x=1 ;;
    i686) i686=1 ;;
    bare) bare=1 ;;
    python) python=1 ;;
    lua) lua=1 ;;
    service) service=1 ;;
    nginx) nginx=1 ;;
    browser) browser=1 ;;
    redis) redis=1 ;;
    prometheus) prometheus=1 ;;
    java) java=1 ;;
    servers) servers=1 ;;
    sqlite) sqlite=1 ;;
    postgres) postgres=1 ;;
    *) echo "usage: tests/setup.sh [program] [tests] [checks] [builds] [s390x] [i686] [bare] [python] [lua] [service] [nginx] [browser] [redis] [prometheus] [java] [servers] [sqlite] [postgres]" >&2 && exit 2 ;;
    esac
done

find_missing
rounds=0
while [ -n "$packages" ]; do
    # A second round may be needed: which runtime goes with clang is known once clang is there.
    rounds=$((rounds + 1))
    if [ $rounds -gt 2 ]; then
        [ ! -s "$tmp/err" ] || cat "$tmp/err" >&2
        give_up "still missing after installing: $packages."
    fi
    install_packages
    find_missing
done
