"""The one way to a network: bounds, retries, refusals in the server's own words."""

from __future__ import annotations

import contextlib
import socket
import ssl
import subprocess
import threading

import pytest
from refusals import refusal, refused_with
from scriptedserver import Says, scripted

from modelsign.errors import ModelsignError
from modelsign.transport import Patience, Transport, check_url, server_words

QUICK = Patience(connect=2.0, silence=0.5, answer=1.0, tries=3, backoff=0.01, longest_pause=5.0)


def transport(pauses=None, **settings):
    waited = [] if pauses is None else pauses
    return Transport(QUICK, pause=waited.append, **settings)


def test_an_answer_comes_back_with_status_headers_and_body():
    with scripted(Says(201, b"yes", {"X-Said": "so"})) as server:
        answer = transport().send("POST", f"{server.url}/path?q=1", what="server", body=b"question")
    assert (answer.status, answer.body, answer.headers["x-said"]) == (201, b"yes", "so")
    asked = server.asked[0]
    assert (asked.method, asked.path, asked.body) == ("POST", "/path?q=1", b"question")
    assert asked.headers["User-Agent"].startswith("modelsign/")


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_server_that_is_busy_or_failing_is_asked_again(status):
    with scripted(Says(status), Says(status), Says(200, b"at last")) as server:
        assert transport().send("GET", server.url, what="server").body == b"at last"
    assert len(server.asked) == 3


def test_pauses_grow_unless_the_server_says_how_long_to_wait():
    pauses = []
    with scripted(Says(503), Says(429, headers={"Retry-After": "3"}), Says(200)) as server:
        transport(pauses).send("GET", server.url, what="server")
    assert pauses[0] < 1
    assert pauses[1] == 3


def test_a_server_that_asks_for_too_long_a_pause_is_not_waited_for():
    pauses = []
    with scripted(Says(429, b'{"message": "slow down"}', {"Retry-After": "3600"})) as server:
        fault = refusal(transport(pauses).send, "GET", server.url, what="server")
    assert fault.code == "NETWORK_BUSY"
    assert "slow down" in fault.message
    assert "3600" in fault.message
    assert pauses == []
    assert len(server.asked) == 1


def test_a_pause_that_cannot_be_read_is_as_none():
    with scripted(Says(503, headers={"Retry-After": "soon"}), Says(200, b"ok")) as server:
        assert transport().send("GET", server.url, what="server").body == b"ok"


def test_after_the_last_try_the_servers_words_are_shown():
    with scripted(Says(500, b"\x1b[31mdisk \x00full\x1b[0m")) as server:
        fault = refusal(transport().send, "GET", server.url, what="log")
    assert fault.code == "NETWORK_SERVER_FAILED"
    assert fault.message == "the log answered 500: [31mdisk full [0m"
    assert len(server.asked) == QUICK.tries


def test_a_refusal_is_not_repeated():
    with scripted(Says(400, b'{"code": 3, "message": "bad request"}')) as server:
        fault = refusal(transport().send, "POST", server.url, what="server", body=b"x")
    assert fault.code == "NETWORK_REQUEST_REFUSED"
    assert fault.details == {"status": 400, "said": "bad request"}
    assert len(server.asked) == 1


def test_a_status_that_the_caller_expects_is_an_answer():
    with scripted(Says(409, b"there already")) as server:
        assert transport().send("GET", server.url, what="server", expected=frozenset({409})).status == 409


def test_redirects_are_not_followed():
    with scripted(Says(302, headers={"Location": "https://elsewhere.example/"})) as server:
        fault = refusal(transport().send, "GET", server.url, what="server")
    assert fault.code == "NETWORK_REDIRECTED"
    assert "https://elsewhere.example/" in fault.message
    assert len(server.asked) == 1


def test_an_answer_of_the_largest_size_is_taken_and_one_byte_more_is_not():
    with scripted(Says(200, b"x" * 10)) as server:
        assert len(transport().send("GET", server.url, what="server", most_bytes=10).body) == 10
        assert refused_with(transport().send, "GET", server.url, what="server", most_bytes=9) == (
            "NETWORK_ANSWER_TOO_LARGE"
        )


def test_what_a_failing_server_pours_out_is_not_read_to_its_end():
    with scripted(Says(503, b"x" * 50_000_000)) as server:
        fault = refusal(transport().send, "GET", server.url, what="server", most_bytes=1000)
    assert fault.code == "NETWORK_SERVER_FAILED"
    assert len(fault.message) < 500


def test_packed_answers_are_not_unpacked():
    with scripted(Says(200, b"\x1f\x8b\x08\x00", {"Content-Encoding": "gzip"})) as server:
        assert transport().send("GET", server.url, what="server").body == b"\x1f\x8b\x08\x00"
    assert server.asked[0].headers["Accept-Encoding"] == "identity"


def test_a_server_that_falls_silent_is_given_up():
    with scripted(Says(200, b"xx", drip=2.0)) as server:
        assert refused_with(transport().send, "GET", server.url, what="server") == "NETWORK_TIMEOUT"


def test_a_server_that_only_drips_is_given_up_too():
    with scripted(Says(200, b"x" * 100, drip=0.2)) as server:
        assert refused_with(transport().send, "GET", server.url, what="server") == "NETWORK_TIMEOUT"


def test_a_server_that_hangs_up_is_tried_again():
    with scripted(Says(hang_up=True), Says(200, b"ok")) as server:
        assert transport().send("GET", server.url, what="server").body == b"ok"


def test_an_answer_that_breaks_off_is_not_half_an_answer():
    with scripted(Says(200, b"half", {"Content-Length": "8"})) as server:
        assert refused_with(transport().send, "GET", server.url, what="server") == "NETWORK_UNREACHABLE"


def test_where_nobody_listens_is_said():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
    assert refused_with(transport().send, "GET", url, what="server") == "NETWORK_UNREACHABLE"


def test_a_server_that_cannot_prove_its_name_is_refused_at_once(tmp_path):
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost -days 1"
    subprocess.run([*command.split(), "-keyout", key, "-out", certificate], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    tries = []

    def serve():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            tries.append(1)
            with connection, contextlib.suppress(OSError):
                context.wrap_socket(connection, server_side=True).close()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        url = f"https://localhost:{listener.getsockname()[1]}"
        assert refused_with(transport().send, "GET", url, what="server") == "NETWORK_TLS_REFUSED"
        assert len(tries) == 1
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(5)


def test_a_proxy_is_asked_for_servers_elsewhere():
    with scripted(Says(200, b"by proxy")) as proxy:
        through = transport(proxy=proxy.url, direct=("intern.example", " .corp.example"))
        answer = through.send("GET", "http://timestamp.example/x", what="timestamp authority", plain=True)
        assert answer.body == b"by proxy"
        with scripted(Says(200, b"directly")) as server:
            assert through.send("GET", server.url, what="server").body == b"directly"
    assert [asked.path for asked in proxy.asked] == ["http://timestamp.example/x"]


def test_servers_that_are_reached_directly_are_not_asked_by_proxy():
    with scripted(Says(200, b"by proxy")) as proxy:
        through = transport(proxy=proxy.url, direct=("invalid",))
        code = refused_with(through.send, "GET", "http://timestamp.invalid/", what="timestamp authority", plain=True)
    assert code == "NETWORK_UNREACHABLE"
    assert proxy.asked == []


def test_a_proxy_that_is_no_url_is_told():
    code = refused_with(transport(proxy="ftp://proxy").send, "GET", "https://example.org", what="server")
    assert code == "NETWORK_URL_REFUSED"


def test_offline_opens_no_socket(monkeypatch):
    def forbidden(*_, **__):
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", forbidden)
    monkeypatch.setattr(socket, "create_connection", forbidden)
    assert refused_with(transport(offline=True).send, "GET", "https://example.org", what="server") == "NETWORK_OFFLINE"


@pytest.mark.parametrize(
    "url", ["https://example.org/x", "http://localhost:1", "http://127.8.9.1", "http://[::1]:80/x", "HTTP://LOCALHOST"]
)
def test_encrypted_servers_and_those_of_this_machine_are_asked(url):
    check_url(url, what="server")


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org", "http://localhost.example.org", "http://127.0.0.1.example.org", "ftp://example.org",
        "file:///etc/passwd", "example.org", "", "https://", "https://user:secret@example.org", "https://example.org:x",
        "https://[::1", "http://0.0.0.0", "http://[::ffff:10.0.0.1]",
    ],
)  # fmt: skip
def test_other_urls_are_refused(url):
    fault = refusal(check_url, url, what="server")
    assert fault.code == "NETWORK_URL_REFUSED"
    assert "secret" not in fault.message


def test_plain_servers_are_asked_where_the_answer_is_signed():
    check_url("http://timestamp.example.org", what="timestamp authority", plain=True)
    with pytest.raises(ModelsignError):
        check_url("ftp://timestamp.example.org", what="timestamp authority", plain=True)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"message": "no such token"}', "no such token"),
        (b'{"error": "invalid_grant", "error_description": "too old"}', "too old"),
        (b'{"error": {"nested": 1}}', '{"error": {"nested": 1}}'),
        (b"[" * 5000, "[" * 300 + "…"),
        (b"\xff plain", "\N{REPLACEMENT CHARACTER} plain"),
        ("\u202egnp.exe".encode(), "gnp.exe"),
        (b"", ""),
    ],
)
def test_a_servers_words_are_one_short_line_without_control_characters(body, words):
    assert server_words(body) == words
