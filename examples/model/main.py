# SPDX-License-Identifier: MIT
"""`uvicorn main:app`: the service, with the settings of the environment and .env."""

import logging

from inference.api import create_app
from inference.settings import Settings

logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
app = create_app(Settings())
