import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Host } from "./host.ts";

/** What an Amazon Linux has and a Debian does not, or the other way round: nothing is installed here, so it is noted down instead. */
const stubs: Record<string, string> = {
	dnf: "exit 0",
	// Only the metadata service answers; whatever would be downloaded is an empty program.
	curl: `case "$*" in
*169.254.169.254*) exec /opt/rehearsal/metadata "$@" ;;
*) while [ $# -gt 0 ]; do [ "$1" = -o ] && { printf '#!/bin/sh\\nexit 0\\n' >"$2"; }; shift; done ;;
esac`,
};

/** rsyslog as Amazon Linux configures it: /var/log/messages, with times as the agent's configuration reads them. */
const messages = `$ActionFileDefaultTemplate RSYSLOG_TraditionalFileFormat\n*.info;mail.none;authpriv.none;cron.none /var/log/messages\n`;

/** Runs a launch template's user data on a machine, as cloud-init would. Gives the calls of what is not really there. */
export async function runUserData(host: Host, script: string): Promise<string[]> {
	const at = (path: string) => join(host.root, path);
	const log = "/opt/rehearsal/calls";
	mkdirSync(at("/opt/rehearsal"), { recursive: true });
	for (const [name, body] of Object.entries(stubs)) program(at(`/usr/local/bin/${name}`), `echo "${name} $*" >>${log}\n${body}`);
	// The real one's three questions, over bash's own network.
	program(
		at("/opt/rehearsal/metadata"),
		`method=GET; url=; headers=
while [ $# -gt 0 ]; do case "$1" in -X) method=$2; shift ;; -H) headers="$headers$2\\r\\n"; shift ;; http*) url=$1 ;; esac; shift; done
exec 3<>/dev/tcp/169.254.169.254/80
printf "%s %s HTTP/1.1\\r\\nHost: 169.254.169.254\\r\\nConnection: close\\r\\n$headers\\r\\n" "$method" "\${url#http://169.254.169.254}" >&3
read -r _ status _ <&3
while IFS= read -r line <&3 && [ "$line" != $'\\r' ]; do :; done
sed -e 's/^[0-9a-f]*\\r$//' <&3 | tr -d '\\r\\n'
[ "$status" = 200 ]`,
	);
	const agent = at("/opt/aws/amazon-cloudwatch-agent/bin/amazon-cloudwatch-agent-ctl");
	program(agent, `echo "amazon-cloudwatch-agent-ctl $*" >>${log}`);
	if (!existsSync(at("/etc/systemd/system/codedeploy-agent.service")))
		writeFileSync(
			at("/etc/systemd/system/codedeploy-agent.service"),
			"[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/mkdir -p /var/log/aws/codedeploy-agent\nExecStart=/bin/sh -c 'date -u +%%FT%%T >>/var/log/aws/codedeploy-agent/codedeploy-agent.log'\n[Install]\nWantedBy=multi-user.target\n",
		);
	writeFileSync(at("/etc/rsyslog.d/amazon.conf"), messages);
	program(at("/opt/rehearsal/user-data"), script.replace(/^#!.*\n/, ""));
	await host.shell(
		"systemctl restart rsyslog && /opt/rehearsal/user-data >>/var/log/cloud-init-output.log 2>&1 || { tail -n 20 /var/log/cloud-init-output.log; exit 1; }",
		120_000,
	);
	return readFileSync(at(log), "utf8").trim().split("\n");
}

function program(file: string, body: string): void {
	mkdirSync(join(file, ".."), { recursive: true });
	writeFileSync(file, `#!/bin/bash\n${body}\n`);
	chmodSync(file, 0o755);
}
