"""Several processes that fine-tune together (`accelerate launch`): who leads, and where they wait for one another."""

import torch
from accelerate import PartialState


def leads() -> bool:
    """Whether this process writes files and speaks; true where there is only one.

    Returns:
        True for the first process.
    """
    return bool(_state().is_main_process)


def meet() -> None:
    """Wait until every process has come here."""
    _state().wait_for_everyone()


def _state() -> PartialState:
    return PartialState(cpu=not torch.cuda.is_available())
