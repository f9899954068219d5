#!/bin/bash
# Makes the unpacked release the current one, starts it, and waits until it takes people (migrations included).
set -euo pipefail
cd /opt/chat

next="$(readlink next)"
[ -x "$next/bin/node" ] || { echo "there is no release in $next"; exit 1; }
# For telemetry: which deployment this release runs by. A rollback runs one that was there before by another.
printf '%s\n' "${DEPLOYMENT_ID:-}" >"$next/deployment"
# By renaming, so that there is a current release at every moment.
ln -sfn "$next" current.new
mv -T current.new current

systemctl daemon-reload
# The placeholder is for instances without a release. After a reboot it finds /opt/chat/current and stays away.
systemctl disable --now chat-placeholder.socket 2>/dev/null || true
systemctl enable --quiet chat.service
timeout 60 systemctl restart chat.service
# By the clock and not by attempts, each of which may take seconds: what follows has to be said within CodeDeploy's own 180 s.
while [ "$SECONDS" -lt 150 ]; do
	if timeout 10 ./current/bin/node current/deploy/is-ready.ts; then exit 0; fi
	# It ends as soon as it starts: more of the same would only take longer.
	[ "$(systemctl show --property NRestarts --value chat.service)" -lt 5 ] || break
	sleep 1
done
echo "Charla did not get ready. The end of its journal and of its log:"
journalctl --unit chat.service --lines 20 --no-pager --output cat || true
tail -n 20 /var/log/chat/app.log | cut -c -400 || true
exit 1
