#!/bin/sh
# Make a virtual environment with a current pip: make_venv.sh PYTHON FOLDER
# Debian splits venv's pip into the package python3-venv; it is installed here where that is
# possible, and asked for where it is not.
set -eu
python="$1"
folder="$2"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "Python 3.11 or newer is needed; $python is $("$python" --version)." >&2
    exit 1
}
if ! "$python" -m venv "$folder" >/dev/null 2>&1; then
    rm -rf "$folder"
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-venv
        "$python" -m venv "$folder"
    else
        echo "Python cannot make a virtual environment. On Debian: apt-get install python3-venv" >&2
        exit 1
    fi
fi
"$folder/bin/python" -m pip --disable-pip-version-check install --quiet --upgrade "pip>=25.1"
