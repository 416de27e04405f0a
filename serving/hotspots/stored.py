"""A hotspot analysis of the store: the past is counted by the database, only the tickets of two periods are read."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime

import pandas as pd
from sqlalchemy import select

from model.policy import Policy
from serving.hotspots.analyse import Background, analyse, history_since, texts_since
from serving.hotspots.analysis import Analysis
from serving.hotspots.daily import daily_from_store
from serving.hotspots.frame import from_store
from serving.hotspots.options import Options
from serving.store.database import Database
from serving.store.tables import KnownEvent


def analyse_store(
    store: Database,
    since: datetime,
    until: datetime,
    *,
    policy: Policy,
    options: Options,
    background: Background,
) -> Analysis:
    """Analyse the tickets of the store.

    Args:
        store: is read on two connections at once: the database counts the past while the tickets are read.
        since: aware.
        until: exclusive.
        policy: names, causes, measures, dictionary.
        options: what to do.
        background: customers and clock; counts and events are read here.

    Returns:
        The analysis.

    Raises:
        StoreUnavailable: the database is away.
    """

    def count() -> pd.DataFrame:
        with store.unhurried(), store.read() as session:
            first = history_since(since, options.by)
            return daily_from_store(session, first, until, policy.taxonomy, level=options.level)

    with ThreadPoolExecutor(1) as aside, store.unhurried(), store.read() as session:
        counting = aside.submit(count)
        frame = from_store(session, texts_since(since, until), until, policy.taxonomy, level=options.level)
        notices = session.execute(select(KnownEvent.id, KnownEvent.text).where(KnownEvent.ends_at >= since)).all()
        daily = counting.result()
    known = replace(background, daily=daily, events={row.id: row.text for row in notices})
    return analyse(frame, since=since, until=until, policy=policy, options=options, background=known)
