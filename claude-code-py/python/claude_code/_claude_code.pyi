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
    TypeVar,
    final,
    overload,
    type_check_only,
)

from typing_extensions import Self, TypeAlias, Unpack

_T = TypeVar("_T", covariant=True)

# Where a class has a method of this name.
_Paths: TypeAlias = list[Path]

_Event: TypeAlias = FileStarted | FileChunk | FileFinished | Text | Notice | Finished
_File: TypeAlias = CodeFile | PathLike[str]
_Files: TypeAlias = Mapping[str, str] | Mapping[str, CodeFile] | Iterable[_File | tuple[str, str]] | _File
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
    tier: str | None
    model: str | None
    effort: str | None
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
    input_tokens: Final[int]
    output_tokens: Final[int]
    cache_read_input_tokens: Final[int]
    cache_creation_input_tokens: Final[int]
    thinking_tokens: Final[int | None]

@final
class ReceiptItem(_Record):
    attempt: Final[int]
    model: Final[str]
    what: Final[str]
    tokens: Final[int | None]
    usd_per_million_tokens: Final[Decimal | None]
    usd: Final[Decimal | None]

@final
class Receipt(_Record):
    total_usd: Final[Decimal | None]
    known_usd: Final[Decimal]
    priced: Final[bool]
    items: Final[list[ReceiptItem]]
    price_table: Final[str]
    saved_by_response_cache_usd: Final[Decimal]
    saved_by_prompt_cache_usd: Final[Decimal]
    saved_by_tier_usd: Final[Decimal]
    def _repr_html_(self) -> str: ...

@final
class Attempt(_Record):
    model: Final[str]
    why: Final[str]
    outcome: Final[str]
    cost: Final[Decimal | None]
    unknown: Final[bool]
    waited_ms: Final[int]
    request_id: Final[str | None]

@final
class Diagnostic(_Record):
    path: Final[str | None]
    line: Final[int]
    column: Final[int]
    severity: Final[str]
    message: Final[str]

@final
class Cached(_Record):
    age_seconds: Final[int]

@final
class Estimate(_Record):
    tier: Final[str]
    tier_reason: Final[str]
    model: Final[str]
    input_tokens: Final[int]
    worst_usd: Final[Decimal | None]
    warnings: Final[list[str]]
    def _repr_html_(self) -> str: ...

@final
class Finding(_Record):
    name: Final[str]
    ok: Final[bool]
    detail: Final[str]
    fix: Final[str | None]
    def _repr_html_(self) -> str: ...

@final
class Budget(_Record):
    cap: Final[Decimal | None]
    spent: Final[Decimal]
    reserved: Final[Decimal]
    stopped: Final[bool]

@final
class CodeFile(_Record):
    path: Final[str | None]
    language: Final[str]
    content: Final[str]
    complete: Final[bool]
    size: Final[int]
    sha256: Final[str]
    rejected: Final[str | None]

@final
class Answer(_Record):
    files: Final[list[CodeFile]]
    text: Final[str]
    complete: Final[bool]
    notes: Final[list[str]]

@type_check_only
class _FileEvent(_Record):
    index: Final[int]
    path: Final[str | None]
    revision: Final[int]

@final
class FileStarted(_FileEvent):
    language: Final[str]

@final
class FileChunk(_FileEvent):
    text: Final[str]

@final
class FileFinished(_FileEvent):
    complete: Final[bool]

@final
class Text(_Record):
    text: Final[str]

@final
class Notice(_Record):
    why: Final[str]
    model: Final[str]
    wait_seconds: Final[float]
    cause: Final[str | None]
    left_seconds: Final[float]

@final
class Finished(_Record):
    generation: Final[Generation]

@final
class ServiceCode(_Record):
    service_id: Final[str]
    code_id: Final[str]
    accepted: Final[bool]
    files: Final[Mapping[str, CodeFile]]
    diagnostics: Final[list[Diagnostic]]
    model: Final[str | None]
    receipt: Final[Receipt]
    sample: Final[bool]
    generated_at: Final[str]
    def write_to(self, dir: str | PathLike[str], *, overwrite: bool = False) -> list[Path]: ...
    def _repr_html_(self) -> str: ...

@final
class ResultRow(_Record):
    id: Final[str]
    prompt: Final[str]
    language: Final[str]
    generated_at: Final[str]
    code_length: Final[int]
    s3_key: Final[str]
    model: Final[str]
    stop_reason: Final[str]
    total_usd: Final[Decimal | None]

@final
class Page(_Record):
    items: Final[list[ResultRow]]
    next: Final[str | None]
    def __len__(self) -> int: ...
    @overload
    def __getitem__(self, index: int, /) -> ResultRow: ...
    @overload
    def __getitem__(self, index: slice, /) -> list[ResultRow]: ...
    def __iter__(self) -> Iterator[ResultRow]: ...
    def to_dataframe(self) -> Any: ...
    def _repr_html_(self) -> str: ...

@final
class Sent(_Record):
    model: Final[str]
    system: Final[str]
    prompt: Final[str]
    max_tokens: Final[int | None]
    temperature: Final[float | None]
    body: Final[Any]

@final
class Generation(_Record):
    id: Final[str]
    accepted: Final[bool]
    language: Final[str]
    files: Final[Mapping[str, CodeFile]]
    code: Final[str]
    text: Final[str]
    model: Final[str]
    tier: Final[str]
    tier_reason: Final[str]
    stop_reason: Final[str | None]
    usage: Final[Usage]
    receipt: Final[Receipt]
    attempts: Final[list[Attempt]]
    diagnostics: Final[list[Diagnostic]]
    warnings: Final[list[str]]
    diff: Final[str | None]
    cached: Final[Cached | None]
    stored: Final[bool]
    stored_problem: Final[str | None]
    s3_key: Final[str | None]
    generated_at: Final[str]
    sample: Final[bool]
    def raise_for_rejected(self) -> Self: ...
    def write_to(
        self,
        dir: str | PathLike[str],
        *,
        overwrite: bool = False,
        allow_auto_exec: bool = False,
        skip_refused: bool = False,
        allow_shrink: bool = False,
    ) -> list[Path]: ...
    def undo(self) -> list[Path]: ...
    def refine(self, instructions: str, **options: Unpack[_Options]) -> Any: ...
    def _repr_html_(self) -> str: ...

@final
class Awaitable(Coroutine[Any, Any, _T], Generic[_T]):
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
    def __iter__(self) -> Self: ...
    def __next__(self) -> _Event: ...
    def collect(self) -> Generation: ...
    generation: Final[Generation]
    def close(self) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(self, *_exc: object) -> None: ...

@final
class AsyncStream:
    def __aiter__(self) -> Self: ...
    def __anext__(self) -> Awaitable[_Event]: ...
    def collect(self) -> Awaitable[Generation]: ...
    generation: Final[Generation]
    def close(self) -> None: ...
    def aclose(self) -> Awaitable[None]: ...
    def __aenter__(self) -> Awaitable[Self]: ...
    def __aexit__(self, *_exc: object) -> Awaitable[None]: ...

@final
class BatchItem:
    index: Final[int]
    request: Final[str | dict[str, Any]]
    generation: Final[Generation | None]
    error: Final[ClaudeCodeError | None]
    resumed: Final[bool]
    def __new__(
        cls,
        index: int,
        request: str | dict[str, Any],
        generation: Generation | None = None,
        error: ClaudeCodeError | None = None,
        resumed: bool = False,
    ) -> Self: ...
    def to_dict(self) -> dict[str, Any]: ...
    def __copy__(self) -> Self: ...
    def __deepcopy__(self, _memo: object) -> Self: ...
    def __eq__(self, other: object, /) -> bool: ...
    __hash__: ClassVar[None]  # type: ignore[assignment]

@final
class Batch:
    def __len__(self) -> int: ...
    def __iter__(self) -> Self: ...
    def __next__(self) -> BatchItem: ...
    def close(self) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(self, *_exc: object) -> None: ...

@final
class AsyncBatch:
    def __len__(self) -> int: ...
    def __aiter__(self) -> Self: ...
    def __anext__(self) -> Awaitable[BatchItem]: ...
    def close(self) -> None: ...
    def __aenter__(self) -> Awaitable[Self]: ...
    def __aexit__(self, *_exc: object) -> Awaitable[None]: ...

@type_check_only
class _Service:
    id: Final[str]
    question: Final[str | None]
    step: Final[int | None]
    total_steps: Final[int]
    title: Final[str | None]
    example: Final[str | None]
    done: Final[bool]
    data: Final[dict[str, Any]]

@final
class Service(_Service):
    def message(self, text: str, /) -> str | None: ...
    def generate(
        self,
        service_data: dict[str, Any] | None = None,
        *,
        timeout: float | timedelta | None = None,
        on_event: Callable[[_Event], object] | None = None,
    ) -> ServiceCode: ...

@final
class AsyncService(_Service):
    def message(self, text: str, /) -> Awaitable[str | None]: ...
    def generate(
        self,
        service_data: dict[str, Any] | None = None,
        *,
        timeout: float | timedelta | None = None,
        on_event: Callable[[_Event], object] | None = None,
    ) -> Awaitable[ServiceCode]: ...

@final
class Results:
    def list(
        self,
        *,
        language: str,
        since: str | None = None,
        until: str | None = None,
        cursor: str | None = None,
        limit: int = 20,
    ) -> Page: ...
    def get(self, id: str) -> Generation: ...
    def download(self, id: str, dir: str | PathLike[str], *, overwrite: bool = False) -> _Paths: ...
    def delete(self, id: str) -> None: ...

@final
class AsyncResults:
    def list(
        self,
        *,
        language: str,
        since: str | None = None,
        until: str | None = None,
        cursor: str | None = None,
        limit: int = 20,
    ) -> Awaitable[Page]: ...
    def get(self, id: str) -> Awaitable[Generation]: ...
    def download(
        self, id: str, dir: str | PathLike[str], *, overwrite: bool = False
    ) -> Awaitable[_Paths]: ...
    def delete(self, id: str) -> Awaitable[None]: ...

@type_check_only
class _Client:
    def __new__(
        cls,
        *,
        provider: str | None = None,
        region: str | None = None,
        model: str | None = None,
        store: str | None = None,
        timeout: float | timedelta | None = None,
        catalogue: str | PathLike[str] | Mapping[str, object] | None = None,
    ) -> Self: ...
    def samples(self) -> list[str]: ...
    def models(self) -> list[dict[str, Any]]: ...
    def estimate(
        self, prompt: str, *, instructions: str | None = None, **options: Unpack[_Options]
    ) -> Estimate: ...
    def close(self) -> None: ...

@final
class Client(_Client):
    @staticmethod
    def local(dir: str | PathLike[str] | None = None, *, answers: _Answers = "samples") -> Client: ...
    def generate(
        self, prompt: str, *, instructions: str | None = None, **options: Unpack[_Options]
    ) -> Generation: ...
    def refactor(
        self, code_or_files: str | _Files | Generation, *, instructions: str, **options: Unpack[_Options]
    ) -> Generation: ...
    def explain(
        self,
        code_or_files: str | _Files | Generation,
        *,
        instructions: str | None = None,
        **options: Unpack[_Options],
    ) -> Generation: ...
    def review(
        self,
        code_or_files: str | _Files | Generation,
        *,
        instructions: str | None = None,
        **options: Unpack[_Options],
    ) -> Generation: ...
    def test(
        self,
        code_or_files: str | _Files | Generation,
        *,
        instructions: str | None = None,
        **options: Unpack[_Options],
    ) -> Generation: ...
    def document(
        self,
        code_or_files: str | _Files | Generation,
        *,
        instructions: str | None = None,
        **options: Unpack[_Options],
    ) -> Generation: ...
    def stream(
        self, prompt: str, *, instructions: str | None = None, **options: Unpack[_Options]
    ) -> Stream: ...
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
    ) -> Batch: ...
    def budget(self) -> Budget: ...
    def stop_budget(self) -> None: ...
    def resume_budget(self) -> None: ...
    def doctor(self) -> list[Finding]: ...
    def service(self, id: str | None = None) -> Service: ...
    results: Final[Results]
    def __enter__(self) -> Self: ...
    def __exit__(self, *_exc: object) -> None: ...

@final
class AsyncClient(_Client):
    @staticmethod
    def local(dir: str | PathLike[str] | None = None, *, answers: _Answers = "samples") -> AsyncClient: ...
    def generate(
        self, prompt: str, *, instructions: str | None = None, **options: Unpack[_Options]
    ) -> Awaitable[Generation]: ...
    def refactor(
        self, code_or_files: str | _Files | Generation, *, instructions: str, **options: Unpack[_Options]
    ) -> Awaitable[Generation]: ...
    def explain(
        self,
        code_or_files: str | _Files | Generation,
        *,
        instructions: str | None = None,
        **options: Unpack[_Options],
    ) -> Awaitable[Generation]: ...
    def review(
        self,
        code_or_files: str | _Files | Generation,
        *,
        instructions: str | None = None,
        **options: Unpack[_Options],
    ) -> Awaitable[Generation]: ...
    def test(
        self,
        code_or_files: str | _Files | Generation,
        *,
        instructions: str | None = None,
        **options: Unpack[_Options],
    ) -> Awaitable[Generation]: ...
    def document(
        self,
        code_or_files: str | _Files | Generation,
        *,
        instructions: str | None = None,
        **options: Unpack[_Options],
    ) -> Awaitable[Generation]: ...
    def stream(
        self, prompt: str, *, instructions: str | None = None, **options: Unpack[_Options]
    ) -> AsyncStream: ...
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
    ) -> AsyncBatch: ...
    def budget(self) -> Awaitable[Budget]: ...
    def stop_budget(self) -> Awaitable[None]: ...
    def resume_budget(self) -> Awaitable[None]: ...
    def doctor(self) -> Awaitable[list[Finding]]: ...
    def service(self, id: str | None = None) -> Awaitable[AsyncService]: ...
    results: Final[AsyncResults]
    def aclose(self) -> Awaitable[None]: ...
    def __aenter__(self) -> Awaitable[Self]: ...
    def __aexit__(self, *_exc: object) -> Awaitable[None]: ...

@final
class Twin:
    def __new__(cls, dir: str | PathLike[str] | None = None) -> Self: ...
    def answer(
        self,
        text: str,
        *,
        prompt: str | None = None,
        times: int = 1,
        stop_reason: str | None = None,
        usage: _Figures | None = None,
    ) -> None: ...
    def refuse(
        self,
        kind: Literal["throttled", "unavailable", "invalid", "not_found"],
        *,
        message: str = "scripted",
        times: int = 1,
    ) -> None: ...
    def play(self, script: str) -> None: ...
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
    ) -> None: ...
    def listen(self) -> dict[str, str]: ...
    def _panic(self) -> None: ...
    def sent(self) -> list[Sent]: ...
    def client(
        self,
        *,
        store: Literal["none", "disk"] = "none",
        model: str | None = None,
        timeout: float | None = None,
    ) -> Client: ...
    def async_client(
        self,
        *,
        store: Literal["none", "disk"] = "none",
        model: str | None = None,
        timeout: float | None = None,
    ) -> AsyncClient: ...

class ClaudeCodeError(Exception):
    kind: str | None
    hint: str | None
    request_id: str | None
    receipt: Receipt | None
    partial: Generation | None
    retry_after: float | None

class InvalidRequestError(ClaudeCodeError): ...
class AuthenticationError(ClaudeCodeError): ...
class PermissionDeniedError(ClaudeCodeError): ...
class NotFoundError(ClaudeCodeError): ...
class RateLimitError(ClaudeCodeError): ...
class BudgetExceededError(ClaudeCodeError): ...
class ModelRetiredError(ClaudeCodeError): ...
class IncompleteAnswerError(ClaudeCodeError): ...
class RejectedAnswerError(ClaudeCodeError): ...
class RefusedError(ClaudeCodeError): ...
class UnavailableError(ClaudeCodeError): ...
class StorageError(ClaudeCodeError): ...
class ConflictError(ClaudeCodeError): ...
class EditError(ClaudeCodeError): ...
class ForkedProcessError(ClaudeCodeError): ...
class RequestTimeoutError(ClaudeCodeError, TimeoutError): ...

def read_answer(text: str) -> Answer: ...
def _main(args: list[str]) -> int: ...
def _lambda(event: str, deadline: int) -> str: ...
