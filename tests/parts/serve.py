"""Clients of `floodmark serve` that are not ours, friendly and hostile; prints what they got as JSON.

    serve.py friendly PORT            standard HTTP, pyarrow
    serve.py hostile PORT             slow readers, thousands of connections, statements of 100 MB, other names
    serve.py secure PORT TOKEN CA     TLS, tokens, TLS cut short
"""

import base64
import http.client
import io
import json
import socket
import ssl
import sys

import pyarrow.ipc
import pyarrow.parquet

LIMIT = 60


def ask(connection, body, **headers):
    headers = {"Content-Type": "application/json", **headers}
    connection.request("POST", "/api/v1/sql", json.dumps(body), headers)
    response = connection.getresponse()
    return response, response.read()


def get(connection, path, **headers):
    connection.request("GET", path, headers=headers)
    response = connection.getresponse()
    return response, response.read()


def friendly(port):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LIMIT)
    text = "SELECT ts, client_ip, path, status FROM requests ORDER BY ts, topic_offset LIMIT 20000"
    seen = {}
    for form in ("json", "ndjson", "csv", "arrow", "parquet"):
        response, body = ask(connection, {"q": text, "format": form})
        assert response.status == 200, body
        if form == "json":
            seen[form] = len(json.loads(body))
        elif form == "ndjson":
            seen[form] = len([json.loads(line) for line in body.splitlines()])
        elif form == "csv":
            seen[form] = len(body.splitlines()) - 1
        elif form == "arrow":
            table = pyarrow.ipc.open_stream(body).read_all()
            seen[form] = table.num_rows
            seen["zone"] = str(table.schema.field("ts").type)
        else:
            table = pyarrow.parquet.read_table(io.BytesIO(body))
            seen[form] = table.num_rows
            seen["statuses"] = sum(status or 0 for status in table["status"].to_pylist())
    incidents = json.loads(get(connection, "/api/v1/incidents?limit=1000")[1])["incidents"]
    seen["incidents"] = len(incidents)
    one = json.loads(get(connection, "/api/v1/incidents/" + incidents[0]["incident_id"])[1])
    assert one["revisions"], one
    selecting = next(one for one in incidents if one["fingerprint"])
    one = json.loads(get(connection, "/api/v1/incidents/" + selecting["incident_id"])[1])
    rows = json.loads(ask(connection, {"q": one["requests_sql"]})[1])
    seen["selected"] = len(rows) > 0
    for path in ("/", "/sql?q=SELECT+1", "/source?q=" + rows[0]["client_ip"], "/incident/" + selecting["incident_id"]):
        response, body = get(connection, path)
        assert response.status == 200 and body.endswith(b"</html>\n"), path
        assert b'class="fault"' not in body, body.decode()
    assert json.loads(get(connection, "/openapi.json")[1])["openapi"].startswith("3.")
    return seen


def hostile(port):
    seen = {}
    address = ("127.0.0.1", port)
    # Many who say nothing: those beyond the limit are let go, and the others give their places back.
    crowd = []
    for _ in range(2000):
        one = socket.create_connection(address, timeout=LIMIT)
        crowd.append(one)
    for one in crowd:
        one.close()
    # One who asks for much and reads nothing, while others are answered.
    body = json.dumps({"q": "SELECT a.* FROM requests a, requests b", "format": "csv"})
    slow = socket.create_connection(address, timeout=LIMIT)
    slow.sendall(
        f"POST /api/v1/sql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n{body}".encode()
    )
    assert slow.recv(12) == b"HTTP/1.1 200"
    seen["beside a slow reader"] = answered(port)
    # A statement of 100 MB.
    head = f"POST /api/v1/sql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {100 << 20}\r\n\r\n"
    large = socket.create_connection(address, timeout=LIMIT)
    large.sendall(head.encode() + b'{"q": "')
    answer = b""
    try:
        for _ in range(100):
            large.sendall(b"x" * (1 << 20))
    except OSError:
        pass
    try:
        answer = large.recv(100)
    except OSError:
        pass
    seen["large"] = answer[:12].decode() in ("HTTP/1.1 413", "")
    # A head that does not end, and a body that does not come.
    for begin in (b"GET / HTTP/1.1\r\nHost: localhost\r\nX: ", head.encode()):
        socket.create_connection(address, timeout=LIMIT).sendall(begin)
    # What is no HTTP.
    rubbish = socket.create_connection(address, timeout=LIMIT)
    rubbish.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n")
    seen["rubbish"] = rubbish.recv(100)[:12].decode() in ("HTTP/1.1 400", "")
    connection = http.client.HTTPConnection(*address, timeout=LIMIT)
    seen["other name"] = get(connection, "/", Host="evil.example")[0].status
    cross = {"Content-Type": "application/json", "Origin": "https://evil.example"}
    connection.request("POST", "/api/v1/sql", '{"q": "SELECT 1"}', cross)
    response = connection.getresponse()
    response.read()
    seen["other page"] = response.status
    for statement in ("SELECT " + "(" * 60000, "SELECT " + "1+" * 120000 + "1", "SELECT " + "NOT " * 60000 + "true"):
        connection = http.client.HTTPConnection(*address, timeout=LIMIT)
        status = ask(connection, {"q": statement})[0].status
        assert status in (200, 400, 504), status
    seen["after all"] = answered(port)
    slow.close()
    return seen


def answered(port):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LIMIT)
    return json.loads(ask(connection, {"q": "SELECT count(*) AS n FROM requests"})[1])[0]["n"] > 0


def secure(port, token, ca):
    seen = {}
    context = ssl.create_default_context(cafile=ca)
    connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=LIMIT, context=context)
    seen["no token"] = get(connection, "/readyz")[0].status
    seen["wrong token"] = get(connection, "/readyz", Authorization="Bearer " + "x" * len(token))[0].status
    seen["token"] = get(connection, "/readyz", Authorization="Bearer " + token)[0].status
    pair = base64.b64encode(b"me:" + token.encode()).decode()
    seen["password"] = get(connection, "/", Authorization="Basic " + pair)[0].status
    seen["health"] = get(connection, "/healthz")[0].status
    # Agreed on halfway, and plain text where TLS is spoken.
    cut = socket.create_connection(("127.0.0.1", port), timeout=LIMIT)
    cut.sendall(b"\x16\x03\x01\x02\x00\x01\x00")
    cut.close()
    plain = socket.create_connection(("127.0.0.1", port), timeout=LIMIT)
    plain.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
    try:
        seen["plain"] = b"HTTP" in plain.recv(100)
    except OSError:
        seen["plain"] = False
    # Cut off within an answer.
    torn = context.wrap_socket(socket.create_connection(("127.0.0.1", port), timeout=LIMIT), server_hostname="127.0.0.1")
    body = json.dumps({"q": "SELECT a.* FROM requests a, requests b", "format": "csv"})
    torn.sendall(
        f"POST /api/v1/sql HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
    )
    assert torn.recv(1) == b"H"
    socket.socket(fileno=torn.detach()).close()
    seen["after all"] = get(connection, "/readyz", Authorization="Bearer " + token)[0].status
    return seen


[_, kind, port, *rest] = sys.argv
seen = {"friendly": friendly, "hostile": hostile, "secure": secure}[kind](int(port), *rest)
print(json.dumps(seen), flush=True)
