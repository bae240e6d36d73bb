"""Somebody with a browser before a balancer, and several of them at once."""

import http.client
import json
import ssl
import threading
import time
from pathlib import Path

# Where they come from: an address that no proxy here has.
ADDRESS = "127.0.0.2"


class Browser:
    """Over TLS with one connection that stays open, as browsers do, and with the cookies that it was given."""

    def __init__(self, port: int, authority: Path):
        self.port, self.authority, self.cookies = port, authority, {}
        context = ssl.create_default_context(cafile=str(authority))
        self.connection = http.client.HTTPSConnection(
            "localhost", port, context=context, timeout=35, source_address=(ADDRESS, 0)
        )

    def again(self) -> "Browser":
        """Another window of the same browser."""
        other = Browser(self.port, self.authority)
        other.cookies = dict(self.cookies)
        return other

    def send(self, method: str, path: str, body=None, headers: dict | None = None) -> http.client.HTTPResponse:
        """The answer, of which nothing but its head has been read."""
        # As a page of this site sends it.
        sent = {"Origin": f"https://localhost:{self.port}", **(headers or {})}
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        if body is not None:
            sent["Content-Type"] = "application/json"
        self.connection.request(method, path, body=body, headers=sent)
        answer = self.connection.getresponse()
        for given in answer.headers.get_all("Set-Cookie") or []:
            name, _, value = given.split(";")[0].partition("=")
            self.cookies[name] = value
        return answer

    def ask(self, method: str, path: str, body=None, headers: dict | None = None):
        """The status, the head and the body."""
        answer = self.send(method, path, body, headers)
        return answer.status, answer.headers, answer.read()


class Load:
    """A few people who go on working, some tens of requests a second in all, while something happens to the servers."""

    def __init__(self, browser: Browser, requests: list, people: int = 4, pause: float = 0.05):
        self.requests, self.pause, self.done = requests, pause, threading.Event()
        self.answered, self.failed = [], []
        self.threads = [threading.Thread(target=self.work, args=(browser.again(), number)) for number in range(people)]

    def work(self, browser: Browser, number: int):
        while not self.done.is_set():
            method, path, body = self.requests[number % len(self.requests)]
            number += 1
            try:
                status, _, said = browser.ask(method, path, body)
                if status != 200:
                    self.failed.append(f"{method} {path}: {status} {said[:200]!r}")
            except (OSError, http.client.HTTPException) as error:
                self.failed.append(f"{method} {path}: {error!r}")
                browser.connection.close()
            self.answered.append(path)
            time.sleep(self.pause)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        for thread in self.threads:
            thread.join()

    def some_more(self):
        """Returns when each of them has done something more."""
        enough = len(self.answered) + 3 * len(self.threads)
        while len(self.answered) < enough:
            time.sleep(0.02)
