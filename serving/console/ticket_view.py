"""One ticket as people read it. Pure: what the service answered in, values of templates out."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from serving.console import words
from serving.console.catalogue import Catalogue
from serving.console.marked import legend, runs
from serving.console.queue_view import clocks

_ACTIONS = {
    "ticket.taken_in": "受理入库",
    "ticket.reviewed": "复核",
    "ticket.review_undone": "撤销复核",
    "ticket.contacted": "首次联系客户",
    "ticket.arrived": "到场",
    "ticket.closed": "办结",
    "ticket.deleted": "正文删除",
}
_CHANNELS = {"asr": "电话录音转写", "agent_note": "坐席记录", "online": "网上渠道", "relay": "12345 等转办"}


def values_of(ticket: Mapping[str, Any], known: Catalogue, now: datetime) -> dict[str, Any]:
    """What the templates of a ticket show.

    Args:
        ticket: of `GET /v1/tickets/{id}`.
        known: categories in force.
        now: for the clocks.

    Returns:
        Values by name.
    """
    prediction = ticket["prediction"]
    names = {**known.names, **known.flags}
    marked = runs(ticket["text"], prediction, names) if ticket["text"] else None
    return {
        "ticket": ticket,
        "runs": marked,
        "legend": legend(marked or (), names),
        "name": names.get(ticket["category"], ticket["category"]),
        "candidates": candidates(ticket, names),
        "others": [leaf for leaf in known.leaves if leaf["code"] not in _proposed(ticket)],
        "flags": [{"code": code, "name": name, **_flag(ticket, code)} for code, name in known.flags.items()],
        "reasons": [words.REASONS.get(reason, reason) for reason in prediction["reasons"]],
        "decision_name": words.DECISION.get(ticket["decision"], ticket["decision"]),
        "status_name": words.status(ticket["status"]),
        "upheld": words.UPHELD.get(ticket["upheld"], ""),
        "channel": _CHANNELS.get(ticket["channel"] or "", ticket["channel"]),
        "where": " ".join(ticket["org"][part] for part in ("city", "county", "station") if ticket["org"][part]),
        "clocks": clocks(ticket, now),
        "leaf": known.leaf(ticket["category"]),
        "history": [_step(entry, names) for entry in reversed(ticket["history"])],
        "notes": notes(ticket),
        "secondary": [names.get(code, code) for code in prediction["secondary"]],
    }


def candidates(ticket: Mapping[str, Any], names: Mapping[str, str]) -> list[dict[str, Any]]:
    """What may be chosen with one key: the category as it stands, then what was proposed.

    Args:
        ticket: of the service.
        names: of categories.

    Returns:
        Three at most; the first is chosen already. `confidence` is None for a category that only a person chose.
    """
    shares = {one["code"]: one["confidence"] for one in ticket["prediction"]["candidates"]}
    return [
        {"code": code, "name": names.get(code, code), "confidence": shares.get(code), "key": key, "first": key == 1}
        for key, code in enumerate(_proposed(ticket), 1)
    ]


def decision_of(ticket: Mapping[str, Any], sent: Mapping[str, str]) -> dict[str, Any]:
    """A person's choice as the service wants it.

    Args:
        ticket: as it was shown.
        sent: of the form; its version guards against another person's decision in between.

    Returns:
        The body of `POST …/review`.
    """
    category = sent.get("other") or sent.get("category") or ticket["category"]
    secondary = [code for code in ticket["prediction"]["secondary"] if code != category][:2]
    flags = sorted(name.removeprefix("flag.") for name in sent if name.startswith("flag."))
    note = sent.get("note", "").strip() or None
    return {
        "version": int(sent["version"]), "category": category, "secondary": secondary, "flags": flags, "note": note,
    }  # fmt: skip


def closing_of(ticket: Mapping[str, Any], sent: Mapping[str, str]) -> dict[str, Any]:
    """What a person reports of a ticket that is done, as the service wants it.

    Args:
        ticket: as it was shown.
        sent: of the form; its `upheld` is yes, no, or empty where nobody judged it.

    Returns:
        The body of `POST …/close`.
    """
    upheld = {"yes": True, "no": False}.get(sent.get("upheld", ""))
    return {"version": ticket["version"], "note": sent.get("note", "").strip() or None, "upheld": upheld}


def others_decision(ticket: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """What somebody else did with a ticket in the meantime.

    Args:
        ticket: as it stands now.
        names: of categories.

    Returns:
        A sentence.
    """
    last = ticket["history"][-1]
    who, at = last["actor"], words.moment(last["at"])
    if last["action"] == "ticket.reviewed":
        return f"{who} 已于 {at} 复核为「{names.get(ticket['category'], ticket['category'])}」"
    return f"{who} 已于 {at} 作了变动:{_ACTIONS.get(last['action'], last['action'])}"


def notes(ticket: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Notes of reviewers and of whoever closed the ticket, the newest first.

    Args:
        ticket: of the service.

    Returns:
        `at`, `who` and `note` of each.
    """
    found = [{"at": one["at"], "who": one["reviewer"], "note": one["note"]} for one in ticket["reviews"]]
    found += [{"at": one["at"], "who": one["by"], "note": one["note"]} for one in ticket["closings"]]
    return sorted((one for one in found if one["note"]), key=lambda one: str(one["at"]), reverse=True)


def _proposed(ticket: Mapping[str, Any]) -> list[str]:
    codes = [ticket["category"], *(one["code"] for one in ticket["prediction"]["candidates"])]
    return list(dict.fromkeys(codes))[:3]


def _flag(ticket: Mapping[str, Any], code: str) -> dict[str, Any]:
    """Whether a flag stands: as the last reviewer saw it, else as predicted; and its cue where there is one."""
    predicted = ticket["prediction"]["flags"].get(code, {"raised": False, "probability": 0.0})
    seen = code in ticket["reviews"][-1]["flags"] if ticket["reviews"] else predicted["raised"]
    cue = next((one for one in ticket["cues"] if one["flag"] == code), None)
    return {"on": seen, "probability": predicted["probability"], "cue": cue["state_name"] if cue else None}


def _step(entry: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """One entry of the audit log."""
    detail, said = entry["detail"], ""
    if entry["action"] in ("ticket.reviewed", "ticket.review_undone"):
        before, after = (names.get(detail[part], detail[part]) for part in ("from", "to"))
        said = f"认可「{after}」" if before == after else f"「{before}」→「{after}」"
        said += ",重新打开" if detail.get("reopened") else ""
    elif entry["action"] == "ticket.taken_in":
        said = f"「{names.get(detail['category'], detail['category'])}」送 {'、'.join(detail['queues'])}"
    elif entry["action"] == "ticket.closed":
        said = words.UPHELD.get(detail.get("upheld"), "")
    name = _ACTIONS.get(entry["action"], entry["action"])
    return {"at": entry["at"], "who": entry["actor"], "name": name, "said": said}
