import { type Agent, HookFailure, type Revision } from "./agent.ts";
import { type LifecycleEvent, lifecycle } from "./appspec.ts";
import type { Balancer } from "./balancer.ts";

export type Instance = { name: string; address: string; agent: Agent };
export type Told = (line: string) => void;
export type Outcome = { succeeded: boolean; failed: string[]; failure: string | null; seconds: number };

/** How long a target may take to become healthy before CodeDeploy would give up, ms. Its own limit is an hour. */
const healthyWithin = 120_000;

/**
 * What CodeDeploy's service does with a group, in place, one instance at a time, with traffic control. An instance that fails ends the
 * deployment, unless it is the last: with one at a time, one may be missing.
 */
export async function deploy(instances: readonly Instance[], revision: Revision, balancer: Balancer, tell: Told): Promise<Outcome> {
	const began = performance.now();
	const failed: string[] = [];
	let failure: string | null = null;
	for (const [index, instance] of instances.entries()) {
		try {
			await deployTo(instance, revision, balancer, tell);
		} catch (error) {
			failed.push(instance.name);
			failure = (error as Error).message;
			const [what, ...said] = failure.split("\n");
			tell(`${instance.name}: FAILED: ${what}`);
			for (const line of said.slice(0, 3)) tell(`  ${line.slice(0, 160)}`);
			if (index < instances.length - 1) break;
		}
	}
	const succeeded = failed.length === 0 || (failed.length === 1 && failed[0] === instances.at(-1)?.name && instances.length > 1);
	return { succeeded, failed, failure, seconds: (performance.now() - began) / 1000 };
}

/** All lifecycle events on one instance. Throws with the first that fails; traffic then stays away. */
export async function deployTo(instance: Instance, revision: Revision, balancer: Balancer, tell: Told): Promise<void> {
	const took: string[] = [];
	for (const event of lifecycle) {
		const began = performance.now();
		await execute(event, instance, revision, balancer);
		const seconds = (performance.now() - began) / 1000;
		if (seconds >= 0.1) took.push(`${event} ${seconds.toFixed(1)} s`);
	}
	tell(`${instance.name}: ${took.join(", ")}`);
}

/** What a deployment with `terminationHook` runs on an instance that is to go: traffic away, and stop. */
export async function terminate(instance: Instance, revision: Revision, balancer: Balancer): Promise<void> {
	for (const event of ["BeforeBlockTraffic", "BlockTraffic", "AfterBlockTraffic", "ApplicationStop"] as const)
		await execute(event, instance, revision, balancer);
}

async function execute(event: LifecycleEvent, { address, agent }: Instance, revision: Revision, balancer: Balancer): Promise<void> {
	if (event === "BlockTraffic") return void (await balancer.deregister(address));
	if (event !== "AllowTraffic") return agent.execute(event, revision);
	balancer.register(address);
	await balancer.until(address, "healthy", healthyWithin).catch((error: Error) => {
		throw new HookFailure(event, error.message, "");
	});
}
