"""Ours beside the peers: on our samples the product itself, on other labels the parts of it that know no policy."""

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import joblib
import numpy as np
from numpy.typing import NDArray
from peer_models import Effort, Found
from peer_tasks import Side
from scipy.optimize import minimize
from scipy.special import softmax
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split

from model.bundle import load_bundle
from model.document import Document, read
from model.encoder import Encoder, encoder_text
from model.labels import text_hash
from model.linear import LinearClassifier
from model.pipeline import Pipeline
from model.policy import load_policy
from model.taxonomy import FLAGS
from model.ticket import Ticket
from training.fit import FitSettings, fit_bundle

_BATCH = 256
_WEIGHED = 0.2  # share of the training rows that the encoder does not learn from, so that they can weigh it
Matrix = NDArray[Any]


class Product:
    """A bundle in the pipeline that is served: normalise, mask, rules, classifier, flags, route.

    Args:
        effort: layers, epochs and folds of the cascade.
        cascade: with the encoder.
        bundle: a cascade that was trained before; it must never have seen a row to predict.
    """

    def __init__(self, effort: Effort, *, cascade: bool, bundle: Path | None = None) -> None:
        self.effort, self.cascade, self.bundle = effort, cascade, bundle

    def prepare(self, train: Side, work: Path) -> None:  # noqa: ARG002 - as of every peer
        """Where to train, and what is slow to import."""
        self.folder, self.work = self.bundle or work / "bundle", work
        if self.cascade:
            import training.fit_cascade  # noqa: F401

    def fit(self, train: Side) -> None:
        """Learn, unless a bundle was given."""
        policy, settings = load_policy(), FitSettings()
        if self.bundle is None and not self.cascade:
            fit_bundle(train.tickets, policy, self.folder, settings)
        elif self.bundle is None:
            from training.finetune import FinetuneSettings
            from training.fit_cascade import CascadeSettings, fit_cascade

            tuning = replace(FinetuneSettings(), layers=self.effort.own_layers, epochs=self.effort.own_epochs)
            whole = CascadeSettings(settings, tuning, folds=self.effort.folds)
            fit_cascade(train.tickets, policy, self.folder, self.work / "run", whole)
        opened = load_bundle(self.folder)
        self.rows = dict(opened.manifest["data"]["rows"])
        self.pipeline = Pipeline(opened.policy, opened)
        self.pipeline.warm()

    def predict(self, texts: Sequence[str]) -> Found:
        """Leaf and flags."""
        starts = range(0, len(texts), _BATCH)
        found = [p for s in starts for p in self.pipeline.predict([Ticket(text) for text in texts[s : s + _BATCH]])]
        flags = {name: [prediction.flags[name].raised for prediction in found] for name in FLAGS}
        return Found([prediction.category.code for prediction in found], flags)

    def save(self, folder: Path) -> None:
        """The bundle."""
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)

    def learned(self, train: Side, test: Side) -> str:
        """What a bundle that was given has learned from.

        Args:
            train: the rows that peers learn from.
            test: the rows to predict.

        Returns:
            Empty where it learned from the same rows, else a remark.

        Raises:
            ValueError: it has seen a row to predict.
        """
        seen, rows = set(self.rows.values()), {text_hash(ticket.text)[:16] for ticket in train.tickets}
        if seen & {text_hash(ticket.text)[:16] for ticket in test.tickets}:
            raise ValueError("the bundle has seen rows that it is to predict")
        return (
            "" if seen == rows else f"learned from {len(seen)} rows, {len(seen & rows)} of the {len(rows)} of the peers"
        )


class Parts:
    """The linear classifier on any labels, and beside it the fine-tuned encoder: no rules, no flags, no calibration.

    Args:
        effort: layers and epochs of the encoder.
        encoder: with the encoder.
    """

    def __init__(self, effort: Effort, *, encoder: bool) -> None:
        self.effort, self.with_encoder = effort, encoder

    def prepare(self, train: Side, work: Path) -> None:
        """Get the encoder."""
        self.work = work
        if self.with_encoder:
            import training.finetune  # noqa: F401 - slow to import
            from training.pretrained import pretrained

            self.source = pretrained(None, train.texts, work / "pretrained", layers=self.effort.own_layers)

    def fit(self, train: Side) -> None:
        """Learn; the encoder from four fifths, and the last fifth weighs both."""
        documents, leaves = _read(train.texts), list(train.leaves)
        if self.with_encoder:
            rows, rest = train_test_split(np.arange(len(leaves)), test_size=_WEIGHED, random_state=0, stratify=leaves)
            most = _linear([documents[r] for r in rows], [leaves[r] for r in rows])
            self.encoder = self._tuned([documents[r] for r in rows], [leaves[r] for r in rows], list(most.classes_))
            self.linear, self.shares = most, np.ones(2)
            self.shares = _shares(*self._views([documents[r] for r in rest]), [leaves[r] for r in rest], most.classes_)
        self.linear = _linear(documents, leaves)

    def predict(self, texts: Sequence[str]) -> Found:
        """Leaves only."""
        documents = _read(texts)
        if not self.with_encoder:
            return Found([str(leaf) for leaf in self.linear.predict([document.text for document in documents])])
        linear, encoder = self._views(documents)
        best = (self.shares[0] * linear + self.shares[1] * encoder).argmax(1)
        return Found([str(self.linear.classes_[number]) for number in best])

    def save(self, folder: Path) -> None:
        """As in a bundle."""
        joblib.dump(self.linear.state(), folder / "linear.joblib")
        if self.with_encoder:
            shutil.copytree(self.work / "served", folder, dirs_exist_ok=True)

    def _views(self, documents: Sequence[Document]) -> tuple[Matrix, Matrix]:
        """Decision values of both, (n, n_leaves) each, in the same order."""
        return self.linear.logits([document.text for document in documents])[0], self.encoder.scores(documents)[0]

    def _tuned(self, documents: Sequence[Document], leaves: Sequence[str], codes: Sequence[str]) -> Encoder:
        from training.export import export
        from training.finetune import Examples, FinetuneSettings, finetune
        from training.pretrained import open_encoder

        settings = replace(FinetuneSettings(), layers=self.effort.own_layers, epochs=self.effort.own_epochs)
        model, tokenizer = open_encoder(self.source.folder)
        texts = [encoder_text(document, settings.text.prefix) for document in documents]
        tokens = tokenizer(texts, add_special_tokens=True, truncation=False)["input_ids"]
        truth = np.array([codes.index(leaf) for leaf in leaves], np.int64)
        learn = Examples(tokens, truth, np.zeros((len(truth), 0), np.float32))  # no cues
        tuned = finetune(model, learn, None, [0] * len(codes), self.work / "run", settings)
        export(tuned, self.source.folder, codes, (), self.work / "served", settings)
        return Encoder.load(self.work / "served")


def _read(texts: Sequence[str]) -> list[Document]:
    return [read(Ticket(text)) for text in texts]


def _linear(documents: Sequence[Document], leaves: Sequence[str]) -> LinearClassifier:
    settings = FitSettings()
    classifier = LinearClassifier(
        load_policy().dictionary,
        regularisation=settings.regularisation,
        max_ngram=settings.max_ngram,
        seed=settings.seed,
    )
    return classifier.fit([document.text for document in documents], leaves)


def _shares(linear: Matrix, encoder: Matrix, leaves: Sequence[str], codes: Sequence[str]) -> Matrix:
    """Weights of both decision values with the least log loss."""
    truth = [list(codes).index(leaf) for leaf in leaves]

    def loss(weights: Matrix) -> float:
        likely = softmax(weights[0] * linear + weights[1] * encoder, axis=1)
        return float(log_loss(truth, likely, labels=list(range(len(codes)))))

    return np.asarray(minimize(loss, np.array([2.5, 0.5]), method="L-BFGS-B", bounds=[(0.0, 10.0)] * 2).x)
