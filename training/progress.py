"""Says how far a fine-tuning is, and how long it will still take."""

import time
from collections.abc import Callable
from typing import Any

from transformers import TrainerCallback

Progress = Callable[[str], None]
_EVERY = 0.1  # of all steps


class TimeLeft(TrainerCallback):  # type: ignore[misc]  # transformers is not there where types are checked
    """Tells the time left ten times a run.

    Args:
        say: told each line.
        clock: seconds.
    """

    def __init__(self, say: Progress, clock: Callable[[], float] = time.monotonic) -> None:
        self._say, self._clock = say, clock
        self._began, self._first, self._told = 0.0, 0, 0.0

    def on_train_begin(self, args: Any, state: Any, control: Any, **more: Any) -> None:  # noqa: ARG002 - its interface
        """Note where the run begins; after a kill not at the first step.

        Args:
            args: of the trainer.
            state: of the trainer.
            control: of the trainer.
            **more: whatever else the trainer gives.
        """
        self._began, self._first = self._clock(), state.global_step
        self._told = state.global_step / max(1, state.max_steps)

    def on_step_end(self, args: Any, state: Any, control: Any, **more: Any) -> None:  # noqa: ARG002
        """Speak at every tenth.

        Args:
            args: of the trainer.
            state: of the trainer.
            control: of the trainer.
            **more: whatever else the trainer gives.
        """
        done = state.global_step / state.max_steps
        if not state.is_world_process_zero or done - self._told < _EVERY - 1e-9:
            return
        self._told = done
        each = (self._clock() - self._began) / (state.global_step - self._first)
        left = each * (state.max_steps - state.global_step)
        self._say(f"  已完成 {done:.0%}({state.global_step}/{state.max_steps} 步),还需约 {max(1, round(left / 60))} 分钟")
