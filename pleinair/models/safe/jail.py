"""A process of its own for a reader: bytes in, bytes out, and nothing else within its reach.

Everywhere: a fresh interpreter (`-I`: no user's modules, no environment), limits on memory, time and open files. On
Linux besides: a seccomp filter, set when everything is imported, after which the process cannot open a file, start a
program, or make a socket (the kernel answers EPERM).
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import os
import platform
import struct
import subprocess
import sys
from pathlib import Path

from .parts import Broken, viewed

TIME_S = 60
MARGIN_BYTES = 512 << 20
_ROOT = Path(__file__).resolve().parents[3]


def call(function: str, data: bytes | Path, most: int, seconds: float = TIME_S) -> bytes:
    """What `function` ("package.module:name", memoryview -> bytes) makes of the data, in a jail.

    most  bytes that may come back

    Broken: what the function raised as Broken, or that it ended otherwise.
    """
    command = [sys.executable, "-I", "-c", _START.format(root=str(_ROOT), function=function, most=most)]
    env = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    env |= {k: os.environ[k] for k in ("SYSTEMROOT", "LD_LIBRARY_PATH") if k in os.environ}
    with contextlib.ExitStack() as stack:
        given = stack.enter_context(open(data, "rb")) if isinstance(data, (str, Path)) else subprocess.PIPE
        child = subprocess.Popen(
            command, stdin=given, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=env, close_fds=True
        )
        try:
            said, _ = child.communicate(None if given is not subprocess.PIPE else data, timeout=seconds)
        except subprocess.TimeoutExpired:
            raise Broken("reading it took longer than any honest file does") from None
        finally:
            if child.poll() is None:
                child.kill()
                child.communicate()
    if said[:1] == b"+" and len(said) <= most + 1:
        return said[1:]
    if said[:1] == b"-":
        raise Broken(said[1:400].decode("utf-8", "replace"))
    raise Broken("its reader ran out of memory or was ended; no honest file does that")


_START = """
import sys
sys.path.insert(0, {root!r})
from pleinair.models.safe import jail
jail.inside({function!r}, {most})
"""


def inside(function: str, most: int) -> None:
    """The child: reads stdin, answers "+" and the bytes, or "-" and why not."""
    module, _, name = function.partition(":")
    work = getattr(importlib.import_module(module), name)
    out = sys.stdout.buffer
    try:
        data = Path("/dev/stdin") if _is_file() else None
        with viewed(data) if data else contextlib.nullcontext(memoryview(sys.stdin.buffer.read())) as view:
            _limit(4 * len(view) + most + MARGIN_BYTES)
            answer = b"+" + work(view)
    except Broken as error:
        answer = b"-" + str(error).encode()
    except (MemoryError, RecursionError):
        answer = b"-it asks for more memory than any honest file does"
    out.write(answer)
    out.flush()
    os._exit(0)


def _is_file() -> bool:
    return os.name == "posix" and os.path.exists("/dev/stdin") and os.path.isfile("/dev/stdin")


def _limit(memory: int) -> None:
    """As tight as this system can. Where it has none of it, the reader itself is what keeps a file harmless."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CPU, (TIME_S, TIME_S))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        if sys.platform == "linux":
            with open("/proc/self/statm", encoding="ascii") as stream:
                mapped = int(stream.read().split()[0]) * resource.getpagesize()
            resource.setrlimit(resource.RLIMIT_AS, (mapped + memory, mapped + memory))
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            _no_new_doors()


# A classic BPF program for seccomp(2): the numbers of calls that open, run or connect, from the kernel's own tables
_FORBIDDEN = {
    # open, creat, socket, connect, clone, fork, vfork, execve, kill, ptrace, openat, execveat, bpf, clone3, openat2 ...
    "x86_64": (0xC000003E, (2, 41, 42, 49, 56, 57, 58, 59, 62, 76, 82, 83, 84, 85, 86, 87, 88, 90, 92, 101, 200, 234,
               257, 259, 263, 264, 265, 266, 310, 311, 321, 322, 323, 424, 425, 426, 435, 437)),
    "aarch64": (0xC00000B7, (33, 34, 35, 36, 37, 38, 45, 53, 56, 117, 129, 130, 131, 198, 200, 203, 220, 221, 270, 271,
                280, 281, 282, 424, 425, 426, 435, 437)),
}  # fmt: skip


def _no_new_doors() -> None:
    """From here on those calls fail with EPERM, in this process and for good."""
    if platform.machine() not in _FORBIDDEN or struct.calcsize("P") != 8:
        return
    arch, calls = _FORBIDDEN[platform.machine()]
    allow, deny, kill = 0x7FFF0000, 0x00050001, 0x80000000
    count = len(calls)
    lines = [(0x20, 0, 0, 4), (0x15, 1, 0, arch), (0x06, 0, 0, kill), (0x20, 0, 0, 0)]
    lines += [(0x35, count + 1, 0, 0x40000000)]  # x32 calls: the same kernel by other numbers
    lines += [(0x15, count - n, 0, number) for n, number in enumerate(calls)]
    lines += [(0x06, 0, 0, allow), (0x06, 0, 0, deny)]
    program = b"".join(struct.pack("<HBBI", *line) for line in lines)
    buffer = ctypes.create_string_buffer(program, len(program))
    head = struct.pack("<HxxxxxxQ", len(lines), ctypes.addressof(buffer))
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl.argtypes = [ctypes.c_int] + [ctypes.c_ulong] * 4
    if libc.prctl(38, 1, 0, 0, 0) == 0:  # PR_SET_NO_NEW_PRIVS
        held = ctypes.create_string_buffer(head, len(head))
        libc.prctl(22, 2, ctypes.addressof(held), 0, 0)  # PR_SET_SECCOMP, SECCOMP_MODE_FILTER
