# What an instance does at its first boot. Thin on purpose: a change here replaces the whole fleet, so whatever can be in the
# artefact (deploy/) is there, and settings lie in the Parameter Store. Every step may run twice.
# Above it the launch template sets: CHAT_STAGE CHAT_ENV_PATH CHAT_AGENT_CONFIG AWS_REGION
set -euo pipefail

token="$(curl -fsS -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 300' http://169.254.169.254/latest/api/token)"
instance="$(curl -fsS -H "X-aws-ec2-metadata-token: $token" http://169.254.169.254/latest/meta-data/instance-id)"

id chat >/dev/null 2>&1 || useradd --system --home-dir /var/lib/chat --shell /usr/sbin/nologin chat
install -d -m 0755 /etc/chat
install -d -m 0750 -o chat -g chat /var/lib/chat /var/log/chat
cat >/etc/chat/instance.env <<ENV
CHAT_STAGE=$CHAT_STAGE
CHAT_ENV_PATH=$CHAT_ENV_PATH
AWS_REGION=$AWS_REGION
INSTANCE_ID=$instance
ENV

# Answers the load balancer until the first deployment: an instance without one would be replaced for ever.
cat >/etc/systemd/system/chat-placeholder.socket <<'UNIT'
[Unit]
Description=Says that Charla is not deployed yet
ConditionPathExists=!/opt/chat/current

[Socket]
ListenStream=3000
Accept=yes
MaxConnections=64

[Install]
WantedBy=sockets.target
UNIT
cat >/etc/systemd/system/chat-placeholder@.service <<'UNIT'
[Unit]
Description=Says that Charla is not deployed yet
CollectMode=inactive-or-failed

[Service]
DynamicUser=yes
StandardInput=socket
StandardOutput=socket
StandardError=journal
RuntimeMaxSec=5
ExecStart=/bin/sh -c 'IFS= read -r asked; case "$$asked" in "GET /healthz "*) status="200 OK" text="placeholder" ;; *) status="503 Service Unavailable" text="Charla is being installed. Come back in a few minutes." ;; esac; printf "HTTP/1.1 %%s\\r\\nContent-Type: text/plain\\r\\nRetry-After: 30\\r\\nConnection: close\\r\\nContent-Length: %%d\\r\\n\\r\\n%%s" "$$status" "$${#text}" "$$text"; while IFS= read -r line && [ "$$line" != "$(printf "\\r")" ]; do :; done'
UNIT
systemctl daemon-reload
[ -e /opt/chat/current ] || systemctl enable --now chat-placeholder.socket

# Amazon Linux 2023 has no rsyslog, and without it no /var/log/messages; the CodeDeploy agent is written in Ruby.
dnf install -y rsyslog ruby logrotate amazon-cloudwatch-agent
systemctl enable --now rsyslog

curl -fsS --retry 5 -o /etc/chat/rds-ca.pem https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem
/opt/aws/amazon-cloudwatch-agent/bin/amazon-cloudwatch-agent-ctl -a fetch-config -m ec2 -s -c "ssm:$CHAT_AGENT_CONFIG"

# Last: from here on CodeDeploy may install something.
curl -fsS --retry 5 -o /tmp/install-codedeploy "https://aws-codedeploy-$AWS_REGION.s3.$AWS_REGION.amazonaws.com/latest/install"
chmod +x /tmp/install-codedeploy
/tmp/install-codedeploy auto
systemctl enable --now codedeploy-agent
