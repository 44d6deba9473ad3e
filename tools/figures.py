"""Write `architectures/figures.json` anew: what `cnndsl zoo` prints of each network. `make figures`

The file has a line for each bundled network, with every metric of its default parameters. Memory is that of one image
in fp32, trained with SGD on a CPU.
"""

from __future__ import annotations

import json
from pathlib import Path

from cnndsl import resources
from cnndsl.analysis.metric_table import OF_NETWORKS
from cnndsl.catalogue import FIGURES_FILE, measured
from cnndsl.network import executions

FILE = Path(__file__).parents[1] / "architectures" / FIGURES_FILE


def main() -> None:
    """Compile every network and write its figures."""
    rows = [
        f"{json.dumps(name)}: {json.dumps(measured(name, list(OF_NETWORKS), executions))}" for name in resources.zoo()
    ]
    FILE.write_text("{\n" + ",\n".join(rows) + "\n}\n", encoding="utf-8")
    print(f"{len(rows)} networks in {FILE.relative_to(Path.cwd())}")


if __name__ == "__main__":
    main()
