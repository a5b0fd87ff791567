#!/bin/sh
# SPDX-License-Identifier: MIT
# Prints where Flink's connector for Kafka is, in FOLDER; Maven brings it, once.
#
#   connector.sh FOLDER
set -eu
name=flink-sql-connector-kafka version=5.0.0-2.2
jar=$(cd "$1" && pwd)/$name-$version.jar
if [ ! -e "$jar" ]; then
    part=$(mktemp -d "$1/jar.XXXXXX")
    trap 'rm -rf "$part"' EXIT
    echo "flink: Maven brings $name $version into $1" >&2
    mvn -q -B --color never dependency:copy -Dartifact="org.apache.flink:$name:$version" -DoutputDirectory="$part" >&2
    mv "$part/$name-$version.jar" "$jar"
fi
echo "file://$jar"
