#!/bin/bash
# The instance serves the new release: say so, and clear away old ones. Nothing here may fail a deployment that has succeeded.
cd /opt/chat || exit 0

set -a
. /etc/chat/instance.env
set +a
timeout 45 setpriv --reuid=chat --regid=chat --init-groups ./current/bin/node current/deploy/with-config.ts current/deploy/deployed.ts || true

# The three newest stay, and the current one whatever its age.
current="$(basename "$(readlink current)")"
ls -1t releases | grep -v "^$current\$" | tail -n +3 | while read -r old; do rm -rf "releases/${old:?}"; done
exit 0
