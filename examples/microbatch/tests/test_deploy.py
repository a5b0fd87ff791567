# SPDX-License-Identifier: MIT
"""What cannot run here is checked as files: the policies against what the handler calls, the workflow, the container."""

import fnmatch
import json
import os
import pathlib
import subprocess
import sys

import boto3
import pytest
import yaml

from conftest import EXAMPLE
from handler import wake
from judge import Settings
from test_handler import flagged, in_batches

BIN = pathlib.Path(sys.executable).parent
BUCKET = "arn:aws:s3:::libanomaly-microbatch-dev-123456789012"


def command(*words):
    told = subprocess.run([BIN / words[0], *words[1:]], cwd=EXAMPLE, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stdout + told.stderr


def serverless():
    """serverless.yml with its variables filled in, for dev."""
    text = (EXAMPLE / "serverless.yml").read_text()
    for name, value in {
        "${self:custom.prefix}": BUCKET + "/dev",
        "${self:custom.bucketArn}": BUCKET,
        "${self:custom.bucket}": BUCKET.split(":")[-1],
        "${self:service}": "libanomaly-microbatch",
        "${sls:stage}": "dev",
        "${param:account, aws:accountId}": "123456789012",
    }.items():
        text = text.replace(name, value)
    return yaml.safe_load(text)


def pairs(statements):
    """Each action with each resource."""
    for one in statements:
        actions, resources = ([found] if isinstance(found, str) else found for found in (one["Action"], one["Resource"]))
        yield from ((action, resource) for action in actions for resource in resources)


def calls(bucket):
    """What the handler asks of S3 while it works, as actions and resources."""
    found = set()
    actions = {"GetObject": ["s3:GetObject"], "PutObject": ["s3:PutObject"], "DeleteObject": ["s3:DeleteObject"],
               "ListObjectsV2": ["s3:ListBucket"], "CopyObject": ["s3:PutObject"]}  # fmt: skip

    def note(params, model, **_):
        key = params.get("Key")
        for action in actions[model.name]:
            found.add((action, BUCKET if key is None else f"{BUCKET}/{key}"))
        if model.name == "CopyObject":
            found.add(("s3:GetObject", f"{BUCKET}/{params['CopySource']['Key']}"))

    bucket.client.meta.events.register("provide-client-params.s3", note)
    wake(bucket, Settings())
    return found


def test_the_handler_may_do_what_it_does_and_nothing_else(bucket):
    in_batches(bucket)
    done = calls(bucket)
    assert flagged(bucket) == list(range(298, 318))
    allowed = list(pairs(serverless()["provider"]["iam"]["role"]["statements"]))

    def covered(action, resource):
        return [pair for pair in allowed if pair[0] == action and fnmatch.fnmatchcase(resource, pair[1])]

    assert [one for one in done if not covered(*one)] == []
    assert set(allowed) == {pair for one in done for pair in covered(*one)}, "allowed, and not needed"


def test_the_policy_of_the_bucket_is_taken_and_shows_the_page_and_the_insights_only(bucket):
    resources = serverless()["resources"]["Resources"]
    document = resources["BucketPolicy"]["Properties"]["PolicyDocument"]
    client = boto3.client("s3")
    client.put_bucket_policy(Bucket=bucket.bucket, Policy=json.dumps(document))
    assert json.loads(client.get_bucket_policy(Bucket=bucket.bucket)["Policy"]) == document
    allowed = [one for one in document["Statement"] if one["Effect"] == "Allow"]
    assert set(pairs(allowed)) == {("s3:GetObject", f"{BUCKET}/dev/{part}/*") for part in ("page", "insights")}
    assert all(one["Condition"] for one in allowed)
    assert set(resources["Bucket"]["Properties"]["PublicAccessBlockConfiguration"].values()) == {True}


def test_the_clock_is_a_rule_that_is_taken(moto, bucket):
    (event,) = serverless()["functions"]["detect"]["events"]
    rules = boto3.client("events")
    rules.put_rule(Name="clock", ScheduleExpression=event["schedule"]["rate"])
    assert rules.describe_rule(Name="clock")["ScheduleExpression"] == "rate(1 minute)"


@pytest.mark.parametrize("stage", ["dev", "staging", "prod"])
def test_settings_of_the_template_are_settings(stage):
    environment = serverless()["provider"]["environment"]
    assert Settings.of({**environment, "STAGE": stage}) == Settings(stage=stage)


def test_nothing_is_deployed_unless_the_tests_pass():
    jobs = yaml.safe_load((EXAMPLE / ".github/workflows/deploy.yml").read_text())["jobs"]
    assert [name for name, job in jobs.items() if name != "test" and job["needs"] != "test"] == []
    assert any(step.get("run") == "python -m pytest test_handler.py" for step in jobs["test"]["steps"])


def test_the_gate_closes_on_a_test_that_fails(tmp_path):
    """As the workflow runs them, with a handler that flags nothing."""
    for path in [*EXAMPLE.glob("*.py")]:
        (tmp_path / path.name).write_text(path.read_text().replace('"side": "upper"', '"side": "lower"'))
    told = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_handler.py", "-k", "attack_is_flagged"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(EXAMPLE.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 1, told.stdout + told.stderr


def test_the_workflow_has_no_weakness_that_zizmor_knows():
    command("zizmor", "--offline", "--no-progress", ".github/workflows/deploy.yml")


def test_workflow_and_container_are_well_formed():
    command("check-jsonschema", "--builtin-schema", "vendor.github-workflows", ".github/workflows/deploy.yml")
    command("check-jsonschema", "--builtin-schema", "vendor.compose-spec", "compose.yml")
    command("hadolint", "--ignore", "DL3008", "Dockerfile")


def test_the_resources_are_what_cloudformation_takes(tmp_path):
    """Beside a Lambda function, which Serverless adds (package.sh lints the whole)."""
    template = {"AWSTemplateFormatVersion": "2010-09-09", **serverless()["resources"]}
    template["Resources"]["DetectLambdaFunction"] = {
        "Type": "AWS::Lambda::Function",
        "Properties": {
            "Role": "arn:aws:iam::123456789012:role/any",
            "Code": {"S3Bucket": "any-bucket", "S3Key": "any"},
            "Handler": "handler.handler",
            "Runtime": serverless()["provider"]["runtime"],
        },
    }
    (tmp_path / "template.json").write_text(json.dumps(template))
    command("cfn-lint", tmp_path / "template.json")
