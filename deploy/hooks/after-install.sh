#!/bin/bash
# Unpacks the release into a folder named after its contents, beside those before it, and makes the log files. A release that
# is there already, as in a rollback, is left as it is.
set -euo pipefail
cd /opt/chat

release="$(sed -n 's/.*"sha256": "\([0-9a-f]\{64\}\)".*/\1/p' incoming/release.json)"
[ -n "$release" ] || { echo "release.json names no sha256"; exit 1; }
echo "$release  incoming/charla.tar.gz" | sha256sum --check --quiet
folder="releases/${release:0:12}"
if [ ! -d "$folder" ]; then
	rm -rf "$folder.new"
	mkdir "$folder.new"
	tar --extract --gzip --file incoming/charla.tar.gz --directory "$folder.new" --no-same-owner
	cp incoming/release.json "$folder.new/release.json"
	# The server may read it and nobody but root may write it: the tar says so, and root's tar keeps to it.
	mv "$folder.new" "$folder"
fi
ln -sfn "$folder" next
rm -f incoming/charla.tar.gz

# Before the unit starts: systemd opens app.log itself, and has no folder to make it in. The server ships what is in them; the CloudWatch
# agent follows neither.
for file in app access; do
	[ -e "/var/log/chat/$file.log" ] || install -m 0640 -o chat -g chat /dev/null "/var/log/chat/$file.log"
	chown chat:chat "/var/log/chat/$file.log"
done

# Every hour from now on (hourly.conf, installed above). Logs that are not rotated are no reason to keep a release from people.
systemctl daemon-reload
systemctl enable --quiet logrotate.timer && systemctl restart logrotate.timer || echo "logrotate.timer does not run"
