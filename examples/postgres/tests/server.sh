# SPDX-License-Identifier: MIT
# Sourced after tests/check.sh: a PostgreSQL for one run, in $tmp, and the extension in it. Nothing is put into the system.
version=$(find /usr/lib/postgresql -path '*/pgxs/src/makefiles/pgxs.mk' | sed 's|/usr/lib/postgresql/\([0-9]*\)/.*|\1|' | sort -V | tail -n 1)
root=$tmp/usr
bin=$root/lib/postgresql/$version/bin
PGHOST=$tmp/run PGDATABASE=postgres PGUSER=tester
export PGHOST PGDATABASE PGUSER
as_user() { # PostgreSQL does not run as root
    if [ "$(id -u)" -eq 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi
}
stop() {
    as_user "$bin/pg_ctl" -D "$tmp/run/data" -m immediate stop >/dev/null 2>&1
    rm -rf "$tmp"
}
trap stop EXIT

# PostgreSQL finds its files from where its programs lie: those are copied, all else is linked.
links() {
    mkdir -p "$root/lib/postgresql" "$root/share/postgresql" "$root/include" && ln -s /usr/include/postgresql "$root/include" &&
        cp -rs "/usr/lib/postgresql/$version" "$root/lib/postgresql" && cp -rs "/usr/share/postgresql/$version" "$root/share/postgresql" &&
        for program in postgres initdb pg_ctl pg_config psql; do
            rm "$bin/$program" && cp "/usr/lib/postgresql/$version/bin/$program" "$bin" || return 1
        done
}
start() {
    # shellcheck disable=SC3045 # dash and bash have it
    ulimit -v 3000000 # so that memory can run out
    chmod 755 "$tmp" && mkdir "$tmp/run" && { [ "$(id -u)" -ne 0 ] || chown postgres "$tmp/run"; } &&
        as_user "$bin/initdb" -A trust -U tester -D "$tmp/run/data" &&
        as_user "$bin/pg_ctl" -w -D "$tmp/run/data" -l "$tmp/run/log" -o "-k $tmp/run -c listen_addresses= -c fsync=off" start
}
build() { # as somebody copies it
    mkdir -p "$tmp/src/common" && cp -r examples/postgres/. "$tmp/src" &&
        cp examples/common/sql.[ch] examples/cli/common/flags.[ch] "$tmp/src/common" &&
        pgxs install 2>"$tmp/warnings" && cat "$tmp/warnings" && [ ! -s "$tmp/warnings" ]
}
pgxs() {
    env -u MAKEFLAGS -u MFLAGS make -s -C "$tmp/src" PG_CONFIG="$bin/pg_config" ANOMALY_CPPFLAGS="-I$PWD/include" \
        ANOMALY_LIBS="$(cd "$BUILD" && pwd)/libanomaly.a -lm" with_llvm=no "$@"
}
sql() { "$bin/psql" -X -q -At -v ON_ERROR_STOP=1 "$@"; }

