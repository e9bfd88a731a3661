"""The options of ``epicrisis llm launch``, each with its help."""

from pathlib import Path
from typing import Annotated

import typer

Name = Annotated[str, typer.Argument(metavar="PROFILE", help="See `epicrisis llm profiles`")]
Gpus = Annotated[int, typer.Option(min=1, help="Accelerators of one replica, all its nodes")]
Gpu = Annotated[str | None, typer.Option(help="Kind, such as h100; else the one of this machine")]
Nodes = Annotated[int, typer.Option(min=1, help="Nodes of one replica")]
Replicas = Annotated[int, typer.Option(min=1, help="Copies, behind vllm-router")]
Precision = Annotated[str | None, typer.Option("--quantization", help="Precision, such as fp8")]
Kv = Annotated[str, typer.Option("--kv", help="Precision of keys and values: auto or fp8")]
Context = Annotated[int | None, typer.Option("--context", min=1, help="Tokens, prompt and reply")]
Balance = Annotated[
    bool | None, typer.Option("--balance-experts/--no-balance-experts", help="EPLB")
]
Speculate = Annotated[
    bool, typer.Option("--speculate", help="Draft tokens by the model's own layers")
]
As = Annotated[str, typer.Option("--as", help="process, systemd, compose or kubernetes")]
Between = Annotated[str, typer.Option("--executor", help="Between nodes: mp or ray")]
Head = Annotated[str, typer.Option(help="Address of the first node")]
Cpu = Annotated[bool, typer.Option("--cpu", help="The CPU build of vLLM")]
Cores = Annotated[str | None, typer.Option(help="Cores of the CPU build: 0-31, or 0-31|32-63")]
Ram = Annotated[
    float | None, typer.Option(min=0.1, help="GiB of the CPU build, else this machine's")
]
Weights = Annotated[str | None, typer.Option(help="Folder of the weights, else /models/NAME")]
Template = Annotated[str | None, typer.Option("--chat-template", help="File of a chat template")]
Served = Annotated[str | None, typer.Option("--name", help="Name that clients ask for")]
Host = Annotated[str, typer.Option(help="Address to listen on")]
Port = Annotated[int, typer.Option(min=1, max=65535, help="Of the first replica; the next follow")]
RouterPort = Annotated[int, typer.Option(min=1, max=65535, help="Of the router")]
KeyFile = Annotated[str | None, typer.Option(help="File with VLLM_API_KEY=...; made where missing")]
Extra = Annotated[str, typer.Option(help="Further words for vllm serve, in quotes")]
Executable = Annotated[str, typer.Option(help="Words to start instead of vllm")]
Wait = Annotated[float, typer.Option(min=1, help="Seconds until the model must be listed")]
Verify = Annotated[bool, typer.Option("--verify", help="Hash the weights against SHA256SUMS")]
Force = Annotated[bool, typer.Option("--force", help="Start a model whose size is not known")]
Out = Annotated[Path | None, typer.Option(help="Folder for the files that are written")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print what would run; start nothing")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on standard output")]
