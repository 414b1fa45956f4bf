"""Accepted code from Claude on AWS, with a receipt. Not Anthropic's command line.

>>> import claude_code
>>> client = claude_code.Client.local()
>>> generation = client.generate("Write a Python function that reverses a string.", store=False)
>>> generation.accepted
True
"""

from . import _claude_code as _native
from ._claude_code import *  # noqa: F403
from ._claude_code import __version__ as __version__

__all__ = _native.__all__
