"""How a server that opens bundles again and again keeps its memory level. Measured: `benchmarks/load.py --minutes`."""

import ctypes
import gc
from contextlib import suppress

_MMAP_THRESHOLD, _ARENA_MAX = -3, -8  # of glibc's mallopt(3)
_LARGE = 1 << 24  # bytes


def settle_allocator() -> None:
    """Let large pieces of memory go straight back to the system when they are freed; call before there are threads.

    glibc otherwise learns from the first bundle that is freed to take such pieces from its pools, of which each thread
    gets one, and these fill with holes. Elsewhere (musl, macOS, Windows) nothing is done.
    """
    with suppress(OSError, AttributeError):
        libc = ctypes.CDLL("libc.so.6")
        libc.mallopt(_MMAP_THRESHOLD, _LARGE)
        libc.mallopt(_ARENA_MAX, 2)


def give_back() -> None:
    """Return freed memory to the system, what lies between things in use too.

    A server grew by half over a dozen reloads under load although nothing of a former pipeline was alive.
    """
    gc.collect()
    with suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").malloc_trim(0)
