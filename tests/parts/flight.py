"""Clients of Arrow Flight SQL that are not ours, friendly and hostile; prints what they got as JSON.

    flight.py adbc PORT                 ADBC: types, values, statements prepared, metadata, errors, cancelling
    flight.py arrow PORT                Arrow's own client: schemas, tickets, actions, information about the server
    flight.py hostile PORT              other protocols, broken messages, slow readers, crowds, statements of 100 MB
    flight.py secure PORT TOKEN CA      TLS, tokens, passwords
"""

import datetime
import json
import socket
import sys

import adbc_driver_flightsql.dbapi as adbc
import pyarrow
import pyarrow.flight as flight
from adbc_driver_flightsql import DatabaseOptions

LIMIT = 60
ENDLESS = "SELECT a.path FROM requests a, requests b, requests c"


def connect(port):
    return adbc.connect(f"grpc://127.0.0.1:{port}", autocommit=True)


def told(act):
    """What goes wrong, by its name."""
    try:
        act()
    except Exception as error:  # noqa: BLE001: each kind of client has its own
        return type(error).__name__
    return "nothing"


def with_adbc(port):
    seen = {}
    with connect(port) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT ts, date, client_ip, status, topic_offset, malformed FROM requests "
            "WHERE status IS NOT NULL ORDER BY ts, topic_offset LIMIT 1"
        )
        table = cursor.fetch_arrow_table()
        seen["types"] = [str(field.type) for field in table.schema]
        cursor.execute("SELECT true, 7, 2.5, 'x', NULL, make_array('a', NULL), INTERVAL '1 day', CAST(1.25 AS DECIMAL(10, 2))")
        row = cursor.fetchone()
        seen["values"] = [value if isinstance(value, (bool, int, float, str, list, type(None))) else str(value) for value in row]
        seen["views"] = str(cursor.execute("SELECT sources FROM attacks LIMIT 1").fetch_arrow_table().schema[0].type)
        given = [7, 2.5, "'; DROP", True, None, datetime.date(2026, 1, 2)]
        cursor.execute("SELECT ?, ?, ?, ?, ?, ?", given)
        seen["given"] = [value if isinstance(value, (bool, int, float, str, type(None))) else str(value) for value in cursor.fetchone()]
        cursor.execute("SELECT count(*) FROM requests WHERE status = ? AND path <> ? LIMIT ?", (404, "/nothing", 5))
        seen["counted"] = cursor.fetchone()[0]
        takes = cursor.adbc_prepare("SELECT path FROM requests WHERE ts > $1 AND status = $2 LIMIT $3")
        seen["takes"] = [str(field.type) for field in takes]
        gives = cursor.adbc_execute_schema("SELECT path, count(*) AS n FROM requests GROUP BY path")
        seen["gives"] = [[field.name, str(field.type)] for field in gives]
        cursor.execute("SELECT path FROM requests LIMIT 50000")
        seen["streamed"] = sum(batch.num_rows for batch in cursor.fetch_record_batch())
        # Columns whose types are made equal only when they are computed.
        cursor.execute("SELECT status FROM requests UNION ALL SELECT topic_offset FROM requests LIMIT 3")
        seen["made equal"] = len(cursor.fetchall())
        cursor.execute("SELECT path FROM requests WHERE false")
        seen["no rows"] = cursor.fetch_arrow_table().num_rows
        seen["errors"] = {
            text: told(lambda text=text: cursor.execute(text).fetchall())
            for text in (
                "SELEC 1",
                "SELECT nothing FROM requests",
                "SELECT 1 / 0 FROM requests",
                "DELETE FROM requests",
                "CREATE TABLE t (x int)",
                "SELECT 1; SELECT 2",
                "SELECT * FROM '/etc/passwd'",
                "SET datafusion.runtime.memory_limit = '1G'",
            )
        }
        seen["ingest"] = told(lambda: cursor.adbc_ingest("t", pyarrow.table({"x": [1]})))
        seen["after all"] = cursor.execute("SELECT 1").fetchone()[0]

        objects = connection.adbc_get_objects(depth="columns").read_all().to_pylist()
        schemas = objects[0]["catalog_db_schemas"]
        seen["catalogs"] = [of["catalog_name"] for of in objects]
        seen["schemas"] = [of["db_schema_name"] for of in schemas]
        tables = {of["table_name"]: of for of in schemas[0]["db_schema_tables"]}
        seen["tables"] = sorted(f"{name}:{of['table_type']}" for name, of in tables.items())
        columns = tables["requests"]["table_columns"]
        first = next(of for of in columns if of["column_name"] == "ts")
        seen["columns"] = [len(columns), first["ordinal_position"]]
        seen["one schema"] = len(connection.adbc_get_table_schema("requests"))
        seen["table types"] = sorted(connection.adbc_get_table_types())
        info = connection.adbc_get_info()
        seen["vendor"] = info["vendor_name"]

        reader = cursor.execute(ENDLESS).fetch_record_batch()
        reader.read_next_batch()
        cursor.adbc_cancel()
        seen["cancelled"] = told(reader.read_all)
    return seen


def field(number, value):
    """A field of a message of protobuf: bytes, or a text."""
    value = value.encode() if isinstance(value, str) else value
    size, left = b"", len(value)
    while left > 0x7F:
        size, left = size + bytes([left & 0x7F | 0x80]), left >> 7
    return bytes([number << 3 | 2]) + size + bytes([left]) + value


def command(name, value=b""):
    return field(1, f"type.googleapis.com/arrow.flight.protocol.sql.{name}") + field(2, value)


def asked(text):
    return flight.FlightDescriptor.for_command(command("CommandStatementQuery", field(1, text)))


def known(name, value=b""):
    return flight.FlightDescriptor.for_command(command(name, value))


def with_arrow(port):
    seen = {}
    with flight.connect(f"grpc://127.0.0.1:{port}") as client:
        info = client.get_flight_info(asked("SELECT path, status FROM requests LIMIT 7"))
        seen["told"] = [info.schema.names, len(info.endpoints), info.endpoints[0].locations]
        ticket = info.endpoints[0].ticket
        # A ticket is good more than once, one after the other and at the same time.
        readers = [client.do_get(ticket) for _ in range(3)]
        seen["rows"] = [reader.read_all().num_rows for reader in readers]
        seen["schema"] = client.get_schema(asked("SELECT 1 AS x, now() AS y")).schema.names
        seen["actions"] = [action.type for action in client.list_actions()]
        for name in ("GetCatalogs", "GetDbSchemas", "GetTables", "GetTableTypes", "GetSqlInfo", "GetXdbcTypeInfo",
                     "GetPrimaryKeys", "GetExportedKeys", "GetImportedKeys", "GetCrossReference"):
            of = known(f"Command{name}")
            info = client.get_flight_info(of)
            table = client.do_get(info.endpoints[0].ticket).read_all()
            assert info.schema == table.schema == client.get_schema(of).schema, name
            seen[name] = table.num_rows
        listed = known("CommandGetTables", field(3, "%_windows"))
        table = client.do_get(client.get_flight_info(listed).endpoints[0].ticket).read_all()
        seen["like"] = table.column("table_name").to_pylist()

        info = client.get_flight_info(asked(ENDLESS))
        reader = client.do_get(info.endpoints[0].ticket)
        reader.read_chunk()
        seen["cancelled"] = cancel(client, info)
        seen["told to the reader"] = said(lambda: drained(reader), "the query was cancelled")
        seen["cancelled again"] = cancel(client, info)

        # Who goes away is not waited for: as many as may run, and one more.
        for _ in range(5):
            reader = client.do_get(client.get_flight_info(asked(ENDLESS)).endpoints[0].ticket)
            reader.read_chunk()
            reader.cancel()
        seen["after those who left"] = client.do_get(client.get_flight_info(asked("SELECT 1")).endpoints[0].ticket).read_all().num_rows

        seen["cut"] = said(lambda: client.do_get(client.get_flight_info(asked(ENDLESS)).endpoints[0].ticket).read_all(), "cut at 1000000 rows")
        for name in ("CommandStatementUpdate", "CommandStatementIngest", "CommandStatementSubstraitPlan", "Nothing"):
            seen[name] = told(lambda name=name: client.get_flight_info(known(name)))
        for name in ("BeginTransaction", "nothing"):
            seen[name] = told(lambda name=name: list(client.do_action(flight.Action(name, b""))))
        for broken in (b"", b"\xff", command("TicketStatementQuery", field(1, b"\xff")), command("CommandPreparedStatementQuery", field(1, b"\x0a\xff"))):
            assert told(lambda broken=broken: client.do_get(flight.Ticket(broken)).read_all()) != "nothing", broken
            of = flight.FlightDescriptor.for_command(broken)
            assert told(lambda of=of: client.get_flight_info(of)) != "nothing", broken
        seen["by path"] = told(lambda: client.get_flight_info(flight.FlightDescriptor.for_path("requests")))
        seen["no rows"] = prepared(client, pyarrow.table({"0": pyarrow.array([], pyarrow.int64())}))
        seen["two rows"] = prepared(client, pyarrow.table({"0": [1, 2]}))
        seen["packed"] = prepared(client, pyarrow.table({"0": [1]}), compression="lz4")
        seen["many bytes"] = prepared(client, pyarrow.table({"0": ["x" * (2 << 20)]}))
        seen["one row"] = prepared(client, pyarrow.table({"0": [1]}))
    return seen


def drained(reader):
    """Reads to the end; `read_all` would take a call that was cancelled for a key that was pressed."""
    try:
        while True:
            reader.read_chunk()
    except StopIteration:
        pass


def cancel(client, info):
    """What becomes of a query that is told to stop, by the number of CancelStatus."""
    (done,) = client.do_action(flight.Action("CancelFlightInfo", field(1, info.serialize())))
    return done.body.to_pybytes()[1]


def said(act, text):
    """Whether what goes wrong is told in these words."""
    try:
        act()
    except Exception as error:  # noqa: BLE001
        return text in str(error)
    return False


def prepared(client, values, compression=None):
    """What becomes of values that are put to a prepared statement."""
    request = field(1, "SELECT $1 + 1")
    action = flight.Action("CreatePreparedStatement", command("ActionCreatePreparedStatementRequest", request))
    (made,) = list(client.do_action(action))
    body = made.body.to_pybytes()
    # The handle is the first field of the message in the second field of the answer.
    handle = first_field(first_field(body, 2), 1)
    of = flight.FlightDescriptor.for_command(command("CommandPreparedStatementQuery", field(1, handle)))
    options = flight.FlightCallOptions(write_options=pyarrow.ipc.IpcWriteOptions(compression=compression))
    try:
        writer, reader = client.do_put(of, values.schema, options)
        writer.write_table(values)
        writer.done_writing()
        answer = reader.read()
        writer.close()
        bound = first_field(answer.to_pybytes(), 1)
    except Exception as error:  # noqa: BLE001
        return type(error).__name__
    of = flight.FlightDescriptor.for_command(command("CommandPreparedStatementQuery", field(1, bound)))
    try:
        return client.do_get(client.get_flight_info(of).endpoints[0].ticket).read_all().column(0).to_pylist()
    except Exception as error:  # noqa: BLE001
        return type(error).__name__


def first_field(message, number):
    """The first field of that number, of those that have a length."""
    at = 0
    while at < len(message):
        key, at = message[at], at + 1
        size, shift = 0, 0
        while True:
            byte, at = message[at], at + 1
            size, shift = size | (byte & 0x7F) << shift, shift + 7
            if byte < 0x80:
                break
        if key == number << 3 | 2:
            return message[at:at + size]
        at += size
    raise AssertionError("no such field")


def one(port):
    """The answer to a question, by a new client."""
    with flight.connect(f"grpc://127.0.0.1:{port}") as client:
        ticket = client.get_flight_info(asked("SELECT 1")).endpoints[0].ticket
        return client.do_get(ticket).read_all().column(0).to_pylist()[0]


PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def frame(kind, flags, stream, body):
    return len(body).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + body


def raw(port, bytes_):
    """Sends bytes that are no call, and waits until the server closes."""
    with socket.create_connection(("127.0.0.1", port), LIMIT) as peer:
        try:
            peer.sendall(bytes_)
            peer.shutdown(socket.SHUT_WR)
            while peer.recv(1 << 16):
                pass
        except OSError:
            # The server has had enough.
            pass


def hostile(port):
    seen = {}
    for bytes_ in (b"", b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", b"\x16\x03\x01" * 99, b"\0" * 4_096, PREFACE,
                   PREFACE + b"\xff" * 64, PREFACE + frame(4, 0, 0, b"") + frame(1, 4, 1, b"\xff" * 99),
                   PREFACE + frame(4, 0, 0, b"") + frame(9, 0, 1, b"")):
        raw(port, bytes_)
    seen["no calls"] = one(port) == 1
    # Streams opened and taken back as fast as can be (CVE-2023-44487).
    opened = b"".join(frame(1, 5, 2 * at + 1, b"\x82\x86\x84") + frame(3, 0, 2 * at + 1, (8).to_bytes(4, "big")) for at in range(20_000))
    raw(port, PREFACE + frame(4, 0, 0, b"") + opened)
    seen["taken back"] = one(port) == 1
    crowd = []
    for _ in range(1_000):
        peer = socket.create_connection(("127.0.0.1", port), LIMIT)
        peer.sendall(PREFACE)
        crowd.append(peer)
    for peer in crowd:
        peer.close()
    seen["after the crowd"] = one(port) == 1
    with flight.connect(f"grpc://127.0.0.1:{port}") as client:
        slow = [client.do_get(client.get_flight_info(asked(ENDLESS)).endpoints[0].ticket) for _ in range(3)]
        for reader in slow:
            reader.read_chunk()
        seen["beside slow readers"] = one(port) == 1
        for reader in slow:
            reader.cancel()
        large = "SELECT '" + "x" * (100 << 20) + "'"
        seen["large"] = told(lambda: client.get_flight_info(asked(large)))
        seen["long"] = told(lambda: client.get_flight_info(asked("SELECT '" + "x" * (300 << 10) + "'")))
        seen["deep"] = told(lambda: client.get_flight_info(asked("SELECT " + "(" * 100_000)))
        name = "\u202e" * 3_000
        seen["odd"] = told(lambda: client.get_flight_info(asked(f'SELECT "{name}" FROM requests')))
    seen["after all"] = one(port)
    return seen


def secure(port, token, authority):
    place = f"grpc+tls://127.0.0.1:{port}"
    with open(authority, "rb") as file:
        roots = file.read()

    def ask(options=None, client=None):
        client = client or flight.connect(place, tls_root_certs=roots)
        with client:
            ticket = client.get_flight_info(asked("SELECT 1"), options).endpoints[0].ticket
            return client.do_get(ticket, options).read_all().column(0).to_pylist()[0]

    def bearer(value):
        return flight.FlightCallOptions(headers=[(b"authorization", f"Bearer {value}".encode())])

    seen = {"token": ask(bearer(token))}
    client = flight.connect(place, tls_root_certs=roots)
    exchanged = client.authenticate_basic_token("anybody", token)
    seen["password"] = ask(flight.FlightCallOptions(headers=[exchanged]), client)
    seen["wrong password"] = told(lambda: flight.connect(place, tls_root_certs=roots).authenticate_basic_token("anybody", "wrong"))
    seen["wrong"] = told(lambda: ask(bearer("x" * 32)))
    seen["none"] = told(ask)
    seen["plain"] = told(lambda: ask(bearer(token), flight.connect(f"grpc://127.0.0.1:{port}")))
    seen["other authority"] = told(lambda: ask(bearer(token), flight.connect(place)))
    options = {DatabaseOptions.TLS_ROOT_CERTS.value: roots.decode(), "username": "anybody", "password": token}
    with adbc.connect(place, db_kwargs=options, autocommit=True) as connection, connection.cursor() as cursor:
        seen["adbc"] = cursor.execute("SELECT 1").fetchone()[0]
    seen["after all"] = ask(bearer(token))
    return seen


kinds = {"adbc": with_adbc, "arrow": with_arrow, "hostile": hostile, "secure": secure}
kind, port, *rest = sys.argv[1:]
print(json.dumps(kinds[kind](int(port), *rest)), flush=True)
