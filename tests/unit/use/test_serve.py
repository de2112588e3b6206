"""Tests of the HTTP service: it gives what `score` gives, and one line for what is wrong."""

import contextlib
import http.client
import json
import os
import random
import signal
import socket
import struct
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from online_rnnlm.use import serving
from online_rnnlm.use.serving import HOST, ScoringServer
from tests.waiting import heeding_interrupts, wait_until

pytestmark = pytest.mark.slow  # a training, and many requests

MOST = 5000
many = settings(
    max_examples=int(os.environ.get("FUZZ", "100")), suppress_health_check=list(HealthCheck)
)


@pytest.fixture(scope="module")
def server(model):
    with served(model) as found:
        yield found


@contextlib.contextmanager
def served(model):
    with ScoringServer(model, 0, MOST) as found:
        thread = threading.Thread(target=found.serve_forever)
        thread.start()
        yield found
        found.shutdown()
        thread.join()


def asked(server, method, path, body=None, headers=None):
    """Return the status and the value of an answer."""
    client = http.client.HTTPConnection(HOST, server.server_address[1], timeout=60)
    try:
        client.request(method, path, body, headers or {})
        answer = client.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        client.close()


def scores(server, **values):
    status, found = asked(server, "POST", "/score", json.dumps(values))
    assert status == 200, found
    return found


def test_eight_clients_at_once_get_the_numbers_of_score(server, model_path, run, names, results):
    lines = results.corpus("topics").split("test").read_text(encoding="utf-8").splitlines()
    chance = random.Random(1)
    texts = [chance.sample(lines, chance.randint(1, 20)) for _ in range(40)]
    with ThreadPoolExecutor(8) as clients:
        found = list(clients.map(lambda t: scores(server, texts=t, tokenised=True), texts))
    for sentences, answer in zip(texts, found, strict=True):
        out = run(
            "score", model_path, "--tokenised", "--format", "jsonl", text="\n".join(sentences)
        ).out
        assert answer["sentences"] == names.json_lines(out)
        assert answer["total"]["sentences"] == len(sentences)


def test_options_are_those_of_score(server, model):
    texts = ["The cat sees the hen.", "The ship."]
    found = scores(server, texts=texts, updates="none", per="word")
    logs = [row["log_probability"] for row in found["words"]]
    expected = model.log_probabilities(texts, updates="none")
    assert logs == [value for one in expected for value in one]
    assert found["words"][-1]["word"] == "</s>"


def test_health(server, names):
    status, found = asked(server, "GET", "/health")
    assert (status, found["status"], found["run"]) == (200, "ok", names.VECTOR)


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "expected"),
    [
        ("GET", "/", None, 404, "there are `GET /health` and `POST /score`"),
        ("POST", "/", "{}", 404, "there are `GET /health`"),
        ("PUT", "/score", "{}", 501, "Unsupported method"),
        ("POST", "/score", "{", 400, "not JSON: "),
        ("POST", "/score", "[" * 4000, 400, "not JSON: "),
        ("POST", "/score", b"\xff", 400, "not JSON: "),
        ("POST", "/score", "[]", 400, "a mapping of keys to values is needed"),
        ("POST", "/score", "{}", 400, "`texts`: is required"),
        ("POST", "/score", '{"texts": "the cat"}', 400, "`texts`: a list is needed"),
        ("POST", "/score", '{"texts": [1]}', 400, "`texts[0]`: "),
        ("POST", "/score", '{"texts": ["a\\u0000"]}', 400, "text 0: a NUL byte"),
        ("POST", "/score", '{"texts": ["\\ud800"]}', 400, "half of a surrogate pair"),
        ("POST", "/score", '{"texts": []}', 400, "`texts`: no text in it"),
        ("POST", "/score", '{"texts": ["a"], "unit": 1}', 400, "`unit`: unknown key"),
        ("POST", "/score", '{"texts": ["a"], "texts": ["b"]}', 400, "'texts' is there twice"),
        (
            *("POST", "/score", '{"texts": ["a"], "updates": "all", "learning_rate": true}', 400),
            "`learning_rate`: a number is needed, not true",
        ),
        (
            *("POST", "/score", '{"texts": ["a"], "steps": true}', 400),
            "`steps`: a number is needed, not true",
        ),
        ("POST", "/score", '{"texts": ["a"], "updates": "x"}', 400, "`updates`: Input should be"),
        ("POST", "/score", " " * (MOST + 1), 413, f"at most {MOST} bytes are read"),
    ],
)
def test_a_wrong_request_is_one_line(server, method, path, body, status, expected):
    found = asked(server, method, path, body)
    assert found[0] == status
    assert expected in found[1]["error"] and "\n" not in found[1]["error"]


@pytest.mark.parametrize("length", ["-1", "many", "²", "9" * 5000, f"{'0' * 30}{MOST + 1}"])
def test_a_length_that_is_none_is_refused(server, length):
    with socket.create_connection(server.server_address[:2], timeout=60) as client:
        head = f"POST /score HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n"
        client.sendall(head.encode())
        assert client.makefile().readline().split()[1] in ("411", "413")


@pytest.mark.parametrize(
    ("limit", "values", "expected"),
    [
        ("_MOST_STATES", {"updates": "all", "learning_rate": 0.1, "steps": 8}, "`steps` may be 6"),
        (
            "_MOST_PRODUCTS",
            {"updates": "none", "cache": "neural_cache", "cache_window": 8},
            "`cache_window` may be 6",
        ),
    ],
)
def test_a_request_that_would_take_too_long_is_refused(
    server, monkeypatch, limit, values, expected
):
    texts = ["the cat sees", "the hen sees the ship ."]
    monkeypatch.setattr(serving, limit, 9 * 6)
    ask = {"texts": texts, "tokenised": True, **values}
    status, found = asked(server, "POST", "/score", json.dumps(ask))
    assert status == 400 and expected in found["error"]
    key = "steps" if "steps" in values else "cache_window"
    assert scores(server, **ask | {key: 6})["total"]["tokens"] == 11


def test_a_letter_with_endless_marks_is_refused(server, monkeypatch):
    monkeypatch.setattr(serving, "_MOST_MARKS", 20)
    marks = "a" + "\u0301\u0316" * 10
    assert scores(server, texts=[marks, marks + " " + marks])["total"]["sentences"] == 2
    status, found = asked(server, "POST", "/score", json.dumps({"texts": [marks + "\u0301"]}))
    assert status == 400 and "more than 20 marks" in found["error"]


def test_a_client_that_sends_too_slowly_is_refused(server, monkeypatch):
    monkeypatch.setattr(serving, "_SECONDS", 0)
    body = json.dumps({"texts": ["The cat."]}).encode()
    head = f"POST /score HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    with socket.create_connection(server.server_address[:2], timeout=60) as client:
        client.sendall(head + body[:9])
        assert client.makefile().readline().split()[1] == "400"


def test_more_clients_than_it_has_places_for_are_sent_away(model, monkeypatch):
    monkeypatch.setattr(serving, "_MOST_CLIENTS", 1)
    with served(model) as server:
        _two_clients(server)


def _two_clients(server):
    with socket.create_connection(server.server_address[:2], timeout=60) as first:
        first.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        assert first.recv(12) == b"HTTP/1.1 200"  # it has its place, and keeps the connection
        with socket.create_connection(server.server_address[:2], timeout=60) as second:
            second.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
            with contextlib.suppress(ConnectionResetError):
                assert second.recv(12) == b""

    def answers() -> bool:
        with contextlib.suppress(ConnectionError, http.client.BadStatusLine):
            return asked(server, "GET", "/health")[0] == 200
        return False

    wait_until(answers, "the place of the first is free")


def test_an_error_of_the_program_is_answered_in_one_line(server, monkeypatch):
    def fails(body):
        raise MemoryError

    monkeypatch.setattr(server, "answer", fails)
    status, found = asked(server, "POST", "/score", json.dumps({"texts": ["A cat."]}))
    assert status == 500
    assert found == {"error": "the request could not be answered"}


def test_a_client_that_has_gone_is_no_error(server, capfd, names):
    body = json.dumps({"texts": ["The cat sees the hen."] * 60}).encode()
    head = f"POST /score HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    for sent in (b"", b"POST", head, head + body[:9], head + body):
        with socket.create_connection(server.server_address[:2], timeout=60) as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.sendall(sent)
    assert asked(server, "GET", "/health")[1]["run"] == names.VECTOR
    assert capfd.readouterr().err == ""


@many
@given(body=st.binary(max_size=60) | st.text(max_size=30).map(lambda t: json.dumps({"texts": [t]})))
def test_any_bytes_are_answered(server, body):
    status, found = asked(server, "POST", "/score", body)
    if status == 200:
        assert found["total"]["tokens"] > 1
    else:
        assert status == 400 and "\n" not in found["error"]


def test_the_verb_serves_until_ctrl_c(model_path, names):
    with socket.socket() as free:
        free.bind((HOST, 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "online_rnnlm", "serve", str(model_path), "--port", str(port)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(heeding_interrupts(command), text=True, **pipes) as process:
        assert process.stdout.readline() == f"{names.VECTOR}: http://{HOST}:{port}\n"
        client = http.client.HTTPConnection(HOST, port, timeout=60)
        client.request("GET", "/health")
        assert client.getresponse().status == 200
        client.close()
        process.send_signal(signal.SIGINT)
        _, err = process.communicate()
    assert (process.returncode, err) == (130, "")


def test_a_port_that_is_taken_is_one_line(server, model_path, refused):
    port = server.server_address[1]
    said = refused("serve", model_path, "--port", port, status=1)
    assert said == f"port {port}: cannot be used: Address already in use"
