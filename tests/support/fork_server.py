"""
Starts pytest sessions as forks of a process that has imported everything.

A session as a new process imports for a second before it begins. This process imports once, and each session is a
fork of it: it has a folder, an environment, an output and an exit code of its own, and leaves nothing behind.

Protocol: a request is one line of JSON on standard input, `{"number", "arguments", "folder", "environment", "output",
"seconds"}`. The answer is one line of JSON on standard output, `{"number", "code", "seconds", "cpu_seconds",
"megabytes"}`, with the exit code, the duration, the CPU time and the peak of the memory. Sessions run side by side.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import io
import json
import math
import os
import signal
import sys
import threading
import time
import traceback
from typing import Any, Never

import pytest

#: The exit code of a session that took too long.
TIMED_OUT = 124
#: What sessions import besides the cases.
_IMPORTED = ("--target-url=reference", "--pyargs", "conformance", "-k", "RUN-GET-001", "-q", "-p", "no:cacheprovider")


def serve() -> None:
    """Answer requests until standard input ends."""
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        code = pytest.main(list(_IMPORTED))
    if code:
        sys.exit(f"the session that imports what the others need has failed:\n{printed.getvalue()}")
    gc.collect()
    gc.freeze()
    answers = os.dup(1)
    for line in sys.stdin:
        if not os.fork():
            try:
                os.write(answers, (json.dumps(_answer(json.loads(line))) + "\n").encode())
            finally:
                os._exit(0)
        _reap(os.WNOHANG)
    _reap(0)


def _reap(options: int) -> None:
    """Wait for the processes that waited for a session, so that what sessions cost counts as this process's."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, options)[0]:
            pass


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    started = time.monotonic()
    process = os.fork()
    if not process:
        _become(request)
    _, status, usage = os.wait4(process, 0)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process, signal.SIGKILL)  # what the session started and left
    code = os.waitstatus_to_exitcode(status)
    return {
        "number": request["number"],
        "code": TIMED_OUT if code == -signal.SIGALRM else code,
        "seconds": time.monotonic() - started,
        "cpu_seconds": usage.ru_utime + usage.ru_stime,
        "megabytes": usage.ru_maxrss / 1024,
    }


def _become(request: dict[str, Any]) -> Never:
    """Run the session in this process, and end with it."""
    code = 1
    try:
        _take_on(request)
        code = int(pytest.main())
    except BaseException:  # noqa: BLE001 - a process would print it as well
        traceback.print_exc()
    finally:
        # As at the end of a process, which waits for its threads; a session that never ends is ended by its alarm.
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _take_on(request: dict[str, Any]) -> None:
    """Take on what a new process would begin with."""
    os.setsid()
    signal.alarm(math.ceil(request["seconds"]))
    output = os.open(request["output"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(source, target)
    sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w", errors="backslashreplace")  # noqa: SIM115
    sys.__stdin__, sys.__stdout__, sys.__stderr__ = sys.stdin, sys.stdout, sys.stderr
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["folder"])
    found_first = [each for each in request["environment"].get("PYTHONPATH", "").split(os.pathsep) if each]
    sys.path[:0] = [request["folder"], *found_first]
    sys.argv = ["pytest", *request["arguments"]]


if __name__ == "__main__":
    serve()
