"""Where the reports of `triage report` come from: the store, or a file whose tickets are predicted and not stored."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from model.manifest import FIT_ONE
from model.policy import BUILT_IN, Policy, own_files
from model.rows import read_rows
from serving.events.records import listed
from serving.hotspots.analyse import Background, analyse, history_since, texts_since
from serving.hotspots.analysis import Analysis
from serving.hotspots.daily import daily_from_store
from serving.hotspots.frame import from_records, from_store
from serving.hotspots.options import By, Options
from serving.hotspots.periods import midnight
from serving.reports.briefing import LOOK_BACK
from serving.reports.handover import Handover
from serving.reports.material import LeftOut, Material, Post
from serving.reports.stored import Time, between, keys_by_role, month_of, open_tickets, waiting_cues
from triage.compose import build_customers, build_pipeline, build_policy, build_store, bundle_folder, china_now
from triage.settings import CHAMPION, Settings

if TYPE_CHECKING:
    import pandas as pd
    from sqlalchemy.orm import Session

    from triage.reporting import FromFile

_EVER = (midnight(date(2000, 1, 1)), midnight(date(2101, 1, 1)))
_HANDOVER = timedelta(weeks=8)


def time_of(since: date, until: date, by: By | None) -> Time:
    """Check the days that were typed.

    Args:
        since: the first day.
        until: the day after the last.
        by: week, month, or None: month for whole months, else week.

    Returns:
        The time.

    Raises:
        BadParameter: there is no day between them.
    """
    if since >= until:
        raise typer.BadParameter(f"--since {since} 须早于 --until {until}(截止日不含在内);请改正")
    whole = since.day == 1 and until.day == 1
    return Time(midnight(since), midnight(until), by or ("month" if whole else "week"))


@dataclass(frozen=True, slots=True)
class Source:
    """A file with its text column and the bundle that predicts it; without a file, the store."""

    file: Path | None = None
    column: str | None = None
    bundle: Path | None = None

    def of_time(self, asked: Time, customers: Path | None = None) -> tuple[Analysis, Material]:
        """Analysis and material of a monthly report.

        Args:
            asked: the time.
            customers: table of customers by unit; None: that of the settings, where there is one.

        Returns:
            Both over the same tickets.
        """
        known = Background(customers=build_customers(customers or Settings().customers), as_of=china_now())
        if self.file is None:
            policy = build_policy(Settings())
            with _store() as session:
                return month_of(session, asked, policy, known)
        loaded, policy = self._loaded(self.file)
        every = from_records(loaded.dated, policy.taxonomy)
        material = _of_file(every, loaded, policy, asked)
        options = Options(by=asked.by)
        analysis = analyse(
            every, since=asked.since, until=asked.until, policy=policy, options=options, background=known
        )
        return analysis, material

    def before(self, day: date) -> Material:
        """Tickets for the briefing of a day.

        Args:
            day: of the briefing.

        Returns:
            Tickets of the year before and of the day; texts of the day before only, where they come from the store.
        """
        end = midnight(day) + timedelta(days=1)
        if self.file is not None:
            loaded, policy = self._loaded(self.file)
            frame = from_records(loaded.dated, policy.taxonomy)
            left_out = LeftOut(loaded.errors, tuple(loaded.undated))
            return Material(between(frame, end - LOOK_BACK, end), policy, china_now(), stored=False, left_out=left_out)
        policy = build_policy(Settings())
        with _store() as session:
            frame = from_store(session, end - LOOK_BACK, end, policy.taxonomy, texts=False)
            late = from_store(session, end - timedelta(days=2), end, policy.taxonomy)
        frame["text"] = frame["ticket_id"].map(dict(zip(late["ticket_id"], late["text"], strict=True)))
        return Material(frame, policy, china_now(), stored=True)

    def between(self, since: date | None, until: date | None) -> Material:
        """Tickets for worklists.

        Args:
            since: accepted from this day on; None: from ever.
            until: accepted before this day; None: no end.

        Returns:
            With texts. Without limits rows without a date count too.
        """
        first, last = midnight(since) if since else _EVER[0], midnight(until) if until else _EVER[1]
        if self.file is None:
            policy = build_policy(Settings())
            with _store() as session:
                frame = from_store(session, first, last, policy.taxonomy)
            return Material(frame, policy, china_now(), stored=True)
        loaded, policy = self._loaded(self.file)
        limited = since is not None or until is not None
        frame = from_records(loaded.dated if limited else loaded.records, policy.taxonomy)
        frame = between(frame, first, last) if limited else frame
        left_out = loaded.within(first, last) if limited else LeftOut(loaded.errors)
        return Material(frame, policy, china_now(), stored=False, left_out=left_out)

    def _loaded(self, file: Path) -> "tuple[FromFile, Policy]":
        from triage.reporting import load

        pipeline = build_pipeline(Settings(), self.bundle)
        if pipeline.missing:
            typer.echo(f"提示:没有模型包(当前目录没有 {CHAMPION}),只用规则回答(fallback);{FIT_ONE}", err=True)
        return load(read_rows(file, self.column), pipeline), pipeline.policy


def handover_of() -> Handover:
    """What the handover note tells, from the store and the settings.

    Returns:
        As of now.
    """
    settings, now = Settings(), china_now()
    policy = build_policy(settings)
    since = midnight(now.date()) - _HANDOVER
    with _store() as session:
        every = from_store(session, texts_since(since, now), now, policy.taxonomy, texts=False)
        past = Background(daily=daily_from_store(session, history_since(since, "week"), now, policy.taxonomy), as_of=now)
        parts = open_tickets(session), waiting_cues(session), listed(session, since=now)
        keys = keys_by_role(session)
    analysis = analyse(every, since=since, until=now, policy=policy, options=Options(by="week"), background=past)
    folder = bundle_folder(settings)
    own = own_files(policy.folder) if policy.folder != BUILT_IN else ()
    return Handover(*parts, analysis, policy, Post(folder.name if folder else None, keys, own), now)


def _of_file(every: "pd.DataFrame", loaded: "FromFile", policy: Policy, asked: Time) -> Material:
    frame = between(every, asked.since, asked.until)
    inside = set(frame["ticket_id"])
    filings = tuple(one for one in loaded.filings if one.ticket_id in inside)
    left_out = loaded.within(asked.since, asked.until)
    return Material(frame, policy, china_now(), stored=False, filings=filings, left_out=left_out)


@contextmanager
def _store() -> "Iterator[Session]":
    database = build_store(Settings())
    try:
        with database.read() as session:
            yield session
    finally:
        database.close()
