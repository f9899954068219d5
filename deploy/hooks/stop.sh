#!/bin/bash
# Stops the server: it sends people to other instances, finishes what was accepted, and ends (KillMode and TimeoutStopSec of
# chat.service say how long it may take). Always ends with 0, and within its timeout: CodeDeploy runs this from the release that
# was installed last, so a failure here would block every later deployment of this instance.
began=$SECONDS
# Of move-people.sh: whoever is asked from now on is a guest of the next release.
timeout 5 systemctl stop chat-move-8.timer chat-move-30.timer 2>/dev/null
timeout --kill-after=5 95 systemctl stop chat.service || {
	echo "chat.service did not stop in time; killing it"
	timeout 10 systemctl kill --signal=SIGKILL chat.service
}
echo "stopped after $((SECONDS - began)) s"
exit 0
