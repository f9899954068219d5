import { Fn, Stack, Tags } from "aws-cdk-lib";
import type { Construct } from "constructs";
import type { StageConfig } from "../config.ts";

/** One part of a stage's footprint, named `chat-<stage>-<part>`. */
export class ChatStack extends Stack {
	readonly config: StageConfig;

	constructor(scope: Construct, part: string, config: StageConfig, about: { description: string; keepsData?: boolean }) {
		super(scope, `chat-${config.stage}-${part}`, {
			description: about.description,
			// Without both, one synthesis serves every account, and needs to know none.
			env: { account: config.account ?? undefined, region: config.region ?? undefined },
			terminationProtection: config.protect && about.keepsData === true,
		});
		this.config = config;
		Tags.of(this).add("app", "chat");
		Tags.of(this).add("stage", config.stage);
	}

	/** Two zones, by their place in the region's list: asking AWS for their names would need an account at every synthesis. */
	override get availabilityZones(): string[] {
		return [0, 1].map((index) => Fn.select(index, Fn.getAzs()));
	}
}
