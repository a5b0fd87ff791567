# SPDX-License-Identifier: MIT
"""The extension module: CFFI's, with the declarations out of the preprocessed anomaly.h, and the library compiled in.

Where the library comes from: core/ beside this file (an sdist has it), else the source tree this lies in. With
LIBANOMALY_SYSTEM=1 in the environment: the installed one that pkg-config finds, linked dynamically.
"""

import os
import re
import shlex
import subprocess
import sysconfig
from pathlib import Path

import cffi

HERE = Path(__file__).resolve().parent
PACKAGE = HERE / "src" / "libanomaly"
CORE = HERE / "core" if (HERE / "core").is_dir() else HERE.parent.parent
SYSTEM = os.environ.get("LIBANOMALY_SYSTEM", "0") not in ("", "0")
# What the library's results depend on, as in the Makefile. ANOMALY_API is empty, so that nothing is exported: another
# libanomaly in the process and this one do not meet.
FLAGS = ["-std=c11", "-O3", "-fvisibility=hidden", "-g0"]
LIBRARY_FLAGS = [*FLAGS, "-D_POSIX_C_SOURCE=200809L", "-DANOMALY_API=", "-ffp-contract=off", "-fno-math-errno"]


def pkg_config(what):
    command = [os.environ.get("PKG_CONFIG", "pkg-config"), what, "libanomaly"]
    return shlex.split(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def includes():
    if SYSTEM:
        return [flag[2:] for flag in pkg_config("--cflags-only-I")] or ["/usr/include"]
    return [str(CORE / "include")]


def header():
    for directory in includes():
        if (Path(directory) / "anomaly.h").exists():
            return Path(directory) / "anomaly.h"
    raise FileNotFoundError(f"anomaly.h is not in {', '.join(includes())}")


def preprocess(path, *flags):
    compiler = shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc")
    command = [*compiler, "-E", "-P", "-DANOMALY_CDEF", "-DANOMALY_API=", "-I", str(header().parent), *flags, str(path)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def constants():
    """The header's #defines that are numbers; the preprocessor takes them out of the declarations."""
    names = re.findall(r"^#define (ANOMALY_[A-Z_]+) .", preprocess(header(), "-dM"), re.MULTILINE)
    return "".join(f"#define {name} ...\n" for name in sorted(set(names) - {"ANOMALY_CDEF", "ANOMALY_API"}))


def library_sources():
    return [] if SYSTEM else [str(path) for path in sorted((CORE / "lib").rglob("*.c"))]


def linking():
    """Keyword arguments of the extension that say where the library is."""
    if not SYSTEM:
        return {"libraries": ["m"], "define_macros": [("ANOMALY_API", "")]}
    flags = pkg_config("--libs")
    directories = [flag[2:] for flag in flags if flag.startswith("-L")]
    return {
        "libraries": [*(flag[2:] for flag in flags if flag.startswith("-l")), "m"],
        "library_dirs": directories,
        "runtime_library_dirs": directories,
        "define_macros": [],
    }


def builder():
    ffi = cffi.FFI()
    ffi.cdef(constants() + preprocess(PACKAGE / "_calls.h"))
    ffi.cdef('extern "Python" int libanomaly_write(void *ctx, const void *bytes, size_t size);')
    ffi.cdef('extern "Python" int libanomaly_read(void *ctx, void *bytes, size_t size, size_t *got);')
    settings = linking()
    abi3 = not sysconfig.get_config_var("Py_GIL_DISABLED")
    if abi3:
        settings["define_macros"] += [("Py_LIMITED_API", "0x03090000")]
    ffi.set_source(
        "libanomaly._cffi",
        '#include "_calls.h"',
        sources=[f"src/libanomaly/{name}.c" for name in ("_events", "_calls")],
        extra_compile_args=FLAGS,
        include_dirs=[*includes(), str(PACKAGE)],
        py_limited_api=abi3,
        **settings,
    )
    return ffi


ffi = builder()
