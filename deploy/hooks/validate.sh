#!/bin/bash
# Proves on this instance, before it gets traffic, that one person's message is seen by another. If not, the deployment fails and
# CodeDeploy rolls back.
set -euo pipefail
cd /opt/chat/current

set -a
. /etc/chat/instance.env
set +a
# As the server's own account: what the probe keeps lies beside the server's data.
if ! timeout 75 setpriv --reuid=chat --regid=chat --init-groups ./bin/node deploy/with-config.ts deploy/probe.ts --kept /var/lib/chat/probe.json; then
	echo "The probe failed. The end of the server's log:"
	tail -n 20 /var/log/chat/app.log | cut -c -400 || true
	exit 1
fi
