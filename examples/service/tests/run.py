# SPDX-License-Identifier: MIT
"""Runs the tests of this folder and ends with the line `N passed, N failed`."""

import pathlib
import sys
import unittest

here = pathlib.Path(__file__).parent
loader = unittest.TestLoader()
loader.testNamePatterns = [f"*{word}*" for word in sys.argv[1:]] or None
result = unittest.TextTestRunner(sys.stdout, verbosity=2).run(loader.discover(str(here)))
failed = len(result.failures) + len(result.errors)
print(f"{result.testsRun - failed} passed, {failed} failed")
sys.exit(failed > 0 or result.testsRun == 0)
