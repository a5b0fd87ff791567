#!/bin/sh
# SPDX-License-Identifier: MIT
# What a newcomer does, on a system that has nothing yet: the bare root of a release of Debian or Ubuntu, an ordinary user
# with sudo, a clean clone of what is committed. Needs root, debootstrap and a mirror; takes many minutes. `make check-bare`.
#
#   tests/install/bare.sh SUITE [COMMAND...]     SUITE is bookworm, trixie, jammy, noble ...; a COMMAND is for sh -c;
#                                                none: make run, make test, make nginx
#   MIRROR   where packages come from: for Debian the mirror that apt uses here, for Ubuntu its own
#   CA_FILE  certificates for pip, where it has to go through a proxy
#   ROOT     where the root is made: anew each time, and removed when all went well (build/bare/SUITE)
set -u
suite=${1:?which release? For instance: bookworm}
root=$(realpath -m "${ROOT:-${BUILD:-build}/bare/$suite}")
home=/home/newcomer
PATH=$PATH:/usr/sbin:/sbin
export PATH

# In namespaces of its own, so that whatever is mounted and started below ends with this script.
if [ -z "${BARE_INSIDE:-}" ]; then
    BARE_INSIDE=1 exec unshare --mount --pid --fork --kill-child sh "$0" "$@"
fi
shift
[ $# -gt 0 ] || set -- 'make run' 'make test' 'make nginx'

# All of Ubuntu is made by one script of debootstrap, gutsy, those releases too that are younger than debootstrap is here.
script=/usr/share/debootstrap/scripts/$suite
[ -e "$script" ] || script=/usr/share/debootstrap/scripts/gutsy
if [ "$(readlink -f "$script")" = /usr/share/debootstrap/scripts/gutsy ]; then
    MIRROR=${MIRROR:-http://archive.ubuntu.com/ubuntu} components=main,universe
else
    # shellcheck disable=SC2016 # $(SITE) is apt's
    MIRROR=${MIRROR:-$(apt-get indextargets --format '$(SITE)' 'Label: Debian' | head -n 1)} components=main
fi

make_root() {
    rm -rf --one-file-system "$root" && mkdir -p "$root" || return 1
    if ! debootstrap --variant=minbase --components=$components --include=sudo,make,git "$suite" "$root" "$MIRROR" "$script" >"$root.log" 2>&1; then
        tail -n 20 "$root.log"
        return 1
    fi
    mount -t proc proc "$root/proc" && mount -t devpts -o newinstance,ptmxmode=666,gid=5 devpts "$root/dev/pts" &&
        mount -t tmpfs tmpfs "$root/dev/shm" && ln -sf pts/ptmx "$root/dev/ptmx" &&
        chroot "$root" useradd -m -s /bin/bash newcomer &&
        echo 'newcomer ALL=(ALL) NOPASSWD: ALL' >"$root/etc/sudoers.d/newcomer" &&
        printf '127.0.0.1 localhost %s\n' "$(hostname)" >"$root/etc/hosts" &&
        git clone -q --no-hardlinks . "$root$home/libanomaly" || return 1
    if [ -n "${CA_FILE:-}" ]; then
        mkdir -p "$root$home/.config/pip" && cp "$CA_FILE" "$root$home/ca.pem" &&
            printf '[global]\ncert = %s\n' $home/ca.pem >"$root$home/.config/pip/pip.conf"
    fi
    chroot "$root" chown -R newcomer: $home
}

passed=0 failed=0
count() { # NAME COMMAND...
    name=$1 start=$(date +%s) result=ok
    shift
    if "$@" </dev/null; then passed=$((passed + 1)); else failed=$((failed + 1)) result=FAIL; fi
    printf -- '---- %-4s %s: %s, %d s\n' "$result" "$suite" "$name" $(($(date +%s) - start))
}

count 'a bare root' make_root
[ "$failed" -eq 0 ] || set --
for command; do
    printf '==== %s: %s\n' "$suite" "$command"
    count "$command" chroot "$root" su - newcomer -c "cd libanomaly && $command"
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] || exit 1
umount "$root/proc" "$root/dev/pts" "$root/dev/shm" && rm -rf --one-file-system "$root" "$root.log"
