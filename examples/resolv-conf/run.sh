#!/usr/bin/env bash
# Shows what programs in a container see whose /etc/resolv.conf points at Rota. The container is made of namespaces
# of this script's own: nothing outside of them changes, and all that is in them ends with the script.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
rota=$here/../../dist/cli/main.js

outside() {
  check
  local namespaces=(--net --mount --pid --fork --kill-child)
  # Who is not root can be it in a user namespace, if the system lets them.
  ((EUID == 0)) || namespaces+=(--map-root-user)
  unshare "${namespaces[@]}" ip link set lo up 2>/dev/null ||
    fail "no right to make namespaces: run it as root, or where users may make them"
  unshare "${namespaces[@]}" "$here/run.sh" inside
}

check() {
  [[ $(uname) == Linux ]] || fail "only Linux has namespaces, and this is $(uname)"
  local program
  for program in unshare ip mount node getent curl; do
    command -v "$program" >/dev/null || fail "$program is not installed"
  done
  [[ -f $rota ]] || fail "Rota is not built: run npm install && npm run build"
}

fail() {
  echo "run.sh: $1" >&2
  exit 1
}

inside() {
  make_container
  start node "$rota" serve "$here/services.yaml" --listen 127.0.0.1:53
  start node "$here/task.js" blue 127.0.1.1
  start node "$here/task.js" green 127.0.1.2

  show cat /etc/resolv.conf
  show getent ahosts web
  show getent ahosts db
  show getent hosts 127.0.1.2
  show curl --silent http://web:8080/
  show curl --silent http://web:8080/
  show curl --silent http://blue.web:8080/
  show getent hosts nobody
}

# Loopback and nothing else, and files of its own in the place of those that say whom to ask.
make_container() {
  trap 'exit 130' INT TERM # the first process of a container is deaf to signals that it does not await
  ip link set lo up
  local file
  for file in resolv.conf hosts nsswitch.conf; do mount --bind "$here/etc/$file" "/etc/$file"; done
}

# Starts a server, and goes on when it says that it can be reached.
start() {
  local words line said=""
  exec {words}< <(exec "$@" 2>&1)
  while read -r line <&"$words"; do
    if [[ $line == *"answering for"* || $line == *"listens on"* ]]; then
      echo "${line##*INFO: }"
      return
    fi
    said+="; $line"
  done
  fail "could not start ${*:2}$said"
}

show() {
  printf '\n$ %s\n' "$*"
  "$@" || echo "(exit code $?)"
}

if [[ ${1-} == inside ]]; then inside; else outside; fi
