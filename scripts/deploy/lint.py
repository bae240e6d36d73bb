"""What no other program checks of the files in deploy/: that they agree with each other, with README.md and docs/."""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import files
import together
from files import DEPLOY, ROOT

problems = []


def expect(holds, problem: str):
    if not holds:
        problems.append(problem)


def anchors(page: Path) -> set:
    """The headings of a page, as links name them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.M)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def environments():
    known = set(re.findall(r"`([A-Z][A-Z0-9_]+)`", (ROOT / "README.md").read_text()))
    compose = files.yaml(DEPLOY / "compose.yaml")
    example = files.environment_file(DEPLOY / "compose.env.example")
    expect(
        set(example) == files.compose_variables(),
        f"compose.env.example and compose.yaml: {set(example) ^ files.compose_variables()}",
    )
    for where, names in {
        "vendorscope.env.example": files.environment_file(DEPLOY / "systemd" / "vendorscope.env.example"),
        "compose.yaml": compose["x-instance"]["environment"],
        "Containerfile": files.Containerfile().environment,
    }.items():
        expect(set(names) <= known, f"{where} sets what README.md does not know: {set(names) - known}")
    presets = set(re.findall(r"presetenv (\w+)", (DEPLOY / "haproxy" / "haproxy.cfg").read_text()))
    used = set(re.findall(r'"\$\{(\w+)\}"', (DEPLOY / "haproxy" / "haproxy.cfg").read_text()))
    expect(presets == used, f"haproxy.cfg sets and uses other names: {presets ^ used}")
    given = set(compose["services"]["balancer"]["environment"])
    expect(given <= presets, f"compose.yaml gives the balancer what haproxy.cfg does not use: {given - presets}")
    for service in compose["services"].values():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            expect(
                not source.startswith("./") or (DEPLOY / source).is_file(),
                f"compose.yaml mounts {source}, which is not there",
            )


def container():
    container = files.Containerfile()
    user = container.user.split(":")[0]
    expect(user not in ("0", "root"), f"Containerfile: the program would run as {container.user}")
    expect(container.stop_signal == "SIGTERM", "Containerfile: the program is told to stop by what it does not know")
    allowed = (DEPLOY / "container" / "Containerfile.dockerignore").read_text().splitlines()
    for sources, _ in container.copies:
        expect(
            all(f"!{source}" in allowed for source in sources),
            f"Containerfile.dockerignore keeps back one of {sources}",
        )


# An open dashboard is an open file of the instance's, and two of the balancer's.
FILES = 65536


def open_files():
    unit = (DEPLOY / "systemd" / "vendorscope.service").read_text()
    limit = re.search(r"^LimitNOFILE=(\d+)$", unit, re.M)
    expect(limit and int(limit[1]) >= FILES, f"vendorscope.service lets fewer than {FILES} files be open")
    compose = files.yaml(DEPLOY / "compose.yaml")
    for name, service in {"x-instance": compose["x-instance"], "balancer": compose["services"]["balancer"]}.items():
        limit = service.get("ulimits", {}).get("nofile", 0)
        expect(limit >= FILES, f"compose.yaml: {name} lets fewer than {FILES} files be open")
    nginx = (DEPLOY / "nginx" / "nginx.conf.template").read_text()
    limit = re.search(r"^worker_rlimit_nofile (\d+);$", nginx, re.M)
    expect(limit and int(limit[1]) >= FILES, f"nginx.conf.template lets fewer than {FILES} files be open")


# What a server that is asked over the network, that reads certificates and that has its own root cannot do without:
# the rest of what `systemd-analyze security` knows is shut.
OPEN = {
    "DeviceAllow=",
    "IPAddressDeny=",
    "PrivateMounts=",
    "PrivateNetwork=",
    "RestrictAddressFamilies=~AF_(INET|INET6)",
    "RestrictAddressFamilies=~AF_UNIX",
    "RootDirectory=/RootImage=",
}
# Seconds that requests in flight get once the listener is closed, and STOP_DELAY where nobody says otherwise.
IN_FLIGHT, STOP_DELAY = 30, 5


def seconds(text: str) -> int:
    return int(re.fullmatch(r"(\d+)s", text)[1])


def unit():
    path = DEPLOY / "systemd" / "vendorscope.service"
    words = ["systemd-analyze", "security", "--no-pager", "--offline=true", "--json=short", str(path)]
    analyzed = subprocess.run(words, capture_output=True, text=True, check=False).stdout
    opened = {one["name"] for one in json.loads(analyzed) if not one["set"]} - OPEN
    expect(not opened, f"vendorscope.service leaves open what it has no need of: {sorted(opened)}")
    lines = path.read_text().splitlines()
    said = dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    for name, value in {
        "After": "network-online.target",
        "Wants": "network-online.target",
        # A start that fails is told at once.
        "Type": "exec",
        "EnvironmentFile": "/etc/vendorscope.env",
        "WorkingDirectory": "/opt/vendorscope",
        "ExecStart": "/opt/vendorscope/vendorscope serve",
        "Restart": "on-failure",
        "RestartSec": "2s",
        "StateDirectory": "vendorscope",
        "StateDirectoryMode": "0700",
        "MemoryDenyWriteExecute": "yes",
        "SystemCallErrorNumber": "EPERM",
        "WantedBy": "multi-user.target",
    }.items():
        expect(said.get(name) == value, f"vendorscope.service: {name}={said.get(name)}, not {value}")
    stops = seconds(said.get("TimeoutStopSec", "0s"))
    expect(stops >= STOP_DELAY + IN_FLIGHT, f"vendorscope.service is killed {stops} s after it was told to stop")


def services():
    compose = files.yaml(DEPLOY / "compose.yaml")
    services = compose["services"]
    instances = [name for name, service in services.items() if service.get("image") == "vendorscope"]
    serving = [name for name in instances if name != "migrate"]
    for name in instances:
        service = services[name]
        shut = (service.get("read_only"), service.get("cap_drop"), service.get("security_opt"))
        expect(shut == (True, ["ALL"], ["no-new-privileges:true"]), f"compose.yaml: {name} may do too much: {shut}")
        environment = service["environment"]
        expect(environment.get("APP_ENV") == "production", f"compose.yaml: {name} does not run as in production")
        known = environment.get("INSTANCES")
        expect(known == str(len(serving)), f"compose.yaml: {name} knows of {known} instances, not of {serving}")
        balancer = services["balancer"]["networks"]["inside"]["ipv4_address"]
        trusted = environment.get("TRUSTED_PROXIES")
        expect(trusted == balancer, f"compose.yaml: {name} trusts {trusted}, and the balancer is {balancer}")
        delay = int(environment.get("STOP_DELAY", 0))
        # HAProxy as configured here takes 1.3 s.
        expect(delay >= 2, f"compose.yaml: {name} closes its listener after {delay} s: the balancer does not know yet")
        stops = seconds(service.get("stop_grace_period", "10s"))
        expect(stops >= delay + IN_FLIGHT, f"compose.yaml: {name} is killed {stops} s after it was told to stop")
        sessions = environment.get("SESSION_REDIS_URL", "")
        expect(sessions.endswith("@sessions:6379"), f"compose.yaml: {name} keeps sessions at {sessions or 'the cache'}")
        expect(environment.get("LOG_FORMAT") == "json", f"compose.yaml: {name} writes a log for people")
    for name, service in services.items():
        wanted = "no" if name == "migrate" else "unless-stopped"
        expect(service.get("restart") == wanted, f"compose.yaml: {name} is restarted: {service.get('restart')}")
        expect("ports" not in service or name == "balancer", f"compose.yaml: {name} is reached from outside")
        needs = {"migrate": {"database": "service_healthy"}}.get(name, {})
        if name in serving:
            needs = {
                "migrate": "service_completed_successfully",
                "cache": "service_healthy",
                "sessions": "service_healthy",
            }
        waits = service.get("depends_on", {})
        waits = {of: how["condition"] for of, how in waits.items()} if isinstance(waits, dict) else {}
        expect(waits == needs, f"compose.yaml: {name} waits for {waits}, not for {needs}")
    for name in ("database", "cache", "sessions"):
        expect("healthcheck" in services[name], f"compose.yaml: nobody knows when {name} is there")
    expect(seconds(services["database"].get("stop_grace_period", "10s")) >= 60, "compose.yaml: the database is killed")
    expect(services["balancer"].get("tmpfs") == ["/tmp"], "compose.yaml: the balancer has nowhere to put its socket")
    told = services["balancer"]["environment"]
    expect("VENDORSCOPE_BALANCER_METRICS" in told, "compose.yaml: Prometheus cannot ask the balancer")
    expect(compose["networks"]["inside"].get("internal"), "compose.yaml: the servers are reached from outside")


# What a balancer must do, as docs/deployment.md says, and whoever takes a line out does not see at once: either it
# matters only when something fails, or under load, or to others than browsers.
BALANCERS = {
    "nginx/nginx.conf.template": {
        "the port in Host": r"proxy_set_header Host \$http_host;",
        "whose request it is": r"proxy_set_header X-Forwarded-For \$proxy_add_x_forwarded_for;",
        "ingestion": r"client_max_body_size 16m;",
        "events as they come": r"location = /api/vendor/events \{\s+proxy_pass http://vendorscope;\s+"
        r"proxy_buffering off;",
        "longer than the program takes": r"proxy_read_timeout 60s;",
        "an instance that is away": r"proxy_next_upstream error timeout;\s+proxy_next_upstream_tries 3;",
        "a machine that is away": r"proxy_connect_timeout 2s;",
        "both asked again at once": r"server \$\{VENDORSCOPE_ONE\} max_fails=0;\s+"
        r"server \$\{VENDORSCOPE_TWO\} max_fails=0;",
        "the less busy one": r"least_conn;",
        "connections kept": r'keepalive 32;[^~]*proxy_http_version 1\.1;\s+proxy_set_header Connection "";',
        "shorter than the program's 75 s": r"keepalive_timeout 60s;",
        "TLS": r"ssl_protocols TLSv1\.2 TLSv1\.3;\s+ssl_session_cache shared:tls:10m;\s+ssl_session_tickets off;",
        "HTTPS for all": r"return 308 https://",
        "no release told": r"server_tokens off;",
        "no figures told": r"location = /metrics \{\s+return 404;",
        "connections": r"worker_connections 16384;",
        "all processors": r"worker_processes auto;",
        "no log of who looked at what": r"access_log off;",
        "failures in the log": r"error_log stderr error;",
    },
    "haproxy/haproxy.cfg": {
        "whose request it is": r"option forwardfor\n",
        "TLS": r"ssl-default-bind-options ssl-min-ver TLSv1\.2\n\s+ssl-default-bind-ciphersuites TLS_AES",
        "HTTP/2": r"alpn h2,http/1\.1",
        "longer than the program takes": r"timeout server 60s\n",
        "streams": r"timeout client 60s\n",
        "a machine that is away": r"timeout connect 2s\n",
        "slow clients": r"timeout http-request 30s\n",
        "shorter than the program's 75 s": r"timeout http-keep-alive 60s\n",
        "a queue that ends": r"timeout queue 10s\n",
        "HTTPS for all": r"http-request redirect scheme https code 308\n",
        "no figures told": r"frontend site[^~]*http-request return status 404 if \{ path /metrics \}[^~]*backend ready",
        "what all need is away": r"use_backend alive if \{ nbsrv\(ready\) eq 0 \}\n\s+default_backend ready\n",
        "who is ready": r"backend ready\n\s+balance leastconn\n\s+option httpchk\n"
        r"\s+http-check send meth GET uri /readyz ver HTTP/1\.1 hdr Host vendorscope\n"
        r"\s+http-check expect status 200\n\s+retries 3\n\s+option redispatch 1\n",
        "both instances": r'(server one "\$\{VENDORSCOPE_ONE\}"\n\s+server two "\$\{VENDORSCOPE_TWO\}"\n[^~]*){2}',
        "who is alive": r"backend alive\n\s+balance leastconn\n\s+option httpchk\n"
        r"\s+http-check send meth GET uri /healthz ver HTTP/1\.1 hdr Host vendorscope\n"
        r"\s+http-check expect status 200\n\s+retries 3\n\s+option redispatch 1\n",
        "reads sent again": r"retries 3\n\s+option redispatch 1\n\s+retry-on conn-failure empty-response\n"
        r"\s+http-request disable-l7-retry unless METH_GET\n",
        "within 1.3 s": r"(default-server check inter 1s fastinter 250ms fall 2 rise 1\n[^~]*){2}",
        "figures of the balancer": r"use-service prometheus-exporter if \{ path /metrics \}\n"
        r"\s+http-request return status 404\n",
        "no log of Prometheus": r"option dontlog-normal\n",
        "a log of requests": r"log global\n\s+option httplog\n\s+option dontlognull\n",
        "nobody's rights": r'user "\$\{VENDORSCOPE_BALANCER_USER\}"\n\s+group "\$\{VENDORSCOPE_BALANCER_USER\}"\n',
    },
}


def balancers():
    for name, wanted in BALANCERS.items():
        lines = (DEPLOY / name).read_text().splitlines(keepends=True)
        text = "".join(line for line in lines if not line.lstrip().startswith("#"))
        for what, pattern in wanted.items():
            expect(re.search(pattern, text), f"{name}: {what}: nothing is like {pattern}")


def redis():
    for name, wanted in {
        # Full when it works as meant; what has no expiry (the counts of the health page) stays.
        "cache": {"maxmemory": "256mb", "maxmemory-policy": "volatile-lru", "save": '""', "appendonly": "no"},
        # Nothing is evicted, and a restart keeps it.
        "sessions": {
            "maxmemory": "64mb",
            "maxmemory-policy": "noeviction",
            "save": '""',
            "appendonly": "yes",
            "appendfsync": "everysec",
        },
    }.items():
        lines = (DEPLOY / "redis" / f"{name}.conf").read_text().splitlines()
        said = dict(line.split(None, 1) for line in lines if line and not line.startswith("#"))
        expect(said == wanted, f"{name}.conf says {said}, not {wanted}")


def dashboard():
    board = json.loads((DEPLOY / "grafana" / "vendorscope.json").read_text())
    panels = board["panels"]
    ids = [panel["id"] for panel in panels]
    expect(len(set(ids)) == len(ids), "vendorscope.json: two panels have one id")
    cells = set()
    for panel in panels:
        place = panel["gridPos"]
        taken = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        expect(
            not cells & taken and place["x"] + place["w"] <= 24,
            f"vendorscope.json: {panel['title']} lies on another panel",
        )
        cells |= taken
    # promtool reads queries in rules only.
    rules = [{"record": f"panel:{number}", "expr": query} for number, query in enumerate(files.dashboard_queries())]
    with tempfile.NamedTemporaryFile("w", suffix=".json") as scratch:
        json.dump({"groups": [{"name": "dashboard", "rules": rules}]}, scratch)
        scratch.flush()
        checked = subprocess.run(["promtool", "check", "rules", scratch.name], capture_output=True, text=True)
    expect(checked.returncode == 0, f"vendorscope.json: {checked.stdout}{checked.stderr}")


def alerts():
    cases = (DEPLOY / "prometheus" / "rules.test.yml").read_text()
    for group in files.yaml(DEPLOY / "prometheus" / "rules.yml")["groups"]:
        for rule in group["rules"]:
            if "alert" not in rule:
                continue
            name = rule["alert"]
            tried = re.findall(rf"alertname: {name}\n\s+exp_alerts:(.*)", cases)
            expect(
                "" in tried and " []" in tried,
                f"rules.test.yml: {name} needs a case in which it comes, and one in which it does not",
            )
            page, _, anchor = rule["annotations"]["runbook"].partition("#")
            expect(
                (ROOT / page).is_file() and anchor in anchors(ROOT / page),
                f"rules.yml: {name} sends to {page}#{anchor}, which is not there",
            )


for check in (environments, container, open_files, unit, services, balancers, redis, dashboard, alerts):
    try:
        check()
    except ValueError as error:
        problems.append(str(error))
problems += together.problems()
for problem in problems:
    print(problem)
sys.exit(1 if problems else 0)
