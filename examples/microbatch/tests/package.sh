#!/bin/sh
# SPDX-License-Identifier: MIT
# What needs npm and Go, and is therefore run by hand: Serverless packages a copy of the example offline, cfn-lint finds nothing
# in what CloudFormation gets, actionlint finds nothing in the workflow.
#
#   examples/microbatch/tests/package.sh     from anywhere; installs in build/microbatch, and says what
set -eu
cd "$(dirname "$0")/../../.."
build=$(mkdir -p "${BUILD:-build}/microbatch" && cd "${BUILD:-build}/microbatch" && pwd)
work=$build/package serverless=serverless@3.40.0 actionlint=github.com/rhysd/actionlint/cmd/actionlint@v1.7.12
for program in npm go; do
    command -v $program >/dev/null || { echo "package: there is no $program" >&2 && exit 2; }
done
python=$(examples/common/venv.sh "$build/venv" examples/microbatch/requirements.txt examples/microbatch/tests/requirements.txt)
rm -rf "$work/copy"
mkdir -p "$work/npm"
[ -x "$work/npm/node_modules/.bin/serverless" ] || {
    echo "package: installing in $work with npm: $serverless" >&2
    npm install --prefix "$work/npm" --no-fund --no-audit --silent $serverless
}
[ -x "$work/bin/actionlint" ] || {
    echo "package: installing in $work with go: $actionlint" >&2
    GOBIN=$work/bin go install $actionlint
}

examples/common/copy.sh microbatch "$work/copy"
cd "$work/copy"
PYTHON=$python ./package.sh
export SLS_TELEMETRY_DISABLED=1 SLS_NOTIFICATIONS_MODE=off AWS_ACCESS_KEY_ID=none AWS_SECRET_ACCESS_KEY=none
for stage in dev staging prod; do
    "$work/npm/node_modules/.bin/serverless" package --stage $stage --param account=123456789012
    echo "package: cfn-lint, $stage"
    "$build/venv/bin/cfn-lint" .serverless/cloudformation-template-update-stack.json
done
for file in handler.py judge.py batch.py store.py common/__init__.py common/state.py vendor/libanomaly/__init__.py; do
    "$python" -m zipfile -l .serverless/detect.zip | grep "^$file " >/dev/null || { echo "package: $file is not in detect.zip" >&2 && exit 1; }
done
"$work/bin/actionlint" .github/workflows/deploy.yml
echo 'packaged for dev, staging and prod; cfn-lint and actionlint find nothing'
