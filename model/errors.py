"""All errors of this project. One table turns them into exit codes, another into HTTP problems."""


class TriageError(Exception):
    """Root of all errors. `code` is stable and machine-readable; the message says what is wrong and how to mend it."""

    code = "triage_error"


class InvalidTicket(TriageError):
    """A row or body that cannot be a ticket."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class UnreadableInput(TriageError):
    """A file that cannot be read as tickets at all (missing, a folder, no text column, unknown kind)."""

    code = "unreadable_input"


class InvalidLabels(TriageError):
    """A labelled file with rows that must be mended; `problems` lists them row by row."""

    code = "invalid_labels"

    def __init__(self, message: str, problems: list[str]) -> None:
        super().__init__(message)
        self.problems = problems


class UnknownLeaf(TriageError):
    """A category code that the taxonomy does not have."""

    code = "unknown_leaf"


class PolicyError(TriageError):
    """A policy folder with a mistake; the message names file, place and mend."""

    code = "bad_policy"


class NotFitted(TriageError):
    """A classifier was asked to predict before `fit`."""

    code = "not_fitted"


class BundleError(TriageError):
    """Something is wrong with a bundle."""

    code = "bundle_error"


class BundleMissing(BundleError):
    """There is no bundle at the named place."""

    code = "bundle_missing"


class BundleRefused(BundleError):
    """The bundle is damaged, forged, of another format, or made for another taxonomy; nothing in it was opened."""

    code = "bundle_refused"


class BundleOutdated(BundleRefused):
    """The bundle is sound, but was trained under another taxonomy than the one in force."""


class UnusableOutput(TriageError):
    """A place that must not be written to: writing there would destroy something else."""

    code = "unusable_output"


class MissingExtra(TriageError):
    """An optional part is not installed; the message gives the pip line."""

    code = "missing_extra"


class UnusableEncoder(TriageError):
    """A pretrained encoder that is damaged, incomplete, out of reach or of a kind this project cannot fine-tune."""

    code = "unusable_encoder"


class NotFound(TriageError):
    """A ticket, cue or event that is not in the store."""

    code = "not_found"


class Conflict(TriageError):
    """What was asked rests on a state that is no longer so; read again, then decide."""

    code = "conflict"


class InvalidField(TriageError):
    """A value that the store cannot take: an unknown flag, a cursor that is none of ours."""

    code = "invalid_field"


class StoreUnavailable(TriageError):
    """The database is away, busy for too long or full; nothing was written, and the same call may succeed later."""

    code = "store_unavailable"


class Overloaded(TriageError):
    """More is asked than can be answered in time; nothing was done, and the same call may succeed later."""

    code = "overloaded"
    retry_after = 1  # seconds


class UnusableSettings(TriageError):
    """Settings that contradict each other or allow what must not be; the message says which to mend."""

    code = "unusable_settings"
