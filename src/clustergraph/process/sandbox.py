"""What a query worker may not do: reach out, start programs, outlive its parent, fill memory.

Linux only. The filter is a classic BPF program for seccomp(2): system calls that open sockets or
run programs answer EPERM. The engine has no such switch: it calls out on SERVICE.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import resource
import signal
from pathlib import Path

_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _SECCOMP_MODE_FILTER = 1, 38, 22, 2
_LOAD, _JUMP_EQUAL, _JUMP_AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_ALLOW, _DENY = 0x7FFF0000, 0x00050000 | errno.EPERM
_NUMBER_AT, _ARCHITECTURE_AT = 0, 4  # offsets in struct seccomp_data
_X32 = 0x40000000

# socket connect socketpair execve execveat fork vfork ptrace io_uring_setup
_X86_64 = (0xC000003E, (41, 42, 53, 59, 322, 57, 58, 101, 425))
# socket connect socketpair execve execveat ptrace io_uring_setup; it has no fork and vfork
_AARCH64 = (0xC00000B7, (198, 203, 199, 221, 281, 117, 425))
_ARCHITECTURES = {"x86_64": _X86_64, "aarch64": _AARCH64}


class _Instruction(ctypes.Structure):
    _fields_ = (
        ("code", ctypes.c_ushort),
        ("true", ctypes.c_ubyte),
        ("false", ctypes.c_ubyte),
        ("value", ctypes.c_uint32),
    )


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.POINTER(_Instruction)))


def is_supported() -> bool:
    """Whether this machine can confine a worker."""
    return platform.system() == "Linux" and platform.machine() in _ARCHITECTURES


def die_with_parent() -> None:
    """Be killed when the process (more exactly, the thread) that forked us ends."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def forbid_network_and_programs() -> None:
    """From here on, no socket can be opened and no program run, by this thread and its children.

    Raises:
        OSError: the kernel refuses the filter.
        RuntimeError: this machine's architecture has no filter here.
    """
    if not is_supported():
        raise RuntimeError(f"no seccomp filter for {platform.system()} {platform.machine()}")
    architecture, denied = _ARCHITECTURES[platform.machine()]
    last = len(denied) + 1
    code = [
        (_LOAD, 0, 0, _ARCHITECTURE_AT),
        (_JUMP_EQUAL, 1, 0, architecture),
        (_RETURN, 0, 0, _DENY),
        (_LOAD, 0, 0, _NUMBER_AT),
        (_JUMP_AT_LEAST, last, 0, _X32),
        *((_JUMP_EQUAL, last - 1 - index, 0, number) for index, number in enumerate(denied)),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _DENY),
    ]
    instructions = (_Instruction * len(code))(*(_Instruction(*each) for each in code))
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    program = _Program(len(code), instructions)
    _prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(program))


def limit_memory(budget: int) -> None:
    """Let this process take ``budget`` bytes of address space more than it has now."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    limit = pages * os.sysconf("SC_PAGE_SIZE") + budget
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def limit_files(size: int) -> None:
    """Let no file that this process writes grow beyond ``size`` bytes."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # the write fails instead
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def _prctl(option: int, *arguments: object) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    padded = (*arguments, 0, 0, 0, 0)[:4]
    if libc.prctl(option, *padded) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
