"""Figures behind the hotspot report, over HTTP. One analysis at a time; the answer to the same question is kept a while."""

import threading
from collections import OrderedDict
from datetime import date, datetime, timedelta
from typing import Annotated

from fastapi import FastAPI, Query, Request

from model.errors import InvalidField, StoreUnavailable
from model.policy import Policy
from model.ticket import CHINA
from serving.api.hotspot_schemas import HotspotQuery, HotspotsOut
from serving.api.office import Office, office_of, policy_of
from serving.store.columns import Json

DAYS_MOST = 400
TEXTS_MOST = 20_000  # texts of one answer that are read for incidents and phrases
WAIT_SECONDS = 20.0
KEPT_FOR = timedelta(seconds=60)
KEPT_MOST = 16
WEEKS = 4  # of the time that nobody named
Asked = tuple[date, date, str]


class Analyst:
    """Analyses the store, one question after another.

    Args:
        office: the store and the clock.
    """

    def __init__(self, office: Office) -> None:
        self._office = office
        self._turn = threading.Lock()
        self._kept: OrderedDict[Asked, tuple[datetime, Policy, Json]] = OrderedDict()

    def answer(self, asked: Asked, policy: Policy) -> Json:
        """The analysis of a time.

        Args:
            asked: since, until (exclusive), by.
            policy: in force.

        Returns:
            JSON of `Analysis`; at most `KEPT_FOR` old.

        Raises:
            StoreUnavailable: others' questions take too long.
        """
        if not self._turn.acquire(timeout=WAIT_SECONDS):
            raise StoreUnavailable("热点分析正忙;请稍后重试,或缩短时间段")
        try:
            now = self._office.now()
            at, by, kept = self._kept.get(asked, (now - KEPT_FOR, policy, None))
            if kept is None or by is not policy or now - at >= KEPT_FOR:
                kept = self._fresh(asked, policy, now)
                self._kept[asked] = (now, policy, kept)
                while len(self._kept) > KEPT_MOST:
                    self._kept.popitem(last=False)
            return kept
        finally:
            self._turn.release()

    def _fresh(self, asked: Asked, policy: Policy, now: datetime) -> Json:
        from serving.hotspots.analyse import Background
        from serving.hotspots.options import Options
        from serving.hotspots.periods import midnight
        from serving.hotspots.stored import analyse_store

        since, until, by = asked
        options = Options(by="month" if by == "month" else "week", texts_most=TEXTS_MOST)
        background = Background(customers=self._office.customers, as_of=now)
        store, between = self._office.store, (midnight(since), midnight(until))
        return analyse_store(store, *between, policy=policy, options=options, background=background).to_json()


def install(app: FastAPI) -> None:
    """Add the call.

    Args:
        app: the application, with an office.
    """
    analyst = Analyst(app.state.office)

    @app.get(
        "/v1/hotspots",
        tags=["热点"],
        summary="热点分析的数字:件数、环比、同比、上升的格子、事件、新词、重复来电、超时限;默认最近四个整周",
    )
    def hotspots(request: Request, wanted: Annotated[HotspotQuery, Query()]) -> HotspotsOut:
        found = analyst.answer(_asked(wanted, office_of(request).now()), policy_of(request))
        return HotspotsOut.model_validate(found)


def _asked(wanted: HotspotQuery, now: datetime) -> Asked:
    today = now.astimezone(CHINA).date()
    until = wanted.until or today - timedelta(days=today.weekday())
    since = wanted.since or until - timedelta(weeks=WEEKS)
    if not since < until <= since + timedelta(days=DAYS_MOST):
        raise InvalidField(f"since 须早于 until(截止日不含在内),相距至多 {DAYS_MOST} 天;收到 {since} 与 {until}")
    return since, until, wanted.by
