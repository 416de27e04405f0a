"""What can be wrong with the register of known events."""

from model.errors import InvalidField, NotFound


class EventNotFound(NotFound):
    """No such event, or it was removed."""

    code = "event_not_found"


class InvalidEvents(InvalidField):
    """Entries that must be mended; `problems` lists them row by row, and nothing was entered."""

    code = "invalid_events"

    def __init__(self, message: str, problems: list[dict[str, object]]) -> None:
        super().__init__(message)
        self.problems = problems
