"""The pretrained encoder as it comes, with a logistic regression on its vectors; needs the extra `train`."""

import tempfile
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from model.document import read
from model.encoder import encoder_text
from model.errors import InvalidLabels, MissingExtra
from model.ticket import LabelledTicket, Ticket
from training.pretrained import open_encoder, pretrained
from training.split import author_folds, author_of

_STRENGTHS = (0.003, 0.01, 0.03, 0.1)
_FOLDS = 3
_BATCH = 32
_TOKENS = 512


def frozen_leaves(train: Sequence[LabelledTicket], asked: Sequence[LabelledTicket]) -> list[str]:
    """Learn leaves from some tickets and propose them for others.

    Args:
        train: labelled tickets, at least two leaves and two authors.
        asked: n tickets.

    Returns:
        n leaves.

    Raises:
        MissingExtra: torch, transformers or the packaged encoder is not installed.
        InvalidLabels: one author only, so that no strength can be chosen.
    """
    if len({author_of(ticket) for ticket in train}) < 2:
        raise InvalidLabels("至少要有两位作者的工单(--train)", [])
    documents = [read(Ticket(ticket.text)) for ticket in (*train, *asked)]
    with tempfile.TemporaryDirectory() as folder:
        source = pretrained(None, [document.text for document in documents], Path(folder) / "encoder")
        model, tokenizer = open_encoder(source.folder)
        rows = vectors(model, tokenizer, [encoder_text(document, source.prefix) for document in documents])
    return logistic_leaves(rows, train)


def vectors(model: Any, tokenizer: Any, texts: Sequence[str]) -> NDArray[np.float64]:
    """The mean of each text's last hidden states, of length 1.

    Args:
        model: a transformers encoder.
        tokenizer: its tokenizer.
        texts: n texts; of a long one only the beginning is read.

    Returns:
        Shape (n, hidden).
    """
    torch = _torch()
    order = sorted(range(len(texts)), key=lambda row: len(texts[row]))  # texts of like length: little padding
    found: NDArray[np.float64] = np.zeros((len(texts), model.config.hidden_size))
    for start in range(0, len(order), _BATCH):
        rows = order[start : start + _BATCH]
        batch = tokenizer(
            [texts[row] for row in rows], padding=True, truncation=True, max_length=_TOKENS, return_tensors="pt"
        )
        with torch.no_grad():
            hidden = model(**batch).last_hidden_state
        weights = batch["attention_mask"].unsqueeze(-1)
        found[rows] = torch.nn.functional.normalize((hidden * weights).sum(1) / weights.sum(1)).numpy()
    return found


def logistic_leaves(rows: NDArray[np.float64], train: Sequence[LabelledTicket]) -> list[str]:
    """A logistic regression whose strength is chosen on authors that it did not learn from.

    Args:
        rows: vectors of the training tickets, and below them of those asked.
        train: the training tickets.

    Returns:
        A leaf for each row asked.
    """
    scaled = make_pipeline(StandardScaler(), LogisticRegression(class_weight="balanced", max_iter=1000))
    grid = {"logisticregression__C": _STRENGTHS}
    search = GridSearchCV(scaled, grid, scoring="f1_macro", cv=author_folds(train, _FOLDS))
    search.fit(rows[: len(train)], [ticket.category for ticket in train])
    return [str(leaf) for leaf in search.predict(rows[len(train) :])]


def _torch() -> Any:
    try:
        return import_module("torch")
    except ImportError as error:
        raise MissingExtra("冻结编码器需要 torch:请运行 pip install 'complaint-triage[train]'") from error
