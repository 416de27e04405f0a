"""What can be wrong with a step of a cue; one class for each kind of answer. `code` is that of the case."""

from model.errors import Conflict, InvalidField, NotFound, TriageError


class CueNotFound(NotFound):
    """No such cue on this ticket."""

    code = "cue_not_found"


class CueConflict(Conflict):
    """The step does not fit the cue as it stands now."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class CueForbidden(TriageError):
    """This person may not take the step."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class CueInvalid(InvalidField):
    """What was handed in is wrong or incomplete."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
