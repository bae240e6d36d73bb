"""What stands in the files of deploy/, read as the programs read it that they are for."""

import json
import re
import shlex
from pathlib import Path

from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"


def yaml(path: Path):
    return YAML(typ="safe").load(path.read_text())


def interpolate(value, variables: dict):
    """As compose does: `${NAME}` and `${NAME:?}`. A variable that is not there is a KeyError."""
    if isinstance(value, str):
        return re.sub(r"\$\{(\w+)(?::\?[^}]*)?\}", lambda found: variables[found[1]], value)
    if isinstance(value, list):
        return [interpolate(one, variables) for one in value]
    if isinstance(value, dict):
        return {name: interpolate(one, variables) for name, one in value.items()}
    return value


def compose_variables() -> set:
    """What compose.yaml asks of its environment."""
    return set(re.findall(r"\$\{(\w+)", (DEPLOY / "compose.yaml").read_text()))


def environment_file(path: Path) -> dict:
    """As systemd and compose read one: NAME=value, nothing carried out. What either could take for something else is a
    ValueError."""
    values = {}
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        found = re.fullmatch(r"([A-Z][A-Z0-9_]*)=([^'\"\\\s`$]*)", line)
        if not found:
            raise ValueError(f"{path.name}:{number}: not NAME=value without quotes, blanks and $: {line}")
        values[found[1]] = found[2]
    return values


class Containerfile:
    """What deploy/container/Containerfile copies, sets and runs."""

    def __init__(self):
        text = re.sub(r"\\\n\s*", " ", (DEPLOY / "container" / "Containerfile").read_text())
        lines = [line.split(None, 1) for line in text.splitlines() if line and not line.startswith("#")]
        words = lambda name: [rest for word, rest in lines if word == name]
        self.copies = [(sources, into) for *sources, into in (line.split() for line in words("COPY"))]
        self.environment = dict(pair.split("=", 1) for line in words("ENV") for pair in shlex.split(line))
        self.health = json.loads(words("HEALTHCHECK")[0].split("CMD", 1)[1])
        self.command = json.loads(words("ENTRYPOINT")[0]) + json.loads(words("CMD")[0])
        self.user = words("USER")[0]
        self.stop_signal = next(iter(words("STOPSIGNAL")), None)


def dashboard_queries() -> list:
    """Every query of the dashboard, with what Grafana fills in filled in."""
    board = json.loads((DEPLOY / "grafana" / "vendorscope.json").read_text())
    queries = [target["expr"] for panel in board["panels"] for target in panel.get("targets", [])]
    queries += [note["expr"] for note in board["annotations"]["list"]]
    return [filled_in(query) for query in queries]


def filled_in(query: str) -> str:
    return query.replace("$__rate_interval", "1m").replace("$instance", ".*")


def rules() -> list:
    return [rule for group in yaml(DEPLOY / "prometheus" / "rules.yml")["groups"] for rule in group["rules"]]


def rule_queries() -> list:
    return [rule["expr"] for rule in rules()]


def dashboard_legends() -> list:
    """Every query that names its lines by labels, with the names of those."""
    board = json.loads((DEPLOY / "grafana" / "vendorscope.json").read_text())
    targets = [target for panel in board["panels"] for target in panel.get("targets", [])]
    return [(filled_in(target["expr"]), re.findall(r"{{(\w+)}}", target.get("legendFormat", ""))) for target in targets]


def metrics_of(queries: list) -> set:
    """The metrics that somebody must count for these queries to say anything: every name that is no function's, no
    label's and no word of the language. ALERTS is Prometheus' own, and there only while there is one."""
    words = {"and", "or", "unless", "offset", "bool", "ALERTS"}
    found = set()
    for query in queries:
        bare = re.sub(r"\{[^}]*\}|\[[^]]*\]|\"[^\"]*\"", "", query)
        bare = re.sub(r"\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)", "", bare)
        found |= set(re.findall(r"(?<![\w:.])[a-zA-Z_:][\w:]*(?![\w:]|\s*\()", bare))
    return found - words


def groupings_of(query: str) -> set:
    """The labels by which a query sums up."""
    found = re.findall(r"\b(?:by|without|on|ignoring)\s*\(([^)]*)\)", query)
    return {label for labels in found for label in re.findall(r"\w+", labels)}


def selections_of(queries: list) -> set:
    """What these queries choose by labels, as (metric, label, value); the value is None where any will do. Which
    answers there are depends on what went wrong so far: of `status` any will do."""
    found = set()
    for query in queries:
        for metric, chosen in re.findall(r"([a-zA-Z_:][\w:]*)\{([^}]*)\}", query):
            for label, sign, value in re.findall(r"(\w+)\s*(=~|!~|!=|=)\s*\"([^\"]*)\"", chosen):
                is_plain = sign == "=" or (sign == "=~" and re.fullmatch(r"[\w|]+", value))
                values = value.split("|") if is_plain and label != "status" else [None]
                found |= {(metric, label, one) for one in values if metric != "ALERTS"}
    return found
