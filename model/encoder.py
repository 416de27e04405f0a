"""The fine-tuned encoder as it is served: ONNX Runtime and a tokenizer file, never torch.

A ticket becomes windows of tokens, each window a pooled vector, all windows of a ticket one vector (the mean weighed
by tokens, and the maximum, so that a danger told in passing is not averaged away); linear heads read it.
"""

import json
import os
from collections.abc import Sequence
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


def usable_cores() -> int:
    """Cores that this process may use, which may be fewer than the machine has.

    Returns:
        At least 1.
    """
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


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
            threads: of one inference; 0 takes every core that this process may use.

        Returns:
            The encoder, ready to score.
        """
        import onnxruntime
        from tokenizers import Tokenizer

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or usable_cores()
        options.log_severity_level = 3
        session = onnxruntime.InferenceSession(str(folder / ONNX), options, providers=["CPUExecutionProvider"])
        with np.load(folder / HEADS, allow_pickle=False) as file:
            heads = {name: file[name] for name in file.files}
        settings = EncoderSettings(**json.loads((folder / SETTINGS).read_text(encoding="utf-8")))
        return cls(session, Tokenizer.from_file(str(folder / TOKENIZER)), heads, settings)

    def scores(self, documents: Sequence[Document]) -> tuple[Matrix, Matrix]:
        """Decision values of leaves and cues.

        Args:
            documents: n texts.

        Returns:
            Leaves (n, n_leaves) in the order of `classes_`, cues (n, n_cues) in the order of `cues_`.
        """
        pooled = self.pooled(documents)
        values = pooled @ self._weights + self._intercepts
        return values[:, : len(self.classes_)], values[:, len(self.classes_) :]

    def pooled(self, documents: Sequence[Document]) -> Matrix:
        """The vectors that the heads read.

        Args:
            documents: n texts.

        Returns:
            Array of shape (n, 2·hidden): mean and maximum over all tokens of a ticket.
        """
        found = np.empty((len(documents), len(self._weights)))
        for row, tokens in enumerate(self.tokens(documents)):
            found[row] = self._of_ticket(windows(tokens, self.settings))
        return found

    def _of_ticket(self, cut: Sequence[Sequence[int]]) -> Matrix:
        """One window at a time: padding costs what a batch saves, and int8 results never depend on neighbours."""
        parts = [self._run(window) for window in cut]
        mean = np.average([mean for mean, _ in parts], axis=0, weights=[len(window) for window in cut])
        return np.concatenate([mean, np.max([most for _, most in parts], axis=0)])

    def tokens(self, documents: Sequence[Document]) -> list[list[int]]:
        """Token ids with the special ones at both ends.

        Args:
            documents: n texts.

        Returns:
            n lists.
        """
        texts = [encoder_text(document, self.settings.prefix) for document in documents]
        return [encoding.ids for encoding in self._tokenizer.encode_batch(texts)]

    def _run(self, window: Sequence[int]) -> tuple[Matrix, Matrix]:
        ids = np.array([window], np.int64)
        mean, most = self._session.run(["mean", "most"], {"input_ids": ids, "attention_mask": np.ones_like(ids)})
        return np.asarray(mean[0], np.float64), np.asarray(most[0], np.float64)
