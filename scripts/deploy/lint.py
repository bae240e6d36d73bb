"""What no other program checks of the files in deploy/: that they agree with each other, with README.md and docs/."""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import files
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


for check in (environments, container, open_files, dashboard, alerts):
    try:
        check()
    except ValueError as error:
        problems.append(str(error))
for problem in problems:
    print(problem)
sys.exit(1 if problems else 0)
