"""Asks what the dashboards of docs/grafana ask, as Grafana does; prints rows by dashboard and target as JSON.

    grafana.py tables PORT FOLDER       every statement of SQL, over Postgres' protocol
    grafana.py metrics URL FOLDER       every expression of PromQL, of a Prometheus
"""

import datetime
import json
import pathlib
import re
import sys
import urllib.parse
import urllib.request

import psycopg
import yaml

LIMIT = 60


def boards(folder):
    """Each dashboard, and the rules: a name, and what it asks: title and number, and the target."""
    for path in sorted(pathlib.Path(folder, "dashboards").glob("*.json")):
        board = json.loads(path.read_text())
        targets = [(f"{panel['title']} {each['refId']}", each) for panel in board["panels"] for each in panel["targets"]]
        targets += [(f"annotation {each['name']}", {"rawSql": each["rawQuery"]}) for each in board["annotations"]["list"]]
        queries = [each for each in board["templating"]["list"] if each["type"] == "query"]
        targets += [(f"variable {each['name']}", {"rawSql": each["query"]}) for each in queries]
        yield path.stem, targets
    rules = yaml.safe_load(pathlib.Path(folder, "provisioning/alerting/floodmark.yml").read_text())
    for group in rules["groups"]:
        yield group["name"], [(f"{rule['title']} {each['refId']}", each["model"]) for rule in group["rules"] for each in rule["data"]]


def note(seen, board, title, rows):
    """Takes note of what a target got; none hides behind another."""
    place = seen.setdefault(board, {})
    assert title not in place, (board, title)
    place[title] = len(rows)


def expanded(sql, begin, end, host):
    """The macros and variables of a statement, as Grafana's source for PostgreSQL writes them out."""
    first, last = (f"'{at.strftime('%Y-%m-%dT%H:%M:%S.%f')[:-3]}Z'" for at in (begin, end))
    sql = re.sub(r"\$__timeFilter\(([^)]+)\)", rf"\1 BETWEEN {first} AND {last}", sql)
    sql = sql.replace("$__timeFrom()", first).replace("$__timeTo()", last)
    sql = sql.replace("$__interval_ms", "30000").replace("$__interval", "30s")
    sql = sql.replace("${host:sqlstring}", "'" + host.replace("'", "''") + "'")
    assert "$" not in sql, sql
    return sql


def tables(port, folder):
    seen = {}
    with psycopg.connect(host="127.0.0.1", port=port, user="floodmark", connect_timeout=LIMIT, autocommit=True) as connection:
        cursor = connection.cursor()
        begin, end = cursor.execute("SELECT min(window_start), max(window_end) FROM target_windows").fetchone()
        host = cursor.execute("SELECT target_host FROM attacks ORDER BY requests DESC LIMIT 1").fetchone()[0]
        for name, targets in boards(folder):
            for title, target in targets:
                if "rawSql" not in target:
                    continue
                # Grafana sends statements as they are, in the simple protocol.
                cursor = psycopg.ClientCursor(connection)
                rows = cursor.execute(expanded(target["rawSql"], begin, end, host)).fetchall()
                if target.get("format") == "time_series":
                    times = [row[0] for row in rows]
                    assert cursor.description[0].name == "time" and times == sorted(times), (name, title)
                    assert all(isinstance(at, datetime.datetime) and at.utcoffset() is not None for at in times), (name, title)
                    assert all(isinstance(value, (int, float, str, type(None))) for row in rows for value in row[1:]), (name, title)
                note(seen, name, title, rows)
    return seen


def metrics(url, folder):
    seen = {}
    for name, targets in boards(folder):
        for title, target in targets:
            if target.get("datasource", {}).get("type") != "prometheus":
                continue
            expr = target["expr"].replace("$__rate_interval", "1m")
            asked = urllib.parse.urlencode({"query": expr})
            with urllib.request.urlopen(f"{url}/api/v1/query?{asked}", timeout=LIMIT) as answer:
                told = json.load(answer)
            assert told["status"] == "success", told
            note(seen, name, title, told["data"]["result"])
    return seen


print(json.dumps({"tables": tables, "metrics": metrics}[sys.argv[1]](*sys.argv[2:])))
