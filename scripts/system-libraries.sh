#!/bin/sh
# Installs the libraries that Qt needs and this Linux lacks. Asks the loader, not a list of distributions:
# where nothing is missing, nothing happens. Usage: sh scripts/system-libraries.sh PYTHON
set -u
python=${1:-python3}
[ "$(uname -s)" = Linux ] || exit 0

qt=$("$python" -c 'import PySide6, pathlib; print(pathlib.Path(PySide6.__file__).parent)') || exit 2
missing() {
  for library in "$qt"/Qt/lib/libQt6Gui.so.6 "$qt"/Qt/lib/libQt6Widgets.so.6 \
    "$qt"/Qt/plugins/platforms/libqoffscreen.so "$qt"/Qt/plugins/platforms/libqxcb.so; do
    [ -e "$library" ] && ldd "$library" 2>/dev/null | awk '/not found/ {print $1}'
  done | sort -u
}

[ -n "$(missing)" ] || exit 0
packages="libgl1 libegl1 libxkbcommon0 libdbus-1-3 libfontconfig1 libglib2.0-0 fonts-dejavu-core \
libxcb-cursor0 libxcb-icccm4 libxcb-keysyms1 libxcb-shape0 libxcb-xkb1 libxkbcommon-x11-0 \
libxcb-render-util0 libxcb-image0"
command="apt-get install -y --no-install-recommends $packages"

if ! command -v apt-get >/dev/null 2>&1; then
  echo "Expected the libraries that Qt needs, missing: $(missing | tr '\n' ' '): install them with your package manager." >&2
  exit 2
fi
if [ "$(id -u)" -ne 0 ]; then
  echo "Expected the libraries that Qt needs, missing: $(missing | tr '\n' ' '): run  sudo $command" >&2
  exit 2
fi
echo "Installing the system libraries that Qt needs"
apt-get update -qq && DEBIAN_FRONTEND=noninteractive $command >/dev/null || exit 2
left=$(missing)
[ -z "$left" ] || { echo "Still missing after apt-get: $left" >&2; exit 2; }
