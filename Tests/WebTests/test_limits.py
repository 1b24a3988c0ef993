"""What many clients, slow ones, and ones that leave do to the others."""

import resource
import signal
import socket

import pytest

from cluster import await_that, call


def connect(url, text):
    host, port = url.removeprefix("http://").split(":")
    connection = socket.create_connection((host, int(port)), timeout=60)
    connection.sendall(text)
    return connection


@pytest.fixture
def descriptors():
    """This process holds many connections, the server under test must not need as many."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4_096), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_half_headers_keep_nobody_out(make, descriptors):
    cluster = make(workers=[], web=())
    _, url = cluster.add_web("--bind", "127.0.0.1:0")
    await_that("it knows the pipeline", lambda: "example-one" in call(f"{url}/api/v1/pipelines").json)
    held = [connect(url, b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-") for _ in range(1_100)]
    for _ in range(5):
        assert call(f"{url}/healthz").status == 200
    assert call(f"{url}/api/v1/pipelines/example-one/jobs").status == 200
    for connection in held:
        connection.close()


def test_a_header_that_does_not_end_is_given_up(shared):
    connection = connect(shared.url, b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ")
    try:
        assert connection.recv(1) == b""
    except ConnectionResetError:
        pass


def test_a_request_is_answered_after_the_client_has_said_all(shared):
    connection = connect(shared.url, b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
    assert connection.makefile("rb").read().startswith(b"HTTP/1.1 200")


def test_streams_of_events_are_bounded(make):
    cluster = make(workers=[])
    streams, refused = [], None
    while len(streams) < 300 and not refused:
        streams.append(connect(cluster.url, b"GET /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"))
        first = streams[-1].recv(12)
        # It counts when it has begun.
        streams[-1].recv(4_096)
        refused = first.endswith(b"503") and len(streams)
    assert refused
    assert call(f"{cluster.url}/healthz").status == 200
    for stream in streams:
        stream.close()
    # Those that have left give their places back.
    await_that("there is room again", lambda: events_begin(cluster.url))


def events_begin(url):
    stream = connect(url, b"GET /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    first = stream.recv(12)
    stream.close()
    return first.endswith(b"200")


def test_a_stopped_coordinator_is_not_waited_for_by_everybody(make):
    cluster = make(workers=[], web=())
    _, url = cluster.add_web("--bind", "127.0.0.1:0")
    await_that("it knows the pipeline", lambda: "example-one" in call(f"{url}/api/v1/pipelines").json)
    cluster.coordinator.send_signal(signal.SIGSTOP)
    try:
        ask = b"GET /api/v1/pipelines/example-one/jobs HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
        asking = [connect(url, ask) for _ in range(60)]
        first = [connection.recv(12) for connection in asking]
        assert set(first) == {b"HTTP/1.1 503"}
        answer = call(f"{url}/api/v1/pipelines/example-one/jobs")
        assert answer.status == 503 and answer.headers["Retry-After"]
        # Nothing was to be changed.
        assert "may be done" not in answer.text and "did not answer within" in answer.text, answer.text
        assert call(f"{url}/healthz").status == 200
    finally:
        cluster.coordinator.send_signal(signal.SIGCONT)
    await_that("it answers again", lambda: call(f"{url}/api/v1/pipelines/example-one/jobs").status == 200)


def test_clients_that_have_left_are_not_asked_for(make):
    cluster = make(workers=[], web=())
    _, url = cluster.add_web("--bind", "127.0.0.1:0")
    await_that("it knows the pipeline", lambda: "example-one" in call(f"{url}/api/v1/pipelines").json)
    cluster.coordinator.send_signal(signal.SIGSTOP)
    ask = b"GET /api/v1/pipelines/example-one/job-count?error=x HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    for _ in range(30):
        for connection in [connect(url, ask) for _ in range(70)]:
            connection.close()
    cluster.coordinator.send_signal(signal.SIGCONT)
    await_that("others are answered", lambda: call(f"{url}/api/v1/pipelines/example-one/jobs").status == 200)


def test_coordinators_that_are_gone_do_not_hold_up_one_that_is_there(make):
    cluster = make(workers=[], web=())
    gone = [word for number in range(70) for word in ("--pipeline", f"tcp://127.0.0.2:{number + 1}")]
    _, url = cluster.add_web("--bind", "127.0.0.1:0", *gone)
    await_that("it knows the pipeline", lambda: "example-one" in call(f"{url}/api/v1/pipelines").json)
    for _ in range(30):
        assert call(f"{url}/api/v1/pipelines/example-one").json["state"] == "connected"
        assert call(f"{url}/api/v1/pipelines/example-one/jobs").status == 200
