"""What is said of the measurements, in docs/performance.md."""

import os
import re
import subprocess
from datetime import date
from pathlib import Path

from servers import ROOT, say

PAGE = ROOT / "docs" / "performance.md"
# As it runs with nothing to install.
ALONE = "SQLite and memory"
BEGIN, END = "<!-- scripts/bench writes from here -->", "<!-- to here -->"


def duration(text, percentile):
    number, unit = re.search(rf"{re.escape(percentile)}\s+([\d.]+)(us|ms|s)", text).groups()
    return float(number) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


def markdown(options, results):
    names = [name for name in ("before", "now", ALONE) if name in results["servers"]]
    peer = results["peer"]
    out = [BEGIN, "", f"{card()}. {options.bundle.name}, {options.connections} connections, {options.seconds} s each"
           + (f"; {options.label}" if options.label else "") + ".", ""]
    titles = ["requests a second", "bytes", "bare", *(f"{name} | of bare | p50, p99" for name in names)]
    out += ["| " + " | ".join([*titles, "× Express"]) + " |", "| --- |" + " ---: |" * (3 + 3 * len(names))]
    for row in results["rows"]:
        cells = [row["title"], f"{row['bytes']:,}", f"{row['bare']['rate']:,.0f}"]
        for name in names:
            found = row[name]
            cells += [f"{found['rate']:,.0f}", f"{found['rate'] / row['bare']['rate'] * 100:.0f} %", f"{found['p50']:.1f}, {found['p99']:.1f} ms"]
        cells.append(f"{row['now']['rate'] / peer['rate']:.1f}" if row["ratios"] else "")
        out.append("| " + " | ".join(cells) + " |")
    out += ["", f"Express, hot month ({results['peer_bytes']:,} bytes, plain): {peer['rate']:,.0f} requests a second,"
            f" p50 {peer['p50']:.1f} ms, p99 {peer['p99']:.1f} ms.", "",
            "| | " + " | ".join(names) + " |", "| --- |" + " ---: |" * len(names)]
    for kind in next(iter(results["cold"].values())):
        found = [results["cold"][name][kind] for name in names]
        out.append(f"| cold, {kind} | " + " | ".join(f"{one:.0f}, {other:.1f} ms" for one, other in found) + " |")
    work = {"Redis: reads of a socket, a hot request": ("reads", "{:.2f}", 1), "lines of log, a hot request": ("lines", "{:.2f}", 1),
            "memory after all that": ("memory", "{:.0f} MB", 1e-6), "from start to the first connection": ("startup", "{:.0f} ms", 1000)}
    for title, (key, shape, factor) in work.items():
        out.append(f"| {title} | " + " | ".join(shape.format(results["work"][name][key] * factor) for name in names) + " |")
    return "\n".join([*out, *under_load(options, results["load"]), "", END])


def under_load(options, load):
    if load is None:
        return []
    found, everybody = load["open"], load["everybody"]
    minutes = [everybody["memory"][at] / 1e6 for at in range(5, len(everybody["memory"]), 6)]
    return [
        "", f"Open loop (autocannon), 1 write in 50, at 70 % of a peak of {load['peak']['rate']:,.0f} requests a second for two minutes:"
        f" {found['rate']:,.0f} a second, p50 {found['p50']} ms, p99 {found['p99']} ms, p99.9 {found['p999']} ms, at most {found['most']} ms;"
        f" {found['errors']} errors, {found['refused']} refused.", "",
        f"{everybody['vendors']:,} vendors' months in turn, 256 connections, {options.minutes} minutes: {everybody['rate']:,.0f} requests a second,"
        f" p50 {everybody['p50']:.0f} ms, p99 {everybody['p99']:.0f} ms; memory by the minute, in MB:"
        f" {', '.join(f'{megabytes:.0f}' for megabytes in minutes)}.",
    ]


def card():
    model = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
    memory = int(re.search(r"MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text()).group(1)) / 1e6
    redis = re.search(r"v=([\d.]+)", subprocess.run(["redis-server", "--version"], capture_output=True, text=True).stdout).group(1)
    node = subprocess.run(["node", "--version"], capture_output=True, text=True).stdout.strip()
    return f"{date.today()}, {os.cpu_count()} × {model.group(1) if model else 'CPU'}, {memory:.0f} GB, Redis {redis}, Node {node}"


def write(table):
    text = PAGE.read_text()
    before, rest = text.split(BEGIN)
    PAGE.write_text(before + table + rest.split(END)[1])
    say(f"written to {PAGE.relative_to(ROOT)}")
