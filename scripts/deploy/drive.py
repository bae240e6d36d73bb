"""Starts what deploy/ describes and uses it: drive.py PROGRAM SITE SCRATCH. scripts/check-deploy calls it."""

import http.client
import json
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.parse
from pathlib import Path

import files
from browser import ADDRESS, Browser, Load
from files import ROOT
from processes import Failed, Programs, until
from topology import Balancer, Topology, USER_PASSWORD, get

VENDOR = "7"
SNAPSHOT = "/api/vendor/analytics/snapshot?dateFrom=1998-04-01&dateTo=1998-04-30"
MEBIBYTE = 1024 * 1024
began = time.monotonic()


def expect(holds, problem: str):
    if not holds:
        raise Failed(problem)


def ok(what: str):
    print(f"ok  {what} ({time.monotonic() - began:.0f} s)", flush=True)


def log_in(balancer: Balancer, site: Topology, who: str) -> Browser:
    browser = Browser(balancer.ports["https"], site.authority)
    login = {"email": f"{who}@example.com", "password": USER_PASSWORD}
    status, head, said = browser.ask("POST", "/api/auth/login", login, {"X-Forwarded-For": "203.0.113.9"})
    expect(status == 200, f"login: {status} {said!r}")
    expect(browser.cookies and "Secure" in head["Set-Cookie"], f"no Secure cookie: {head['Set-Cookie']}")
    return browser


def pages_and_addresses(balancer: Balancer, browser: Browser):
    status, location = plain(balancer)
    expect(status == 308 and location.startswith("https://"), f"plain HTTP is answered {status} {location}")
    expect(browser.ask("GET", "/metrics")[0] == 404, "/metrics is open to everybody")
    status, head, page = browser.ask("GET", "/")
    expect(
        status == 200 and "Strict-Transport-Security" in head and b"Pavlova" in page,
        f"the dashboard is answered {status}",
    )
    style = re.search(rb'href="(/pkg/[^"]+\.css)"', page)
    expect(style, "the page names no style")
    status, head, _ = browser.ask("GET", style[1].decode(), headers={"Accept-Encoding": "br"})
    expect(
        status == 200 and head["Content-Encoding"] == "br" and "immutable" in head["Cache-Control"],
        f"its style: {status} {head}",
    )
    sessions = json.loads(browser.ask("GET", "/api/account/sessions")[2])["sessions"]
    addresses = {session["address"] for session in sessions}
    expect(
        addresses == {ADDRESS},
        f"clients are taken for {addresses}, not for {ADDRESS}: X-Forwarded-For or TRUSTED_PROXIES",
    )


def plain(balancer: Balancer):
    connection = http.client.HTTPConnection("localhost", balancer.ports["http"], timeout=10)
    connection.request("GET", "/orders")
    answer = connection.getresponse()
    return answer.status, answer.getheader("Location") or ""


def event_stream(browser: Browser, product: str):
    """An event arrives while the stream stays open, so nothing in between keeps it back."""
    listener = browser.again()
    stream = listener.send("GET", "/api/vendor/events")
    expect(stream.status == 200, f"the event stream is answered {stream.status}")
    while stream.readline().strip() != b": listening":
        pass
    # Whether this instance hears the others by now is not known: changed until heard.
    heard = []

    def listen():
        while not heard:
            line = stream.readline()
            if not line or line.startswith(b"event: changed"):
                heard.append(line)

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    for stock in range(100):
        expect(write_stock(browser, product, stock) == 200, "a product's stock is not taken")
        thread.join(0.1)
        if not thread.is_alive():
            break
    expect(heard and heard[0], "no event came within 10 s, or the stream ended")
    stream.close()
    listener.connection.close()


def write_stock(browser: Browser, product: str, stock: int) -> int:
    return browser.ask("PATCH", "/api/vendor/products/bulk", {"productIds": [product], "changes": {"stock": stock}})[0]


def large_bodies(admin: Browser, product: dict):
    row = {name: product[name] for name in ("productId", "name", "category", "unitPrice", "stock", "status")}
    body = json.dumps({"products": [{**row, "vendorId": VENDOR}]}).encode()
    status, _, said = admin.ask("POST", "/api/ingest/products", body.ljust(8 * MEBIBYTE))
    expect(status == 200, f"8 MiB of ingestion are answered {status} {said[:300]!r}")
    status, _, said = admin.ask("POST", "/api/ingest/products", body.ljust(9 * MEBIBYTE))
    expect(status == 413 and b"too_large" in said, f"9 MiB of ingestion are answered {status} {said[:300]!r}")


def one_after_the_other(balancer: Balancer, site: Topology, browser: Browser, product: str) -> int:
    """Each instance is stopped and started; nobody notices."""
    stock = {"productIds": [product], "changes": {"stock": 3}}
    reads = [("GET", SNAPSHOT, None), ("GET", "/", None), ("GET", "/api/auth/me", None)]
    writes = [("PATCH", "/api/vendor/products/bulk", stock)]

    def drained(name: str):
        balancer.say(f"set server ready/{name} state drain")
        load.some_more()
        renewed(name)
        balancer.say(f"set server ready/{name} state ready")
        balancer.until_state(f"ready/{name}", "UP")

    def renewed(name: str):
        status = site.instances[name].stop()
        expect(status == 0, f"instance {name} ended with {status}")
        load.some_more()
        site.start_instance(name)

    def stopped(name: str):
        renewed(name)
        if balancer.admin:
            balancer.until_state(f"ready/{name}", "UP")

    answered = 0
    # HAProxy hears of it beforehand (/readyz). nginx does not, and a write that an instance was sent while it stopped
    # is not sent again.
    both = reads + writes
    for stop, requests in ((drained, both), (stopped, both)) if balancer.admin else ((stopped, reads),):
        with Load(browser, requests) as load:
            for name in ("one", "two"):
                load.some_more()
                stop(name)
            load.some_more()
        failed = f"{stop.__name__}: {len(load.failed)} of {len(load.answered)} requests failed: {load.failed[:3]}"
        expect(not load.failed, failed)
        answered += len(load.answered)
    return answered


def sessions_away(balancer: Balancer, site: Topology, sessions, browser: Browser):
    """What both instances need is away: the program says so itself. When it is back, those and only those are logged
    in who were before."""
    out, also_out = log_in(balancer, site, "admin"), log_in(balancer, site, "admin")
    left = dict(out.cookies)
    expect(also_out.ask("DELETE", "/api/account/sessions")[0] == 204, "logging out everywhere fails")
    sessions.stop()
    for name in ("one", "two"):
        until(f"ready/{name} is DOWN", lambda name=name: balancer.state(f"ready/{name}").startswith("DOWN"))
    status, head, said = browser.ask("GET", "/api/auth/me")
    expect(
        status == 503 and head["Content-Type"] == "application/problem+json" and head["Retry-After"],
        f"{status} {head} {said!r}",
    )
    sessions.start(lambda: site.redis("sessions", "PING") == "PONG")
    for name in ("one", "two"):
        balancer.until_state(f"ready/{name}", "UP")
    status, _, said = browser.ask("GET", "/api/auth/me")
    expect(status == 200, f"a restart of the sessions' Redis has logged people out: {status} {said!r}")
    out.cookies = left
    status, _, said = out.ask("GET", "/api/auth/me")
    expect(status == 401, f"a restart of the sessions' Redis has logged somebody in again: {status} {said!r}")


def watched(port: int):
    """Prometheus has what the rules and the dashboard ask for."""

    def query(text: str) -> list:
        status, said = get(port, "/api/v1/query?query=" + urllib.parse.quote(text))
        answer = json.loads(said)
        expect(status == 200, f"Prometheus does not understand {text}: {answer}")
        return answer["data"]["result"]

    until("both instances and the balancer are scraped", lambda: len(query("up == 1")) == 3)
    queries = files.rule_queries() + files.dashboard_queries()
    recorded = [rule["record"] for rule in files.rules() if "record" in rule]
    until("what rules record is there", lambda: all(query(f"count({name})") for name in recorded))
    until("rules find lookups", lambda: query("vendorscope:cache_lookups:rate5m > 0"))
    missing = [name for name in sorted(files.metrics_of(queries)) if not query(f"count({name})")]
    expect(not missing, f"rules or dashboard ask for what nobody counts: {missing}")
    for metric, label, value in sorted(files.selections_of(queries), key=str):
        chosen = f'{metric}{{{label}!=""}}' if value is None else f'{metric}{{{label}="{value}"}}'
        expect(query(f"count({chosen})"), f"rules or dashboard choose what there is none of: {chosen}")
    for text in queries:
        for label in files.groupings_of(text):
            has = [name for name in files.metrics_of([text]) if query(f'count({name}{{{label}!=""}})')]
            expect(has, f"rules or dashboard sum up by {label}, which nothing in {text} has")
    for text, labels in files.dashboard_legends():
        unnamed = [series for series in query(text) if not set(labels) <= set(series["metric"])]
        expect(not unnamed, f"the dashboard names lines by {labels}, which {text} has not: {unnamed[:1]}")
    board = json.loads((files.DEPLOY / "grafana" / "vendorscope.json").read_text())
    for panel in board["panels"]:
        if panel["type"] == "stat":
            expect(query(files.filled_in(panel["targets"][0]["expr"])), f"the dashboard's {panel['title']} shows nothing")


def health_check(site: Topology):
    """The image's own health check, run as the container engine does."""

    def result(address: str) -> int:
        command = [word.replace("/opt/vendorscope", f"{site.installed}/opt/vendorscope") for word in site.container.health]
        environment = {**site.from_compose("one"), "LEPTOS_SITE_ADDR": address}
        return subprocess.run(command, capture_output=True, check=False, timeout=10, env=environment).returncode

    expect(result(f"0.0.0.0:{site.ports['one']}") == 0, "the image's health check refuses an instance that is well")
    expect(result("0.0.0.0:1") != 0, "the image's health check accepts where nobody listens")


def doctor(site: Topology):
    """Both instances, as they are configured, are found to be well."""
    for name, environment in (("one", site.from_compose("one")), ("two", site.from_unit("two"))):
        program = site.installed / "opt/vendorscope/vendorscope"
        done = subprocess.run([program, "doctor"], capture_output=True, text=True, check=False, env=environment, cwd=site.scratch)
        expect(done.returncode == 0, f"the doctor of instance {name}:\n{done.stdout}{done.stderr}")


def nothing_refused(site: Topology):
    """Neither Redis has refused what Vendorscope asked; no instance met a defect."""
    for name in ("cache", "sessions"):
        said = site.redis(name, "ACL", "LOG")
        expect(said == "", f"the {name}' Redis refused a command: its user has too few rights\n{said}")
    for name, instance in site.instances.items():
        defects = [line for line in instance.said().splitlines() if '"panicked"' in line or '"failed"' in line]
        expect(not defects, f"instance {name}: {defects[:3]}")


def main(program: Path, site_folder: Path, scratch: Path):
    with Programs(scratch) as programs:
        site = Topology(programs, program, site_folder, scratch)
        site.start_postgres()
        sessions = site.start_redis("sessions")
        site.start_redis("cache")
        site.vendorscope("migrate")
        site.vendorscope("import", str(ROOT / "tests/fixtures/northwind"))
        for who in (
            ["vendor@example.com", "--role", "vendor", "--vendor", VENDOR],
            ["admin@example.com", "--role", "admin"],
        ):
            site.vendorscope("user", "add", *who, VENDORSCOPE_PASSWORD=USER_PASSWORD)
        for name in ("one", "two"):
            site.start_instance(name)
        health_check(site)
        doctor(site)
        ok("two instances, PostgreSQL and two Redis")
        balancer = site.start_haproxy()
        for name in ("one", "two"):
            balancer.until_state(f"ready/{name}", "UP")
        prometheus = site.start_prometheus(balancer)
        for kind, front in (("HAProxy", balancer), ("nginx", site.start_nginx())):
            browser, admin = log_in(front, site, "vendor"), log_in(front, site, "admin")
            product = json.loads(browser.ask("GET", "/api/vendor/products")[2])["products"][0]
            pages_and_addresses(front, browser)
            event_stream(browser, product["productId"])
            large_bodies(admin, product)
            ok(f"{kind}: pages, the client's address, an event at once, 8 MiB of ingestion")
            requests = one_after_the_other(front, site, browser, product["productId"])
            ok(f"{kind}: each instance stopped and started, 0 of {requests} requests failed")
        watched(prometheus)
        ok("Prometheus: what rules and dashboard ask for")
        sessions_away(balancer, site, sessions, log_in(balancer, site, "vendor"))
        nothing_refused(site)
        ok("the sessions' Redis away and back")


# Told to stop, it ends what it has started, as it does after a failure.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
try:
    main(*(Path(argument) for argument in sys.argv[1:4]))
except (Failed, OSError, http.client.HTTPException) as failure:
    sys.exit(f"FAILED: {failure!r}" if not isinstance(failure, Failed) else f"FAILED: {failure}")
