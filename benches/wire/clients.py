"""Who asks: single requests, and what the servers say of themselves."""

import csv
import gzip
import http.client
import json
import re
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

PASSWORD = "benchmarks-need-long-words-7"


def fetch(port, path, headers):
    return ask(port, "GET", path, None, headers)


def post(port, path, body, headers):
    status, found, text = ask(port, "POST", path, body, {"Content-Type": "application/json", **headers})
    if status >= 300:
        sys.exit(f"bench: POST {path}: {status} {text[:200]!r}")
    return found, text


def ask(port, method, path, body, headers):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        # Of several of one name the first: of cookies, the session's.
        head = {name.lower(): value for name, value in reversed(response.getheaders())}
        return response.status, head, response.read()
    finally:
        connection.close()


def log_in(port, email):
    headers, _ = post(port, "/api/auth/login", json.dumps({"email": email, "password": PASSWORD}), {})
    return headers["set-cookie"].split(";")[0]


def create_key(port, cookie):
    _, body = post(port, "/api/account/keys", json.dumps({"name": "bench", "password": PASSWORD, "scope": "write"}), {"Cookie": cookie})
    found = json.loads(body)
    return found.get("secret") or found["key"]


def log_in_at_peer(port, vendor):
    headers, _ = post(port, "/login", json.dumps({"vendorId": vendor}), {})
    return headers["set-cookie"].split(";")[0]


def product_of(port, cookie):
    """A product of the vendor whose cookie it is."""
    return json.loads(fetch(port, "/api/vendor/products", {"Cookie": cookie})[2])["products"][0]["productId"]


def keep_answer(folder, name, server, case):
    headers = {**case["headers"], **server["as"][case["who"]]}
    fetch(server["port"], case["path"], headers)
    status, found, body = fetch(server["port"], case["path"], headers)
    if status not in (200, 304):
        sys.exit(f"bench: {case['path']}: {status}")
    (folder / f"{name}.body").write_bytes(body)
    left_out = ("content-length", "transfer-encoding", "date", "connection")
    (folder / f"{name}.headers").write_text("".join(f"{key}: {value}\n" for key, value in found.items() if key not in left_out))


def redis_info(port):
    out = subprocess.run(["redis-cli", "-p", str(port), "INFO", "stats"], capture_output=True, check=True, text=True).stdout
    return {name: int(value) for name, value in re.findall(r"^(\w+):(\d+)\r?$", out, re.M)}


def resident(pid):
    """Bytes of memory."""
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(found.group(1)) * 1024


def look_into(bundle):
    """The vendor with the most lines, the one in the middle of all that have any, and the last whole month that has orders."""

    def rows(table):
        path = bundle / f"{table}.csv"
        opened = open(path, newline="") if path.exists() else gzip.open(bundle / f"{table}.csv.gz", "rt", newline="")
        with opened as lines:
            yield from csv.DictReader(lines)

    owner = {row["product_id"]: row["vendor_id"] for row in rows("products")}
    lines = {}
    for row in rows("order_items"):
        vendor = owner[row["product_id"]]
        lines[vendor] = lines.get(vendor, 0) + 1
    newest = max(date.fromisoformat(row["placed_at"][:10]) for row in rows("orders"))
    last = newest.replace(day=1) - timedelta(days=1)
    by_lines = sorted(lines, key=lambda vendor: (lines[vendor], vendor))
    return by_lines[-1], by_lines[len(by_lines) // 2], (last.replace(day=1), last)
