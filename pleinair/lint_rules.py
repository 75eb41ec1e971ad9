"""What a piece does better not ask, by its dotted name; what is wrong with it, and what to use instead."""

from __future__ import annotations

from typing import NamedTuple


class Rule(NamedTuple):
    """name: what it is about; what: follows the thing's name in a sentence; hint: what to use instead."""

    name: str
    what: str
    hint: str


TIME = Rule(
    "time",
    "asks the machine for the time, which is another at the replay",
    "the parameter t (content time in seconds) or dt (since the last firing)",
)
CHANCE = Rule(
    "chance",
    "rolls dice that nobody keeps",
    "the parameter rng: rng.random(), rng.integers(0, 6), rng.normal() come out the same at the replay",
)
NETWORK = Rule(
    "network",
    "asks another computer, which may answer differently or be gone",
    "a source: what arrives by piece.source(...) is on the tape; weights come with pleinair fetch",
)
THREADS = Rule(
    "threads",
    "runs beside the piece, where no tape sees it",
    "a node of its own: each @piece.node has a thread already",
)
DEVICE = Rule(
    "device", "opens a device past the tape", 'piece.source("camera"): what it sees is stamped and can be recorded'
)
MACHINE = Rule(
    "machine", "differs from machine to machine", "piece.toml for what is fixed, a knob for what a hand changes"
)
WRITING = Rule(
    "writing",
    "writes a file each time, at the replay too",
    "run --record keeps a tape, check --film makes a film, piece.sink(...) goes out",
)
SLEEP = Rule(
    "time",
    "sleeps, and everything behind it grows older",
    "count with dt, and return None when there is nothing to show yet",
)
KEYBOARD = Rule(
    "device", "waits for a keyboard, and the show stands still", "a knob: it is on the desk, and on the tape"
)
STATE_HINT = "a callable object as the node: its reset() begins anew, its save() and load() go on from the middle"

_NAMES = {
    TIME: """
        time.time time.time_ns time.monotonic time.monotonic_ns time.perf_counter time.perf_counter_ns
        time.process_time time.process_time_ns time.thread_time time.localtime time.gmtime time.ctime time.strftime
        time.asctime datetime.datetime.now datetime.datetime.today datetime.datetime.utcnow datetime.date.today
        cv2.getTickCount""",
    SLEEP: "time.sleep",
    CHANCE: """
        random numpy.random secrets os.urandom os.getrandom uuid.uuid1 uuid.uuid4 torch.rand torch.randn torch.randint
        torch.randperm torch.bernoulli cv2.randu cv2.randn cv2.theRNG""",
    NETWORK: """
        socket ssl requests urllib.request urllib3 http.client http.server httpx aiohttp websockets websocket ftplib
        smtplib pythonosc zmq""",
    THREADS: """
        threading _thread multiprocessing concurrent.futures asyncio subprocess os.system os.popen os.fork""",
    DEVICE: "cv2.VideoCapture serial sounddevice pyaudio rtmidi mido",
    MACHINE: "os.environ os.getenv os.getpid platform getpass os.getlogin",
    WRITING: "numpy.save numpy.savez numpy.savetxt cv2.imwrite cv2.VideoWriter",
}
RULES: dict[str, Rule] = {name: rule for rule, names in _NAMES.items() for name in names.split()}
"""A name stands for all that is in it: `random` for `random.choice`."""

HARMLESS = {"numpy.random.Generator", "threading.Lock", "threading.RLock"}
"""A type that is named, or a lock that nobody minds."""

BARE = {"random", "numpy.random", "secrets", "threading", "multiprocessing", "socket", "platform", "asyncio"}
"""A module's bare name asks nothing yet: passed on, or imported and unused."""

BUILT_IN: dict[str, Rule] = {
    "input": KEYBOARD,
    "hash": Rule("chance", "gives another number in each process (for texts)", "hashlib, or a number of your own"),
    "id": Rule("chance", "gives another number in each process", "count things yourself"),
}

_CHANGES = """append appendleft extend insert pop popleft popitem add discard remove clear update setdefault fill
sort"""
CHANGES = frozenset(_CHANGES.split())
"""Methods that change what they belong to in place."""

_HOLDERS = "list dict set deque defaultdict Counter OrderedDict zeros ones full empty"
HOLDERS = frozenset(_HOLDERS.split())
"""Calls that make something that can be changed in place."""


def rule_of(dotted: str) -> Rule | None:
    """The rule for a dotted name: that of the longest beginning of it that has one."""
    if dotted in HARMLESS:
        return None
    parts = dotted.split(".")
    beginnings = (".".join(parts[:n]) for n in range(len(parts), 0, -1))
    return next((RULES[name] for name in beginnings if name in RULES), None)
