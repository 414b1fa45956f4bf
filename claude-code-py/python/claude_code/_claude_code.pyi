from collections.abc import Callable, Coroutine, Generator, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from os import PathLike
from pathlib import Path
from types import GenericAlias
from typing import (
    Any,
    ClassVar,
    Final,
    Generic,
    Literal,
    NoReturn,
    TypedDict,
    final,
    overload,
    type_check_only,
)

from typing_extensions import Self, TypeAlias, TypeVar, Unpack

from ._findings import Findings

_T = TypeVar("_T", covariant=True)
# What refine gives: a result, or of an AsyncClient's result an awaitable of one.
_Refined = TypeVar("_Refined", covariant=True, default=Any)

# Where a class has a method of this name.
_Paths: TypeAlias = list[Path]

_Event: TypeAlias = FileStarted | FileChunk | FileFinished | Text | Notice | Finished
_File: TypeAlias = CodeFile | PathLike[str]
_Files: TypeAlias = Mapping[str, str] | Mapping[str, CodeFile] | Iterable[_File | tuple[str, str]] | _File
_Result: TypeAlias = Generation[_Result]
_AsyncResult: TypeAlias = Generation[Awaitable[_AsyncResult]]
_Tier: TypeAlias = Literal["simple", "medium", "complex"]
_Effort: TypeAlias = Literal["low", "medium", "high", "xhigh", "max"]
_Provider: TypeAlias = Literal["bedrock", "anthropic", "samples"]
_Store: TypeAlias = Literal["none", "disk", "aws"]
_Answers: TypeAlias = str | PathLike[str] | Sequence[str | dict[str, Any]] | dict[str, Any]

__version__: str

@type_check_only
class _Figures(TypedDict, total=False):
    input: int
    output: int
    cache_read: int
    cache_write: int

@type_check_only
class _Options(TypedDict, total=False):
    language: str | None
    files: _Files | None
    tier: _Tier | None
    model: str | None
    effort: _Effort | None
    thinking: bool | None
    temperature: float | None
    max_tokens: int | None
    max_usd: Decimal | str | float | None
    max_sends: int | None
    validate: bool
    check: Callable[[Mapping[str, CodeFile]], object] | str | None
    cache: Literal["use", "refresh", "off"]
    prompt_cache: Literal["5m", "1h"] | None
    store: bool
    timeout: float | timedelta | None
    on_event: Callable[[_Event], object] | None

@type_check_only
class _Record:
    def to_dict(self) -> dict[str, Any]: ...
    @classmethod
    def from_dict(cls, value: dict[str, Any]) -> Self: ...
    def __copy__(self) -> Self: ...
    def __deepcopy__(self, _memo: object) -> Self: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class Usage(_Record):
    """Tokens of all sends of a request together."""

    input_tokens: Final[int]
    """Prompt tokens that were neither read from nor written to the prompt cache."""
    output_tokens: Final[int]
    """Tokens that the model wrote, thinking included."""
    cache_read_input_tokens: Final[int]
    """Prompt tokens read from the prompt cache."""
    cache_creation_input_tokens: Final[int]
    """Prompt tokens stored in the prompt cache."""
    thinking_tokens: Final[int | None]
    """How many of the output tokens were thinking, where the service says so."""

@final
class ReceiptItem(_Record):
    """One line of a receipt."""

    attempt: Final[int]
    """Which send of the request, from 0."""
    model: Final[str]
    """The model's bare name, or its id where it is unknown."""
    what: Final[str]
    """What it is for: input, output, cache_read, cache_write_5m, long_prompt, …"""
    tokens: Final[int | None]
    """How many tokens; None on lines that change a price."""
    usd_per_million_tokens: Final[Decimal | None]
    """The price that the tokens are billed at, in dollars per million."""
    usd: Final[Decimal | None]
    """The amount in dollars; None: no known price."""

@final
class Receipt(_Record):
    """Everything that a request cost."""

    total_usd: Final[Decimal | None]
    """The sum in dollars, exact; None where a part has no known price."""
    known_usd: Final[Decimal]
    """What is known of the sum in dollars: all of it where `priced`, else the least that it cost."""
    priced: Final[bool]
    """Whether every part has a known price."""
    items: Final[list[ReceiptItem]]
    """The lines, in the order of the sends."""
    price_table: Final[str]
    """The day of the price table, `YYYY-MM-DD`; empty where nothing was billed."""
    saved_by_response_cache_usd: Final[Decimal]
    """What the response cache saved, in dollars."""
    saved_by_prompt_cache_usd: Final[Decimal]
    """What the prompt cache saved, in dollars; below zero where it cost more."""
    saved_by_tier_usd: Final[Decimal]
    """What the tier saved against the complex tier's model, in dollars."""
    def _repr_html_(self) -> str: ...

@final
class Attempt(_Record):
    """One send, with why it was made and what became of it."""

    model: Final[str]
    """The model, as sent."""
    why: Final[str]
    """first, retry, repeat, fallback, resume, repair, escalate, …"""
    outcome: Final[str]
    """complete, or the kind of what went wrong."""
    cost: Final[Decimal | None]
    """What it cost in dollars; None: no known price."""
    unknown: Final[bool]
    """Whether the cost is the ceiling because the true figure never arrived."""
    waited_ms: Final[int]
    """Milliseconds waited before the send."""
    request_id: Final[str | None]
    """The service's id of the request, where it gave one."""

@final
class Diagnostic(_Record):
    """One finding in one file."""

    path: Final[str | None]
    """The file; None for an unnamed block."""
    line: Final[int]
    """Line, from 1; 0 for the whole file."""
    column: Final[int]
    """Column in characters, from 1; 0 for the whole line or file."""
    severity: Final[str]
    """error or warning; an answer with an error is not accepted."""
    message: Final[str]
    """A plain sentence without its place."""

@final
class Cached(_Record):
    """How an answer came from the response cache."""

    age_seconds: Final[int]
    """Seconds since it was generated."""

@final
class Estimate(_Record):
    """What a request would come to; nothing was sent for it."""

    tier: Final[_Tier]
    """simple, medium or complex."""
    tier_reason: Final[str]
    """Why this tier."""
    model: Final[str]
    """The model that would be asked first."""
    input_tokens: Final[int]
    """Tokens of the prompt, estimated from above."""
    worst_usd: Final[Decimal | None]
    """The most that one send can cost, in dollars; None: no known price."""
    warnings: Final[list[str]]
    """What the caller should know, in plain sentences."""
    def _repr_html_(self) -> str: ...

@final
class Finding(_Record):
    """What the doctor found, and what to do about it."""

    name: Final[str]
    """What was looked at: version, credentials, region, models, results, caps, …"""
    ok: Final[bool]
    """Whether it works."""
    detail: Final[str]
    """What was found."""
    fix: Final[str | None]
    """What to do, or what could be otherwise; None: nothing."""
    def _repr_html_(self) -> str: ...

@final
class Budget(_Record):
    """The spending of the current UTC day, in dollars."""

    cap: Final[Decimal | None]
    """The day's cap; None: there is none."""
    spent: Final[Decimal]
    """Settled."""
    reserved: Final[Decimal]
    """Held by sends under way, and by those whose outcome is unknown."""
    stopped: Final[bool]
    """Whether sending was stopped: stop_budget, or `budget stop` of the command line."""

@final
class CodeFile(_Record):
    """One file, or unnamed code block, of an answer."""

    path: Final[str | None]
    """Where it goes, relative to a root, with `/`; None: it had no name, or a refused one."""
    language: Final[str]
    """Its language, by path, info string or content."""
    content: Final[str]
    """The text as the model wrote it."""
    complete: Final[bool]
    """Whether its end was seen. Half a file is never complete."""
    size: Final[int]
    """Bytes of content."""
    sha256: Final[str]
    """SHA-256 of the content, lower-case hex."""
    rejected: Final[str | None]
    """Why the name that the model gave was refused; None: it was not."""

@final
class Answer(_Record):
    """A model's answer, read: its files and the words around them."""

    files: Final[list[CodeFile]]
    """Its files and code blocks in the answer's order; an unnamed one has path None."""
    text: Final[str]
    """The text outside files."""
    complete: Final[bool]
    """Whether every file that was opened was closed."""
    notes: Final[list[str]]
    """What the reader was unsure of, in plain sentences."""

@type_check_only
class _FileEvent(_Record):
    index: Final[int]
    path: Final[str | None]
    revision: Final[int]

@final
class FileStarted(_FileEvent):
    """A file begins, or begins again under a higher revision: what was shown of it before no longer counts."""

    language: Final[str]
    """Its language, as far as it is known."""

@final
class FileChunk(_FileEvent):
    """More of a file."""

    text: Final[str]
    """What follows."""

@final
class FileFinished(_FileEvent):
    """A file's end."""

    complete: Final[bool]
    """Whether its end was seen."""

@final
class Text(_Record):
    """The model's words outside of files."""

    text: Final[str]
    """The words."""

@final
class Notice(_Record):
    """A send after the first: why, to whom, and how long it waits."""

    why: Final[str]
    """retry, fallback, resume, repair, escalate, …"""
    model: Final[str]
    """The model."""
    wait_seconds: Final[float]
    """Seconds until it is sent."""
    cause: Final[str | None]
    """What the attempt before failed with, in one line."""
    left_seconds: Final[float]
    """Seconds until attempts are given up."""

@final
class Finished(_Record):
    """The result: always the last event, and the truth about all files."""

    generation: Final[Generation]
    """The result."""

@final
class ServiceCode(_Record):
    """The six files of a service: backend_service.py, api_routes.py, database_schema.sql, config.yaml,
    requirements.txt and README.md."""

    service_id: Final[str]
    """The service."""
    code_id: Final[str]
    """This writing of its files."""
    accepted: Final[bool]
    """All six are there, and no check of them together found an error."""
    files: Final[Mapping[str, CodeFile]]
    """Name → CodeFile."""
    diagnostics: Final[list[Diagnostic]]
    """What the checks found."""
    model: Final[str | None]
    """The model that wrote last; None where nothing had to be asked."""
    receipt: Final[Receipt]
    """What it cost, item by item."""
    sample: Final[bool]
    """Whether it is the sample that comes with the package, and not a model's answer."""
    generated_at: Final[str]
    """When, in UTC: 2026-11-21T20:46:00.123Z."""
    def write_to(self, dir: str | PathLike[str], *, overwrite: bool = False) -> list[Path]:
        """Writes the files below a directory, as Generation.write_to."""
    def _repr_html_(self) -> str: ...

@final
class ResultRow(_Record):
    """A row about a stored result: everything but its files."""

    id: Final[str]
    """The result's id."""
    prompt: Final[str]
    """The prompt, cut to 2,048 bytes."""
    language: Final[str]
    """Its language."""
    generated_at: Final[str]
    """When, in UTC: 2026-11-21T20:46:00.123Z."""
    code_length: Final[int]
    """Bytes of all files."""
    s3_key: Final[str]
    """The object's key, or the prefix of several."""
    model: Final[str]
    """The model that answered."""
    stop_reason: Final[str]
    """Why it ended."""
    total_usd: Final[Decimal | None]
    """What it cost; None where a price is not known."""

@final
class Page(_Record):
    """A page of stored results, newest first: a sequence of ResultRow."""

    items: Final[list[ResultRow]]
    """The rows."""
    next: Final[str | None]
    """The cursor of the next page; None on the last."""
    def __len__(self) -> int: ...
    @overload
    def __getitem__(self, index: int, /) -> ResultRow: ...
    @overload
    def __getitem__(self, index: slice, /) -> list[ResultRow]: ...
    def __iter__(self) -> Iterator[ResultRow]: ...
    def to_dataframe(self) -> Any:
        """The rows as a pandas DataFrame, their times as dates. ImportError without pandas."""
    def _repr_html_(self) -> str: ...

@final
class Sent(_Record):
    """A question that the twin received."""

    model: Final[str]
    """The model's id, as sent."""
    system: Final[str]
    """The system prompt."""
    prompt: Final[str]
    """The last message of the user's side."""
    max_tokens: Final[int | None]
    """The most tokens of the answer."""
    temperature: Final[float | None]
    """The temperature, if one was sent."""
    body: Final[Any]
    """The whole body of the request, as JSON has it."""

@final
class Generation(_Record, Generic[_Refined]):
    """A result: files, the model's words, and what it cost. Read-only; pickles, compares and copies by value."""

    id: Final[str]
    """UUIDv7: results sort by time."""
    accepted: Final[bool]
    """Complete, and no check found an error."""
    language: Final[str]
    """The language of the whole result."""
    files: Final[Mapping[str, CodeFile]]
    """Path → CodeFile, in the order of the answer. An unnamed file is main.{ext} or snippet-{n}.{ext}."""
    code: Final[str]
    """The only file's text. ValueError where there are several, naming them, or none."""
    text: Final[str]
    """The model's whole answer as received, files included."""
    model: Final[str]
    """The model that answered last, as sent."""
    tier: Final[_Tier]
    """simple, medium or complex."""
    tier_reason: Final[str]
    """Why this tier."""
    stop_reason: Final[str | None]
    """Why the model ended its turn: end_turn, stop_sequence, max_tokens, …; None if it never did."""
    usage: Final[Usage]
    """Tokens of all sends together."""
    receipt: Final[Receipt]
    """What it cost, item by item."""
    attempts: Final[list[Attempt]]
    """Every send."""
    diagnostics: Final[list[Diagnostic]]
    """What the checks found."""
    warnings: Final[list[str]]
    """What the caller should know, in plain sentences."""
    diff: Final[str | None]
    """What a refactoring changed, as a unified diff; None for new code."""
    cached: Final[Cached | None]
    """Set if it came from the response cache."""
    stored: Final[bool]
    """Whether it is in the store."""
    stored_problem: Final[str | None]
    """Why it is not in the store, if it was meant to be."""
    s3_key: Final[str | None]
    """Where it is stored: the file's key, or the prefix of several with its final slash."""
    generated_at: Final[str]
    """When, in UTC: 2026-11-21T20:46:00.123Z."""
    sample: Final[bool]
    """Whether it is one of the samples that come with the package, and not a model's answer."""
    def raise_for_rejected(self) -> Self:
        """Itself if accepted; else RejectedAnswerError with the first finding, and this result as .partial."""
    def write_to(
        self,
        dir: str | PathLike[str],
        *,
        overwrite: bool = False,
        allow_auto_exec: bool = False,
        skip_refused: bool = False,
        allow_shrink: bool = False,
    ) -> list[Path]:
        """Writes the files below a directory, which is made if it is missing: all of them or none, and nothing outside
        it. What it replaces is kept for undo(). ConflictError for a file that exists, or that would lose more than half of
        its lines; InvalidRequestError for a refused or incomplete one."""
    def undo(self) -> list[Path]:
        """Undoes the last write_to of this result and gives the paths: files that are still as it left them become what they
        were before, new ones go. ConflictError names those that were changed since and stay; NotFoundError if there is
        nothing to undo."""
    def refine(self, instructions: str, **options: Unpack[_Options]) -> _Refined:
        """Asks for changes to these files: a refactoring of this result, with its diff. Takes the options of
        Client.generate. The result of an AsyncClient is refined with `await`."""
    def _repr_html_(self) -> str: ...

@final
class Awaitable(Coroutine[Any, Any, _T], Generic[_T]):
    """The async face: a coroutine in all but its type. Nothing runs before the first await; closing it, dropping it or
    cancelling its task drops the work."""

    __name__: str
    __qualname__: str
    @classmethod
    def __class_getitem__(cls, item: Any, /) -> GenericAlias: ...
    def __await__(self) -> Generator[Any, Any, _T]: ...
    def __iter__(self) -> Self: ...
    def __next__(self) -> Any: ...
    def send(self, value: Any, /) -> Any: ...
    def throw(self, typ: Any, val: Any = None, tb: Any = None) -> NoReturn: ...
    def close(self) -> None: ...

@final
class Stream:
    """The events of one request, in a `for` loop. A context manager: leaving it closes the request."""
    def __iter__(self) -> Self: ...
    def __next__(self) -> _Event: ...
    def collect(self) -> _Result:
        """Reads to the end and gives the result."""
    generation: Final[_Result]
    """The result. InvalidRequestError until the stream was read to its end."""
    def close(self) -> None:
        """Closes the request. What was generated until then is paid for; nothing more is."""
    def __enter__(self) -> Self: ...
    def __exit__(self, *_exc: object) -> None: ...

@final
class AsyncStream:
    """The events of one request, in an `async for` loop. A context manager: leaving it closes the request."""
    def __aiter__(self) -> Self: ...
    def __anext__(self) -> Awaitable[_Event]: ...
    def collect(self) -> Awaitable[_AsyncResult]:
        """Reads to the end and gives the result."""
    generation: Final[_AsyncResult]
    """The result. InvalidRequestError until the stream was read to its end."""
    def close(self) -> None:
        """Closes the request. What was generated until then is paid for; nothing more is."""
    def aclose(self) -> Awaitable[None]:
        """As close, for `contextlib.aclosing`."""
    def __aenter__(self) -> Awaitable[Self]: ...
    def __aexit__(self, *_exc: object) -> Awaitable[None]: ...

@final
class BatchItem:
    """One request of a batch, answered."""

    index: Final[int]
    """Its place among the requests, from 0."""
    request: Final[str | dict[str, Any]]
    """The request as it was given."""
    generation: Final[Generation | None]
    """The result; None: it failed."""
    error: Final[ClaudeCodeError | None]
    """The ClaudeCodeError of one that failed; None: it did not."""
    resumed: Final[bool]
    """Whether an earlier run answered it: it comes from the journal, and nothing was sent for it now."""
    def __new__(
        cls,
        index: int,
        request: str | dict[str, Any],
        generation: Generation | None = None,
        error: ClaudeCodeError | None = None,
        resumed: bool = False,
    ) -> Self: ...
    def to_dict(self) -> dict[str, Any]:
        """The item as a dict: the result in its schema, of an error its kind and message."""
    def __copy__(self) -> Self: ...
    def __deepcopy__(self, _memo: object) -> Self: ...
    def __eq__(self, other: object, /) -> bool: ...
    __hash__: ClassVar[None]  # type: ignore[assignment]

@final
class Batch:
    """The answers of many requests, in a `for` loop, each as it finishes. A context manager: leaving it closes what is
    under way."""
    def __len__(self) -> int: ...
    def __iter__(self) -> Self: ...
    def __next__(self) -> BatchItem: ...
    def _repr_html_(self) -> str: ...
    def close(self) -> None:
        """Closes what is under way. What was generated until then is paid for; nothing more is."""
    def __enter__(self) -> Self: ...
    def __exit__(self, *_exc: object) -> None: ...

@final
class AsyncBatch:
    """As Batch, in an `async for` loop."""
    def __len__(self) -> int: ...
    def __aiter__(self) -> Self: ...
    def __anext__(self) -> Awaitable[BatchItem]: ...
    def _repr_html_(self) -> str: ...
    def close(self) -> None:
        """Closes what is under way. What was generated until then is paid for; nothing more is."""
    def __aenter__(self) -> Awaitable[Self]: ...
    def __aexit__(self, *_exc: object) -> Awaitable[None]: ...

@type_check_only
class _Service:
    id: Final[str]
    """The conversation's id: `client.service(id)` goes on with it."""
    question: Final[str | None]
    """The question that waits for an answer; None: all are answered."""
    step: Final[int | None]
    """The number of that question, from 1; None: all are answered."""
    total_steps: Final[int]
    """How many questions there are."""
    title: Final[str | None]
    """What the waiting question is about, in a word or two."""
    example: Final[str | None]
    """An answer that people may begin from. All seven together are the offline sample."""
    done: Final[bool]
    """Whether all questions are answered."""
    data: Final[dict[str, Any]]
    """What the answers say so far."""

@final
class Service(_Service):
    """A conversation about a service: seven questions, then six files. `message` answers the waiting question and gives the
    next one, None after the seventh."""
    def message(self, text: str, /) -> str | None:
        """Answers the waiting question and gives the next one; None after the last. ConflictError where all are
        answered, or somebody else answered meanwhile."""
    def generate(
        self,
        service_data: dict[str, Any] | None = None,
        *,
        timeout: float | timedelta | None = None,
        on_event: Callable[[_Event], object] | None = None,
    ) -> ServiceCode:
        """Writes the six files: from the answers, or from `service_data`, a dict as `data` gives it. A call that
        was cut off goes on with the files that are missing; nothing is paid for twice. timeout and on_event
        as for Client.generate. ConflictError while questions are open or another writer is at work."""

@final
class AsyncService(_Service):
    """As Service, for asyncio: message and generate are awaited."""
    def message(self, text: str, /) -> Awaitable[str | None]:
        """Answers the waiting question and gives the next one; None after the last. ConflictError where all are
        answered, or somebody else answered meanwhile."""
    def generate(
        self,
        service_data: dict[str, Any] | None = None,
        *,
        timeout: float | timedelta | None = None,
        on_event: Callable[[_Event], object] | None = None,
    ) -> Awaitable[ServiceCode]:
        """Writes the six files: from the answers, or from `service_data`, a dict as `data` gives it. A call that
        was cut off goes on with the files that are missing; nothing is paid for twice. timeout and on_event
        as for Client.generate. ConflictError while questions are open or another writer is at work."""

@final
class Results:
    """Stored results of a Client."""
    def list(
        self,
        *,
        language: str,
        since: str | None = None,
        until: str | None = None,
        cursor: str | None = None,
        limit: int = 20,
    ) -> Page:
        """A page of rows of one language, newest first, from `since` to before `until` (UTC times as in
        generated_at). `limit` is 1 to 100; `cursor` is the `next` of the page before."""
    def get(self, id: str) -> _Result:
        """A stored result with its files. NotFoundError where there is none of this id, or it has expired."""
    def download(self, id: str, dir: str | PathLike[str], *, overwrite: bool = False) -> _Paths:
        """Writes the files of a stored result below a directory, as Generation.write_to, and gives their paths."""
    def delete(self, id: str) -> None:
        """Erases a stored result: its row and its objects. NotFoundError as for get."""

@final
class AsyncResults:
    """Stored results of an AsyncClient: each call is awaited."""
    def list(
        self,
        *,
        language: str,
        since: str | None = None,
        until: str | None = None,
        cursor: str | None = None,
        limit: int = 20,
    ) -> Awaitable[Page]:
        """A page of rows of one language, newest first, from `since` to before `until` (UTC times as in
        generated_at). `limit` is 1 to 100; `cursor` is the `next` of the page before."""
    def get(self, id: str) -> Awaitable[_AsyncResult]:
        """A stored result with its files. NotFoundError where there is none of this id, or it has expired."""
    def download(self, id: str, dir: str | PathLike[str], *, overwrite: bool = False) -> Awaitable[_Paths]:
        """Writes the files of a stored result below a directory, as Generation.write_to, and gives their paths."""
    def delete(self, id: str) -> Awaitable[None]:
        """Erases a stored result: its row and its objects. NotFoundError as for get."""

@type_check_only
class _Client:
    def __new__(
        cls,
        *,
        provider: _Provider | None = None,
        region: str | None = None,
        model: str | None = None,
        store: _Store | None = None,
        timeout: float | timedelta | None = None,
        catalogue: str | PathLike[str] | Mapping[str, object] | None = None,
    ) -> Self: ...
    def samples(self) -> list[str]:
        """The prompts that have an answer offline."""
    def models(self) -> list[dict[str, Any]]:
        """The models of this client's catalogue, each a dict: name, id (as it is asked for; None where it cannot be
        reached), family, context_window, max_output_tokens, end_of_life, successor."""
    def estimate(
        self, prompt: str, *, instructions: str | None = None, **options: Unpack[_Options]
    ) -> Estimate:
        """Estimates a request: tier and reason, model, tokens of the prompt, worst-case cost of one attempt. Sends nothing, needs no credentials, and is not awaited on an AsyncClient either. Options as for generate.

        >>> client = Client.local()
        >>> client.estimate("Write a Python function that reverses a string.").tier
        'simple'"""
    def close(self) -> None:
        """Lets go of connections and local state. Calls after it fail; results that are there stay good."""

@final
class Client(_Client):
    """Generates code with Claude on AWS. Settings come from the environment (CLAUDE_CODE_AWS_…), credentials and region
    by AWS's standard chain; what is passed here goes before. Nothing is sent, opened or connected before the first call.

    provider: bedrock, anthropic or samples. region: an AWS region. model: a model id, or haiku, sonnet, opus. store:
    none, disk or aws; by default results, cache and budgets are kept in ~/.claude-code-aws. timeout: seconds from the
    first send of a call to its end (900). catalogue: models added and prices corrected, as a dict or the path of a JSON file;
    CLAUDE_CODE_AWS_CATALOGUE otherwise.

    >>> client = Client.local()
    >>> generation = client.generate("Write a Python function that reverses a string.", store=False)
    >>> generation.accepted, generation.language
    (True, 'python')"""
    @staticmethod
    def local(
        dir: str | PathLike[str] | None = None,
        *,
        answers: _Answers = "samples",
        answers_model: str | None = None,
    ) -> Client:
        """staticmethod(function) -> method

        Convert a function to be a static method.

        A static method does not receive an implicit first argument.
        To declare a static method, use this idiom:

             class C:
                 @staticmethod
                 def f(arg1, arg2, argN):
                     ...

        It can be called either on the class (e.g. C.f()) or on an instance
        (e.g. C().f()). Both the class and the instance are ignored, and
        neither is passed implicitly as the first argument to the method.

        Static methods in Python are similar to those found in Java or C++.
        For a more advanced concept, see the classmethod builtin."""
    def generate(
        self, prompt: str, *, instructions: str | None = None, **options: Unpack[_Options]
    ) -> _Result:
        """Generates code. Raises only when there is no complete answer; a complete answer in which a check found an error is returned with `accepted` False and its `diagnostics`. On an AsyncClient it is awaited.

        language: programming language; by default taken from the prompt.
        files: files for the model to read: a mapping path → text, a list of CodeFile, (path, text) or pathlib.Path, or a single one of these. The model sees a path below the current directory, else the file's name alone.
        instructions: standing instructions in addition to the prompt.
        tier: simple, medium or complex; by default chosen by rules over the prompt.
        model: a model id, or haiku, sonnet, opus; by default the tier's current model.
        effort: reasoning effort: low, medium, high, xhigh or max; by default the model's own.
        thinking: True or False turns thinking on or off; by default the model's own setting.
        temperature: sampling temperature, 0 to 1, for models that accept it; for others it is left out, with a warning.
        max_tokens: maximum tokens of a single answer; by default by tier.
        max_usd: maximum cost of the request in dollars.
        max_sends: maximum number of attempts that may be billed; 1 is exactly one attempt.
        validate: check syntax and the contract between files, and repair errors.
        check: your own acceptance test: a function of the files (name → CodeFile). A returned text, Diagnostic or list of these is a finding; None or True is a pass. Findings and failed assertions are sent back for repair. It runs in a thread of its own; any other exception ends the call. Answers with a check are not cached.
        cache: response cache: use, refresh (ask again and replace the entry) or off.
        prompt_cache: 5m or 1h: how long the service caches the prompt's beginning, for many requests over the same files.
        store: store the result.
        timeout: seconds from the first attempt to the end, or a timedelta.
        on_event: a function that is called with each event in the caller's thread. An exception that it raises ends the call.

        Raises InvalidRequestError, AuthenticationError, PermissionDeniedError, RateLimitError, BudgetExceededError, ModelRetiredError, RequestTimeoutError, IncompleteAnswerError, RefusedError, UnavailableError, StorageError.

        >>> client = Client.local()
        >>> g = client.generate("Write a Python function that reverses a string.", store=False)
        >>> list(g.files)
        ['reverse_string.py']
        >>> g.receipt.total_usd
        Decimal('0')"""
    def refactor(
        self, code_or_files: str | _Files | Generation, *, instructions: str, **options: Unpack[_Options]
    ) -> _Result:
        """Changes code as the instructions say. `code_or_files` is a text, files as the option `files` takes them, or a Generation. The result has the changed files and their `diff`. Options and errors as for generate, and EditError where an edit does not apply. On an AsyncClient it is awaited."""
    def explain(
        self,
        code_or_files: str | _Files | Generation,
        *,
        instructions: str | None = None,
        **options: Unpack[_Options],
    ) -> _Result:
        """Says what code is for and how it works: words in .text, or a Markdown file. Takes code and options as refactor."""
    def review(
        self,
        code_or_files: str | _Files | Generation,
        *,
        instructions: str | None = None,
        **options: Unpack[_Options],
    ) -> _Result:
        """Says what is wrong or risky in code: words in .text, or a Markdown file. Takes code and options as refactor."""
    def test(
        self,
        code_or_files: str | _Files | Generation,
        *,
        instructions: str | None = None,
        **options: Unpack[_Options],
    ) -> _Result:
        """Writes tests for code. Takes code and options as refactor."""
    def document(
        self,
        code_or_files: str | _Files | Generation,
        *,
        instructions: str | None = None,
        **options: Unpack[_Options],
    ) -> _Result:
        """Writes the documentation of code into it; .diff says what changed. Takes code and options as refactor."""
    def stream(self, prompt: str, *, instructions: str | None = None, **options: Unpack[_Options]) -> Stream:
        """Generates code and streams it: iterate over the events, or `collect()` the result. Options and errors as for generate. Nothing is sent before the first event is requested; closing or dropping the stream closes the request.

        Chunks are a preview: of a file's events those with the highest revision count, and Finished has the final result. Events that arrive within 20 milliseconds come together."""
    def batch(
        self,
        requests: Iterable[str | dict[str, Any]],
        *,
        concurrency: int = 16,
        journal: str | PathLike[str] | None = None,
        progress: Callable[[int, int], object] | None = None,
        max_usd: Decimal | str | float | None = None,
        tokens_per_minute: int | None = None,
        lane: Literal["auto", "on-demand", "bedrock-batch"] = "auto",
        deadline: float | None = None,
    ) -> Batch:
        """Generates for many requests, at most `concurrency` at a time: iterate over the items, each a BatchItem with `index`, `request` and either `generation` or `error`. Items come as they finish, not in the order of the requests. A failure is that item's own; the others continue.

        requests: texts, or dicts of `prompt` and the options of generate (without `on_event` and `check`). All are read at once. Nothing is sent before the first item is requested; equal requests share one attempt; closing or dropping the batch closes open requests.
        journal: a path: every answer is written there before it is returned. The same call after a kill continues: answers in the journal are returned at once (`resumed` True) and not sent again; failures are sent again. It holds prompts and answers, and only its owner can read it.
        max_usd: the most that the batch may cost; each request reserves what it may cost before it is sent. With a journal earlier runs count too.
        tokens_per_minute: the quota of each model; requests are sent so that nothing is throttled.
        lane, deadline: "on-demand" sends one by one; "bedrock-batch" puts what it can into jobs of Bedrock's batch inference, at half the price; "auto" does so where a `deadline` (seconds, from an hour on) gives them time and a batch price is known. Jobs need a journal.
        progress: a function that is called with the number of finished items and of all items.

        >>> client = Client.local()
        >>> assert all(item.generation.accepted for item in client.batch(client.samples()[:3]))"""
    def budget(self) -> Budget:
        """The spending of the current UTC day, in dollars, and whether sending was stopped."""
    def stop_budget(self) -> None:
        """From now on nothing is sent: every client over the same state refuses with BudgetExceededError within
        two seconds. What is under way runs to its end."""
    def resume_budget(self) -> None:
        """Ends a stop, within two seconds for every client."""
    def doctor(self) -> Findings:
        """Looks at everything that this client needs and gives a list of Finding; what is not `ok` says in `fix` what to
        do. Sends nothing to a model."""
    def service(self, id: str | None = None) -> Service:
        """A conversation that describes a cloud service in seven answers and then writes its six files; with the
        `id` of one that was begun before, that one."""
    results: Final[Results]
    """Stored results: list, get, download, delete."""
    def __enter__(self) -> Self: ...
    def __exit__(self, *_exc: object) -> None: ...

@final
class AsyncClient(_Client):
    """As Client, for asyncio: generate and refactor are awaited, streams are read with `async for`. Works in any number of
    event loops; nothing runs before the first await, and cancelling a task closes its request."""
    @staticmethod
    def local(
        dir: str | PathLike[str] | None = None,
        *,
        answers: _Answers = "samples",
        answers_model: str | None = None,
    ) -> AsyncClient:
        """staticmethod(function) -> method

        Convert a function to be a static method.

        A static method does not receive an implicit first argument.
        To declare a static method, use this idiom:

             class C:
                 @staticmethod
                 def f(arg1, arg2, argN):
                     ...

        It can be called either on the class (e.g. C.f()) or on an instance
        (e.g. C().f()). Both the class and the instance are ignored, and
        neither is passed implicitly as the first argument to the method.

        Static methods in Python are similar to those found in Java or C++.
        For a more advanced concept, see the classmethod builtin."""
    def generate(
        self, prompt: str, *, instructions: str | None = None, **options: Unpack[_Options]
    ) -> Awaitable[_AsyncResult]:
        """Generates code. Raises only when there is no complete answer; a complete answer in which a check found an error is returned with `accepted` False and its `diagnostics`. On an AsyncClient it is awaited.

        language: programming language; by default taken from the prompt.
        files: files for the model to read: a mapping path → text, a list of CodeFile, (path, text) or pathlib.Path, or a single one of these. The model sees a path below the current directory, else the file's name alone.
        instructions: standing instructions in addition to the prompt.
        tier: simple, medium or complex; by default chosen by rules over the prompt.
        model: a model id, or haiku, sonnet, opus; by default the tier's current model.
        effort: reasoning effort: low, medium, high, xhigh or max; by default the model's own.
        thinking: True or False turns thinking on or off; by default the model's own setting.
        temperature: sampling temperature, 0 to 1, for models that accept it; for others it is left out, with a warning.
        max_tokens: maximum tokens of a single answer; by default by tier.
        max_usd: maximum cost of the request in dollars.
        max_sends: maximum number of attempts that may be billed; 1 is exactly one attempt.
        validate: check syntax and the contract between files, and repair errors.
        check: your own acceptance test: a function of the files (name → CodeFile). A returned text, Diagnostic or list of these is a finding; None or True is a pass. Findings and failed assertions are sent back for repair. It runs in a thread of its own; any other exception ends the call. Answers with a check are not cached.
        cache: response cache: use, refresh (ask again and replace the entry) or off.
        prompt_cache: 5m or 1h: how long the service caches the prompt's beginning, for many requests over the same files.
        store: store the result.
        timeout: seconds from the first attempt to the end, or a timedelta.
        on_event: a function that is called with each event in the caller's thread. An exception that it raises ends the call.

        Raises InvalidRequestError, AuthenticationError, PermissionDeniedError, RateLimitError, BudgetExceededError, ModelRetiredError, RequestTimeoutError, IncompleteAnswerError, RefusedError, UnavailableError, StorageError.

        >>> client = Client.local()
        >>> g = client.generate("Write a Python function that reverses a string.", store=False)
        >>> list(g.files)
        ['reverse_string.py']
        >>> g.receipt.total_usd
        Decimal('0')"""
    def refactor(
        self, code_or_files: str | _Files | Generation, *, instructions: str, **options: Unpack[_Options]
    ) -> Awaitable[_AsyncResult]:
        """Changes code as the instructions say. `code_or_files` is a text, files as the option `files` takes them, or a Generation. The result has the changed files and their `diff`. Options and errors as for generate, and EditError where an edit does not apply. On an AsyncClient it is awaited."""
    def explain(
        self,
        code_or_files: str | _Files | Generation,
        *,
        instructions: str | None = None,
        **options: Unpack[_Options],
    ) -> Awaitable[_AsyncResult]:
        """Says what code is for and how it works: words in .text, or a Markdown file. Takes code and options as refactor."""
    def review(
        self,
        code_or_files: str | _Files | Generation,
        *,
        instructions: str | None = None,
        **options: Unpack[_Options],
    ) -> Awaitable[_AsyncResult]:
        """Says what is wrong or risky in code: words in .text, or a Markdown file. Takes code and options as refactor."""
    def test(
        self,
        code_or_files: str | _Files | Generation,
        *,
        instructions: str | None = None,
        **options: Unpack[_Options],
    ) -> Awaitable[_AsyncResult]:
        """Writes tests for code. Takes code and options as refactor."""
    def document(
        self,
        code_or_files: str | _Files | Generation,
        *,
        instructions: str | None = None,
        **options: Unpack[_Options],
    ) -> Awaitable[_AsyncResult]:
        """Writes the documentation of code into it; .diff says what changed. Takes code and options as refactor."""
    def stream(
        self, prompt: str, *, instructions: str | None = None, **options: Unpack[_Options]
    ) -> AsyncStream:
        """Generates code and streams it: iterate over the events, or `collect()` the result. Options and errors as for generate. Nothing is sent before the first event is requested; closing or dropping the stream closes the request.

        Chunks are a preview: of a file's events those with the highest revision count, and Finished has the final result. Events that arrive within 20 milliseconds come together."""
    def batch(
        self,
        requests: Iterable[str | dict[str, Any]],
        *,
        concurrency: int = 16,
        journal: str | PathLike[str] | None = None,
        progress: Callable[[int, int], object] | None = None,
        max_usd: Decimal | str | float | None = None,
        tokens_per_minute: int | None = None,
        lane: Literal["auto", "on-demand", "bedrock-batch"] = "auto",
        deadline: float | None = None,
    ) -> AsyncBatch:
        """Generates for many requests, at most `concurrency` at a time: iterate over the items, each a BatchItem with `index`, `request` and either `generation` or `error`. Items come as they finish, not in the order of the requests. A failure is that item's own; the others continue.

        requests: texts, or dicts of `prompt` and the options of generate (without `on_event` and `check`). All are read at once. Nothing is sent before the first item is requested; equal requests share one attempt; closing or dropping the batch closes open requests.
        journal: a path: every answer is written there before it is returned. The same call after a kill continues: answers in the journal are returned at once (`resumed` True) and not sent again; failures are sent again. It holds prompts and answers, and only its owner can read it.
        max_usd: the most that the batch may cost; each request reserves what it may cost before it is sent. With a journal earlier runs count too.
        tokens_per_minute: the quota of each model; requests are sent so that nothing is throttled.
        lane, deadline: "on-demand" sends one by one; "bedrock-batch" puts what it can into jobs of Bedrock's batch inference, at half the price; "auto" does so where a `deadline` (seconds, from an hour on) gives them time and a batch price is known. Jobs need a journal.
        progress: a function that is called with the number of finished items and of all items.

        >>> client = Client.local()
        >>> assert all(item.generation.accepted for item in client.batch(client.samples()[:3]))"""
    def budget(self) -> Awaitable[Budget]:
        """The spending of the current UTC day, in dollars, and whether sending was stopped."""
    def stop_budget(self) -> Awaitable[None]:
        """From now on nothing is sent: every client over the same state refuses with BudgetExceededError within
        two seconds. What is under way runs to its end."""
    def resume_budget(self) -> Awaitable[None]:
        """Ends a stop, within two seconds for every client."""
    def doctor(self) -> Awaitable[Findings]:
        """Looks at everything that this client needs and gives a list of Finding; what is not `ok` says in `fix` what to
        do. Sends nothing to a model."""
    def service(self, id: str | None = None) -> Awaitable[AsyncService]:
        """A conversation that describes a cloud service in seven answers and then writes its six files; with the
        `id` of one that was begun before, that one."""
    results: Final[AsyncResults]
    """Stored results: list, get, download, delete."""
    def aclose(self) -> Awaitable[None]:
        """As close, without blocking the event loop."""
    def __aenter__(self) -> Awaitable[Self]: ...
    def __aexit__(self, *_exc: object) -> Awaitable[None]: ...

@final
class Twin:
    """Bedrock inside the process, for tests: it answers as it is told, and remembers what it was asked."""
    def __new__(cls, dir: str | PathLike[str] | None = None) -> Self: ...
    def answer(
        self,
        text: str,
        *,
        prompt: str | None = None,
        times: int = 1,
        stop_reason: str | None = None,
        usage: _Figures | None = None,
    ) -> None:
        """Answers the next question with this text, as a model would write it; with `prompt`, every question that
        contains it, for which no other answer comes first. stop_reason: any word, such as refusal. usage: figures in
        the place of estimated ones: input, output, cache_read, cache_write."""
    def refuse(
        self,
        kind: Literal["throttled", "unavailable", "invalid", "not_found"],
        *,
        message: str = "scripted",
        times: int = 1,
    ) -> None:
        """Refuses the next questions as Bedrock does: `throttled` (429), `unavailable` (503), `invalid` (400) or
        `not_found` (404)."""
    def play(self, script: str) -> None:
        """Plays the steps of a script in JSON, one for each question. A step without an answer or error takes that of
        `answer(prompt=...)`, else the sample.

        A script of the local twin: answers, errors and faults in JSON, one step for each question.

        ```json
        {"steps": [
          {"times": 2, "error": {"code": "ThrottlingException", "status": 429, "message": "slow down"}},
          {"answer": {"text": "half a f", "stop_reason": "max_tokens", "usage": {"input": 900, "cache_read": 400}}},
          {"answer": {"text": "…"}, "faults": [{"latency_ms": 500}, {"cut_at": 300}]},
          {"answer": {"tool_use": {"name": "weather", "input": {"city": "Rome"}}}},
          {"faults": [{"exception": {"at": 2, "code": "throttlingException", "message": "slow down"}}]}
        ]}
        ```

        A `tool_use` without a name calls the tool that the request forces; a request that forces a tool or a JSON schema is refused
        where the answer has none.

        A step without `answer` and `error` takes the sample answer; after the last step sample answers follow. Requests that the
        model itself would refuse take no step. `stop_reason` is any word, known to the service or not. Of `usage`, what is left
        out of `input`, `output`, `cache_read` and `cache_write` is estimated: up to a cache point the first call writes, and an
        equal prefix is read for 5 minutes or its `ttl`. Several faults of a step meet the answer one after the other. A fault is
        one of

        ```text
        latency_ms, pace_ms      nothing for so long before the status; between frames
        tokens_per_second        as fast as a model that writes so many; without a stream so late
        slice                    frames go in slices of so many bytes
        stall_at                 after so many bytes nothing comes any more
        break_at                 after so many bytes the connection breaks
        cut_at                   after so many bytes the body ends as if it were whole
        damage, flip_bit         the frame of this number has a wrong checksum; this bit of the body is turned over
        lose, double, swap       the frame of this number is lost, comes twice, comes after the next one
        exception                {"at": 2, "code": "throttlingException", "message": "…"}: in the place of frame 2, and the
                                 end; without a stream the whole answer is that error
        header                   {"name": "retry-after", "value": "7"} on the answer or error
        body, body_base64        this text, these bytes in the place of the body
        ```

        Frames count from 0: messageStart, one for every 20 characters of text, contentBlockStop, messageStop, metadata."""
    def fault(
        self,
        *,
        latency: float | None = None,
        pace: float | None = None,
        stall_at: int | None = None,
        break_at: int | None = None,
        cut_at: int | None = None,
        damage: int | None = None,
        times: int = 1,
    ) -> None:
        """Puts faults on the way of the next answer. latency: seconds before its status. pace: seconds before each
        further event; neither is below 0. stall_at, break_at, cut_at: bytes after which nothing comes any more, the connection breaks,
        or the answer ends as if it were whole. damage: the number of an event whose checksum is made wrong."""
    def listen(self) -> dict[str, str]:
        """Listens on loopback until the twin is gone, and gives the environment variables with which boto3, the anthropic
        package and other programs reach it: its script is theirs, and `sent()` has what they ask. S3 and DynamoDB are
        there for a Twin that was given a directory.

        >>> for name, value in claude_twin.listen().items():
        ...     monkeypatch.setenv(name, value)
        >>> boto3.client("bedrock-runtime").converse(...)"""
    def sent(self) -> list[Sent]:
        """Every question so far, oldest first."""
    def client(
        self,
        *,
        store: Literal["none", "disk"] = "none",
        model: str | None = None,
        timeout: float | None = None,
    ) -> Client:
        """A client of this twin. store: none, or disk (in the twin's directory). The environment has no say."""
    def async_client(
        self,
        *,
        store: Literal["none", "disk"] = "none",
        model: str | None = None,
        timeout: float | None = None,
    ) -> AsyncClient:
        """The same for asyncio."""

class ClaudeCodeError(Exception):
    """The base of every exception of this package: .kind says what callers act on, .hint what to do, .partial and .receipt what was received and paid for until then, .retry_after (seconds) how long the service asked to wait."""

    kind: str | None
    hint: str | None
    request_id: str | None
    receipt: Receipt | None
    partial: Generation | None
    retry_after: float | None

class InvalidRequestError(ClaudeCodeError):
    """A value of the request cannot be used; nothing was sent."""

class AuthenticationError(ClaudeCodeError):
    """There are no credentials, or they were refused."""

class PermissionDeniedError(ClaudeCodeError):
    """The caller is known and may not do this."""

class NotFoundError(ClaudeCodeError):
    """There is no such id, or it has expired."""

class RateLimitError(ClaudeCodeError):
    """The service asks to slow down; .retry_after says how long, where it said so."""

class BudgetExceededError(ClaudeCodeError):
    """A cap on spending would be passed; the send that would pass it was not made."""

class ModelRetiredError(ClaudeCodeError):
    """The model is past its end of life; the message names its successor."""

class IncompleteAnswerError(ClaudeCodeError):
    """The answer ended too early; .partial has what was received."""

class RejectedAnswerError(ClaudeCodeError):
    """A complete answer in which a check found an error: raise_for_rejected(). .partial is the result."""

class RefusedError(ClaudeCodeError):
    """The model or a filter declined."""

class UnavailableError(ClaudeCodeError):
    """The service cannot answer now, or sent what cannot be read."""

class StorageError(ClaudeCodeError):
    """S3, DynamoDB or the local disk failed."""

class ConflictError(ClaudeCodeError):
    """Something else is in progress, or exists already."""

class EditError(ClaudeCodeError):
    """An edit does not fit the file that it names."""

class ForkedProcessError(ClaudeCodeError):
    """A stream, batch or local database that was open when the process was forked is the parent's."""

class RequestTimeoutError(ClaudeCodeError, TimeoutError):
    """A limit on waiting passed: first event, idle, or total. Also a TimeoutError."""

def read_answer(text: str) -> Answer:
    """Reads files out of any model's answer: fences, names in headings, comments or remarks, nested fences.
    Never fails: what cannot be read as a file stays text.

    >>> answer = read_answer("Here:\\n```python hello.py\\nprint('hello')\\n```\\n")
    >>> answer.files[0].path, answer.files[0].content, answer.complete
    ('hello.py', "print('hello')\\n", True)"""

def _findings(found: list[Finding]) -> str: ...
def _main(args: list[str]) -> int: ...
def _lambda(event: str, deadline: int) -> str: ...
