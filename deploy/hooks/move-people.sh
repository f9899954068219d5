#!/bin/bash
# The load balancer is about to send nobody new here, and will cut whatever is still open after its delay. So people are asked to
# connect anew, which takes them to other instances: once it has surely begun, and again for whoever was too quick and came back.
# What is still here when the server stops is sent away then. Never fails, like stop.sh.
for seconds in 8 30; do
	# By name, so that stop.sh can call off what would come when the next release is running. Left over from a run before, it goes first.
	systemctl stop "chat-move-$seconds.timer" 2>/dev/null
	systemd-run --quiet --collect --unit="chat-move-$seconds" --on-active="$seconds" --timer-property=AccuracySec=100ms \
		systemctl kill --kill-who=main --signal=SIGUSR2 chat.service || true
done
exit 0
