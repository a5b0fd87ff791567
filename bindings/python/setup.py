# SPDX-License-Identifier: MIT
"""What pyproject.toml cannot say: the C extension, the version out of anomaly.h, and the library's sources in the sdist."""

import re
import shutil
import sys
import sysconfig
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from setuptools import setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_ext import build_ext
from setuptools.command.sdist import sdist

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import build_cffi  # noqa: E402  (beside this file, which is not on the path in an isolated build)


def version():
    text = build_cffi.header().read_text()
    parts = (re.search(rf"ANOMALY_VERSION_{part} (\d+)", text) for part in ("MAJOR", "MINOR", "PATCH"))
    return ".".join(part.group(1) for part in parts)


class BuildWithLibrary(build_ext):
    """Compiles the library with its own flags, from wherever it lies."""

    def compile_library(self, source):
        include = [str(build_cffi.CORE / part) for part in ("include", "lib")]
        return self.compiler.compile(
            [source], output_dir=self.build_temp, include_dirs=include, extra_postargs=build_cffi.LIBRARY_FLAGS
        )

    def build_extension(self, ext):
        self.force = True  # setuptools does not know what the library is made of
        with ThreadPoolExecutor() as pool:
            for objects in pool.map(self.compile_library, build_cffi.library_sources()):
                ext.extra_objects += objects
        super().build_extension(ext)


class SdistWithLibrary(sdist):
    def make_release_tree(self, base_dir, files):
        super().make_release_tree(base_dir, files)
        for part in ("lib", "include"):
            for source in sorted((build_cffi.CORE / part).rglob("*.[ch]")):
                target = Path(base_dir) / "core" / source.relative_to(build_cffi.CORE)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, target)


class WheelForAll3(bdist_wheel):
    def finalize_options(self):
        if not sysconfig.get_config_var("Py_GIL_DISABLED"):
            self.py_limited_api = "cp39"
        super().finalize_options()


setup(
    version=version(),
    cffi_modules=["build_cffi.py:ffi"],
    cmdclass={"build_ext": BuildWithLibrary, "sdist": SdistWithLibrary, "bdist_wheel": WheelForAll3},
)
