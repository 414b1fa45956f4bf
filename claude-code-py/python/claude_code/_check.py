"""The caller's own check, in a daemon thread with no frames but Python's: imported by the first call that has one."""

from __future__ import annotations

import threading
import traceback
from typing import Any, Callable

from ._claude_code import Diagnostic


def start(
    function: Callable[[Any], Any], files: object, tell: Callable[[object, BaseException | None], None]
) -> None:
    """Calls the function of the files, and tells what it found or raised."""
    thread = threading.Thread(target=run, args=(function, files, tell), name="claude-code-check", daemon=True)
    thread.start()


def run(
    function: Callable[[Any], Any], files: object, tell: Callable[[object, BaseException | None], None]
) -> None:
    """What the thread does."""
    try:
        found = function(files)
        # A generator's own code runs here too.
        if not isinstance(found, (str, Diagnostic)) and hasattr(found, "__iter__"):
            found = list(found)
    except AssertionError as error:
        frames = traceback.extract_tb(error.__traceback__)
        tell(str(error) or frames[-1].line or "an assertion does not hold", None)
    except BaseException as error:
        tell(None, error)
    else:
        tell(found, None)
