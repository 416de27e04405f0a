"""The record of experiments in MLflow: parameters, data version, figures, plot and bundle; aliases champion, challenger.

The folders beside the champion stay the truth: without MLflow, or with its server away, everything else goes on.
Texts never go there. Nothing is sent to MLflow's makers.
"""

import logging
import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model.errors import MissingExtra, StoreUnavailable

NAME = "complaint-triage"
CHAMPION, CHALLENGER = "champion", "challenger"
# a server that is away should hold nobody up for the minutes that MLflow would try
_SETTINGS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
}


@dataclass(frozen=True)
class Record:
    """What is written down of a challenger: `files` go under the names of their folders in the run."""

    bundle: str
    parameters: Mapping[str, Any]
    figures: Mapping[str, float]
    tags: Mapping[str, str]
    files: Mapping[str, Path]


class Registry:
    """An MLflow tracking store.

    Args:
        url: of the server, or `sqlite:///FILE`.
        artifacts: folder for the files of runs where `url` is a SQLite file; a server has its own.

    Raises:
        MissingExtra: MLflow is not installed.
        StoreUnavailable: the store cannot be opened.
    """

    def __init__(self, url: str, artifacts: Path) -> None:
        for name, value in _SETTINGS.items():  # read when MLflow is imported
            os.environ.setdefault(name, value)
        try:
            with _quietly():
                from mlflow.tracking import MlflowClient
        except ImportError as error:
            raise MissingExtra("登记实验需要 MLflow;请运行 pip install 'complaint-triage[registry]'") from error
        for name in ("mlflow", "alembic"):  # both tell of every table that they make
            logging.getLogger(name).setLevel(logging.WARNING)
        if url.startswith("sqlite:///"):
            Path(url.removeprefix("sqlite:///")).absolute().parent.mkdir(parents=True, exist_ok=True)
        with _translated():
            self._client = MlflowClient(url, url)
        self._place = None if url.startswith("http") else artifacts.absolute().as_uri()

    def record(self, record: Record) -> str:
        """Write down a challenger as a run and a version of the registered model.

        Args:
            record: what to write.

        Returns:
            The version.
        """
        with _translated():
            client, run = self._client, self._client.create_run(self._experiment(), run_name=record.bundle)
            number = run.info.run_id
            for name, value in record.parameters.items():
                client.log_param(number, name, value)
            for name, figure in record.figures.items():
                client.log_metric(number, _metric(name), figure)
            for name, tag in record.tags.items():
                client.set_tag(number, name, tag)
            for name, path in record.files.items():
                (client.log_artifacts if path.is_dir() else client.log_artifact)(number, str(path), name)
            client.set_terminated(number)
            self._model()
            tags = {**record.tags, "bundle": record.bundle}
            source = f"{run.info.artifact_uri}/bundle"
            made = client.create_model_version(NAME, source, number, tags=tags)
            client.set_registered_model_alias(NAME, CHALLENGER, made.version)
            return str(made.version)

    def crown(self, bundle: str) -> bool:
        """Move the alias `champion` to a bundle.

        Args:
            bundle: its id.

        Returns:
            False where the registry does not know it; then no version is the champion.
        """
        with _translated():
            self._model()
            versions = self._client.search_model_versions(f"name = '{NAME}'")
            found = next((version.version for version in versions if version.tags.get("bundle") == bundle), None)
            aliases = self._client.get_registered_model(NAME).aliases
            if found is not None:
                self._client.set_registered_model_alias(NAME, CHAMPION, found)
                if str(aliases.get(CHALLENGER)) == str(found):
                    self._client.delete_registered_model_alias(NAME, CHALLENGER)
            elif CHAMPION in aliases:
                self._client.delete_registered_model_alias(NAME, CHAMPION)
            return found is not None

    def aliases(self) -> dict[str, str]:
        """Which bundle bears which alias.

        Returns:
            Bundle ids by alias.
        """
        with _translated():
            self._model()
            found = self._client.get_registered_model(NAME).aliases
            versions = {alias: self._client.get_model_version(NAME, version) for alias, version in found.items()}
            return {alias: str(version.tags["bundle"]) for alias, version in versions.items()}

    def _experiment(self) -> str:
        found = self._client.get_experiment_by_name(NAME)
        return str(found.experiment_id if found else self._client.create_experiment(NAME, self._place))

    def _model(self) -> None:
        if not self._client.search_registered_models(f"name = '{NAME}'"):
            self._client.create_registered_model(NAME)


@contextmanager
def _translated() -> Iterator[None]:
    """MLflow's errors, and those of the network under it, as one of ours."""
    from mlflow.exceptions import MlflowException

    try:
        with _quietly():
            yield
    except (MlflowException, OSError) as error:
        raise StoreUnavailable(f"MLflow 无法使用({type(error).__name__});请检查 MLFLOW_TRACKING_URI") from error


@contextmanager
def _quietly() -> Iterator[None]:
    """MLflow uses what SQLAlchemy 2.1 calls outdated, and would say so with every command."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _metric(name: str) -> str:
    """MLflow allows no other characters."""
    return "".join(character if character.isalnum() or character in "_-./ " else "." for character in name)
