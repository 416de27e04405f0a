"""Read a joblib file without importing or calling anything that is not on a short list.

Arrays of Python objects are refused, since joblib would unpickle their content past `find_class`.
"""

from pathlib import Path
from typing import Any

import joblib
import numpy as np
from joblib.numpy_pickle import NumpyArrayWrapper, NumpyUnpickler

from model.errors import BundleRefused

_ALLOWED = frozenset({
    ("numpy", "dtype"),
    ("numpy", "ndarray"),
    ("numpy", "float64"),
    ("numpy", "int64"),
    ("numpy", "bool"),
    ("numpy._core.multiarray", "scalar"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy", "float32"),
})  # fmt: skip


class _PlainArray(NumpyArrayWrapper):  # type: ignore[misc]  # joblib is untyped
    """An array of numbers or strings; one of objects is refused."""

    def read(self, unpickler: Any, ensure_native_byte_order: bool) -> Any:
        """Read the array that follows in the stream.

        Args:
            unpickler: the reader.
            ensure_native_byte_order: swap bytes where needed.

        Returns:
            The array.

        Raises:
            BundleRefused: the array holds Python objects.
        """
        if self.dtype.hasobject:
            raise BundleRefused("模型包被拒绝:joblib 文件含有 Python 对象数组;请用 triage train 重新生成")
        return super().read(unpickler, ensure_native_byte_order)


class _AllowList(NumpyUnpickler):  # type: ignore[misc]  # joblib is untyped
    """An unpickler that knows only the types a linear bundle needs."""

    def find_class(self, module: str, name: str) -> Any:
        """Resolve a type.

        Args:
            module: where the file says it lives.
            name: its name.

        Returns:
            The type.

        Raises:
            BundleRefused: it is not on the list; it was neither imported nor called.
        """
        if (module, name) == ("joblib.numpy_pickle", "NumpyArrayWrapper"):
            return _PlainArray
        if (module, name) not in _ALLOWED:
            raise BundleRefused(f"模型包被拒绝:joblib 文件含有不允许的类型 {module}.{name};请用 triage train 重新生成")
        return super().find_class(module, name)


def dump(value: Any, path: Path) -> None:
    """Write what `load` reads; arrays that are mapped from a file are written as plain ones.

    Args:
        value: mappings, sequences, arrays and numbers.
        path: the file.
    """
    joblib.dump(_owned(value), path)


def _owned(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _owned(item) for name, item in value.items()}
    return np.array(value) if isinstance(value, np.memmap) else value


def load(path: Path, *, mapped: bool = False) -> Any:
    """Read a joblib file that `joblib.dump` wrote uncompressed.

    Args:
        path: the file; its hash was checked before.
        mapped: arrays stay in the file, mapped read-only, so that processes share them; it must never be written over.

    Returns:
        The object.

    Raises:
        BundleRefused: a foreign type, or not a joblib file.
    """
    with path.open("rb") as file:
        try:
            mode = {"ensure_native_byte_order": False, "mmap_mode": "r"} if mapped else {"ensure_native_byte_order": True}
            return _AllowList(str(path), file, **mode).load()
        except BundleRefused:
            raise
        except Exception as error:
            raise BundleRefused(f"模型包被拒绝:{path.name} 不是可读的 joblib 文件;请重新复制或训练") from error
