"""Resident memory of mirror with a viewer, and whether it stays flat."""

from __future__ import annotations

import time

import numpy as np

from pleinair.assembly import locate

from .common import Figure, browser, rss_mb, running, slope_per_hour


def run(quick: bool = False) -> list[Figure]:
    seconds = 60 if quick else 600
    samples = []
    with running(locate("mirror").parent) as (process, url), browser() as chrome:
        page = chrome.new_page(viewport={"width": 640, "height": 480})
        page.goto(url + "?nocamera")
        time.sleep(10)
        began = time.monotonic()
        while time.monotonic() - began < seconds:
            samples.append((time.monotonic() - began, rss_mb(process.pid)))
            time.sleep(2)
    times, values = np.array(samples).T
    slope = slope_per_hour(times, values)
    detail = {"first_mb": round(values[0], 1), "last_mb": round(values[-1], 1), "max_mb": round(values.max(), 1),
              "slope_mb_per_h": round(slope, 2), "seconds": seconds}  # fmt: skip
    drift = values[-len(values) // 10 :].mean() - values[: max(1, len(values) // 10)].mean()
    return [
        Figure(
            "resident memory of mirror with a viewer",
            round(float(np.median(values)), 1),
            "MB",
            "<= 350",
            np.median(values) <= 350,
            detail,
        ),
        Figure("growth from the first to the last tenth", round(float(drift), 1), "MB", "<= 5", drift <= 5, detail),
    ]
