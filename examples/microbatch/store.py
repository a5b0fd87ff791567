# SPDX-License-Identifier: MIT
"""Where batches wait and insights lie: a directory, or a bucket. The names are the same in both, below the stage."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from common.state import DirectoryStates, ObjectStates, States


class Store(States, Protocol):
    def names(self, prefix: str) -> list[str]:
        """Those right below the prefix, without it, in order."""

    def start_of(self, name: str, most: int) -> bytes | None:
        """Up to so many bytes of what may be far larger."""

    def move(self, name: str, to: str) -> None:
        """Nothing, where somebody else has moved it."""


class Directory(DirectoryStates):
    def names(self, prefix: str) -> list[str]:
        folder = self.path / prefix
        return sorted(path.name for path in folder.iterdir() if path.is_file()) if folder.is_dir() else []

    def start_of(self, name: str, most: int) -> bytes | None:
        with contextlib.suppress(FileNotFoundError), open(self.path / name, "rb") as file:
            return file.read(most)
        return None

    def move(self, name: str, to: str) -> None:
        (self.path / to).parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            os.replace(self.path / name, self.path / to)


class Bucket(ObjectStates):
    def names(self, prefix: str) -> list[str]:
        start = self.prefix + prefix
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=start, Delimiter="/")
        return sorted(found["Key"][len(start) :] for page in pages for found in page.get("Contents", []))

    def start_of(self, name: str, most: int) -> bytes | None:
        try:
            found = self.client.get_object(Bucket=self.bucket, Key=self.prefix + name)
        except self.client.exceptions.NoSuchKey:
            return None
        with contextlib.closing(found["Body"]) as body:
            data: bytes = body.read(most)
            return data

    def move(self, name: str, to: str) -> None:
        from botocore.exceptions import ClientError

        source = {"Bucket": self.bucket, "Key": self.prefix + name}
        try:
            self.client.copy_object(Bucket=self.bucket, Key=self.prefix + to, CopySource=source)
        except ClientError as error:
            # InvalidRequest: more than 5 GB, which S3 does not copy in one go; it stays where it is, judged.
            if error.response["Error"]["Code"] not in ("NoSuchKey", "InvalidRequest"):
                raise
            return
        self.client.delete_object(**source)


def opened(stage: str, environment: Mapping[str, str] = os.environ) -> Store:
    """BUCKET, or the directory DATA."""
    if bucket := environment.get("BUCKET"):
        import boto3
        from botocore.config import Config

        client: Any = boto3.client("s3", config=Config(connect_timeout=5, read_timeout=20, retries={"mode": "standard"}))
        return Bucket(client, bucket, f"{stage}/")
    return Directory(Path(environment.get("DATA", "data")) / stage)
