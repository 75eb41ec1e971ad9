"""The report as OpenMetrics 1.0 text, for whatever watches a venue's machines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .server import Stage


def openmetrics(stage: Stage, report: dict[str, Any]) -> str:
    lines: list[str] = []

    def family(name: str, kind: str, about: str, samples: list[tuple[str, Any]], unit: str = "") -> None:
        samples = [(labels, value) for labels, value in samples if isinstance(value, (int, float))]
        if samples:
            lines.append(f"# TYPE {name} {kind}")
            if unit:
                lines.append(f"# UNIT {name} {unit}")
            lines.append(f"# HELP {name} {about}")
            suffix = "_total" if kind == "counter" else ""
            lines.extend(f"{name}{suffix}{labels} {float(value):.9g}" for labels, value in samples)

    def quantiles(ages: Any, **labels: str) -> list[tuple[str, Any]]:
        ages = ages or {}
        return [
            (_labels(**labels, quantile=q), ages[p] / 1e3)
            for q, p in (("0.5", "p50"), ("0.95", "p95"), ("0.99", "p99"))
            if isinstance(ages.get(p), (int, float))
        ]

    nodes: dict[str, dict[str, Any]] = report.get("nodes") or {}
    family("pleinair_frames", "counter", "Frames shown.", [("", report.get("frames"))])
    family("pleinair_fps", "gauge", "Frames shown a second.", [("", report.get("fps"))])
    family("pleinair_uptime_seconds", "gauge", "Since the piece began.", [("", report.get("seconds"))], "seconds")
    for what, about in (("age", "Age of what is shown, at the sink."), ("glass", "The same, at the glass.")):
        family(f"pleinair_{what}_seconds", "gauge", about, quantiles(report.get(f"{what}_ms")), "seconds")
    for what, about in (
        ("fired", "Firings."),
        ("skipped", "Frames that a busy node passed over: healthy."),
        ("lost", "Frames that were to be read and were not: a fault."),
    ):
        family(f"pleinair_node_{what}", "counter", about, [(_labels(node=n), v.get(what)) for n, v in nodes.items()])
    for what, about in (("waited", "Waiting for a turn."), ("ran", "Running."), ("age", "Age of what it made.")):
        family(
            f"pleinair_node_{what}_seconds",
            "gauge",
            about,
            [s for n, v in nodes.items() for s in quantiles(v.get(f"{what}_ms"), node=n)],
            "seconds",
        )
    family("pleinair_faults", "gauge", "Different faults since the start.", [("", len(stage.faults))])
    family("pleinair_viewers", "gauge", "Connections now.", [("", len(stage.viewers))])
    family("pleinair_refused", "counter", "Requests that the gate turned away.", [("", stage.gate.refused)])
    family(
        "pleinair_viewers_closed",
        "counter",
        "Viewers shown out: flooding, junk, not reading.",
        [("", stage.turned_away)],
    )
    family(
        "pleinair_encoded",
        "counter",
        "Pictures encoded.",
        [(_labels(screen=n), s.encoded) for n, s in stage.screens.items()],
    )
    family("pleinair_resident_memory_megabytes", "gauge", "Resident memory.", [("", report.get("rss_mb"))], "megabytes")
    family("pleinair_cpu_seconds", "counter", "Processor time.", [("", report.get("cpu_s"))], "seconds")
    return "\n".join([*lines, "# EOF", ""])


def _labels(**labels: str) -> str:
    def escaped(text: str) -> str:
        return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")

    return "{" + ",".join(f'{k}="{escaped(v)}"' for k, v in labels.items()) + "}"
