"""xllamacpp as its own README uses it, in a process of its own: told how many tokens to say, it prints their rate.

    python -m bench.bare_chat MODEL.gguf THREADS
"""

from __future__ import annotations

import json
import sys


def main() -> None:
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = sys.argv[1]
    params.n_ctx, params.n_parallel, params.verbosity = 2048, 1, 0
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = int(sys.argv[2])
    server = xllamacpp.Server(params)
    print("ready", flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        found = server.handle_chat_completions(asked)
        print(json.dumps(found["timings"]), flush=True)


if __name__ == "__main__":
    main()
