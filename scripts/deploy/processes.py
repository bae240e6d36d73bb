"""Programs that a check starts on free ports of this machine, and ends again whatever happens."""

import os
import random
import signal
import socket
import subprocess
import time
from pathlib import Path

# Far longer than any of them takes on a busy machine.
START_WITHIN = 60.0
STOP_WITHIN = 40.0


class Failed(Exception):
    """What is wrong, in words for the operator."""


def free_port() -> int:
    """A port below those that the kernel gives to clients: nobody takes it by chance between here and its use."""
    for _ in range(100):
        port = random.randint(20000, 32000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise Failed("no free port between 20000 and 32000")


def until(what: str, enough, within: float = START_WITHIN):
    """Asks again and again until `enough()` is true (an error of a connection counts as no), and returns what it
    said."""
    end = time.monotonic() + within
    while True:
        try:
            answer = enough()
        except (OSError, ValueError) as error:
            answer, last = None, error
        else:
            last = answer
        if answer:
            return answer
        if time.monotonic() > end:
            raise Failed(f"{what}: not within {within:.0f} s ({last})")
        time.sleep(0.05)


def listens(port: int) -> bool:
    with socket.create_connection(("127.0.0.1", port), timeout=1):
        return True


class Program:
    """One process, with what it says in a file."""

    def __init__(self, name: str, command: list, log: Path, **options):
        self.name, self.command, self.log, self.options = name, [str(word) for word in command], log, options
        self.process = None

    def start(self, ready) -> "Program":
        """Returns once `ready()` is true."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **self.options
            )

        def is_ready():
            if self.process.poll() is not None:
                raise Failed(f"{self.name} ended at once, with {self.process.returncode}:\n{self.tail()}")
            return ready()

        try:
            until(f"{self.name} starts", is_ready)
        except Failed as failure:
            raise Failed(f"{failure}\n{self.tail()}") from None
        return self

    def stop(self, how: int = signal.SIGTERM) -> int:
        """Tells it to stop, waits until it has, and returns its exit code."""
        if self.process is None:
            return 0
        if self.process.poll() is None:
            self.process.send_signal(how)
        try:
            return self.process.wait(STOP_WITHIN)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise Failed(f"{self.name} did not stop within {STOP_WITHIN:.0f} s:\n{self.tail()}") from None

    def tail(self) -> str:
        return self.said()[-3000:]

    def said(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""


class Programs:
    """All that has been started. Leaving it ends them, last first."""

    def __init__(self, folder: Path):
        self.folder, self.running = folder, []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for program in reversed(self.running):
            try:
                program.stop(signal.SIGQUIT if program.name == "postgres" else signal.SIGTERM)
            except Failed as failure:
                print(failure)

    def new(self, name: str, command: list, **options) -> Program:
        program = Program(name, command, self.folder / f"{name}.log", **options)
        self.running.append(program)
        return program


def run(command: list, **options) -> str:
    """Runs it to its end and returns what it said; a failure is ours."""
    done = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, stdin=subprocess.DEVNULL, **options
    )
    if done.returncode != 0:
        raise Failed(
            f"{' '.join(str(word) for word in command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
        )
    return done.stdout + done.stderr


def as_postgres() -> list:
    """PostgreSQL refuses to run as root."""
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.getuid() == 0 else []
