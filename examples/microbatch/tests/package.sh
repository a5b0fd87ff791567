#!/bin/sh
# SPDX-License-Identifier: MIT
# What needs npm and Go, and is therefore run by hand: Serverless packages a copy of the example offline, cfn-lint finds nothing
# in what CloudFormation gets, actionlint finds nothing in the workflow.
#
#   examples/microbatch/tests/package.sh     from the top of the tree; installs in build/microbatch/package
set -eu
cd "$(dirname "$0")/../../.."
work=${BUILD:-build}/microbatch/package
rm -rf "$work/copy"
mkdir -p "$work/npm" "$work/bin"
work=$(cd "$work" && pwd)
python=$(examples/common/venv.sh "$work/venv" examples/microbatch/requirements.txt)
examples/common/copy.sh microbatch "$work/copy"
(cd "$work/copy" && PYTHON=$python ./package.sh)
[ -x "$work/npm/node_modules/.bin/serverless" ] || {
    echo "package: installing in $work with npm: serverless@3.40.0" >&2
    npm install --prefix "$work/npm" --no-fund --no-audit --silent serverless@3.40.0
}
for stage in dev prod; do
    (cd "$work/copy" && AWS_ACCESS_KEY_ID=none AWS_SECRET_ACCESS_KEY=none SLS_TELEMETRY_DISABLED=1 SLS_NOTIFICATIONS_MODE=off \
        "$work/npm/node_modules/.bin/serverless" package --stage $stage --param account=123456789012)
    echo "package: cfn-lint, $stage"
    [ -x "$work/venv/bin/cfn-lint" ] || "$work/venv/bin/pip" install -q --disable-pip-version-check cfn-lint
    "$work/venv/bin/cfn-lint" "$work/copy/.serverless/cloudformation-template-update-stack.json"
done
[ -x "$work/bin/actionlint" ] || GOBIN=$work/bin go install github.com/rhysd/actionlint/cmd/actionlint@v1.7.12
"$work/bin/actionlint" "$work/copy/.github/workflows/deploy.yml"
echo 'packaged for dev and prod; cfn-lint and actionlint find nothing'
