#!/bin/bash
# Makes sure of what the release stands on. Everything may be there already, from user data or from an earlier deployment.
set -euo pipefail

id chat >/dev/null 2>&1 || useradd --system --home-dir /var/lib/chat --shell /usr/sbin/nologin chat
install -d -m 0755 /etc/chat /opt/chat /opt/chat/releases /opt/chat/incoming
install -d -m 0750 -o chat -g chat /var/lib/chat /var/log/chat
[ -s /etc/chat/instance.env ] || { echo "/etc/chat/instance.env is missing: user data did not finish, see /var/log/cloud-init-output.log"; exit 1; }

# Half unpacked by a deployment that was cut off.
rm -rf /opt/chat/releases/*.new
# The release unpacked, and room for the log and the next artefact.
free="$(df --output=avail -k /opt/chat | tail -n 1)"
[ "$free" -gt 1000000 ] || { echo "only $((free / 1000)) MB are free below /opt/chat, 1000 MB are needed"; exit 1; }
