"""The fine-tuned encoder as it is served: ONNX Runtime and a tokenizer file, never torch.

A ticket becomes windows of tokens, each window a pooled vector, all windows of a ticket one vector (the mean weighed
by tokens, and the maximum, so that a danger told in passing is not averaged away); linear heads read it.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from model.document import AGENT, CUSTOMER, HEADER, Document
from model.text import CLOSE, OPEN

Matrix = NDArray[np.float64]
ONNX, TOKENIZER, HEADS, SETTINGS = "encoder.onnx", "tokenizer.json", "heads.npz", "encoder.json"
NOTICE = "NOTICE"  # of the pretrained encoder's licence; empty where it asks for none
FILES = (ONNX, TOKENIZER, HEADS, SETTINGS, NOTICE)
_SPEAKERS = {CUSTOMER: "客户:", AGENT: "客服:"}
_BRACKETS = str.maketrans({OPEN: "[", CLOSE: "]"})


@dataclass(frozen=True)
class EncoderSettings:
    """How texts become tokens. `prefix` is what the encoder was pretrained with."""

    prefix: str = "query: "
    window: int = 256  # tokens, with the two special ones
    overlap: int = 32  # tokens that two neighbouring windows share
    batch: int = 16  # windows at a time; more of very different lengths only pad


def encoder_text(document: Document, prefix: str) -> str:
    """What the encoder reads of a ticket: how it arrived, then who says what, without relay header.

    Args:
        document: normalised and masked.
        prefix: what the encoder was pretrained with.

    Returns:
        One line.
    """
    speakers = {segment.speaker for segment in document.segments}
    kind = "通话" if CUSTOMER in speakers else "转办" if HEADER in speakers else "记录"
    turns = (
        _SPEAKERS.get(segment.speaker, "") + " ".join(document.text[segment.start : segment.end].split())
        for segment in document.segments
        if segment.speaker != HEADER
    )
    return f"{prefix}{kind} {' '.join(turns)}".translate(_BRACKETS)


def windows(tokens: Sequence[int], settings: EncoderSettings) -> list[list[int]]:
    """Cut a long text's tokens into overlapping windows; none is dropped.

    Args:
        tokens: with the special ones at both ends.
        settings: width and overlap.

    Returns:
        Windows, each with the special tokens at both ends.
    """
    if len(tokens) <= settings.window:
        return [list(tokens)]
    inner, width = list(tokens[1:-1]), settings.window - 2
    starts = range(0, max(1, len(inner) - settings.overlap), width - settings.overlap)
    return [[tokens[0], *inner[start : start + width], tokens[-1]] for start in starts]


class Encoder:
    """The encoder of a bundle.

    Args:
        session: ONNX Runtime session; inputs `input_ids` and `attention_mask`, outputs `mean` and `most` (n, hidden).
        tokenizer: of the `tokenizers` library.
        heads: `leaves`, `cues` (names), `weights` (2·hidden, n_heads), `intercepts`.
        settings: how texts become tokens.
    """

    def __init__(self, session: Any, tokenizer: Any, heads: dict[str, Any], settings: EncoderSettings) -> None:
        self._session, self._tokenizer, self.settings = session, tokenizer, settings
        self.classes_ = np.array([str(name) for name in heads["leaves"]])
        self.cues_ = tuple(str(name) for name in heads["cues"])
        self._weights, self._intercepts = heads["weights"], heads["intercepts"]

    @classmethod
    def load(cls, folder: Path, threads: int = 0) -> Self:
        """Open the files of a bundle; their hashes were checked before.

        Args:
            folder: holds `FILES`.
            threads: of one inference; 0 takes every core.

        Returns:
            The encoder, ready to score.
        """
        import onnxruntime
        from tokenizers import Tokenizer

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        session = onnxruntime.InferenceSession(str(folder / ONNX), options, providers=["CPUExecutionProvider"])
        with np.load(folder / HEADS, allow_pickle=False) as file:
            heads = {name: file[name] for name in file.files}
        settings = EncoderSettings(**json.loads((folder / SETTINGS).read_text(encoding="utf-8")))
        return cls(session, Tokenizer.from_file(str(folder / TOKENIZER)), heads, settings)

    def scores(self, documents: Sequence[Document], *, one_by_one: bool = False) -> tuple[Matrix, Matrix]:
        """Decision values of leaves and cues.

        Args:
            documents: n texts.
            one_by_one: windows never share a batch, so that a result does not depend on its neighbours (int8).

        Returns:
            Leaves (n, n_leaves) in the order of `classes_`, cues (n, n_cues) in the order of `cues_`.
        """
        pooled = self.pooled(documents, one_by_one=one_by_one)
        values = pooled @ self._weights + self._intercepts
        return values[:, : len(self.classes_)], values[:, len(self.classes_) :]

    def pooled(self, documents: Sequence[Document], *, one_by_one: bool = False) -> Matrix:
        """The vectors that the heads read.

        Args:
            documents: n texts.
            one_by_one: as in `scores`.

        Returns:
            Array of shape (n, 2·hidden): mean and maximum over all tokens of a ticket.
        """
        tokens = self.tokens(documents)
        pieces = [(row, window) for row, ids in enumerate(tokens) for window in windows(ids, self.settings)]
        pieces.sort(key=lambda piece: len(piece[1]))
        total = np.zeros((len(documents), 1))
        mean = most = np.zeros((len(documents), 0))
        for batch in _batches(pieces, 1 if one_by_one else self.settings.batch):
            rows = [row for row, _ in batch]
            part_mean, part_most = self._run([window for _, window in batch])
            if not mean.size:
                mean = np.zeros((len(documents), part_mean.shape[1]))
                most = np.full_like(mean, -np.inf)
            length = np.array([[len(window)] for _, window in batch], np.float64)
            np.add.at(mean, rows, part_mean * length)
            np.add.at(total, rows, length)
            np.maximum.at(most, rows, part_most)
        return np.hstack([mean / np.maximum(total, 1), most])

    def tokens(self, documents: Sequence[Document]) -> list[list[int]]:
        """Token ids with the special ones at both ends.

        Args:
            documents: n texts.

        Returns:
            n lists.
        """
        texts = [encoder_text(document, self.settings.prefix) for document in documents]
        return [encoding.ids for encoding in self._tokenizer.encode_batch(texts)]

    def _run(self, batch: Sequence[Sequence[int]]) -> tuple[Matrix, Matrix]:
        ids = np.zeros((len(batch), max(map(len, batch))), np.int64)
        mask = np.zeros_like(ids)
        for row, window in enumerate(batch):
            ids[row, : len(window)] = window
            mask[row, : len(window)] = 1
        mean, most = self._session.run(["mean", "most"], {"input_ids": ids, "attention_mask": mask})
        return np.asarray(mean, np.float64), np.asarray(most, np.float64)


def _batches(pieces: list[tuple[int, list[int]]], size: int) -> Iterator[list[tuple[int, list[int]]]]:
    for start in range(0, len(pieces), size):
        yield pieces[start : start + size]
