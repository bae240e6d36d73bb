"""What scripts/bench starts and ends: everything on free ports of 127.0.0.1."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PEER = ROOT / "benches" / "peer-express"
STARTED = []


def start_redis(scratch):
    port = free_port()
    folder = scratch / "redis"
    folder.mkdir()
    start(["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", str(folder)], "redis")
    wait_for(port)
    return port


def start_postgres(scratch):
    """A cluster of its own, as the user `postgres` where this runs as root, which PostgreSQL refuses."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    folder = programs[-1] if programs else Path(shutil.which("initdb") or sys.exit("bench: PostgreSQL is not installed")).parent
    port, data = free_port(), scratch / "postgres"
    data.mkdir()
    as_user = []
    if os.geteuid() == 0:
        scratch.chmod(0o755)
        shutil.chown(data, "postgres")
        as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.run([*as_user, folder / "initdb", "-D", data, "-U", "bench", "-A", "trust", "-E", "UTF8", "--locale=C"], check=True, **quiet)
    settings = ["listen_addresses=127.0.0.1", f"unix_socket_directories={data}", "shared_buffers=256MB", "fsync=off"]
    words = [*as_user, str(folder / "postgres"), "-D", str(data), "-p", str(port)]
    start([*words, *(word for setting in settings for word in ("-c", setting))], "postgres", stop_with=signal.SIGINT)
    url = f"postgres://bench@127.0.0.1:{port}"
    for _ in range(150):
        if subprocess.run(["psql", f"{url}/postgres", "-qc", "SELECT 1"], **quiet).returncode == 0:
            return url
        time.sleep(0.1)
    sys.exit("bench: PostgreSQL does not answer")


def start_peer(redis, database):
    port = free_port()
    environment = dict(os.environ, NODE_ENV="production", PORT=str(port), REDIS_URL=f"redis://127.0.0.1:{redis}/3", DATABASE_URL=database)
    start(["node", str(PEER / "server.js")], "peer", environment)
    wait_for(port)
    return port


def start(words, name, environment=None, log=None, stop_with=signal.SIGTERM):
    out = open(log, "wb") if log else subprocess.DEVNULL
    process = subprocess.Popen(words, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT)
    STARTED.append((name, process, stop_with))
    return process


def stop_all():
    for _, process, stop_with in reversed(STARTED):
        if process.poll() is None:
            process.send_signal(stop_with)
    for name, process, _ in reversed(STARTED):
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            say(f"{name} does not end: killed")
            process.kill()


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_for(port):
    for _ in range(3000):
        with socket.socket() as connection:
            if connection.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.01)
    sys.exit(f"bench: nothing listens on port {port}")


def call(words, environment, cwd=None):
    done = subprocess.run(words, env=environment, cwd=cwd, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"bench: {' '.join(map(str, words))}: {done.stderr.strip()}")


def psql(database, statement):
    """What the statement returns, a row a line."""
    return subprocess.run(["psql", database, "-qAtc", statement], check=True, capture_output=True, text=True).stdout


def say(words):
    print(words, file=sys.stderr, flush=True)
