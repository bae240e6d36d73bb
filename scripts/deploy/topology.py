"""The servers of deploy/compose.yaml as plain processes, from the same files. The first instance is told what the
compose file tells it; the second what the systemd unit's example tells it: TLS to PostgreSQL and both Redis."""

import getpass
import http.client
import json
import os
import shutil
import socket
import subprocess
from pathlib import Path

import files
from files import DEPLOY, ROOT
from processes import Program, Programs, as_postgres, free_port, listens, run, until

# Letters and digits, as compose.env.example asks for. They last as long as the check.
SECRETS = {
    "POSTGRES_PASSWORD": os.urandom(12).hex(),
    "REDIS_PASSWORD": os.urandom(12).hex(),
    "SESSION_SECRET": os.urandom(24).hex(),
    "METRICS_TOKEN": os.urandom(12).hex(),
}
USER_PASSWORD = "correct horse battery staple"


def get(port: int, path: str, headers: dict | None = None) -> tuple[int, bytes]:
    """One request over plain HTTP, to an instance or a server's own page."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path, headers=headers or {})
        answer = connection.getresponse()
        return answer.status, answer.read()
    except http.client.HTTPException as error:
        raise ConnectionError(error) from error
    finally:
        connection.close()


class Topology:
    def __init__(self, programs: Programs, program: Path, site: Path, scratch: Path):
        self.programs, self.scratch = programs, scratch
        self.authority, self.certificate = scratch / "ca.pem", scratch / "site.pem"
        self.ports = {
            name: free_port() for name in ("database", "cache", "cache-tls", "sessions", "sessions-tls", "one", "two")
        }
        self.compose = files.interpolate(
            files.yaml(DEPLOY / "compose.yaml"),
            {**SECRETS, "PUBLIC_URL": "https://vendors.example.com", "CERTIFICATE": str(self.certificate)},
        )
        self.container = files.Containerfile()
        self.installed = self.install(program, site)
        self.instances: dict[str, Program] = {}

    def install(self, program: Path, site: Path) -> Path:
        """What the image holds: exactly what the Containerfile copies, where it copies it to."""
        image = self.scratch / "image"
        sources = {
            "target/dist/vendorscope": program,
            "target/dist/hash.txt": program.parent / "hash.txt",
            "target/site": site,
        }
        for copied, into in self.container.copies:
            for source in copied:
                target = image / into.lstrip("/")
                if sources[source].is_dir():
                    shutil.copytree(sources[source], target)
                else:
                    target.mkdir(parents=True, exist_ok=True)
                    shutil.copy2(sources[source], target)
        return image

    def here(self, text: str) -> str:
        """An address of the compose file's network, or a path of the image, as it is on this machine."""
        named = {
            "database:5432": "database",
            "cache:6379": "cache",
            "sessions:6379": "sessions",
            "172.30.30.11:3000": "one",
            "172.30.30.12:3000": "two",
        }
        for address, name in named.items():
            text = text.replace(address, f"127.0.0.1:{self.ports[name]}")
        return text.replace("172.30.30.2", "127.0.0.1").replace("/opt/vendorscope", f"{self.installed}/opt/vendorscope")

    def from_compose(self, name: str) -> dict:
        """The environment of an instance, as its container has it."""
        given = {**self.container.environment, **self.compose["x-instance"]["environment"]}
        values = {variable: self.here(value) for variable, value in given.items()}
        return {"PATH": os.environ["PATH"], **values, "LEPTOS_SITE_ADDR": f"127.0.0.1:{self.ports[name]}"}

    def from_unit(self, name: str) -> dict:
        """The environment of an instance, as the unit's example says it, but with the servers of this machine."""
        values = files.environment_file(DEPLOY / "systemd" / "vendorscope.env.example")
        ports = {
            "db.internal:5432": "database",
            "cache.internal:6379": "cache-tls",
            "sessions.internal:6379": "sessions-tls",
        }
        for variable, value in values.items():
            for address, port in ports.items():
                value = value.replace(address, f"localhost:{self.ports[port]}")
            value = value.replace("/etc/ssl/certs/ca-certificates.crt", str(self.authority))
            secret = "POSTGRES_PASSWORD" if variable == "DATABASE_URL" else "REDIS_PASSWORD"
            values[variable] = self.here(value.replace("PASSWORD", SECRETS[secret]))
        values.update({name: value for name, value in SECRETS.items() if name in ("SESSION_SECRET", "METRICS_TOKEN")})
        values.update(
            TRUSTED_PROXIES="127.0.0.1",
            LEPTOS_SITE_ADDR=f"127.0.0.1:{self.ports[name]}",
            SSL_CERT_FILE=str(self.authority),
        )
        return {"PATH": os.environ["PATH"], **values}

    def vendorscope(self, *arguments: str, **environment: str) -> str:
        """One command of the program, as an operator runs it beside the instances."""
        program = self.installed / "opt/vendorscope/vendorscope"
        return run([program, *arguments], env={**self.from_compose("one"), **environment}, cwd=self.scratch)

    def start_postgres(self):
        installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[4]))
        programs = (
            installed[-1] if installed else Path(os.path.realpath(shutil.which("postgres") or "postgres"))
        ).parent
        data, password = self.scratch / "database", self.scratch / "database.password"
        data.mkdir()
        key = self.scratch / "database.key"
        shutil.copy(f"{self.certificate}.key", key)
        password.write_text(SECRETS["POSTGRES_PASSWORD"])
        key.chmod(0o600)
        if os.getuid() == 0:
            for path in (data, key, password):
                shutil.chown(path, "postgres")
        user = self.compose["services"]["database"]["environment"]["POSTGRES_USER"]
        words = [
            "--username",
            user,
            "--auth",
            "scram-sha-256",
            "--pwfile",
            password,
            "--encoding",
            "UTF8",
            "--no-locale",
            "--no-sync",
        ]
        run([*as_postgres(), programs / "initdb", "--pgdata", data, *words], cwd="/")
        settings = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "fsync": "off", "ssl": "on"}
        settings.update(ssl_cert_file=str(self.certificate), ssl_key_file=str(key))
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        command = [*as_postgres(), programs / "postgres", "-D", data, "-p", self.ports["database"], *options]
        ready = [programs / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.ports["database"])]
        self.programs.new("postgres", command, cwd="/").start(
            lambda: subprocess.run(ready, check=False).returncode == 0
        )
        connection = ["-h", "127.0.0.1", "-p", str(self.ports["database"]), "-U", user]
        database = self.compose["services"]["database"]["environment"]["POSTGRES_DB"]
        run(
            [programs / "createdb", *connection, database],
            env={**os.environ, "PGPASSWORD": SECRETS["POSTGRES_PASSWORD"]},
        )

    def start_redis(self, name: str) -> Program:
        command = [
            word.replace("/etc/redis.conf", str(DEPLOY / "redis" / f"{name}.conf"))
            for word in self.compose["services"][name]["command"]
        ]
        folder = self.scratch / name
        folder.mkdir(exist_ok=True)
        here = [
            "--port",
            self.ports[name],
            "--bind",
            "127.0.0.1",
            "--dir",
            folder,
            "--tls-port",
            self.ports[f"{name}-tls"],
            "--tls-auth-clients",
            "no",
        ]
        here += [
            "--tls-cert-file",
            self.certificate,
            "--tls-key-file",
            f"{self.certificate}.key",
            "--tls-ca-cert-file",
            self.authority,
        ]
        # Somebody who may look whether Vendorscope was refused anything.
        here += [f"--user operator on >{SECRETS['REDIS_PASSWORD']} allkeys allchannels +@all"]
        program = self.programs.new(name, [*command, *here])
        return program.start(lambda: self.redis(name, "PING") == "PONG")

    def redis(self, name: str, *words: str) -> str:
        environment = {**os.environ, "REDISCLI_AUTH": SECRETS["REDIS_PASSWORD"]}
        command = ["redis-cli", "-p", str(self.ports[name]), "--user", "operator", "--no-auth-warning", *words]
        return subprocess.run(command, capture_output=True, text=True, env=environment, check=False).stdout.strip()

    def start_instance(self, name: str):
        environment = self.from_compose(name) if name == "one" else self.from_unit(name)
        program = self.installed / self.container.command[0].lstrip("/")
        command = [program, *self.container.command[1:]]
        instance = self.instances.setdefault(name, self.programs.new(name, command, env=environment, cwd=self.scratch))
        instance.start(lambda: get(self.ports[name], "/readyz")[0] == 200)

    def start_haproxy(self) -> "Balancer":
        ports = {name: free_port() for name in ("http", "https", "metrics")}
        admin = self.scratch / "admin.sock"
        given = {name: self.here(value) for name, value in self.compose["services"]["balancer"]["environment"].items()}
        given.update(VENDORSCOPE_CERTIFICATE=str(self.certificate), VENDORSCOPE_ADMIN_SOCKET=str(admin))
        if os.getuid() != 0:
            given["VENDORSCOPE_BALANCER_USER"] = getpass.getuser()
        for name, port in (("HTTP", "http"), ("HTTPS", "https"), ("BALANCER_METRICS", "metrics")):
            given[f"VENDORSCOPE_{name}"] = f"127.0.0.1:{ports[port]}"
        command = ["haproxy", "-W", "-db", "-f", DEPLOY / "haproxy" / "haproxy.cfg"]
        program = self.programs.new("haproxy", command, env={"PATH": os.environ["PATH"], **given})
        program.start(lambda: listens(ports["https"]))
        return Balancer(program, ports, admin)

    def start_nginx(self) -> "Balancer":
        ports = {name: free_port() for name in ("http", "https")}
        given = {"VENDORSCOPE_CERTIFICATE": str(self.certificate)}
        given.update({f"VENDORSCOPE_{name.upper()}": f"127.0.0.1:{self.ports[name]}" for name in ("one", "two")})
        given.update({f"VENDORSCOPE_{name.upper()}": f"127.0.0.1:{port}" for name, port in ports.items()})
        configuration = self.scratch / "nginx.conf"
        configuration.write_text(
            run(
                [ROOT / "scripts/deploy/nginx-configuration"], env={**os.environ, **given, "SCRATCH": str(self.scratch)}
            )
        )
        command = ["nginx", "-e", "stderr", "-g", f"daemon off; pid {self.scratch}/nginx.pid;", "-c", configuration]
        program = self.programs.new("nginx", command)
        program.start(lambda: listens(ports["https"]))
        return Balancer(program, ports, None)

    def start_prometheus(self, balancer: "Balancer") -> int:
        folder, port = self.scratch / "prometheus", free_port()
        shutil.copytree(DEPLOY / "prometheus", folder)
        (folder / "metrics-token").write_text(SECRETS["METRICS_TOKEN"])
        for file, ports in (
            ("vendorscope", [self.ports["one"], self.ports["two"]]),
            ("haproxy", [balancer.ports["metrics"]]),
        ):
            (folder / "targets" / f"{file}.yml").write_text(
                json.dumps([{"targets": [f"127.0.0.1:{port}" for port in ports]}])
            )
        configuration = (folder / "prometheus.yml").read_text()
        # So that a check of a minute sees something.
        (folder / "prometheus.yml").write_text(configuration.replace("interval: 15s", "interval: 1s"))
        command = ["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data"]
        program = self.programs.new(
            "prometheus", [*command, f"--web.listen-address=127.0.0.1:{port}", "--log.level=warn"]
        )
        program.start(lambda: get(port, "/-/ready")[0] == 200)
        return port


class Balancer:
    """A server in front of the instances, by the ports that it takes people in at."""

    def __init__(self, program: Program, ports: dict, admin: Path | None):
        self.program, self.ports, self.admin = program, ports, admin

    def say(self, words: str) -> str:
        """A command to HAProxy's socket, and what it answers."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(self.admin))
            connection.sendall(f"{words}\n".encode())
            pieces = iter(lambda: connection.recv(65536), b"")
            return b"".join(pieces).decode()

    def state(self, server: str) -> str:
        """`UP`, `DOWN`, `DRAIN` …, as HAProxy sees `ready/one`."""
        backend, name = server.split("/")
        rows = [line.split(",") for line in self.say("show stat").splitlines()]
        return next(row[17] for row in rows if row[:2] == [backend, name])

    def until_state(self, server: str, state: str):
        until(f"{server} is {state}", lambda: self.state(server).startswith(state))
