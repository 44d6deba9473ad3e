"""Names of commands, options and values in other tools, and their names here."""

from __future__ import annotations

from collections.abc import Mapping

COMMAND_SYNONYMS: Mapping[str, tuple[str, ...]] = {
    "stats": ("summary", "summarize", "info", "show", "flops", "params", "count", "profile", "describe", "inspect"),
    "render": ("draw", "plot", "graph", "visualize", "visualise", "view", "picture", "diagram"),
    "fmt": ("format", "beautify"),
    "check": ("validate", "verify", "parse", "test", "typecheck"),
    "compile": ("convert", "export", "build", "generate", "emit", "codegen", "torch", "pytorch"),
    "zoo": ("list", "ls", "models", "networks", "search", "find"),
    "compare": ("versus", "vs", "rank", "table", "leaderboard"),
    "diff": ("cmp", "difference", "changes"),
    "bench": ("benchmark", "time", "speed", "run"),
    "fit": ("memory", "batch", "vram"),
    "sweep": ("grid", "tune", "explore"),
    "new": ("create", "init", "copy", "start"),
    "import": ("load", "from", "read"),
    "sizes": ("input-sizes", "input_sizes", "inputs", "resolution", "resolutions", "shapes"),
    "rf": ("receptive-field", "receptive_field", "receptive", "field"),
    "explain": ("error", "why", "rule"),
}
"""Each command and the words that people type for it."""

OPTION_SYNONYMS: Mapping[str, tuple[str, ...]] = {
    "--force": ("--overwrite", "--yes", "-y", "--clobber", "--replace"),
    "--output": ("--out", "--outfile", "--out-file", "--output-file", "--save", "--to-file", "-O", "--dest", "--name"),
    "--batch": ("--batch-size", "--batchsize", "--batches", "--bs", "-b", "-n"),
    "--training": ("--train", "--backward", "--mode"),
    "--optimizer": ("--optim", "--optimiser", "--opt"),
    "--dtype": ("--precision", "--datatype", "--data-type"),
    "--memory": ("--vram", "--mem", "--ram", "--memory-limit", "--budget", "-m"),
    "--gpu": ("--card", "--gpus", "--device"),
    "--device": ("--gpu",),
    "--up-to": ("--max", "--max-size", "--most", "--limit", "--upto", "--largest"),
    "--at": ("--layer", "--at-layer", "--node", "-l"),
    "--columns": ("--metric", "--metrics", "--column", "--cols", "--field", "--fields", "-c"),
    "--where": ("--filter", "--query", "--having", "-w"),
    "--sort": ("--order", "--order-by", "--sort-by", "--sortby"),
    "--by": ("--group", "--group-by", "--groupby"),
    "--levels": ("--level", "--max-depth", "-L"),
    "--input": ("--shape", "--size", "--image-size", "--input-size", "--input-shape", "--resolution", "--img", "-i"),
    "--set": ("--param", "--parameter", "--define", "--var", "-p", "-D", "-s"),
    "--arg": ("--args", "--kwargs", "--argument", "--param", "-a"),
    "--runs": ("--iterations", "--iters", "--repeat", "--repeats", "--reps"),
    "--select": ("--rules", "--rule", "--only", "--enable"),
    "--ignore": ("--exclude", "--disable", "--skip"),
    "--list": ("--list-rules", "--show-rules"),
    "--weights": ("--checkpoint", "--ckpt", "--state-dict", "--pretrained"),
    "--width": ("--paper",),
    "--strict": ("--werror", "--warnings-as-errors"),
    "--version": ("-v", "--v"),
    "--help": ("-?", "-help", "--usage"),
    "--format": ("--output-type", "--fmt"),
}
"""Each option and the words that people type for it. The first entry that the command has is meant."""

SPELLED_OUT: Mapping[str, str] = {
    "--json": "--format json",
    "--csv": "--format csv",
    "--html": "--format html",
    "--markdown": "--format markdown",
    "--md": "--format markdown",
    "--latex": "--format latex",
    "--tex": "--format latex",
    "--sarif": "--format sarif",
    "--github": "--format github",
    "--table": "--format table",
    "--fp32": "--dtype fp32",
    "--fp16": "--dtype fp16",
    "--half": "--dtype fp16",
    "--bf16": "--dtype bf16",
    "--amp": "--dtype amp",
    "--adam": "--optimizer adam",
    "--cuda": "--device cuda",
    "--cpu": "--device cpu",
    "--dark": "--theme dark",
    "--reverse": "--sort -NAME",
    "--desc": "--sort -NAME",
    "--descending": "--sort -NAME",
}
"""Options of other tools that are a value of another option here."""

FOLDERS = frozenset({"-d", "--dir", "--directory", "--folder", "--out-dir", "--outdir", "--output-dir"})
"""Options of other tools for the folder to write into."""

NEEDLESS: Mapping[tuple[str, str], str] = {
    **{("fmt", each): "fmt changes files in place" for each in ("--write", "-w", "-i", "--in-place", "--inplace")},
    **{
        ("compile", each): "compile writes PyTorch and nothing else"
        for each in ("--framework", "--target", "--backend", "--lang", "--language", "--to", "--pytorch", "--torch")
    },
    **{
        (command, each): "results go to standard output and notes to standard error, which `2>/dev/null` discards"
        for command in ("check", "lint", "fmt", "stats", "compile", "render", "import", "fit", "diff")
        for each in ("-q", "--quiet", "--silent")
    },
    **{
        (command, each): f"{command} reports and changes nothing; type what the help of each message says"
        for command in ("check", "lint")
        for each in ("--fix", "--apply")
    },
}
"""Options that a command does not need, and why."""

VALUE_SYNONYMS: Mapping[str, tuple[str, ...]] = {
    "markdown": ("md", "mkd"),
    "latex": ("tex",),
    "table": ("text", "txt", "plain"),
    "html": ("htm", "web"),
    "full": ("text", "pretty", "long"),
    "concise": ("short", "brief", "one-line", "oneline"),
    "fp32": ("float", "float32", "f32", "single", "32"),
    "fp16": ("half", "float16", "f16", "16"),
    "bf16": ("bfloat16", "bfloat"),
    "amp": ("mixed", "autocast"),
    "cuda": ("gpu", "nvidia"),
    "kind": ("type", "layer-type", "op"),
    "block": ("blocks", "module", "group"),
    "stage": ("stages", "size", "resolution"),
    "paper": ("light", "white", "default"),
    "dark": ("black", "night"),
    "mono": ("gray", "grey", "bw", "monochrome"),
    "momentum": ("sgd-momentum", "sgdm"),
}
"""Values of options and the words that people type for them."""


def meaning(name: str, synonyms: Mapping[str, tuple[str, ...]], known: frozenset[str]) -> str:
    """Return the known name that a word stands for; empty if it is not a synonym of one.

    >>> meaning("tex", VALUE_SYNONYMS, frozenset({"latex", "json"}))
    'latex'
    """
    return next((found for found, words in synonyms.items() if found in known and name in words), "")
