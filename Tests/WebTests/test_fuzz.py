"""Extreme and mutated values for every parameter of every address that openapi.json has: none ends a coordinator or the
web server, and every answer is one. CARBONTUBE_FUZZ_MESSAGES says how many, CARBONTUBE_FUZZ_SEED which."""

import json
import os
import random
import socket
import urllib.parse

from cluster import await_that, call

MESSAGES = int(os.environ.get("CARBONTUBE_FUZZ_MESSAGES", "20000"))
SEED = int(os.environ.get("CARBONTUBE_FUZZ_SEED", "14"))
# Not in the document: what older programs, probes and Prometheus ask.
OTHERS = {path: {"get": {"parameters": []}} for path in [
    "/", "/page.js", "/api/v1/openapi.json", "/healthz", "/readyz", "/metrics", "/api/pipelines", "/api/queues", "/api/workers/available"]}
OTHERS["/api/jobs"] = {"get": {"parameters": [
    {"name": name, "in": "query", "schema": {"type": "string"}} for name in ["state", "phase", "error", "id", "id_prefix", "since", "until", "limit"]]}}
EXTREMES = [
    "", " ", "0", "-0", "-1", "1", "+1", "01", "2147483647", "2147483648", "4294967296", "9223372036854775807", "9223372036854775808",
    "-9223372036854775808", "-9223372036854775809", "18446744073709551615", "18446744073709551616", "1" + "0" * 400, "1e308", "1e309", "-1e400",
    "NaN", "Infinity", "0x10", "1.5", "1,5", "٣", "null", "true", "[]", "{}", "\0", "a\0b", "\r\n", "\x1b[31m", "\u202e", "ü", "\U0001f600", "..", ".",
    "../../etc", "/", "%", "%00", "%zz", "*", "'", '"', ";", "<b>", "a" * 128, "a" * 129, "a" * 5_000, "key-", "count"]
RAW = [b"%", b"%0", b"%zz", b"%ff", b"%c0%af", b"=", b"&", b"&&", b"a=b=c", b"#", b"?", b"+", b";", b"\xff\xfe", b"%2e%2e/", b"//"]


class Wire:
    """One connection, on which any bytes can be sent."""

    def __init__(self, url):
        host, port = url.removeprefix("http://").split(":")
        self.address, self.socket = (host, int(port)), None

    def ask(self, method, target, headers, body):
        lines = [method.encode() + b" " + target + b" HTTP/1.1", b"Host: 127.0.0.1"]
        lines += [name.encode() + b": " + value for name, value in headers.items()]
        if body is not None:
            lines.append(b"Content-Length: %d" % len(body))
        message = b"\r\n".join(lines) + b"\r\n\r\n" + (body or b"")
        if self.socket is None:
            self.socket = socket.create_connection(self.address, timeout=60)
            self.stream = self.socket.makefile("rb")
        self.socket.sendall(message)
        status = self.stream.readline()
        if not status:
            # Closed while it was idle.
            self.close()
            return self.ask(method, target, headers, body)
        fields = {}
        while (line := self.stream.readline()) not in (b"\r\n", b""):
            name, _, value = line.decode("latin-1").partition(":")
            fields[name.lower()] = value.strip()
        code = int(status.split()[1])
        kind = fields.get("content-type", "")
        text = b""
        if kind == "text/event-stream" or fields.get("connection") == "close":
            self.close()
        elif method != "HEAD" and code != 204:
            text = self.stream.read(int(fields["content-length"]))
        return code, kind, text

    def close(self):
        self.socket.close()
        self.socket = None


class Mutator:
    def __init__(self, chance, known):
        self.chance, self.known = chance, known

    def valid(self, schema):
        if "items" in schema:
            return self.valid(schema["items"])
        if "enum" in schema:
            return self.chance.choice(schema["enum"])
        if schema.get("type") == "integer":
            return str(self.chance.choice([schema.get("minimum", 0), schema.get("maximum", 9), schema.get("default", 1)]))
        return self.chance.choice(self.known)

    def extreme(self, schema):
        near = [str(schema[bound] + step) for bound in ("minimum", "maximum") if bound in schema for step in (-1, 0, 1)]
        value = self.chance.choice(EXTREMES + near * 3 + [self.valid(schema)])
        if self.chance.random() < 0.3:
            at = self.chance.randrange(len(value) + 1)
            value = value[:at] + self.chance.choice(EXTREMES) + value[at + self.chance.randrange(3):]
        return value[:8_000]

    def encoded(self, value):
        return urllib.parse.quote(value, safe="").encode()

    def value(self, schema, is_target):
        return self.encoded(self.extreme(schema) if is_target else self.valid(schema))

    def body(self, operation, is_target):
        schema = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
        if schema is None:
            return b'{"phase": "generate-file"}' if is_target and self.chance.random() < 0.3 else None
        members = {name: self.member(each) for name, each in schema.get("properties", {"size": {"type": "integer"}}).items()}
        text = json.dumps(members).encode()
        if not is_target:
            return text
        kind = self.chance.randrange(4)
        if kind == 0:
            return self.chance.choice([b"", b"null", b"[]", b"[" * 3_000, b'{"a":' * 3_000, b'{"size":1e999}', b'{"a":"\\ud800"}', b"\xff", b"{}" * 9, b"1" * 9_000])
        at = self.chance.randrange(len(text))
        if kind == 1:
            return text[:at]
        insert = self.chance.choice(EXTREMES).encode()[:300]
        return text[:at] + insert + text[at + self.chance.randrange(4):]

    def member(self, schema):
        if schema.get("type") == "object":
            chosen = [name for name in schema["properties"] if self.chance.random() < 0.4]
            return {name: self.member(schema["properties"][name]) for name in chosen}
        if self.chance.random() < 0.2:
            return self.chance.choice([None, 0, -1, 2**63, 1e300, [], {}, "", [None], True] + EXTREMES)
        if schema.get("type") == "array":
            return [self.valid(schema["items"])]
        return self.valid(schema)

    def message(self, path, method, operation, target):
        parts, query, headers = path.encode(), [], {"Content-Type": b"application/json"}
        for number, parameter in enumerate(operation.get("parameters", [])):
            is_target = number == target
            if parameter["in"] == "path":
                is_pipeline = parameter["name"] == "pipeline" and (not is_target or self.chance.random() < 0.3)
                value = b"example-one" if is_pipeline else self.value(parameter["schema"], is_target)
                parts = parts.replace(b"{%s}" % parameter["name"].encode(), value)
            elif parameter["in"] == "header" and is_target:
                headers[parameter["name"]] = self.extreme(parameter["schema"]).encode().translate(None, b"\r\n\0")
            elif is_target or (parameter["in"] == "query" and (parameter.get("required") or self.chance.random() < 0.3)):
                query.append(parameter["name"].encode() + b"=" + self.value(parameter["schema"], is_target))
                if is_target and self.chance.random() < 0.1:
                    query.append(query[-1])
        if target < 0:
            query.append(self.chance.choice(RAW + [self.encoded(word) for word in EXTREMES]))
        if self.chance.random() < 0.03:
            method = self.chance.choice(["HEAD", "OPTIONS", "PUT", "PATCH", "PROPFIND", "TRACE"])
        is_body_target = target >= len(operation.get("parameters", []))
        return method.upper(), parts + (b"?" + b"&".join(query) if query else b""), headers, self.body(operation, is_body_target)


def is_no_http(message):
    _, target, headers, _ = message
    return any(byte < 32 or byte > 126 for byte in target + b"".join(headers.values()))


def resident(process):
    with open(f"/proc/{process.pid}/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))


def test_no_message_ends_anything(make):
    cluster = make(workers=[], web=())
    web, url = cluster.add_web("--bind", "127.0.0.1:0")
    await_that("it knows the pipeline", lambda: "example-one" in call(f"{url}/api/v1/pipelines").json)
    for id in ["a", "b", ".."]:
        assert call(f"{url}/api/v1/pipelines/example-one/jobs?id={id}", "POST", {"size": 1}).status == 201
    document = call(f"{url}/api/v1/openapi.json").json
    operations = [(path, method, operation) for path, methods in (document["paths"] | OTHERS).items() for method, operation in methods.items()]
    chance = random.Random(SEED)
    mutator = Mutator(chance, ["a", "b", "..", "none-such", "generate-file", "0", "7"])
    wire, seen, before = Wire(url), {}, None
    for number in range(MESSAGES):
        path, method, operation = operations[number % len(operations)]
        # Each parameter in turn, then the body, then what is no parameter.
        target = (number // len(operations)) % (len(operation.get("parameters", [])) + 2) - 1
        message = mutator.message(path, method, operation, target)
        try:
            code, kind, text = wire.ask(*message)
        except OSError as error:
            raise AssertionError(f"message {number} of seed {SEED}: {message}: {error}; coordinator {cluster.coordinator.poll()}, web {web.poll()}")
        seen[code] = seen.get(code, 0) + 1
        context = f"message {number} of seed {SEED}: {message}\n{code} {kind} {text[:300]}"
        assert code < 500 or code == 503, context
        # What is no HTTP at all is refused before there is a request.
        if code >= 400 and message[0] != "HEAD" and not (code == 400 and not text and is_no_http(message)):
            assert kind == "application/problem+json", context
            assert json.loads(text)["detail"], context
        if number == MESSAGES // 5:
            before = (resident(web), resident(cluster.coordinator))
    print("answers:", dict(sorted(seen.items())))
    assert cluster.coordinator.poll() is None and web.poll() is None
    assert await_that("it is there", lambda: call(f"{url}/api/v1/pipelines/example-one").json)["state"] == "connected"
    after = (resident(web), resident(cluster.coordinator))
    print("kB resident, web and coordinator:", before, after)
    assert all(end - begin < 64 << 10 for begin, end in zip(before, after)), (before, after)
    assert 200 in seen and 400 in seen and 404 in seen
