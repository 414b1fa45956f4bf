"""The command line: `python -m claude_code` is `claude-code-aws`."""

import signal
import sys

from ._claude_code import _main


def main() -> int:
    """Runs the command of `sys.argv`; its exit status."""
    # The command hears Ctrl-C itself; Python's own handler would only note it.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    return _main(["claude-code-aws", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
