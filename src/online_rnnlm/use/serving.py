"""An HTTP service on this machine that answers with what `score` gives.

`POST /score` takes a JSON object (`ScoreRequest`) and answers with `sentences` or `words`, and with
`total`. `GET /health` says which model is served. A request that cannot be served gets a status of
400 or more and an object with one line, `error`.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
import time
import unicodedata
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal, cast

from pydantic import StrictBool, StrictStr, ValidationError

from online_rnnlm.config.base import Fraction, NonNegativeFloat, PositiveInt, Rate, Settings
from online_rnnlm.config.messages import first_message
from online_rnnlm.config.testing import LearnAfter, Steps, UnitOfText
from online_rnnlm.config.yaml_files import each_key_once
from online_rnnlm.errors import UserError, WrongInputError
from online_rnnlm.use.columns import Columns, records_of
from online_rnnlm.use.model import Learning, TrainedModel
from online_rnnlm.use.network import Request
from online_rnnlm.use.scored import Total
from online_rnnlm.use.text import sentences_of

logger = logging.getLogger(__name__)

HOST = "127.0.0.1"
_SECONDS = 30
"""Time in which a client must send its request, or take its answer."""
_MOST_CLIENTS = 128
"""Connections that are open at once; more are closed."""
_MOST_STATES = 2_000_000
"""Limit where weights learn: a request's words times the states that a loss goes back through."""
_MOST_PRODUCTS = 1_000_000_000
"""Limit of a neural cache: a request's words times the words that each is compared with."""
_MOST_MARKS = 1000
"""Limit of combining marks in a row: the time to compose them grows with their square."""


class ScoreRequest(Settings):
    """The JSON object of a request; its options are those of `Way`."""

    texts: list[StrictStr]
    """The sentences; an empty one ends a document."""
    per: Literal["sentence", "word"] = "sentence"
    tokenised: StrictBool = False
    running: StrictBool = False
    updates: str | None = None
    unit_of_text: UnitOfText | None = None
    learn_after: LearnAfter = "word"
    learning_rate: Rate | None = None
    steps: Steps | None = None
    cache: str | None = None
    cache_window: PositiveInt | None = None
    cache_weight: Fraction | None = None
    cache_theta: NonNegativeFloat | None = None


class ScoringServer(ThreadingHTTPServer):
    """A server of one model; requests are read side by side and scored one after the other."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, model: TrainedModel, port: int, most_bytes: int) -> None:
        try:
            super().__init__((HOST, port), _Handler)
        except OSError as error:
            raise UserError(f"port {port}: cannot be used: {error.strerror}") from None
        self._model = model
        self._lock = threading.Lock()  # because the network keeps its scorers
        self._places = threading.BoundedSemaphore(_MOST_CLIENTS)
        self.most_bytes = most_bytes
        """Bytes of the largest request."""

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer in a thread of its own, or close the connection if there are too many."""
        if self._places.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer all requests of a connection."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log in one line what ended a request; a client that has gone is no error."""
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            logger.error("a request failed: %s: %s", type(error).__name__, error)

    @property
    def address(self) -> str:
        """The address that clients use."""
        return f"http://{HOST}:{self.server_address[1]}"

    def health(self) -> dict[str, Any]:
        """Return what `GET /health` answers."""
        described = self._model.description
        return {"status": "ok", "run": described.run, "identity": described.identity}

    def answer(self, body: bytes) -> dict[str, Any]:
        """Return what `POST /score` answers; raises UserError for a request that is wrong."""
        asked = _parsed(body)
        model = self._model
        learning = {key: getattr(asked, key) for key in Learning.__annotations__}
        request = model.request(**cast("Learning", learning))
        layout = model.preparation.layout(running=asked.running, tokenised=asked.tokenised)
        total, tables = Total(), list[Columns]()
        with self._lock:
            sentences = list(sentences_of(asked.texts, model.preparation, layout))
            _refuse_too_much(sum(len(sentence.words) for sentence in sentences), request)
            for part in model.score_parts(sentences, request):
                first = total.sentences
                tables.append(part.words(first) if asked.per == "word" else part.table(first))
                total.add(part.table(first))
        if not total.sentences:
            raise WrongInputError("`texts`: no text in it")
        rows = [row for table in tables for row in records_of(table)]
        return {f"{asked.per}s": rows, "total": total.row(whole=True)}


def _parsed(body: bytes) -> ScoreRequest:
    try:
        values = json.loads(body, object_pairs_hook=each_key_once)
    except (ValueError, RecursionError) as error:
        raise WrongInputError(f"not JSON: {' '.join(str(error).split())}") from None
    try:
        asked = ScoreRequest.model_validate(values)
    except ValidationError as error:
        raise WrongInputError(first_message(error)) from None
    _refuse_long_letters(asked.texts)
    return asked


def _refuse_long_letters(texts: list[str]) -> None:
    """Raise WrongInputError for a letter with so many marks that composing it would not end."""
    for text in texts:
        marks = 0
        for letter in "" if text.isascii() else text:
            marks = marks + 1 if unicodedata.combining(letter) else 0
            if marks > _MOST_MARKS:
                raise WrongInputError(f"`texts`: a letter has more than {_MOST_MARKS} marks")


def _refuse_too_much(words: int, request: Request) -> None:
    """Raise WrongInputError if all others would have to wait too long for a request's answer."""
    if request.weights_learn:
        key, each, largest = "steps", request.steps, _MOST_STATES
    elif request.cache is not None and request.cache.name == "neural_cache":
        key, each, largest = "cache_window", min(words, request.cache.window), _MOST_PRODUCTS
    else:
        return
    most = largest // max(words, 1)
    if each > most:
        raise WrongInputError(f"`texts`: with so many words `{key}` may be {most} at most")


class _Handler(BaseHTTPRequestHandler):
    """The answers to one client."""

    server: ScoringServer
    protocol_version = "HTTP/1.1"
    timeout = _SECONDS

    def do_GET(self) -> None:
        """Answer `GET /health`."""
        if self.path == "/health":
            self._send(HTTPStatus.OK, self.server.health())
        else:
            self._refuse(HTTPStatus.NOT_FOUND, "there are `GET /health` and `POST /score`")

    def do_POST(self) -> None:
        """Answer `POST /score`."""
        if self.path != "/score":
            self._refuse(HTTPStatus.NOT_FOUND, "there are `GET /health` and `POST /score`")
            return
        length = self.headers.get("Content-Length", "")
        if "Transfer-Encoding" in self.headers or not (length.isascii() and length.isdigit()):
            self._refuse(HTTPStatus.LENGTH_REQUIRED, "`Content-Length`: a number is needed")
            return
        length = length.lstrip("0") or "0"
        # Python refuses to read numbers of thousands of digits.
        if int(length[:20]) > self.server.most_bytes:
            most = f"at most {self.server.most_bytes} bytes are read"
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, most)
            return
        body = self._read(int(length))
        if len(body) < int(length):
            self._refuse(HTTPStatus.BAD_REQUEST, "the request is cut off, or came too slowly")
            return
        try:
            answer = self.server.answer(body)
        except UserError as error:
            self._refuse(HTTPStatus.BAD_REQUEST, str(error))
        except Exception:
            logger.exception("a request could not be answered")
            self._refuse(HTTPStatus.INTERNAL_SERVER_ERROR, "the request could not be answered")
        else:
            self._send(HTTPStatus.OK, answer)

    def _read(self, length: int) -> bytes:
        """Read the body of a request; it is shorter if it has not come in time."""
        end, body = time.monotonic() + _SECONDS, b""
        while len(body) < length and time.monotonic() < end:
            part = self.rfile.read1(length - len(body))
            if not part:
                break
            body += part
        return body

    def _refuse(self, status: HTTPStatus, message: str) -> None:
        """Answer with one line, and end the connection, since its body may be unread."""
        self.close_connection = True
        self._send(status, {"error": message})

    def _send(self, status: HTTPStatus, value: dict[str, Any]) -> None:
        body = json.dumps(value, ensure_ascii=True, allow_nan=False).encode() + b"\n"
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer what http.server itself refuses, such as another method, in the same way."""
        self._refuse(HTTPStatus(code), message or HTTPStatus(code).phrase)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Write nothing: texts are the user's own."""
