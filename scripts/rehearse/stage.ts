/**
 * What happens on the stage, in namespaces of its own (started by scripts/rehearse.ts, never by hand): machines, a load balancer, a database and
 * AWS's services beside them, people who talk all the while, and five scenes. Ends with 0 when nothing was lost.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { probe } from "../../deploy/probe/talk.ts";
import { selfSigned } from "../../tests/support/self-signed.ts";
import { openAgent } from "./agent.ts";
import { settleApart } from "./apart.ts";
import { readSaved } from "./assets-bucket.ts";
import { audit } from "./audit.ts";
import { openBalancer } from "./balancer.ts";
import { openCache } from "./cache.ts";
import { openCloud } from "./cloud.ts";
import { openDatabase } from "./database.ts";
import { deploy, type Instance, terminate } from "./deployment.ts";
import { openEdge } from "./edge.ts";
import { runUserData } from "./first-boot.ts";
import { unlikeConfigured } from "./followed-logs.ts";
import type { Footprint } from "./footprint.ts";
import { bootHost, type Host } from "./host.ts";
import { network, openNetwork } from "./network.ts";
import { openCrowd, percentile, type SceneFigures } from "./people.ts";
import { mustRun } from "./program.ts";
import { openReader } from "./reader.ts";

/** Written by scripts/rehearse.ts. */
export type Plan = Footprint & {
	folder: string;
	base: string;
	/** Artefacts by what they are: the first release, the next, and one that starts and cannot deliver a message. */
	artefacts: { first: string; next: string; broken: string };
	/** Where the bucket's assets of both builds were saved. */
	assets: string;
	people: number;
};
/** Told to scripts/rehearse.ts at the end. */
export type Report = { problems: string[]; scenes: SceneFigures[]; told: string[] };

/** Messages that have to be acknowledged before a scene counts as over, so that every scene has its traffic. */
const flow = 15;
const flowWithin = 60_000;
/** Free for the machines' disks, bytes: three machines, each with three releases and their artefacts. */
const enoughMemory = 8e9;
/** The blackout a person may have in a scene, p95 over everybody in it, ms. */
const blackout = 3000;

/** What user data brings to a machine, by the calls it makes for it. */
const brought = {
	"rsyslog and CloudWatch's agent": /^dnf install .*\brsyslog\b.*\bamazon-cloudwatch-agent\b/,
	"RDS's certificates": /^curl .*-o \/etc\/chat\/rds-ca\.pem https:\/\/truststore\.pki\.rds\.amazonaws\.com\//,
	"the agent's configuration": /^amazon-cloudwatch-agent-ctl -a fetch-config .*ssm:AmazonCloudWatch-chat-rehearsal$/,
	"CodeDeploy's agent": /^curl .*https:\/\/aws-codedeploy-eu-west-1\.s3\.eu-west-1\.amazonaws\.com\/latest\/install$/,
};
/** On a machine: who vouches for the database, and here for Redis too. */
const authority = "/etc/chat/rds-ca.pem";

const began = performance.now();
const plan = JSON.parse(readFileSync(process.argv[2] as string, "utf8")) as Plan;
const problems: string[] = [];
const tell = (line: string) => console.log(`${((performance.now() - began) / 1000).toFixed(1).padStart(6)} s  ${line}`);
const must = (holds: boolean, otherwise: string) => {
	if (!holds) {
		problems.push(otherwise);
		tell(`PROBLEM: ${otherwise}`);
	}
};

try {
	await perform();
} catch (error) {
	problems.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
}
for (const problem of problems) console.error(`- ${problem}`);
process.exit(problems.length === 0 ? 0 : 1);

async function perform(): Promise<void> {
	await settleApart();
	await inMemory();
	await openNetwork();
	const password = "a-password-of-the-rehearsal";
	const arn = (name: string) => `arn:aws:secretsmanager:eu-west-1:111122223333:secret:${name}`;
	const certificate = selfSigned(network.here);
	const beside = { folder: plan.folder, host: network.here, password, certificate };
	const [database, cache] = await Promise.all([openDatabase(beside), openCache(beside)]);
	const parameters: Record<string, string> = {
		HOST: "0.0.0.0",
		PORT: String(plan.targetGroup.port),
		PROXY_HOPS: "1",
		DRAIN_SECONDS: "8",
		DATA_DIR: "/var/lib/chat",
		FACT_URL: "off",
		TELEMETRY_ENV: "rehearsal",
		SESSION_SECRET: `{{${arn("session")}}}`,
		DATABASE_URL: `postgres://charla:{{${arn("database")}#password}}@${network.here}:5432/charla?sslmode=verify-full&sslrootcert=${authority}`,
		REDIS_URL: `rediss://:{{${arn("cache")}}}@${network.here}:6379`,
		// Amazon's own certificates are known to every Node.
		NODE_EXTRA_CA_CERTS: authority,
	};
	const cloud = await openCloud({
		host: network.here,
		metadata: network.metadata,
		parameters: Object.fromEntries(Object.entries(parameters).map(([name, value]) => [`/chat/rehearsal/env/${name}`, value])),
		secrets: {
			[arn("session")]: "a session secret of the rehearsal, long enough",
			[arn("database")]: JSON.stringify({ username: "charla", password }),
			[arn("cache")]: password,
		},
		instanceOf: (address) => `i-${address.replaceAll(".", "")}`,
	});
	const balancer = await openBalancer(plan.targetGroup, { host: network.here, port: 8080 });
	const edge = await openEdge({ routes: plan.routes, bucket: readSaved(plan.assets), balancer: balancer.url, host: network.here });
	const group = { application: "chat-rehearsal", name: "chat-rehearsal", id: "5f0f6f3a-rehearsal" };

	tell("Booting two machines");
	const hosts: Host[] = [];
	for (const n of [1, 2])
		hosts.push(await bootHost({ name: `chat-${n}`, address: network.host(n), base: plan.base, folder: join(plan.folder, "machines") }));
	const [one, two] = hosts as [Host, Host];
	const instance = (host: Host): Instance => ({ name: host.name, address: host.address, agent: openAgent(host, group) });
	const instances = hosts.map(instance);

	tell("First boot: user data, twice");
	const calls = await Promise.all(hosts.map((host) => firstBoot(host, cloud.endpoint, certificate.cert)));
	tell(`${calls[0]?.length} calls of what is not really there: ${[...new Set(calls[0]?.map((call) => call.split(" ")[0]))].join(", ")}`);
	for (const host of hosts) balancer.register(host.address);
	for (const host of hosts) await balancer.until(host.address, "healthy", 60_000);
	tell("The placeholder answers the load balancer");

	let deployments = 0;
	const release = (bundle: string) => ({ deploymentId: `d-${String(++deployments).padStart(9, "0")}`, bundle });
	/** Who moves goes to either; so half of them go from one instance to the other. */
	async function spread(from: Host, to: string): Promise<void> {
		await crowd.flowing(1, flowWithin);
		await from.shell("systemctl kill --kill-who=main --signal=SIGUSR2 chat.service");
		for (const end = Date.now() + 30_000; balancer.openTo(to) < 2 && Date.now() < end; ) await sleep(100);
		await crowd.flowing(flow, flowWithin);
	}
	const current = (host: Host) => host.shell("readlink /opt/chat/current");

	tell("1 First deployment");
	const first = await deploy(instances, release(plan.artefacts.first), balancer, tell);
	must(first.succeeded, `the first deployment failed: ${first.failure}`);
	if (!first.succeeded) return;
	const firstRelease = await current(one);
	await look(one);
	const crowd = await openCrowd(balancer.url, plan.people);
	crowd.begin("calm");
	await crowd.flowing(flow, flowWithin);
	const followed = await cache.followedFrom();
	const encrypted = await database.tlsFrom();
	for (const { name, address } of instances) {
		must((followed.get(address) ?? 0) > 0, `${name} hears nothing of the others by Redis`);
		must(encrypted.includes(address), `${name} is not connected to PostgreSQL by TLS`);
	}
	tell(
		`${plan.people} people talk, over ${instances.map(({ name, address }) => `${name} ${balancer.openTo(address)}`).join(", ")} connections`,
	);

	tell("2 Rolling deployment");
	crowd.begin("rolling deployment");
	const reader = await openReader(edge.url, balancer.url);
	const rolling = await deploy(instances, release(plan.artefacts.next), balancer, tell);
	must(rolling.succeeded, `the rolling deployment failed: ${rolling.failure}`);
	await crowd.flowing(flow, flowWithin);
	const nextRelease = await current(one);
	must(nextRelease !== firstRelease && nextRelease === (await current(two)), "not both machines have the next release");
	const { pages, assets, missing, notOnInstances } = await reader.after();
	tell(
		`${[...pages.values()].join(" and ")} pages of ${pages.size} builds with ${assets} assets: ${missing.length} missing; ` +
			`asked of instances alone, ${notOnInstances} would have been`,
	);
	must(pages.size === 2, `pages of ${pages.size} builds were opened while the release rolled, instead of two`);
	must(missing.length === 0, `assets were missing while the release rolled: ${[...new Set(missing)].slice(0, 5).join(", ")}`);

	tell("3 A release that cannot deliver");
	crowd.begin("broken release");
	const brokenRelease = release(plan.artefacts.broken);
	const broken = await deploy(instances, brokenRelease, balancer, tell);
	must(!broken.succeeded, "a release that cannot deliver was deployed");
	must(/ValidateService/.test(broken.failure ?? ""), `the broken release did not fail where two people are to talk: ${broken.failure}`);
	must(balancer.states()[one.address] === undefined, "an instance with a broken release has traffic");
	must((await current(two)) === nextRelease, "the broken release came to the second machine");
	tell("Rolling back");
	const back = await deploy(instances, release(plan.artefacts.next), balancer, tell);
	must(back.succeeded, `rolling back failed: ${back.failure}`);
	must((await current(one)) === nextRelease && (await current(two)) === nextRelease, "not both machines were rolled back");
	await crowd.flowing(flow, flowWithin);

	await spread(one, two.address);
	tell(`4 Scale-in, with ${balancer.openTo(two.address)} connections`);
	crowd.begin("scale-in");
	const last = release(plan.artefacts.next);
	await terminate(instance(two), last, balancer);
	must(balancer.openTo(two.address) === 0, "connections were left on the instance that goes");
	must((await two.shell("systemctl is-active chat.service || true")) === "inactive", "the server still runs on the instance that goes");
	const said = await two.shell("grep -c '\"service.stopped\"' /var/log/chat/app.log");
	must(Number(said) > 0, "the server did not say that it stopped");
	asFollowed(two);
	await two.kill();
	await crowd.flowing(flow, flowWithin);

	tell("5 An instance is killed, after another was launched");
	const three = await bootHost({ name: "chat-3", address: network.host(3), base: plan.base, folder: join(plan.folder, "machines") });
	await firstBoot(three, cloud.endpoint, certificate.cert);
	balancer.register(three.address);
	const launched = await deploy([instance(three)], release(plan.artefacts.next), balancer, tell);
	must(launched.succeeded, `the launched instance was not deployed to: ${launched.failure}`);
	await spread(one, three.address);
	crowd.begin("instance killed");
	tell(`Killing chat-1, with ${balancer.openTo(one.address)} connections`);
	must(balancer.openTo(one.address) > 0, "nobody was on the instance that was killed");
	await one.kill();
	await crowd.flowing(flow, flowWithin);
	await balancer.until(one.address, "unhealthy", 120_000);

	const talked = await probe({ url: balancer.url, within: 30_000 });
	tell(`Two more people talk: stored ${talked.stored} ms, delivered ${talked.delivered} ms, seen ${talked.seen} ms`);
	await crowd.settle(async () => (await database.lobby()).lastSeq, 90_000);
	const { messages } = await database.lobby();
	const theirs = new Set(crowd.people.map(({ me }) => me.id));
	problems.push(
		...audit(
			crowd.people,
			messages.filter(({ author }) => theirs.has(author)),
		),
	);
	for (const scene of crowd.figures()) {
		const p95 = percentile(scene.blackouts, 0.95);
		tell(
			`${scene.scene}: ${scene.messages} messages; without a complete connection at most, per person: p50 ${ms(percentile(scene.blackouts, 0.5))}, ` +
				`p95 ${ms(p95)}; from first seen anywhere to seen: p50 ${ms(percentile(scene.arrivals, 0.5))}, p95 ${ms(percentile(scene.arrivals, 0.95))}, most ${ms(Math.max(0, ...scene.arrivals))}`,
		);
		must(p95 <= blackout, `${scene.scene}: people were away for ${ms(p95)} (p95), more than ${ms(blackout)}`);
	}
	tell(`${crowd.acked()} messages acknowledged, ${messages.length} stored, ${problems.length} problems`);
	crowd.close();
	await edge.close();
	await balancer.close();
	await three.kill();
	await cloud.close();
	await cache.close();
	await database.stop();
}

/** The machines' disks are in memory where there is enough: unpacking a release is ten thousand small files, several times over. */
async function inMemory(): Promise<void> {
	const available = Number(/^MemAvailable:\s+(\d+) kB/m.exec(readFileSync("/proc/meminfo", "utf8"))?.[1] ?? 0) * 1024;
	if (available < enoughMemory) return tell("The machines' disks are on the disk: there is little memory");
	await mustRun("mkdir", ["-p", join(plan.folder, "machines")]);
	await mustRun("mount", ["-t", "tmpfs", "-o", "size=6g,mode=755", "tmpfs", join(plan.folder, "machines")]);
}

/** User data as the launch template has it, run twice, and what stands for AWS on this machine. */
async function firstBoot(host: Host, endpoint: string, certificate: string): Promise<string[]> {
	await runUserData(host, plan.userData);
	const env = await host.shell("cat /etc/chat/instance.env");
	const calls = await runUserData(host, plan.userData);
	const again = await host.shell("cat /etc/chat/instance.env");
	must(env === again, `user data run twice is not the same as once: ${env} / ${again}`);
	must(/INSTANCE_ID=i-\w+/.test(env), `user data did not find out the instance's id: ${env}`);
	must(!/password|secret/i.test(env), "there is a secret in the instance's environment");
	for (const [what, call] of Object.entries(brought))
		must(
			calls.some((each) => call.test(each)),
			`user data did not bring ${what}`,
		);
	const agent = await host.shell("systemctl is-active codedeploy-agent || true");
	must(agent === "active", `CodeDeploy's agent is not started: ${agent}`);
	const placeholder = await host.shell("systemctl is-active chat-placeholder.socket");
	must(placeholder === "active", `nothing answers before the first deployment: ${placeholder}`);
	await host.shell(`echo AWS_ENDPOINT_URL=${endpoint} >>/etc/chat/instance.env`);
	// In place of the one user data would have downloaded.
	writeFileSync(join(host.root, authority), certificate);
	return calls;
}

/** What holds on a machine that was deployed to. */
async function look(host: Host): Promise<void> {
	const exposure = await host.shell("systemd-analyze security --no-pager chat.service | tail -n 1");
	tell(`systemd-analyze security: ${exposure.replace(/^[^\w]*/, "")}`);
	must(/\b[0-2]\.\d\b/.test(exposure), `the unit is not hardened: ${exposure}`);
	must(
		(await host.shell("systemctl show --property MainPID --value chat.service | xargs -I{} readlink /proc/{}/exe")).endsWith("/bin/node"),
		"the server is not the release's own Node",
	);
	for (const file of ["app", "access"]) must(Number(await host.shell(`wc -l </var/log/chat/${file}.log`)) > 0, `${file}.log is empty`);
	const secret = await host.shell(
		"grep -rl 'a-password-of-the-rehearsal\\|session secret of the rehearsal' /etc /opt/chat /var/log /var/lib/chat /run 2>/dev/null || true",
	);
	must(secret === "", `a secret is on the disk: ${secret}`);
	await host.shell("logrotate --force /etc/logrotate.d/chat");
	must(Number(await host.shell("ls /var/log/chat | grep -c '\\.1$'")) === 2, "the logs were not rotated");
	must((await host.shell("systemctl is-active chat-placeholder.socket || true")) === "inactive", "the placeholder still listens");
	asFollowed(host);
}

/** The agent's configuration fits the files that are really there. */
function asFollowed(host: Host): void {
	const wrong = unlikeConfigured(host, plan.followed);
	must(wrong.length === 0, `${host.name}: the agent's configuration does not fit: ${wrong.join("; ")}`);
}

function ms(value: number): string {
	return `${Math.round(value)} ms`;
}
