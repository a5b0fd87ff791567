#!/bin/sh
# SPDX-License-Identifier: MIT
# A Kafka broker of one node on loopback, for demonstrations and tests.
#
#   examples/common/kafka.sh                          only brings Kafka, by Maven: once, into $BUILD/kafka-VERSION
#   examples/common/kafka.sh FOLDER PORT CONTROLLER   runs it until it is ended, with its data in FOLDER: start it again with
#                                                     the same three and it has what it had. CONTROLLER: a second port
#
#   BUILD  where Kafka is kept (build, in the root of the repository)
set -eu
KAFKA=3.9.1
build=${BUILD:-$(dirname "$0")/../../build}
jars=$(mkdir -p "$build" && cd "$build" && pwd)/kafka-$KAFKA

fetch() ( # into a folder that gets its name when it is whole, so two may fetch at once
    part=$(mktemp -d "$jars.XXXXXX")
    trap 'rm -rf "$part"' EXIT
    cat >"$part/pom.xml" <<POM
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion><groupId>examples</groupId><artifactId>kafka</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>$KAFKA</version></dependency>
    <dependency><groupId>org.slf4j</groupId><artifactId>slf4j-simple</artifactId><version>1.7.36</version></dependency>
  </dependencies>
</project>
POM
    echo "examples: Maven brings Kafka $KAFKA into $jars" >&2
    mvn -q -B --color never -f "$part/pom.xml" dependency:copy-dependencies -DoutputDirectory="$part/jars" >&2
    [ -d "$jars" ] || mv "$part/jars" "$jars"
)

[ -d "$jars" ] || fetch
[ $# -gt 0 ] || exit 0
folder=$1 port=$2 controller=$3
properties=$folder/kafka.properties
set -- java -Xmx512m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Dorg.slf4j.simpleLogger.defaultLogLevel=warn -cp "$jars/*"
if [ ! -e "$properties" ]; then
    cat >"$properties.new" <<PROPERTIES
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$controller
listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$controller
controller.listener.names=CONTROLLER
log.dirs=$folder/data
offsets.topic.num.partitions=4
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
broker.heartbeat.interval.ms=500
broker.session.timeout.ms=3000
PROPERTIES
    "$@" kafka.tools.StorageTool format -t AAAAAAAAAAAAAAAAAAAAAA -c "$properties.new"
    mv "$properties.new" "$properties"
fi
exec "$@" kafka.Kafka "$properties"
