"""What stands in several files of deploy/ and in docs/, and must be the same in all of them: ports, addresses, paths.
A check on one machine cannot see it, for there every server has a port and a folder of its own."""

import re

import files
from files import DEPLOY, ROOT


def problems():
    """Each in words, all of them."""
    compose = files.yaml(DEPLOY / "compose.yaml")
    for check in (ports, balancer, stores, network, services):
        yield from check(compose)
    yield from environment(compose)


def same(what: str, one, other):
    if one != other:
        yield f"{what}: {one}, and elsewhere {other}"


def mounts(service: dict) -> dict:
    """By the place that they have in the container."""
    pairs = [re.sub(r":ro$", "", volume).rsplit(":", 1) for volume in service.get("volumes", [])]
    return {place: source for source, place in pairs}


def ports(compose: dict):
    """Where an instance listens is where everybody looks for it."""
    container = (DEPLOY / "container" / "Containerfile").read_text()
    port = files.Containerfile().environment["LEPTOS_SITE_ADDR"].rsplit(":", 1)[1]
    yield from same("Containerfile: EXPOSE", re.findall(r"^EXPOSE (.*)$", container, re.M), [port])
    example = files.environment_file(DEPLOY / "systemd" / "vendorscope.env.example")
    yield from same("vendorscope.env.example: port", example["LEPTOS_SITE_ADDR"].rsplit(":", 1)[1], port)
    haproxy = (DEPLOY / "haproxy" / "haproxy.cfg").read_text()
    docs = (ROOT / "docs" / "deployment.md").read_text()
    for where, text in {"haproxy.cfg": haproxy, "docs/deployment.md": docs}.items():
        named = re.findall(r"\b10\.0\.0\.1[12]:(\d+)", text)
        yield from same(f"{where}: ports of instances", set(named), {port})
    for path in re.findall(r"presetenv VENDORSCOPE_ADMIN_SOCKET (\S+)", haproxy):
        yield from same("docs/deployment.md: the balancer's socket", set(re.findall(r"socat stdio (\S+)", docs)), {path})
    told = compose["services"]["balancer"]["environment"]
    for name in ("one", "two"):
        address = compose["services"][name]["networks"]["inside"]["ipv4_address"]
        yield from same(f"compose.yaml: address of {name}", told[f"VENDORSCOPE_{name.upper()}"], f"{address}:{port}")


def balancer(compose: dict):
    """What HAProxy reads is mounted where it looks, and what it binds is what is published."""
    service = compose["services"]["balancer"]
    told = service["environment"]
    certificate = told["VENDORSCOPE_CERTIFICATE"]
    wanted = {
        "/usr/local/etc/haproxy/haproxy.cfg": "./haproxy/haproxy.cfg",
        certificate: "${CERTIFICATE:?}",
        f"{certificate}.key": "${CERTIFICATE:?}.key",
    }
    yield from same("compose.yaml: mounts of the balancer", mounts(service), wanted)
    published = [f"80{told['VENDORSCOPE_HTTP']}", f"443{told['VENDORSCOPE_HTTPS']}"]
    yield from same("compose.yaml: ports of the balancer", service["ports"], published)
    yield from same("compose.yaml: the balancer begins after", service.get("depends_on"), ["one", "two"])
    yield from same("compose.yaml: networks of the balancer", set(service["networks"]), {"outside", "inside"})


def stores(compose: dict):
    """Each store keeps what it keeps where its image looks for it, and is asked as who it knows."""
    database = compose["services"]["database"]
    known = database["environment"]
    password = "${POSTGRES_PASSWORD:?}"
    yield from same("compose.yaml: password of the database", known.get("POSTGRES_PASSWORD"), password)
    url = f"postgres://{known['POSTGRES_USER']}:{password}@database:5432/{known['POSTGRES_DB']}"
    yield from same("compose.yaml: DATABASE_URL", compose["x-instance"]["environment"]["DATABASE_URL"], url)
    yield from same("compose.yaml: mounts of the database", mounts(database), {"/var/lib/postgresql/data": "database"})
    asked = ["CMD", "pg_isready", "-q", "-U", known["POSTGRES_USER"]]
    yield from same("compose.yaml: health of the database", database["healthcheck"]["test"], asked)
    documented = (ROOT / "docs" / "redis.md").read_text()
    for name, kept in (("cache", {}), ("sessions", {"/data": "sessions"})):
        service = compose["services"][name]
        wanted = {"/etc/redis.conf": f"./redis/{name}.conf", **kept}
        yield from same(f"compose.yaml: mounts of {name}", mounts(service), wanted)
        yield from same(f"compose.yaml: {name} runs", service["command"][:2], ["redis-server", "/etc/redis.conf"])
        # Who gives no password is refused: then it is there.
        asked = ["CMD", "sh", "-c", "redis-cli PING | grep -q NOAUTH"]
        yield from same(f"compose.yaml: health of {name}", service["healthcheck"]["test"], asked)
        for option in service["command"][2:]:
            option = option.replace("${REDIS_PASSWORD:?}", "PASSWORD")
            if f"'{option}'" not in documented:
                yield f"docs/redis.md does not start {name} as compose.yaml does: {option}"


def network(compose: dict):
    for name, service in compose["services"].items():
        if "network_mode" in service or "inside" not in service.get("networks", []):
            yield f"compose.yaml: {name} is not in the network of the others"


def services(compose: dict):
    for name, service in compose["services"].items():
        if service.get("image") == "vendorscope":
            command = ["migrate"] if name == "migrate" else None
            yield from same(f"compose.yaml: what {name} runs", service.get("command"), command)


def environment(compose: dict):
    """An instance is told the same by the image and compose.yaml, and by the unit's example."""
    example = files.environment_file(DEPLOY / "systemd" / "vendorscope.env.example")
    image = files.Containerfile().environment
    for name, value in image.items():
        yield from same(f"vendorscope.env.example: {name}", example.get(name), value)
    unsaid = set(compose["x-instance"]["environment"]) - set(example)
    if unsaid:
        yield f"vendorscope.env.example does not say what compose.yaml does: {sorted(unsaid)}"
