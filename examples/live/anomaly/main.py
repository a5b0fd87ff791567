# SPDX-License-Identifier: MIT
"""Starts the parts: python -m anomaly.main api."""

from __future__ import annotations

import argparse
import logging

import uvicorn

from anomaly.api import create_app
from anomaly.config import Settings


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m anomaly.main", description="Live metrics with a dashboard.")
    parser.add_argument("part", choices=["all", "api"])
    parser.add_argument("--host", help="where to listen (HOST, 127.0.0.1)")
    parser.add_argument("--port", type=int, help="the port (PORT, 8000); 0: any that is free")
    given = parser.parse_args()
    settings = Settings()
    logging.basicConfig(level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    host, port = given.host or settings.host, settings.port if given.port is None else given.port
    uvicorn.run(create_app(settings), host=host, port=port, access_log=False, log_level=settings.log_level.lower())


if __name__ == "__main__":
    main()
